//! Timers and notifications: what a program registers with the kernel, which sends it back with a signal.

use crate::{peek, regions::Original};
use core::{
    ffi::{c_int, c_void},
    mem::transmute,
};
use gleaner::collect::{
    held::{self, Place},
    reports::{self, Reason},
};

static TIMER_CREATE: Original = Original::new(c"timer_create");
static TIMER_DELETE: Original = Original::new(c"timer_delete");
static MQ_NOTIFY: Original = Original::new(c"mq_notify");
static MQ_CLOSE: Original = Original::new(c"mq_close");

/// Looks all up while one thread runs.
pub fn find_originals() {
    for original in [&TIMER_CREATE, &TIMER_DELETE, &MQ_NOTIFY, &MQ_CLOSE] {
        original.find();
    }
}

/// The C library's `struct sigevent`, as far as it concerns us.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Event {
    /// What comes back.
    pub value: usize,
    /// The signal it comes with.
    pub signal: c_int,
    /// How it comes.
    pub way: c_int,
    function: usize,
    attributes: usize,
}

impl Event {
    /// By a signal.
    pub const BY_SIGNAL: c_int = 0;
    /// Not at all.
    const NOT: c_int = 1;
    /// To a thread that the C library makes.
    const BY_THREAD: c_int = 2;

    /// What comes back, or zero.
    fn value(event: Option<Event>) -> usize {
        event.filter(|event| event.way != Event::NOT).map_or(0, |event| event.value)
    }
}

/// POSIX: as the C library's. An object that the timer's value points to lives until the timer is deleted.
///
/// # Safety
/// As the C library's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn timer_create(clock: c_int, event: *const c_void, timer: *mut usize) -> c_int {
    // The address is in this frame until it is noted.
    // SAFETY: any bytes are an event; the C library's function of that type; it has set the id.
    unsafe {
        let value = Event::value(peek::value(event.cast()));
        let original: extern "C" fn(c_int, *const c_void, *mut usize) -> c_int = transmute(TIMER_CREATE.find());
        let result = original(clock, event, timer);
        if result == 0 {
            held::note(Place::Timer(*timer), value);
        }
        core::hint::black_box(value);
        result
    }
}

/// POSIX: as the C library's.
///
/// # Safety
/// As the C library's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn timer_delete(timer: usize) -> c_int {
    let changes = held::changes();
    // SAFETY: the C library's function of that type.
    let original: extern "C" fn(usize) -> c_int = unsafe { transmute(TIMER_DELETE.find()) };
    let result = original(timer);
    if result == 0 {
        held::note_end(Place::Timer(timer), changes);
    }
    result
}

/// POSIX: as the C library's. An object that the event's value points to lives until another event is asked for, or the queue
/// is closed. Attributes for a thread are copied to where only the kernel knows them: then nothing is reclaimed.
///
/// # Safety
/// As the C library's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mq_notify(queue: c_int, event: *const c_void) -> c_int {
    // SAFETY: any bytes are an event.
    let known = unsafe { peek::value(event.cast::<Event>()) };
    if known.is_some_and(|event| event.way == Event::BY_THREAD && event.attributes != 0) {
        reports::stop_reclaiming(Reason::CannotFollow("mq_notify with attributes"));
    }
    let (changes, value) = (held::changes(), Event::value(known));
    // SAFETY: the C library's function of that type.
    let original: extern "C" fn(c_int, *const c_void) -> c_int = unsafe { transmute(MQ_NOTIFY.find()) };
    let result = original(queue, event);
    if result == 0 && value != 0 {
        held::note(Place::Queue(queue), value);
    } else if result == 0 {
        held::note_end(Place::Queue(queue), changes);
    }
    core::hint::black_box(value);
    result
}

/// POSIX: as the C library's.
///
/// # Safety
/// As the C library's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mq_close(queue: c_int) -> c_int {
    let changes = held::changes();
    // SAFETY: the C library's function of that type.
    let original: extern "C" fn(c_int) -> c_int = unsafe { transmute(MQ_CLOSE.find()) };
    let result = original(queue);
    if result == 0 {
        held::note_end(Place::Queue(queue), changes);
    }
    result
}
