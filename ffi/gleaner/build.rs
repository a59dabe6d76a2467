//! Links the library.
#[path = "../link.rs"]
mod link;

fn main() {
    link::library("libgleaner.so.0", &[], &[]);
}
