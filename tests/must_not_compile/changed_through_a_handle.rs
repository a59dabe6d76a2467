//! There are copies of the handle.

use gleaner::Gc;

fn main() {
    let five = Gc::new(5);
    *five = 6;
    let list = Gc::new(vec![1]);
    list.push(2);
}
