//! What is said of an access to a condemned object.
//!
//! ```text
//!   gleaner: verify: read at ADDRESS, 16 bytes inside an object of 48 bytes at ADDRESS, unreachable since collection 3
//!   gleaner: verify:   by use+0x1b (program+0x11ab)
//!   gleaner: verify:   called from main+0x40 (program+0x12f0)
//!   gleaner: verify:   allocated by make+0xe (program+0x114e)
//! ```
//!
//! Names are those that the loader knows.

use crate::{
    base::addr::Addr,
    os::{dl, log},
};
use core::fmt;

/// How an object was touched.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Access {
    /// By an instruction that reads.
    Read,
    /// By one that writes.
    Write,
    /// By a jump into it.
    Execute,
    /// It was freed.
    Free,
    /// It was passed to `realloc`.
    Resize,
    /// It was passed to a call of the C library's that hands it to the kernel; its name.
    Passed(&'static core::ffi::CStr),
    /// Its contents are not what they were.
    Written,
}

impl fmt::Display for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Access::Read => "read at",
            Access::Write => "write at",
            Access::Execute => "jump to",
            Access::Free => "free of",
            Access::Resize => "realloc of",
            Access::Passed(call) => return write!(f, "{} was given", call.to_str().unwrap_or("a call")),
            Access::Written => "write to",
        })
    }
}

/// An access that is to be said.
#[derive(Clone, Copy)]
pub struct Report {
    pub(super) access: Access,
    pub(super) address: Addr,
    pub(super) object: Addr,
    pub(super) bytes: usize,
    pub(super) collection: u64,
    pub(super) site: usize,
    /// Those after it are only counted.
    pub(super) is_last: bool,
}

impl Report {
    /// Says it. `calls`: the instruction, and where the calls around it return to; those that we have made are left out.
    /// Outside the gate: naming a place asks the loader.
    pub fn print(&self, calls: &[usize]) {
        let (object, bytes, collection) = (self.object.get(), self.bytes, self.collection);
        match self.access {
            Access::Written => log::print(format_args!(
                "gleaner: verify: write to an object of {bytes} bytes at {object:#x}, unreachable since collection \
                 {collection}; it was seen by what has changed"
            )),
            access => log::print(format_args!(
                "gleaner: verify: {access} {:#x}, {} bytes inside an object of {bytes} bytes at {object:#x}, \
                 unreachable since collection {collection}",
                self.address.get(),
                self.address - self.object,
            )),
        }
        let calls = calls.iter().map(|&call| dl::Place::of(call)).skip_while(dl::Place::is_ours);
        for (index, call) in calls.enumerate() {
            let how = if index == 0 { "by" } else { "called from" };
            log::print(format_args!("gleaner: verify:   {how} {call:#}"));
        }
        match self.site {
            0 => log::print(format_args!("gleaner: verify:   allocated by a call that is not known")),
            site => log::print(format_args!("gleaner: verify:   allocated by {:#}", dl::Place::of(site))),
        }
        if self.is_last {
            log::print(format_args!("gleaner: verify: further accesses are counted, and not described"));
        }
    }
}
