//! A copy stays behind, so what is not `Sync` cannot go to another thread.

use gleaner::Gc;
use std::{cell::Cell, thread};

fn main() {
    let counter = Gc::new(Cell::new(0));
    thread::spawn(move || counter.set(1));
}
