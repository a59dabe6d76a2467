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
