//! Registers: those of a thread that a signal has interrupted, as the kernel has saved them for the handler's return.
//!
//! The general ones are an array. The others lie in the area that the instruction XSAVE has written, each part where the
//! processor says:
//!
//! ```text
//!   0    32        416    512       576          1088    1152
//!   |....| x87, xmm |......| header  | ymm, upper |......| mask | zmm, upper | ...
//! ```
//!
//! The dots, and each part that the header does not name, are what lay on the stack before: the kernel makes room for the
//! area and does not clear it. A thread is stopped at the same depth of its stack again and again, so an address left there
//! would be found at each collection. What is not named is zero in the registers: XRSTOR reads no more than this.
//!
//! Holds:   every register that the interrupted code has is in a range, and nothing that is none of them.
//! Threads: any; the layout is the processor's, and asked once.

use super::{memcheck, signal};
use crate::base::{
    addr::{Addr, Range},
    bits,
};
use core::{
    arch::x86_64::__cpuid_count,
    sync::atomic::{AtomicU32, Ordering::Relaxed},
};

/// "FPXS": software bytes of the area say that it is XSAVE's, and how long.
const XSTATE_MAGIC: u32 = 0x4650_5853;
const SOFTWARE_OFFSET: usize = 464;
/// The registers of the x87 unit and the first sixteen vector ones.
const LEGACY: core::ops::Range<usize> = 32..416;
/// Where the header is: the parts that are in use, and how they are laid out.
const HEADER_OFFSET: usize = 512;
const HEADER_BYTES: usize = 64;
/// Part 0 is the x87 unit's, part 1 the vector registers': both are in `LEGACY`.
const LEGACY_PARTS: u64 = 3;
const PARTS: usize = 64;

/// Hands the ranges that hold the interrupted code's registers to `visit`, general ones first.
///
/// # Safety
/// `context` is the third argument of a handler that has not returned.
pub unsafe fn for_each_range(context: *const libc::c_void, mut visit: impl FnMut(Range)) {
    // SAFETY: by the caller's promise it is a `ucontext_t`, and its vector area, if any, has the kernel's layout.
    unsafe {
        let machine = &raw const (*context.cast::<libc::ucontext_t>()).uc_mcontext;
        visit(Range::sized(Addr::of(&raw const (*machine).gregs), size_of_val(&(*machine).gregs)));
        let area = Addr::of((*machine).fpregs);
        if area.is_null() {
            return;
        }
        if memcheck::is_simulated() {
            visit(simulated(context, area));
        } else {
            for_each_saved(area, visit);
        }
    }
}

/// The frame that the kernel has made for the handler: all that it has written there, and what it skipped. `None`: it cannot be
/// told, as under valgrind, which makes its own.
///
/// # Safety
/// As for [`for_each_range`].
pub unsafe fn frame(context: *const libc::c_void) -> Option<Range> {
    const RETURN_ADDRESS_BYTES: usize = size_of::<usize>();
    const BYTES_MAX: usize = 64 << 10;
    // SAFETY: by the caller's promise it is a `ucontext_t`, and its vector area, if any, has the kernel's layout.
    let (area, bytes) = unsafe {
        let area = Addr::of((*context.cast::<libc::ucontext_t>()).uc_mcontext.fpregs);
        if area.is_null() || memcheck::is_simulated() {
            return None;
        }
        let software = (area + SOFTWARE_OFFSET).get() as *const u32;
        // The second word is the size with the end marker.
        (area, if *software == XSTATE_MAGIC { *software.add(1) as usize } else { HEADER_OFFSET })
    };
    let context = Addr::of(context);
    let frame = Range::new(Addr::new(context.get() - RETURN_ADDRESS_BYTES), area + bytes);
    (context < area && frame.bytes() <= BYTES_MAX).then_some(frame)
}

/// The parts of the area that the kernel has saved registers in.
///
/// # Safety
/// The kernel has written it.
unsafe fn for_each_saved(area: Addr, mut visit: impl FnMut(Range)) {
    visit(Range::new(area + LEGACY.start, area + LEGACY.end));
    // SAFETY: by the caller's promise; all of it is as long as it says.
    let (magic, bytes) = unsafe {
        let software = (area + SOFTWARE_OFFSET).get() as *const u32;
        // magic, size with the end marker, parts (8 bytes), size of the area
        (*software, *software.add(4) as usize)
    };
    if magic != XSTATE_MAGIC || bytes < HEADER_OFFSET + HEADER_BYTES {
        return;
    }
    // SAFETY: as above.
    let [in_use, layout] = unsafe { *((area + HEADER_OFFSET).get() as *const [u64; 2]) };
    let mut are_known = layout == 0;
    bits::for_each_bit(in_use & !LEGACY_PARTS, |part| match part_of(part) {
        Some(part) if part.end <= bytes => visit(Range::new(area + part.start, area + part.end)),
        _ => are_known = false,
    });
    if !are_known {
        // Laid out in a manner that the processor has not told us of.
        visit(Range::new(area + HEADER_OFFSET, area + bytes));
    }
}

