//! A handle lives as long as one likes, but not longer than what its value borrows.

use gleaner::Gc;

fn main() {
    let shorter;
    {
        let text = String::from("borrowed");
        shorter = Gc::new(text.as_str());
    }
    assert_eq!(*shorter, "borrowed");
}
