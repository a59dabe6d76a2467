//! The one slow path: every allocation and free that its thread's magazine could not serve.
//!
//! Allocating: if a collection is due it runs first; then the heap is asked; if it has no room, a collection is forced
//! and the heap asked again; and only then there is no memory. Callbacks are not called here: the doors do that after
//! the return, outside the gate.

use super::{
    Cause, collect,
    condemned::{self, Access},
    ephemeron,
    finalize::Finalizer,
    item, may_begin,
    settings::{self, FreeMode},
    stats::{COUNTERS, Counters},
    tables::{self, TABLES},
    trace::layout,
    trigger,
    weak_object::WeakObject,
    world,
};
use crate::{
    base::{addr::Addr, sync::Ordering},
    heap::{
        self, OBJECT_BYTES_MAX, Request, announce, batch, cage, emergency, fast,
        gate::{self, Inside},
        kind::{self, Design, Kind},
        large, late,
        mutator::{self, Mutator},
        pressure, refill,
        resolve::{self, Slot},
        size_class::UNIT,
        surplus, zeal,
    },
    os::{backtrace::Backtrace, memcheck},
};

/// So often a thread waits for a collection before the heap grows for one request.
const ROOMS_MADE_MAX: u32 = 4;

/// There is no memory for the request, and a collection has not made any.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NoMemory;

/// Allocates. The object is on the caller's stack or in its registers when this returns.
#[unsafe(link_section = ".text.hot")]
pub fn allocate(request: &Request) -> Result<Addr, NoMemory> {
    if request.bytes > OBJECT_BYTES_MAX || !heap::ensure_reserved() || !may_ever_fit(request.bytes) {
        return out_of_memory();
    }
    let Some(mutator) = world::register() else { return out_of_memory() };
    let _unchecked = memcheck::unchecked();
    match take_or_collect(mutator, |inside| take(inside, request)) {
        Taken::Something(object) => Ok(object),
        Taken::Nothing => out_of_memory(),
        Taken::NoWayIn => allocate_inside(mutator, request),
    }
}

/// Allocates up to `count_max` objects, at least one, chained through their first words: the first is stored at `first`,
/// the last has null, and the rest of each is as its kind promises. How many.
///
/// # Safety
/// `first` can be written to.
pub unsafe fn allocate_chain(request: &Request, count_max: usize, first: *mut usize) -> Result<usize, NoMemory> {
    let class = request.class().filter(|_| count_max > 1 && !zeal::is_slow_path_only() && !memcheck::is_running());
    let chained = class.zip(mutator::current()).map_or(Taken::NoWayIn, |(class, mutator)| {
        // SAFETY: by the caller's promise.
        let take = |inside: &Inside<'_>| unsafe { batch::take_chain(inside, class, count_max, first) };
        take_or_collect(mutator, |inside| Some(take(inside)).filter(|&count| count != 0))
    });
    match chained {
        Taken::Something(count) => Ok(count),
        Taken::Nothing => out_of_memory().map(|_| 0),
        Taken::NoWayIn => {
            let object = allocate(request)?;
            // SAFETY: a new object, at least a word, and by the caller's promise.
            unsafe {
                object.as_ptr::<usize>().write(0);
                first.write(object.get());
            }
            Ok(1)
        }
    }
}

/// What [`take_or_collect`] came to.
enum Taken<T> {
    Something(T),
    /// There is no memory.
    Nothing,
    /// The thread is inside its gate already.
    NoWayIn,
}

