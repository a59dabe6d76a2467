//! Forks. The engine has handlers of its own around each one, whatever the program asks for, so a fork is safe from any
//! thread, and these have nothing to do.

use core::ffi::c_int;

#[unsafe(no_mangle)]
extern "C" fn GC_set_handle_fork(_value: c_int) {}

#[unsafe(no_mangle)]
extern "C" fn GC_atfork_prepare() {}

#[unsafe(no_mangle)]
extern "C" fn GC_atfork_parent() {}

#[unsafe(no_mangle)]
extern "C" fn GC_atfork_child() {}
