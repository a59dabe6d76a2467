//! The Rust side of `edge.c`: what it asks before and after it calls out. Every function here returns with the gate
//! open and no lock held.

use crate::{misuse, unwind};
use core::{
    ffi::{CStr, c_char, c_int, c_uint, c_void},
    fmt::Write,
};
use gleaner::{
    base::{
        addr::Addr,
        sync::{AtomicUsize, Ordering},
    },
    collect::{
        self, Cause,
        allocate::{self, Resized},
        ephemeron::{self, Pair},
        events,
        finalize::{self, Runner},
        settings, world,
    },
    heap::{Request, gate, kind::Kind, mutator, region, resolve},
    os::{log::Line, stack},
};

/// A callback and its data. The data is static data of ours, and so a root.
pub struct Callback {
    function: AtomicUsize,
    data: AtomicUsize,
}

impl Callback {
    const fn new() -> Self {
        Callback { function: AtomicUsize::new(0), data: AtomicUsize::new(0) }
    }

    /// Sets it; zero takes it away. Release and Acquire pair with each other: who sees a function sees its data, or,
    /// while another is being set, the data of that one.
    pub fn set(&self, function: usize, data: usize) {
        self.function.store(0, Ordering::Release);
        self.data.store(data, Ordering::Release);
        self.function.store(function, Ordering::Release);
    }

    /// The function and its data, if there is one.
    pub fn get(&self) -> Option<(usize, usize)> {
        let function = self.function.load(Ordering::Acquire);
        (function != 0).then(|| (function, self.data.load(Ordering::Acquire)))
    }
}

/// `gc_oom_handler_set`.
pub static OOM: Callback = Callback::new();
/// `gc_warn_handler_set`.
pub static WARN: Callback = Callback::new();
/// `gc_event_listener_set`.
pub static LISTENER: Callback = Callback::new();

/// `struct callout` of `edge.c`.
#[repr(C)]
pub struct Callout {
    finalizer: usize,
    object: usize,
    data: usize,
    listener: usize,
    event: Event,
    warn: usize,
    message: [u8; 128],
    guard: usize,
}

/// `gc_event` of `gleaner.h`, with room to spare.
#[repr(C)]
struct Event {
    version: u32,
    kind: u32,
    collection: u64,
    time_ns: u64,
    duration_ns: u64,
    live_bytes: u64,
    reclaimed_bytes: u64,
    unused: [u64; 2],
}

const NOTHING: c_uint = 0;
const FINALIZER: c_uint = 1;
const EVENT: c_uint = 2;
const WARNING: c_uint = 3;

fn pointer<T>(result: Result<Addr, allocate::NoMemory>) -> *mut T {
    result.map_or(core::ptr::null_mut(), Addr::as_ptr)
}

/// Allocates an object; null when there is no memory.
#[unsafe(no_mangle)]
#[unsafe(link_section = ".text.hot")]
pub extern "C" fn gleaner_allocate(bytes: usize, align: usize, kind: c_uint) -> *mut c_void {
    pointer(allocate::allocate(&Request { bytes, align, kind: Kind::from_number(kind as u8), zeroed: false }))
}

/// Allocates for `calloc`.
#[unsafe(no_mangle)]
#[unsafe(link_section = ".text.hot")]
pub extern "C" fn gleaner_allocate_zeroed(bytes: usize) -> *mut c_void {
    pointer(allocate::allocate(&Request { zeroed: true, ..Request::new(bytes, Kind::MALLOC) }))
}

/// Allocates an object with a layout.
#[unsafe(no_mangle)]
pub extern "C" fn gleaner_allocate_typed(bytes: usize, layout: usize) -> *mut c_void {
    pointer(allocate::allocate_typed(bytes, layout))
}

/// Allocates a weak object.
#[unsafe(no_mangle)]
pub extern "C" fn gleaner_allocate_weak(bytes: usize, kind: c_uint) -> *mut c_void {
    pointer(allocate::allocate_weak(bytes, Kind::from_number(kind as u8)))
}

