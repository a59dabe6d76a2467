//! Objects with a descriptor of their own.
//!
//! One that says which words is a layout of the engine's, which any marker reads; it lies at the end of the slot, as the
//! descriptor does in bdwgc. Other descriptors lie there too, in objects of a kind that a procedure traces, and so does
//! what says that an object is an array. As those words follow the program's bytes, one past the end of these lies inside.
//!
//! In `gc.h` they have two kinds, which get their numbers when the first descriptor is made.

use crate::{
    alloc,
    control::settle,
    descriptor::{self, BITMAP, BITMAP_WORDS, LENGTH},
    edge, kinds,
};
use core::{
    ffi::c_void,
    sync::atomic::{AtomicBool, AtomicU8, Ordering},
};
use gleaner::{
    base::addr::Addr,
    collect::{
        allocate::{self, Resized},
        trace::{self, Tracer, layout},
    },
    heap::{
        Request,
        kind::{Design, Kind, Words},
        resolve::{self, Slot},
    },
};

const WORD: usize = size_of::<usize>();

/// # Safety
/// `bitmap` has as many bits as it is said to have.
#[unsafe(no_mangle)]
unsafe extern "C" fn GC_make_descriptor(bitmap: *const usize, bits: usize) -> usize {
    settle();
    number();
    // SAFETY: by the caller's promise.
    let is_set = |bit: usize| unsafe { *bitmap.add(bit / 64) >> (bit % 64) & 1 == 1 };
    let Some(last) = (0..bits).rev().find(|&bit| is_set(bit)) else { return LENGTH };
    let words = last + 1;
    if (0..words).all(is_set) {
        return (words * WORD) | LENGTH;
    }
    if words <= BITMAP_WORDS {
        // SAFETY: by the caller's promise; bits beyond the last are not asked for.
        let map = unsafe { *bitmap } & (usize::MAX >> (64 - words));
        return map.reverse_bits() | BITMAP;
    }
    // SAFETY: by the caller's promise; elements are of the same size.
    let map = unsafe { core::slice::from_raw_parts(bitmap.cast::<u64>(), words.div_ceil(64)) };
    // Without memory for the map all words may be pointers.
    layout::long(map, words).map_or((words * WORD) | LENGTH, descriptor::of_layout)
}

/// For the edge: an object with a descriptor, zero where the program writes; null: there is no memory.
#[unsafe(no_mangle)]
extern "C" fn gleaner_bdw_take_typed(bytes: usize, described: usize) -> *mut c_void {
    settle();
    number();
    let object = match descriptor::to_layout(described) {
        Some(layout) => allocate::allocate_typed(bytes, layout).ok(),
        None => with_tail(bytes, &DESCRIBED, [described]),
    };
    object.map_or(core::ptr::null_mut(), Addr::as_ptr)
}

/// As `gleaner_bdw_take_typed`, for `count` elements of `bytes`. One descriptor may say it all.
#[unsafe(no_mangle)]
extern "C" fn gleaner_bdw_take_array(count: usize, bytes: usize, described: usize) -> *mut c_void {
    let Some(whole) = count.checked_mul(bytes) else { return core::ptr::null_mut() };
    let has_whole_elements = descriptor::tag(described) == LENGTH && described >= bytes;
    match described {
        _ if has_whole_elements => gleaner_bdw_take_typed(whole, whole & !(WORD - 1) | LENGTH),
        _ if count == 1 || described == LENGTH => gleaner_bdw_take_typed(whole, described),
        _ => {
            settle();
            number();
            with_tail(whole, &ARRAY, [count, bytes, described]).map_or(core::ptr::null_mut(), Addr::as_ptr)
        }
    }
}

/// A kind of objects that end with words of ours; its number, zero until it is made.
struct Tailed {
    kind: AtomicU8,
    trace: trace::Procedure,
}

static DESCRIBED: Tailed = Tailed { kind: AtomicU8::new(0), trace: trace_described };
static ARRAY: Tailed = Tailed { kind: AtomicU8::new(0), trace: trace_array };

impl Tailed {
    fn kind(&self) -> Option<Kind> {
        // Relaxed, both: the number is all there is.
        let number = self.kind.load(Ordering::Relaxed);
        if number != 0 {
            return Some(Kind::from_number(number));
        }
        let words = Words::Traced(self.trace as *const () as usize);
        let kind = allocate::make_kind(Design { words, is_zeroed: true, is_collected: true })?;
        // Of two that are made at once one is never used.
        match self.kind.compare_exchange(0, kind.number(), Ordering::Relaxed, Ordering::Relaxed) {
            Ok(_) => Some(kind),
            Err(number) => Some(Kind::from_number(number)),
        }
    }
}

/// Whether both have their numbers. Relaxed: whoever asks for a kind's number has made an object of it.
static HAVE_NUMBERS: AtomicBool = AtomicBool::new(false);

