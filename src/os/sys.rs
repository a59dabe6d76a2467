//! Raw system calls.
//!
//! The C library's wrappers set `errno`, which `free` must keep, and some of them take locks. These do neither: a
//! call returns what the kernel returned, a negative errno on failure. They may be used while the world is stopped.

use super::{filter, mem::PAGE, memcheck};
use core::arch::asm;

/// Makes a system call with up to six arguments.
///
/// # Safety
/// The caller answers for what the kernel does with these arguments, as for any system call.
#[inline]
pub unsafe fn call(number: i64, args: [usize; 6]) -> isize {
    let result: isize;
    // SAFETY: the x86-64 system call convention: rax and the six argument registers in, rax out, rcx and r11 lost.
    unsafe {
        asm!(
            "syscall",
            inlateout("rax") number as isize => result,
            in("rdi") args[0],
            in("rsi") args[1],
            in("rdx") args[2],
            in("r10") args[3],
            in("r8") args[4],
            in("r9") args[5],
            lateout("rcx") _,
            lateout("r11") _,
            options(nostack),
        );
    }
    result
}

/// Gives what the kernel returned as a size, or the errno it refused with.
#[inline]
pub fn checked(result: isize) -> Result<usize, i32> {
    if (-4095..0).contains(&result) { Err(-result as i32) } else { Ok(result as usize) }
}

/// `futex(FUTEX_WAIT_PRIVATE)`: sleeps while `*word == expected`, at most `timeout_ns` when given.
///
/// It may return early for any reason: the caller looks at the word again.
pub fn futex_wait(word: &core::sync::atomic::AtomicU32, expected: u32, timeout_ns: Option<u64>) {
    let spec = timeout_ns.map(|ns| libc::timespec {
        tv_sec: (ns / 1_000_000_000) as libc::time_t,
        tv_nsec: (ns % 1_000_000_000) as libc::c_long,
    });
    let spec_pointer = spec.as_ref().map_or(0, |spec| spec as *const libc::timespec as usize);
    let operation = (libc::FUTEX_WAIT | libc::FUTEX_PRIVATE_FLAG) as usize;
    // SAFETY: the word and the time outlive the call; the kernel only reads them.
    unsafe {
        call(libc::SYS_futex, [word.as_ptr() as usize, operation, expected as usize, spec_pointer, 0, 0]);
    }
}

/// `futex(FUTEX_WAIT)`: as [`futex_wait`], for a word that the kernel itself wakes.
pub fn futex_wait_shared(word: &core::sync::atomic::AtomicU32, expected: u32) {
    // SAFETY: the word outlives the call; the kernel only reads it.
    unsafe {
        call(libc::SYS_futex, [word.as_ptr() as usize, libc::FUTEX_WAIT as usize, expected as usize, 0, 0, 0]);
    }
}

/// `futex(FUTEX_WAKE_PRIVATE)`: wakes up to `count` threads that sleep on `word`.
pub fn futex_wake(word: &core::sync::atomic::AtomicU32, count: u32) {
    let operation = (libc::FUTEX_WAKE | libc::FUTEX_PRIVATE_FLAG) as usize;
    // SAFETY: waking reads no memory of ours.
    unsafe {
        call(libc::SYS_futex, [word.as_ptr() as usize, operation, count as usize, 0, 0, 0]);
    }
}

/// A file descriptor that closes itself, opened read-only.
pub struct File(i32);

impl File {
    /// Opens `path`, which ends in a zero byte, for reading. The descriptor is closed on exec.
    pub fn open(path: &core::ffi::CStr) -> Result<File, i32> {
        let flags = (libc::O_RDONLY | libc::O_CLOEXEC) as usize;
        // SAFETY: the path outlives the call; the kernel only reads it.
        let result =
            unsafe { call(libc::SYS_openat, [libc::AT_FDCWD as usize, path.as_ptr() as usize, flags, 0, 0, 0]) };
        checked(result).map(|fd| File(fd as i32))
    }

    /// Reads into `buffer` from the current position; zero at the end.
    pub fn read(&self, buffer: &mut [u8]) -> Result<usize, i32> {
        loop {
            let args = [self.0 as usize, buffer.as_mut_ptr() as usize, buffer.len(), 0, 0, 0];
            // SAFETY: the buffer is ours for the length given.
            match checked(unsafe { call(libc::SYS_read, args) }) {
                Err(libc::EINTR) => continue,
                other => return other,
            }
        }
    }

    /// Reads into `buffer` from byte `offset`; zero at the end.
    pub fn read_at(&self, buffer: &mut [u64], offset: u64) -> Result<usize, i32> {
        let bytes = core::mem::size_of_val(buffer);
        // SAFETY: any bytes are words.
        self.read_bytes_at(unsafe { core::slice::from_raw_parts_mut(buffer.as_mut_ptr().cast(), bytes) }, offset)
    }

    /// As [`read_at`](File::read_at).
    pub fn read_bytes_at(&self, buffer: &mut [u8], offset: u64) -> Result<usize, i32> {
        loop {
            let args = [self.0 as usize, buffer.as_mut_ptr() as usize, buffer.len(), offset as usize, 0, 0];
            // SAFETY: the buffer is ours for the length given.
            match checked(unsafe { call(libc::SYS_pread64, args) }) {
                Err(libc::EINTR) => continue,
                other => return other,
            }
        }
    }

    /// The descriptor's number, for calls that take one.
    pub fn descriptor(&self) -> i32 {
        self.0
    }
}

impl Drop for File {
    fn drop(&mut self) {
        // SAFETY: the descriptor is ours and nobody uses it after this.
        unsafe {
            call(libc::SYS_close, [self.0 as usize, 0, 0, 0, 0, 0]);
        }
    }
}

