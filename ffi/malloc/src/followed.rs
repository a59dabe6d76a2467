//! What a program does by `syscall` and has a function for that is wrapped: it is done by that function. What it has no
//! function for and concerns us is taken note of.

use crate::{alternate, events, signals};
use core::ffi::{c_int, c_long};
use gleaner::{
    collect::{
        reports::{self, Reason},
        settings, world,
    },
    os::{log, sys, written},
};
use gleaner_abi::exports::errno;

const RT_SIGQUEUEINFO: usize = 129;
const SIGALTSTACK: usize = 131;
const EPOLL_CTL: usize = 233;
const RT_TGSIGQUEUEINFO: usize = 297;
const USERFAULTFD: usize = 323;
const IO_URING_SETUP: usize = 425;

/// One past the numbers of [`IS_FOLLOWED`].
pub const END: usize = 512;

/// Which calls are [`followed`], a byte each.
pub static IS_FOLLOWED: [u8; END] = {
    let mut table = [0; END];
    table[RT_SIGQUEUEINFO] = 1;
    table[SIGALTSTACK] = 1;
    table[EPOLL_CTL] = 1;
    table[RT_TGSIGQUEUEINFO] = 1;
    table[USERFAULTFD] = 1;
    table[IO_URING_SETUP] = 1;
    table
};

/// Makes a system call as `syscall` does.
///
/// # Safety
/// As the system call.
pub unsafe fn directly(call: usize, [a, b, c, d]: [usize; 4]) -> c_long {
    // SAFETY: by the caller's promise.
    match sys::checked(unsafe { sys::call(call as i64, [a, b, c, d, 0, 0]) }) {
        Ok(result) => result as c_long,
        Err(error) => {
            errno::set(error);
            -1
        }
    }
}

/// The program is going to ask for its own faults. The kernel lets a range of memory be asked about by one descriptor only,
/// so ours is closed, and no other opened.
fn leave_faults_to_program() {
    if settings::track() && world::is_own_process() {
        settings::set_track(false);
        if settings::verbose() {
            log::print(format_args!(
                "gleaner: large mappings are read in each collection from now on: the program uses userfaultfd itself"
            ));
        }
        // A collection that is under way comes to its end first.
        let _world = world::hold();
        written::close();
    }
}

/// Makes one of those calls.
///
/// # Safety
/// As the system call.
pub unsafe extern "C" fn followed(number: usize, a: usize, b: usize, c: usize, d: usize) -> c_long {
    // SAFETY: by the caller's promise.
    unsafe {
        match number {
            SIGALTSTACK => alternate::sigaltstack(a as *const _, b as *mut _).into(),
            EPOLL_CTL => events::epoll_ctl(a as c_int, b as c_int, c as c_int, d as *mut _).into(),
            RT_SIGQUEUEINFO => signals::queue(number, [a, b, c, 0], c),
            RT_TGSIGQUEUEINFO => signals::queue(number, [a, b, c, d], d),
            USERFAULTFD => {
                leave_faults_to_program();
                directly(number, [a, 0, 0, 0])
            }
            _ => {
                // What is in its ring is the kernel's and the program's alone.
                reports::stop_reclaiming(Reason::CannotFollow("a ring of io_uring"));
                directly(number, [a, b, 0, 0])
            }
        }
    }
}
