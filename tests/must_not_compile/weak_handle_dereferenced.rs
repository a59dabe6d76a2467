//! The value behind a weak handle may be gone: `upgrade` says.

use gleaner::Gc;

fn main() {
    let weak = Gc::downgrade(Gc::new(String::from("perhaps")));
    assert_eq!(weak.len(), 7);
}
