//! Whether the programs that a program becomes or starts have this library as well: the option `exec`.
//!
//! | `exec=` | |
//! |---|---|
//! | `inherit` | as the environment goes, which the program hands on or does not |
//! | `drop` | no: we are taken out of `LD_PRELOAD` at the start |
//! | `keep` | yes: where an environment does not name us any more, it is made to (`exec.c`) |
//!
//! Threads: what is kept is set while one thread runs.

use core::{
    cell::UnsafeCell,
    ffi::{CStr, c_char, c_void},
};
use gleaner::{
    base::{
        addr::Addr,
        sync::{AtomicBool, AtomicPtr, Ordering},
    },
    collect::settings::{self, Exec},
    os::{dl, path::Path, statics},
};

crate::interpose::wrap! {
    /// POSIX: keeps this library, if the option says so.
    execve: c"execve", gleaner_edge_execve, gleaner_real_execve;
    /// As [`execve`].
    execvpe: c"execvpe", gleaner_edge_execvpe, gleaner_real_execvpe;
    /// As [`execve`].
    fexecve: c"fexecve", gleaner_edge_fexecve, gleaner_real_fexecve;
    /// As [`execve`].
    posix_spawn: c"posix_spawn", gleaner_edge_posix_spawn, gleaner_real_posix_spawn;
    /// As [`execve`].
    posix_spawnp: c"posix_spawnp", gleaner_edge_posix_spawnp, gleaner_real_posix_spawnp;
}

/// Those that come down to one of the above.
macro_rules! lists {
    ($($name:ident $edge:ident)*) => {$(
        unsafe extern "C" {
            fn $edge();
        }

        /// As [`execve`].
        ///
        /// # Safety
        /// As the C library's.
        #[unsafe(no_mangle)]
        #[unsafe(naked)]
        pub unsafe extern "C" fn $name() {
            core::arch::naked_asm!("jmp {edge}", edge = sym $edge)
        }
    )*};
}

lists! {
    execv gleaner_edge_execv
    execvp gleaner_edge_execvp
    execl gleaner_edge_execl
    execlp gleaner_edge_execlp
    execle gleaner_edge_execle
}

const PATH_MAX: usize = 4096;

/// A text that is kept for as long as the process runs.
struct Kept {
    is_set: AtomicBool,
    text: UnsafeCell<Path<PATH_MAX>>,
}

// SAFETY: written while one thread runs, before `is_set`.
unsafe impl Sync for Kept {}

impl Kept {
    const fn new() -> Kept {
        Kept { is_set: AtomicBool::new(false), text: UnsafeCell::new(Path::new()) }
    }

    fn set(&self, parts: &[&[u8]]) {
        if let Some(text) = Path::of(parts) {
            // SAFETY: one thread runs, and nobody reads it yet.
            unsafe { *self.text.get() = text };
            // Release: pairs with the Acquire below.
            self.is_set.store(true, Ordering::Release);
        }
    }

    fn get(&self) -> *const c_char {
        if !self.is_set.load(Ordering::Acquire) {
            return core::ptr::null();
        }
        // SAFETY: it is set, and does not change any more; a zero byte follows the path.
        unsafe { (*self.text.get()).bytes().as_ptr().cast() }
    }
}

#[unsafe(link_section = ".bss.tables")]
static PATH: Kept = Kept::new();
#[unsafe(link_section = ".bss.tables")]
static OPTIONS: Kept = Kept::new();

/// Our path, if it is to be kept. For the edge.
#[unsafe(no_mangle)]
pub extern "C" fn gleaner_kept_path() -> *const c_char {
    PATH.get()
}

/// The variable with our options. For the edge.
#[unsafe(no_mangle)]
pub extern "C" fn gleaner_kept_options() -> *const c_char {
    OPTIONS.get()
}

/// Does what the option says, once it is known.
///
/// # Safety
/// One thread runs; `environment` is the array that the loader passes to constructors, and the program's.
pub unsafe fn begin(environment: *mut *mut c_char) {
    if settings::exec() == Exec::Inherit || environment.is_null() {
        return;
    }
    statics::for_each_object(|object| {
        if object.contains(Addr::of(&raw const PATH)) {
            // SAFETY: by the caller's promise.
            unsafe {
                match settings::exec() {
                    Exec::Keep => keep(object.path.to_bytes(), environment),
                    _ => drop_from(environment, object.path.to_bytes()),
                }
            }
        }
    });
}

unsafe fn keep(path: &[u8], environment: *mut *mut c_char) {
    const NAME: &[u8] = b"GLEANER_OPTIONS=";
    PATH.set(&[path]);
    // SAFETY: by the caller's promise it is an array of strings that ends with null.
    unsafe {
        let mut entry = environment;
        while !(*entry).is_null() {
            let text = CStr::from_ptr(*entry).to_bytes();
            if text.starts_with(NAME) {
                OPTIONS.set(&[text]);
            }
            entry = entry.add(1);
        }
    }
}

/// Takes the library at `path` out of the list of those to preload, in place.
unsafe fn drop_from(environment: *mut *mut c_char, path: &[u8]) {
    const NAME: &[u8] = b"LD_PRELOAD=";
    // SAFETY: by the caller's promise it is an array of strings that ends with null, and both may be written to.
    unsafe {
        let mut entry = environment;
        while !(*entry).is_null() {
            let length = CStr::from_ptr(*entry).to_bytes().len();
            let text = core::slice::from_raw_parts_mut((*entry).cast::<u8>(), length + 1);
            if text.starts_with(NAME) {
                let kept = without(&mut text[NAME.len()..length], path);
                text[NAME.len() + kept] = 0;
            }
            entry = entry.add(1);
        }
    }
}

/// Moves the names of a list together that are not that of the library: how many bytes they take.
fn without(list: &mut [u8], path: &[u8]) -> usize {
    let is_separator = |byte: u8| byte == b':' || byte == b' ';
    let file = |path: &[u8]| path.iter().rposition(|&byte| byte == b'/').map_or(0, |slash| slash + 1);
    let (mut from, mut kept) = (0, 0);
    while from < list.len() {
        let end = list[from..].iter().position(|&byte| is_separator(byte)).map_or(list.len(), |length| from + length);
        let name = &list[from..end];
        let is_us = name == path || !name.contains(&b'/') && name == &path[file(path)..];
        if !is_us && !name.is_empty() {
            if kept > 0 {
                list[kept] = b':';
                kept += 1;
            }
            list.copy_within(from..end, kept);
            kept += end - from;
        }
        from = end + 1;
    }
    kept
}
