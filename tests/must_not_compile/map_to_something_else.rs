//! Nor is anything else that ends a part of the value.

use gleaner::Gc;

fn main() {
    let other = 2;
    Gc::map(Gc::new(1), |_| &other);
}
