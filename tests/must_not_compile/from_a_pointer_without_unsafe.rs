//! Any number may be an address.

use gleaner::Gc;

fn main() {
    Gc::<u32>::from_ptr(8 as *const u32);
}
