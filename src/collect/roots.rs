//! Roots: where the search for reachable objects starts.
//!
//! | root | engine in a C library | engine behind malloc |
//! |---|---|---|
//! | registers, general and vector | context of each stopped thread; spilled by the collecting one | same |
//! | stacks, from the stack pointer to the cold end | by each thread's record, and its fiber's | same |
//! | fibers that are kept until they are ended | by their records | same |
//! | static data | writable segments, as the loader lists them | every private writable mapping, as the kernel lists them |
//! | code that the program has made, at any alignment | no | yes |
//! | thread-local storage | static: ends of stacks, the main thread's mapping; dynamic: each thread's vector | in those mappings, or objects that they point to |
//! | ranges and pins by request, data of finalizers, the queue | yes | yes |
//! | uncollectable objects | yes | yes |
//!
//! The kernel's list is read after the stop: it is right in the middle of a `dlclose`, has what other namespaces loaded,
//! and needs no lock. The loader's list is read before it, under the loader's own lock, which is held until the world goes
//! on. A forked child takes the kernel's list behind either door: it has more, and the loader's lock may be lost there.
//!
//! Holds: what is ours (`os::mem`) is never a root, nor the dead part of a stack.

use super::{
    closed::Closed,
    fibers::{self, Fibers},
    hiding,
    table::List,
    tables::{TABLES, Tables},
    trace,
};
use crate::{
    base::{
        addr::{Addr, Ambiguous, Range},
        sync::{AtomicBool, AtomicUsize, Ordering},
    },
    heap::{
        cage, centre, emergency,
        mutator::{self, Mutator},
        resolve, sweep,
    },
    os::{
        maps::{self, Mapping, Pages, Presence},
        mem, memcheck, signal,
        stack::CONTROL_BLOCK_BYTES_MAX,
        statics, sys, tls,
    },
};

/// What a root is part of.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Source {
    /// Registers of a stopped thread.
    Registers,
    /// A stack.
    Stack,
    /// A fiber.
    Fiber,
    /// Static data, or another mapping of the program's own.
    Static,
    /// Code that the program has made.
    Code,
    /// Thread-local storage.
    ThreadLocal,
    /// A range that the program registered, or a pin, or a page of the heap that it has closed.
    Registered,
    /// Data of a finalizer, or an object in the queue.
    Finalizer,
    /// An uncollectable object.
    Uncollectable,
}

impl Source {
    /// Whether an address may lie at any byte there: see [`filter`](super::filter).
    pub fn has_words_at_any_byte(self) -> bool {
        matches!(self, Source::Registers | Source::Stack)
    }

    /// In words.
    pub fn name(self) -> &'static str {
        match self {
            Source::Registers => "a register",
            Source::Stack => "a stack",
            Source::Fiber => "a fiber",
            Source::Static => "static data or a mapping of the program's",
            Source::Code => "code that the program has made",
            Source::ThreadLocal => "thread-local storage",
            Source::Registered => "a registered range, a pin or a protected page",
            Source::Finalizer => "a finalizer",
            Source::Uncollectable => "an uncollectable object",
        }
    }
}

/// Whether every mapping of the program is a root: the engine behind malloc.
static MAPPINGS_ARE_ROOTS: AtomicBool = AtomicBool::new(false);

/// Makes every private writable mapping a root.
pub fn make_mappings_roots() {
    MAPPINGS_ARE_ROOTS.store(true, Ordering::Relaxed);
}

/// Whether the loader has to be locked around a collection.
pub fn needs_loader() -> bool {
    !mappings_are_roots()
}

fn mappings_are_roots() -> bool {
    MAPPINGS_ARE_ROOTS.load(Ordering::Relaxed)
}

/// What is learned about roots before the stop, and room for what is worked out during it.
pub struct Snapshot {
    segments: List<Range>,
    /// Module numbers and sizes of objects with thread-local storage.
    tls_modules: List<(usize, usize)>,
    /// Parts of mappings that are not roots, in ascending order.
    excluded: List<Range>,
    /// The used parts of stacks, each behind an excluded one, in ascending order.
    stacks: List<Used>,
    closed: Closed,
    /// The fibers, from the stop on.
    pub fibers: Fibers,
    /// Bytes of roots that the last enumeration read.
    pub bytes: u64,
}

