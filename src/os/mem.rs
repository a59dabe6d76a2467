//! Address space: reserve, commit, decommit, release.
//!
//! ```text
//!   reserve   a range that nobody else gets; no access, no memory, not in core dumps
//!   commit    reading and writing allowed; the first touch of a page brings zeroes
//!   decommit  the pages are given back; the next touch brings zeroes again
//!   map       reserve and commit in one: for our own tables
//!   release   the range is anybody's again
//! ```
//!
//! Everything obtained here is listed, so that root scanning can leave it out: a collector that reads its own tables
//! as roots keeps everything alive.
//!
//! Holds: the list has every range obtained and not yet released, each once.

use super::{
    lock::{Lock, Rank},
    memcheck, sys,
};
use crate::base::{
    addr::{Addr, Range},
    sync::{AtomicU32, AtomicUsize, Ordering},
};

/// The page size of the only platform.
pub const PAGE: usize = 4096;

const RANGES_MAX: usize = 4096;

/// The count comes first, beside the lock and the first ranges, which are all that most processes touch.
#[repr(C)]
struct Ranges {
    count: usize,
    list: [Range; RANGES_MAX],
}

#[cfg_attr(debug_assertions, unsafe(link_section = ".tables"))]
#[cfg_attr(not(debug_assertions), unsafe(link_section = ".bss.tables"))]
static OURS: Lock<Ranges> =
    Lock::new(Rank::Os, Ranges { count: 0, list: [Range { start: Addr::NULL, end: Addr::NULL }; RANGES_MAX] });

/// The list of what is ours, which holds no address of anything else.
pub fn table() -> Range {
    Range::sized(Addr::of(&raw const OURS), size_of_val(&OURS))
}

static MAPPED_BYTES: AtomicUsize = AtomicUsize::new(0);
static IDLE_BYTES: AtomicUsize = AtomicUsize::new(0);
static REFUSE_EVERY: AtomicU32 = AtomicU32::new(0);
static REQUESTS: AtomicU32 = AtomicU32::new(0);

/// Zeal: refuses each `every`-th request for memory from now on, none when zero.
pub fn refuse_every(every: u32) {
    REFUSE_EVERY.store(every, Ordering::Relaxed);
}

/// Bytes that [`map`] holds now, but for what is idle: our own tables, not the heap.
pub fn mapped_bytes() -> usize {
    MAPPED_BYTES.load(Ordering::Relaxed).saturating_sub(IDLE_BYTES.load(Ordering::Relaxed))
}

/// Of what [`map`] gave, `now` bytes that its owner keeps without pages are idle, where it had `before`.
pub fn note_idle(before: usize, now: usize) {
    IDLE_BYTES.fetch_add(now.wrapping_sub(before), Ordering::Relaxed);
}

fn is_refused() -> bool {
    let every = REFUSE_EVERY.load(Ordering::Relaxed);
    every != 0 && (REQUESTS.fetch_add(1, Ordering::Relaxed) + 1).is_multiple_of(every)
}

/// Maps `bytes` at `wish` if they are free there, or where the kernel chooses.
fn mmap(wish: usize, bytes: usize, protection: i32) -> Option<Addr> {
    let flags = (libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE) as usize;
    // SAFETY: a fresh private mapping at a free address disturbs nobody.
    let result = unsafe { sys::call(libc::SYS_mmap, [wish, bytes, protection as usize, flags, usize::MAX, 0]) };
    sys::checked(result).ok().map(Addr::new)
}

/// Valgrind gives the lowest free addresses, where a time in seconds looks like one of them. Here neither half of an
/// address is a number that programs often hold.
fn wish() -> usize {
    if memcheck::is_running() { 0x5_5000_0000 } else { 0 }
}

fn munmap(range: Range) {
    if !range.is_empty() {
        // SAFETY: callers pass ranges that `mmap` gave and nobody uses any more.
        unsafe { sys::call(libc::SYS_munmap, [range.start.get(), range.bytes(), 0, 0, 0, 0]) };
    }
}

