//! mallinfo and its kin: what the heap holds, in the shapes that glibc gave them.

use crate::{dormant, elsewhere::elsewhere};
use core::{
    ffi::{c_int, c_void},
    mem::MaybeUninit,
};
use gleaner::{collect::census, os::log};
use gleaner_abi::control::{gc_collect, gc_release};

unsafe extern "C" {
    fn fprintf(stream: *mut c_void, format: *const core::ffi::c_char, ...) -> c_int;
}

/// glibc's `struct mallinfo2`.
#[repr(C)]
pub struct Mallinfo2 {
    arena: usize,
    ordblks: usize,
    smblks: usize,
    hblks: usize,
    hblkhd: usize,
    usmblks: usize,
    fsmblks: usize,
    uordblks: usize,
    fordblks: usize,
    keepcost: usize,
}

/// glibc's `struct mallinfo`, whose members wrap.
#[repr(C)]
pub struct Mallinfo {
    arena: c_int,
    ordblks: c_int,
    smblks: c_int,
    hblks: c_int,
    hblkhd: c_int,
    usmblks: c_int,
    fsmblks: c_int,
    uordblks: c_int,
    fordblks: c_int,
    keepcost: c_int,
}

/// glibc: `uordblks` are the bytes of objects in use, large ones included; `hblks` and `hblkhd` are the large ones.
#[unsafe(no_mangle)]
pub extern "C" fn mallinfo2() -> Mallinfo2 {
    if let Some(family) = elsewhere() {
        let mut information = MaybeUninit::uninit();
        // SAFETY: there is room for the structure, which the call writes.
        return unsafe {
            (family.mallinfo2)(information.as_mut_ptr() as *mut c_void);
            information.assume_init()
        };
    }
    let census = census::take();
    Mallinfo2 {
        arena: census.heap_bytes - census.large_bytes,
        ordblks: census.free_slots,
        smblks: census.cached_slots,
        hblks: census.large_objects,
        hblkhd: census.large_bytes,
        usmblks: 0,
        fsmblks: census.cached_bytes,
        uordblks: census.in_use_bytes,
        fordblks: census.heap_bytes - census.in_use_bytes,
        keepcost: census.releasable_bytes,
    }
}

/// glibc: as [`mallinfo2`], in `int`s.
#[unsafe(no_mangle)]
pub extern "C" fn mallinfo() -> Mallinfo {
    let wide = mallinfo2();
    Mallinfo {
        arena: wide.arena as c_int,
        ordblks: wide.ordblks as c_int,
        smblks: wide.smblks as c_int,
        hblks: wide.hblks as c_int,
        hblkhd: wide.hblkhd as c_int,
        usmblks: wide.usmblks as c_int,
        fsmblks: wide.fsmblks as c_int,
        uordblks: wide.uordblks as c_int,
        fordblks: wide.fordblks as c_int,
        keepcost: wide.keepcost as c_int,
    }
}

/// glibc: a summary on standard error.
#[unsafe(no_mangle)]
pub extern "C" fn malloc_stats() {
    if let Some(family) = elsewhere() {
        // SAFETY: takes nothing.
        return unsafe { (family.malloc_stats)() };
    }
    let census = census::take();
    log::print(format_args!("Arena 0:"));
    log::print(format_args!("system bytes     = {:>10}", census.heap_bytes));
    log::print(format_args!("in use bytes     = {:>10}", census.in_use_bytes));
    log::print(format_args!("large objects    = {:>10}", census.large_objects));
    log::print(format_args!("large bytes      = {:>10}", census.large_bytes));
}

/// glibc: the same as XML on a stream. `options` has to be 0.
///
/// # Safety
/// `stream` is an open stream.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn malloc_info(options: c_int, stream: *mut c_void) -> c_int {
    if options != 0 {
        return gleaner_abi::exports::errno::EINVAL;
    }
    if let Some(family) = elsewhere() {
        // SAFETY: by the caller's promise.
        return unsafe { (family.malloc_info)(options, stream) };
    }
    let census = census::take();
    // SAFETY: by the caller's promise; the format and its arguments agree.
    unsafe {
        fprintf(
            stream,
            c"<malloc version=\"1\">\n<heap nr=\"0\">\n<sizes>\n</sizes>\n<total type=\"fast\" count=\"%zu\" size=\"%zu\"/>\n\
<total type=\"rest\" count=\"%zu\" size=\"%zu\"/>\n<system type=\"current\" size=\"%zu\"/>\n</heap>\n\
<total type=\"mmap\" count=\"%zu\" size=\"%zu\"/>\n<system type=\"current\" size=\"%zu\"/>\n\
<inuse type=\"current\" count=\"%zu\" size=\"%zu\"/>\n</malloc>\n"
                .as_ptr(),
            census.cached_slots,
            census.cached_bytes,
            census.free_slots,
            census.heap_bytes - census.in_use_bytes,
            census.heap_bytes,
            census.large_objects,
            census.large_bytes,
            census.heap_bytes,
            census.in_use_objects,
            census.in_use_bytes,
        );
    }
    0
}

/// glibc: collects, and gives every free page back: 1 when there was one.
#[unsafe(no_mangle)]
pub extern "C" fn malloc_trim(pad: usize) -> c_int {
    if dormant::is_dormant() {
        return dormant::call_next(c"malloc_trim", pad, 0);
    }
    gc_collect();
    c_int::from(gc_release() != 0)
}

/// glibc: accepted and without effect; the options of this heap are in `GLEANER_OPTIONS`.
#[unsafe(no_mangle)]
pub extern "C" fn mallopt(parameter: c_int, value: c_int) -> c_int {
    if dormant::is_dormant() {
        return dormant::call_next(c"mallopt", parameter as usize, value as usize);
    }
    1
}