/// Allocates an ephemeron. Both words are live while the caller has them.
#[unsafe(no_mangle)]
pub extern "C" fn gleaner_allocate_ephemeron(key: *mut c_void, value: *mut c_void) -> *mut c_void {
    let object = allocate::allocate(&Request::new(ephemeron::BYTES, Kind::EPHEMERON));
    if let Some(slot) = object.ok().and_then(resolve::object_at) {
        ephemeron::note_made(1);
        Pair::at(slot.start()).set(key as usize, value as usize);
    }
    core::hint::black_box((key, value));
    pointer(object)
}

/// Changes an object's size. `*p` is where it is afterwards; 0 when there is no memory, and nothing has changed.
///
/// # Safety
/// `p` points to an object's address that is not null, `function` is a string, and `bytes` is not zero.
#[unsafe(no_mangle)]
#[unsafe(link_section = ".text.hot")]
pub unsafe extern "C" fn gleaner_resize(p: *mut *mut c_void, bytes: usize, function: *const c_char) -> c_int {
    // SAFETY: by the caller's promise.
    let address = unsafe { Addr::of(*p) };
    match allocate::resize(address, bytes) {
        Resized::At(moved) => {
            // SAFETY: by the caller's promise.
            unsafe { *p = moved.as_ptr() };
            1
        }
        Resized::NoMemory => 0,
        Resized::NotAnObject(freed) => {
            // SAFETY: by the caller's promise.
            let function = unsafe { CStr::from_ptr(function) }.to_str().unwrap_or("realloc");
            misuse::report(function, address, 0, freed);
            0
        }
    }
}

/// What waits to be called on this thread.
///
/// # Safety
/// `callout` can be written to.
#[unsafe(no_mangle)]
#[unsafe(link_section = ".text.hot")]
pub unsafe extern "C" fn gleaner_next_callout(callout: *mut Callout, frame: *const c_void) -> c_uint {
    // SAFETY: by the caller's promise.
    if unsafe { take_warning(callout) } {
        return WARNING;
    }
    if events::are_waiting() {
        // SAFETY: by the caller's promise.
        if unsafe { take_event(callout, frame) } {
            return EVENT;
        }
    }
    if !finalize::are_queued(Runner::Header) || !settings::finalizers_run_by_themselves() {
        return NOTHING;
    }
    // SAFETY: by the caller's promise.
    if unsafe { gleaner_next_finalizer(callout, frame) } != 0 { FINALIZER } else { NOTHING }
}

/// A collection of this thread's was given up.
unsafe fn take_warning(callout: *mut Callout) -> bool {
    let Some(mutator) = mutator::current() else { return false };
    if mutator.silent_thread.load(Ordering::Relaxed) == 0 {
        return false;
    }
    let thread = mutator.silent_thread.swap(0, Ordering::Relaxed);
    let Some((warn, data)) = WARN.get() else { return false };
    let mut line = Line::new();
    // A `Line` never refuses.
    let _ = write!(line, "a collection was given up: thread {thread} did not stop; nothing was reclaimed");
    // SAFETY: by the caller's promise; the text is shorter than its room, and the rest is zero.
    unsafe {
        (*callout).warn = warn;
        (*callout).data = data;
        (*callout).message = [0; 128];
        let text = line.as_bytes();
        core::ptr::copy_nonoverlapping(text.as_ptr(), (&raw mut (*callout).message).cast(), text.len().min(127));
    }
    true
}

unsafe fn take_event(callout: *mut Callout, frame: *const c_void) -> bool {
    let Some(mutator) = mutator::current() else { return false };
    if mutator.listening.is_running(frame as usize) {
        return false;
    }
    let Some(event) = gate::enter(mutator).and_then(|_inside| events::take(mutator.tid.load(Ordering::Relaxed))) else {
        return false;
    };
    let Some((listener, data)) = LISTENER.get() else { return false };
    let event = Event {
        version: 1,
        kind: event.step as u32,
        collection: event.collection,
        time_ns: event.time_ns,
        duration_ns: event.duration_ns,
        live_bytes: event.live_bytes,
        reclaimed_bytes: event.reclaimed_bytes,
        unused: [0; 2],
    };
    // SAFETY: by the caller's promise.
    unsafe {
        (*callout).data = data;
        (*callout).listener = listener;
        (*callout).event = event;
        mutator.listening.begin(&mut (*callout).guard);
    }
    true
}

