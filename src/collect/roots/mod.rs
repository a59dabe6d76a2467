//! Roots: where the search for reachable objects starts.
//!
//! | root | engine in a C library | engine behind malloc | room |
//! |---|---|---|---|
//! | registers, general and vector | context of each stopped thread; spilled by the collecting one | same | [`stacks`] |
//! | stacks, from the stack pointer to the cold end | by each thread's record, and its fiber's | same | [`stacks`] |
//! | fibers that are kept until they are ended | by their records | same | here |
//! | static data | writable segments, as the loader lists them | every mapping that it may have written, as the kernel lists them | [`static_data`], [`mappings`] |
//! | code that the program has made, at any alignment | no | yes | [`made_code`] |
//! | thread-local storage | static: ends of stacks, the main thread's mapping; dynamic: each thread's vector | in those mappings, or objects that they point to | [`thread_local`] |
//! | ranges and pins by request, data of finalizers, the queue, dead objects to be shown | yes | yes | here |
//! | uncollectable objects | yes | yes | here |
//! | what the program has told the kernel | no | yes | [`kernel`] |
//! | alternate stacks for signals | their addresses | same | [`alternate`] |
//!
//! What a mapping or a segment holds and is no root, or is one in another way, is [`left_out`] there, and [`excluded`] what
//! the program says is none. However a root was
//! found, it is handed to the visitor by [`reading`]: as a range that can be read. Pages that nobody has written to may be
//! [`unchanged`], and are not.
//!
//! A debug build can be [`blind`] to a place, for tests of the others.
//!
//! Of the two lists, the loader's is read before the stop and the kernel's after it. Each room says why.
//!
//! Holds:   what is ours (`os::mem`) is never a root, nor the dead part of a stack.
//! Threads: the collecting thread, with the world stopped; but the loader's list is read just before that.

pub mod alternate;
pub mod batch;
pub mod blind;
pub mod contents;
pub mod excluded;
pub mod kernel;
pub mod left_out;
pub mod made_code;
pub mod mappings;
pub mod reading;
pub mod sealed;
pub mod stacks;
pub mod static_data;
pub mod stop_frame;
pub mod thread_local;
pub mod unchanged;

use super::{
    closed::Closed,
    disguise::{Forms, Where},
    fibers::Fibers,
    finalize::Runner,
    tables::Tables,
    trace,
};
use crate::{
    base::{
        addr::{Addr, Ambiguous, Range},
        sync::{AtomicBool, Ordering},
    },
    heap::{
        cage, emergency,
        mutator::{self, Mutator},
        resolve, sweep, units,
    },
    os::{copying, statics},
};
use left_out::LeftOut;
use reading::{visit_object, visit_word};
use static_data::StaticData;
use thread_local::Modules;
use unchanged::Unchanged;

pub use thread_local::{forget_reused_control_blocks, note_main_thread, remember_control_block};

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
    /// A range that the program registered or pushed.
    Range,
    /// A pin, or a page of the heap that the program has closed.
    Registered,
    /// Data of a finalizer, or an object in the queue, or one that waits to be shown.
    Finalizer,
    /// An uncollectable object.
    Uncollectable,
    /// What the program has told the kernel.
    Kernel,
}

impl Source {
    /// Whether an address may lie at any byte there: see [`filter`](super::filter).
    pub fn has_words_at_any_byte(self) -> bool {
        match self {
            Source::Code => true,
            Source::Registers | Source::Stack => !ARE_STACKS_ALIGNED.load(Ordering::Relaxed),
            _ => false,
        }
    }

    /// Whether any address inside an object keeps it there, although one in an object may not: see
    /// [`displacement`](super::displacement).
    pub fn lets_any_inside_keep(self) -> bool {
        !matches!(self, Source::Static | Source::Range | Source::Uncollectable)
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
            Source::Range => "a registered range",
            Source::Registered => "a pin or a protected page",
            Source::Finalizer => "a finalizer",
            Source::Uncollectable => "an uncollectable object",
            Source::Kernel => "what the kernel holds",
        }
    }
}

