//! What is never searched holds no pointers.

use gleaner::Gc;

struct Name(String);

fn main() {
    Gc::new_pointer_free(Name(String::new()));
    Gc::slice_pointer_free(&[Gc::new(1)]);
    Gc::slice_pointer_free(&["borrowed"]);
}
