//! A key that is not kept and a value that lives as long as the key: the collected object behind [`Weak`](crate::Weak) and
//! [`Ephemeron`](crate::Ephemeron).

use super::gc::place;
use crate::{
    base::{
        addr::Addr,
        sync::{AtomicUsize, Ordering},
    },
    collect::ephemeron,
    heap::{fast, kind::Kind},
};
use alloc::alloc::handle_alloc_error;
use core::{alloc::Layout, hint::black_box, ptr::NonNull};

/// See the module's documentation. Copies are the same pair. Its words are a collector's while the world is stopped; and
/// one thread may set a key while others, who have the pair already, look whether there is one.
#[derive(Clone, Copy)]
#[repr(C, align(8))]
pub(super) struct Pair {
    object: NonNull<u8>,
}

/// What [`Pair::EMPTY`] points to. Nobody sets it.
static NO_WORDS: [AtomicUsize; 2] = [AtomicUsize::new(0), AtomicUsize::new(0)];

impl Pair {
    /// The pair of nothing, which all handles that never had one share.
    pub(super) const EMPTY: Pair = match NonNull::new((&raw const NO_WORDS).cast_mut().cast()) {
        Some(object) => Pair { object },
        None => unreachable!(),
    };

    /// A pair of the object that starts at `key`, and any word.
    pub(super) fn new(key: Addr, value: usize) -> Pair {
        let layout = Layout::new::<[usize; ephemeron::BYTES / size_of::<usize>()]>();
        let slot = NonNull::new(fast::pop(layout.size(), Kind::EPHEMERON));
        let Some(object) = slot.or_else(|| place::take_anywhere(layout, Kind::EPHEMERON)) else {
            handle_alloc_error(layout)
        };
        ephemeron::note_made(1);
        let pair = Pair { object };
        pair.set(key, value);
        // Until here they are the caller's: a collection on the way finds them.
        black_box((key, value));
        pair
    }

    fn word(&self, index: usize) -> &AtomicUsize {
        // SAFETY: the object begins with two words, and this handle keeps it. A collector understands any two.
        unsafe { self.object.cast::<AtomicUsize>().add(index).as_ref() }
    }

    /// Sets both.
    pub(super) fn set(&self, key: Addr, value: usize) {
        self.word(1).store(value, Ordering::Relaxed);
        // Release: who finds the key finds the value, and the object behind it as it was made; pairs with `key`.
        self.word(0).store(key.get(), Ordering::Release);
    }

    /// The key; null once it has died. From here on it is kept: its address is in a register.
    #[inline(always)]
    pub(super) fn key(&self) -> Addr {
        // Acquire: pairs with `set`. A collector changes it while the world is stopped only.
        Addr::new(self.word(0).load(Ordering::Acquire))
    }

    /// The value; zero once the key has died.
    #[inline(always)]
    pub(super) fn value(&self) -> usize {
        // Relaxed: a pair with a value is set before anybody else has it.
        self.word(1).load(Ordering::Relaxed)
    }

    /// Whether both are one pair.
    pub(super) fn is_same(&self, other: &Pair) -> bool {
        self.object == other.object
    }
}
