//! The numbers of signals. Threads are stopped by the first; nothing is sent to let them go on, and the second only
//! answers programs that ask.

use core::ffi::c_int;
use gleaner::{
    base::sync::{AtomicI32, Ordering},
    collect::{settings, world},
};

/// SIGPWR, which programs of this library keep free.
pub const SUSPEND: i32 = 30;
/// SIGXCPU.
const RESTART: i32 = 24;

static RESTART_SIGNAL: AtomicI32 = AtomicI32::new(RESTART);

/// Has the engine take the usual signal, unless the user has chosen one. Before it starts.
pub fn choose() {
    if settings::signal() == 0 {
        settings::set_signal(SUSPEND);
    }
}

#[unsafe(no_mangle)]
pub extern "C" fn GC_get_suspend_signal() -> c_int {
    match world::stop_signal() {
        0 => SUSPEND,
        signal => signal,
    }
}

/// Before `GC_init`, as ever: the signal that stopped threads until now keeps its handler.
#[unsafe(no_mangle)]
extern "C" fn GC_set_suspend_signal(signal: c_int) {
    if (1..=64).contains(&signal) && world::stop_signal() != signal {
        let _world = world::hold();
        world::choose_signal(signal);
    }
}

#[unsafe(no_mangle)]
extern "C" fn GC_get_thr_restart_signal() -> c_int {
    RESTART_SIGNAL.load(Ordering::Relaxed)
}

#[unsafe(no_mangle)]
extern "C" fn GC_set_thr_restart_signal(signal: c_int) {
    RESTART_SIGNAL.store(signal, Ordering::Relaxed);
}
