//! One engine in a process: several copies of the library may be loaded, and all of them use the first one's heap.
//!
//! A copy that comes second (opened with `RTLD_LOCAL` or `RTLD_DEEPBIND`, or linked statically into something) would
//! otherwise have a heap of its own that the first one's collector neither knows nor scans, and would stop the same
//! threads. So each copy has a table of what its engine does, [`Engine`], and before it does anything itself it asks for
//! the first one's table:
//!
//! ```text
//!   undecided --first call--> the word that all copies find (`os::rendezvous`)
//!      empty               this copy puts its table there and is the engine     HERE
//!      another's table     every call goes through it                           ELSEWHERE
//!      another version's   this copy allocates for itself and never collects    REFUSED
//! ```
//!
//! The word decides. Beside it stands the exported symbol `gleaner_engine_1`, which the loader resolves like any other:
//! `libgleaner` leaves the word alone when that symbol is somebody else's, so that a preloaded `libgleaner_malloc.so`
//! has the engine although the loader runs its constructor last. The malloc library, whose engine does all that the
//! others' do and more, always takes the word if it is empty. Where the word cannot be found, the symbol is all there is.
//!
//! A copy that has lost reserves no address space, has no handler, no records of threads: the fast paths find none and
//! leave for the slow path, and there (and at the entry of whatever has no fast path) stands the one
//! question, [`elsewhere`]. The copy that has the engine asks it at the same places, and nowhere in a fast path.
//!
//! Holds:   a copy that has put its table into the word never forwards; one that forwards never has anything of its own.
//! Threads: any, and in signal handlers; nothing is locked. Two threads that decide at once come to the same end.

use crate::{
    alloc::*,
    attach::*,
    cache::*,
    control::*,
    exports::{Cache, Ephemeron, Tracer, Weak},
    fiber::{Jump, gc_fiber_current, gc_fiber_free, gc_fiber_new, gc_fiber_switch},
    leave::leave_region,
    report::*,
};
use core::{
    arch::asm,
    ffi::{c_char, c_int, c_uint, c_ulong, c_void},
    mem::offset_of,
};
use gleaner::{
    base::{
        addr::Addr,
        sync::{AtomicBool, AtomicPtr, AtomicUsize, Ordering},
    },
    heap::fiber::Fiber,
    os::{log, rendezvous},
};

const MAGIC: [u8; 8] = *b"gleaner\0";
/// Two tables of one major version agree entry by entry as far as the shorter one goes.
const MAJOR: u32 = 1;

type Finalizer = unsafe extern "C" fn(*mut c_void, *mut c_void);
type Blocking = unsafe extern "C" fn(*mut c_void) -> *mut c_void;
type TraceProcedure = unsafe extern "C" fn(*mut c_void, usize, *mut Tracer);
type OomHandler = unsafe extern "C" fn(usize, *mut c_void) -> *mut c_void;
type WarnHandler = unsafe extern "C" fn(*const c_char, *mut c_void);
type Listener = unsafe extern "C" fn(*const c_void, *mut c_void);

