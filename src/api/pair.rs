//! A key that is not kept and a value that lives as long as the key: the collected object behind [`Weak`](crate::Weak) and
//! [`Ephemeron`](crate::Ephemeron).

use super::gc::place;
use crate::{
    base::addr::Addr,
    collect::ephemeron,
    heap::{fast, kind::Kind},
};
use alloc::alloc::handle_alloc_error;
use core::{alloc::Layout, hint::black_box, ptr::NonNull};

/// See the module's documentation. Copies are the same pair.
#[derive(Clone, Copy)]
#[repr(C, align(8))]
pub(super) struct Pair {
    object: NonNull<u8>,
}

impl Pair {
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

    fn word(self, index: usize) -> *mut usize {
        self.object.cast::<usize>().as_ptr().wrapping_add(index)
    }

    /// Sets both.
    pub(super) fn set(self, key: Addr, value: usize) {
        // SAFETY: the object begins with these two words. Only a collector looks at them meanwhile, and understands any two.
        unsafe {
            self.word(1).write_volatile(value);
            self.word(0).write_volatile(key.get());
        }
    }

    /// The key; null once it has died. From here on it is kept: its address is in a register.
    #[inline(always)]
    pub(super) fn key(self) -> Addr {
        // SAFETY: as above; a collector changes it while the world is stopped only.
        Addr::new(unsafe { self.word(0).read_volatile() })
    }

    /// The value; zero once the key has died.
    #[inline(always)]
    pub(super) fn value(self) -> usize {
        // SAFETY: as above.
        unsafe { self.word(1).read_volatile() }
    }
}
