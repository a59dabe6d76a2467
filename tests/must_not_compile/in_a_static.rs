//! A static is for all threads, a lock round the handle notwithstanding: copies get out of it.

use gleaner::Gc;
use std::{cell::Cell, sync::Mutex};

static COUNTER: Mutex<Option<Gc<Cell<u32>>>> = Mutex::new(None);

fn main() {
    *COUNTER.lock().unwrap() = Some(Gc::new(Cell::new(0)));
}
