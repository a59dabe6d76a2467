//! Written pages: which pages of a range were written since they were last asked about.
//!
//! The kernel protects the pages of a registered range against writing, and lets the first write to each through without
//! telling anybody (`userfaultfd` with `UFFD_FEATURE_WP_ASYNC`, Linux 6.7). It gives a list of the pages that are no longer
//! protected, and protects them again in the same step (`PAGEMAP_SCAN`). Such a first write costs under a microsecond.
//!
//! ```text
//!   asked      pages 0 1 2 3 4   all protected
//!   program    writes 1, 4       the two are open
//!   asked      1, 4              all protected again
//! ```
//!
//! The registration belongs to one descriptor. Should the program close it, as daemons close all they know nothing of, no
//! page is protected any more, and asking fails. A forked child inherits the descriptor but no registration: through it it
//! would reach its parent's memory, so the child lets go of it and opens one of its own.
//!
//! A registered mapping is not joined with its neighbours by the kernel, and `mremap` takes one mapping only: a program that
//! counts on that has them joined again first ([`release`]), and asking fails.
//!
//! Holds:   a page that is not listed has the contents that it had when it was last listed.
//! Threads: the collecting one; [`release`] is anybody's. Nobody may have pages in mind across `munmap` and `mmap`: the new ones are listed, or asking fails.

use super::{
    scan::{self, Question, Run},
    sys::{self, File},
};
use crate::base::{
    addr::Range,
    sync::{AtomicBool, AtomicI32, AtomicU32, AtomicU64, Ordering},
};

/// The descriptor, or zero; the file behind it, and the process whose memory it stands for. Relaxed: whoever else but the
/// collecting thread looks finds them as they were at some time, and the kernel judges what is asked through them.
static DESCRIPTOR: AtomicI32 = AtomicI32::new(0);
static DEVICE: AtomicU64 = AtomicU64::new(0);
static INODE: AtomicU64 = AtomicU64::new(0);
static PROCESS: AtomicU32 = AtomicU32::new(0);
/// Whether there ever was one.
static WAS_OPEN: AtomicBool = AtomicBool::new(false);

const UFFD_USER_MODE_ONLY: usize = 1;
const UFFD_API: u64 = 0xaa;
const UFFD_FEATURE_WP_ASYNC: u64 = 1 << 15;
const UFFDIO_API: usize = 0xc018_aa3f;
const UFFDIO_REGISTER: usize = 0xc020_aa00;
const UFFDIO_UNREGISTER: usize = 0x8010_aa01;
const UFFDIO_REGISTER_MODE_WP: u64 = 2;

#[repr(C)]
struct Api {
    api: u64,
    features: u64,
    ioctls: u64,
}

#[repr(C)]
struct Register {
    start: u64,
    bytes: u64,
    mode: u64,
    ioctls: u64,
}

/// Where the descriptor is looked for: above those that programs and shells name by number.
const DESCRIPTOR_FROM: usize = 900;

/// Opens the descriptor. `false`: this kernel does not tell, or may not.
pub fn open() -> bool {
    let flags = UFFD_USER_MODE_ONLY | libc::O_CLOEXEC as usize;
    // SAFETY: makes a descriptor that nobody else knows.
    let Ok(low) = sys::checked(unsafe { sys::call(libc::SYS_userfaultfd, [flags, 0, 0, 0, 0, 0]) }) else {
        return false;
    };
    let args = [low, libc::F_DUPFD_CLOEXEC as usize, DESCRIPTOR_FROM, 0, 0, 0];
    // SAFETY: as above. The low number goes back to the program.
    let high = sys::checked(unsafe { sys::call(libc::SYS_fcntl, args) });
    // SAFETY: ours, and used by nobody after this.
    unsafe { sys::call(libc::SYS_close, [low, 0, 0, 0, 0, 0]) };
    let Ok(descriptor) = high.map(|descriptor| descriptor as i32) else { return false };
    if let Some((device, inode)) = sys::identity(descriptor) {
        DEVICE.store(device, Ordering::Relaxed);
        INODE.store(inode, Ordering::Relaxed);
        PROCESS.store(sys::process_id(), Ordering::Relaxed);
        DESCRIPTOR.store(descriptor, Ordering::Relaxed);
        WAS_OPEN.store(true, Ordering::Relaxed);
        let mut api = Api { api: UFFD_API, features: UFFD_FEATURE_WP_ASYNC, ioctls: 0 };
        if control(UFFDIO_API, &mut api) {
            return true;
        }
    }
    close();
    false
}

