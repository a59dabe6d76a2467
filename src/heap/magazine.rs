//! Magazines: a thread's own stacks of free slots, one for each class it uses. `malloc` pops, `free` pushes.
//!
//! Neither touches the object, a list in it, or its block. Only a full magazine is flushed and an empty one refilled
//! against the bitmaps (`refill`).
//!
//! ```text
//!   bottom          top                limit
//!   | a | b | c | d | (stale, never read) |
//!   pop  reads the word below top, then lowers top
//!   push writes the word at top, then raises top
//! ```
//!
//! *The order of accesses is the design.* A thread may be stopped between any two instructions, and then every slot is
//! in exactly one of: the bitmap (free), `bottom..top` (cached), or a register, a stack or a reachable object (in use).
//! Pop reads before it lowers, so the slot is in a register when it leaves the cached part. Push writes before it
//! raises, and keeps the pointer in a register until after it has raised, so the slot is cached when the register is
//! given up. There is no flag and no fence. Code in programs pops too, by the same order: `include/gleaner_inline.h`.
//!
//! Holds:   `bottom <= top <= limit`; all three are null for a class never used, which is empty and full at once, so
//!          both operations take the slow path; the word below `bottom` is zero.
//! Threads: only the owner writes. A collector reads `bottom..top` after the owner has stopped.

use crate::base::addr::Addr;
use core::arch::asm;
use core::cell::UnsafeCell;
use core::mem::offset_of;
use core::ptr;

/// See the module's documentation. An all-zero value is a valid, empty and full magazine.
#[repr(C)]
pub struct Magazine {
    top: UnsafeCell<*mut usize>,
    bottom: UnsafeCell<*mut usize>,
    limit: UnsafeCell<*mut usize>,
    /// The block this class is refilled from: unit + 1, or zero.
    pub(super) claimed: UnsafeCell<u32>,
    /// The next word of that block's bitmap to take from.
    pub(super) cursor: UnsafeCell<u8>,
    /// How often the owner has been here by a slow path, as far as it matters: see `refill`.
    pub(super) visits: UnsafeCell<u8>,
    /// Slots that the array behind the magazine has room for.
    pub(super) capacity: UnsafeCell<u16>,
}

// `gleaner_inline.h` pops: layout 1 there is this.
const _: () =
    assert!(offset_of!(Magazine, top) == 0 && offset_of!(Magazine, bottom) == 8 && size_of::<Magazine>() == 32);

impl Magazine {
    /// Takes a slot, or gives null when the magazine is empty.
    ///
    /// # Safety
    /// The magazine is the calling thread's.
    #[inline(always)]
    pub unsafe fn pop(&self) -> *mut u8 {
        // SAFETY: `bottom < top` means that the word below `top` is a cached slot, and only this thread changes either.
        unsafe {
            let top = ptr::read_volatile(self.top.get());
            if top == ptr::read(self.bottom.get()) {
                return ptr::null_mut();
            }
            let slot = ptr::read_volatile(top.sub(1));
            core::hint::assert_unchecked(slot != 0);
            ptr::write_volatile(self.top.get(), top.sub(1));
            slot as *mut u8
        }
    }

    /// Puts a slot in. `false`: the magazine is full, or the slot is the one put in last (freed twice); nothing
    /// happened.
    ///
    /// # Safety
    /// The magazine is the calling thread's, and `slot` is the start of a slot of its class
    /// that the caller gives up.
    #[inline(always)]
    pub unsafe fn push(&self, slot: *mut u8) -> bool {
        // SAFETY: `top < limit` means that there is a word at `top`, and below it a slot or the zero under `bottom`.
        unsafe {
            let top = ptr::read_volatile(self.top.get());
            if top == ptr::read(self.limit.get()) || ptr::read(top.sub(1)) == slot as usize {
                return false;
            }
            ptr::write_volatile(top, slot as usize);
            ptr::write_volatile(self.top.get(), top.add(1));
            // Keeps the pointer in a register until here; the compiler would otherwise be free to give it up earlier.
            asm!("/* {0} */", in(reg) slot, options(nostack, preserves_flags));
            true
        }
    }

    /// How many slots are cached. Beside a running owner, of a moment.
    pub fn count(&self) -> usize {
        // SAFETY: plain loads of words that stay mapped.
        unsafe {
            let (bottom, top) = (ptr::read_volatile(self.bottom.get()), ptr::read_volatile(self.top.get()));
            // The array may be another by now.
            let count = (top as usize).saturating_sub(bottom as usize) / size_of::<usize>();
            count.min(ptr::read_volatile(self.capacity.get()) as usize)
        }
    }

    /// Visits the cached slots. Beside a running owner, of a moment.
    pub fn for_each_of_moment(&self, visit: &mut impl FnMut(usize)) {
        // SAFETY: plain loads; arrays are never given back, and `count` is no more than what is behind this one.
        unsafe {
            let (bottom, count) = (ptr::read_volatile(self.bottom.get()), self.count());
            let is_there = !bottom.is_null() && bottom == ptr::read_volatile(self.bottom.get());
            (0..if is_there { count } else { 0 }).for_each(|index| visit(ptr::read_volatile(bottom.add(index))));
        }
    }

