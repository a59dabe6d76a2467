//! Starting the collector, and what can be asked of the heap.

use super::{begin, with_drop};
use crate::{
    collect::{
        self, Cause,
        start::{self, Door},
    },
    heap::{gate, mutator, surplus},
    os::signal,
};
use core::fmt;

pub use super::options::set_limit;

/// The system has refused what the collector needs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct StartError;

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "gleaner: start: the system has refused address space or the stop signal; raise `ulimit -v`, or choose another \
             signal by GLEANER_OPTIONS=signal=N",
        )
    }
}

impl core::error::Error for StartError {}

/// Starts collecting; ordinarily the first line of `main`. Again does nothing.
///
/// Until then the heap is an allocator and no more: starting reads the kernel's list of mappings and claims a signal, which
/// no allocation does behind its caller's back. From then on every private writable mapping of the process is searched for
/// pointers (stacks, thread-local storage, static data, the memory of C libraries), and what none is found to is taken
/// back: values of [`Gc`](crate::Gc), and what `Box`, `Vec` and all others have allocated and leaked.
///
/// Threads are stopped by that signal, on the stack that they are on: small ones, as of coroutines, have to leave it 8 KiB.
///
/// # Errors
/// [`StartError`] when the system refuses the memory or the signal. The heap goes on as an allocator.
///
/// # Safety
/// The caller vouches for the whole program: whatever it still uses of the heap, it has an address of, or of a byte inside
/// it, in a register, on a stack, or as an aligned word in other memory that is searched. Safe Rust does that by itself, and
/// so does unsafe code that keeps addresses as addresses, with whatever in their low bits. It does not hold for
///
/// - a reference, `Box`, `Vec` or the like in a `#[repr(packed)]` structure in the heap, where it may lie across two words;
///   or a handle, in one whose declaration leaves the field's type open,
/// - addresses that are shifted, xored or compressed, or carry something in their high bits,
/// - the only address of something in a file, be it one that is mapped `MAP_SHARED`, or with the kernel (`epoll`, `io_uring`).
///
/// Who has such a thing keeps the object by a [`Root`](crate::Root), or does not start the collector.
///
/// ```
/// #[global_allocator]
/// static HEAP: gleaner::Gleaner = gleaner::Gleaner;
///
/// fn main() -> Result<(), gleaner::StartError> {
///     // SAFETY: nothing here hides an address.
///     unsafe { gleaner::start()? };
///     for _ in 0..1000 {
///         std::mem::forget(vec![0u8; 100_000]); // comes back
///     }
///     Ok(())
/// }
/// ```
pub unsafe fn start() -> Result<(), StartError> {
    begin::begin();
    signal::stay_on_interrupted_stacks();
    // SAFETY: by the caller's promise.
    let is_ready = unsafe { start::start(Door::Malloc) } || start::is_ready_after_all();
    if is_ready { Ok(()) } else { Err(StartError) }
}

/// Collects now, and runs the destructors that are ready. `false`: nothing was collected, because the collector has not
/// been started, is disabled, or a thread did not stop in time.
///
/// Collections come by themselves; nobody has to call this.
///
/// ```
/// # #[global_allocator] static HEAP: gleaner::Gleaner = gleaner::Gleaner;
/// assert!(!gleaner::collect());
/// # // SAFETY: nothing here hides an address.
/// unsafe { gleaner::start()? };
/// assert!(gleaner::collect());
/// # Ok::<(), gleaner::StartError>(())
/// ```
pub fn collect() -> bool {
    let has_collected = collect::collect(Cause::Forced);
    if collect::settings::finalizers_run_by_themselves() {
        with_drop::run_destructors();
    }
    has_collected
}

/// While there is one of these, nothing is collected; at the heap's limit allocations fail.
///
/// ```
/// # #[global_allocator] static HEAP: gleaner::Gleaner = gleaner::Gleaner;
/// # unsafe { gleaner::start()? };
/// let kept = gleaner::NoCollection::new();
/// assert!(!gleaner::collect());
/// drop(kept);
/// assert!(gleaner::collect());
/// # Ok::<(), gleaner::StartError>(())
/// ```
#[must_use = "collections go on when this is dropped"]
#[derive(Debug)]
pub struct NoCollection(());

impl NoCollection {
    /// From here on nothing is collected.
    #[allow(clippy::new_without_default, reason = "it does something")]
    pub fn new() -> NoCollection {
        collect::disable();
        NoCollection(())
    }
}

impl Drop for NoCollection {
    fn drop(&mut self) {
        collect::enable();
    }
}

/// Gives free memory back to the system, all of it: how many bytes. Collects nothing.
///
/// ```
/// # #[global_allocator] static HEAP: gleaner::Gleaner = gleaner::Gleaner;
/// drop(vec![1u8; 10 << 20]);
/// assert!(gleaner::release() >= 10 << 20);
/// ```
pub fn release() -> usize {
    mutator::register().and_then(gate::enter).map_or(0, |inside| surplus::release_all(&inside))
}