/// The roots cannot be enumerated; nothing may be reclaimed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Unknown;

/// The main thread's control block: in no stack and in no segment.
static MAIN_CONTROL_START: AtomicUsize = AtomicUsize::new(0);
static MAIN_CONTROL_END: AtomicUsize = AtomicUsize::new(0);

/// Remembers where the calling thread, the main one, has its control block. Its static thread-local storage is found by
/// its vector, as that of objects opened later is.
pub fn note_main_thread() {
    let tp = tls::thread_pointer();
    maps::for_each(|mapping| {
        if mapping.range.contains(tp) {
            MAIN_CONTROL_START.store(tp.get(), Ordering::Relaxed);
            MAIN_CONTROL_END.store(mapping.range.end.min(tp + CONTROL_BLOCK_BYTES_MAX).get(), Ordering::Relaxed);
        }
    });
}

/// A thread has ended: its control block may hold a result that nobody has fetched.
pub fn remember_control_block(thread_pointer: usize) {
    if thread_pointer != 0 {
        let mut tables = TABLES.lock();
        if !tables.ended_control_blocks.as_slice().contains(&thread_pointer) {
            // Without memory for the list the result of a joinable thread could be lost; the list is short.
            let _ = tables.ended_control_blocks.push(thread_pointer);
        }
    }
}

/// Where the caller of a collection stands.
#[derive(Clone, Copy)]
pub struct Myself<'a> {
    /// Its record.
    pub mutator: &'a Mutator,
    /// Its stack pointer, below its spilled registers.
    pub sp: Addr,
}

impl Snapshot {
    /// An empty one, without memory.
    pub const fn new() -> Self {
        Snapshot {
            segments: List::new(),
            tls_modules: List::new(),
            excluded: List::new(),
            stacks: List::new(),
            closed: Closed::new(),
            fibers: Fibers::new(),
            bytes: 0,
        }
    }

    /// Reads the loader's list. Before the stop; the loader is locked until the world goes on.
    pub fn read_loader(&mut self) -> Result<(), Unknown> {
        if mappings_are_roots() {
            return Ok(());
        }
        self.segments.clear();
        self.tls_modules.clear();
        if !statics::vector_is_understood() {
            // Thread-local storage cannot be found by it, but is in the mappings.
            make_mappings_roots();
            return Ok(());
        }
        let own = own_tables();
        let mut complete = true;
        statics::for_each_object(|object| {
            for range in object.writable() {
                without(range, &own, |part| complete &= self.segments.push(part).is_ok());
            }
            if object.tls_module != 0 {
                complete &= self.tls_modules.push((object.tls_module, object.tls_bytes())).is_ok();
            }
        });
        if complete { Ok(()) } else { Err(Unknown) }
    }

    /// Visits every root as ranges of readable memory. The world is stopped.
    pub fn for_each(
        &mut self,
        myself: Myself<'_>,
        tables: &Tables,
        visit: &mut dyn FnMut(Source, Range),
    ) -> Result<(), Unknown> {
        let mut bytes = 0;
        let mut counted = |source: Source, range: Range| {
            bytes += range.bytes() as u64;
            visit(source, range);
        };
        let result = self.enumerate(myself, tables, &mut counted);
        self.bytes = bytes;
        result
    }

    /// What was done so that roots and objects can be read is undone. The world is still stopped.
    pub fn close(&mut self) {
        self.closed.close();
    }

