//! Two threads may hold a guard of the same value at once.

use gleaner::Gc;
use std::{cell::Cell, thread};

fn main() {
    let counter = Gc::with_drop(Cell::new(0));
    thread::spawn(move || counter.get().unwrap().set(1));
}