/// Whether stacks and registers have addresses in whole words alone.
static ARE_STACKS_ALIGNED: AtomicBool = AtomicBool::new(false);

/// From now on an address keeps an object from a stack or a register only where a whole word is it: for a door whose programs
/// were promised no more. Before the first collection.
pub fn have_stacks_aligned() {
    // Relaxed: set before there is anything to keep.
    ARE_STACKS_ALIGNED.store(true, Ordering::Relaxed);
}

/// Who is given the roots: ranges that can be read until it returns.
pub type Visitor<'a> = dyn FnMut(Source, Range) + 'a;

/// The roots cannot be enumerated; nothing may be reclaimed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Unknown;

/// What is wrong with what roots are found by, and where.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fault {
    /// The parts left out are not in ascending order.
    LeftOut(Addr),
    /// A used part of a stack is torn, out of order, or not behind a part left out.
    Stack(Addr),
    /// A segment of static data has a table of ours in it.
    Segment(Addr),
    /// The stacks of fibers are not in ascending order.
    Fiber(Addr),
}

/// Where the caller of a collection stands.
#[derive(Clone, Copy)]
pub struct Myself<'a> {
    /// Its record.
    pub mutator: &'a Mutator,
    /// Its stack pointer, below its spilled registers.
    pub sp: Addr,
}

/// Whether the loader has to be locked around a collection.
pub fn needs_loader() -> bool {
    !mappings::are_roots()
}

/// What is learned about roots before the stop, and room for what is worked out during it.
pub struct Snapshot {
    static_data: StaticData,
    modules: Modules,
    left_out: LeftOut,
    unchanged: Unchanged,
    closed: Closed,
    /// The fibers, from the stop on.
    pub fibers: Fibers,
    /// Bytes of roots that the last enumeration read.
    pub bytes: u64,
}

impl Snapshot {
    /// An empty one, without memory.
    pub const fn new() -> Self {
        Snapshot {
            static_data: StaticData::new(),
            modules: Modules::new(),
            left_out: LeftOut::new(),
            unchanged: Unchanged::new(),
            closed: Closed::new(),
            fibers: Fibers::new(),
            bytes: 0,
        }
    }

    /// Reads the loader's list, where it is needed. Before the stop; the loader is locked until the world goes on.
    pub fn read_loader(&mut self) -> Result<(), Unknown> {
        if mappings::are_roots() {
            return Ok(());
        }
        if !statics::vector_is_understood() {
            // Thread-local storage cannot be found by it, but is in the mappings.
            mappings::make_roots();
            return Ok(());
        }
        self.static_data.read(&mut self.modules)
    }

    /// Visits every root as ranges of readable memory. The world is stopped.
    pub fn for_each(&mut self, myself: Myself<'_>, tables: &Tables, visit: &mut Visitor<'_>) -> Result<(), Unknown> {
        let mut bytes = 0;
        let mut counted = |source: Source, range: Range| {
            bytes += range.bytes() as u64;
            visit(source, range);
        };
        let result = self.enumerate(myself, tables, &mut counted);
        self.bytes = bytes;
        result
    }

    /// The part of `verify` that is about roots. They have been visited.
    pub fn check(&self) -> Result<(), Fault> {
        self.left_out.check()?;
        self.static_data.check()?;
        self.fibers.check().map_err(Fault::Fiber)
    }

    /// Has the next enumeration read everything, whatever was learned before.
    pub fn doubt(&mut self) {
        self.unchanged.doubt();
    }

    /// What was done so that roots and objects can be read is undone. The world is still stopped.
    pub fn close(&mut self) {
        self.closed.close();
    }

