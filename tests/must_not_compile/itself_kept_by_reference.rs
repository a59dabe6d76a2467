//! The handle that a value gets while it is made is copied, not borrowed.

use gleaner::{Gc, Weak};

struct Node<'a>(&'a Weak<Node<'a>>);

fn main() {
    Gc::new_cyclic(|itself| Node(itself));
}