/// The table from its list of entries; what a copy of `libgleaner` does for each; and what an undecided copy does.
macro_rules! entries {
    ($($(#[$doc:meta])* fn $name:ident($($argument:ident: $type:ty),*) $(-> $result:ty)?;)*) => {
        /// What an engine does for the doors of every copy. The first three members are the same in all versions.
        #[repr(C)]
        pub struct Engine {
            magic: [u8; 8],
            major: u32,
            /// The size of the table: a later minor version adds entries at the end.
            bytes: u32,
            family: Option<&'static Family>,
            $($(#[$doc])* pub $name: unsafe extern "C" fn($($type),*) $(-> $result)?,)*
        }

        /// The table of an engine of `gleaner.h` alone.
        pub const LIBRARY: Engine = Engine { magic: MAGIC, major: MAJOR, bytes: BYTES, family: None, $($name),* };

        static UNDECIDED: Engine =
            Engine { magic: MAGIC, major: MAJOR, bytes: BYTES, family: None, $($name: undecided::$name),* };

        /// Each decides, and goes on where it was decided.
        mod undecided {
            use super::*;
            $(
                #[unsafe(naked)]
                pub extern "C" fn $name($(_: $type),*) $(-> $result)? {
                    $crate::decide_and_go!(super::decided, offset_of!(Engine, $name))
                }
            )*
        }
    };
}

/// The body of a function that keeps its arguments, asks `$decided` for a table, and jumps to the entry at `$offset`.
#[macro_export]
macro_rules! decide_and_go {
    ($decided:path, $offset:expr) => {
        core::arch::naked_asm!(
            "push rdi", "push rsi", "push rdx", "push rcx", "push r8",
            "call {decided}",
            "pop r8", "pop rcx", "pop rdx", "pop rsi", "pop rdi",
            "jmp qword ptr [rax + {offset}]",
            decided = sym $decided,
            offset = const $offset,
        )
    };
}

const BYTES: u32 = size_of::<Engine>() as u32;

entries! {
    /// A jump to `buffer`, from the stack pointer `here`, ends the safe region that it leaves.
    fn leave_region(buffer: *const usize, here: usize);
    /// An object of `kind`, a number; `align` is 1 or a power of two.
    fn allocate(bytes: usize, align: usize, kind: c_uint) -> *mut c_void;
    // The rest as in `gleaner.h`.
    /// See there.
    fn gc_malloc_typed(bytes: usize, layout: usize) -> *mut c_void;
    /// See there.
    fn gc_malloc_kind(bytes: usize, kind: c_uint) -> *mut c_void;
    /// See there.
    fn gc_ephemeron_new(key: *mut c_void, value: *mut c_void) -> *mut Ephemeron;
    /// See there.
    fn gc_realloc(p: *mut c_void, bytes: usize) -> *mut c_void;
    /// See there.
    fn gc_free(p: *mut c_void);
    /// See there.
    fn gc_usable_size(p: *const c_void) -> usize;
    /// See there.
    fn gc_base(p: *const c_void) -> *mut c_void;
    /// See there.
    fn gc_contains(p: *const c_void) -> c_int;
    /// See there.
    fn gc_layout_from_bitmap(bitmap: *const c_ulong, words: usize) -> usize;
    /// See there.
    fn gc_kind_new(trace: Option<TraceProcedure>) -> c_uint;
    /// See there.
    fn gc_trace_word(tracer: *mut Tracer, word: *const c_void);
    /// See there.
    fn gc_trace_range(tracer: *mut Tracer, begin: *const c_void, end: *const c_void);
    /// See there.
    fn gc_init();
    /// See there.
    fn gc_collect();
    /// See there.
    fn gc_release() -> usize;
    /// See there.
    fn gc_enable();
    /// See there.
    fn gc_disable();
    /// See there.
    fn gc_collections() -> c_ulong;
    /// See there.
    fn gc_root_add(begin: *const c_void, end: *const c_void) -> c_int;
    /// See there.
    fn gc_root_remove(begin: *const c_void, end: *const c_void) -> c_int;
    /// See there.
    fn gc_pin(p: *mut c_void) -> c_int;
    /// See there.
    fn gc_unpin(p: *mut c_void) -> c_int;
    /// See there.
    fn gc_thread_register() -> c_int;
    /// See there.
    fn gc_thread_unregister() -> c_int;
    /// See there.
    fn gc_blocking(work: Option<Blocking>, data: *mut c_void) -> *mut c_void;
    /// See there.
    fn gc_finalizer_set(object: *mut c_void, finalizer: Option<Finalizer>, data: *mut c_void, order: c_uint) -> c_int;
    /// See there.
    fn gc_finalizer_clear(object: *mut c_void) -> c_int;
    /// See there.
    fn gc_finalizers_run() -> usize;
    /// See there.
    fn gc_weak_register(object: *mut c_void, kind: c_uint) -> *mut Weak;
    /// See there.
    fn gc_weak_unregister(weak: *mut Weak);
    /// See there.
    fn gc_heap_limit_set(bytes: usize);
    /// See there.
    fn gc_oom_handler_set(handler: Option<OomHandler>, data: *mut c_void);
    /// See there.
    fn gc_warn_handler_set(handler: Option<WarnHandler>, data: *mut c_void);
    /// See there.
    fn gc_event_listener_set(listener: Option<Listener>, data: *mut c_void);
    /// See there.
    fn gc_stats_get(stats: *mut GcStats) -> c_int;
    /// See there.
    fn gc_stats_json(buffer: *mut c_char, bytes: usize) -> usize;
    /// See there.
    fn gc_option_set(name: *const c_char, value: *const c_char) -> c_int;
    /// See there.
    fn gc_cache_find(layout: c_uint, bytes: usize, kind: c_uint) -> *mut Cache;
    /// See there.
    fn gc_cache_malloc_slowly(cache: *mut Cache) -> *mut c_void;
    /// See there.
    fn gc_cache_malloc_typed_slowly(cache: *mut Cache, bytes: usize, layout: usize) -> *mut c_void;
    /// See there.
    fn gc_fiber_new(stack: *mut c_void, size: usize, sp: *mut c_void, data: *mut c_void, life: c_uint) -> *mut Fiber;
    /// See there.
    fn gc_fiber_current() -> *mut Fiber;
    /// See there.
    fn gc_fiber_switch(to: *mut Fiber, jump: Jump, data: *mut c_void);
    /// See there.
    fn gc_fiber_free(fiber: *mut Fiber);
    /// A weak object of `kind`, a number, for `bytes` of words or pairs.
    fn allocate_weak(bytes: usize, kind: c_uint) -> *mut c_void;
    /// See there.
    fn gc_weak_tombstone_set(weak: *mut c_void, tombstone: *mut c_void) -> c_int;
    /// See there.
    fn gc_weak_died(weak: *const c_void) -> usize;
}

/// What an engine does for the malloc family of another copy. Sizes are what the caller asked for.
#[repr(C)]
pub struct Family {
    /// `align` is 1 or a power of two.
    pub malloc: unsafe extern "C" fn(bytes: usize, align: usize) -> *mut c_void,
    /// Zeroed.
    pub calloc: unsafe extern "C" fn(bytes: usize) -> *mut c_void,
    /// `p` is not null, `bytes` are not zero.
    pub realloc: unsafe extern "C" fn(p: *mut c_void, bytes: usize) -> *mut c_void,
    /// As the function.
    pub free: unsafe extern "C" fn(p: *mut c_void),
    /// As the function.
    pub malloc_usable_size: unsafe extern "C" fn(p: *mut c_void) -> usize,
    /// As the function; the structure is written to `information`.
    pub mallinfo2: unsafe extern "C" fn(information: *mut c_void),
    /// As the function.
    pub malloc_stats: unsafe extern "C" fn(),
    /// As the function.
    pub malloc_info: unsafe extern "C" fn(options: c_int, stream: *mut c_void) -> c_int,
}

impl Engine {
    /// The table of an engine that serves the malloc family too.
    pub const fn with_family(family: &'static Family) -> Engine {
        Engine { family: Some(family), ..LIBRARY }
    }

    /// The malloc family, where the engine serves it.
    pub fn family(&self) -> Option<&'static Family> {
        self.family
    }
}

/// The table that calls go through: null when the engine is here.
static ELSEWHERE: AtomicPtr<Engine> = AtomicPtr::new((&raw const UNDECIDED).cast_mut());
/// An engine of another version was there first.
static REFUSED: AtomicBool = AtomicBool::new(false);

/// Makes a library with the table `$engine` a door: its address, once exported for the loader to resolve, and once hidden,
/// so that this copy finds its own whatever the loader has resolved. One that is `unnamed` exports nothing, and sees whom
/// the others name.
#[macro_export]
macro_rules! door {
    ($engine:path) => {
        /// The address of this copy's table: see `gleaner_abi::engine`.
        #[allow(non_upper_case_globals)]
        #[unsafe(no_mangle)]
        pub static gleaner_engine_1: &$crate::engine::Engine = &$engine;

        $crate::door!(own $engine; "");
    };
    (unnamed $engine:path) => {
        $crate::door!(own $engine; ".weak gleaner_engine_1");
    };
    (own $engine:path; $symbol:literal) => {
        core::arch::global_asm!(
            $symbol,
            ".pushsection .text.gleaner_engine_symbol, \"ax\"",
            ".globl gleaner_engine_symbol",
            ".hidden gleaner_engine_symbol",
            // A plain reference would be taken for our own.
            "gleaner_engine_symbol: mov rax, qword ptr [rip + gleaner_engine_1@GOTPCREL]",
            "ret",
            ".popsection",
            ".pushsection .data.rel.ro.gleaner_own_engine, \"aw\"",
            ".balign 8",
            ".globl gleaner_own_engine",
            ".hidden gleaner_own_engine",
            "gleaner_own_engine: .quad {engine}",
            ".popsection",
            engine = sym $engine,
        );
    };
}

/// The table of this copy.
fn own_engine() -> &'static Engine {
    let own: *const Engine;
    // SAFETY: reads the word that `door` has made; it is the address of a static.
    unsafe {
        asm!("mov {}, qword ptr [rip + gleaner_own_engine]", out(reg) own, options(nostack, preserves_flags, readonly));
        &*own
    }
}

/// The table that calls go through, unless the engine is here. Undecided, it is one that decides first.
#[inline(always)]
pub fn elsewhere() -> Option<&'static Engine> {
    // SAFETY: null, or the table of a library that is never unloaded. Acquire: pairs with the Release of `decide`.
    unsafe { ELSEWHERE.load(Ordering::Acquire).as_ref() }
}

/// Hands the call on, if the engine is elsewhere.
macro_rules! forward {
    ($name:ident($($argument:expr),*)) => {
        if let Some(engine) = $crate::engine::elsewhere() {
            // SAFETY: the entry does what the function promises, for the same arguments.
            return unsafe { (engine.$name)($($argument),*) };
        }
    };
}
pub(crate) use forward;

/// Functions that hand the call on to an entry of the table that `$elsewhere` points to, if the engine is elsewhere, and
/// to the edge here if it is not: by a jump, since a callback may leave in a way that no Rust frame must see.
#[macro_export]
macro_rules! slow_paths {
    (through $elsewhere:ident: $table:ident;
     $($(#[$doc:meta])* fn $name:ident($($argument:ident: $type:ty),*) $(-> $result:ty)? = $entry:ident or $here:path;)*) => {$(
        $(#[$doc])*
        ///
        /// # Safety
        /// As for the function of that name.
        #[unsafe(no_mangle)]
        #[unsafe(naked)]
        #[unsafe(link_section = ".text.hot")]
        pub unsafe extern "C" fn $name($($argument: $type),*) $(-> $result)? {
            core::arch::naked_asm!(
                "mov rax, qword ptr [rip + {elsewhere}]",
                "test rax, rax",
                "jnz 2f",
                "jmp {here}",
                "2: jmp qword ptr [rax + {entry}]",
                elsewhere = sym $elsewhere,
                here = sym $here,
                entry = const core::mem::offset_of!($table, $entry),
            )
        }
    )*};
}

unsafe extern "C" {
    fn gleaner_edge_allocate(bytes: usize, align: usize, kind: c_uint) -> *mut c_void;
    fn gleaner_edge_allocate_typed(bytes: usize, layout: usize) -> *mut c_void;
    fn gleaner_edge_allocate_ephemeron(key: *mut c_void, value: *mut c_void) -> *mut Ephemeron;
    fn gleaner_edge_allocate_weak(bytes: usize, kind: c_uint) -> *mut c_void;
    fn gleaner_edge_cache_malloc(cache: *mut Cache) -> *mut c_void;
    fn gleaner_edge_cache_malloc_typed(cache: *mut Cache, bytes: usize, layout: usize) -> *mut c_void;
    fn gleaner_edge_realloc(p: *mut c_void, bytes: usize) -> *mut c_void;
    fn gleaner_edge_collect();
    fn gleaner_edge_finalizers_run() -> usize;
    fn gleaner_edge_blocking(work: Option<Blocking>, data: *mut c_void) -> *mut c_void;
}

slow_paths! {
    through ELSEWHERE: Engine;
    /// The slow path of an allocation.
    fn gleaner_slow_allocate(bytes: usize, align: usize, kind: c_uint) -> *mut c_void = allocate or gleaner_edge_allocate;
    /// The slow path of an allocation with a layout.
    fn gleaner_slow_allocate_typed(bytes: usize, layout: usize) -> *mut c_void
        = gc_malloc_typed or gleaner_edge_allocate_typed;
    /// `gc_malloc_kind` for a kind that was not made here.
    fn gleaner_slow_allocate_kind(bytes: usize, kind: c_uint) -> *mut c_void = gc_malloc_kind or refuse_kind;
    /// `gc_ephemeron_new`.
    fn gleaner_slow_allocate_ephemeron(key: *mut c_void, value: *mut c_void) -> *mut Ephemeron
        = gc_ephemeron_new or gleaner_edge_allocate_ephemeron;
    /// An allocation of a weak object.
    fn gleaner_slow_allocate_weak(bytes: usize, kind: c_uint) -> *mut c_void
        = allocate_weak or gleaner_edge_allocate_weak;
    /// `gc_cache_malloc_slowly`.
    fn gleaner_slow_cache_malloc(cache: *mut Cache) -> *mut c_void
        = gc_cache_malloc_slowly or gleaner_edge_cache_malloc;
    /// `gc_cache_malloc_typed_slowly`.
    fn gleaner_slow_cache_malloc_typed(cache: *mut Cache, bytes: usize, layout: usize) -> *mut c_void
        = gc_cache_malloc_typed_slowly or gleaner_edge_cache_malloc_typed;
    /// `gc_realloc`; `p` is not null, `bytes` are not zero.
    fn gleaner_slow_realloc(p: *mut c_void, bytes: usize) -> *mut c_void = gc_realloc or gleaner_edge_realloc;
    /// The slow path of `gc_free`.
    fn gleaner_slow_free(p: *mut c_void) = gc_free or free_slowly;
    /// `gc_collect`.
    fn gleaner_slow_collect() = gc_collect or gleaner_edge_collect;
    /// `gc_finalizers_run`.
    fn gleaner_slow_finalizers_run() -> usize = gc_finalizers_run or gleaner_edge_finalizers_run;
    /// `gc_blocking`.
    fn gleaner_slow_blocking(work: Option<Blocking>, data: *mut c_void) -> *mut c_void
        = gc_blocking or gleaner_edge_blocking;
}

/// What has become of this copy's engine.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Place {
    /// This copy has the engine.
    Here,
    /// Calls go through another copy's table.
    Elsewhere,
    /// This copy has a heap that is never collected, beside an engine of another version.
    Refused,
}

/// Decides at the first call.
pub fn place() -> Place {
    decide();
    match elsewhere() {
        Some(_) => Place::Elsewhere,
        // Relaxed: `elsewhere` has acquired the decision, which was published after it.
        None if REFUSED.load(Ordering::Relaxed) => Place::Refused,
        None => Place::Here,
    }
}

/// Decides, and gives the table to call through.
extern "C" fn decided() -> *const Engine {
    decide();
    elsewhere().unwrap_or_else(own_engine)
}

fn decide() {
    let undecided = (&raw const UNDECIDED).cast_mut();
    // Acquire: pairs with the Release below, for what the caller does by the decision.
    if ELSEWHERE.load(Ordering::Acquire) != undecided {
        return;
    }
    let table = match find(own_engine()) {
        Found::This => core::ptr::null_mut(),
        Found::Another(engine) => core::ptr::from_ref(engine).cast_mut(),
        Found::OfAnotherVersion(major) => {
            refuse_to_collect(major);
            core::ptr::null_mut()
        }
    };
    // Release: whoever sees the decision sees whether it was refused. One that another thread has made meanwhile stands.
    let _ = ELSEWHERE.compare_exchange(undecided, table, Ordering::Release, Ordering::Relaxed);
}

enum Found {
    This,
    Another(&'static Engine),
    OfAnotherVersion(u32),
}

/// Looks for the first engine; `own` becomes it when there is none.
fn find(own: &'static Engine) -> Found {
    let by_name = judge(own, named_engine());
    let Some(word) = rendezvous::word() else { return by_name };
    // Relaxed: only whether it is empty; who follows it reads it again below.
    if own.family.is_none() && word.load(Ordering::Relaxed) == 0 && !matches!(by_name, Found::This) {
        return by_name;
    }
    let address = core::ptr::from_ref(own) as usize;
    // Release and Acquire: whoever finds a table in the word sees what the loader has written there.
    match word.compare_exchange(0, address, Ordering::AcqRel, Ordering::Acquire) {
        Ok(_) => Found::This,
        Err(first) => judge(own, first),
    }
}

/// What is at `address`, where another engine's table may be.
fn judge(own: &'static Engine, address: usize) -> Found {
    let header = address as *const Engine;
    if header == core::ptr::from_ref(own) || !rendezvous::is_readable(Addr::new(address), offset_of!(Engine, family)) {
        return Found::This;
    }
    // SAFETY: the head of a table can be read there, and whatever is there is a number.
    let (magic, major, bytes) = unsafe { ((*header).magic, (*header).major, (*header).bytes) };
    match () {
        () if magic != MAGIC => Found::This,
        () if major != MAJOR || bytes < BYTES => Found::OfAnotherVersion(major),
        // SAFETY: a table of this version with at least our entries, in a library that is never unloaded.
        () => Found::Another(unsafe { &*header }),
    }
}

unsafe extern "C" {
    /// The exported word, as the loader resolved it for this copy. Null: nobody exports one.
    safe fn gleaner_engine_symbol() -> *const AtomicUsize;
}

/// The table behind the symbol.
fn named_engine() -> usize {
    // SAFETY: null, or a word that holds the address of a table. Relaxed: the loader has written it before any code of this
    // copy ran.
    let table = unsafe { gleaner_engine_symbol().as_ref() }.map(|word| word.load(Ordering::Relaxed));
    table.unwrap_or(core::ptr::from_ref(own_engine()) as usize)
}

/// Whether the loader resolves this copy's exported table to its own.
pub fn is_named_here() -> bool {
    named_engine() == core::ptr::from_ref(own_engine()) as usize
}

fn refuse_to_collect(major: u32) {
    // Relaxed: the decision is published later, by the Release of `decide`; here it only says who speaks.
    if !REFUSED.swap(true, Ordering::Relaxed) {
        log::print(format_args!(
            "gleaner: this process has an engine with tables of version {major}, and this copy of the library ({}) has \
             version {MAJOR}: it allocates for itself and never collects; load copies of one version",
            env!("CARGO_PKG_VERSION")
        ));
    }
}

/// The tests of this crate are a program of their own, with a door of its own.
#[cfg(test)]
mod tests {
    static ENGINE: super::Engine = super::LIBRARY;
    crate::door!(ENGINE);

    #[test]
    fn a_program_alone_has_the_engine() {
        assert_eq!(super::place(), super::Place::Here);
        assert!(super::elsewhere().is_none());
    }
}
