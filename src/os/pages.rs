//! Which pages of the process hold something, asked of the kernel: a search must not fault, nor bring pages into memory
//! that hold nothing.
//!
//! | asked | tells | costs |
//! |---|---|---|
//! | `PAGEMAP_SCAN` (from Linux 6.7 on) | what page tables have, in runs | what is there, however large the range |
//! | the table `pagemap` | the same, an entry a page | 8 bytes a page of the range |
//! | `mincore` | what is in memory, whoever has brought it there | a byte a page of the range |
//!
//! Of a *private* mapping those pages count that are the process's own: a page of a file that was only read is none, and
//! has nothing that the file has not. What was written once stays the process's own when the program may no longer
//! write it, or not even read it.
//!
//! Page tables do not say what a *shared* mapping holds: those of a forked child begin empty, and advice empties them.
//! There `mincore` is asked. It does not tell what has been swapped out from what was never there, so where the kernel
//! counts swapped pages in the mapping, all of it may hold something.
//!
//! Each answers as far as it can, and the next one goes on from there. Where none does (a sandbox, a process that nobody may
//! look into), every page may hold something.
//!
//! Holds:   a page that holds something of the program's is in a run that is visited.
//! Threads: whoever asks; what others change meanwhile may be missed, so in a collection the world is stopped.

use super::{
    lines::{self, Line},
    mem::PAGE,
    scan::{self, Question, Run},
    sys::{self, File},
};
use crate::base::{
    addr::{Addr, Range},
    sync::{AtomicBool, Ordering},
};

/// How a page's contents can be reached.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Presence {
    /// In memory.
    Present,
    /// Somewhere else: swapped out, migrating, or a guard the kernel set; or nobody knows. Reading may fault, so read by
    /// copying.
    Elsewhere,
}

/// Which pages of a range are meant.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Wanted {
    /// Those that the process has for itself alone. For private mappings.
    Own,
    /// Those that its page tables have, be they a file's.
    Mapped,
    /// Those of the memory that is shared there, whether page tables have them or not.
    Shared,
}

/// Visits a run of pages.
type Visit<'a> = dyn FnMut(Range, Presence) + 'a;

/// The kernel's table of the process's pages.
pub struct Pages {
    file: Option<File>,
}

impl Pages {
    /// Opens it, if that is allowed.
    pub fn open() -> Pages {
        Pages { file: File::open(c"/proc/thread-self/pagemap").ok() }
    }

    /// Visits the runs of pages in `range` that hold something, in ascending order. The range is page-aligned, and one that
    /// is shared lies in one mapping.
    pub fn for_each_run(&self, range: Range, wanted: Wanted, mut visit: impl FnMut(Range, Presence)) {
        let visit: &mut Visit<'_> = &mut visit;
        let after = |to: Addr| Range::new(to, range.end);
        let mut at = range.start;
        if wanted != Wanted::Shared {
            at = self.scan(after(at), wanted, visit);
            at = self.look_up(after(at), wanted, visit);
        }
        at = ask_residence(after(at), wanted, visit);
        if at < range.end {
            visit(after(at), Presence::Elsewhere);
        }
    }

    /// Whether asking costs what is there, and not what might be.
    pub fn is_cheap(&self) -> bool {
        // Relaxed: nothing else is told by it.
        self.file.is_some() && !IS_TABLE_ONLY.load(Ordering::Relaxed)
    }