/// The next finalizer to run on this thread: 0 when there is none, or one is running.
///
/// # Safety
/// `callout` can be written to.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gleaner_next_finalizer(callout: *mut Callout, frame: *const c_void) -> c_int {
    let Some(mutator) = mutator::register() else { return 0 };
    if mutator.finalizing.is_running(frame as usize) {
        return 0;
    }
    let Some(due) = allocate::with_tables(|tables| tables.finalizers.take_due(Runner::Header)).flatten() else {
        return 0;
    };
    // SAFETY: by the caller's promise.
    unsafe {
        (*callout).finalizer = due.finalizer.procedure;
        (*callout).object = due.object;
        (*callout).data = due.finalizer.data;
        mutator.finalizing.begin(&mut (*callout).guard);
    }
    1
}

/// A callback is over.
#[unsafe(no_mangle)]
pub extern "C" fn gleaner_callout_over(kind: c_uint) {
    if let Some(mutator) = mutator::current() {
        match kind {
            EVENT => mutator.listening.end(),
            FINALIZER => mutator.finalizing.end(),
            _ => {}
        }
    }
}

macro_rules! call_that_may_be_left {
    ($(#[$doc:meta])* $name:ident, $personality:ident, $undo:expr) => {
        $(#[$doc])*
        ///
        /// # Safety
        /// `function` takes two words.
        #[unsafe(no_mangle)]
        #[unsafe(naked)]
        pub unsafe extern "C" fn $name(function: usize, first: usize, second: usize) -> usize {
            core::arch::naked_asm!(
                ".cfi_startproc",
                ".cfi_personality 0x1b, {personality}",
                "sub rsp, 8",
                ".cfi_adjust_cfa_offset 8",
                "mov rax, rdi",
                "mov rdi, rsi",
                "mov rsi, rdx",
                "call rax",
                "add rsp, 8",
                ".cfi_adjust_cfa_offset -8",
                "ret",
                ".cfi_endproc",
                personality = sym $personality,
            )
        }

        extern "C" fn $personality(_: c_int, actions: c_int, _: u64, _: *mut c_void, _: *mut c_void) -> c_int {
            unwind::pass(actions, || $undo)
        }
    };
}

call_that_may_be_left! {
    /// Calls a listener; its end is noted when it is left by unwinding.
    gleaner_call_listener, listener_personality, gleaner_callout_over(EVENT)
}

call_that_may_be_left! {
    /// Calls a finalizer; its end is noted when it is left by unwinding.
    gleaner_call_finalizer, finalizer_personality, gleaner_callout_over(FINALIZER)
}

call_that_may_be_left! {
    /// Calls what runs in a safe region, which ends when it is left by unwinding.
    gleaner_call_in_region, region_personality, gleaner_region_end()
}

/// Collects.
#[unsafe(no_mangle)]
pub extern "C" fn gleaner_collect() {
    collect::collect(Cause::Forced);
}

/// The handler for want of memory, and its data.
///
/// # Safety
/// `data` can be written to.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gleaner_oom_handler(data: *mut usize) -> usize {
    let (function, of_function) = OOM.get().unwrap_or_default();
    // SAFETY: by the caller's promise.
    unsafe { *data = of_function };
    function
}

/// Opens a safe region: the calling thread's registers lie above here, and what runs inside lies below `frame`. 0 when
/// the thread is in one already, or there is no memory for its record.
#[unsafe(no_mangle)]
pub extern "C" fn gleaner_region_begin(frame: *const c_void) -> c_int {
    if region::is_open() {
        return 0;
    }
    let Some(mutator) = mutator::register() else { return 0 };
    region::enter(mutator, stack::pointer(), Addr::of(frame));
    1
}

/// Ends the region, if the thread is in one.
#[unsafe(no_mangle)]
pub extern "C" fn gleaner_region_end() {
    region::leave();
}

/// A new thread runs.
#[unsafe(no_mangle)]
pub extern "C" fn gleaner_thread_started() {
    // Without memory for a record the thread is found by the kernel's list.
    let _ = world::register();
}
