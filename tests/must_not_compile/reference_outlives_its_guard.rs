//! Without the guard the destructor may run.

use gleaner::Gc;

fn main() {
    let words = Gc::with_drop(vec![1, 2, 3]);
    let first: &u32 = {
        let held = words.get().unwrap();
        &held[0]
    };
    assert_eq!(*first, 1);
}
