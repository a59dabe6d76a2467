//! Finalizers, weak cells, ephemerons and weak objects.

use crate::{
    control::status,
    engine::{forward, gleaner_slow_allocate_ephemeron, gleaner_slow_allocate_weak, gleaner_slow_finalizers_run},
    exports::{Ephemeron, Pair, Weak, errno, refuse},
};
use core::ffi::{c_int, c_uint, c_void};
use gleaner::{
    base::addr::Addr,
    collect::{
        allocate::{self, Refused},
        finalize::{Finalizer, Order, Runner},
        weak::WeakKind,
        weak_object::WeakObject,
    },
    heap::kind::Kind,
    os::memcheck,
};

/// See `gleaner.h`.
#[unsafe(no_mangle)]
pub extern "C" fn gc_finalizer_set(
    object: *mut c_void,
    finalizer: Option<unsafe extern "C" fn(*mut c_void, *mut c_void)>,
    data: *mut c_void,
    order: c_uint,
) -> c_int {
    forward!(gc_finalizer_set(object, finalizer, data, order));
    let order = match order {
        0 => Order::Ordered,
        1 => Order::Unordered,
        2 => Order::Unreachable,
        _ => return errno::EINVAL,
    };
    let Some(procedure) = finalizer else { return errno::EINVAL };
    let finalizer = Finalizer { procedure: procedure as usize, data: data as usize, order, runner: Runner::Header };
    status(allocate::set_finalizer(Addr::of(object), finalizer))
}

/// See `gleaner.h`.
#[unsafe(no_mangle)]
pub extern "C" fn gc_finalizer_clear(object: *mut c_void) -> c_int {
    forward!(gc_finalizer_clear(object));
    let cleared = allocate::with_tables(|tables| tables.finalizers.clear(Addr::of(object)));
    if cleared == Some(true) { 0 } else { errno::EINVAL }
}

/// See `gleaner.h`.
#[unsafe(no_mangle)]
#[unsafe(naked)]
pub extern "C" fn gc_finalizers_run() -> usize {
    core::arch::naked_asm!("jmp {edge}", edge = sym gleaner_slow_finalizers_run)
}

/// See `gleaner.h`.
#[unsafe(no_mangle)]
pub extern "C" fn gc_weak_register(object: *mut c_void, kind: c_uint) -> *mut Weak {
    forward!(gc_weak_register(object, kind));
    let kind = match kind {
        0 => WeakKind::Short,
        1 => WeakKind::Long,
        _ => return refuse(errno::EINVAL),
    };
    let object = Addr::of(object);
    match allocate::attach(object, |tables| Ok(tables.weak.register(object, kind)?)) {
        Ok(cell) => core::ptr::from_ref(cell).cast_mut(),
        Err(Refused::NotAnObject) => refuse(errno::EINVAL),
        Err(Refused::NoMemory) => refuse(errno::ENOMEM),
    }
}

/// See `gleaner.h`.
#[unsafe(no_mangle)]
pub extern "C" fn gc_weak_unregister(weak: *mut Weak) {
    forward!(gc_weak_unregister(weak));
    if weak.is_null() {
        return;
    }
    if allocate::with_tables(|tables| tables.weak.unregister(weak as usize)) == Some(false) {
        gleaner::fatal!(
            "gc_weak_unregister: not a weak cell in use: {:#x}; pass what gc_weak_register returned, once",
            weak as usize
        );
    }
}

/// See `gleaner.h`.
///
/// # Safety
/// `weak` is a cell in use.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gc_weak_get(weak: *const Weak) -> *mut c_void {
    // SAFETY: by the caller's promise.
    unsafe { (*weak).get() as *mut c_void }
}

/// See `gleaner.h`.
#[unsafe(no_mangle)]
pub extern "C" fn gc_ephemeron_new(key: *mut c_void, value: *mut c_void) -> *mut Ephemeron {
    // SAFETY: any two words may be passed.
    unsafe { gleaner_slow_allocate_ephemeron(key, value) }
}

/// See `gleaner.h`.
///
/// # Safety
/// `e` is an ephemeron.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gc_ephemeron_key(e: *const Ephemeron) -> *mut c_void {
    // SAFETY: by the caller's promise.
    unsafe { e.cast::<*mut c_void>().read_volatile() }
}

/// See `gleaner.h`.
///
/// # Safety
/// `e` is an ephemeron.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gc_ephemeron_value(e: *const Ephemeron) -> *mut c_void {
    // SAFETY: by the caller's promise.
    unsafe { e.cast::<*mut c_void>().add(1).read_volatile() }
}

/// An object of a weak kind for another copy of the library, or this one.
pub(crate) extern "C" fn allocate_weak(bytes: usize, kind: c_uint) -> *mut c_void {
    // SAFETY: any size may be asked for.
    unsafe { gleaner_slow_allocate_weak(bytes, kind) }
}

/// See `gleaner.h`.
#[unsafe(no_mangle)]
pub extern "C" fn gc_malloc_weak(size: usize) -> *mut c_void {
    allocate_weak(size, c_uint::from(Kind::WEAK_WORDS.number()))
}

/// See `gleaner.h`.
#[unsafe(no_mangle)]
pub extern "C" fn gc_malloc_ephemerons(pairs: usize) -> *mut Pair {
    match pairs.checked_mul(size_of::<Pair>()) {
        Some(bytes) => allocate_weak(bytes, c_uint::from(Kind::EPHEMERONS.number())).cast(),
        None => refuse(errno::ENOMEM),
    }
}

/// See `gleaner.h`.
#[unsafe(no_mangle)]
pub extern "C" fn gc_weak_tombstone_set(weak: *mut c_void, tombstone: *mut c_void) -> c_int {
    forward!(gc_weak_tombstone_set(weak, tombstone));
    let _unchecked = memcheck::unchecked();
    let Some(weak) = WeakObject::at(Addr::of(weak)) else { return errno::EINVAL };
    weak.set_tombstone(tombstone as usize);
    0
}

/// See `gleaner.h`.
#[unsafe(no_mangle)]
pub extern "C" fn gc_weak_died(weak: *const c_void) -> usize {
    forward!(gc_weak_died(weak));
    let _unchecked = memcheck::unchecked();
    WeakObject::at(Addr::of(weak)).map_or(0, |weak| weak.died())
}
