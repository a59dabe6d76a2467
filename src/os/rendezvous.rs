//! One word that every copy of this library in a process finds, whatever else they see of each other.
//!
//! Copies may be blind to each other's symbols: one was opened with `RTLD_LOCAL`, or bound to itself by
//! `RTLD_DEEPBIND`, or is part of a program that exports nothing, or lies in a namespace of its own. What they share is
//! the process. At its start the kernel puts the auxiliary vector on the initial stack, pairs of a type and a value, and
//! ends it with a pair of type `AT_NULL`, whose value is zero and means nothing: readers stop at the type. That value is
//! the word.
//!
//! ```text
//!   __libc_stack_end                         the pair that is known                  the word
//!   | argc | argv … 0 | environ … 0 | … | AT_RANDOM, address | … | AT_NULL, 0 | … | 16 random bytes |
//! ```
//!
//! Why this place: asking the loader for a symbol may allocate, and its list of objects is behind a lock and shows one
//! namespace; the name of a mapping needs `/proc`; a fixed address may be somebody else's; a variable of the environment
//! would outlive `exec`. The word is found by reading memory, so also in the first `malloc` of a process, before any
//! constructor. It is set by one compare and exchange, so copies that begin at once agree on the first. A fork inherits
//! it with the memory that it points into; `exec` begins anew.
//!
//! `argv` and the environment are not counted through, because programs shorten both in place. The vector is found by
//! the one pair that cannot be mistaken: `AT_RANDOM` with the address that the C library knows for it, which lies above.
//!
//! Holds: nobody but copies of this library writes the word; what it holds is judged before it is followed.

use super::sys;
use crate::base::{addr::Addr, sync::AtomicUsize};

unsafe extern "C" {
    /// The address of `argc` on the initial stack.
    static __libc_stack_end: *const usize;
}

/// The word. `None` when the initial stack is not as Linux lays it out.
pub fn word() -> Option<&'static AtomicUsize> {
    // SAFETY: reads what the C library keeps.
    let (begin, random) = unsafe { (__libc_stack_end, libc::getauxval(libc::AT_RANDOM) as usize) };
    if begin.is_null() || random <= begin as usize || random - begin as usize > STACK_BYTES_MAX {
        return None;
    }
    let words = (random - begin as usize) / size_of::<usize>();
    // SAFETY: from `argc` up to the random bytes it is all initial stack, which stays mapped.
    let stack = unsafe { core::slice::from_raw_parts(begin, words) };
    let known = stack.windows(2).position(|pair| pair == [libc::AT_RANDOM as usize, random])?;
    let pairs = stack[known..].chunks_exact(2).position(|pair| pair[0] == libc::AT_NULL as usize)?;
    // SAFETY: a word of the initial stack, writable and aligned; the copies of this library access it atomically only.
    Some(unsafe { &*begin.add(known + 2 * pairs + 1).cast::<AtomicUsize>() })
}

/// Where the frames of the initial stack end: arguments, environment and what else the kernel has put there lie beyond.
pub fn first_frame() -> Addr {
    // SAFETY: reads what the C library keeps.
    Addr::of(unsafe { __libc_stack_end })
}

/// Arguments and environment take at most 6 MiB.
const STACK_BYTES_MAX: usize = 8 << 20;

/// Whether `bytes` at `addr`, a multiple of 8, may be read. Asks the kernel, which does not fault.
pub fn is_readable(addr: Addr, bytes: usize) -> bool {
    const NO_SUCH_HOW: usize = usize::MAX;
    let may_read = |word: usize| {
        // SAFETY: the kernel reads a set of signals from the address or refuses to; without a valid `how` nothing changes.
        let result = unsafe { sys::call(libc::SYS_rt_sigprocmask, [NO_SUCH_HOW, word, 0, size_of::<u64>(), 0, 0]) };
        result == -(libc::EINVAL as isize)
    };
    addr.get().is_multiple_of(8) && may_read(addr.get()) && may_read(addr.get() + bytes - size_of::<u64>())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::sync::Ordering;

    #[test]
    fn the_word_is_found_again_and_lies_on_the_initial_stack() {
        let found = word().expect("Linux lays the stack out like this");
        assert!(core::ptr::eq(found, word().unwrap()));
        let from_kernel = std::fs::read("/proc/self/auxv").expect("the kernel's own copy");
        let last = from_kernel.chunks_exact(16).position(|pair| pair[..8] == [0; 8]).expect("it ends");
        let first = core::ptr::from_ref(found) as usize - 8 - last * 16;
        // SAFETY: as many bytes below the word as the vector has.
        let ours = unsafe { core::slice::from_raw_parts(first as *const u8, last * 16) };
        assert_eq!(ours, &from_kernel[..last * 16]);
        assert_eq!(found.load(Ordering::Relaxed), 0, "no door is linked into this test");
    }

    #[test]
    fn what_may_be_read_is_told_from_what_may_not() {
        let object = [0u64; 4];
        assert!(is_readable(Addr::of(object.as_ptr()), 32));
        assert!(!is_readable(Addr::of(object.as_ptr()) + 1, 8), "not a multiple of 8");
        assert!(!is_readable(Addr::new(8), 16));
        assert!(!is_readable(Addr::new(usize::MAX - 7), 8));
    }
}
