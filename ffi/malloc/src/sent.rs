//! Messages: what goes into pipes, sockets and queues, and what comes out of them, for the edge (`transfers.c`).
//!
//! The edge asks about messages of 8 to 64 bytes only, and about what comes if anything is on its way.

use crate::{
    faults,
    passed::look_and_go,
    peek,
    regions::{Original, in_region},
    signals,
};
use core::{
    arch::naked_asm,
    cell::Cell,
    ffi::{c_int, c_void},
    mem::MaybeUninit,
    slice,
};
use gleaner::collect::{
    message,
    sent::{self, Channel, Letter, MESSAGE_BYTES_MAX},
};

/// Exports `name`, which jumps to its edge; that calls the C library's function of the name by `call`.
macro_rules! sends {
    ($($name:ident $text:literal $edge:ident $call:ident)*) => {
        $(
            mod $name {
                pub static ORIGINAL: super::Original = super::Original::new($text);
            }

            unsafe extern "C" {
                fn $edge();
            }

            /// As the C library's. An object whose address is in a small message lives until that comes out again.
            ///
            /// # Safety
            /// As the C library's.
            #[unsafe(no_mangle)]
            #[unsafe(naked)]
            #[unsafe(link_section = ".text.hot")]
            pub unsafe extern "C" fn $name() {
                naked_asm!(
                    "cmp byte ptr [rip + {are_looked_at}], 0",
                    "je {edge}",
                    "lea rax, [rip + {original}]",
                    "lea r11, [rip + {edge}]",
                    "jmp {look_and_go}",
                    are_looked_at = sym faults::IS_ON,
                    original = sym $name::ORIGINAL,
                    look_and_go = sym look_and_go,
                    edge = sym $edge,
                )
            }

            /// The C library's function, in a safe region. For the edge.
            ///
            /// # Safety
            /// As the C library's.
            #[unsafe(no_mangle)]
            #[unsafe(naked)]
            #[unsafe(link_section = ".text.hot")]
            pub unsafe extern "C" fn $call() {
                naked_asm!(
                    "lea rax, [rip + {original}]",
                    "jmp {in_region}",
                    original = sym $name::ORIGINAL,
                    in_region = sym in_region,
                )
            }
        )*

        /// Looks all up while one thread runs.
        pub fn find_originals() {
            $($name::ORIGINAL.find();)*
        }
    };
}

sends! {
    write c"write" gleaner_edge_write gleaner_call_write
    writev c"writev" gleaner_edge_writev gleaner_call_writev
    send c"send" gleaner_edge_send gleaner_call_send
    sendto c"sendto" gleaner_edge_sendto gleaner_call_sendto
    sendmsg c"sendmsg" gleaner_edge_sendmsg gleaner_call_sendmsg
    sendmmsg c"sendmmsg" gleaner_edge_sendmmsg gleaner_call_sendmmsg
    splice c"splice" gleaner_edge_splice gleaner_call_splice
    tee c"tee" gleaner_edge_tee gleaner_call_tee
    vmsplice c"vmsplice" gleaner_edge_vmsplice gleaner_call_vmsplice
    mq_send c"mq_send" gleaner_edge_mq_send gleaner_call_mq_send
    mq_timedsend c"mq_timedsend" gleaner_edge_mq_timedsend gleaner_call_mq_timedsend
    mq_receive c"mq_receive" gleaner_edge_mq_receive gleaner_call_mq_receive
    mq_timedreceive c"mq_timedreceive" gleaner_edge_mq_timedreceive gleaner_call_mq_timedreceive
}

// As the edge has it.
const _: () = assert!(size_of::<Letter>() == 19 * size_of::<usize>());

/// The kernel's `struct iovec`.
#[repr(C)]
#[derive(Clone, Copy)]
struct Part {
    start: *const c_void,
    bytes: usize,
}

/// The C library's `struct msghdr`, as far as it concerns us.
#[repr(C)]
#[derive(Clone, Copy)]
struct Header {
    name: *const c_void,
    name_bytes: u32,
    parts: *const Part,
    count: usize,
    control: *const c_void,
    control_bytes: usize,
}

/// A message in more parts is not looked at.
const PARTS_MAX: usize = 8;

/// What a message has been copied into.
struct Copied {
    bytes: [MaybeUninit<u8>; MESSAGE_BYTES_MAX],
    count: usize,
}

impl Copied {
    const NOTHING: Copied = Copied { bytes: [MaybeUninit::uninit(); MESSAGE_BYTES_MAX], count: 0 };

    fn of(start: *const c_void, bytes: usize) -> Copied {
        let mut copied = Copied::NOTHING;
        copied.add(start, bytes);
        copied
    }

    /// Appends. `false`: it is too long, or cannot be read.
    fn add(&mut self, start: *const c_void, bytes: usize) -> bool {
        let place = self.bytes[self.count..].get_mut(..bytes);
        let is_copied = place.is_some_and(|place| peek::copy(start as usize, place));
        self.count += if is_copied { bytes } else { 0 };
        is_copied
    }

    /// The message in so many parts; nothing, if it is too long.
    fn of_parts(parts: *const Part, count: usize) -> Copied {
        let mut copied = Copied::NOTHING;
        if count > PARTS_MAX || !peek::is_readable(parts as usize, count * size_of::<Part>()) {
            return copied;
        }
        // SAFETY: they can be read, and any bytes are a part.
        let part = |index| unsafe { parts.add(index).read_unaligned() };
        let bytes = (0..count).fold(0, |bytes: usize, index| bytes.saturating_add(part(index).bytes));
        let is_small = (size_of::<usize>()..=MESSAGE_BYTES_MAX).contains(&bytes);
        if !is_small || !(0..count).map(part).all(|part| copied.add(part.start, part.bytes)) {
            copied.count = 0;
        }
        copied
    }

