//! Memcheck, the checker of valgrind: what a program tells it about its own memory.
//!
//! A program under valgrind runs on a simulated processor, which knows a sequence of instructions that does nothing on a
//! real one. It hands over the address of six words, the number of a request and five arguments, and gets a word back; a
//! real processor leaves that word as it was. So one request at the start tells whether memcheck is there, and from then
//! on everything here is a test of one byte.
//!
//! Other tools of valgrind check no memory: the heap runs under them as it always does. What all of them change is where
//! the registers of a stopped thread lie, and when it runs: [`is_simulated`].

use crate::base::{
    addr::{Addr, Range},
    sync::{AtomicBool, Ordering},
};
use core::arch::asm;

static RUNNING: AtomicBool = AtomicBool::new(false);
static SIMULATED: AtomicBool = AtomicBool::new(false);

// Requests that valgrind itself answers.
const ARE_YOU_THERE: usize = 0x1001;
const BLOCK_BORN: usize = 0x1301;
const BLOCK_DIED: usize = 0x1302;
const BLOCK_RESIZED: usize = 0x130b;
const STACK_BORN: usize = 0x1501;
const STACK_DIED: usize = 0x1502;
const CHANGE_SILENCE: usize = 0x1801;
// Requests that memcheck answers: the letters M and C, and a number.
const MEMCHECK: usize = (b'M' as usize) << 24 | (b'C' as usize) << 16;
const FORBID: usize = MEMCHECK;
const ALLOW: usize = MEMCHECK + 1;
const DEFINE: usize = MEMCHECK + 2;
const GET_VALIDITY: usize = MEMCHECK + 8;

/// What memcheck answers when it has found the validity of every byte asked for.
const ALL_ADDRESSABLE: usize = 1;

#[inline(never)]
fn request(number: usize, arguments: [usize; 4]) -> usize {
    let [first, second, third, fourth] = arguments;
    let words = [number, first, second, third, fourth, 0];
    let mut answer = 0;
    // SAFETY: four rotations of a register by 128 bits in all and an exchange of a register with itself change nothing;
    // valgrind reads `words` and writes the answer.
    unsafe {
        asm!(
            "rol rdi, 3",
            "rol rdi, 13",
            "rol rdi, 61",
            "rol rdi, 51",
            "xchg rbx, rbx",
            in("rax") words.as_ptr(),
            inlateout("rdx") answer,
            options(nostack),
        );
    }
    answer
}

/// Asks whether valgrind and memcheck are there: whether memcheck is. Called once, before the heap hands anything out.
pub fn detect() -> bool {
    let is_there = validity_of_byte(Addr::of(&raw const RUNNING)) != 0;
    RUNNING.store(is_there, Ordering::Relaxed);
    SIMULATED.store(request(ARE_YOU_THERE, [0; 4]) != 0, Ordering::Relaxed);
    is_there
}

/// Whether the program runs under memcheck.
#[inline(always)]
pub fn is_running() -> bool {
    // Relaxed: written before there is an object, and nothing else depends on it.
    RUNNING.load(Ordering::Relaxed)
}

/// Whether the program runs under any tool of valgrind.
pub fn is_simulated() -> bool {
    // Relaxed: as above.
    SIMULATED.load(Ordering::Relaxed)
}

fn validity_of_byte(at: Addr) -> usize {
    let mut validity = 0u8;
    request(GET_VALIDITY, [at.get(), &raw mut validity as usize, 1, 0])
}

/// Whether memcheck lets the program read the byte at `at`. Only under memcheck.
pub fn is_addressable(at: Addr) -> bool {
    validity_of_byte(at) == ALL_ADDRESSABLE
}

/// An object of `bytes` begins at `start`: from now on they may be written, and read if they are zero or once written.
pub fn note_born(start: Addr, bytes: usize, is_zero: bool) {
    request(BLOCK_BORN, [start.get(), bytes, 0, usize::from(is_zero)]);
}

/// The object at `start` has other bytes now, from its end on as if new.
pub fn note_resized(start: Addr, old_bytes: usize, bytes: usize) {
    request(BLOCK_RESIZED, [start.get(), old_bytes, bytes, 0]);
}

/// The object at `start` is gone: whoever touches it is reported, with the places of its birth and death.
pub fn note_died(start: Addr) {
    request(BLOCK_DIED, [start.get(), 0, 0, 0]);
}

/// Nobody may touch `range`.
pub fn forbid(range: Range) {
    request(FORBID, [range.start.get(), range.bytes(), 0, 0]);
}

/// The bytes of `range` may be read, and have a value.
pub fn define(range: Range) {
    request(DEFINE, [range.start.get(), range.bytes(), 0, 0]);
}

/// There is a stack that the program switches to by itself, free below `sp`: its number, or zero where nobody simulates.
pub fn note_stack_born(stack: Range, sp: Addr) -> u32 {
    if !is_simulated() {
        return 0;
    }
    request(ALLOW, [stack.start.get(), sp - stack.start, 0, 0]);
    request(STACK_BORN, [stack.start.get(), stack.end.get(), 0, 0]) as u32
}

/// The stack with that number is none any more: its bytes, also the dead ones, may be written, and then read.
pub fn note_stack_died(number: u32, stack: Range) {
    if number != 0 {
        request(STACK_DIED, [number as usize, 0, 0, 0]);
        request(ALLOW, [stack.start.get(), stack.bytes(), 0, 0]);
    }
}

/// While it lives, memcheck reports nothing that the calling thread does.
#[must_use]
pub struct Unchecked {
    is_silenced: bool,
}

/// For work that reads what the program has not written, and what it may not touch. Nests.
#[inline]
pub fn unchecked() -> Unchecked {
    let is_silenced = is_running();
    if is_silenced {
        request(CHANGE_SILENCE, [1, 0, 0, 0]);
    }
    Unchecked { is_silenced }
}

impl Drop for Unchecked {
    #[inline]
    fn drop(&mut self) {
        if self.is_silenced {
            request(CHANGE_SILENCE, [usize::MAX, 0, 0, 0]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_leaves_a_real_processor_as_it_was() {
        // Under valgrind this test would say something else.
        assert!(!detect() && !is_running());
        assert_eq!(request(GET_VALIDITY, [0; 4]), 0);
        drop(unchecked());
    }
}
