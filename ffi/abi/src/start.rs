//! The library's constructor: options, then the engine, if this copy has it.

use crate::{
    engine::{self, Place},
    leave,
};
use core::alloc::{GlobalAlloc, Layout};
use core::ffi::{CStr, c_char, c_int};
use gleaner::{
    api::{at_exit, options},
    collect::start::{self, Door},
    os::log,
};

/// What the loader calls with the program's arguments and environment.
pub type Constructor = extern "C" fn(c_int, *const *const c_char, *const *const c_char);

/// Makes the loader call `$constructor` when the library comes, and [`finish`] when the process ends. A panic is a defect
/// of ours: the library says where, and ends the process.
#[macro_export]
macro_rules! library {
    ($constructor:path) => {
        #[used]
        #[unsafe(link_section = ".init_array")]
        static CONSTRUCTOR: $crate::start::Constructor = $constructor;

        #[used]
        #[unsafe(link_section = ".fini_array")]
        static DESTRUCTOR: extern "C" fn() = $crate::start::finish;

        #[global_allocator]
        static NONE: $crate::start::NoAllocator = $crate::start::NoAllocator;

        #[panic_handler]
        fn panic(information: &core::panic::PanicInfo<'_>) -> ! {
            gleaner::fatal!("internal error: {information}")
        }
    };
}

/// What stands in for an allocator in a library that is one. The engine's Rust surface (`api`) names the crate `alloc`, and
/// a library with that crate has to have an allocator, though nothing here calls it.
pub struct NoAllocator;

// SAFETY: nothing is handed out.
unsafe impl GlobalAlloc for NoAllocator {
    unsafe fn alloc(&self, _: Layout) -> *mut u8 {
        gleaner::fatal!("internal error: the heap has asked itself for memory")
    }

    unsafe fn dealloc(&self, _: *mut u8, _: Layout) {}
}

/// Reads `GLEANER_OPTIONS` and starts the engine. Nothing at all when the engine is another copy's.
///
/// # Safety
/// `environment` is the array that the loader passes to constructors.
pub unsafe fn start(door: Door, environment: *const *const c_char) {
    let place = engine::place();
    if place == Place::Elsewhere {
        return;
    }
    leave::find_originals();
    // SAFETY: by the caller's promise; the library's constructor runs before anybody can call it but the loader, which
    // only allocates.
    unsafe { read_options(environment) };
    let is_started = match place {
        // SAFETY: the program takes the contract of `gleaner.h`, or of the malloc door, upon itself.
        Place::Here => unsafe { start::start(door) },
        _ => start::start_without_collecting(),
    };
    if !is_started {
        log::print(format_args!(
            "gleaner: the heap could not be set up: the system refused address space or the stop signal; raise `ulimit -v`"
        ));
    }
}

/// Sets the options in `GLEANER_OPTIONS`.
///
/// # Safety
/// As for [`start()`]; the program has not used the engine yet.
pub unsafe fn read_options(environment: *const *const c_char) {
    // SAFETY: by the caller's promise.
    if let Some(text) = unsafe { variable(environment, c"GLEANER_OPTIONS") } {
        // SAFETY: as above.
        unsafe { options::set_all_at_load(text) };
    }
}

/// The value of a variable, unless the process runs with other rights than its user's.
unsafe fn variable<'a>(environment: *const *const c_char, name: &CStr) -> Option<&'a str> {
    if gleaner::os::is_secure_mode() || environment.is_null() {
        return None;
    }
    let mut entry = environment;
    // SAFETY: by the caller's promise it is an array of strings that ends with null.
    unsafe {
        while !(*entry).is_null() {
            let text = CStr::from_ptr(*entry).to_bytes();
            if let Some(value) = text.strip_prefix(name.to_bytes()).and_then(|rest| rest.strip_prefix(b"=")) {
                return core::str::from_utf8(value).ok();
            }
            entry = entry.add(1);
        }
    }
    None
}

/// The destructor: last words, if the engine is this copy's.
pub extern "C" fn finish() {
    if engine::place() != Place::Elsewhere {
        at_exit::report();
    }
}