    fn enumerate(
        &mut self,
        myself: Myself<'_>,
        tables: &Tables,
        visit: &mut dyn FnMut(Source, Range),
    ) -> Result<(), Unknown> {
        if !sys::can_read_own_memory() {
            // Pages that cannot be read by an instruction would seem to hold nothing.
            return Err(Unknown);
        }
        self.closed.open(|at| visit_word(Source::Registered, at.get(), visit)).map_err(|_| Unknown)?;
        for record in mutator::all().filter(|record| record.is_alive()) {
            visit_registers(record, myself, visit);
        }
        self.find_excluded(myself)?;
        if mappings_are_roots() {
            self.mappings(myself, visit)?;
        } else {
            for record in mutator::all().filter(|record| record.is_alive()) {
                visit_own_stack(record, myself, visit)?;
                self.visit_dynamic_tls(record, visit);
            }
            let excluded = self.excluded.as_slice();
            for &segment in self.segments.as_slice() {
                without(segment, excluded, |part| visit(Source::Static, part));
            }
            let main_control = Range::new(
                Addr::new(MAIN_CONTROL_START.load(Ordering::Relaxed)),
                Addr::new(MAIN_CONTROL_END.load(Ordering::Relaxed)),
            );
            visit(Source::ThreadLocal, main_control);
        }
        for record in mutator::all().filter(|record| record.is_alive()) {
            self.visit_other_stack(record, myself, visit)?;
            visit_guest(record, myself, visit);
        }
        self.visit_fibers(visit);
        visit_ended_control_blocks(tables, visit);
        visit(Source::Registered, emergency::range());
        tables.ranges.as_slice().iter().for_each(|&range| visit(Source::Registered, range));
        tables.pins.for_each(|object, _| visit_object(Source::Registered, object, visit));
        tables.finalizers.for_each_data(|word| visit_word(Source::Finalizer, word.0, visit));
        tables.finalizers.for_each_queued(|object| visit_object(Source::Finalizer, object, visit));
        Ok(())
    }

    /// The TLS blocks that the loader made for objects opened later.
    fn visit_dynamic_tls(&self, record: &Mutator, visit: &mut dyn FnMut(Source, Range)) {
        let tp = Addr::new(record.thread_pointer.load(Ordering::Relaxed));
        if tp.is_null() {
            return;
        }
        for &(module, bytes) in self.tls_modules.as_slice() {
            // SAFETY: the thread is stopped or ourselves, and the loader is locked.
            let block = unsafe { statics::tls_block(tp, module) };
            if !block.is_null() {
                visit(Source::ThreadLocal, Range::sized(block, bytes));
            }
        }
    }

    /// A stack that the thread stands on and that is not its own: a fiber's, a signal handler's, or one that nobody has
    /// told us of.
    fn visit_other_stack(
        &self,
        record: &Mutator,
        myself: Myself<'_>,
        visit: &mut dyn FnMut(Source, Range),
    ) -> Result<(), Unknown> {
        let sp = stack_pointer(record, myself);
        let guest = record.fibers.guest().map(|guest| guest.stack()).filter(|stack| stack.contains(sp));
        if guest.is_none() && record.stack().contains(sp) {
            return Ok(());
        }
        if let Some(stack) = guest.or_else(|| self.fibers.stack_at(sp)) {
            visit(Source::Stack, Range::new(sp, stack.end));
        } else if let Some(slot) = resolve::resolve(Ambiguous(sp.get())) {
            // It lies in an object: from the stack pointer to the object's end.
            visit(Source::Stack, Range::new(sp, slot.start() + slot.bytes()));
        } else {
            let found = self.visit_mapping_from(sp, visit);
            // As a mapping it is a root anyway.
            return if mappings_are_roots() { Ok(()) } else { found };
        }
        Ok(())
    }

    /// An unknown stack: from the stack pointer to the end of its mapping, or to a stack that is known.
    fn visit_mapping_from(&self, sp: Addr, visit: &mut dyn FnMut(Source, Range)) -> Result<(), Unknown> {
        let pages = Pages::open();
        let mut found = false;
        let is_listed = maps::for_each(|mapping| {
            if mapping.range.contains(sp) {
                found = true;
                let part = self.fibers.before_next(Range::new(sp, mapping.range.end));
                visit_present(&pages, part, Source::Stack, visit);
            }
        });
        if is_listed && found { Ok(()) } else { Err(Unknown) }
    }