fn madvise(range: Range, advice: i32) -> bool {
    // SAFETY: the advice used here changes contents only for `MADV_DONTNEED`, whose callers own the range.
    0 == unsafe { sys::call(libc::SYS_madvise, [range.start.get(), range.bytes(), advice as usize, 0, 0, 0]) }
}

/// The aligned word at `at`, whatever it belongs to. An atomic: its owner may be another thread's code that was stopped in
/// the middle of anything.
///
/// # Safety
/// The word may be read.
#[cfg(not(asan))]
#[inline(always)]
pub unsafe fn load_word(at: Addr) -> usize {
    use core::sync::atomic::AtomicUsize;
    // SAFETY: by the caller's promise. Relaxed: the stop orders it after what the owner wrote. The word may be the
    // program's, of which a model checker knows nothing: so the atomic is the language's own.
    unsafe { AtomicUsize::from_ptr(at.as_ptr()) }.load(Ordering::Relaxed)
}

/// As without AddressSanitizer, past its checks: between the variables of a stack lie words that nobody may read, and a
/// search for addresses reads them all.
///
/// # Safety
/// The word may be read.
#[cfg(asan)]
pub unsafe fn load_word(at: Addr) -> usize {
    let word;
    // SAFETY: by the caller's promise; reads one aligned word.
    unsafe {
        core::arch::asm!("mov {}, [{}]", out(reg) word, in(reg) at.get(), options(nostack, readonly, preserves_flags))
    };
    word
}

/// Reads a word that may lie at any byte.
///
/// # Safety
/// The word's bytes may be read, and nobody writes there meanwhile.
#[inline(always)]
pub unsafe fn load_word_at_any_byte(at: Addr) -> usize {
    let word;
    // SAFETY: by the caller's promise; an instruction of this processor reads words at any byte. AddressSanitizer does not see
    // it, as above.
    unsafe {
        core::arch::asm!("mov {}, [{}]", out(reg) word, in(reg) at.get(), options(nostack, readonly, preserves_flags))
    };
    word
}

/// Reserves `bytes` at a multiple of `align`, a power of two of at least a page. `None` when the system refuses.
pub fn reserve(bytes: usize, align: usize) -> Option<Addr> {
    let whole = Range::sized(mmap(wish(), bytes + align, libc::PROT_NONE)?, bytes + align);
    let range = Range::sized(whole.start.align_up(align), bytes);
    munmap(Range::new(whole.start, range.start));
    munmap(Range::new(range.end, whole.end));
    madvise(range, libc::MADV_DONTDUMP);
    if list(range) {
        Some(range.start)
    } else {
        munmap(range);
        None
    }
}

/// Allows reading and writing in a part of a reserved range. `false` when the system refuses.
pub fn commit(range: Range) -> bool {
    if is_refused() {
        return false;
    }
    let is_committed = protect(range, Protection { read: true, write: true, execute: false });
    if is_committed {
        madvise(range, libc::MADV_DODUMP);
    }
    is_committed
}

/// What may be done with a page.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Protection {
    /// Whether it may be read.
    pub read: bool,
    /// Whether it may be written.
    pub write: bool,
    /// Whether it may be executed.
    pub execute: bool,
}

/// Changes what may be done with committed pages. `false` when the system refuses.
pub fn protect(range: Range, protection: Protection) -> bool {
    let Protection { read, write, execute } = protection;
    let bits = [(read, libc::PROT_READ), (write, libc::PROT_WRITE), (execute, libc::PROT_EXEC)];
    let bits = bits.iter().filter(|(is_allowed, _)| *is_allowed).fold(0, |all, (_, bit)| all | bit);
    change_protection(range, bits).is_ok()
}

