//! A thread's control block: what the C library keeps of it, from the thread pointer up.
//!
//! It says where the thread's stack lies. The C library's own answer, `pthread_getattr_np`, takes the thread's lock and
//! allocates with that held: a thread that registers itself for that allocation would wait for itself. So the block is read.
//! Every glibc has four words in a row there, at a place that differs:
//!
//! ```text
//!   thread pointer                                                                              the stack's end
//!     | itself | ...  | the block's start | its bytes | those of its guard | asked for | ...  |
//! ```
//!
//! They are known by what they say: start and bytes give an end close behind the thread pointer, and no other words there do.
//! The main thread's are zero: the kernel has made its stack.
//!
//! Threads: the calling thread's own block.

use super::{mem, tls};
use crate::base::addr::{Addr, Range};

/// Bytes of a thread's control block, at most. It lies at the very end of the thread's stack, which ends a page; the main
/// thread's is followed by other data.
pub const BYTES_MAX: usize = 4096;
/// Bytes that it has at least, 2.31's.
const BYTES_MIN: usize = 2304;
/// The block begins where a thread-local variable of this alignment may lie: so far behind its shortest end the stack ends.
const ALIGN_MAX: usize = 64 << 10;
/// What is lower is no address but a number, such as the thread's: the kernel gives none above.
const START_MIN: usize = 4 << 20;
/// Half of the addresses that a program has.
const STACK_BYTES_MAX: usize = 1 << 46;

/// The calling thread's stack: from the end of its guard to its own end, the control block included. A thread of a raw
/// `clone` may have the block of who made it, which tells of another stack. `None`: it is the main thread's block, or not
/// understood.
pub fn stack() -> Option<Range> {
    let tp = tls::thread_pointer();
    // SAFETY: the C library's block of this thread, of which so many words may be read; volatile, because other threads write
    // to some of them.
    find_stack(tp, |index| unsafe { tp.as_ptr::<usize>().add(index).read_volatile() })
}

/// The stack that the words of the block at `tp` tell of, if exactly one.
fn find_stack(tp: Addr, word: impl Fn(usize) -> usize) -> Option<Range> {
    let count = BYTES_MIN / size_of::<usize>();
    let of = |index| stack_of(tp, word(index), word(index + 1), word(index + 2));
    let mut found = (0..count - 2).filter_map(of);
    let stack = found.next()?;
    found.next().is_none().then_some(stack)
}

fn stack_of(tp: Addr, start: usize, bytes: usize, guard_bytes: usize) -> Option<Range> {
    let is_likely = start >= START_MIN && bytes < STACK_BYTES_MAX;
    let is_guard = guard_bytes < bytes && guard_bytes.is_multiple_of(mem::PAGE);
    if !is_likely || !is_guard {
        return None;
    }
    let end = start.checked_add(bytes)?;
    let stack = Range::new(Addr::new(start + guard_bytes), Addr::new(end));
    let is_end = (BYTES_MIN..BYTES_MIN + ALIGN_MAX).contains(&end.wrapping_sub(tp.get()));
    (is_end && stack.contains(tp)).then_some(stack)
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use core::ffi::c_void;
    use std::{vec, vec::Vec};

    /// What the C library says of the calling thread's stack.
    fn reported() -> Range {
        // SAFETY: asks about the calling thread; the outputs are ours; the attributes are destroyed once.
        unsafe {
            let mut attributes: libc::pthread_attr_t = core::mem::zeroed();
            let (mut low, mut bytes) = (core::ptr::null_mut(), 0);
            assert_eq!(libc::pthread_getattr_np(libc::pthread_self(), &mut attributes), 0);
            assert_eq!(libc::pthread_attr_getstack(&attributes, &mut low, &mut bytes), 0);
            libc::pthread_attr_destroy(&mut attributes);
            Range::sized(Addr::of(low), bytes)
        }
    }

    extern "C" fn compare(compared: *mut c_void) -> *mut c_void {
        // SAFETY: `run_with` passes such a pair, and waits.
        unsafe { *compared.cast::<(Option<Range>, Range)>() = (stack(), reported()) };
        core::ptr::null_mut()
    }

    /// What a thread with attributes that `set` has changed reads, and what it is told.
    fn run_with(set: impl FnOnce(*mut libc::pthread_attr_t) -> i32) -> (Option<Range>, Range) {
        let mut compared = (None, Range::default());
        // SAFETY: the attributes live as long as the calls; the thread has ended when they return.
        unsafe {
            let mut attributes: libc::pthread_attr_t = core::mem::zeroed();
            let mut thread = core::mem::zeroed();
            assert_eq!(libc::pthread_attr_init(&mut attributes), 0);
            assert_eq!(set(&mut attributes), 0);
            assert_eq!(libc::pthread_create(&mut thread, &attributes, compare, (&raw mut compared).cast()), 0);
            assert_eq!(libc::pthread_join(thread, core::ptr::null_mut()), 0);
            libc::pthread_attr_destroy(&mut attributes);
        }
        compared
    }

    #[test]
    fn the_block_says_what_the_c_library_says() {
        let mut memory = vec![0u8; 1 << 20];
        // At an odd place, as long as a program may choose it.
        let stack: *mut c_void = (&raw mut memory[123]).cast();
        // SAFETY: the attributes are `run_with`'s, and the memory outlives the thread.
        let all = unsafe {
            [
                run_with(|_| 0),
                run_with(|attributes| libc::pthread_attr_setguardsize(attributes, 0)),
                run_with(|attributes| libc::pthread_attr_setguardsize(attributes, 70_000)),
                run_with(|attributes| libc::pthread_attr_setstacksize(attributes, 300_000)),
                run_with(|attributes| libc::pthread_attr_setstack(attributes, stack, 500_000)),
            ]
        };
        for (read, reported) in all {
            assert_eq!(read, Some(reported));
        }
    }

    /// A block of words that say nothing, but for some.
    fn block(told: &[(usize, [usize; 3])]) -> Vec<usize> {
        let mut words = vec![0; BYTES_MIN / size_of::<usize>()];
        for &(index, three) in told {
            words[index..index + 3].copy_from_slice(&three);
        }
        words
    }

    #[test]
    fn words_that_say_something_else_are_no_stack() {
        let tp = Addr::new(0x7f12_3456_7700);
        let find = |told: &[(usize, [usize; 3])]| {
            let words = block(told);
            find_stack(tp, |index| words[index])
        };
        let end = 0x7f12_3456_8000;
        let start = end - 0x80_1000;
        let stack = [start, 0x80_1000, 0x1000];
        assert_eq!(find(&[(200, stack)]), Some(Range::new(Addr::new(start + 0x1000), Addr::new(end))));
        assert_eq!(find(&[(0, stack)]), find(&[(285, stack)]), "at any place");
        assert_eq!(find(&[]), None);
        assert_eq!(find(&[(10, stack), (200, stack)]), None, "twice");
        assert_eq!(find(&[(200, [0x80_1000, start, 0x1000])]), None, "in another order");
        assert_eq!(find(&[(200, [start, 0x80_1000, 0x1234])]), None, "no guard");
        assert_eq!(find(&[(200, [start, 0x80_1000, 0x80_1000])]), None, "nothing but a guard");
        assert_eq!(find(&[(200, [start, 0x80_0000, 0x1000])]), None, "an end before that of the block");
        assert_eq!(find(&[(200, [start, 0x90_1000, 0x1000])]), None, "an end far behind the block");
    }
}