    /// The fibers that are kept until they are ended, and the parts of objects that are no part of the stack there.
    fn visit_fibers(&self, visit: &mut dyn FnMut(Source, Range)) {
        self.fibers.for_each_root(|fiber| visit_object(Source::Fiber, fiber.address(), visit));
        self.fibers.for_each_object(|slot, stack| {
            visit(Source::Fiber, Range::new(slot.start(), stack.start));
            visit(Source::Fiber, Range::new(stack.end, slot.start() + slot.bytes()));
        });
    }

    /// Every private writable mapping, less what is ours and what is dead.
    fn mappings(&mut self, myself: Myself<'_>, visit: &mut dyn FnMut(Source, Range)) -> Result<(), Unknown> {
        let pages = Pages::open();
        let main_sp = mutator::find(sys::process_id()).and_then(|record| own_stack_from(record, myself));
        let (excluded, stacks) = (self.excluded.as_slice(), self.stacks.as_slice());
        let mut is_known = true;
        let is_listed = maps::for_each(|mapping| {
            is_known &= !hiding::forbids_reclaiming(&mapping);
            let is_made_code = is_made_code(&mapping);
            let may_hold_pointers = mapping.writable && mapping.readable && !mapping.shared;
            if !(is_made_code || may_hold_pointers) || !is_the_programs(mapping.range, myself) {
                return;
            }
            if is_made_code {
                without(mapping.range, excluded, |part| visit_code(&pages, part, visit));
                return;
            }
            let mut range = mapping.range;
            if mapping.stack && main_sp.is_some_and(|sp| range.contains(sp)) {
                range.start = main_sp.unwrap_or(range.start);
            }
            let source = if mapping.stack { Source::Stack } else { Source::Static };
            without(range, excluded, |part| {
                let Used { frames, control } = used_stack(stacks, part);
                if control.end - frames.start <= SHORT_STACK_BYTES {
                    Used { frames, control }.visit(visit);
                } else {
                    visit_present(&pages, frames, Source::Stack, visit);
                    visit_present(&pages, control, Source::ThreadLocal, visit);
                }
                visit_present(&pages, Range::new(control.end, part.end), source, visit);
            });
        });
        if !is_known {
            super::disable();
        }
        if is_listed && is_known { Ok(()) } else { Err(Unknown) }
    }

    /// Finds what is not searched as part of something larger: the stacks of fibers, and where mappings are roots what is
    /// ours and the dead parts of threads' stacks.
    fn find_excluded(&mut self, myself: Myself<'_>) -> Result<(), Unknown> {
        self.excluded.clear();
        self.stacks.clear();
        let (excluded, stacks, fibers) = (&mut self.excluded, &mut self.stacks, &self.fibers);
        let mut complete = true;
        // Room first: adding to the list may map memory, and the list of what is ours is locked while it is read.
        let mut count = 0;
        mem::for_each_range(|_| count += 1);
        if stacks.reserve(mutator::count_alive()).is_err()
            || excluded.reserve(count + mutator::count_alive() + fibers.count() + 64).is_err()
        {
            return Err(Unknown);
        }
        fibers.for_each_stack(|stack| complete &= cage::contains(stack.start) || excluded.push(stack).is_ok());
        if mappings_are_roots() {
            mem::for_each_range(|range| complete &= excluded.push(range).is_ok());
            let main = sys::process_id();
            // Valgrind gives the main thread a stack that the kernel does not list as such. Nor does it list that of a
            // thread that has forked and is its process's first now: there the control block is at the cold end.
            let is_listed = |record: &Mutator| {
                let tp = Addr::new(record.thread_pointer.load(Ordering::Relaxed));
                let ends_in_control_block = |from| Range::new(from, record.stack().end).contains(tp);
                record.tid.load(Ordering::Relaxed) == main
                    && !memcheck::is_simulated()
                    && !own_stack_from(record, myself).is_some_and(ends_in_control_block)
            };
            for record in mutator::all().filter(|record| record.is_alive() && !is_listed(record)) {
                let stack = record.stack();
                if let Some(from) = own_stack_from(record, myself).filter(|_| !cage::contains(stack.start)) {
                    complete &= excluded.push(Range::new(stack.start, from)).is_ok();
                    complete &= stacks.push(Used::of(record, Range::new(from, stack.end))).is_ok();
                }
            }
        }
        stacks.as_mut_slice().sort_unstable_by_key(|used| used.frames.start);
        excluded.as_mut_slice().sort_unstable_by_key(|range| range.start);
        if complete { Ok(()) } else { Err(Unknown) }
    }
}