/// Gives both kinds their numbers, once.
fn number() {
    if !HAVE_NUMBERS.load(Ordering::Relaxed) && !HAVE_NUMBERS.swap(true, Ordering::Relaxed) {
        [&DESCRIBED, &ARRAY].into_iter().filter_map(Tailed::kind).for_each(kinds::number);
    }
}

/// The kind that stands for `kind` in `gc.h`: objects with a layout of the engine's count as those with any descriptor.
pub fn ordinary(kind: Kind) -> Kind {
    if kind == Kind::TYPED { DESCRIBED.kind().unwrap_or(kind) } else { kind }
}

fn with_tail<const N: usize>(bytes: usize, tailed: &Tailed, tail: [usize; N]) -> Option<Addr> {
    let kind = tailed.kind()?;
    let object = allocate::allocate(&Request::new(bytes.checked_add(N * WORD)?, kind)).ok()?;
    let place = tail_of::<N>(object)?;
    // SAFETY: the last words of a new object, which was made that much larger.
    unsafe { place.write_volatile(tail) };
    Some(object)
}

/// Where the last words of an object are.
fn tail_of<const N: usize>(object: Addr) -> Option<*mut [usize; N]> {
    let slot = resolve::object_at(object)?;
    Some((slot.start() + (slot.bytes() - N * WORD)).as_ptr())
}

unsafe extern "C" fn trace_described(object: *mut c_void, _usable: usize, tracer: *mut Tracer<'_>) {
    let object = Addr::of(object);
    let Some(tail) = tail_of::<1>(object) else { return };
    // SAFETY: the last word of an object of this kind: zero, or what the program has it described by.
    unsafe {
        let [described] = tail.read_volatile();
        descriptor::push(object, Addr::of(tail) - object, described, tracer);
    }
}

unsafe extern "C" fn trace_array(object: *mut c_void, _usable: usize, tracer: *mut Tracer<'_>) {
    let object = Addr::of(object);
    let Some(tail) = tail_of::<3>(object) else { return };
    let room = Addr::of(tail) - object;
    // SAFETY: the last words of an object of this kind: zero, or of elements of which the last may have been cut.
    unsafe {
        let [count, bytes, described] = tail.read_volatile();
        for start in (0..room).step_by(bytes.max(1)).take(count) {
            descriptor::push(object + start, bytes.min(room - start), described, tracer);
        }
    }
}

/// Changes the size of an object with a tail, which says of what remains what it said before: in an array of more elements
/// or fewer, of each. bdwgc's loses it. `None`: it is of another kind.
pub fn resize(slot: &Slot, bytes: usize) -> Option<Resized> {
    let kind = slot.class().kind().number();
    // Relaxed: as in `Tailed::kind`.
    if kind == DESCRIBED.kind.load(Ordering::Relaxed) {
        Some(resize_to(slot, bytes, &DESCRIBED, |tail: [usize; 1]| tail))
    } else if kind == ARRAY.kind.load(Ordering::Relaxed) {
        Some(resize_to(slot, bytes, &ARRAY, |[count, element_bytes, described]| {
            // A procedure may look at no part of an element.
            let is_whole_only = descriptor::tag(described) == descriptor::PROC;
            let elements = match element_bytes {
                0 => count,
                _ if is_whole_only => bytes / element_bytes,
                _ => bytes.div_ceil(element_bytes),
            };
            [elements, element_bytes, described]
        }))
    } else {
        None
    }
}

fn resize_to<const N: usize>(
    slot: &Slot,
    bytes: usize,
    tailed: &Tailed,
    change: impl FnOnce([usize; N]) -> [usize; N],
) -> Resized {
    let Some(place) = tail_of::<N>(slot.start()) else { return Resized::NoMemory };
    // SAFETY: the last words of an object of this kind.
    let tail = change(unsafe { place.read_volatile() });
    let room = Addr::of(place) - slot.start();
    if bytes <= room && bytes >= room / 2 {
        // SAFETY: as above; what lies between is the object's, and no longer used.
        unsafe {
            place.write_volatile(tail);
            core::ptr::write_bytes((slot.start() + bytes).as_ptr::<u8>(), 0, room - bytes);
        }
        return Resized::At(slot.start());
    }
    let Some(moved) = with_tail(bytes, tailed, tail) else { return Resized::NoMemory };
    // SAFETY: both objects are in use, apart, and hold as many bytes; the old one is the caller's to give up.
    unsafe {
        core::ptr::copy_nonoverlapping(slot.start().as_ptr::<u8>(), moved.as_ptr::<u8>(), room.min(bytes));
        alloc::GC_free(slot.start().as_ptr());
    }
    Resized::At(moved)
}

edge::functions! {
    fn GC_malloc_explicitly_typed() = gleaner_bdw_malloc_typed;
    fn GC_malloc_explicitly_typed_ignore_off_page() = gleaner_bdw_malloc_typed_off_page;
    fn GC_calloc_explicitly_typed() = gleaner_bdw_calloc_typed;
}