/// `mprotect`: the kernel's own bits, and the errno it refused with.
pub fn change_protection(range: Range, bits: i32) -> Result<(), i32> {
    let args = [range.start.get(), range.bytes(), bits as usize, 0, 0, 0];
    // SAFETY: changes no contents; who reads or writes there answers for that.
    sys::checked(unsafe { sys::call(libc::SYS_mprotect, args) }).map(|_| ())
}

/// `mremap` of the program's: where the mapping is then, or the errno it was refused with.
///
/// # Safety
/// The range is the program's, and it answers for what becomes of it.
pub unsafe fn move_mapping(range: Range, bytes_wanted: usize, flags: i32, to: Addr) -> Result<Addr, i32> {
    let args = [range.start.get(), range.bytes(), bytes_wanted, flags as usize, to.get(), 0];
    // SAFETY: by the caller's promise.
    sys::checked(unsafe { sys::call(libc::SYS_mremap, args) }).map(Addr::new)
}

/// `munmap` of the program's: the errno it was refused with.
///
/// # Safety
/// The range is the program's, and it answers for what becomes of it.
pub unsafe fn remove_mapping(range: Range) -> Result<(), i32> {
    // SAFETY: by the caller's promise.
    sys::checked(unsafe { sys::call(libc::SYS_munmap, [range.start.get(), range.bytes(), 0, 0, 0, 0]) }).map(|_| ())
}

/// Gives the pages of a committed range back. Their contents are zero from now on. `false` when the system keeps some of
/// them, as it does with pages that the program has locked.
pub fn decommit(range: Range) -> bool {
    madvise(range, libc::MADV_DONTNEED)
}

/// Reserves and commits `bytes`, rounded up to pages. The memory is zero.
#[unsafe(link_section = ".text.hot")]
pub fn map(bytes: usize) -> Option<Addr> {
    if is_refused() {
        return None;
    }
    let range = Range::sized(mmap(0, round_up(bytes), libc::PROT_READ | libc::PROT_WRITE)?, round_up(bytes));
    if list(range) {
        MAPPED_BYTES.fetch_add(range.bytes(), Ordering::Relaxed);
        Some(range.start)
    } else {
        munmap(range);
        None
    }
}

/// Gives back what [`map`] gave for `bytes`.
pub fn unmap(start: Addr, bytes: usize) {
    let range = Range::sized(start, round_up(bytes));
    unlist(range);
    MAPPED_BYTES.fetch_sub(range.bytes(), Ordering::Relaxed);
    munmap(range);
}

/// Gives back what [`reserve`] gave.
pub fn release(start: Addr, bytes: usize) {
    let range = Range::sized(start, bytes);
    unlist(range);
    munmap(range);
}

/// Gives back a part of what [`reserve`] gave, in whole pages; the rest stays ours. `false` when the list has no room for
/// the rest.
pub fn release_part(part: Range) -> bool {
    {
        let mut ours = OURS.lock();
        let count = ours.count;
        let Some(index) = ours.list[..count].iter().position(|whole| whole.intersect(part) == part) else {
            crate::fatal!("os::mem: released {:#x}, which is not ours", part.start.get());
        };
        let whole = ours.list[index];
        let (before, after) = (Range::new(whole.start, part.start), Range::new(part.end, whole.end));
        match (before.is_empty(), after.is_empty()) {
            (false, false) if count == RANGES_MAX => return false,
            (false, false) => {
                ours.list[index] = before;
                ours.list[count] = after;
                ours.count = count + 1;
            }
            (false, true) => ours.list[index] = before,
            (true, false) => ours.list[index] = after,
            (true, true) => {
                ours.list[index] = ours.list[count - 1];
                ours.count = count - 1;
            }
        }
    }
    // Not ours any more before somebody else can have it.
    munmap(part);
    true
}

/// Rounds up to whole pages.
pub fn round_up(bytes: usize) -> usize {
    bytes.div_ceil(PAGE) * PAGE
}

