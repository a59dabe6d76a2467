//! Messages and the end of the process, without allocating.
//!
//! A message is formatted into a buffer on the stack and written to standard error with one `write(2)`, so that lines
//! of several threads do not mix. What does not fit is cut, visibly.
//!
//! Programs close standard error before our last line is due: coreutils do so in a handler of their own at exit. What is
//! to be said at exit therefore goes to a duplicate, made when it is asked for ([`keep_standard_error`]).

use super::sys;
use crate::base::sync::{AtomicI32, AtomicU64, Ordering};
use core::fmt::{self, Write};

const LINE_BYTES_MAX: usize = 1024;

/// A line under construction. Longer lines end in `…`.
pub struct Line {
    buffer: [u8; LINE_BYTES_MAX],
    length: usize,
    cut: bool,
}

impl Line {
    /// An empty line.
    pub const fn new() -> Self {
        Line { buffer: [0; LINE_BYTES_MAX], length: 0, cut: false }
    }

    /// What has been written so far.
    pub fn as_bytes(&self) -> &[u8] {
        &self.buffer[..self.length]
    }
}

impl Default for Line {
    fn default() -> Self {
        Line::new()
    }
}

impl Write for Line {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let room = LINE_BYTES_MAX - 4 - self.length;
        let taken = text.len().min(room);
        self.buffer[self.length..self.length + taken].copy_from_slice(&text.as_bytes()[..taken]);
        self.length += taken;
        self.cut |= taken < text.len();
        Ok(())
    }
}

/// Writes `message` and a line feed to standard error.
pub fn print(message: fmt::Arguments<'_>) {
    print_to(STANDARD_ERROR, message);
}

/// As [`print`], to standard error as it was when [`keep_standard_error`] was called.
pub fn print_at_exit(message: fmt::Arguments<'_>) {
    print_to(kept().unwrap_or(STANDARD_ERROR), message);
}

fn print_to(descriptor: i32, message: fmt::Arguments<'_>) {
    let mut line = Line::new();
    // A `Line` never refuses: it cuts.
    let _ = line.write_fmt(message);
    if line.cut {
        line.buffer[line.length..line.length + 3].copy_from_slice("…".as_bytes());
        line.length += 3;
    }
    line.buffer[line.length] = b'\n';
    line.length += 1;
    write_all(descriptor, line.as_bytes());
}

const STANDARD_ERROR: i32 = 2;
/// Where the duplicate is looked for: below the thousandth descriptor, which is what most processes may have at least,
/// and above those that programs and shells name by number.
const DUPLICATE_FROM: i32 = 900;

/// The duplicate, or zero, and the file behind it: a program may close all it did not open and get the number again.
static KEPT: AtomicI32 = AtomicI32::new(0);
static KEPT_DEVICE: AtomicU64 = AtomicU64::new(0);
static KEPT_INODE: AtomicU64 = AtomicU64::new(0);

/// Duplicates standard error for [`print_at_exit`], closed on exec. Without one, that writes to standard error as it is.
pub fn keep_standard_error() {
    if KEPT.load(Ordering::Relaxed) != 0 {
        return;
    }
    let args = [STANDARD_ERROR as usize, libc::F_DUPFD_CLOEXEC as usize, DUPLICATE_FROM as usize, 0, 0, 0];
    // SAFETY: makes a descriptor that nobody else knows.
    let duplicate = sys::checked(unsafe { sys::call(libc::SYS_fcntl, args) });
    let Ok(duplicate) = duplicate.map(|descriptor| descriptor as i32) else { return };
    if let Some((device, inode)) = sys::identity(duplicate) {
        KEPT_DEVICE.store(device, Ordering::Relaxed);
        KEPT_INODE.store(inode, Ordering::Relaxed);
        KEPT.store(duplicate, Ordering::Relaxed);
    }
}

fn kept() -> Option<i32> {
    let kept = KEPT.load(Ordering::Relaxed);
    let file = (KEPT_DEVICE.load(Ordering::Relaxed), KEPT_INODE.load(Ordering::Relaxed));
    (kept != 0 && sys::identity(kept) == Some(file)).then_some(kept)
}

/// Writes all of `bytes` to a descriptor, as far as it takes them.
pub fn write_all(descriptor: i32, mut bytes: &[u8]) {
    while !bytes.is_empty() {
        let args = [descriptor as usize, bytes.as_ptr() as usize, bytes.len(), 0, 0, 0];
        // SAFETY: the kernel only reads `bytes`.
        match sys::checked(unsafe { sys::call(libc::SYS_write, args) }) {
            Ok(written) if written > 0 => bytes = &bytes[written..],
            Err(libc::EINTR) => {}
            _ => return,
        }
    }
}

/// Says `gleaner: …` and aborts: memory below everybody's program is no longer what it should be.
pub fn fatal(message: fmt::Arguments<'_>) -> ! {
    print(format_args!("gleaner: {message}"));
    abort()
}

/// Ends the process with SIGABRT.
pub fn abort() -> ! {
    // SAFETY: abort has no preconditions.
    unsafe { libc::abort() }
}

/// Ends the process with [`fatal`], taking what `format!` takes.
#[macro_export]
macro_rules! fatal {
    ($($argument:tt)*) => { $crate::os::log::fatal(format_args!($($argument)*)) };
}
