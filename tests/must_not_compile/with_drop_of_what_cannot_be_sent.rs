//! A destructor may run on any thread.

use gleaner::Gc;
use std::rc::Rc;

fn main() {
    Gc::with_drop(Rc::new(1));
}
