//! Standing aside: a program that has a `malloc` of its own before ours, as browsers have, or under AddressSanitizer.
//!
//! Its objects are not on our heap, so there is nothing to collect, and what it frees is not for us to judge. Then this
//! library is as good as not there: nothing is started, no signal is claimed, no call is a region, and those of the malloc
//! family that the program does not define itself go to the C library, or where the program's own `malloc` is needed, there.
//!
//! Who comes before us is found out by what the name `malloc` is resolved to for the program. That may be an interposer
//! that looks on and calls us: so it is asked for an object, and whose that is decides.
//!
//! Holds:   a library that is dormant has not started its engine, and never does.
//! Threads: decided at the first slow path or by the constructor, for ever. A thread that comes meanwhile waits, but the
//!          one that decides: for it we are awake.

use crate::elsewhere::glibc;
use core::ffi::{c_char, c_int, c_void};
use gleaner::{
    base::{
        addr::Addr,
        sync::{AtomicU32, AtomicUsize, Ordering},
    },
    collect::settings,
    heap::cage,
    os::{dl, log, statics, thread},
};
use gleaner_abi::{
    engine::{self, Family},
    start,
};

/// What is decided, or the id of the thread that is at it.
static STATE: AtomicU32 = AtomicU32::new(UNDECIDED);
const UNDECIDED: u32 = 0;
const AWAKE: u32 = u32::MAX;
const DORMANT: u32 = u32::MAX - 1;

/// Whether the program has another `malloc`.
pub fn is_dormant() -> bool {
    loop {
        // Acquire: pairs with the Release of `decide`: whoever finds us dormant finds the functions.
        match STATE.load(Ordering::Acquire) {
            AWAKE => return false,
            DORMANT => return true,
            UNDECIDED => decide(),
            at_it if at_it == thread::id() => return false,
            _ => thread::yield_now(),
        }
    }
}

#[cold]
fn decide() {
    let myself = thread::id();
    if STATE.compare_exchange(UNDECIDED, myself, Ordering::Acquire, Ordering::Relaxed).is_ok() {
        let state = if has_another_malloc() { DORMANT } else { AWAKE };
        STATE.store(state, Ordering::Release);
    }
}

macro_rules! theirs {
    ($($module:ident $name:literal $type:ty;)*) => {$(
        mod $module {
            use super::*;

            /// Relaxed throughout: the address of code, written before anybody is told that we are dormant.
            static FUNCTION: AtomicUsize = AtomicUsize::new(0);

            /// Looks the name up as the program does: whether it is another's.
            pub fn find() -> bool {
                let found = dl::any($name) as usize;
                let is_theirs = found != 0 && !is_ours(found);
                if is_theirs {
                    FUNCTION.store(found, Ordering::Relaxed);
                }
                is_theirs
            }

            /// The function, if it is another's.
            pub fn get() -> Option<$type> {
                let found = FUNCTION.load(Ordering::Relaxed);
                // SAFETY: a function of that name has this type, whoever defines it.
                (found != 0).then(|| unsafe { core::mem::transmute::<usize, $type>(found) })
            }
        }
    )*};
}

theirs! {
    their_malloc c"malloc" unsafe extern "C" fn(usize) -> *mut c_void;
    their_calloc c"calloc" unsafe extern "C" fn(usize, usize) -> *mut c_void;
    their_memalign c"memalign" unsafe extern "C" fn(usize, usize) -> *mut c_void;
    their_realloc c"realloc" unsafe extern "C" fn(*mut c_void, usize) -> *mut c_void;
    their_free c"free" unsafe extern "C" fn(*mut c_void);
    their_usable_size c"malloc_usable_size" unsafe extern "C" fn(*mut c_void) -> usize;
}

/// The object that another's `malloc` was asked for. It stays: a program may free nothing before it has run some of its own
/// code, as GNU Common Lisp, whose `free` looks into tables that `main` makes.
static ASKED_FOR: AtomicUsize = AtomicUsize::new(0);

/// Whether a function is of this library.
pub fn is_ours(address: usize) -> bool {
    let mut is_ours = false;
    statics::for_each_object(|object| {
        is_ours |= object.contains(Addr::of(&raw const STATE)) && object.contains(Addr::new(address));
    });
    is_ours
}

