//! The variables of `gc.h`. Programs read and write them directly, before and after `GC_init`, and executables that are
//! not position-independent have copies of them: their sizes are part of the interface. So each is read where it is
//! used, and never cached.
//!
//! Relaxed throughout: a plain word of the program's, which no other data hangs on.

use core::ffi::c_void;
use gleaner::base::sync::{AtomicI32, AtomicPtr, AtomicUsize, Ordering};

unsafe extern "C" {
    fn gleaner_bdw_no_memory(bytes: usize) -> *mut c_void;
    fn gleaner_bdw_push_nothing();
    fn gleaner_bdw_abort(message: *const core::ffi::c_char);
    fn gleaner_bdw_not_same_object(p: *mut c_void, q: *mut c_void);
    fn gleaner_bdw_not_valid_displacement(p: *mut c_void);
    fn gleaner_bdw_not_visible(p: *mut c_void);
}

/// A variable that holds a function of the program's, or one of ours.
#[repr(transparent)]
pub struct Function(AtomicPtr<c_void>);

impl Function {
    /// None.
    pub const fn none() -> Function {
        Function(AtomicPtr::new(core::ptr::null_mut()))
    }

    /// What lies there.
    pub const fn at(function: *const ()) -> Function {
        Function(AtomicPtr::new(function.cast_mut().cast()))
    }

    /// Its address; null: none.
    pub fn get(&self) -> *mut c_void {
        self.0.load(Ordering::Relaxed)
    }

    /// Sets it.
    pub fn set(&self, function: *mut c_void) {
        self.0.store(function, Ordering::Relaxed);
    }
}

macro_rules! variables {
    ($($type:ident { $($name:ident = $value:expr;)* })*) => {$($(
        #[unsafe(no_mangle)]
        #[allow(non_upper_case_globals)]
        pub static $name: $type = $value;
    )*)*};
}

/// As many entries as an array of free lists has.
const LISTS: usize = 129;
/// Arrays of free lists for allocators that are compiled into old programs: they stay empty.
static LISTS_OF_KINDS: [[AtomicUsize; LISTS]; 4] = [const { [const { AtomicUsize::new(0) }; LISTS] }; 4];

variables! {
    AtomicI32 {
        GC_all_interior_pointers = AtomicI32::new(1);
        GC_java_finalization = AtomicI32::new(1);
        GC_no_dls = AtomicI32::new(0);
        GC_finalize_on_demand = AtomicI32::new(0);
        GC_find_leak = AtomicI32::new(0);
        GC_dont_gc = AtomicI32::new(0);
        GC_dont_expand = AtomicI32::new(0);
        GC_dont_precollect = AtomicI32::new(0);
        GC_parallel = AtomicI32::new(0);
        GC_use_entire_heap = AtomicI32::new(0);
        GC_gcj_kind = AtomicI32::new(0);
        GC_gcj_debug_kind = AtomicI32::new(0);
        GC_full_freq = AtomicI32::new(19);
    }
    AtomicUsize {
        GC_stackbottom = AtomicUsize::new(0);
        GC_least_plausible_heap_addr = AtomicUsize::new(usize::MAX);
        GC_greatest_plausible_heap_addr = AtomicUsize::new(0);
        GC_free_space_divisor = AtomicUsize::new(3);
        GC_time_limit = AtomicUsize::new(999_999);
        GC_max_retries = AtomicUsize::new(0);
        GC_non_gc_bytes = AtomicUsize::new(0);
        GC_gc_no = AtomicUsize::new(0);
    }
    Function {
        GC_push_other_roots = Function::at(gleaner_bdw_push_nothing as *const ());
        GC_oom_fn = Function::at(gleaner_bdw_no_memory as *const ());
        GC_on_abort = Function::at(gleaner_bdw_abort as *const ());
        GC_on_heap_resize = Function::none();
        GC_finalizer_notifier = Function::none();
        GC_same_obj_print_proc = Function::at(gleaner_bdw_not_same_object as *const ());
        GC_is_valid_displacement_print_proc = Function::at(gleaner_bdw_not_valid_displacement as *const ());
        GC_is_visible_print_proc = Function::at(gleaner_bdw_not_visible as *const ());
        GC_objfreelist_ptr = Function::at((&raw const LISTS_OF_KINDS[1]).cast());
        GC_aobjfreelist_ptr = Function::at((&raw const LISTS_OF_KINDS[0]).cast());
        GC_uobjfreelist_ptr = Function::at((&raw const LISTS_OF_KINDS[2]).cast());
        GC_auobjfreelist_ptr = Function::at((&raw const LISTS_OF_KINDS[3]).cast());
    }
    usize {
        GC_debug_header_size = 32;
    }
}
