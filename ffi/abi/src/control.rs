//! Collections, threads, roots and pins, options.

use crate::{
    engine::{forward, gleaner_slow_blocking, gleaner_slow_collect},
    exports::errno,
};
use core::ffi::{CStr, c_char, c_int, c_ulong, c_void};
use gleaner::{
    api::options::{self, Rejected},
    base::{
        addr::{Addr, Range},
        sync::Ordering,
    },
    collect::{
        self,
        allocate::{self, Refused},
        stats::COUNTERS,
        world,
    },
    heap::{self, fiber, gate, mutator, surplus},
    os::stack,
};

/// See `gleaner.h`.
#[unsafe(no_mangle)]
pub extern "C" fn gc_init() {
    forward!(gc_init());
    // A failure shows at the first allocation, which can say so.
    let _ = heap::ensure_reserved() && mutator::register().is_some();
}

/// See `gleaner.h`.
#[unsafe(no_mangle)]
#[unsafe(naked)]
pub extern "C" fn gc_collect() {
    core::arch::naked_asm!("jmp {edge}", edge = sym gleaner_slow_collect)
}

/// See `gleaner.h`.
#[unsafe(no_mangle)]
pub extern "C" fn gc_release() -> usize {
    forward!(gc_release());
    mutator::register().and_then(gate::enter).map_or(0, |inside| surplus::release_all(&inside))
}

/// See `gleaner.h`.
#[unsafe(no_mangle)]
pub extern "C" fn gc_enable() {
    forward!(gc_enable());
    collect::enable();
}

/// See `gleaner.h`.
#[unsafe(no_mangle)]
pub extern "C" fn gc_disable() {
    forward!(gc_disable());
    collect::disable();
}

/// See `gleaner.h`.
#[unsafe(no_mangle)]
pub extern "C" fn gc_collections() -> c_ulong {
    forward!(gc_collections());
    COUNTERS.collections.load(Ordering::Relaxed)
}

fn error_of(refused: Refused) -> c_int {
    match refused {
        Refused::NotAnObject => errno::EINVAL,
        Refused::NoMemory => errno::ENOMEM,
    }
}

pub(crate) fn status(result: Result<(), Refused>) -> c_int {
    result.map_or_else(error_of, |()| 0)
}

/// See `gleaner.h`.
#[unsafe(no_mangle)]
pub extern "C" fn gc_root_add(begin: *const c_void, end: *const c_void) -> c_int {
    forward!(gc_root_add(begin, end));
    let range = Range::new(Addr::of(begin), Addr::of(end));
    if range.is_empty() || range.start.is_null() {
        return errno::EINVAL;
    }
    allocate::with_tables(|tables| tables.ranges.push(range).is_ok())
        .filter(|&added| added)
        .map_or(errno::ENOMEM, |_| 0)
}

/// See `gleaner.h`.
#[unsafe(no_mangle)]
pub extern "C" fn gc_root_remove(begin: *const c_void, end: *const c_void) -> c_int {
    forward!(gc_root_remove(begin, end));
    let range = Range::new(Addr::of(begin), Addr::of(end));
    let removed = allocate::with_tables(|tables| {
        let index = tables.ranges.as_slice().iter().position(|&added| added == range)?;
        Some(tables.ranges.swap_remove(index))
    });
    if removed.flatten().is_some() { 0 } else { errno::EINVAL }
}

/// See `gleaner.h`.
#[unsafe(no_mangle)]
pub extern "C" fn gc_pin(p: *mut c_void) -> c_int {
    forward!(gc_pin(p));
    let object = Addr::of(p);
    status(allocate::attach(object, |tables| {
        let count = tables.pins.get(object).unwrap_or(0);
        tables.pins.insert(object, count + 1)?;
        Ok(())
    }))
}

/// See `gleaner.h`.
#[unsafe(no_mangle)]
pub extern "C" fn gc_unpin(p: *mut c_void) -> c_int {
    forward!(gc_unpin(p));
    let object = Addr::of(p);
    let was_pinned = allocate::with_tables(|tables| match tables.pins.get(object)? {
        1 => tables.pins.remove(object),
        count => tables.pins.get_mut(object).map(|pins| core::mem::replace(pins, count - 1)),
    });
    if was_pinned.flatten().is_some() { 0 } else { errno::EINVAL }
}

/// See `gleaner.h`.
#[unsafe(no_mangle)]
pub extern "C" fn gc_thread_register() -> c_int {
    forward!(gc_thread_register());
    if heap::ensure_reserved() && mutator::register().is_some() { 0 } else { errno::ENOMEM }
}

/// See `gleaner.h`.
#[unsafe(no_mangle)]
pub extern "C" fn gc_thread_unregister() -> c_int {
    forward!(gc_thread_unregister());
    if let Some(mutator) = mutator::current() {
        // If the thread has left a fiber without a switch, now that is known.
        fiber::settle(mutator, stack::pointer());
        if mutator.fibers.guest().is_some() {
            return errno::EBUSY;
        }
    }
    if world::unregister() { 0 } else { errno::EINVAL }
}

/// See `gleaner.h`.
#[unsafe(no_mangle)]
#[unsafe(naked)]
pub extern "C" fn gc_blocking(
    work: Option<unsafe extern "C" fn(*mut c_void) -> *mut c_void>,
    data: *mut c_void,
) -> *mut c_void {
    core::arch::naked_asm!("jmp {edge}", edge = sym gleaner_slow_blocking)
}

/// See `gleaner.h`.
///
/// # Safety
/// Both are strings.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gc_option_set(name: *const c_char, value: *const c_char) -> c_int {
    forward!(gc_option_set(name, value));
    if name.is_null() || value.is_null() {
        return errno::EINVAL;
    }
    // SAFETY: by the caller's promise.
    let (name, value) = unsafe { (CStr::from_ptr(name).to_str(), CStr::from_ptr(value).to_str()) };
    let (Ok(name), Ok(value)) = (name, value) else { return errno::EINVAL };
    match options::set(name, value) {
        Ok(()) => 0,
        Err(Rejected::TooLate) => errno::EBUSY,
        Err(_) => errno::EINVAL,
    }
}

/// See `gleaner.h`.
#[unsafe(no_mangle)]
pub extern "C" fn gc_heap_limit_set(bytes: usize) {
    forward!(gc_heap_limit_set(bytes));
    options::set_limit(bytes);
}
