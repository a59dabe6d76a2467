//! Functions that read and write one variable each.

/// `getter, setter: TYPE in VARIABLE`, where `TYPE` is `c_int`, `usize` or `function`. With `-` no setter is made.
macro_rules! accessors {
    ($($getter:ident, $setter:tt: $type:tt in $variable:path;)*) => {$(
        #[unsafe(no_mangle)]
        extern "C" fn $getter() -> $crate::accessors::accessors!(@type $type) {
            $crate::accessors::accessors!(@get $type $variable)
        }
        $crate::accessors::accessors!(@setter $setter $type $variable);
    )*};
    (@setter - $type:tt $variable:path) => {};
    (@setter $setter:ident $type:tt $variable:path) => {
        #[unsafe(no_mangle)]
        extern "C" fn $setter(value: $crate::accessors::accessors!(@type $type)) {
            $crate::accessors::accessors!(@set $type $variable, value)
        }
    };
    (@type c_int) => { core::ffi::c_int };
    (@type usize) => { usize };
    (@type function) => { *mut core::ffi::c_void };
    (@get function $variable:path) => { $variable.get() };
    (@get $type:tt $variable:path) => { $variable.load(gleaner::base::sync::Ordering::Relaxed) };
    (@set function $variable:path, $value:ident) => { $variable.set($value) };
    (@set $type:tt $variable:path, $value:ident) => { $variable.store($value, gleaner::base::sync::Ordering::Relaxed) };
}
pub(crate) use accessors;
