//! The heap as the allocator of a Rust program.
//!
//! ```text
//!   #[global_allocator] static HEAP: Gleaner       Box, Vec, String … come from the heap and go back to it
//!   unsafe { start() }                             what nothing refers to any more is taken back too
//! ```
//!
//! Until [`start`](crate::start) has run the heap is an allocator and no more. From then on every private
//! writable mapping of the process is a root: stacks, static data, thread-local storage, and what C libraries got from
//! the C library's own malloc, which stays in use beside this heap.
//!
//! Collecting never runs a destructor: it takes memory back, of cycles of `Rc` and of what `mem::forget` forgot.
//!
//! Holds:   an object takes a byte more than its layout says, as behind `malloc`: an address one past the end, such as
//!          the end of a slice's iterator, still lies inside.
//! Threads: any. In a signal handler that interrupts the heap on its own thread, it gets emergency memory.

use super::begin;
use crate::{
    base::addr::Addr,
    collect::allocate::{self, Freed, Resized},
    fatal,
    heap::{Request, fast, kind::Kind, size_class},
    os::log,
};
use core::alloc::{GlobalAlloc, Layout};

/// The heap, for `#[global_allocator]`. There is one heap; every value of this type is a name for it.
#[derive(Clone, Copy, Default, Debug)]
pub struct Gleaner;

/// Takes a slot, or gives null.
///
/// It starts at a multiple of the alignment: so does every slot whose size is one, and where a multiple of an alignment
/// is asked for, the class that it gets is one.
#[inline(always)]
fn pop(layout: Layout) -> *mut u8 {
    fast::pop_for_malloc(layout.size() | (layout.align() - 1))
}

fn allocate(layout: Layout, zeroed: bool) -> *mut u8 {
    begin::begin();
    let request = Request { align: layout.align(), zeroed, ..Request::new(layout.size(), Kind::MALLOC) };
    allocate::allocate(&request).map_or(core::ptr::null_mut(), Addr::as_ptr)
}

// SAFETY: an object is at least as large and as aligned as its layout, and nobody else's until it is given up or nothing
// in the process refers to it. Nothing here unwinds.
unsafe impl GlobalAlloc for Gleaner {
    #[inline]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let slot = pop(layout);
        if slot.is_null() { allocate(layout, false) } else { slot }
    }

    #[inline]
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        let slot = pop(layout);
        if slot.is_null() {
            return allocate(layout, true);
        }
        // SAFETY: the slot is the caller's, and at least this large.
        unsafe { core::ptr::write_bytes(slot, 0, layout.size()) };
        slot
    }

    #[inline]
    unsafe fn dealloc(&self, object: *mut u8, _: Layout) {
        let object = Addr::of(object);
        // SAFETY: by the caller's promise.
        if !unsafe { fast::push_of_malloc(object) } {
            give_up(object);
        }
    }

    #[inline]
    unsafe fn realloc(&self, object: *mut u8, layout: Layout, bytes: usize) -> *mut u8 {
        // SAFETY: by the caller's promise `bytes` are not zero, and with this alignment not too many.
        let wanted = unsafe { Layout::from_size_align_unchecked(bytes, layout.align()) };
        // What shrinks a little stays where it is.
        let slot = if bytes > layout.size() { pop(wanted) } else { core::ptr::null_mut() };
        if slot.is_null() {
            // SAFETY: the caller's promises to us.
            return unsafe { resize(object, layout, wanted) };
        }
        // SAFETY: the slot is ours, and the object the caller's to give up.
        unsafe { move_to(slot, object, layout, wanted) }
    }
}

/// Moves an object to a slot that is large enough for `wanted`.
///
/// # Safety
/// The slot is in use and nobody else's; the object has this layout, and is the caller's to give up.
#[inline(always)]
unsafe fn move_to(slot: *mut u8, object: *mut u8, layout: Layout, wanted: Layout) -> *mut u8 {
    // SAFETY: both are in use, apart, and hold as many bytes; the old one is the caller's to give up.
    unsafe {
        core::ptr::copy_nonoverlapping(object, slot, layout.size().min(wanted.size()));
        Gleaner.dealloc(object, layout);
    }
    slot
}

/// Changes the size of an object that shrinks, or is large, or whose new place is not at hand.
///
/// # Safety
/// As for `realloc`, by the layout that is `wanted`.
#[inline(never)]
unsafe fn resize(object: *mut u8, layout: Layout, wanted: Layout) -> *mut u8 {
    if layout.align() > size_class::GRANULE {
        let slot = allocate(wanted, false);
        // SAFETY: the slot is new, and the object the caller's to give up.
        return if slot.is_null() { slot } else { unsafe { move_to(slot, object, layout, wanted) } };
    }
    match allocate::resize(Addr::of(object), wanted.size()) {
        Resized::At(moved) => moved.as_ptr(),
        Resized::NoMemory => core::ptr::null_mut(),
        Resized::NotAnObject(met) => {
            report("realloc", Addr::of(object), met);
            core::ptr::null_mut()
        }
    }
}

