//! Functions that are not there yet: each says so, and ends the process.

/// Exports functions that are not there yet.
macro_rules! absent {
    ($($name:ident)*) => {$(
        #[unsafe(no_mangle)]
        extern "C" fn $name() -> ! {
            gleaner::fatal!(concat!(stringify!($name), " is not there yet: this program cannot run on this library"))
        }
    )*};
}
pub(crate) use absent;