    /// Whether no slot is cached.
    pub fn is_empty(&self) -> bool {
        // SAFETY: plain loads; the owner calls this, or the world is stopped.
        unsafe { ptr::read_volatile(self.top.get()) == *self.bottom.get() }
    }

    /// Whether there is no room.
    pub fn is_full(&self) -> bool {
        // SAFETY: plain loads; the owner calls this.
        unsafe { ptr::read_volatile(self.top.get()) == *self.limit.get() }
    }

    /// The cached slots.
    ///
    /// # Safety
    /// The caller is the owner in its gate, or the owner is stopped or gone. The slice is dead once that changes.
    pub unsafe fn cached(&self) -> &[usize] {
        // SAFETY: `bottom..top` are words of the magazine's array.
        unsafe {
            let (bottom, top) = (*self.bottom.get(), ptr::read_volatile(self.top.get()));
            if bottom.is_null() {
                return &[];
            }
            core::slice::from_raw_parts(bottom, top.offset_from_unsigned(bottom))
        }
    }

    /// Whether no change was begun and not ended: its owner has not ended, by a handler, between [`close`](Self::close) and
    /// [`open`](Self::open).
    ///
    /// # Safety
    /// As for [`cached`](Self::cached), outside a change of the caller's.
    pub(super) unsafe fn is_whole(&self) -> bool {
        // SAFETY: by the caller's promise nobody writes the fields.
        let (bottom, top, limit) = unsafe { (*self.bottom.get(), *self.top.get(), *self.limit.get()) };
        bottom.is_null() || bottom < limit && bottom <= top && top <= limit
    }

    /// Gives the array up, and what is in it: the magazine is as before its first use.
    ///
    /// # Safety
    /// The caller stands in for an owner that is gone.
    pub(super) unsafe fn forget(&self) {
        // SAFETY: by the caller's promise the fields are its own.
        unsafe {
            *self.top.get() = ptr::null_mut();
            *self.bottom.get() = ptr::null_mut();
            *self.limit.get() = ptr::null_mut();
            *self.capacity.get() = 0;
        }
    }

    /// How many slots may be in it.
    ///
    /// # Safety
    /// As for [`cached`](Self::cached).
    pub(super) unsafe fn limit_count(&self) -> usize {
        // SAFETY: by the caller's promise nobody writes the fields; both are null or belong to the same array.
        unsafe { ((*self.limit.get()).addr() - (*self.bottom.get()).addr()) / size_of::<usize>() }
    }

    /// Makes both operations take the slow path while the contents change: a signal handler that allocates in the
    /// middle of a refill then finds neither slot nor room. Gives the array.
    ///
    /// # Safety
    /// The caller is the owner in its gate, and [`open`](Self::open)s it again.
    pub(super) unsafe fn close(&self) -> Contents {
        // SAFETY: the owner writes its own fields.
        unsafe {
            let (bottom, top, limit) = (*self.bottom.get(), *self.top.get(), *self.limit.get());
            ptr::write_volatile(self.limit.get(), top);
            ptr::write_volatile(self.bottom.get(), top);
            let count = if bottom.is_null() { 0 } else { top.offset_from_unsigned(bottom) };
            let limit_count = if bottom.is_null() { 0 } else { limit.offset_from_unsigned(bottom) };
            Contents { array: bottom, count, limit: limit_count }
        }
    }

    /// Ends [`close`](Self::close): `contents` are the slots from now on.
    ///
    /// # Safety
    /// As for `close`; `contents` is what `close` gave, changed within its capacity.
    pub(super) unsafe fn open(&self, contents: Contents) {
        debug_assert!(contents.count <= contents.limit.max(contents.count));
        // SAFETY: the owner writes its own fields; the counts lie within the array.
        unsafe {
            ptr::write_volatile(self.top.get(), contents.array.add(contents.count));
            ptr::write_volatile(self.bottom.get(), contents.array);
            ptr::write_volatile(self.limit.get(), contents.array.add(contents.limit.max(contents.count)));
        }
    }
}

/// A closed magazine's array.
pub(super) struct Contents {
    /// The first slot's word; the word before it is zero. Null before first use.
    pub array: *mut usize,
    /// Slots in it.
    pub count: usize,
    /// Slots that may be in it.
    pub limit: usize,
}

impl Contents {
    /// Adds `count` slots that begin every `step_bytes` from `first` on.
    ///
    /// # Safety
    /// There is room for them in the array.
    #[inline(always)]
    pub unsafe fn add_run(&mut self, first: Addr, step_bytes: usize, count: usize) {
        for index in 0..count {
            // SAFETY: by the caller's promise.
            unsafe { *self.array.add(self.count + index) = first.get() + index * step_bytes };
        }
        self.count += count;
    }

    /// All slots in it.
    pub fn slots(&mut self) -> &mut [usize] {
        if self.array.is_null() {
            return &mut [];
        }
        // SAFETY: the first `count` words are slots, and the closed magazine is the caller's alone.
        unsafe { core::slice::from_raw_parts_mut(self.array, self.count) }
    }
}
