//! There may be another guard.

use gleaner::Gc;

fn main() {
    let words = Gc::with_drop(vec![1, 2, 3]);
    let held = words.get().unwrap();
    held.push(4);
}