    fn enumerate(&mut self, myself: Myself<'_>, tables: &Tables, visit: &mut Visitor<'_>) -> Result<(), Unknown> {
        if !copying::is_possible() {
            // Pages that cannot be read by an instruction would seem to hold nothing.
            return Err(Unknown);
        }
        self.closed.open(|at| visit_word(Source::Registered, at.get(), visit)).map_err(|_| Unknown)?;
        for record in alive() {
            stacks::visit_registers(record, myself, visit);
            alternate::visit(record, myself, visit);
        }
        self.left_out.find(myself, &self.fibers)?;
        if mappings::are_roots() {
            self.unchanged.begin();
            let visited = mappings::visit(myself, &self.left_out, &mut self.unchanged, visit);
            self.unchanged.end();
            visited?;
        } else {
            self.visit_listed_by_loader(myself, tables, visit)?;
        }
        for record in alive() {
            stacks::visit_other(record, myself, &self.fibers, visit)?;
            stacks::visit_guest(record, myself, visit);
        }
        self.visit_fibers(visit);
        thread_local::visit_ended_control_blocks(tables, visit);
        visit(Source::Registered, emergency::range());
        visit_requested(tables, visit);
        kernel::visit(tables, visit);
        Ok(())
    }

    /// What takes the place of mappings where those are no roots.
    fn visit_listed_by_loader(
        &self,
        myself: Myself<'_>,
        tables: &Tables,
        visit: &mut Visitor<'_>,
    ) -> Result<(), Unknown> {
        for record in alive() {
            stacks::visit_own(record, myself, visit)?;
            self.modules.visit(record, visit);
        }
        self.static_data.visit(&self.left_out, &tables.excluded, visit);
        thread_local::visit_main_control_block(visit);
        Ok(())
    }

    /// The fibers that are kept until they are ended, and the parts of objects that are no part of the stack there.
    fn visit_fibers(&self, visit: &mut Visitor<'_>) {
        self.fibers.for_each_root(|fiber| visit_object(Source::Fiber, fiber.address(), visit));
        self.fibers.for_each_object(|slot, stack| {
            visit(Source::Fiber, Range::new(slot.start(), stack.start));
            visit(Source::Fiber, Range::new(stack.end, slot.start() + slot.bytes()));
        });
    }
}

fn alive() -> impl Iterator<Item = &'static Mutator> {
    mutator::all().filter(|record| record.is_alive())
}

/// What the program has asked for, and what its finalizers need.
fn visit_requested(tables: &Tables, visit: &mut Visitor<'_>) {
    for &range in tables.ranges.as_slice() {
        tables.excluded.without(range, |part| visit(Source::Range, part));
    }
    tables.pins.for_each(|object, _| visit_object(Source::Registered, object, visit));
    tables.finalizers.for_each_data(|word, runner| visit_data(word, runner, visit));
    tables.finalizers.for_each_queued(|object| visit_object(Source::Finalizer, object, visit));
    tables.toggles.for_each_strong(|object| visit_object(Source::Registered, object, visit));
    tables.dead.for_each(|object| visit_object(Source::Finalizer, object, visit));
}

/// Visits what a finalizer is passed beside its object. A program that allocates it just after the object passes the address
/// at which the object ends. In the objects of libgc's names that address lies inside, one past what was asked for: there it
/// means what begins at it, and the object can die.
fn visit_data(word: Ambiguous, runner: Runner, visit: &mut Visitor<'_>) {
    match resolve::resolve(word) {
        Some(slot) if runner == Runner::Libgc => visit_object(Source::Finalizer, slot.start(), visit),
        _ => visit_word(Source::Finalizer, word.0, visit),
    }
}

/// Visits uncollectable objects in use that `is_marked` does not accept: those in magazines are marked and passed over.
pub fn for_each_uncollectable(mut visit: impl FnMut(resolve::Slot)) {
    sweep::for_each_allocated_word(
        |class| class.kind().traits().is_uncollectable(),
        |class, unit, index, allocated| {
            let marked = units::words(unit)[index].marked.load(Ordering::Relaxed);
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
    let at_any_byte = source.has_words_at_any_byte();
    let forms = Forms::of(if at_any_byte { Where::Stack } else { Where::Root });
    if forms.are_disguised() {
        // SAFETY: by the caller's promise.
        return unsafe { forms.words(range, at_any_byte, cage::hull(), visit) };
    }
    // SAFETY: by the caller's promise.
    unsafe { if at_any_byte { trace::words_at_any_byte(range, visit) } else { trace::words(range, visit) } };
}