/// Whether a mapping is the program's, and not valgrind's, which lives in the same address space and keeps the address
/// of every object: a thread stands on it, or memcheck lets the program read the first or last byte of some page.
fn is_the_programs(range: Range, myself: Myself<'_>) -> bool {
    if !memcheck::is_running() {
        return true;
    }
    let is_a_stack = || {
        let mut alive = mutator::all().filter(|record| record.is_alive());
        alive.any(|record| range.contains(stack_pointer(record, myself)))
    };
    let is_readable = |page: Addr| memcheck::is_addressable(page) || memcheck::is_addressable(page + (mem::PAGE - 1));
    let mut pages = (range.start.get()..range.end.get()).step_by(mem::PAGE);
    is_a_stack() || pages.any(|page| is_readable(Addr::new(page)))
}

/// Our large tables in static data, in ascending order: they hold no roots.
fn own_tables() -> [Range; 2] {
    let mut tables = [mem::table(), centre::table()];
    tables.sort_unstable_by_key(|table| table.start);
    tables
}

/// The used part of a stack up to this size is read without asking which of its pages are there: a thread stands on it, so
/// most are, and reading them costs less than asking the kernel.
const SHORT_STACK_BYTES: usize = 4 * mem::PAGE;

/// The used part of a thread's stack: the frames of its functions, where words may lie at any byte, and its control block
/// behind them.
#[derive(Clone, Copy, Default)]
struct Used {
    frames: Range,
    control: Range,
}

impl Used {
    /// The parts of the used range of a thread's own stack.
    fn of(record: &Mutator, used: Range) -> Used {
        let control = Addr::new(record.thread_pointer.load(Ordering::Relaxed));
        let frames_end = if used.contains(control) { control } else { used.end };
        Used { frames: Range::new(used.start, frames_end), control: Range::new(frames_end, used.end) }
    }

    fn visit(self, visit: &mut dyn FnMut(Source, Range)) {
        visit(Source::Stack, self.frames);
        visit(Source::ThreadLocal, self.control);
    }
}

/// As much of `part` as is the used part of a stack, from its start; empty if none begins there.
fn used_stack(stacks: &[Used], part: Range) -> Used {
    let found = stacks.binary_search_by_key(&part.start, |used| used.frames.start).map(|index| stacks[index]);
    let nothing = Range::new(part.start, part.start);
    found.map_or(Used { frames: nothing, control: nothing }, |Used { frames, control }| Used {
        frames: Range::new(part.start, frames.end.min(part.end)),
        control: Range::new(frames.end.min(part.end), control.end.min(part.end)),
    })
}

/// Where the used part of the thread's current stack begins, the red zone included.
fn stack_pointer(record: &Mutator, myself: Myself<'_>) -> Addr {
    if core::ptr::eq(record, myself.mutator) {
        return myself.sp;
    }
    // Relaxed: written by the thread that collects.
    if record.stands_in_region.load(Ordering::Relaxed) != 0 {
        return Addr::new(record.region_sp.load(Ordering::Relaxed));
    }
    let context = record.context.load(Ordering::Relaxed) as *const core::ffi::c_void;
    // SAFETY: the thread is stopped in its handler, so its context is there.
    let sp = unsafe { signal::stack_pointer(context) };
    Addr::new(sp.get() - signal::RED_ZONE_BYTES)
}

fn visit_registers(record: &Mutator, myself: Myself<'_>, visit: &mut dyn FnMut(Source, Range)) {
    if core::ptr::eq(record, myself.mutator) || record.stands_in_region.load(Ordering::Relaxed) != 0 {
        return;
    }
    let context = record.context.load(Ordering::Relaxed) as *const core::ffi::c_void;
    // SAFETY: the thread is stopped in its handler, so its context is there.
    for range in unsafe { signal::registers(context) } {
        visit(Source::Registers, range);
    }
}

