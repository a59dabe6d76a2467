//! A guard is a look through a handle.

use gleaner::Gc;

fn main() {
    let held = {
        let words = Gc::with_drop(vec![1, 2, 3]);
        words.get()
    };
    drop(held);
}
