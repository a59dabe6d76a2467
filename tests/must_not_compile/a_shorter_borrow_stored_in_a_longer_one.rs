//! A handle to a cell is invariant, as a reference to one is.

use gleaner::Gc;
use std::cell::Cell;

fn store<'a>(cell: Gc<Cell<&'static str>>, text: &'a str) {
    let shorter: Gc<Cell<&'a str>> = cell;
    shorter.set(text);
}

fn main() {
    store(Gc::new(Cell::new("")), &String::from("borrowed"));
}