/// Collects if that is due, and lets `take` take something from the heap, after a collection if there is no room before.
#[inline(always)]
fn take_or_collect<T>(mutator: &Mutator, mut take: impl FnMut(&Inside<'_>) -> Option<T>) -> Taken<T> {
    // What comes before a collection costs a call of the system and a lock: nothing for each of the others meanwhile.
    if let Some(cause) = cause_to_collect().filter(|&cause| may_begin(cause)) {
        if let Some(inside) = gate::enter(mutator) {
            heap::fit_limit(&inside);
        }
        collect(cause);
    }
    let (mut rooms_made, mut has_collected) = (0, false);
    loop {
        let Some(inside) = gate::enter(mutator) else { return Taken::NoWayIn };
        mutator.refused_class.store(0, Ordering::Relaxed);
        if let Some(taken) = take(&inside) {
            return Taken::Something(taken);
        }
        if heap::fit_limit(&inside) {
            continue;
        }
        // Before a collection that somebody else makes serves it.
        let is_refused = mutator.refused_class.load(Ordering::Relaxed) != 0;
        drop(inside);
        if is_refused {
            // Others may spend what a collection gives before this thread is back. To let the heap grow then would have
            // it grow without end, and to collect again for ever would have this thread wait without end.
            if rooms_made >= ROOMS_MADE_MAX || !collect(Cause::Growth) {
                pressure::let_grow(UNIT);
            }
            rooms_made += 1;
            continue;
        }
        if has_collected || !collect(Cause::Forced) {
            return Taken::Nothing;
        }
        has_collected = true;
    }
}

/// For a signal handler in the middle of a slow path, or a panic: what was to be changed may be half changed.
#[cold]
fn allocate_inside(mutator: &Mutator, request: &Request) -> Result<Addr, NoMemory> {
    let object = emergency::allocate(request.bytes, request.align);
    if object.is_none() && mutator.inside.load(Ordering::Relaxed) == gate::COLLECTING {
        // Who asks cannot do without, and would wait for itself.
        crate::fatal!("internal error: a collection panicked, as said above; there is no memory for the backtrace");
    }
    object.ok_or(NoMemory)
}

/// Asked once: what was due may be done by another thread before this one gets to it.
fn cause_to_collect() -> Option<Cause> {
    if zeal::wants_collection() { Some(Cause::Forced) } else { pressure::is_due().then_some(Cause::Due) }
}

/// Whether a collection could make room for an object of this size.
fn may_ever_fit(bytes: usize) -> bool {
    bytes <= cage::bytes_max().min(pressure::limit_bytes())
}

fn take(inside: &Inside<'_>, request: &Request) -> Option<Addr> {
    if memcheck::is_running() { take_announced(inside, request) } else { heap::allocate(inside, request) }
}

#[cold]
fn take_announced(inside: &Inside<'_>, request: &Request) -> Option<Addr> {
    let with_tail = announce::with_tail(request);
    let object = heap::allocate(inside, &with_tail).or_else(|| {
        // SAFETY: the owner, in its gate.
        unsafe { late::give_all(inside.mutator()) };
        heap::allocate(inside, &with_tail)
    })?;
    announce::note_born(object, request);
    Some(object)
}

#[cold]
fn out_of_memory() -> Result<Addr, NoMemory> {
    Counters::add(&COUNTERS.oom_events, 1);
    Err(NoMemory)
}

/// Allocates an object with a layout.
pub fn allocate_typed(bytes: usize, layout: usize) -> Result<Addr, NoMemory> {
    let bytes = bytes.checked_add(resolve::LAYOUT_BYTES).ok_or(NoMemory)?;
    let _unchecked = memcheck::unchecked();
    let object = allocate(&Request::new(bytes, Kind::TYPED))?;
    if let Some(slot) = resolve::object_at(object) {
        layout::set(&slot, layout);
    }
    Ok(object)
}

/// Allocates a weak object for `bytes` of words or pairs.
pub fn allocate_weak(bytes: usize, kind: Kind) -> Result<Addr, NoMemory> {
    let bytes = bytes.checked_add(resolve::WEAK_TAIL_BYTES).ok_or(NoMemory)?;
    let object = allocate(&Request::new(bytes, kind))?;
    if kind == Kind::EPHEMERONS
        && let Some(weak) = WeakObject::at(object)
    {
        ephemeron::note_made(weak.room());
    }
    Ok(object)
}

/// What a free met.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Freed {
    /// It is done.
    Done,
    /// The address is not one of ours.
    Foreign,
    /// The address lies in memory of the heap that no object has.
    Vacant,
    /// The address lies `offset` bytes inside an object of `bytes`.
    Inside {
        /// Distance from the object's start.
        offset: usize,
        /// The object's size.
        bytes: usize,
    },
    /// The object, or another of its class, had been freed before.
    Twice {
        /// The object.
        object: Addr,
        /// Its size.
        bytes: usize,
    },
    /// The object is in quarantine: it was freed before by the call that returns to `first_site`.
    TwiceInQuarantine {
        /// The object.
        object: Addr,
        /// Its size.
        bytes: usize,
        /// The return address of the first call.
        first_site: usize,
    },
}

