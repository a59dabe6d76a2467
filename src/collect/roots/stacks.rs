//! The threads: their registers, and the used parts of the stacks that they stand on.
//!
//! A stopped thread's registers are in the context that the kernel made for its handler; the collecting thread and those
//! in safe regions have spilled theirs onto their stacks. A stack is used from the stack pointer to the cold end:
//!
//! ```text
//!   start            stack pointer - red zone        thread pointer          end
//!     |  dead: left out  |  frames: at any byte          |  control: words    |
//! ```
//!
//! | where a thread stands | what is searched |
//! |---|---|
//! | on its own stack | that |
//! | on a fiber | the fiber from there; its own stack from where it was parked |
//! | on a stack in an object | from there to the object's end; its own stack from where it was parked |
//! | anywhere else, as on a signal's alternate stack | from there to the mapping's end or the next fiber; its own stack, all of it that holds something |
//!
//! Where every mapping is a root, the threads' own stacks are read with the mappings ([`left_out`](super::left_out)).
//!
//! Holds:   every word of a live frame is at or above the stack pointer less the red zone, or in a register.
//! Threads: the collecting thread; all others are stopped or in safe regions.

use super::{
    Myself, Source, Unknown, Visitor,
    blind::{Place, is_blind},
    mappings, reading,
};
use crate::{
    base::{
        addr::{Addr, Ambiguous, Range},
        sync::Ordering,
    },
    collect::fibers::{self, Fibers},
    heap::{mutator::Mutator, resolve},
    os::{maps, pages::Pages, registers, signal},
};

/// The used part of a thread's stack: the frames of its functions, where words may lie at any byte, and its control block
/// behind them.
#[derive(Clone, Copy, Default)]
pub struct Used {
    /// From the stack pointer on.
    pub frames: Range,
    /// From the thread pointer on; empty where that lies elsewhere.
    pub control: Range,
}

impl Used {
    /// The parts of the used range of a thread's own stack.
    pub fn of(record: &Mutator, used: Range) -> Used {
        let control = Addr::new(record.thread_pointer.load(Ordering::Relaxed));
        let frames_end = if used.contains(control) { control } else { used.end };
        Used { frames: Range::new(used.start, frames_end), control: Range::new(frames_end, used.end) }
    }

    /// Whether it is a stack's, and no longer than so many bytes.
    pub fn is_shorter_than(self, bytes: usize) -> bool {
        self.frames.start < self.control.end && self.control.end - self.frames.start <= bytes
    }

    /// All of it, which is in memory.
    pub fn visit(self, visit: &mut Visitor<'_>) {
        visit(Source::Stack, self.frames);
        visit(Source::ThreadLocal, self.control);
    }

    /// Less the parts that the search is blind to.
    pub fn seen(self) -> Used {
        let seen = |place, part: Range| if is_blind(place) { Range::new(part.start, part.start) } else { part };
        Used { frames: seen(Place::Frames, self.frames), control: seen(Place::Control, self.control) }
    }
}

/// What the kernel has saved of a thread that was stopped by a signal. `None`: it has spilled its registers.
pub fn context(record: &Mutator, myself: Myself<'_>) -> Option<*const core::ffi::c_void> {
    // Relaxed: written by the thread that collects.
    let is_spilled = core::ptr::eq(record, myself.mutator) || record.stands_in_region.load(Ordering::Relaxed) != 0;
    (!is_spilled).then(|| record.context.load(Ordering::Relaxed) as *const core::ffi::c_void)
}

/// Where the used part of the thread's current stack begins, the red zone included.
pub fn stack_pointer(record: &Mutator, myself: Myself<'_>) -> Addr {
    if core::ptr::eq(record, myself.mutator) {
        return myself.sp;
    }
    // Relaxed: written by the thread that collects.
    if record.stands_in_region.load(Ordering::Relaxed) != 0 {
        return region_stack_pointer(record);
    }
    let context = record.context.load(Ordering::Relaxed) as *const core::ffi::c_void;
    // SAFETY: the thread is stopped in its handler, so its context is there.
    let sp = unsafe { signal::stack_pointer(context) };
    Addr::new(sp.get() - signal::RED_ZONE_BYTES)
}

/// As [`stack_pointer`], in a safe region. A thread whose call returns meanwhile, or that a signal wakes, waits further down, and
/// what lies between is dead or a handler's own: throughout a collection the stack begins where it did at the first look.
fn region_stack_pointer(record: &Mutator) -> Addr {
    // Relaxed: the collector alone uses it.
    let stood_at = match record.stood_at.load(Ordering::Relaxed) {
        // Relaxed: the stop has seen the region open, by an Acquire load.
        0 => record.region_sp.load(Ordering::Relaxed),
        found => found,
    };
    record.stood_at.store(stood_at, Ordering::Relaxed);
    Addr::new(stood_at)
}

