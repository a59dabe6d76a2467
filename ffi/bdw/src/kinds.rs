//! Kinds, and chains of free objects that clients keep themselves.
//!
//! Each kind of `gc.h` is a kind of the engine. One whose descriptor says that all words may be pointers, or none, costs
//! what those from the start cost; the others are traced by a procedure, which reads the descriptor of the kind.

use crate::{
    alloc,
    control::settle,
    descriptor::{self, LENGTH},
    edge, off_page, typed,
};
use core::{
    ffi::{c_int, c_uint, c_void},
    sync::atomic::{AtomicU8, AtomicU32, AtomicUsize, Ordering},
};
use gleaner::{
    base::addr::Addr,
    collect::{
        allocate,
        trace::{self, Tracer},
    },
    heap::{
        Request, fast,
        kind::{Design, Kind, Words},
        mutator, pressure, resolve,
        size_class::{self, GRANULE},
    },
};

/// `MAXOBJKINDS`.
pub const KINDS_MAX: usize = 16;
const FIXED: [Kind; 4] = [Kind::POINTER_FREE, Kind::SCANNED, Kind::UNCOLLECTABLE, Kind::POINTER_FREE_UNCOLLECTABLE];

/// The engine's kinds, by the numbers of `gc.h`. Relaxed: who has a number has it from who made the kind.
static KINDS: [AtomicU8; KINDS_MAX] = {
    let mut kinds = [const { AtomicU8::new(0) }; KINDS_MAX];
    let mut number = 0;
    while number < FIXED.len() {
        kinds[number] = AtomicU8::new(FIXED[number].number());
        number += 1;
    }
    kinds
};
static COUNT: AtomicU32 = AtomicU32::new(FIXED.len() as u32);

/// What a kind that is traced by its descriptor is described by, and whether the size of the object is added to that.
struct Template {
    descriptor: AtomicUsize,
    is_adjusted: AtomicUsize,
}

static TEMPLATES: [Template; KINDS_MAX] =
    [const { Template { descriptor: AtomicUsize::new(0), is_adjusted: AtomicUsize::new(0) } }; KINDS_MAX];

/// The engine's kind with a number of `gc.h`.
#[inline(always)]
pub fn of_number(number: c_int) -> Kind {
    Kind::from_number(KINDS[number as usize & (KINDS_MAX - 1)].load(Ordering::Relaxed))
}

/// The number of `gc.h` of a kind. `None`: it is none of those.
pub fn number_of(kind: Kind) -> Option<usize> {
    let kind = typed::ordinary(off_page::ordinary(kind));
    (0..COUNT.load(Ordering::Relaxed) as usize).find(|&number| of_number(number as c_int) == kind)
}

/// Traces an object of kind `NUMBER` by the kind's descriptor.
unsafe extern "C" fn trace_by<const NUMBER: usize>(object: *mut c_void, usable: usize, tracer: *mut Tracer<'_>) {
    let template = &TEMPLATES[NUMBER];
    let mut described = template.descriptor.load(Ordering::Relaxed);
    // What may be used ends a byte before a large object does.
    let bytes = usable.next_multiple_of(GRANULE);
    if template.is_adjusted.load(Ordering::Relaxed) != 0 {
        described = described.wrapping_add(bytes);
    }
    // SAFETY: the tracer of this call, and an object that the program has made of the kind.
    unsafe { descriptor::push(Addr::of(object), bytes, described, tracer) };
}

const TRACES: [trace::Procedure; KINDS_MAX] = [
    trace_by::<0>,
    trace_by::<1>,
    trace_by::<2>,
    trace_by::<3>,
    trace_by::<4>,
    trace_by::<5>,
    trace_by::<6>,
    trace_by::<7>,
    trace_by::<8>,
    trace_by::<9>,
    trace_by::<10>,
    trace_by::<11>,
    trace_by::<12>,
    trace_by::<13>,
    trace_by::<14>,
    trace_by::<15>,
];

/// The next number in `gc.h`.
fn next_number() -> usize {
    let number = COUNT.fetch_add(1, Ordering::Relaxed) as usize;
    if number >= KINDS_MAX {
        gleaner::fatal!("GC_new_kind: there are {KINDS_MAX} kinds already: Too many kinds");
    }
    number
}

/// Gives a kind of ours a number in `gc.h`.
pub fn number(kind: Kind) {
    KINDS[next_number()].store(kind.number(), Ordering::Relaxed);
}

/// Makes a kind, and gives its number in `gc.h`.
pub fn make(template: usize, is_adjusted: bool, is_zeroed: bool) -> c_int {
    let number = next_number();
    TEMPLATES[number].descriptor.store(template, Ordering::Relaxed);
    TEMPLATES[number].is_adjusted.store(usize::from(is_adjusted), Ordering::Relaxed);
    let is_whole = is_adjusted && descriptor::tag(template) == LENGTH && template.wrapping_neg() <= size_of::<usize>();
    let words = if is_whole {
        Words::Any
    } else if template == 0 {
        Words::None
    } else {
        Words::Traced(TRACES[number] as *const () as usize)
    };
    let Some(kind) = allocate::make_kind(Design { words, is_zeroed, is_collected: true }) else {
        gleaner::fatal!("GC_new_kind: the heap has as many kinds as it can have: Too many kinds");
    };
    KINDS[number].store(kind.number(), Ordering::Relaxed);
    number as c_int
}