fn has_another_malloc() -> bool {
    const BYTES: usize = 24;
    // Another copy of this library is no stranger: see `elsewhere`.
    if !engine::is_named_here() || !their_malloc::find() {
        return false;
    }
    // Nor is the C library: then we were opened late, by somebody who wants us beside it.
    if their_malloc::get().is_some_and(|malloc| dl::is_c_librarys(malloc as *const c_void)) {
        return false;
    }
    their_free::find();
    let (Some(malloc), Some(free)) = (their_malloc::get(), their_free::get()) else { return false };
    // SAFETY: any size may be asked for.
    let p = unsafe { malloc(BYTES) };
    let is_theirs = !p.is_null() && !cage::contains(Addr::of(p));
    if is_theirs {
        // Relaxed: nobody reads it but who looks for leaks.
        ASKED_FOR.store(p.addr(), Ordering::Relaxed);
        // The compiler would leave out what is never read.
        core::hint::black_box(&ASKED_FOR);
        for find in [their_calloc::find, their_memalign::find, their_realloc::find, their_usable_size::find] {
            find();
        }
    } else {
        // SAFETY: given back as it was asked for.
        unsafe { free(p) };
    }
    is_theirs
}

/// Says when verbose that nothing is going to be done.
///
/// # Safety
/// `environment` is the array that the loader passes to constructors.
pub unsafe fn say(environment: *const *const c_char) {
    // SAFETY: by the caller's promise; the engine is never used.
    unsafe { start::read_options(environment) };
    if settings::verbose() {
        log::print(format_args!("gleaner: dormant: the program has a malloc of its own; nothing is collected"));
    }
}

/// The program's family, and the C library's for what it does not define.
pub static FAMILY: Family = Family {
    malloc,
    calloc,
    realloc,
    free,
    malloc_usable_size,
    mallinfo2: glibc::mallinfo2,
    malloc_stats: glibc::malloc_stats,
    malloc_info: glibc::malloc_info,
};

unsafe extern "C" fn malloc(bytes: usize, align: usize) -> *mut c_void {
    // SAFETY: any size and power of two may be asked for.
    unsafe {
        match () {
            () if align > 16 => match their_memalign::get() {
                Some(memalign) => memalign(align, bytes),
                None => glibc::malloc(bytes, align),
            },
            () => match their_malloc::get() {
                Some(malloc) => malloc(bytes),
                None => glibc::malloc(bytes, align),
            },
        }
    }
}

unsafe extern "C" fn calloc(bytes: usize) -> *mut c_void {
    match their_calloc::get() {
        // SAFETY: any size may be asked for.
        Some(calloc) => unsafe { calloc(1, bytes) },
        None => glibc::calloc(bytes),
    }
}

unsafe extern "C" fn realloc(p: *mut c_void, bytes: usize) -> *mut c_void {
    // SAFETY: by the caller's promise the object may move.
    unsafe {
        match their_realloc::get() {
            Some(realloc) => realloc(p, bytes),
            None => glibc::realloc(p, bytes),
        }
    }
}

unsafe extern "C" fn free(p: *mut c_void) {
    // SAFETY: by the caller's promise the object is given up.
    unsafe {
        match their_free::get() {
            Some(free) => free(p),
            None => glibc::free(p),
        }
    }
}

unsafe extern "C" fn malloc_usable_size(p: *mut c_void) -> usize {
    match their_usable_size::get() {
        // SAFETY: by the caller's promise.
        Some(usable_size) => unsafe { usable_size(p) },
        None => glibc::malloc_usable_size(p),
    }
}

/// The C library's `malloc_trim`, or `mallopt`, of two words at most.
pub fn call_next(name: &core::ffi::CStr, first: usize, second: usize) -> c_int {
    let next = dl::next(name);
    if next.is_null() {
        return 0;
    }
    // SAFETY: both take one or two words, and give an int.
    unsafe { core::mem::transmute::<*mut c_void, extern "C" fn(usize, usize) -> c_int>(next)(first, second) }
}