/// Frees the object at `address`, which is not null. `site` is where the call returns to, or zero.
#[unsafe(link_section = ".text.hot")]
pub fn free(address: Addr, site: usize) -> Freed {
    let Some(slot) = resolve::locate(address) else {
        return if emergency::range().contains(address) { free_of_emergency(address) } else { nobodys(address) };
    };
    if slot.start() != address {
        return Freed::Inside { offset: address - slot.start(), bytes: slot.object_bytes() };
    }
    let Some(mutator) = world::register() else { return dropped() };
    let Some(inside) = gate::enter(mutator) else { return dropped() };
    surplus::look_if_watched(&inside);
    let _unchecked = memcheck::unchecked();
    let twice = Freed::Twice { object: slot.start(), bytes: slot.object_bytes() };
    if !slot.is_allocated() || announce::is_freed(&slot) {
        return twice;
    }
    if condemned::is_on() {
        return free_verified(inside, &slot, site);
    }
    free_slot(&inside, &slot, site)
}

/// Has all that the calling thread has freed counted among what is freed, which else is counted many at a time.
pub fn count_frees() -> Freed {
    let Some(inside) = world::register().and_then(gate::enter) else { return Freed::Done };
    let twice = |object: Addr| {
        let bytes = resolve::object_at(object).map_or(0, |slot| slot.object_bytes());
        Freed::Twice { object, bytes }
    };
    refill::empty_all(&inside).map_or_else(|found| twice(found.0), |()| Freed::Done)
}

/// Frees the object of a slot in use.
#[unsafe(link_section = ".text.hot")]
fn free_slot(inside: &Inside<'_>, slot: &Slot, site: usize) -> Freed {
    if fast::may_be_attached(slot.start()) {
        detach(slot);
    }
    match settings::free_mode() {
        FreeMode::Normal | FreeMode::Checked => {}
        FreeMode::Quarantine => return put_in_quarantine(slot, site),
        FreeMode::Ignore => return Freed::Done,
    }
    if memcheck::is_running() {
        return free_announced(inside, slot);
    }
    if slot.class().is_large() {
        let twice = Freed::Twice { object: slot.start(), bytes: slot.object_bytes() };
        return if large::free(inside, slot) { Freed::Done } else { twice };
    }
    free_small(inside, slot)
}

/// As [`free_slot`]; if the object was condemned, that is said.
#[cold]
fn free_verified(inside: Inside<'_>, slot: &Slot, site: usize) -> Freed {
    let report = condemned::note_free(&mut TABLES.lock(), slot);
    let freed = free_slot(&inside, slot, site);
    drop(inside);
    if let Some(report) = report {
        report.print(Backtrace::take_from(site).calls());
    }
    freed
}

/// What an address is that lies in no slot.
fn nobodys(address: Addr) -> Freed {
    if cage::contains(address) { Freed::Vacant } else { Freed::Foreign }
}