/// Where the used part of the thread's own stack begins: where it stands, or where it was parked while the thread runs a
/// fiber. `None`: the thread stands elsewhere and has not said so.
fn own_stack_from(record: &Mutator, myself: Myself<'_>) -> Option<Addr> {
    let sp = Some(stack_pointer(record, myself)).filter(|&sp| record.stack().contains(sp));
    let parked = record.fibers.parked_sp();
    sp.into_iter().chain(parked).min()
}

/// The used part of the thread's own stack, or all of it that holds something.
fn visit_own_stack(record: &Mutator, myself: Myself<'_>, visit: &mut dyn FnMut(Source, Range)) -> Result<(), Unknown> {
    let stack = record.stack();
    match own_stack_from(record, myself) {
        Some(from) => Used::of(record, Range::new(from, stack.end)).visit(visit),
        None if stack.is_empty() => {}
        None => visit_mapped_part(&Pages::open(), stack, visit)?,
    }
    Ok(())
}

/// The fiber that the thread runs or is about to run, which is kept alive by that. If the thread does not stand on it (it
/// is in the middle of a switch, or in a signal handler with a stack of its own), it is searched whole.
fn visit_guest(record: &Mutator, myself: Myself<'_>, visit: &mut dyn FnMut(Source, Range)) {
    let Some(guest) = record.fibers.guest() else { return };
    visit_object(Source::Fiber, guest.address(), visit);
    let stack = guest.stack();
    if !stack.contains(stack_pointer(record, myself)) {
        fibers::readable(stack, |part| visit(Source::Stack, part));
    }
}

/// The parts of a stack's range that are mapped and hold something.
fn visit_mapped_part(pages: &Pages, stack: Range, visit: &mut dyn FnMut(Source, Range)) -> Result<(), Unknown> {
    let is_listed = maps::for_each(|mapping| {
        let part = mapping.range.intersect(stack);
        if mapping.readable && !part.is_empty() {
            visit_present(pages, part, Source::Stack, visit);
        }
    });
    if is_listed { Ok(()) } else { Err(Unknown) }
}

/// The control blocks of threads that have ended, as far as they can still be read.
fn visit_ended_control_blocks(tables: &Tables, visit: &mut dyn FnMut(Source, Range)) {
    for &tp in tables.ended_control_blocks.as_slice() {
        let start = Addr::new(tp);
        let end = (start + 1).align_up(CONTROL_BLOCK_BYTES_MAX);
        copied_words(Range::new(start, end), Source::ThreadLocal, visit);
    }
}

/// Forgets control blocks that cannot be read any more, or that a running thread has now.
pub fn forget_reused_control_blocks(tables: &mut Tables) {
    let blocks = &mut tables.ended_control_blocks;
    let mut index = 0;
    while let Some(&tp) = blocks.as_slice().get(index) {
        let is_used =
            mutator::all().any(|record| record.is_alive() && record.thread_pointer.load(Ordering::Relaxed) == tp);
        let mut word = [0u8; size_of::<usize>()];
        if is_used || sys::read_own_memory(tp, &mut word) != word.len() {
            blocks.swap_remove(index);
        } else {
            index += 1;
        }
    }
}

fn copied_words(range: Range, source: Source, visit: &mut dyn FnMut(Source, Range)) {
    let head = Range::new(range.start, (range.start + 1).align_up(mem::PAGE).min(range.end));
    let mut words = [0usize; mem::PAGE / size_of::<usize>()];
    let rest = Range::new(head.end, range.end);
    // SAFETY: `words` may be seen as its bytes, and any bytes are words.
    let bytes = unsafe { core::slice::from_raw_parts_mut(words.as_mut_ptr().cast::<u8>(), head.bytes()) };
    let copied = sys::read_own_memory(head.start.get(), bytes);
    visit(source, Range::sized(Addr::of(words.as_ptr()), copied));
    maps::for_each_copied_page(rest, |words| visit(source, Range::sized(Addr::of(words.as_ptr()), size_of_val(words))));
}

