//! Functions that another library has under a name of ours.

use core::ffi::CStr;

/// The address of `name` in the libraries loaded after this one; null when there is none. May allocate.
pub fn next(name: &CStr) -> *mut libc::c_void {
    // SAFETY: the name is a string; a failed look-up is a null pointer.
    unsafe { libc::dlsym(libc::RTLD_NEXT, name.as_ptr()) }
}

/// The address of `name` in any library of the global scope; null when there is none. May allocate.
pub fn any(name: &CStr) -> *mut libc::c_void {
    // SAFETY: as above.
    unsafe { libc::dlsym(libc::RTLD_DEFAULT, name.as_ptr()) }
}

/// A place in code, for people: the module and the offset in it, and the symbol if the loader knows one.
pub struct Place {
    address: usize,
    module: usize,
    path: *const core::ffi::c_char,
}

impl Place {
    /// The place at `address`. Asks the loader, so not inside a gate.
    pub fn of(address: usize) -> Place {
        // SAFETY: an all-zero record is only written to.
        let mut information: libc::Dl_info = unsafe { core::mem::zeroed() };
        // SAFETY: any address may be asked about.
        let is_known = unsafe { libc::dladdr(address as *const libc::c_void, &mut information) } != 0;
        if is_known && !information.dli_fname.is_null() {
            Place { address, module: information.dli_fbase as usize, path: information.dli_fname }
        } else {
            Place { address, module: 0, path: core::ptr::null() }
        }
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
        write!(f, "{name}+{:#x}", self.address - self.module)
    }
}
