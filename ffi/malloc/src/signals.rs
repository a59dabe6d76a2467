//! Values that come with signals: from when a program sends one to itself, or asks for one, until a handler has it.

use crate::{followed::directly, peek, regions::Original, timers::Event};
use core::{
    ffi::{c_int, c_long, c_void},
    mem::transmute,
};
use gleaner::{
    base::sync::{AtomicU64, Ordering},
    collect::sent::{self, Channel, Letter},
    os::signal,
};

static SIGQUEUE: Original = Original::new(c"sigqueue");
static PTHREAD_SIGQUEUE: Original = Original::new(c"pthread_sigqueue");
static LIO_LISTIO: Original = Original::new(c"lio_listio");
static LIO_LISTIO64: Original = Original::new(c"lio_listio64");

/// Looks all up while one thread runs.
pub fn find_originals() {
    for original in [&SIGQUEUE, &PTHREAD_SIGQUEUE, &LIO_LISTIO, &LIO_LISTIO64] {
        original.find();
    }
    find_requests();
}

/// Counts the value before `send` sends it, unless that gives an error.
fn sending<R: PartialEq<c_int>>(number: c_int, value: usize, send: impl FnOnce() -> R) -> R {
    let letter = Letter::begin(&value.to_ne_bytes(), || Channel::of_signal(number));
    let result = send();
    if !letter.is_empty() && result != 0 {
        letter.end(0);
    }
    result
}

/// POSIX: as the C library's. An object that the value points to, sent by the process to itself, lives until it is delivered.
///
/// # Safety
/// As the C library's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sigqueue(process: c_int, number: c_int, value: usize) -> c_int {
    // SAFETY: the C library's function of that type.
    let original: extern "C" fn(c_int, c_int, usize) -> c_int = unsafe { transmute(SIGQUEUE.find()) };
    sending(number, value, || original(process, number, value))
}

/// GNU: as [`sigqueue`], to a thread. An error value.
///
/// # Safety
/// As the C library's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pthread_sigqueue(thread: usize, number: c_int, value: usize) -> c_int {
    // SAFETY: the C library's function of that type.
    let original: extern "C" fn(usize, c_int, usize) -> c_int = unsafe { transmute(PTHREAD_SIGQUEUE.find()) };
    sending(number, value, || original(thread, number, value))
}

/// What the kernel tells of a signal, as far as it concerns us.
#[repr(C)]
#[derive(Clone, Copy)]
struct Information {
    signal: c_int,
    errno: c_int,
    code: c_int,
    process: c_int,
    user: u32,
    value: usize,
}

/// The codes of signals that bring a value of the program's, but for timers: those send it again.
const VALUED: [c_int; 3] = [-1, -3, -4];

/// Makes a system call that sends a signal, which `information` describes.
///
/// # Safety
/// As the system call.
pub unsafe fn queue(call: usize, args: [usize; 4], information: usize) -> c_long {
    // SAFETY: any bytes are information.
    let known = unsafe { peek::value(information as *const Information) };
    let (number, value) = known.map_or((0, 0), |known| (known.signal, known.value));
    // SAFETY: by the caller's promise.
    sending(number, value, || Result(unsafe { directly(call, args) })).0
}

struct Result(c_long);

impl PartialEq<c_int> for Result {
    fn eq(&self, other: &c_int) -> bool {
        self.0 == c_long::from(*other)
    }
}

/// The signals whose handlers are told more than the number. Relaxed: who sets a handler while its signal comes gets either.
static INFORMED: AtomicU64 = AtomicU64::new(0);

/// A handler is set that is told more than the number, or not.
pub fn note_handler(number: c_int, is_informed: bool) {
    if is_informed {
        INFORMED.fetch_or(signal::set_of(number), Ordering::Relaxed);
    } else {
        INFORMED.fetch_and(!signal::set_of(number), Ordering::Relaxed);
    }
}

/// A handler of the program's is about to run.
///
/// # Safety
/// The kernel has passed `information` to it.
#[inline]
pub unsafe fn note_delivered(number: c_int, information: *const c_void) {
    if !sent::is_empty() && INFORMED.load(Ordering::Relaxed) & signal::set_of(number) != 0 {
        // SAFETY: the kernel has filled it, because the handler asks for it.
        unsafe { gleaner_note_signal(information) };
    }
}