/// Whether the descriptor is open, still what it was, and stands for the memory of this process.
pub fn is_open() -> bool {
    PROCESS.load(Ordering::Relaxed) == sys::process_id() && own_descriptor().is_some()
}

/// The descriptor, unless the program has closed it; its number may be another file's by now.
fn own_descriptor() -> Option<i32> {
    let descriptor = DESCRIPTOR.load(Ordering::Relaxed);
    let file = (DEVICE.load(Ordering::Relaxed), INODE.load(Ordering::Relaxed));
    (descriptor != 0 && sys::identity(descriptor) == Some(file)).then_some(descriptor)
}

/// Closes the descriptor, if it is still ours. In a forked child that changes nothing for the parent.
pub fn close() {
    if let Some(descriptor) = own_descriptor() {
        // SAFETY: ours, and used by nobody after this.
        unsafe { sys::call(libc::SYS_close, [descriptor as usize, 0, 0, 0, 0, 0]) };
    }
    DESCRIPTOR.store(0, Ordering::Relaxed);
}

/// Takes note of a range of whole pages, a mapping of its own. `false`: it cannot be asked about.
pub fn register(range: Range) -> bool {
    let mut register = Register {
        start: range.start.get() as u64,
        bytes: range.bytes() as u64,
        mode: UFFDIO_REGISTER_MODE_WP,
        ioctls: 0,
    };
    control(UFFDIO_REGISTER, &mut register)
}

/// Forgets what is registered in a range of whole pages: the kernel joins neighbours then that differ in this only. By any
/// thread.
pub fn release(range: Range) {
    let mut part = [range.start.get() as u64, range.bytes() as u64];
    if WAS_OPEN.load(Ordering::Relaxed) && is_open() {
        control(UFFDIO_UNREGISTER, &mut part);
    }
}

/// Lets the kernel join the mappings of a range of whole pages that were kept apart in the process that this one was forked
/// from. By any thread. `false`: none were.
pub fn join_inherited(range: Range) -> bool {
    if !WAS_OPEN.load(Ordering::Relaxed) {
        return false;
    }
    // They are joined by a change that is the same for all: a hint for reading files ahead, and back.
    for hint in [libc::MADV_SEQUENTIAL, libc::MADV_NORMAL] {
        let args = [range.start.get(), range.bytes(), hint as usize, 0, 0, 0];
        // SAFETY: changes no contents, and not what may be done with them.
        unsafe { sys::call(libc::SYS_madvise, args) };
    }
    true
}

fn control<T>(request: usize, argument: &mut T) -> bool {
    let Some(descriptor) = own_descriptor() else { return false };
    let args = [descriptor as usize, request, argument as *mut T as usize, 0, 0, 0];
    // SAFETY: the kernel reads and writes the argument, which has the layout of the request.
    sys::checked(unsafe { sys::call(libc::SYS_ioctl, args) }).is_ok()
}

/// The kernel refuses: some part of the range is not registered any more, or never was.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Refused;