/// The object stays, zeroed, until nothing reaches it. The caller is inside its gate.
fn put_in_quarantine(slot: &Slot, site: usize) -> Freed {
    match TABLES.lock().quarantine.note(slot.start(), site) {
        Ok(Ok(())) => {
            // SAFETY: the object is the caller's to give up, so its bytes are nobody's.
            unsafe { core::ptr::write_bytes(slot.start().as_ptr::<u8>(), 0, slot.bytes()) };
            Freed::Done
        }
        Ok(Err(before)) => {
            Freed::TwiceInQuarantine { object: slot.start(), bytes: slot.object_bytes(), first_site: before.site }
        }
        // Without memory to remember it by, the object is left to the collector as it is.
        Err(_) => dropped(),
    }
}

/// A free inside a slow path of the same thread, without memory for a record, or of emergency memory: the object stays.
#[cold]
fn dropped() -> Freed {
    Counters::add(&COUNTERS.frees_dropped, 1);
    Freed::Done
}

#[cold]
fn free_of_emergency(address: Addr) -> Freed {
    if emergency::free(address) { Freed::Done } else { dropped() }
}

fn free_small(inside: &Inside<'_>, slot: &Slot) -> Freed {
    let twice = |object: Addr| Freed::Twice { object, bytes: slot.bytes() };
    fill_freed(slot);
    if zeal::is_slow_path_only() {
        return refill::give_one(inside, slot).map_or_else(|found| twice(found.0), |()| Freed::Done);
    }
    let magazine = inside.mutator().magazine(slot.class());
    let object = slot.start().as_ptr::<u8>();
    // SAFETY: the calling thread's magazine, and the slot is of its class.
    if unsafe { magazine.push(object) } {
        return Freed::Done;
    }
    if !magazine.is_full() {
        return twice(slot.start());
    }
    if let Err(found) = refill::make_room(inside, slot.class()) {
        return twice(found.0);
    }
    // SAFETY: as above.
    if unsafe { magazine.push(object) } {
        Freed::Done
    } else {
        refill::give_one(inside, slot).map_or_else(|found| twice(found.0), |()| Freed::Done)
    }
}

#[cold]
fn free_announced(inside: &Inside<'_>, slot: &Slot) -> Freed {
    if slot.class().is_small() {
        fill_freed(slot);
    }
    announce::note_freed(slot);
    pressure::note_freed(inside.mutator(), slot.bytes());
    late::free(inside, slot);
    Freed::Done
}

/// Zeroes a freed slot where its kind promises zero, or poisons it where that is asked for.
fn fill_freed(slot: &Slot) {
    let fill = match (slot.class().kind().traits().is_zeroed(), zeal::is_poisoning()) {
        (true, _) => 0,
        (false, true) => zeal::POISON_BYTE,
        (false, false) => return,
    };
    // SAFETY: the object is the caller's to give up, so its bytes are nobody's.
    unsafe { core::ptr::write_bytes(slot.start().as_ptr::<u8>(), fill, slot.bytes()) };
}

/// The object is freed by hand: what was attached to it goes with it.
#[cold]
#[unsafe(link_section = ".text.hot")]
fn detach(slot: &Slot) {
    let mut tables = TABLES.lock();
    tables.finalizers.clear(slot.start());
    tables.weak.clear_object(slot.start());
    tables.pins.remove(slot.start());
}

/// What a realloc came to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Resized {
    /// The object is here now, with its contents.
    At(Addr),
    /// No memory; the old object is as it was.
    NoMemory,
    /// The address is not the start of an object of ours in use.
    NotAnObject(Freed),
}