/// An object that is known to be one. A byte inside stands for it: its first one might be the end of another.
fn visit_object(source: Source, object: Addr, visit: &mut dyn FnMut(Source, Range)) {
    visit_word(source, object.get() + 1, visit);
}

fn visit_word(source: Source, word: usize, visit: &mut dyn FnMut(Source, Range)) {
    let word = [word];
    visit(source, Range::sized(Addr::of(&raw const word), size_of::<usize>()));
}

/// The pages of a range that hold something; those that are not in memory are copied, so that reading cannot fault.
fn visit_present(pages: &Pages, range: Range, source: Source, visit: &mut dyn FnMut(Source, Range)) {
    let whole_pages = Range::new(range.start.align_down(mem::PAGE), range.end.align_up(mem::PAGE));
    pages.for_each_run(whole_pages, |run, presence| match presence {
        Presence::Absent => {}
        Presence::Present => visit(source, run.intersect(range)),
        Presence::Elsewhere => copied_words(run.intersect(range), source, visit),
    });
}

/// Whether a mapping holds code that the program has made itself, or may make.
fn is_made_code(mapping: &Mapping<'_>) -> bool {
    let is_private = !mapping.file && !mapping.shared && !mapping.stack;
    // The kernel's own code is mapped under a name in brackets.
    mapping.executable && mapping.readable && is_private && !mapping.name.starts_with(b"[v")
}

/// The present pages of made code: an instruction may hold an address, at no alignment. So each page is copied eight
/// times, shifted by a byte each time.
fn visit_code(pages: &Pages, range: Range, visit: &mut dyn FnMut(Source, Range)) {
    let mut words = [0usize; mem::PAGE / size_of::<usize>()];
    pages.for_each_run(range, |run, presence| {
        if presence == Presence::Absent {
            return;
        }
        for page in (run.start.get()..run.end.get()).step_by(mem::PAGE) {
            for start in page..page + size_of::<usize>() {
                // Past the end of the run too: the page that follows may have another protection, or be swapped out.
                // SAFETY: `words` may be seen as its bytes, and any bytes are words.
                let copy = unsafe { core::slice::from_raw_parts_mut(words.as_mut_ptr().cast::<u8>(), mem::PAGE) };
                let copied = sys::read_own_memory(start, copy);
                visit(Source::Code, Range::sized(Addr::of(words.as_ptr()), copied));
            }
        }
    });
}

/// Visits the parts of `range` that no excluded range covers.
fn without(range: Range, excluded: &[Range], mut visit: impl FnMut(Range)) {
    let mut start = range.start;
    let first = excluded.partition_point(|excluded| excluded.end <= range.start);
    for cut in excluded[first..].iter().take_while(|cut| cut.start < range.end) {
        let part = Range::new(start, cut.start.min(range.end));
        if !part.is_empty() {
            visit(part);
        }
        start = start.max(cut.end);
    }
    let part = Range::new(start, range.end);
    if !part.is_empty() {
        visit(part);
    }
}

/// Visits uncollectable objects in use that `is_marked` does not accept: those in magazines are marked and passed over.
pub fn for_each_uncollectable(mut visit: impl FnMut(resolve::Slot)) {
    sweep::for_each_allocated_word(
        |class| class.kind().traits().is_uncollectable(),
        |class, unit, index, allocated| {
            let marked = crate::heap::units::words(unit)[index].marked.load(Ordering::Relaxed);
            sweep::for_each_slot(class, unit, index, allocated & !marked, |start| {
                if let Some(slot) = resolve::locate(start) {
                    visit(slot);
                }
            });
        },
    );
}

/// Visits the words of a root range.
///
/// # Safety
/// The range came from [`Snapshot::for_each`] with this source, and the world is still stopped.
pub unsafe fn words(source: Source, range: Range, visit: impl FnMut(Ambiguous)) {
    // SAFETY: by the caller's promise.
    unsafe {
        if source.has_words_at_any_byte() { trace::words_at_any_byte(range, visit) } else { trace::words(range, visit) }
    };
}