fn list(range: Range) -> bool {
    let mut ours = OURS.lock();
    let count = ours.count;
    if count == RANGES_MAX {
        return false;
    }
    ours.list[count] = range;
    ours.count = count + 1;
    true
}

fn unlist(range: Range) {
    let mut ours = OURS.lock();
    let count = ours.count;
    let Some(index) = ours.list[..count].iter().position(|&listed| listed == range) else {
        crate::fatal!("os::mem: released {:#x}, which is not ours", range.start.get());
    };
    ours.list[index] = ours.list[count - 1];
    ours.count = count - 1;
}

/// Visits every range that is ours.
pub fn for_each_range(mut visit: impl FnMut(Range)) {
    let ours = OURS.lock();
    ours.list[..ours.count].iter().copied().for_each(&mut visit);
}

/// Makes the list usable in a child process whose other threads are gone.
///
/// # Safety
/// Only one thread runs.
pub unsafe fn reset_after_fork() {
    // SAFETY: by the caller's promise nobody else holds or waits.
    unsafe { OURS.reset() };
}

/// A page that a forked child sees wiped, and a `vfork` child, which shares our memory, does not.
static MARK: AtomicUsize = AtomicUsize::new(0);

/// Marks this memory as the current process's own. `false` when the system cannot: then no child can be told apart.
pub fn mark_as_own() -> bool {
    let mut page = MARK.load(Ordering::Acquire);
    if page == 0 {
        let Some(start) = map(PAGE) else { return false };
        // SAFETY: the page is ours, and wiping it in a child is what it is for.
        let result =
            unsafe { sys::call(libc::SYS_madvise, [start.get(), PAGE, libc::MADV_WIPEONFORK as usize, 0, 0, 0]) };
        if result != 0 {
            unmap(start, PAGE);
            return false;
        }
        page = start.get();
        MARK.store(page, Ordering::Release);
    }
    // SAFETY: the page is never given back.
    unsafe { Addr::new(page).as_ptr::<u32>().write_volatile(1) };
    true
}

/// Whether this memory is a fork's copy that nobody has marked yet. A `vfork` child and its parent share one memory,
/// which is no copy.
pub fn is_unmarked_copy() -> bool {
    let page = MARK.load(Ordering::Acquire);
    // SAFETY: the page is never given back.
    page != 0 && unsafe { Addr::new(page).as_ptr::<u32>().read_volatile() } == 0
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;

    #[test]
    fn of_a_range_given_back_in_part_the_rest_is_ours() {
        let start = reserve(8 * PAGE, PAGE).expect("reserve");
        let listed = |page: usize| {
            let mut listed = 0;
            for_each_range(|ours| listed += usize::from(ours.contains(start + page * PAGE)));
            listed
        };
        let pages = |from: usize, to: usize| Range::new(start + from * PAGE, start + to * PAGE);
        assert!(release_part(pages(3, 5)));
        assert_eq!([listed(0), listed(2), listed(5), listed(7)], [1; 4]);
        assert!(release_part(pages(0, 1)) && release_part(pages(2, 3)) && release_part(pages(5, 8)));
        assert_eq!(listed(1), 1);
        release(start + PAGE, PAGE);
    }

    #[test]
    fn committed_memory_is_zero_and_decommitted_memory_is_zero_again() {
        let start = reserve(1 << 20, 1 << 20).expect("reserve");
        assert_eq!(start.get() % (1 << 20), 0);
        let range = Range::sized(start, 8 * PAGE);
        assert!(commit(range));
        let word = start.as_ptr::<u64>();
        // SAFETY: committed just now, and ours.
        unsafe {
            assert_eq!(*word, 0);
            *word = 7;
            decommit(range);
            assert_eq!(*word, 0);
        }
        let mut listed = false;
        for_each_range(|ours| listed |= ours.contains(start));
        assert!(listed);
        release(start, 1 << 20);
        let mut listed = false;
        for_each_range(|ours| listed |= ours.contains(start));
        assert!(!listed);
    }
}