/// Changes the size of the object at `address`, which is not null, to `bytes`, which are not zero.
///
/// It stays where it is when it fits and would not leave half of its slot unused. Kind and layout are kept.
pub fn resize(address: Addr, bytes: usize) -> Resized {
    let slot = match resolve::locate(address) {
        Some(slot) if slot.start() == address && slot.is_allocated() => slot,
        Some(slot) if slot.start() == address => {
            return Resized::NotAnObject(Freed::Twice { object: address, bytes: slot.object_bytes() });
        }
        Some(slot) => {
            let offset = address - slot.start();
            return Resized::NotAnObject(Freed::Inside { offset, bytes: slot.object_bytes() });
        }
        None if emergency::range().contains(address) => return move_from_emergency(address, bytes),
        None => return Resized::NotAnObject(nobodys(address)),
    };
    if condemned::is_on()
        && let Some(report) = condemned::note_use(address, Access::Resize)
    {
        report.print(Backtrace::take().calls());
    }
    let _unchecked = memcheck::unchecked();
    if announce::is_freed(&slot) {
        return Resized::NotAnObject(Freed::Twice { object: address, bytes: slot.object_bytes() });
    }
    let usable = slot.usable_bytes();
    if bytes <= usable && bytes >= usable / 2 {
        if memcheck::is_running() {
            announce::note_resized(&slot, bytes);
        }
        return Resized::At(address);
    }
    if bytes > OBJECT_BYTES_MAX {
        return Resized::NoMemory;
    }
    if slot.class().is_large() && bytes > heap::size_class::SLOT_BYTES_MAX && resize_large(&slot, bytes) {
        return Resized::At(address);
    }
    let held = if memcheck::is_running() { announce::announced_bytes(&slot) } else { usable };
    move_to(&slot, held, bytes)
}

fn resize_large(slot: &Slot, bytes: usize) -> bool {
    // What the collector keeps behind an object lies at the end of its last unit, so such an object moves. Under memcheck any
    // moves, so that whoever kept the old address is found.
    if resolve::tail_bytes(slot.class().kind()) != 0 || memcheck::is_running() {
        return false;
    }
    let Some(mutator) = mutator::register() else { return false };
    gate::enter(mutator).is_some_and(|inside| large::resize(&inside, slot, bytes))
}

/// Moves the `held` bytes of an object to a new one of `bytes`, or as many as fit.
#[unsafe(link_section = ".text.hot")]
fn move_to(slot: &Slot, held: usize, bytes: usize) -> Resized {
    let kind = slot.class().kind();
    let moved = if kind.traits().is_typed() {
        allocate_typed(bytes, layout::get(slot))
    } else if kind.is_weak_object() {
        allocate_weak(bytes, kind)
    } else {
        allocate_another(bytes, kind)
    };
    let Ok(moved) = moved else { return Resized::NoMemory };
    if let (Some(new), Some(old)) = (WeakObject::at(moved), WeakObject::of(*slot)) {
        new.succeed(&old);
    }
    // SAFETY: both objects are in use, apart, and hold as many bytes.
    unsafe {
        core::ptr::copy_nonoverlapping(slot.start().as_ptr::<u8>(), moved.as_ptr::<u8>(), held.min(bytes));
    }
    // SAFETY: the old object is the caller's to give up.
    if kind == Kind::MALLOC && unsafe { fast::push_of_malloc(slot.start()) } {
        return Resized::At(moved);
    }
    match free(slot.start(), 0) {
        // It was free all along, in a magazine.
        twice @ Freed::Twice { .. } => Resized::NotAnObject(twice),
        _ => Resized::At(moved),
    }
}

/// An object of a kind that has nothing but its bytes: one of `malloc` from the thread's magazine, if that has a slot.
fn allocate_another(bytes: usize, kind: Kind) -> Result<Addr, NoMemory> {
    let slot = if kind == Kind::MALLOC { fast::pop_for_malloc(bytes) } else { core::ptr::null_mut() };
    if slot.is_null() { allocate(&Request::new(bytes, kind)) } else { Ok(Addr::of(slot)) }
}

