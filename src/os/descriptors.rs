//! What the kernel tells of the open descriptors: what stands behind them, and what is registered with epoll sets.
//!
//! Read by raw system calls, so that it works while the world is stopped.

use super::{
    lines::{self, Line},
    path::Path,
    sys::{self, File},
    thread,
};
use core::fmt::Write;

const PATH_MAX: usize = 48;
const EPOLL: &[u8] = b"anon_inode:[eventpoll]";

/// What stands behind a descriptor.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// A pipe, with a name or without.
    Pipe {
        /// With the inode: which.
        device: u64,
        /// See `device`.
        inode: u64,
    },
    /// A socket.
    Socket,
    /// A file of a file system.
    File,
    /// A device.
    Device,
    /// Something that has no name: a counter, a set, a source of signals.
    Anonymous,
}

/// What stands behind a descriptor. `None`: it is closed.
pub fn kind_of(descriptor: i32) -> Option<Kind> {
    let stat = stat_of(descriptor)?;
    Some(match stat.st_mode & libc::S_IFMT {
        libc::S_IFIFO => Kind::Pipe { device: stat.st_dev, inode: stat.st_ino },
        libc::S_IFSOCK => Kind::Socket,
        libc::S_IFCHR | libc::S_IFBLK => Kind::Device,
        0 => Kind::Anonymous,
        _ => Kind::File,
    })
}

/// Whether it is a pipe that has no name, so that nobody can open it anew.
pub fn is_nameless_pipe(descriptor: i32) -> bool {
    const PIPEFS: i64 = 0x5049_5045;
    // SAFETY: an all-zero `statfs` is a valid value, and the kernel fills it.
    let mut system: libc::statfs = unsafe { core::mem::zeroed() };
    let args = [descriptor as usize, &mut system as *mut libc::statfs as usize, 0, 0, 0, 0];
    // SAFETY: `system` is ours.
    let is_known = sys::checked(unsafe { sys::call(libc::SYS_fstatfs, args) }).is_ok();
    is_known && system.f_type == PIPEFS
}

/// Visits what stands behind each open descriptor of the process. `false`: not all could be asked, or there may be others,
/// as a thread has descriptors of its own.
pub fn for_each_kind(mut visit: impl FnMut(Kind)) -> bool {
    let mut is_whole = thread::share_descriptors();
    let is_listed = thread::for_each_number(c"/proc/thread-self/fd", |descriptor| match kind_of(descriptor as i32) {
        Some(kind) => visit(kind),
        None => is_whole = false,
    });
    is_listed && is_whole
}

fn stat_of(descriptor: i32) -> Option<libc::stat> {
    // SAFETY: an all-zero `stat` is a valid value, and the kernel fills it.
    let mut stat: libc::stat = unsafe { core::mem::zeroed() };
    let args = [descriptor as usize, &mut stat as *mut libc::stat as usize, 0, 0, 0, 0];
    // SAFETY: `stat` is ours.
    sys::checked(unsafe { sys::call(libc::SYS_fstat, args) }).ok().map(|_| stat)
}

/// Visits the data of each event that an epoll set of the process waits for. `false`: not all could be read.
pub fn for_each_event(mut visit: impl FnMut(usize)) -> bool {
    let mut is_whole = true;
    let is_listed = thread::for_each_number(c"/proc/thread-self/fd", |descriptor| {
        if is_epoll_set(descriptor) {
            is_whole &= for_each_event_of(descriptor, &mut visit);
        }
    });
    is_listed && is_whole
}

fn is_epoll_set(descriptor: u32) -> bool {
    let mut target = [0u8; EPOLL.len() + 1];
    let mut path = Path::<PATH_MAX>::new();
    let is_named = write!(path, "/proc/thread-self/fd/{descriptor}").is_ok();
    let Some(name) = path.c_str().filter(|_| is_named) else { return false };
    let args = [libc::AT_FDCWD as usize, name.as_ptr() as usize, target.as_mut_ptr() as usize, target.len(), 0, 0];
    // SAFETY: the kernel reads the name and writes into `target`.
    let read = sys::checked(unsafe { sys::call(libc::SYS_readlinkat, args) });
    read.is_ok_and(|bytes| &target[..bytes] == EPOLL)
}

fn for_each_event_of(set: u32, visit: &mut impl FnMut(usize)) -> bool {
    let mut path = Path::<PATH_MAX>::new();
    let is_named = write!(path, "/proc/thread-self/fdinfo/{set}").is_ok();
    let Some(file) = path.c_str().filter(|_| is_named).and_then(|name| File::open(name).ok()) else { return false };
    let mut is_understood = true;
    let read = lines::for_each(&file, &mut [0; 1024], |line| {
        let (Line::Whole(line) | Line::Front(line)) = line;
        if line.starts_with(b"tfd:") {
            match data(line) {
                Some(word) => visit(word),
                None => is_understood = false,
            }
        }
    });
    read.is_ok() && is_understood
}

/// `tfd: number events: bits data: word …`, the word in hexadecimal digits.
fn data(line: &[u8]) -> Option<usize> {
    let mut fields = line.split(|&byte| byte == b' ').filter(|field| !field.is_empty());
    fields.find(|&field| field == b"data:")?;
    let digits = fields.next()?;
    digits.iter().try_fold(0usize, |word, &digit| Some(word << 4 | (digit as char).to_digit(16)? as usize))
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use crate::os::clock;
    use std::vec::Vec;

    #[test]
    fn what_a_set_waits_for_is_listed_until_it_is_closed() {
        const WORD: u64 = 0x0012_3456_789a_bcde;
        let all = || {
            let mut words = Vec::new();
            assert!(for_each_event(|word| words.push(word as u64)));
            words
        };
        // SAFETY: makes and closes descriptors of its own.
        let (with, without) = unsafe {
            let (set, counter) = (libc::epoll_create1(0), libc::eventfd(0, 0));
            let mut event = libc::epoll_event { events: libc::EPOLLIN as u32, u64: WORD };
            assert_eq!(libc::epoll_ctl(set, libc::EPOLL_CTL_ADD, counter, &mut event), 0);
            let with = all();
            libc::close(counter);
            // Another test's child has copies of all descriptors for a moment.
            let deadline_ns = clock::now_ns() + 10_000_000_000;
            let mut without = all();
            while without.contains(&WORD) && clock::now_ns() < deadline_ns {
                thread::yield_now();
                without = all();
            }
            libc::close(set);
            (with, without)
        };
        assert!(with.contains(&WORD), "{with:x?}");
        assert!(!without.contains(&WORD), "{without:x?}");
    }

    #[test]
    fn a_pipe_is_listed_until_both_ends_are_closed() {
        let is_open = |pipe: Kind| {
            let mut is_open = false;
            for_each_kind(|kind| is_open |= kind == pipe);
            is_open
        };
        let mut ends = [0; 2];
        // SAFETY: makes and closes descriptors of its own.
        let pipe = unsafe {
            assert_eq!(libc::pipe(ends.as_mut_ptr()), 0);
            let pipe = kind_of(ends[0]).unwrap();
            assert!(is_nameless_pipe(ends[1]) && is_open(pipe));
            libc::close(ends[0]);
            assert!(is_open(pipe));
            libc::close(ends[1]);
            pipe
        };
        assert!(!is_open(pipe));
    }

    #[test]
    fn a_line_that_has_no_data_is_not_understood() {
        assert_eq!(
            data(b"tfd:        5 events:       19 data:         7f00deadbeef  pos:0 ino:2a sdev:d"),
            Some(0x7f00_dead_beef)
        );
        assert_eq!(data(b"tfd: 5 events: 19"), None);
    }
}