/// Where a part begins and ends in the area, by the processor's word. `None`: it knows no such part.
fn part_of(part: usize) -> Option<core::ops::Range<usize>> {
    const UNASKED: u32 = 0;
    const UNKNOWN: u32 = u32::MAX;
    /// The offset in the upper half, the bytes in the lower one.
    static ANSWERS: [AtomicU32; PARTS] = [const { AtomicU32::new(UNASKED) }; PARTS];
    const LEAF: u32 = 0xd;
    // Relaxed: the number is all there is, and whoever asks twice hears the same.
    let answer = match ANSWERS[part].load(Relaxed) {
        UNASKED => {
            let answer = __cpuid_count(LEAF, part as u32);
            let (bytes, offset) = (answer.eax as usize, answer.ebx as usize);
            let is_known = (1..1 << 16).contains(&bytes) && (HEADER_OFFSET + HEADER_BYTES..1 << 15).contains(&offset);
            let packed = if is_known { answer.ebx << 16 | answer.eax } else { UNKNOWN };
            ANSWERS[part].store(packed, Relaxed);
            packed
        }
        known => known,
    };
    let (offset, bytes) = ((answer >> 16) as usize, answer as usize & 0xffff);
    (answer != UNKNOWN).then(|| offset..offset + bytes)
}

