//! A copy would not be counted.

use gleaner::Gc;

fn main() {
    let words = Gc::with_drop(vec![1, 2, 3]);
    let held = words.get().unwrap();
    let also_held = held;
    drop(held);
    drop(also_held);
}
