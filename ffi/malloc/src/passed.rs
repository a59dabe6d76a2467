//! Condemned objects that are handed to the kernel, with `collect=verify`.
//!
//! The kernel meets no fault at a barred page: its call fails with `EFAULT`, and a datagram may be lost by then. So before a
//! call of the C library's that waits or sends, its arguments are looked at, and where they are arrays of buffers, those. Who hands
//! the address of a condemned object over has it, and is reported; the page is open when the call is made.
//!
//! Threads: the one that makes the call, before it does.

use crate::regions::Original;
use core::{arch::naked_asm, ffi::CStr, mem::size_of};
use gleaner::{
    base::addr::Addr,
    collect::condemned::{self, Access},
    heap::cage,
    os::{backtrace::Backtrace, copying},
};
use gleaner_abi::exports::errno;

/// Looks at the arguments of the call that `rax` points to, an [`Original`], and goes on at `r11`.
///
/// # Safety
/// `r11` is a function that takes the arguments, and `rax`.
#[unsafe(naked)]
pub unsafe extern "C" fn look_and_go() {
    naked_asm!(
        ".cfi_startproc",
        "push rdi",
        ".cfi_adjust_cfa_offset 8",
        "push rsi",
        ".cfi_adjust_cfa_offset 8",
        "push rdx",
        ".cfi_adjust_cfa_offset 8",
        "push rcx",
        ".cfi_adjust_cfa_offset 8",
        "push r8",
        ".cfi_adjust_cfa_offset 8",
        "push r9",
        ".cfi_adjust_cfa_offset 8",
        "push rax",
        ".cfi_adjust_cfa_offset 8",
        "push r11",
        ".cfi_adjust_cfa_offset 8",
        "mov rdi, rax",
        "lea rsi, [rsp + 16]",
        // Nine words lie above the stack's alignment.
        "sub rsp, 8",
        ".cfi_adjust_cfa_offset 8",
        "call {look}",
        "add rsp, 8",
        ".cfi_adjust_cfa_offset -8",
        "pop r11",
        ".cfi_adjust_cfa_offset -8",
        "pop rax",
        ".cfi_adjust_cfa_offset -8",
        "pop r9",
        ".cfi_adjust_cfa_offset -8",
        "pop r8",
        ".cfi_adjust_cfa_offset -8",
        "pop rcx",
        ".cfi_adjust_cfa_offset -8",
        "pop rdx",
        ".cfi_adjust_cfa_offset -8",
        "pop rsi",
        ".cfi_adjust_cfa_offset -8",
        "pop rdi",
        ".cfi_adjust_cfa_offset -8",
        "jmp r11",
        ".cfi_endproc",
        look = sym look,
    )
}

/// How many arguments are looked at.
const ARGUMENTS: usize = 6;

/// `arguments`: the last one first.
extern "C" fn look(call: &Original, arguments: &[usize; ARGUMENTS]) {
    let error = errno::get();
    let name = call.name();
    arguments.iter().for_each(|&argument| look_at(name, argument));
    let second = arguments[ARGUMENTS - 2];
    match name.to_bytes() {
        b"readv" | b"writev" | b"preadv" | b"preadv64" | b"preadv2" | b"preadv64v2" | b"pwritev" | b"pwritev64"
        | b"pwritev2" | b"pwritev64v2" => {
            look_at_buffers(name, second, arguments[ARGUMENTS - 3]);
        }
        b"recvmsg" | b"sendmsg" => look_at_message(name, second),
        b"recvmmsg" | b"sendmmsg" => {
            let count = arguments[ARGUMENTS - 3] as u32 as usize;
            (0..count.min(BUFFERS_MAX)).for_each(|index| look_at_message(name, second + index * MANY_BYTES));
        }
        _ => {}
    }
    errno::set(error);
}

fn look_at(call: &'static CStr, address: usize) {
    if cage::contains(Addr::new(address))
        && let Some(report) = condemned::note_use(Addr::new(address), Access::Passed(call))
    {
        report.print(Backtrace::take().calls());
    }
}

/// As many buffers as the kernel takes.
const BUFFERS_MAX: usize = 1024;
/// `struct iovec`: where, and how many bytes.
type Buffer = [usize; 2];
/// The first words of `struct msghdr`: the name and its length, the buffers and their number, the control data.
type Message = [usize; 5];
/// `struct mmsghdr`.
const MANY_BYTES: usize = 64;

/// The words at an address that may be anything.
fn words_at<const WORDS: usize>(address: usize) -> Option<[usize; WORDS]> {
    let mut words = [0u8; 64];
    let wanted = &mut words[..WORDS * size_of::<usize>()];
    (copying::copy(Addr::new(address), wanted) == wanted.len()).then(|| {
        let mut words = wanted
            .chunks_exact(size_of::<usize>())
            .map(|word| usize::from_ne_bytes(word.try_into().unwrap_or_default()));
        core::array::from_fn(|_| words.next().unwrap_or(0))
    })
}

fn look_at_buffers(call: &'static CStr, buffers: usize, count: usize) {
    for index in 0..count.min(BUFFERS_MAX) {
        let Some([start, _]): Option<Buffer> = words_at(buffers + index * size_of::<Buffer>()) else { return };
        look_at(call, start);
    }
}

fn look_at_message(call: &'static CStr, message: usize) {
    let Some([name, _, buffers, count, control]): Option<Message> = words_at(message) else { return };
    [name, buffers, control].into_iter().for_each(|address| look_at(call, address));
    look_at_buffers(call, buffers, count);
}
