//! Functions that another library has under a name of ours.

use super::statics::{self, Object};
use crate::base::addr::Addr;
use core::{
    ffi::CStr,
    sync::atomic::{AtomicUsize, Ordering::Relaxed},
};

/// The address of `name` in the libraries loaded after this one; null when there is none. May allocate.
pub fn next(name: &CStr) -> *mut libc::c_void {
    // SAFETY: the name is a string; a failed look-up is a null pointer.
    unsafe { libc::dlsym(libc::RTLD_NEXT, name.as_ptr()) }
}

/// As [`next`], in the newest of the versions that the C library has under a name that has changed its meaning.
pub fn next_newest(name: &CStr) -> *mut libc::c_void {
    // What a program is linked with that was made since 2003; `dlsym` gave the oldest until glibc 2.36.
    const CONDITIONS: &CStr = c"GLIBC_2.3.2";
    if !name.to_bytes().starts_with(b"pthread_cond_") {
        return next(name);
    }
    // SAFETY: as above.
    let found = unsafe { libc::dlvsym(libc::RTLD_NEXT, name.as_ptr(), CONDITIONS.as_ptr()) };
    if found.is_null() { next(name) } else { found }
}

/// Where a part of the C library lies, once it has been found: it is there from the start, and stays. Relaxed: one end without
/// the other makes an empty range.
struct Part {
    start: AtomicUsize,
    end: AtomicUsize,
}

static MAIN: Part = Part::new();
static LOADER: Part = Part::new();

impl Part {
    const fn new() -> Part {
        Part { start: AtomicUsize::new(0), end: AtomicUsize::new(0) }
    }

    fn contains(&self, address: Addr) -> bool {
        (self.start.load(Relaxed)..self.end.load(Relaxed)).contains(&address.get())
    }

    fn is_known(&self) -> bool {
        self.end.load(Relaxed) != 0
    }

    fn note(&self, object: &Object<'_>) {
        self.start.store(object.extent().start.get(), Relaxed);
        self.end.store(object.extent().end.get(), Relaxed);
    }
}

/// The file name of a loaded object.
fn file_name<'a>(object: &Object<'a>) -> &'a [u8] {
    let path = object.path.to_bytes();
    path.rsplit(|&byte| byte == b'/').next().unwrap_or(path)
}

/// What the file names of the C library's main part and of the loader start with: of late, and up to glibc 2.33.
const MAIN_NAMES: [&[u8]; 2] = [b"libc.so.", b"libc-2."];
const LOADER_NAMES: [&[u8]; 2] = [b"ld-linux", b"ld-2."];

/// Finds the C library and the loader. A program without shared libraries has neither as an object of its own.
pub fn find_c_library() {
    statics::for_each_object(|object| {
        let name = file_name(object);
        let note_if = |part: &Part, names: [&[u8]; 2]| {
            if !part.is_known() && names.iter().any(|start| name.starts_with(start)) {
                part.note(object);
            }
        };
        note_if(&MAIN, MAIN_NAMES);
        note_if(&LOADER, LOADER_NAMES);
    });
}

/// Whether the code at `address` is the C library's main part or the loader, as far as [`find_c_library`] has found them.
pub fn is_c_librarys_or_loaders(address: *const libc::c_void) -> bool {
    let address = Addr::of(address);
    MAIN.contains(address) || LOADER.contains(address)
}

/// Whether the function at `address` is the C library's, of which there may be two parts.
pub fn is_c_librarys(address: *const libc::c_void) -> bool {
    const OTHER_PART: &[u8] = b"libpthread";
    if !MAIN.is_known() {
        find_c_library();
    }
    let address = Addr::of(address);
    let mut is_found = MAIN.contains(address);
    if !is_found {
        statics::for_each_object(|object| {
            is_found |= object.contains(address) && file_name(object).starts_with(OTHER_PART);
        });
    }
    is_found
}

/// The address of `name` in any library of the global scope; null when there is none. May allocate.
pub fn any(name: &CStr) -> *mut libc::c_void {
    // SAFETY: as above.
    unsafe { libc::dlsym(libc::RTLD_DEFAULT, name.as_ptr()) }
}

/// A place in code, for people: the module and the offset in it; with `{:#}` the function before them, if the loader knows
/// its name.
pub struct Place {
    address: usize,
    module: usize,
    path: *const core::ffi::c_char,
    function: usize,
    name: *const core::ffi::c_char,
}

impl Place {
    /// The place at `address`. Asks the loader, so not inside a gate.
    pub fn of(address: usize) -> Place {
        // SAFETY: an all-zero record is only written to.
        let mut information: libc::Dl_info = unsafe { core::mem::zeroed() };
        // SAFETY: any address may be asked about.
        let is_known = unsafe { libc::dladdr(address as *const libc::c_void, &mut information) } != 0;
        if is_known && !information.dli_fname.is_null() {
            Place {
                address,
                module: information.dli_fbase as usize,
                path: information.dli_fname,
                function: information.dli_saddr as usize,
                name: information.dli_sname,
            }
        } else {
            Place { address, module: 0, path: core::ptr::null(), function: 0, name: core::ptr::null() }
        }
    }

    /// Whether it lies in this library, or the program that has us in it.
    pub fn is_ours(&self) -> bool {
        self.module != 0 && self.module == Place::of(Place::of as *const () as usize).module
    }
}

impl core::fmt::Display for Place {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        if self.path.is_null() {
            return write!(f, "{:#x}", self.address);
        }
        // SAFETY: the loader's own string; objects that are unloaded meanwhile would take it along, but we print at once.
        let path = unsafe { CStr::from_ptr(self.path) }.to_str().unwrap_or("?");
        let name = path.rsplit('/').next().unwrap_or(path);
        if f.alternate() && !self.name.is_null() {
            // SAFETY: as the path.
            let function = unsafe { CStr::from_ptr(self.name) }.to_str().unwrap_or("?");
            return write!(
                f,
                "{function}+{:#x} ({name}+{:#x})",
                self.address - self.function,
                self.address - self.module
            );
        }
        write!(f, "{name}+{:#x}", self.address - self.module)
    }
}
