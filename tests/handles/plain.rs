//! Values that are not searched: their contents stay, and what only looks like an address in them keeps nothing.

use crate::world::{Node, alone, collect, nearly_all};
use gleaner::{Gc, PointerFree, Weak};
use std::{
    cell::Cell,
    hint::black_box,
    net::Ipv4Addr,
    num::{NonZero, Wrapping},
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

fn is_plain<T: PointerFree + ?Sized>() {}

#[test]
fn what_is_made_of_numbers_is_plain() {
    is_plain::<(u8, Option<NonZero<u32>>, Wrapping<i64>, [f64; 3])>();
    is_plain::<Result<Duration, std::cmp::Ordering>>();
    is_plain::<[(usize, char, bool)]>();
    is_plain::<Cell<Option<Ipv4Addr>>>();
    is_plain::<(u8, u8, u8, u8, u8, u8, u8, u8, u8, u8, u8, AtomicU64)>();
    is_plain::<std::marker::PhantomData<Box<u8>>>();
    is_plain::<std::ops::Range<usize>>();
}

#[test]
fn plain_values_keep_their_contents() {
    let _alone = alone();
    let counter = Gc::new_pointer_free((AtomicU64::new(3), Cell::new(Some('c')), Duration::from_secs(9)));
    counter.0.fetch_add(4, Ordering::Relaxed);
    counter.1.set(None);
    collect();
    assert_eq!((counter.0.load(Ordering::Relaxed), counter.1.get(), counter.2.as_secs()), (7, None, 9));
}

#[test]
fn an_address_kept_as_a_number_keeps_nothing_there() {
    type Note = Gc<(usize, Wrapping<usize>)>;
    #[inline(never)]
    fn made() -> (Vec<Note>, Vec<Weak<Node>>) {
        let note = |number| {
            let node = Node::new(number);
            let address = black_box(Gc::as_ptr(node)).addr();
            (Gc::new_pointer_free((address, Wrapping(address))), Gc::downgrade(node))
        };
        (0..100).map(note).unzip()
    }
    let _alone = alone();
    let (notes, weak) = crate::world::elsewhere(made);
    nearly_all(&weak);
    assert!(notes.iter().all(|note| note.0 == note.1.0));
}