/// Where the used part of the thread's own stack begins: where it stands, or where it was parked while the thread runs a
/// fiber. `None`: the thread stands elsewhere and has not said so.
pub fn own_stack_from(record: &Mutator, myself: Myself<'_>) -> Option<Addr> {
    let sp = Some(stack_pointer(record, myself)).filter(|&sp| record.stack().contains(sp));
    let parked = record.fibers.parked_sp();
    sp.into_iter().chain(parked).min()
}

/// The registers of a thread that was stopped by a signal.
pub fn visit_registers(record: &Mutator, myself: Myself<'_>, visit: &mut Visitor<'_>) {
    let Some(context) = context(record, myself).filter(|_| !is_blind(Place::Registers)) else { return };
    // SAFETY: the thread is stopped in its handler, so its context is there.
    unsafe { registers::for_each_range(context, |range| visit(Source::Registers, range)) };
}

/// The used part of the thread's own stack, or all of it that holds something.
pub fn visit_own(record: &Mutator, myself: Myself<'_>, visit: &mut Visitor<'_>) -> Result<(), Unknown> {
    let stack = record.stack();
    match own_stack_from(record, myself) {
        Some(from) => Used::of(record, Range::new(from, stack.end)).seen().visit(visit),
        None if stack.is_empty() => {}
        None => visit_mapped_part(&Pages::open(), stack, visit)?,
    }
    Ok(())
}

/// A stack that the thread stands on and that is not its own: a fiber's, a signal handler's, or one that nobody has told
/// us of.
pub fn visit_other(
    record: &Mutator,
    myself: Myself<'_>,
    fibers: &Fibers,
    visit: &mut Visitor<'_>,
) -> Result<(), Unknown> {
    let sp = stack_pointer(record, myself);
    let guest = record.fibers.guest().map(|guest| guest.stack()).filter(|stack| stack.contains(sp));
    if guest.is_none() && record.stack().contains(sp) {
        return Ok(());
    }
    if let Some(stack) = guest.or_else(|| fibers.stack_at(sp)) {
        visit(Source::Stack, Range::new(sp, stack.end));
    } else if let Some(slot) = resolve::resolve(Ambiguous(sp.get())) {
        // It lies in an object: from the stack pointer to the object's end.
        visit(Source::Stack, Range::new(sp, slot.start() + slot.bytes()));
    } else {
        let found = visit_mapping_from(sp, fibers, visit);
        // As a mapping it is a root anyway.
        return if mappings::are_roots() { Ok(()) } else { found };
    }
    Ok(())
}

/// The fiber that the thread runs or is about to run, which is kept alive by that. If the thread does not stand on it (it
/// is in the middle of a switch, or in a signal handler with a stack of its own), it is searched whole.
pub fn visit_guest(record: &Mutator, myself: Myself<'_>, visit: &mut Visitor<'_>) {
    let Some(guest) = record.fibers.guest() else { return };
    reading::visit_object(Source::Fiber, guest.address(), visit);
    let stack = guest.stack();
    if !stack.contains(stack_pointer(record, myself)) {
        fibers::readable(stack, |part| visit(Source::Stack, part));
    }
}

/// An unknown stack: from the stack pointer to the end of its mapping, or to a stack that is known.
fn visit_mapping_from(sp: Addr, fibers: &Fibers, visit: &mut Visitor<'_>) -> Result<(), Unknown> {
    let pages = Pages::open();
    let mut is_read = Ok(());
    let is_found = maps::find(sp, |mapping| {
        let part = fibers.before_next(Range::new(sp, mapping.range.end));
        is_read = reading::visit_mapped(&pages, &mapping, part, Source::Stack, visit);
    });
    if is_found { is_read } else { Err(Unknown) }
}

/// The parts of a stack's range that are mapped and hold something.
fn visit_mapped_part(pages: &Pages, stack: Range, visit: &mut Visitor<'_>) -> Result<(), Unknown> {
    let mut is_read = Ok(());
    let is_listed = maps::for_each(|mapping| {
        let part = mapping.range.intersect(stack);
        if mapping.readable && !part.is_empty() {
            is_read = is_read.and(reading::visit_mapped(pages, &mapping, part, Source::Stack, visit));
        }
    });
    if is_listed { is_read } else { Err(Unknown) }
}