#[cold]
fn move_from_emergency(address: Addr, bytes: usize) -> Resized {
    let usable = emergency::usable_bytes(address);
    let Ok(moved) = allocate(&Request::new(bytes, Kind::MALLOC)) else { return Resized::NoMemory };
    // SAFETY: the caller's memory and a new object, apart, which hold as many bytes.
    unsafe {
        core::ptr::copy_nonoverlapping(address.as_ptr::<u8>(), moved.as_ptr::<u8>(), usable.min(bytes));
    }
    free_of_emergency(address);
    Resized::At(moved)
}

/// Bytes of the object that its owner may use from now on.
pub fn usable_bytes(slot: &Slot) -> usize {
    let usable = slot.usable_bytes();
    if memcheck::is_running() {
        let _unchecked = memcheck::unchecked();
        announce::note_resized(slot, usable);
    }
    usable
}

/// Makes a kind of objects. `None` when there are as many as can be.
pub fn make_kind(design: Design) -> Option<Kind> {
    let mutator = world::register();
    let kind = kind::make(design)?;
    if let Some(_inside) = mutator.and_then(gate::enter) {
        // Otherwise they are scanned as long ones are, which is right as well.
        item::learn(kind);
    }
    Some(kind)
}

/// A finalizer, weak cell, pin or ephemeron could not be attached.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Refused {
    /// The address is not the start of an object.
    NotAnObject,
    /// The system refused the memory for the table.
    NoMemory,
}

impl From<super::table::NoMemory> for Refused {
    fn from(_: super::table::NoMemory) -> Self {
        Refused::NoMemory
    }
}

/// Runs `work` with the tables locked, inside the calling thread's gate.
pub fn with_tables<R>(work: impl FnOnce(&mut tables::Tables) -> R) -> Option<R> {
    let mutator = mutator::register()?;
    let _inside = gate::enter(mutator)?;
    Some(work(&mut TABLES.lock()))
}

/// As [`with_tables`], for something to be attached to the object at `object`.
pub fn attach<R>(object: Addr, work: impl FnOnce(&mut tables::Tables) -> Result<R, Refused>) -> Result<R, Refused> {
    if resolve::object_at(object).is_none() {
        return Err(Refused::NotAnObject);
    }
    let attached = with_tables(|tables| {
        // Inside the gate: a collection takes the note away where nothing is attached.
        fast::note_attached(object);
        work(tables)
    });
    attached.unwrap_or(Err(Refused::NoMemory))
}

/// Sets the finalizer of an object.
pub fn set_finalizer(object: Addr, finalizer: Finalizer) -> Result<(), Refused> {
    attach(object, |tables| {
        tables.finalizers.set(object, finalizer)?;
        trigger::note_finalizers(tables.finalizers.census().0);
        Ok(())
    })
}

/// Bytes in slots handed out and not freed by hand or reclaimed, as far as threads have reported.
pub fn bytes_in_use() -> u64 {
    let live = COUNTERS.live_bytes_last.load(Ordering::Relaxed) as i64;
    (live + pressure::spent()).max(0) as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::heap::{size_class, units::Class};

    #[test]
    fn who_was_refused_growth_asks_again_whatever_others_have_done_since() {
        assert!(heap::ensure_reserved());
        let mutator = mutator::register().expect("a record");
        let class = Class::small(Kind::SCANNED, size_class::of(48));
        let mut refusals = 0;
        // By the time that the refused thread looks, no collection is due any more: another thread has had the heap grow.
        let taken = take_or_collect(mutator, |inside| {
            assert!(!pressure::is_growth_due());
            refusals += 1;
            if refusals > 5 {
                return Some(());
            }
            inside.mutator().refused_class.store(class.index() as u32, Ordering::Relaxed);
            None
        });
        assert!(matches!(taken, Taken::Something(())), "no memory after {refusals} refusals");
        // Without room at all there is no memory, and that is found out soon.
        let mut refusals = 0;
        let taken = take_or_collect(mutator, |_| {
            refusals += 1;
            None::<()>
        });
        assert!(matches!(taken, Taken::Nothing) && refusals <= 2);
    }
}
