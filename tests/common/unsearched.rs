//! Memory that no collector searches: a mapped file that has a name, and so outlives the process for all that is known.
//!
//! Used as `#[path = "common/unsearched.rs"] mod unsearched;`.
#![allow(dead_code, reason = "each test uses its part")]

use std::{
    fs::{self, File},
    mem::MaybeUninit,
    os::fd::AsRawFd,
    path::PathBuf,
    ptr,
    sync::{
        Mutex, Once,
        atomic::{AtomicU32, Ordering},
    },
};

/// Files that go when the process ends.
static FILES: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());

extern "C" fn remove_files() {
    if let Ok(files) = FILES.lock() {
        files.iter().for_each(|file| drop(fs::remove_file(file)));
    }
}

/// Room for `length` values, zeroed, which is never unmapped.
pub fn unsearched<T>(length: usize) -> &'static mut [MaybeUninit<T>] {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    static AT_EXIT: Once = Once::new();
    // SAFETY: the function is part of the program.
    AT_EXIT.call_once(|| assert_eq!(unsafe { libc::atexit(remove_files) }, 0));
    // Relaxed: any number that nobody else has.
    let name = format!("unsearched-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    let bytes = (length * size_of::<T>()).max(1);
    let file = File::options().read(true).write(true).create(true).truncate(true).open(&path).expect("a new file");
    file.set_len(bytes as u64).expect("room for it");
    FILES.lock().expect("nobody panics with it").push(path);
    let protection = libc::PROT_READ | libc::PROT_WRITE;
    // SAFETY: a new mapping: nobody else's, never unmapped, aligned, and in no need of being initialized.
    unsafe {
        let start = libc::mmap(ptr::null_mut(), bytes, protection, libc::MAP_SHARED, file.as_raw_fd(), 0);
        assert_ne!(start, libc::MAP_FAILED, "room for {bytes} bytes");
        std::slice::from_raw_parts_mut(start.cast(), length)
    }
}
