//! What a wrong pointer leads to: one exact line on standard error, and SIGABRT.

use gleaner::{base::addr::Addr, collect::allocate::Freed, fatal};

/// Reports what `function` met at `address`; returns when nothing was wrong.
#[inline]
pub fn report(function: &str, address: Addr, freed: Freed) {
    if freed != Freed::Done {
        die(function, address, freed);
    }
}

#[cold]
fn die(function: &str, address: Addr, freed: Freed) -> ! {
    let at = address.get();
    match freed {
        Freed::Inside { offset, bytes } => fatal!(
            "{function}: not the start of an object: {at:#x} lies {offset} bytes inside an object of {bytes} bytes; free \
             what the allocation returned"
        ),
        Freed::Twice { object, bytes } => fatal!(
            "{function}: freed twice: {:#x}, an object of {bytes} bytes; remove one of the two calls",
            object.get()
        ),
        Freed::Foreign | Freed::Done => {
            fatal!("{function}: not a gleaner object: {at:#x}; free it with the allocator it came from")
        }
    }
}