    /// By `PAGEMAP_SCAN`: how far it got.
    #[inline(never)]
    fn scan(&self, range: Range, wanted: Wanted, visit: &mut Visit<'_>) -> Addr {
        let Some(file) = self.file.as_ref().filter(|_| self.is_cheap()) else { return range.start };
        // Of a file, unless the process has its own copy of the page.
        let files = if wanted == Wanted::Own { scan::OF_A_FILE } else { 0 };
        let any_of = scan::PRESENT | scan::SWAPPED;
        let question = Question { flags: 0, none_of: scan::ZEROES | files, all_of: 0, any_of };
        let presence = |run: &Run| if run.is(scan::SWAPPED) { Presence::Elsewhere } else { Presence::Present };
        let mut found = [Run::default(); 64];
        let mut at = range.start;
        while at < range.end {
            match scan::runs(file, Range::new(at, range.end), question, &mut found) {
                Ok((runs, end)) if end > at => {
                    runs.iter().for_each(|run| visit(run.range(), presence(run)));
                    at = end;
                }
                // Relaxed: see `is_cheap`.
                Err(libc::ENOTTY | libc::EINVAL) => return note_table_only(at),
                _ => return at,
            }
        }
        at
    }

    /// By the entries of the table: how far it got.
    #[inline(never)]
    fn look_up(&self, range: Range, wanted: Wanted, visit: &mut Visit<'_>) -> Addr {
        let Some(file) = &self.file else { return range.start };
        let mut runs = Runs::new(range.start, visit);
        let mut entries = [0u64; 512];
        while runs.end < range.end {
            let count = ((range.end - runs.end) / PAGE).min(entries.len());
            let offset = (runs.end.get() / PAGE * size_of::<u64>()) as u64;
            let read = file.read_at(&mut entries[..count], offset).unwrap_or(0) / size_of::<u64>();
            if read == 0 {
                break;
            }
            entries[..read].iter().for_each(|&entry| runs.add(presence_in_entry(entry, wanted)));
        }
        runs.finish()
    }
}

/// Whether the kernel has no `PAGEMAP_SCAN`.
static IS_TABLE_ONLY: AtomicBool = AtomicBool::new(false);

fn note_table_only(at: Addr) -> Addr {
    // Relaxed: see `is_cheap`.
    IS_TABLE_ONLY.store(true, Ordering::Relaxed);
    at
}

/// What an entry of the table says of a page. The kernel's `Documentation/admin-guide/mm/pagemap.rst` has the bits.
fn presence_in_entry(entry: u64, wanted: Wanted) -> Option<Presence> {
    const PRESENT: u64 = 1 << 63;
    const SWAPPED: u64 = 1 << 62;
    const OF_A_FILE: u64 = 1 << 61;
    let is_wanted = wanted != Wanted::Own || entry & OF_A_FILE == 0;
    match (entry & PRESENT != 0, entry & SWAPPED != 0) {
        (true, _) if is_wanted => Some(Presence::Present),
        (false, true) if is_wanted => Some(Presence::Elsewhere),
        _ => None,
    }
}

/// By `mincore`: how far it got.
#[inline(never)]
fn ask_residence(range: Range, wanted: Wanted, visit: &mut Visit<'_>) -> Addr {
    if range.is_empty() {
        return range.start;
    }
    // Of a private mapping it tells what a file has in memory, too.
    let resident_is = if wanted == Wanted::Shared { Presence::Present } else { Presence::Elsewhere };
    // Those that are not in memory are not there at all, unless they have been swapped out.
    let absent = if may_be_swapped(range, wanted) { Some(Presence::Elsewhere) } else { None };
    let mut runs = Runs::new(range.start, visit);
    let mut resident = [0u8; PAGE];
    while runs.end < range.end {
        let bytes = (range.end - runs.end).min(resident.len() * PAGE);
        let args = [runs.end.get(), bytes, resident.as_mut_ptr() as usize, 0, 0, 0];
        // SAFETY: the kernel writes a byte for each page into `resident`, which has as many.
        if sys::checked(unsafe { sys::call(libc::SYS_mincore, args) }).is_err() {
            break;
        }
        let is_resident = resident[..bytes / PAGE].iter().map(|byte| byte & 1 != 0);
        is_resident.for_each(|is_resident| runs.add(if is_resident { Some(resident_is) } else { absent }));
    }
    runs.finish()
}

