//! A part of a value is the value's own; what the value borrows ends earlier.

use gleaner::Gc;

fn outlives(borrowed: Gc<&u32>) -> Gc<u32> {
    Gc::map(borrowed, |reference| *reference)
}

fn main() {
    let number = 1;
    outlives(Gc::new(&number));
}
