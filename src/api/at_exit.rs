//! What is said when the process ends: what the quarantine has found since, and with `stats=1` a line of figures.
//!
//! The destructor of a library says it, and in a Rust program `begin` has it called.

use crate::{
    base::sync::{AtomicU64, Ordering},
    collect::{
        allocate, condemned, quarantine,
        settings::{self, FreeMode},
        stats::COUNTERS,
    },
    heap::cage::CAGE,
    os::log,
};

/// Says it. Called once, when the process ends.
pub extern "C" fn report() {
    if settings::free_mode() == FreeMode::Quarantine {
        report_quarantine();
    }
    if condemned::is_on() {
        condemned::at_exit();
    }
    if settings::stats_at_exit() {
        print_figures();
    }
}

#[cold]
#[inline(never)]
fn report_quarantine() {
    allocate::with_tables(|tables| tables.quarantine.inspect_at_exit());
    quarantine::print_reports(|| allocate::with_tables(|tables| tables.quarantine.take_report()).flatten());
}

#[cold]
#[inline(never)]
fn print_figures() {
    // Relaxed: figures of a moment.
    let get = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
    let heap_bytes = CAGE.lock().as_ref().map_or(0, |cage| cage.used_bytes());
    log::print_at_exit(format_args!(
        "gleaner: exit collections={} reclaimed_bytes={} reclaimed_objects={} pause_total_us={} pause_longest_us={} \
         heap_bytes={heap_bytes} stops_abandoned={}",
        get(&COUNTERS.collections),
        get(&COUNTERS.reclaimed_bytes),
        get(&COUNTERS.reclaimed_objects),
        get(&COUNTERS.pause_total_ns) / 1000,
        get(&COUNTERS.pause_longest_ns) / 1000,
        get(&COUNTERS.stops_abandoned),
    ));
    if condemned::is_on() {
        let [objects, bytes, given_up, accesses] = condemned::figures();
        log::print_at_exit(format_args!(
            "gleaner: exit accesses={accesses} condemned_objects={objects} condemned_bytes={bytes} given_up={given_up}"
        ));
    }
}
