//! What a wrong pointer leads to: one exact line on standard error, and SIGABRT.

use gleaner::{
    base::addr::Addr,
    collect::allocate::Freed,
    fatal,
    os::{dl, log},
};

/// Reports what `function`, called from `site`, met at `address`; returns when the program can go on.
#[inline]
pub fn report(function: &str, address: Addr, site: usize, freed: Freed) {
    match freed {
        Freed::Done => {}
        Freed::TwiceInQuarantine { object, bytes, first_site } => log::print(format_args!(
            "gleaner: {function}: freed twice: {:#x}, an object of {bytes} bytes; first freed at {}, again at {}",
            object.get(),
            dl::Place::of(first_site),
            dl::Place::of(site)
        )),
        wrong => die(function, address, wrong),
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
        Freed::Vacant => fatal!(
            "{function}: not an object: {at:#x} lies in free memory of the heap; it was freed before, or never handed out"
        ),
        Freed::Foreign | Freed::Done | Freed::TwiceInQuarantine { .. } => {
            fatal!("{function}: not a gleaner object: {at:#x}; free it with the allocator it came from")
        }
    }
}
