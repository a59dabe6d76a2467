//! The malloc family when another copy of the library has the engine: see `gleaner_abi::engine`.
//!
//! ```text
//!   undecided --first slow path-->  the engine is here                                 no family: the edge
//!                                   it is elsewhere and serves malloc                  that one's family
//!                                   it is elsewhere and serves gleaner.h alone         glibc's, but for its objects
//!                                   the program has another malloc                     that one (`dormant`)
//! ```
//!
//! An engine that serves `gleaner.h` alone does not scan what `malloc` gave out for pointers to what it collects, and so
//! could not collect objects of `malloc` either. Then `malloc` is glibc's, as if this library were not there.

use crate::{
    dormant, family, foreign,
    report::{self, Mallinfo2},
};
use core::{
    ffi::{c_int, c_void},
    mem::{MaybeUninit, offset_of},
};
use gleaner::base::sync::{AtomicPtr, Ordering};
use gleaner_abi::{
    decide_and_go,
    engine::{self, Engine, Family, Place},
    slow_paths,
};

/// What this copy does for others when it has the engine.
pub static FAMILY: Family = Family {
    malloc: family::allocate,
    calloc: family::allocate_zeroed,
    realloc: family::realloc,
    free: family::free,
    malloc_usable_size: family::malloc_usable_size,
    mallinfo2: write_mallinfo2,
    malloc_stats: report::malloc_stats,
    malloc_info: report::malloc_info,
};

unsafe extern "C" fn write_mallinfo2(information: *mut c_void) {
    // SAFETY: the caller has room for the structure there.
    unsafe { information.cast::<Mallinfo2>().write(report::mallinfo2()) };
}

static UNDECIDED: Family = Family {
    malloc: undecided::malloc,
    calloc: undecided::calloc,
    realloc: undecided::realloc,
    free: undecided::free,
    malloc_usable_size: undecided::malloc_usable_size,
    mallinfo2: undecided::mallinfo2,
    malloc_stats: undecided::malloc_stats,
    malloc_info: undecided::malloc_info,
};

macro_rules! undecided {
    ($(fn $name:ident($($type:ty),*) $(-> $result:ty)?;)*) => {
        /// Each decides, and goes on where it was decided.
        mod undecided {
            use super::*;
            $(
                #[unsafe(naked)]
                pub extern "C" fn $name($(_: $type),*) $(-> $result)? {
                    decide_and_go!(super::decided, offset_of!(Family, $name))
                }
            )*
        }
    };
}

undecided! {
    fn malloc(usize, usize) -> *mut c_void;
    fn calloc(usize) -> *mut c_void;
    fn realloc(*mut c_void, usize) -> *mut c_void;
    fn free(*mut c_void);
    fn malloc_usable_size(*mut c_void) -> usize;
    fn mallinfo2(*mut c_void);
    fn malloc_stats();
    fn malloc_info(c_int, *mut c_void) -> c_int;
}

/// The family that calls go through: null when the engine is here.
static ELSEWHERE: AtomicPtr<Family> = AtomicPtr::new((&raw const UNDECIDED).cast_mut());

/// The family that calls go through, unless the engine is here. Undecided, it is one that decides first.
#[inline(always)]
pub fn elsewhere() -> Option<&'static Family> {
    // SAFETY: null, or a table of a library that is never unloaded. Acquire: pairs with the Release of `decided`.
    unsafe { ELSEWHERE.load(Ordering::Acquire).as_ref() }
}

/// Whether there is no engine here: another copy has it, or the program wants none. For the edge.
#[unsafe(no_mangle)]
pub extern "C" fn gleaner_is_elsewhere() -> c_int {
    c_int::from(dormant::is_dormant() || engine::place() == Place::Elsewhere)
}

/// Decides, and gives the family to call.
extern "C" fn decided() -> *const Family {
    let family = if dormant::is_dormant() {
        Some(&dormant::FAMILY)
    } else if engine::place() == Place::Elsewhere {
        engine::elsewhere().map(|engine| engine.family().unwrap_or(&GLIBC))
    } else {
        None
    };
    // Release: whoever calls through the family sees the decision about the engine. Two threads write the same.
    ELSEWHERE.store(
        family.map_or(core::ptr::null_mut(), |family| core::ptr::from_ref(family).cast_mut()),
        Ordering::Release,
    );
    family.unwrap_or(&FAMILY)
}

