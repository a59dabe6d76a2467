//! A word that keeps nothing: the collected object behind [`Weak`](crate::Weak).
//!
//! It is cleared when its object becomes unreachable, before a destructor is made ready: who is going to be dropped is found
//! by no weak handle any more.

use super::begin;
use crate::{base::addr::Addr, collect::allocate, heap::kind::Kind};
use alloc::alloc::handle_alloc_error;
use core::{alloc::Layout, hint::black_box, ptr::NonNull};

/// See the module's documentation. Copies are the same word.
#[derive(Clone, Copy)]
#[repr(C, align(8))]
pub(super) struct WeakWord {
    object: NonNull<usize>,
}

impl WeakWord {
    /// A word with the address of an object.
    pub(super) fn new(of: Addr) -> WeakWord {
        begin::begin();
        let layout = Layout::new::<usize>();
        let object = allocate::allocate_weak(layout.size(), Kind::WEAK_WORDS).ok();
        let Some(object) = object.and_then(|object| NonNull::new(object.as_ptr::<usize>())) else {
            handle_alloc_error(layout)
        };
        // SAFETY: it has room for a word. Only a collector looks at it meanwhile.
        unsafe { object.as_ptr().write_volatile(of.get()) };
        // Until here it is the caller's: a collection on the way finds it.
        black_box(of);
        WeakWord { object }
    }

    /// The address, or null once its object has died. From here on it is kept: its address is in a register.
    #[inline(always)]
    pub(super) fn get(self) -> Addr {
        // SAFETY: as above; a collector changes it while the world is stopped only.
        Addr::new(unsafe { self.object.as_ptr().read_volatile() })
    }
}
