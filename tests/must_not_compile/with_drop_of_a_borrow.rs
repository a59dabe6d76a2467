//! What the value borrows would be gone when its destructor runs.

use gleaner::Gc;

fn main() {
    let text = String::from("borrowed");
    Gc::with_drop(text.as_str());
}