/// Visits the parts of a registered range that hold something and were written since they were last visited, and protects
/// them. After a refusal all of the range may have been written.
pub fn for_each(range: Range, mut visit: impl FnMut(Range)) -> Result<(), Refused> {
    let table = File::open(c"/proc/thread-self/pagemap").map_err(|_| Refused)?;
    let question = Question {
        flags: scan::PROTECT | scan::ALL_REGISTERED,
        none_of: 0,
        all_of: scan::WRITTEN,
        any_of: scan::PRESENT | scan::SWAPPED,
    };
    let mut found = [Run::default(); 256];
    let mut at = range.start;
    while at < range.end {
        let (runs, next) = scan::runs(&table, Range::new(at, range.end), question, &mut found).map_err(|_| Refused)?;
        runs.iter().for_each(|run| visit(run.range()));
        if next <= at {
            return Err(Refused);
        }
        at = next;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use crate::{
        base::addr::Addr,
        os::mem::{self, PAGE},
    };
    use std::{sync::Mutex, vec::Vec};

    /// The descriptor is the process's.
    static ALONE: Mutex<()> = Mutex::new(());

    fn written_pages(range: Range) -> Result<Vec<usize>, Refused> {
        let mut pages = Vec::new();
        let index = |at: Addr| (at - range.start) / PAGE;
        for_each(range, |part| pages.extend(index(part.start)..index(part.end))).map(|()| pages)
    }

    #[test]
    fn each_written_page_is_listed_once() {
        let _alone = ALONE.lock().unwrap();
        if !open() {
            std::println!("skipped: this kernel does not say which pages were written");
            return;
        }
        let range = Range::sized(mem::map(1000 * PAGE).unwrap(), 1000 * PAGE);
        // SAFETY: mapped just now, and ours.
        let write = |page: usize| unsafe { (range.start + page * PAGE).as_ptr::<u8>().write_volatile(1) };
        (0..1000).filter(|page| page % 2 == 0).for_each(write);
        assert_eq!(written_pages(range), Err(Refused), "before it is registered");
        assert!(register(range));
        let even: Vec<usize> = (0..1000).step_by(2).collect();
        assert_eq!(written_pages(range).unwrap(), even);
        assert_eq!(written_pages(range).unwrap(), []);
        [3, 4, 998].into_iter().for_each(write);
        assert_eq!(written_pages(range).unwrap(), [3, 4, 998]);
        release(range);
        assert_eq!(written_pages(range), Err(Refused), "released");
        assert!(register(range) && is_open());
        close();
        assert_eq!(written_pages(range), Err(Refused), "closed");
        mem::unmap(range.start, range.bytes());
    }

    #[test]
    fn what_the_kernel_writes_is_listed_and_a_new_mapping_is_not_taken_for_the_old_one() {
        let _alone = ALONE.lock().unwrap();
        if !open() {
            return;
        }
        let range = Range::sized(mem::map(4 * PAGE).unwrap(), 4 * PAGE);
        // SAFETY: mapped just now, and ours.
        (0..4).for_each(|page| unsafe { (range.start + page * PAGE).as_ptr::<u8>().write_volatile(1) });
        assert!(register(range));
        assert_eq!(written_pages(range).unwrap(), [0, 1, 2, 3]);
        // SAFETY: the page is ours.
        let buffer = unsafe { core::slice::from_raw_parts_mut((range.start + 2 * PAGE).as_ptr::<u8>(), PAGE) };
        assert!(File::open(c"/proc/self/stat").unwrap().read(buffer).unwrap() > 0);
        assert_eq!(written_pages(range).unwrap(), [2]);
        mem::unmap(range.start, range.bytes());
        let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_FIXED_NOREPLACE;
        let protection = libc::PROT_READ | libc::PROT_WRITE;
        // SAFETY: a new mapping where ours was; the flag forbids replacing anybody else's.
        let again = unsafe { libc::mmap(range.start.as_ptr(), range.bytes(), protection, flags, -1, 0) };
        if again == range.start.as_ptr() {
            assert_eq!(written_pages(range), Err(Refused));
            // SAFETY: mapped just now.
            unsafe { libc::munmap(again, range.bytes()) };
        }
        close();
    }
}