// Chains are made where they are asked for: the list stays empty.
#[unsafe(no_mangle)]
extern "C" fn GC_new_kind(_list: *mut *mut c_void, template: usize, is_adjusted: c_int, is_zeroed: c_int) -> c_uint {
    settle();
    make(template, is_adjusted != 0, is_zeroed != 0) as c_uint
}

#[unsafe(no_mangle)]
extern "C" fn GC_new_kind_inner(
    list: *mut *mut c_void,
    template: usize,
    is_adjusted: c_int,
    is_zeroed: c_int,
) -> c_uint {
    GC_new_kind(list, template, is_adjusted, is_zeroed)
}

/// Entries of an array of free lists.
const LISTS: usize = 129;

#[unsafe(no_mangle)]
extern "C" fn GC_new_free_list() -> *mut c_void {
    settle();
    let bytes = LISTS * size_of::<usize>();
    match allocate::allocate(&Request::new(bytes, Kind::POINTER_FREE_UNCOLLECTABLE)) {
        Ok(list) => {
            // SAFETY: a new object of so many bytes.
            unsafe { core::ptr::write_bytes(list.as_ptr::<u8>(), 0, bytes) };
            list.as_ptr()
        }
        Err(_) => gleaner::fatal!("GC_new_free_list: no memory for an array of lists"),
    }
}

#[unsafe(no_mangle)]
extern "C" fn GC_new_free_list_inner() -> *mut c_void {
    GC_new_free_list()
}

/// An object of a kind that was made, or of the first four.
#[inline(always)]
pub fn pop_or_leave(bytes: usize, kind: Kind) -> *mut c_void {
    if bytes < size_class::TABLE_BYTES_MAX
        && let Some(with_extra) = alloc::with_extra_byte(bytes, kind)
    {
        let slot = fast::pop(with_extra, kind);
        if !slot.is_null() {
            return slot.cast();
        }
    }
    // SAFETY: any size may be asked for.
    unsafe { edge::gleaner_bdw_allocate(bytes, 1, c_uint::from(kind.number())) }
}

macro_rules! of_kind {
    ($($name:ident)*) => {$(
        #[unsafe(no_mangle)]
        extern "C" fn $name(bytes: usize, kind: c_int) -> *mut c_void {
            pop_or_leave(bytes, of_number(kind))
        }
    )*};
}

of_kind! {
    GC_malloc_kind GC_malloc_kind_global GC_generic_malloc GC_generic_malloc_uncollectable GC_generic_or_special_malloc
}

#[unsafe(no_mangle)]
extern "C" fn GC_generic_malloc_ignore_off_page(bytes: usize, kind: c_int) -> *mut c_void {
    pop_or_leave(bytes, off_page::kind_for(bytes, of_number(kind)))
}

/// What a chain takes at once.
const CHAIN_BYTES: usize = 4096;

/// For the edge: stores a chain of objects of exactly `bytes`, which is a multiple of 16. 0: there is no memory.
///
/// # Safety
/// `result` can be written to.
#[unsafe(no_mangle)]
unsafe extern "C" fn gleaner_bdw_take_chain(bytes: usize, kind: c_int, result: *mut usize) -> c_int {
    settle();
    let request = Request::new(bytes, of_number(kind));
    // SAFETY: by the caller's promise.
    let taken = unsafe { allocate::allocate_chain(&request, CHAIN_BYTES / bytes.max(1), result) };
    c_int::from(taken.is_ok())
}

/// For the edge: the bytes of an object for `bytes` of the scanned kind, in a chain.
#[unsafe(no_mangle)]
extern "C" fn gleaner_bdw_chained_bytes(bytes: usize) -> usize {
    alloc::with_extra_byte(bytes, Kind::SCANNED)
        .map_or(usize::MAX, |bytes| bytes.div_ceil(GRANULE).saturating_mul(GRANULE))
}

edge::functions! {
    fn GC_generic_malloc_many() = gleaner_bdw_generic_malloc_many;
    fn GC_malloc_many() = gleaner_bdw_malloc_many;
}

// Objects are not described in words.
#[unsafe(no_mangle)]
extern "C" fn GC_register_describe_type_fn(_kind: c_int, _describe: *mut c_void) {}

// There are no lists but the program's.
#[unsafe(no_mangle)]
extern "C" fn GC_print_free_list(_kind: c_int, _granules: usize) {}

#[unsafe(no_mangle)]
extern "C" fn GC_incr_bytes_allocd(bytes: usize) {
    if let Some(mutator) = mutator::register() {
        pressure::note_allocated(mutator, bytes);
    }
}

#[unsafe(no_mangle)]
extern "C" fn GC_incr_bytes_freed(bytes: usize) {
    if let Some(mutator) = mutator::register() {
        pressure::note_freed(mutator, bytes);
    }
}

/// # Safety
/// `bytes` is null or can be written to.
#[unsafe(no_mangle)]
unsafe extern "C" fn GC_get_kind_and_size(p: *const c_void, bytes: *mut usize) -> c_int {
    let slot = resolve::object_at(Addr::of(p));
    if !bytes.is_null() {
        // SAFETY: by the caller's promise.
        unsafe { bytes.write(slot.map_or(0, |slot| slot.bytes())) };
    }
    slot.and_then(|slot| number_of(slot.class().kind())).unwrap_or(0) as c_int
}
