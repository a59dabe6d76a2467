//! Threads as the kernel knows them: ids, wake-ups, the list of tasks, and the barrier on all processors.

use super::{
    filter,
    path::Path,
    signal,
    sys::{self, File},
};
use crate::base::sync::{AtomicBool, Ordering, fence};
use core::{ffi::CStr, fmt::Write};

/// The kernel's id of the calling thread.
pub fn id() -> u32 {
    // SAFETY: gettid has no arguments and cannot fail.
    unsafe { sys::call(libc::SYS_gettid, [0; 6]) as u32 }
}

/// What became of a signal for a thread.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Sent {
    /// It will arrive unless the thread ends first.
    Delivered,
    /// There is no such thread.
    Gone,
    /// The queue of real-time signals is full: try again.
    Busy,
    /// The system does not allow it.
    Refused,
}

/// Sends `signal` to thread `tid` of this process; signal 0 only asks whether the thread is there.
pub fn send(tid: u32, signal: i32) -> Sent {
    let args = [sys::process_id() as usize, tid as usize, signal as usize, 0, 0, 0];
    // SAFETY: a signal to a thread of our own process; its handler is ours, or there is none for signal 0.
    match sys::checked(unsafe { sys::call(libc::SYS_tgkill, args) }) {
        Ok(_) => Sent::Delivered,
        Err(libc::ESRCH) => Sent::Gone,
        Err(libc::EAGAIN) => Sent::Busy,
        Err(_) => Sent::Refused,
    }
}

/// Whether thread `tid` of this process has ended: it is not listed any more, or only as a zombie.
///
/// A main thread that called `pthread_exit` stays listed as a zombie until the process ends.
pub fn has_ended(tid: u32) -> bool {
    send(tid, 0) == Sent::Gone || matches!(state_letter(tid), Some(b'Z' | b'X'))
}

/// Whether the thread has ended and somebody, such as a debugger, has still to take note of it.
pub fn is_zombie(tid: u32) -> bool {
    state_letter(tid) == Some(b'Z')
}

/// Whether the thread waits for nothing but a processor.
pub fn is_runnable(tid: u32) -> bool {
    state_letter(tid) == Some(b'R')
}

/// Whether `signal`, which the thread was sent long ago, has not reached it: it has blocked it, or waits where no signal
/// wakes it. One that a debugger holds is not deaf: the signal reaches it when it is let go.
pub fn is_deaf_to(tid: u32, signal: i32) -> bool {
    match state_letter(tid) {
        Some(b'R' | b't') => waits_behind_mask(tid, signal),
        _ => system_call_of(tid).is_some_and(|number| number != libc::SYS_execve && number != libc::SYS_execveat),
    }
}

/// Whether the thread sleeps, has been sent `signal`, and blocks it: who masks signals for a moment does not sleep meanwhile.
pub fn sleeps_behind_mask(tid: u32, signal: i32) -> bool {
    state_letter(tid) == Some(b'S') && waits_behind_mask(tid, signal) && is_deaf_to(tid, signal)
}

/// The number of the system call that the thread waits in. None if it runs, as it may again since its state was read.
///
/// One that waits in `execve` ends all other threads: what it is sent would meet the next program.
fn system_call_of(tid: u32) -> Option<i64> {
    let file = task_file(tid, "syscall")?;
    let mut text = [0u8; 16];
    let length = file.read(&mut text).ok()?;
    let digits = text[..length].iter().map_while(|&digit| (digit as char).to_digit(10));
    digits.fold(None, |number, digit| Some(number.unwrap_or(0) * 10 + i64::from(digit)))
}

/// Whether the thread has been sent `signal` and blocks it. One that is in the signal's handler blocks it, too, but it
/// does not wait any more.
fn waits_behind_mask(tid: u32, signal: i32) -> bool {
    let Some(file) = task_file(tid, "status") else { return false };
    let mut text = [0u8; 4096];
    let Ok(length) = file.read(&mut text) else { return false };
    let set = |label: &[u8]| -> Option<signal::Set> {
        let start = text[..length].windows(label.len()).position(|part| part == label)? + label.len();
        let digits = text[start..length].iter().map_while(|&digit| (digit as char).to_digit(16));
        Some(digits.fold(0, |set, digit| set << 4 | signal::Set::from(digit)))
    };
    let waiting = set(b"\nSigPnd:\t").unwrap_or(0) & set(b"\nSigBlk:\t").unwrap_or(0);
    waiting & signal::set_of(signal) != 0
}

fn state_letter(tid: u32) -> Option<u8> {
    let file = task_file(tid, "stat")?;
    let mut text = [0u8; 256];
    let length = file.read(&mut text).ok()?;
    // The name in parentheses may itself hold any character, so the last parenthesis counts.
    let after_name = text[..length].iter().rposition(|&byte| byte == b')')?;
    text[..length].get(after_name + 2).copied()
}

/// Longer than the path of any file of a thread.
const PATH_MAX: usize = 40;

/// What the kernel says of a thread of this process.
fn task_file(tid: u32, name: &str) -> Option<File> {
    let mut path = Path::<PATH_MAX>::new();
    write!(path, "/proc/self/task/{tid}/{name}").ok()?;
    File::open(path.c_str()?).ok()
}