    fn of_header(header: *const Header) -> Copied {
        // SAFETY: any bytes are a header.
        let header = unsafe { peek::value(header) };
        if header.is_some_and(|header| header.control_bytes != 0) {
            // There may be descriptors among what it controls.
            sent::note_moved(false);
        }
        header.map_or(Copied::NOTHING, |header| Copied::of_parts(header.parts, header.count))
    }

    fn has_address(&self) -> bool {
        // SAFETY: so many were copied, no fewer than a word's.
        self.count != 0 && unsafe { message::has_address(self.bytes.as_ptr().cast(), self.count) }
    }

    fn as_slice(&self) -> &[u8] {
        // SAFETY: so many were copied.
        unsafe { slice::from_raw_parts(self.bytes.as_ptr().cast(), self.count) }
    }
}

/// Whether anything is on its way. For the edge.
#[unsafe(no_mangle)]
#[unsafe(link_section = ".text.hot")]
pub extern "C" fn gleaner_is_anything_sent() -> c_int {
    c_int::from(!sent::is_empty())
}

/// Whether a message of 8 to [`MESSAGE_BYTES_MAX`] bytes holds an address: what most writes pay. For the edge.
#[unsafe(no_mangle)]
#[unsafe(link_section = ".text.hot")]
pub extern "C" fn gleaner_has_address(start: *const u8, bytes: usize) -> c_int {
    // SAFETY: it can be read, and there are so many.
    c_int::from(peek::is_readable(start as usize, bytes) && unsafe { message::has_address(start, bytes) })
}

/// As [`gleaner_has_address`], of a message in parts, as long as it may be. For the edge.
#[unsafe(no_mangle)]
pub extern "C" fn gleaner_parts_have_address(parts: *const c_void, count: usize) -> c_int {
    c_int::from(Copied::of_parts(parts.cast(), count).has_address())
}

/// As [`gleaner_parts_have_address`], of a message with a header. For the edge.
#[unsafe(no_mangle)]
pub extern "C" fn gleaner_header_has_address(header: *const c_void) -> c_int {
    c_int::from(Copied::of_header(header.cast()).has_address())
}

/// What is in a pipe is about to be moved elsewhere, or to be there, too. For the edge.
#[unsafe(no_mangle)]
pub extern "C" fn gleaner_note_moving(is_doubled: c_int) {
    sent::note_moved(is_doubled != 0);
}

/// A message of up to [`MESSAGE_BYTES_MAX`] is about to be written. For the edge.
///
/// # Safety
/// `letter` has room for one.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gleaner_note_sending(letter: *mut Letter, fd: c_int, start: *const c_void, bytes: usize) {
    // SAFETY: by the caller's promise.
    unsafe { letter.write(Letter::begin(Copied::of(start, bytes).as_slice(), || Channel::of_descriptor(fd))) };
}

/// As [`gleaner_note_sending`], of a message in parts. For the edge.
///
/// # Safety
/// `letter` has room for one.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gleaner_note_sending_parts(
    letter: *mut Letter,
    fd: c_int,
    parts: *const c_void,
    count: usize,
) {
    let copied = Copied::of_parts(parts.cast(), count);
    // SAFETY: by the caller's promise.
    unsafe { letter.write(Letter::begin(copied.as_slice(), || Channel::of_descriptor(fd))) };
}

/// As [`gleaner_note_sending`], of a message with a header. For the edge.
///
/// # Safety
/// `letter` has room for one.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gleaner_note_sending_header(letter: *mut Letter, fd: c_int, header: *const c_void) {
    let copied = Copied::of_header(header.cast());
    // SAFETY: by the caller's promise.
    unsafe { letter.write(Letter::begin(copied.as_slice(), || Channel::of_descriptor(fd))) };
}

/// As [`gleaner_note_sending`], into a message queue: one of System V's, or one of POSIX's. For the edge.
///
/// # Safety
/// `letter` has room for one.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gleaner_note_queueing(
    letter: *mut Letter,
    queue: c_int,
    is_posix: c_int,
    start: *const c_void,
    bytes: usize,
) {
    // SAFETY: by the caller's promise.
    unsafe { letter.write(Letter::begin(Copied::of(start, bytes).as_slice(), || channel_of_queue(queue, is_posix))) };
}

fn channel_of_queue(queue: c_int, is_posix: c_int) -> Option<Channel> {
    if is_posix != 0 { Channel::of_queue(queue) } else { Channel::of_system_v(queue) }
}

/// The call is over: so many bytes were sent, or none if the number is negative. For the edge.
#[unsafe(no_mangle)]
pub extern "C" fn gleaner_note_sent(letter: &Letter, sent_bytes: isize) {
    if !letter.is_empty() {
        letter.end(usize::try_from(sent_bytes).unwrap_or(0));
    }
}

/// So many bytes have come from a descriptor. For the edge.
///
/// # Safety
/// They are at `start`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gleaner_note_received(fd: c_int, start: *const u8, bytes: usize) {
    // SAFETY: by the caller's promise.
    let message = unsafe { slice::from_raw_parts(start, bytes) };
    let signals = Cell::new(false);
    sent::receive(message, || {
        let channel = Channel::of_descriptor(fd);
        signals.set(channel.is_some_and(Channel::is_nameless));
        channel
    });
    if signals.get() {
        signals::note_read(message);
    }
}

/// So many bytes have come from a message queue. For the edge.
///
/// # Safety
/// They are at `start`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gleaner_note_dequeued(queue: c_int, is_posix: c_int, start: *const u8, bytes: usize) {
    // SAFETY: by the caller's promise.
    sent::receive(unsafe { slice::from_raw_parts(start, bytes) }, || channel_of_queue(queue, is_posix));
}