/// Frees an object that is large, or lies beyond the heap's first span, or finds no room.
#[inline(never)]
fn give_up(object: Addr) {
    // SAFETY: by the promise of `dealloc`'s caller, who is ours.
    if !unsafe { fast::push(object) } {
        report("dealloc", object, allocate::free(object, 0));
    }
}

/// Ends the process when `function` was given what it cannot take. A second free in quarantine is only said.
fn report(function: &str, address: Addr, met: Freed) {
    if met != Freed::Done {
        complain(function, address, met);
    }
}

#[cold]
fn complain(function: &str, address: Addr, met: Freed) {
    let at = address.get();
    match met {
        Freed::Done => {}
        Freed::TwiceInQuarantine { object, bytes, .. } => log::print(format_args!(
            "gleaner: {function}: freed twice: {:#x}, an object of {bytes} bytes; look for unsafe code that drops it twice",
            object.get()
        )),
        Freed::Inside { offset, bytes } => fatal!(
            "{function}: not the start of an object: {at:#x} lies {offset} bytes inside an object of {bytes} bytes; give \
             back what the allocation returned"
        ),
        Freed::Twice { object, bytes } => fatal!(
            "{function}: freed twice: {:#x}, an object of {bytes} bytes; look for unsafe code that drops it twice",
            object.get()
        ),
        Freed::Vacant => fatal!(
            "{function}: not an object: {at:#x} lies in free memory of the heap; look for unsafe code that drops it twice"
        ),
        Freed::Foreign => {
            fatal!("{function}: not a gleaner object: {at:#x}; give it back to the allocator it came from")
        }
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;

    fn filled(bytes: usize, align: usize) -> (*mut u8, Layout) {
        let layout = Layout::from_size_align(bytes, align).unwrap();
        // SAFETY: not empty.
        let object = unsafe { Gleaner.alloc(layout) };
        assert!(!object.is_null() && (object as usize).is_multiple_of(align), "{object:p} for {layout:?}");
        for index in 0..bytes {
            // SAFETY: the object has this many bytes.
            unsafe { object.add(index).write(index as u8) };
        }
        (object, layout)
    }

    fn holds(object: *const u8, bytes: usize) -> bool {
        // SAFETY: the callers' objects are at least as large.
        (0..bytes).all(|index| unsafe { object.add(index).read() } == index as u8)
    }

    #[test]
    fn every_alignment_is_kept_when_an_object_grows_and_shrinks() {
        for align in (0..=16).map(|shift| 1usize << shift) {
            for (bytes, wanted) in [(1, 100), (100, 40_000), (40_000, 1_000_000), (1_000_000, 7)] {
                let (object, layout) = filled(bytes, align);
                // SAFETY: allocated with this layout just now, then freed with the one it has.
                unsafe {
                    let moved = Gleaner.realloc(object, layout, wanted);
                    assert!((moved as usize).is_multiple_of(align), "{moved:p} after {layout:?} became {wanted}");
                    assert!(holds(moved, bytes.min(wanted)), "{layout:?} became {wanted} and lost its contents");
                    Gleaner.dealloc(moved, Layout::from_size_align(wanted, align).unwrap());
                }
            }
        }
    }

    #[test]
    fn a_slot_taken_at_once_is_large_and_aligned_enough() {
        for align in (0..=13).map(|shift| 1usize << shift) {
            for bytes in 1..size_class::TABLE_BYTES_MAX {
                let whole = bytes | (align - 1);
                if whole < size_class::TABLE_BYTES_MAX {
                    let slot_bytes = size_class::slot_bytes_of(size_class::of_small_and_one_more(whole));
                    assert!(slot_bytes > bytes && slot_bytes.is_multiple_of(align), "{bytes} at {align}: {slot_bytes}");
                }
            }
        }
    }

    #[test]
    fn memory_asked_for_as_zero_is_zero_where_other_contents_were() {
        for bytes in [8, 100, 5000, 300_000] {
            let (object, layout) = filled(bytes, 8);
            // SAFETY: allocated with this layout, and the second object is as large.
            unsafe {
                Gleaner.dealloc(object, layout);
                let object = Gleaner.alloc_zeroed(layout);
                assert!((0..bytes).all(|index| object.add(index).read() == 0), "{layout:?}");
                Gleaner.dealloc(object, layout);
            }
        }
    }

    #[test]
    fn what_cannot_be_had_is_null() {
        let layout = Layout::from_size_align(isize::MAX as usize, 1).unwrap();
        // SAFETY: not empty.
        assert!(unsafe { Gleaner.alloc(layout) }.is_null());
    }

    #[test]
    fn growing_beyond_what_can_be_had_leaves_the_object_whole() {
        for align in [8, 64] {
            let (object, layout) = filled(1000, align);
            // SAFETY: allocated with this layout; a size below the limit of layouts.
            unsafe {
                assert!(Gleaner.realloc(object, layout, isize::MAX as usize - align).is_null());
                assert!(holds(object, 1000));
                Gleaner.dealloc(object, layout);
            }
        }
    }
}