/// A signal was taken out of the queue. For the edge.
///
/// # Safety
/// The kernel has filled `information`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gleaner_note_signal(information: *const c_void) {
    // SAFETY: by the caller's promise.
    let Information { signal, code, value, .. } = unsafe { *information.cast::<Information>() };
    if VALUED.contains(&code) {
        sent::receive(&value.to_ne_bytes(), || Channel::of_signal(signal));
    }
}

/// What a descriptor of signals gave: records of this size, with the signal's number and its value at these bytes.
const RECORD_BYTES: usize = 128;
const CODE: usize = 8;
const VALUE: usize = 48;

/// Signals were read from a descriptor.
pub fn note_read(records: &[u8]) {
    for record in records.chunks_exact(RECORD_BYTES) {
        let number = |at: usize| record[at..at + 4].try_into().map_or(0, c_int::from_ne_bytes);
        if VALUED.contains(&number(CODE)) {
            sent::receive(&record[VALUE..VALUE + size_of::<usize>()], || Channel::of_signal(number(0)));
        }
    }
}

/// The C library's `struct aiocb`, as far as it concerns us.
#[repr(C)]
#[derive(Clone, Copy)]
struct Request {
    start: [u64; 4],
    event: Event,
}

/// An event that is going to be signalled when a request is done. It stays counted when the request is refused.
fn note_event(event: Option<Event>) {
    if let Some(event) = event.filter(|event| event.way == Event::BY_SIGNAL) {
        let _ = Letter::begin(&event.value.to_ne_bytes(), || Channel::of_signal(event.signal));
    }
}

/// Exports functions that take a request, after as many words as are given.
macro_rules! requests {
    ($($name:ident $text:literal ($($word:ident)?))*) => {
        $(
            mod $name {
                pub static ORIGINAL: super::Original = super::Original::new($text);
            }

            /// POSIX: as the C library's. An object that the event's value points to lives until the signal is delivered.
            ///
            /// # Safety
            /// As the C library's.
            #[unsafe(no_mangle)]
            pub unsafe extern "C" fn $name($($word: usize,)? request: *mut c_void) -> c_int {
                // SAFETY: any bytes are a request; the C library's function of that type.
                unsafe {
                    note_event(peek::value(request.cast::<Request>()).map(|request| request.event));
                    let original: extern "C" fn($(requests!(@word $word),)? *mut c_void) -> c_int =
                        transmute($name::ORIGINAL.find());
                    original($($word,)? request)
                }
            }
        )*

        fn find_requests() {
            $($name::ORIGINAL.find();)*
        }
    };
    (@word $word:ident) => { usize };
}

requests! {
    aio_read c"aio_read" ()
    aio_read64 c"aio_read64" ()
    aio_write c"aio_write" ()
    aio_write64 c"aio_write64" ()
    aio_fsync c"aio_fsync" (operation)
    aio_fsync64 c"aio_fsync64" (operation)
}

/// As `original`, with the events of all requests and of the list counted.
///
/// # Safety
/// As the C library's.
unsafe fn list_by(original: &Original, mode: c_int, list: *const usize, count: c_int, event: *const c_void) -> c_int {
    // SAFETY: any bytes are addresses, requests and events; the C library's function of that type.
    unsafe {
        for index in 0..usize::try_from(count).unwrap_or(0) {
            let request = peek::value(list.add(index)).and_then(|request| peek::value(request as *const Request));
            note_event(request.map(|request| request.event));
        }
        note_event(peek::value(event.cast()));
        let original: extern "C" fn(c_int, *const usize, c_int, *const c_void) -> c_int = transmute(original.find());
        original(mode, list, count, event)
    }
}

/// POSIX: as the C library's. Objects that the events' values point to live until the signals are delivered.
///
/// # Safety
/// As the C library's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lio_listio(mode: c_int, list: *const usize, count: c_int, event: *const c_void) -> c_int {
    // SAFETY: by the caller's promise.
    unsafe { list_by(&LIO_LISTIO, mode, list, count, event) }
}

/// As [`lio_listio`].
///
/// # Safety
/// As the C library's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lio_listio64(mode: c_int, list: *const usize, count: c_int, event: *const c_void) -> c_int {
    // SAFETY: by the caller's promise.
    unsafe { list_by(&LIO_LISTIO64, mode, list, count, event) }
}