/// Whether pages of the range may have been swapped out. Of shared memory the kernel counts them; it is asked only where
/// anything is swapped out at all.
fn may_be_swapped(range: Range, wanted: Wanted) -> bool {
    // SAFETY: an all-zero `sysinfo` is a valid value, and the kernel fills it.
    let mut info: libc::sysinfo = unsafe { core::mem::zeroed() };
    let args = [&raw mut info as usize, 0, 0, 0, 0, 0];
    // SAFETY: `info` is ours.
    let is_known = sys::checked(unsafe { sys::call(libc::SYS_sysinfo, args) }).is_ok();
    let is_none = is_known && info.freeswap == info.totalswap;
    !is_none && (wanted != Wanted::Shared || swapped_kib(range.start) != Some(0))
}

/// How much of the mapping at `at` has been swapped out, as the kernel's long list of mappings says. `None`: nobody knows.
fn swapped_kib(at: Addr) -> Option<usize> {
    let file = File::open(c"/proc/thread-self/smaps").ok()?;
    let (mut is_inside, mut swapped) = (false, None);
    let read = lines::for_each(&file, &mut [0; 1024], |line| {
        let (Line::Whole(line) | Line::Front(line)) = line;
        if let Some(mapping) = super::maps::parse(line) {
            is_inside = mapping.range.contains(at);
        } else if is_inside && let Some(rest) = line.strip_prefix(b"Swap:") {
            let digits = rest.iter().filter(|byte| byte.is_ascii_digit());
            swapped = Some(digits.fold(0, |number, digit| number * 10 + usize::from(digit - b'0')));
        }
    });
    read.ok().and(swapped)
}

/// Pages one after the other, put together to runs of equal presence.
struct Runs<'a, 'b> {
    start: Addr,
    /// Where the next page is.
    end: Addr,
    presence: Option<Presence>,
    visit: &'a mut Visit<'b>,
}

impl<'a, 'b> Runs<'a, 'b> {
    fn new(start: Addr, visit: &'a mut Visit<'b>) -> Self {
        Runs { start, end: start, presence: None, visit }
    }

    fn add(&mut self, presence: Option<Presence>) {
        if presence != self.presence {
            self.end_run();
            (self.start, self.presence) = (self.end, presence);
        }
        self.end = self.end + PAGE;
    }

    fn end_run(&mut self) {
        if let Some(presence) = self.presence
            && self.end > self.start
        {
            (self.visit)(Range::new(self.start, self.end), presence);
        }
    }

