//! A value stays where it is.

use gleaner::Gc;

fn main() {
    let name = Gc::new(String::from("stays"));
    let taken: String = *name;
    drop(taken);
}
