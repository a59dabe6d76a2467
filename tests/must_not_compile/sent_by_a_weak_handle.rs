//! A weak handle and an ephemeron are as good as the handles that they give.

use gleaner::{Ephemeron, Gc};
use std::cell::Cell;

fn send(_: impl Send) {}

fn main() {
    let counter = Gc::new(Cell::new(0));
    send(Gc::downgrade(counter));
    send(Ephemeron::new(Gc::new(1), counter));
}