/// Where valgrind keeps all registers of the interrupted code: the vector area of the context is empty, and the simulated
/// processor's state lies behind it, at the end of the handler's frame.
///
/// # Safety
/// As for [`for_each_range`]; `area` is the context's vector area.
unsafe fn simulated(context: *const libc::c_void, area: Addr) -> Range {
    // SAFETY: by the caller's promise it is a `ucontext_t`.
    let (below_red_zone, alternate) = unsafe {
        let alternate = &(*context.cast::<libc::ucontext_t>()).uc_stack;
        (
            Addr::new(signal::stack_pointer(context).get() - signal::RED_ZONE_BYTES),
            Range::sized(Addr::of(alternate.ss_sp), alternate.ss_size),
        )
    };
    // The frame lies right below the interrupted code's, or at the end of the alternate stack.
    let end = if alternate.contains(area) { alternate.end } else { below_red_zone };
    Range::new(area, end)
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::super::sys;
    use super::*;
    use core::arch::asm;
    use core::ffi::c_void;
    use core::sync::atomic::AtomicU64;
    use std::{is_x86_feature_detected, thread, vec};

    const SIGNAL: i32 = libc::SIGUSR2;
    /// What the stack of the handler is full of before.
    const STALE: usize = 0x5ca1_ab1e_0000_0000;
    /// What registers hold: this, and their number.
    const PLANTED: usize = 0x600d_600d_0000_0000;

    static STALE_FOUND: AtomicU32 = AtomicU32::new(0);
    static PLANTED_FOUND: AtomicU64 = AtomicU64::new(0);

    extern "C" fn on_signal(_: i32, _: *mut c_void, context: *mut c_void) {
        let mut is_general = true;
        // SAFETY: what the kernel has passed.
        unsafe {
            for_each_range(context, |range| {
                for at in (range.start.get()..range.end.get()).step_by(size_of::<usize>()) {
                    let word = *(at as *const usize);
                    let number = word & 0xffff_ffff;
                    match word - number {
                        // A general one may hold what was last written into the stack.
                        STALE if !is_general => _ = STALE_FOUND.fetch_add(1, Relaxed),
                        PLANTED => _ = PLANTED_FOUND.fetch_or(1 << number, Relaxed),
                        _ => {}
                    }
                }
                is_general = false;
            });
        }
    }

    /// Calls the handler on a stack full of stale words, while `raise` has put words into registers: how many of the stale
    /// ones it found, and which of the others.
    fn found_while(raise: fn([usize; 3])) -> (u32, u64) {
        STALE_FOUND.store(0, Relaxed);
        PLANTED_FOUND.store(0, Relaxed);
        let mut stack = vec![0usize; (256 << 10) / size_of::<usize>()];
        for (index, word) in stack.iter_mut().enumerate() {
            // SAFETY: a word of ours; no vector register comes to hold it.
            unsafe { core::ptr::from_mut(word).write_volatile(STALE | index) };
        }
        let new = libc::stack_t { ss_sp: stack.as_mut_ptr().cast(), ss_flags: 0, ss_size: size_of_val(&stack[..]) };
        let former = signal::own_alternate_stack();
        // SAFETY: the stack is there until the former one is again; the signal is caught.
        unsafe {
            signal::change_alternate_stack(&raw const new, core::ptr::null_mut()).unwrap();
            raise([sys::process_id() as usize, sys::call(libc::SYS_gettid, [0; 6]) as usize, SIGNAL as usize]);
            signal::change_alternate_stack(&raw const former, core::ptr::null_mut()).unwrap();
        }
        (STALE_FOUND.load(Relaxed), PLANTED_FOUND.load(Relaxed))
    }

    /// Number 1 in a general register, 2 in a vector one.
    fn raise_plainly([process, thread, number]: [usize; 3]) {
        // SAFETY: sends a signal that is caught.
        unsafe {
            asm!("movq xmm7, {word}", "syscall", word = in(reg) PLANTED | 2, out("xmm7") _, in("r15") PLANTED | 1,
                inout("rax") libc::SYS_tgkill => _, in("rdi") process, in("rsi") thread, in("rdx") number,
                out("rcx") _, out("r11") _);
        }
    }

    /// As `raise_plainly`, and 3 in the upper half of a register of AVX.
    #[target_feature(enable = "avx2")]
    fn raise_with_avx([process, thread, number]: [usize; 3]) {
        // SAFETY: as above.
        unsafe {
            asm!("vmovq xmm7, {word}", "inc {word}", "vmovq xmm6, {word}", "vinserti128 ymm15, ymm7, xmm6, 1", "syscall",
                word = inout(reg) PLANTED | 2 => _, out("xmm6") _, out("xmm7") _, out("xmm15") _, in("r15") PLANTED | 1,
                inout("rax") libc::SYS_tgkill => _, in("rdi") process, in("rsi") thread, in("rdx") number,
                out("rcx") _, out("r11") _);
        }
    }

    /// As `raise_with_avx`, and 4 in the upper half of a register of AVX-512, 5 in one that AVX does not have, 6 in a mask.
    #[target_feature(enable = "avx512f,avx512bw")]
    fn raise_with_avx512([process, thread, number]: [usize; 3]) {
        // SAFETY: as above.
        unsafe {
            asm!("vmovq xmm7, {word}", "inc {word}", "vmovq xmm6, {word}", "vinserti128 ymm15, ymm7, xmm6, 1", "inc {word}",
                "vmovq xmm6, {word}", "vinserti32x4 zmm14, zmm6, xmm6, 3", "inc {word}", "vmovq xmm20, {word}", "inc {word}",
                "kmovq k3, {word}", "vpxor xmm6, xmm6, xmm6", "syscall",
                word = inout(reg) PLANTED | 2 => _, out("xmm6") _, out("xmm7") _, out("xmm14") _, out("xmm15") _,
                out("xmm20") _, out("k3") _, in("r15") PLANTED | 1,
                inout("rax") libc::SYS_tgkill => _, in("rdi") process, in("rsi") thread, in("rdx") number,
                out("rcx") _, out("r11") _);
        }
    }

    #[test]
    fn all_registers_are_found_and_nothing_that_lay_there_before() {
        signal::install(SIGNAL, on_signal).unwrap();
        // A thread of its own: its alternate stack is changed.
        let work = || {
            assert_eq!(found_while(raise_plainly), (0, 0b110));
            if is_x86_feature_detected!("avx2") {
                // SAFETY: the processor has it.
                assert_eq!(found_while(|arguments| unsafe { raise_with_avx(arguments) }), (0, 0b1110));
            }
            if is_x86_feature_detected!("avx512bw") {
                // SAFETY: the processor has it.
                assert_eq!(found_while(|arguments| unsafe { raise_with_avx512(arguments) }), (0, 0b111_1110));
            }
        };
        thread::spawn(work).join().unwrap();
    }

    #[test]
    fn an_area_that_cannot_be_understood_is_read_whole() {
        const BYTES: usize = 1024;
        #[repr(align(64))]
        struct Area([u64; BYTES / 8]);
        let ranges_of = |in_use: u64, layout: u64, magic: u32| {
            let mut area = Area([0; BYTES / 8]);
            area.0[SOFTWARE_OFFSET / 8] = u64::from(magic);
            area.0[SOFTWARE_OFFSET / 8 + 2] = BYTES as u64;
            area.0[HEADER_OFFSET / 8] = in_use;
            area.0[HEADER_OFFSET / 8 + 1] = layout;
            let (start, mut ranges) = (Addr::of(&raw const area), vec![]);
            // SAFETY: laid out as the kernel does.
            unsafe { for_each_saved(start, |range| ranges.push((range.start - start, range.end - start))) };
            ranges
        };
        const OLD: (usize, usize) = (LEGACY.start, LEGACY.end);
        const REST: (usize, usize) = (HEADER_OFFSET, BYTES);
        assert_eq!(ranges_of(LEGACY_PARTS, 0, XSTATE_MAGIC), [OLD]);
        assert_eq!(ranges_of(1 << 2, 0, 0), [OLD], "an area of FXSAVE");
        assert_eq!(ranges_of(0, 1 << 63, XSTATE_MAGIC), [OLD, REST], "packed");
        assert_eq!(ranges_of(1 << 61, 0, XSTATE_MAGIC), [OLD, REST], "an unknown part");
        if is_x86_feature_detected!("avx") {
            assert_eq!(ranges_of(1 << 2, 0, XSTATE_MAGIC), [OLD, (576, 832)]);
        }
    }
}