/// The device and the number of the file that a descriptor stands for. `None`: it is closed.
pub fn identity(descriptor: i32) -> Option<(u64, u64)> {
    // SAFETY: an all-zero `stat` is a valid value, and the kernel fills it.
    let mut stat: libc::stat = unsafe { core::mem::zeroed() };
    let args = [descriptor as usize, &mut stat as *mut libc::stat as usize, 0, 0, 0, 0];
    // SAFETY: `stat` is ours.
    checked(unsafe { call(libc::SYS_fstat, args) }).ok()?;
    Some((stat.st_dev, stat.st_ino))
}

/// Whether the aligned word at `address` is there and holds `value`, without a fault when it is not there.
///
/// By futex, since [`copy_own_memory`] may be forbidden, and no sandbox forbids what threads wait by: a requeue of no waiters
/// compares and does nothing else. It compares half a word at a time.
pub fn holds(address: usize, value: usize) -> bool {
    compare(address, value as u32).is_ok() && compare(address + size_of::<u32>(), (value >> 32) as u32).is_ok()
}

/// Has the kernel compare an aligned half of a word with `value`. `EFAULT`: it cannot be read; `EAGAIN`: it is another.
fn compare(half: usize, value: u32) -> Result<usize, i32> {
    let other = 0u32;
    let operation = (libc::FUTEX_CMP_REQUEUE | libc::FUTEX_PRIVATE_FLAG) as usize;
    let args = [half, operation, 0, 0, &raw const other as usize, value as usize];
    // SAFETY: nobody is woken or moved; an unreadable word is an error, not a fault.
    checked(unsafe { call(libc::SYS_futex, args) })
}

/// Copies `buffer.len()` bytes or fewer from `from`, without a fault when they cannot be read: the number copied, or the
/// errno. `EFAULT`: the first byte cannot be read; any other: the call is refused, as a sandbox may do.
pub fn copy_own_memory(from: usize, buffer: &mut [u8]) -> Result<usize, i32> {
    let local = libc::iovec { iov_base: buffer.as_mut_ptr().cast(), iov_len: buffer.len() };
    let remote = libc::iovec { iov_base: from as *mut libc::c_void, iov_len: buffer.len() };
    // By the thread: the process has no memory in the kernel's eyes once the main thread has ended.
    let args = [super::thread::id() as usize, &local as *const _ as usize, 1, &remote as *const _ as usize, 1, 0];
    // SAFETY: the kernel writes only into `buffer`; an unreadable source is an error, not a fault.
    checked(unsafe { call(libc::SYS_process_vm_readv, args) })
}

/// Whether the program may read all of so many bytes at `from`, at most a page.
///
/// Asks by a change of the signal mask of a kind that there is not, the quickest call that tells: the kernel reads the set
/// before it refuses. Valgrind does not pass it on, and a strict filter may end the process: there it is asked as by [`holds`].
pub fn can_read(from: usize, bytes: usize) -> bool {
    const UNKNOWN: usize = i32::MAX as usize;
    const WORD: usize = size_of::<u64>();
    debug_assert!((1..=PAGE).contains(&bytes));
    let can_read_word_of = |byte: usize| {
        let word = byte & !(WORD - 1);
        if filter::is_strict() {
            return compare(word, 0) != Err(libc::EFAULT);
        }
        if memcheck::is_simulated() {
            return copy_own_memory(word, &mut [0; WORD]) == Ok(WORD);
        }
        // SAFETY: no set is changed, and none is written.
        let refused = unsafe { call(libc::SYS_rt_sigprocmask, [UNKNOWN, word, 0, WORD, 0, 0]) };
        checked(refused) == Err(libc::EINVAL)
    };
    // What can be read, can be read by whole pages.
    let last = from.saturating_add(bytes - 1);
    can_read_word_of(last) && ((from ^ last) < PAGE || can_read_word_of(from))
}

/// Has the three functions called before each fork, after it in the parent, and after it in the child. Registered first,
/// they run last before the fork and first after it (POSIX `pthread_atfork`). `false` when there is no memory for them.
///
/// # Safety
/// The functions stay loaded as long as the process runs.
pub unsafe fn at_fork(
    before: unsafe extern "C" fn(),
    in_parent: unsafe extern "C" fn(),
    in_child: unsafe extern "C" fn(),
) -> bool {
    // SAFETY: by the caller's promise.
    unsafe { libc::pthread_atfork(Some(before), Some(in_parent), Some(in_child)) == 0 }
}

/// Has the function called when the process ends by `exit` or a return from `main`. `false` when there is no memory for it.
///
/// # Safety
/// The function stays loaded as long as the process runs, or is called when its library goes.
pub unsafe fn at_exit(work: extern "C" fn()) -> bool {
    // SAFETY: by the caller's promise.
    unsafe { libc::atexit(work) == 0 }
}

/// Whether a process lives in this one's memory.
pub fn shares_memory_with(process: u32) -> bool {
    const KCMP_VM: usize = 1;
    // SAFETY: kcmp compares what the kernel has, and reads no memory of ours.
    match checked(unsafe { call(libc::SYS_kcmp, [process_id() as usize, process as usize, KCMP_VM, 0, 0, 0]) }) {
        Ok(order) => order == 0,
        Err(libc::ESRCH) => false,
        // The kernel does not tell: while the process is there, it may.
        // SAFETY: signal 0 is none.
        Err(_) => checked(unsafe { call(libc::SYS_kill, [process as usize, 0, 0, 0, 0, 0]) }) != Err(libc::ESRCH),
    }
}

/// The process's id.
pub fn process_id() -> u32 {
    // SAFETY: getpid has no arguments and cannot fail.
    unsafe { call(libc::SYS_getpid, [0; 6]) as u32 }
}
