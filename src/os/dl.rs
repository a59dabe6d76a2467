//! Functions that another library has under a name of ours.

use super::statics;
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

/// Whether the function at `address` is the C library's, of which there may be two parts.
pub fn is_c_librarys(address: *const libc::c_void) -> bool {
    const MAIN_PART: [&[u8]; 2] = [b"libc.so", b"libc-"];
    const OTHER_PART: &[u8] = b"libpthread";
    // Where the main part is, once it has been found: there is one, and it stays. Relaxed: one end without the other makes
    // an empty range.
    static START: AtomicUsize = AtomicUsize::new(0);
    static END: AtomicUsize = AtomicUsize::new(0);
    let address = Addr::of(address);
    if (START.load(Relaxed)..END.load(Relaxed)).contains(&address.get()) {
        return true;
    }
    let mut is_found = false;
    statics::for_each_object(|object| {
        let path = object.path.to_bytes();
        let name = path.rsplit(|&byte| byte == b'/').next().unwrap_or(path);
        let is_main = MAIN_PART.iter().any(|start| name.starts_with(start));
        if object.contains(address) && (is_main || name.starts_with(OTHER_PART)) {
            is_found = true;
            if is_main {
                START.store(object.extent().start.get(), Relaxed);
                END.store(object.extent().end.get(), Relaxed);
            }
        }
    });
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