    /// Where the pages end that were added.
    fn finish(mut self) -> Addr {
        self.end_run();
        self.end
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use crate::os::mem;
    use std::vec::Vec;

    /// Runs in pages from the start of `range`, found in one way.
    fn runs(range: Range, ask: impl FnOnce(&mut Visit<'_>)) -> Vec<(usize, usize, Presence)> {
        let mut runs = Vec::new();
        ask(&mut |run, presence| runs.push(((run.start - range.start) / PAGE, run.bytes() / PAGE, presence)));
        runs
    }

    fn touch(page: Addr) {
        // SAFETY: callers pass pages that they have mapped.
        unsafe { page.as_ptr::<u8>().write_volatile(1) };
    }

    /// A mapping of a fresh memory file.
    fn map_file(bytes: usize, kind: i32) -> Range {
        // SAFETY: a fresh file at a fresh place.
        let start = unsafe {
            let file = libc::memfd_create(c"pages".as_ptr(), 0);
            assert_eq!(libc::ftruncate(file, bytes as i64), 0);
            let start = libc::mmap(core::ptr::null_mut(), bytes, libc::PROT_READ | libc::PROT_WRITE, kind, file, 0);
            assert_eq!(libc::close(file), 0);
            start
        };
        assert_ne!(start, libc::MAP_FAILED);
        Range::sized(Addr::of(start), bytes)
    }

    fn unmap_file(range: Range) {
        // SAFETY: mapped by `map_file`.
        unsafe { libc::munmap(range.start.as_ptr(), range.bytes()) };
    }

    #[test]
    fn touched_pages_are_present_and_others_are_not_visited() {
        let range = Range::sized(mem::map(16 * PAGE).unwrap(), 16 * PAGE);
        touch(range.start + 3 * PAGE);
        let pages = Pages::open();
        let expected = [(3, 1, Presence::Present)];
        assert_eq!(runs(range, |visit| pages.for_each_run(range, Wanted::Own, visit)), expected);
        assert_eq!(runs(range, |visit| assert_eq!(pages.look_up(range, Wanted::Own, visit), range.end)), expected);
        let by_residence = runs(range, |visit| assert_eq!(ask_residence(range, Wanted::Own, visit), range.end));
        assert!(by_residence.contains(&(3, 1, Presence::Elsewhere)) || by_residence == [(0, 16, Presence::Elsewhere)]);
        mem::unmap(range.start, range.bytes());
    }

    #[test]
    fn of_a_file_only_what_was_written_is_the_process_s_own_and_stays_so_when_it_is_closed() {
        let range = map_file(8 * PAGE, libc::MAP_PRIVATE);
        // SAFETY: mapped just now.
        unsafe { (range.start + 2 * PAGE).as_ptr::<u8>().read_volatile() };
        touch(range.start + 5 * PAGE);
        let pages = Pages::open();
        for protection in [libc::PROT_READ | libc::PROT_WRITE, libc::PROT_READ, libc::PROT_NONE] {
            mem::change_protection(range, protection).unwrap();
            let own = runs(range, |visit| pages.for_each_run(range, Wanted::Own, visit));
            assert_eq!(own, [(5, 1, Presence::Present)], "protection {protection}");
            assert_eq!(own, runs(range, |visit| assert_eq!(pages.look_up(range, Wanted::Own, visit), range.end)));
            let mapped = runs(range, |visit| pages.for_each_run(range, Wanted::Mapped, visit));
            assert!(mapped.iter().any(|&(first, count, _)| (first..first + count).contains(&2)), "{mapped:?}");
        }
        unmap_file(range);
    }

    #[test]
    fn what_page_tables_have_forgotten_is_still_found_in_shared_memory() {
        let range = map_file(8 * PAGE, libc::MAP_SHARED);
        touch(range.start + 4 * PAGE);
        // SAFETY: of shared memory this gives up nothing but the page tables.
        unsafe { libc::madvise(range.start.as_ptr(), range.bytes(), libc::MADV_DONTNEED) };
        let pages = Pages::open();
        assert_eq!(runs(range, |visit| pages.for_each_run(range, Wanted::Mapped, visit)), []);
        let found = runs(range, |visit| pages.for_each_run(range, Wanted::Shared, visit));
        assert!(found.iter().any(|&(first, count, _)| (first..first + count).contains(&4)), "{found:?}");
        unmap_file(range);
    }

    #[test]
    fn the_kernel_s_count_of_swapped_pages_is_understood() {
        let here = 0u8;
        assert!(swapped_kib(Addr::of(&raw const here)).is_some(), "the stack is in the list");
        assert_eq!(swapped_kib(Addr::new(8)), None);
    }

    #[test]
    fn a_scan_with_more_runs_than_room_finds_them_all_and_costs_nothing_for_what_is_not_there() {
        const RUNS: usize = 200;
        let range = Range::sized(mem::reserve(1 << 38, PAGE).unwrap(), 1 << 38);
        let part = Range::sized(range.start + (1 << 37), 2 * RUNS * PAGE);
        assert!(mem::commit(part));
        (0..RUNS).for_each(|run| touch(part.start + 2 * run * PAGE));
        let first = (part.start - range.start) / PAGE;
        let pages = Pages::open();
        let expected: Vec<_> = (0..RUNS).map(|run| (first + 2 * run, 1, Presence::Present)).collect();
        assert_eq!(runs(part, |visit| pages.for_each_run(part, Wanted::Own, visit)).len(), RUNS);
        if pages.is_cheap() {
            assert_eq!(runs(range, |visit| pages.for_each_run(range, Wanted::Own, visit)), expected);
        }
        mem::release(range.start, range.bytes());
    }
}
