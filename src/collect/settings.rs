//! What can be set about collecting. Each is one word that is read where it matters; the table of options with their
//! names and limits is `api::options`.

use crate::base::sync::{AtomicBool, AtomicI32, AtomicU32, AtomicUsize, Ordering};

/// What a collection does with what it finds unreachable.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u32)]
pub enum Mode {
    /// Takes it back.
    On = 0,
    /// Counts it.
    Report = 1,
    /// Collections do not run at all.
    Off = 2,
    /// Keeps it, and says who touches it.
    Verify = 3,
}

/// What a free by hand does.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u32)]
pub enum FreeMode {
    /// Frees at once.
    Normal = 0,
    /// Frees at once, and each double free is caught.
    Checked = 1,
    /// Zeroes the object and leaves it to the collector.
    Quarantine = 2,
    /// Does nothing: the collector decides alone.
    Ignore = 3,
}

/// Whether the programs that a program becomes or starts have the library that was preloaded into it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u32)]
pub enum Exec {
    /// As the environment goes.
    Inherit = 0,
    /// Yes.
    Keep = 1,
    /// No.
    Drop = 2,
}

/// The divisor that leaves the space between two collections to the door.
pub const USUAL_SPACE_DIVISOR: u64 = 3;

macro_rules! setting {
    ($($(#[$doc:meta])* $get:ident $set:ident $cell:ident: $atomic:ident = $start:expr => $type:ty;)*) => {$(
        static $cell: $atomic = $atomic::new($start);
        $(#[$doc])*
        #[inline]
        pub fn $get() -> $type {
            $cell.load(Ordering::Relaxed)
        }
        $(#[$doc])*
        pub fn $set(value: $type) {
            $cell.store(value, Ordering::Relaxed);
        }
    )*};
}

setting! {
    /// Whether each collection writes a line.
    trace set_trace TRACE: AtomicBool = false => bool;
    /// Whether a line is written at exit.
    stats_at_exit set_stats_at_exit STATS: AtomicBool = false => bool;
    /// Whether the heap is verified after each collection.
    verify set_verify VERIFY: AtomicBool = false => bool;
    /// Whether a second, naive marker judges each collection.
    recheck set_recheck RECHECK: AtomicBool = false => bool;
    /// Whether things worth knowing are said.
    verbose set_verbose VERBOSE: AtomicBool = false => bool;
    /// Whether roots and objects are filtered by vector instructions, where the processor has them.
    vector set_vector VECTOR: AtomicBool = true => bool;
    /// Whether the kernel is asked which pages of large mappings were written.
    track set_track TRACK: AtomicBool = true => bool;
    /// Whether finalizers run by themselves, or only when asked for.
    finalizers_run_by_themselves set_finalizers_run_by_themselves FINALIZERS: AtomicBool = true => bool;
    /// Bytes allocated per byte live before the next collection, in thousandths; zero leaves it to the door.
    pace_milli set_pace_milli PACE: AtomicU32 = 0 => u32;
    /// The least that is allocated between two collections, in bytes; zero leaves it to the door.
    floor_bytes set_floor_bytes FLOOR: AtomicUsize = 0 => usize;
    /// Objects that the mark stack holds; zero lets it follow the heap.
    mark_stack_objects set_mark_stack_objects MARK_STACK: AtomicUsize = 0 => usize;
    /// How many threads mark at once; zero leaves it to the heap.
    markers set_markers MARKERS: AtomicUsize = 0 => usize;
    /// Whether a library may be opened so that it uses another malloc than the program.
    deep_binding set_deep_binding DEEP_BINDING: AtomicBool = false => bool;
    /// What the space handed out between two collections is divided by, beside [`USUAL_SPACE_DIVISOR`]; zero where the
    /// door has no such divisor.
    space_divisor set_space_divisor SPACE_DIVISOR: AtomicU32 = 0 => u32;
    /// Bytes in use below which no collection is due.
    expected_bytes set_expected_bytes EXPECTED: AtomicUsize = 0 => usize;
    /// The signal that stops threads; zero picks an unclaimed one.
    signal set_signal SIGNAL: AtomicI32 = 0 => i32;
}

static MODE: AtomicU32 = AtomicU32::new(Mode::On as u32);
static FREE_MODE: AtomicU32 = AtomicU32::new(FreeMode::Normal as u32);

static EXEC: AtomicU32 = AtomicU32::new(Exec::Inherit as u32);

/// What programs that this one becomes or starts have.
pub fn exec() -> Exec {
    match EXEC.load(Ordering::Relaxed) {
        0 => Exec::Inherit,
        1 => Exec::Keep,
        _ => Exec::Drop,
    }
}

/// Sets what programs that this one becomes or starts have.
pub fn set_exec(exec: Exec) {
    EXEC.store(exec as u32, Ordering::Relaxed);
}

/// What collections do.
pub fn mode() -> Mode {
    match MODE.load(Ordering::Relaxed) {
        0 => Mode::On,
        1 => Mode::Report,
        2 => Mode::Off,
        _ => Mode::Verify,
    }
}

/// Sets what collections do.
pub fn set_mode(mode: Mode) {
    MODE.store(mode as u32, Ordering::Relaxed);
}

/// What a free does.
pub fn free_mode() -> FreeMode {
    match FREE_MODE.load(Ordering::Relaxed) {
        0 => FreeMode::Normal,
        1 => FreeMode::Checked,
        2 => FreeMode::Quarantine,
        _ => FreeMode::Ignore,
    }
}

/// Sets what a free does.
pub fn set_free_mode(mode: FreeMode) {
    FREE_MODE.store(mode as u32, Ordering::Relaxed);
}
