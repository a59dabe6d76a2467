//! Memory that the collector does not search: shared with other processes, if there were any.

use crate::twin::Id;
use std::{
    mem::MaybeUninit,
    ptr,
    sync::{
        OnceLock,
        atomic::{AtomicU8, Ordering},
    },
};

/// Room for `length` values, which are not searched for handles.
pub fn unsearched<T>(length: usize) -> &'static mut [MaybeUninit<T>] {
    let bytes = length * size_of::<T>();
    let (protection, flags) = (libc::PROT_READ | libc::PROT_WRITE, libc::MAP_SHARED | libc::MAP_ANONYMOUS);
    // SAFETY: a new mapping: nobody else's, never unmapped, aligned, and in no need of being initialized.
    unsafe {
        let start = libc::mmap(ptr::null_mut(), bytes.max(1), protection, flags, -1, 0);
        assert_ne!(start, libc::MAP_FAILED, "room for {bytes} bytes");
        std::slice::from_raw_parts_mut(start.cast(), length)
    }
}

const IDS_MAX: usize = 64 << 20;

/// How often each value's destructor has run.
fn times(id: Id) -> &'static AtomicU8 {
    static LOG: OnceLock<&'static [MaybeUninit<AtomicU8>]> = OnceLock::new();
    let log = LOG.get_or_init(|| unsearched(IDS_MAX));
    // SAFETY: the mapping starts as zero.
    unsafe { log[id as usize].assume_init_ref() }
}

pub fn note_dropped(id: Id) {
    let before = times(id).fetch_add(1, Ordering::AcqRel);
    assert_eq!(before, 0, "value {id} was dropped twice");
}

pub fn is_dropped(id: Id) -> bool {
    times(id).load(Ordering::Acquire) != 0
}
