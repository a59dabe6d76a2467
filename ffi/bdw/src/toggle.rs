//! References that are strong or weak as a callback says at each collection.

use crate::{control::settle, data::*};
use core::ffi::{c_int, c_void};
use gleaner::{
    base::{addr::Addr, sync::Ordering},
    collect::{
        allocate,
        toggle::{self, Callback},
    },
};

#[unsafe(no_mangle)]
extern "C" fn GC_get_toggleref_func() -> Option<Callback> {
    toggle::callback()
}

#[unsafe(no_mangle)]
extern "C" fn GC_set_toggleref_func(callback: Option<Callback>) {
    toggle::set(callback);
}

#[unsafe(no_mangle)]
extern "C" fn GC_toggleref_add(object: *mut c_void, is_strong: c_int) -> c_int {
    const SUCCESS: c_int = 0;
    const NO_MEMORY: c_int = 2;
    settle();
    // Without a callback nothing could ever be dropped.
    if toggle::callback().is_none() || GC_find_leak.load(Ordering::Relaxed) != 0 {
        return SUCCESS;
    }
    match allocate::with_tables(|tables| tables.toggles.add(Addr::of(object), is_strong != 0)) {
        Some(Ok(())) => SUCCESS,
        _ => NO_MEMORY,
    }
}