/// The number of threads of this process, if the system tells: directories in the task list, less the two of its own.
pub fn count() -> Option<usize> {
    if filter::is_strict() {
        return None;
    }
    // SAFETY: an all-zero `stat` is a valid value, and the kernel fills it.
    let mut stat: libc::stat = unsafe { core::mem::zeroed() };
    let args =
        [libc::AT_FDCWD as usize, c"/proc/self/task".as_ptr() as usize, &mut stat as *mut libc::stat as usize, 0, 0, 0];
    // SAFETY: the path is constant and `stat` is ours.
    sys::checked(unsafe { sys::call(libc::SYS_newfstatat, args) }).ok()?;
    (stat.st_nlink as usize).checked_sub(2)
}

/// Whether `/proc` counts threads as this process does. One in a namespace of processes with the `/proc` of another does
/// not: there every thread has a second id.
fn has_our_ids() -> bool {
    let mut link = [0u8; 32];
    let path = c"/proc/thread-self".as_ptr() as usize;
    let args = [libc::AT_FDCWD as usize, path, link.as_mut_ptr() as usize, link.len(), 0, 0];
    // SAFETY: the path is constant, and the link is ours for the length given.
    let Ok(length) = sys::checked(unsafe { sys::call(libc::SYS_readlinkat, args) }) else { return false };
    let mut expected = Path::<32>::new();
    let is_written = write!(expected, "{}/task/{}", sys::process_id(), id()).is_ok();
    is_written && expected.bytes() == &link[..length]
}

/// Visits the ids of all threads of this process. `false` when the system does not tell.
pub fn for_each_id(visit: impl FnMut(u32)) -> bool {
    has_our_ids() && for_each_number(c"/proc/self/task", visit)
}

/// Whether all threads of the process have the same descriptors. `false` also when the system does not tell.
pub(super) fn share_descriptors() -> bool {
    const KCMP_FILES: usize = 2;
    let myself = id() as usize;
    let mut are_shared = true;
    let is_whole = for_each_id(|tid| {
        // SAFETY: compares, and changes nothing.
        let result = unsafe { sys::call(libc::SYS_kcmp, [myself, tid as usize, KCMP_FILES, 0, 0, 0]) };
        are_shared &= result == 0;
    });
    is_whole && are_shared
}

/// Whether the thread may be in a call that gets it what others have written, or a descriptor for that. The world is
/// stopped, and the thread is in a region.
pub fn may_be_receiving(tid: u32) -> bool {
    const CALLS: [i64; 11] = [
        libc::SYS_accept,
        libc::SYS_accept4,
        libc::SYS_read,
        libc::SYS_readv,
        libc::SYS_preadv2,
        libc::SYS_recvfrom,
        libc::SYS_recvmsg,
        libc::SYS_recvmmsg,
        libc::SYS_splice,
        libc::SYS_tee,
        libc::SYS_vmsplice,
    ];
    system_call_of(tid).is_none_or(|number| CALLS.contains(&number))
}

/// Visits the names in a directory that are numbers. `false` when it cannot be read.
pub(super) fn for_each_number(path: &CStr, mut visit: impl FnMut(u32)) -> bool {
    let Ok(directory) = File::open(path) else { return false };
    let mut buffer = [0u64; 512];
    loop {
        let args = [directory.descriptor() as usize, buffer.as_mut_ptr() as usize, size_of_val(&buffer), 0, 0, 0];
        // SAFETY: the kernel fills the buffer with directory records.
        let Ok(length) = sys::checked(unsafe { sys::call(libc::SYS_getdents64, args) }) else { return false };
        if length == 0 {
            return true;
        }
        // SAFETY: the kernel wrote `length` bytes, and any bytes are valid.
        let bytes = unsafe { core::slice::from_raw_parts(buffer.as_ptr().cast::<u8>(), length) };
        visit_records(bytes, &mut visit);
    }
}

/// A record: inode 8 bytes, offset 8, length 2, type 1, then the name and a zero.
fn visit_records(mut bytes: &[u8], visit: &mut impl FnMut(u32)) {
    while bytes.len() > 19 {
        let length = u16::from_ne_bytes([bytes[16], bytes[17]]) as usize;
        let name = &bytes[19..length];
        let digits = name.iter().take_while(|byte| byte.is_ascii_digit()).count();
        if digits > 0 && name.get(digits) == Some(&0) {
            visit(name[..digits].iter().fold(0, |number, digit| number * 10 + u32::from(digit - b'0')));
        }
        bytes = &bytes[length..];
    }
}

const MEMBARRIER_REGISTER_PRIVATE_EXPEDITED: usize = 1 << 4;
const MEMBARRIER_PRIVATE_EXPEDITED: usize = 1 << 3;

/// Whether threads that enter a gate must fence by themselves, because the kernel does not do it for them.
pub static FENCE_NEEDED: AtomicBool = AtomicBool::new(true);

fn membarrier(command: usize) -> bool {
    // SAFETY: a barrier reads and writes no memory.
    unsafe { sys::call(libc::SYS_membarrier, [command, 0, 0, 0, 0, 0]) == 0 }
}

