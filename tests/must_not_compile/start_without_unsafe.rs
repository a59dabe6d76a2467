//! Who starts the collector vouches for the whole program.

fn main() {
    gleaner::start().unwrap();
}
