//! Bare threads: made by the kernel alone, without the C library, for work of ours while the world is stopped.
//!
//! The new thread shares everything with the calling one: also its thread pointer, so it must neither use thread-local
//! storage nor call the C library, but to copy and clear memory. It takes over the mask of signals, of which its maker has blocked all. The flags are
//! those that glibc makes its own threads with, which a sandbox that lets a program have threads lets pass.
//!
//! Threads: the collecting thread starts and joins.

use super::{
    bare::{self, Ids},
    clock, mem, sys, thread, tls,
};
use crate::base::{
    addr::Range,
    sync::{AtomicU32, Ordering},
};
use core::ffi::c_void;

const FLAGS: i32 = libc::CLONE_VM
    | libc::CLONE_FS
    | libc::CLONE_FILES
    | libc::CLONE_SYSVSEM
    | libc::CLONE_SIGHAND
    | libc::CLONE_THREAD
    | libc::CLONE_SETTLS
    | libc::CLONE_PARENT_SETTID
    | libc::CLONE_CHILD_CLEARTID;

const LONG_NS: u64 = 100_000_000;

/// A place for a bare thread: its stack, and the word that says whether one is there.
pub struct Helper {
    stack: Range,
    /// Not zero from the start; the kernel clears it when the thread has run its last instruction.
    running: AtomicU32,
    /// The id of the last thread that was here; the kernel sets it.
    tid: AtomicU32,
}

impl Helper {
    /// A place with a stack of `bytes`, below which lies a page that nobody may touch. `None` when the system refuses.
    pub fn new(bytes: usize) -> Option<Helper> {
        let start = mem::reserve(mem::PAGE + bytes, mem::PAGE)?;
        let stack = Range::sized(start + mem::PAGE, bytes);
        if mem::commit(stack) {
            return Some(Helper { stack, running: AtomicU32::new(0), tid: AtomicU32::new(0) });
        }
        mem::release(start, mem::PAGE + bytes);
        None
    }

    /// Starts a thread that calls `run` with `data` and ends. `false` when the system refuses.
    ///
    /// # Safety
    /// No thread is here: the last one has been [`join`](Self::join)ed. `run` keeps to what
    /// such a thread may do; `data` is what it wants, and stays until then.
    pub unsafe fn start(&self, run: extern "C" fn(*mut c_void), data: *mut c_void) -> bool {
        self.running.store(1, Ordering::Relaxed);
        let ids = Ids { parent: self.tid.as_ptr(), child: self.running.as_ptr() };
        // SAFETY: our own stack, which nobody uses now; the rest by the caller's promise.
        let result = unsafe { bare::start(FLAGS, self.stack.end, &ids, tls::thread_pointer(), run, data) };
        if result < 0 {
            self.running.store(0, Ordering::Relaxed);
        }
        result > 0
    }

    /// Waits until the thread has ended: what it had is the caller's again.
    pub fn join(&self) {
        // Acquire: what the thread wrote is seen; the kernel clears the word after it, with a full barrier.
        while self.running.load(Ordering::Acquire) != 0 {
            // The kernel wakes by the word's place in memory, as processes that share it would.
            sys::futex_wait_shared(&self.running, 1);
        }
    }

    /// Waits until the kernel has forgotten the thread too, so that it is in no list and no count. It has been
    /// [`join`](Self::join)ed, so that is soon. One that a debugger still wants to see stays a zombie, and is not waited
    /// for; nor is one that gets no processor for long.
    pub fn await_end(&self) {
        let tid = self.tid.load(Ordering::Relaxed);
        let deadline_ns = clock::now_ns() + LONG_NS;
        while thread::send(tid, 0) == thread::Sent::Delivered
            && !thread::is_zombie(tid)
            && clock::now_ns() < deadline_ns
        {
            thread::yield_now();
        }
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use crate::os::signal;

    extern "C" fn add_one(data: *mut c_void) {
        // SAFETY: the test passes an atomic that outlives the thread.
        unsafe { &*data.cast::<AtomicU32>() }.fetch_add(1, Ordering::Relaxed);
    }

    #[test]
    fn a_helper_runs_once_each_time_and_is_gone() {
        let helper = Helper::new(64 << 10).expect("memory");
        let sum = AtomicU32::new(0);
        let mask = signal::block_all();
        for round in 1..=1000 {
            // SAFETY: joined below; `add_one` is one instruction; `sum` stays.
            assert!(unsafe { helper.start(add_one, (&raw const sum).cast_mut().cast()) });
            helper.join();
            helper.await_end();
            let tid = helper.tid.load(Ordering::Relaxed);
            assert!(thread::for_each_id(|listed| assert_ne!(listed, tid, "round {round}")));
            assert_eq!(sum.load(Ordering::Relaxed), round);
        }
        signal::set_mask(mask);
    }
}
