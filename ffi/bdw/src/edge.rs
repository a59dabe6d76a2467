//! The functions of `edge.c`, which call the program's.

use core::ffi::{c_char, c_int, c_void};

unsafe extern "C" {
    pub fn gleaner_bdw_allocate(bytes: usize, align: usize, kind: u32) -> *mut c_void;
    pub fn gleaner_bdw_reallocate(p: *mut c_void, bytes: usize) -> *mut c_void;
    pub fn gleaner_bdw_posix_memalign(result: *mut *mut c_void, align: usize, bytes: usize) -> c_int;
    pub fn gleaner_bdw_strndup(s: *const c_char, most: usize) -> *mut c_char;
    pub fn gleaner_bdw_end_of_main_stack() -> *mut c_void;
    pub fn gleaner_bdw_variable(name: *const c_char) -> *const c_char;
    pub fn gleaner_bdw_note_first_thread();
    pub fn gleaner_bdw_is_asking() -> c_int;
}

/// Exports functions that are jumps to functions of the edge, or of the C library: with all arguments as they came, and
/// no Rust frame between.
macro_rules! functions {
    ($(fn $name:ident() = $function:ident;)*) => {
        $(
            const _: () = {
                unsafe extern "C" {
                    fn $function();
                }

                #[unsafe(no_mangle)]
                #[unsafe(naked)]
                unsafe extern "C" fn $name() {
                    core::arch::naked_asm!("jmp {function}", function = sym $function)
                }
            };
        )*
    };
}
pub(crate) use functions;
