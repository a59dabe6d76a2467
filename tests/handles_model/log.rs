//! How often each value's destructor has run, in memory that the collector does not search.

use crate::{twin::Id, unsearched::unsearched};
use std::{
    mem::MaybeUninit,
    sync::{
        OnceLock,
        atomic::{AtomicU8, Ordering},
    },
};

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
