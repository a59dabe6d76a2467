//! Thread-local storage: what each thread has of its own beside its stack, and the control blocks that hold it.
//!
//! | storage | where | found by |
//! |---|---|---|
//! | of objects loaded at the start | below the control block, at the end of a thread's stack | the stack, up to its end |
//! | the same of the main thread | a mapping of its own | the thread's vector of blocks |
//! | of objects opened later | memory that the loader allocates | the thread's vector of blocks |
//! | what the C library keeps for the program in a control block | the block | the stack; the main thread's is noted at the start |
//! | the result of a thread that has ended, until it is joined | its control block | a list of those |
//!
//! Where every mapping is a root, only the last is asked for here: the others lie in mappings, or in objects that words
//! there point to.
//!
//! Holds:   a control block of a thread that has ended is read by copying, and forgotten when another thread has it.
//! Threads: who finds that a thread has ended notes its block, under the tables' lock; the rest is the collecting thread's.

use super::{
    Source, Visitor,
    blind::{Place, is_blind},
};
use crate::{
    base::{
        addr::{Addr, Range},
        sync::{AtomicUsize, Ordering},
    },
    collect::{
        table::List,
        tables::{TABLES, Tables},
    },
    heap::mutator::{self, Mutator},
    os::{
        control_block, copying,
        maps::Mapping,
        statics::{self, Object},
        tls,
    },
};

/// The objects with thread-local storage: their numbers in the threads' vectors, and the bytes of their blocks.
pub struct Modules {
    list: List<(usize, usize)>,
}

impl Modules {
    /// None, without memory.
    pub const fn new() -> Self {
        Modules { list: List::new() }
    }

    /// Forgets them.
    pub fn clear(&mut self) {
        self.list.clear();
    }

    /// Adds an object if it has any. `false`: no memory.
    pub fn add(&mut self, object: &Object<'_>) -> bool {
        object.tls_module == 0 || self.list.push((object.tls_module, object.tls_bytes())).is_ok()
    }

    /// A thread's blocks of these objects.
    pub fn visit(&self, record: &Mutator, visit: &mut Visitor<'_>) {
        let tp = Addr::new(record.thread_pointer.load(Ordering::Relaxed));
        if tp.is_null() {
            return;
        }
        for &(module, bytes) in self.list.as_slice() {
            // SAFETY: the thread is stopped or ourselves, and the loader is locked.
            let block = unsafe { statics::tls_block(tp, module) };
            if !block.is_null() {
                visit(Source::ThreadLocal, Range::sized(block, bytes));
            }
        }
    }
}

/// The main thread's control block: in no stack and in no segment. Relaxed: written once, before anything collects.
static MAIN_CONTROL_START: AtomicUsize = AtomicUsize::new(0);
static MAIN_CONTROL_END: AtomicUsize = AtomicUsize::new(0);

/// Remembers where the calling thread, the main one, has its control block, if it is in this mapping. Its static
/// thread-local storage is found by its vector, as that of objects opened later is.
pub fn note_main_thread(mapping: &Mapping<'_>) {
    let tp = tls::thread_pointer();
    if mapping.range.contains(tp) {
        MAIN_CONTROL_START.store(tp.get(), Ordering::Relaxed);
        MAIN_CONTROL_END.store(mapping.range.end.min(tp + control_block::BYTES_MAX).get(), Ordering::Relaxed);
    }
}

/// The main thread's control block.
pub fn visit_main_control_block(visit: &mut Visitor<'_>) {
    let start = Addr::new(MAIN_CONTROL_START.load(Ordering::Relaxed));
    let end = Addr::new(MAIN_CONTROL_END.load(Ordering::Relaxed));
    visit(Source::ThreadLocal, Range::new(start, end));
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

/// The control blocks of threads that have ended, as far as they can still be read.
pub fn visit_ended_control_blocks(tables: &Tables, visit: &mut Visitor<'_>) {
    if is_blind(Place::Ended) {
        return;
    }
    for &tp in tables.ended_control_blocks.as_slice() {
        let start = Addr::new(tp);
        let end = (start + 1).align_up(control_block::BYTES_MAX);
        copying::for_each_page(Range::new(start, end), |copy| visit(Source::ThreadLocal, copy));
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
        if is_used || copying::copy(Addr::new(tp), &mut word) != word.len() {
            blocks.swap_remove(index);
        } else {
            index += 1;
        }
    }
}