unsafe extern "C" {
    fn gleaner_edge_malloc(bytes: usize, align: usize) -> *mut c_void;
    fn gleaner_edge_calloc(bytes: usize) -> *mut c_void;
}

slow_paths! {
    through ELSEWHERE: Family;
    /// The slow path of `malloc` and its aligned kin.
    fn gleaner_slow_malloc(bytes: usize, align: usize) -> *mut c_void = malloc or gleaner_edge_malloc;
    /// The slow path of `calloc`.
    fn gleaner_slow_calloc(bytes: usize) -> *mut c_void = calloc or gleaner_edge_calloc;
    /// `realloc`; `p` is not null, `bytes` are not zero.
    fn gleaner_slow_malloc_resize(p: *mut c_void, bytes: usize) -> *mut c_void = realloc or family::resize;
    /// The slow path of `free`.
    fn gleaner_slow_malloc_free(p: *mut c_void) = free or family::free_slowly;
}

/// glibc's family, and the engine's objects in it.
static GLIBC: Family = Family {
    malloc: glibc::malloc,
    calloc: glibc::calloc,
    realloc: glibc::realloc,
    free: glibc::free,
    malloc_usable_size: glibc::malloc_usable_size,
    mallinfo2: glibc::mallinfo2,
    malloc_stats: glibc::malloc_stats,
    malloc_info: glibc::malloc_info,
};

pub(crate) mod glibc {
    use super::*;

    unsafe extern "C" {
        fn __libc_malloc(bytes: usize) -> *mut c_void;
        fn __libc_memalign(align: usize, bytes: usize) -> *mut c_void;
        fn __libc_calloc(count: usize, bytes: usize) -> *mut c_void;
        fn __libc_realloc(p: *mut c_void, bytes: usize) -> *mut c_void;
        fn __libc_free(p: *mut c_void);
    }

    /// The engine, if `p` points into an object of its.
    fn owner(p: *mut c_void) -> Option<&'static Engine> {
        // SAFETY: any address may be asked about.
        engine::elsewhere().filter(|engine| unsafe { (engine.gc_contains)(p) } != 0)
    }

    pub extern "C" fn malloc(bytes: usize, align: usize) -> *mut c_void {
        // SAFETY: any size and power of two may be asked for.
        unsafe { if align <= 16 { __libc_malloc(bytes) } else { __libc_memalign(align, bytes) } }
    }

    pub extern "C" fn calloc(bytes: usize) -> *mut c_void {
        // SAFETY: any size may be asked for.
        unsafe { __libc_calloc(1, bytes) }
    }

    pub unsafe extern "C" fn realloc(p: *mut c_void, bytes: usize) -> *mut c_void {
        // SAFETY: by the caller's promise the object may move, and it is the engine's or glibc's.
        unsafe {
            match owner(p) {
                Some(engine) => (engine.gc_realloc)(p, bytes),
                None => __libc_realloc(p, bytes),
            }
        }
    }

    pub unsafe extern "C" fn free(p: *mut c_void) {
        // SAFETY: the caller gives the object up, and it is the engine's or glibc's.
        unsafe {
            match owner(p) {
                Some(engine) => (engine.gc_free)(p),
                None => __libc_free(p),
            }
        }
    }

    pub extern "C" fn malloc_usable_size(p: *mut c_void) -> usize {
        match owner(p) {
            // SAFETY: any address may be asked about.
            Some(engine) => unsafe { (engine.gc_usable_size)(p) },
            None if p.is_null() => 0,
            None => {
                foreign::find_originals();
                foreign::usable_bytes(p)
            }
        }
    }

    pub unsafe extern "C" fn mallinfo2(information: *mut c_void) {
        // SAFETY: the caller has room for the structure there; zeroes are numbers.
        unsafe { information.cast::<MaybeUninit<Mallinfo2>>().write(MaybeUninit::zeroed()) };
    }

    pub extern "C" fn malloc_stats() {}

    pub extern "C" fn malloc_info(_options: c_int, _stream: *mut c_void) -> c_int {
        -1
    }
}