/// Asks the kernel for cheap barriers. To be called once, before threads rely on [`fence_if_needed`].
pub fn barrier_init() {
    if filter::is_strict() {
        return;
    }
    let granted = membarrier(MEMBARRIER_REGISTER_PRIVATE_EXPEDITED) && membarrier(MEMBARRIER_PRIVATE_EXPEDITED);
    FENCE_NEEDED.store(!granted, Ordering::Relaxed);
}

/// From now on both sides fence, and the kernel is not asked again.
pub fn fence_without_help() {
    if !FENCE_NEEDED.swap(true, Ordering::Relaxed) {
        // Whoever has passed the light side without a fence has one now.
        membarrier(MEMBARRIER_PRIVATE_EXPEDITED);
    }
}

/// The light side of the barrier: nothing where the kernel does the work, else a fence.
#[inline(always)]
pub fn fence_if_needed() {
    crate::base::sync::compiler_fence(Ordering::SeqCst);
    if FENCE_NEEDED.load(Ordering::Relaxed) {
        fence(Ordering::SeqCst);
    }
}

/// The heavy side: when it returns, every thread of the process has executed a full fence since the call.
pub fn barrier_all() {
    fence(Ordering::SeqCst);
    if !FENCE_NEEDED.load(Ordering::Relaxed) && !membarrier(MEMBARRIER_PRIVATE_EXPEDITED) {
        // Lost across an exotic fork: from now on both sides fence. Entries already on their way are re-read by the
        // caller's wait, which looks at each gate again.
        barrier_init();
        membarrier(MEMBARRIER_PRIVATE_EXPEDITED);
    }
}

/// Lets another thread run, unless a filter may forbid even that.
pub fn yield_now() {
    if filter::is_strict() {
        return core::hint::spin_loop();
    }
    // SAFETY: no arguments, no effect on memory.
    unsafe { sys::call(libc::SYS_sched_yield, [0; 6]) };
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use std::{sync::mpsc, thread, vec::Vec};

    #[test]
    fn the_task_list_has_every_thread_and_the_count_agrees() {
        let (send_id, receive_id) = mpsc::channel();
        let (send_end, receive_end) = mpsc::channel::<()>();
        let other = thread::spawn(move || {
            send_id.send(id()).unwrap();
            let _ = receive_end.recv();
        });
        let other_id = receive_id.recv().unwrap();
        let mut ids = Vec::new();
        assert!(for_each_id(|id| ids.push(id)));
        assert!(ids.contains(&id()) && ids.contains(&other_id));
        assert!(count().unwrap() >= 2);
        assert!(!has_ended(other_id));
        drop(send_end);
        other.join().unwrap();
    }

    #[test]
    fn a_signal_waits_behind_the_mask_when_it_was_sent_and_is_blocked() {
        let number = 40;
        let mask = signal::change_mask(0, signal::set_of(number));
        assert!(!waits_behind_mask(id(), number), "blocked only");
        assert_eq!(send(id(), number), Sent::Delivered);
        assert!(waits_behind_mask(id(), number));
        // Ignoring a signal drops those on their way.
        signal::uninstall(number);
        assert!(!waits_behind_mask(id(), number), "dropped");
        signal::set_mask(mask);
    }

    #[test]
    fn a_thread_may_be_receiving_where_it_reads_and_not_where_it_waits() {
        let (send_id, receive_id) = mpsc::channel();
        let (send_end, receive_end) = mpsc::channel::<()>();
        let mut ends = [0; 2];
        // SAFETY: makes descriptors of its own.
        assert_eq!(unsafe { libc::pipe(ends.as_mut_ptr()) }, 0);
        let other = thread::spawn(move || {
            send_id.send(id()).unwrap();
            let _ = receive_end.recv();
            let mut byte = 0u8;
            // SAFETY: reads a byte of its own.
            unsafe { libc::read(ends[0], (&raw mut byte).cast(), 1) }
        });
        let other_id = receive_id.recv().unwrap();
        let await_call = |is_awaited: fn(i64) -> bool| {
            let begun = std::time::Instant::now();
            while !system_call_of(other_id).is_some_and(is_awaited) {
                assert!(begun.elapsed().as_secs() < 60, "the other thread does not get there");
                thread::yield_now();
            }
        };
        await_call(|number| number == libc::SYS_futex);
        assert!(!may_be_receiving(other_id));
        drop(send_end);
        await_call(|number| number == libc::SYS_read);
        assert!(may_be_receiving(other_id));
        // SAFETY: writes a byte, and closes what is its own.
        unsafe {
            assert_eq!(libc::write(ends[1], c"x".as_ptr().cast(), 1), 1);
            assert_eq!(other.join().unwrap(), 1);
            libc::close(ends[0]);
            libc::close(ends[1]);
        }
    }

    #[test]
    fn a_file_is_the_thread_s() {
        let own = |name| task_file(id(), name);
        assert!(own("stat").is_some() && own("syscall").is_some());
        assert!(own("nothing").is_none() && task_file(u32::MAX, "stat").is_none());
    }
}
