//! The marking protocol: what mark procedures and callbacks for roots may call.
//!
//! What they report goes to the collector that called them, whichever stack they pass: its mark stack is none of ours, and
//! is handed back as it came. So they may report as much as they like, from as deep as they like.

use crate::lock;
use core::{
    ffi::{c_int, c_void},
    sync::atomic::{AtomicUsize, Ordering},
};
use gleaner::{
    base::addr::{Addr, Range},
    collect::{allocate, census, disclaim, mark, tables::Tables, trace},
    heap::{gate, mutator},
    os::thread,
};

/// Mark procedures that there can be, and those that are not handed out.
const PROCEDURES_MAX: usize = 64;
const PROCEDURES_FIRST: usize = 8;

/// Relaxed: a program makes a procedure before it makes what that marks, and a collector stops both.
static PROCEDURES: [AtomicUsize; PROCEDURES_MAX] = [const { AtomicUsize::new(0) }; PROCEDURES_MAX];
static NEXT: AtomicUsize = AtomicUsize::new(PROCEDURES_FIRST);

type Procedure = unsafe extern "C" fn(*mut usize, *mut c_void, *mut c_void, usize) -> *mut c_void;

/// Makes a procedure the one with an index.
pub fn set_procedure(index: usize, procedure: *mut c_void) {
    if let Some(place) = PROCEDURES.get(index) {
        place.store(procedure as usize, Ordering::Relaxed);
    }
}

#[unsafe(no_mangle)]
extern "C" fn GC_new_proc(procedure: *mut c_void) -> u32 {
    let index = NEXT.fetch_add(1, Ordering::Relaxed);
    if index >= PROCEDURES_MAX {
        gleaner::fatal!("GC_new_proc: there are {PROCEDURES_MAX} mark procedures already: Too many mark procedures");
    }
    set_procedure(index, procedure);
    index as u32
}

#[unsafe(no_mangle)]
extern "C" fn GC_new_proc_inner(procedure: *mut c_void) -> u32 {
    GC_new_proc(procedure)
}

/// The mark stack that procedures are shown. They may compare the two, and find that there is room.
static STACK: [usize; 2 * ROOM] = [0; 2 * ROOM];
/// Entries of two words.
const ROOM: usize = 512;

/// Calls the mark procedure with an index for an object.
///
/// # Safety
/// Called by the marker, of an object that the program has made for such a procedure.
pub unsafe fn call(index: usize, object: Addr, environment: usize) {
    let procedure = PROCEDURES[index].load(Ordering::Relaxed);
    if procedure == 0 {
        return;
    }
    let bottom = STACK.as_ptr().cast_mut();
    trace::let_procedures_write();
    // SAFETY: `GC_new_proc` took it as such, and by the caller's promise.
    unsafe {
        let procedure = core::mem::transmute::<usize, Procedure>(procedure);
        procedure(object.as_ptr(), bottom.cast(), bottom.add(2 * (ROOM - 1)).cast(), environment);
    }
}

#[unsafe(no_mangle)]
extern "C" fn GC_mark_and_push(
    object: *mut c_void,
    stack: *mut c_void,
    _limit: *mut c_void,
    _source: *mut *mut c_void,
) -> *mut c_void {
    // SAFETY: mark procedures call this, and callbacks for roots.
    if let Some(tracer) = unsafe { trace::running() } {
        tracer.word(object as usize);
    }
    stack
}

/// The whole words between two addresses.
fn words(begin: *mut c_void, end: *mut c_void) -> Option<Range> {
    let begin = Addr::new((begin as usize).next_multiple_of(size_of::<usize>()));
    let end = Addr::new(end as usize & !(size_of::<usize>() - 1));
    (begin < end).then(|| Range::new(begin, end))
}

#[unsafe(no_mangle)]
extern "C" fn GC_push_all(begin: *mut c_void, end: *mut c_void) {
    // SAFETY: callbacks for roots call this.
    if let Some((tracer, range)) = unsafe { trace::running() }.zip(words(begin, end)) {
        tracer.range(range);
    }
}

#[unsafe(no_mangle)]
extern "C" fn GC_push_all_eager(begin: *mut c_void, end: *mut c_void) {
    // SAFETY: callbacks for roots call this.
    if let Some((tracer, range)) = unsafe { trace::running() }.zip(words(begin, end)) {
        tracer.stack(range);
    }
}

// No page is known not to have been written to.
#[unsafe(no_mangle)]
extern "C" fn GC_push_conditional(begin: *mut c_void, end: *mut c_void, _all: c_int) {
    GC_push_all(begin, end);
}

// They are roots by themselves.
#[unsafe(no_mangle)]
extern "C" fn GC_push_finalizer_structures() {}

/// Whether this thread is the one that collects.
fn is_collecting() -> bool {
    gate::is_closed_by(thread::id())
}

/// Runs `work` with the tables, also where the allocation lock keeps the thread inside its gate.
fn with_tables<R>(work: impl FnOnce(&mut Tables) -> R) -> Option<R> {
    if lock::is_mine() { Some(work(&mut gleaner::collect::tables::TABLES.lock())) } else { allocate::with_tables(work) }
}

#[unsafe(no_mangle)]
extern "C" fn GC_is_marked(p: *const c_void) -> c_int {
    let object = Addr::of(p);
    if is_collecting() {
        return c_int::from(mark::is_marked(object));
    }
    let is_dead = disclaim::is_any_dead() && with_tables(|tables| !tables.dead.is_alive(object)) == Some(true);
    c_int::from(gleaner::heap::resolve::object_at(object).is_some() && !is_dead)
}

#[unsafe(no_mangle)]
extern "C" fn GC_set_mark_bit(p: *const c_void) {
    let object = Addr::of(p);
    // SAFETY: mark procedures and callbacks for roots call this, and callers with the allocation lock.
    match unsafe { trace::running() }.filter(|_| is_collecting()) {
        Some(tracer) => tracer.keep(object),
        None if is_collecting() => {}
        None => _ = with_tables(|tables| tables.dead.keep(object)),
    }
}

// What has been found stays.
#[unsafe(no_mangle)]
extern "C" fn GC_clear_mark_bit(_p: *const c_void) {}

/// # Safety
/// `visit` takes an object, its bytes and `data`.
#[unsafe(no_mangle)]
unsafe extern "C" fn GC_enumerate_reachable_objects_inner(
    visit: unsafe extern "C" fn(*mut c_void, usize, *mut c_void),
    data: *mut c_void,
) {
    let Some(mutator) = mutator::register() else { return };
    let inside = if lock::is_mine() { None } else { gate::enter(mutator) };
    if inside.is_none() && !lock::is_mine() {
        return;
    }
    census::for_each_object(|slot| {
        // SAFETY: by the caller's promise.
        unsafe { visit(slot.start().as_ptr(), slot.bytes(), data) };
    });
}
