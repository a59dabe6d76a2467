//! Finalizers.

use crate::{absent::absent, accessors::accessors, data::*};

absent! {
    GC_register_finalizer GC_register_finalizer_ignore_self GC_register_finalizer_no_order
    GC_register_finalizer_unreachable GC_debug_register_finalizer GC_debug_register_finalizer_ignore_self
    GC_debug_register_finalizer_no_order GC_debug_register_finalizer_unreachable GC_invoke_finalizers
    GC_should_invoke_finalizers GC_finalize_all GC_get_await_finalize_proc GC_set_await_finalize_proc
    GC_get_allocd_bytes_per_finalizer GC_set_allocd_bytes_per_finalizer
}

accessors! {
    GC_get_finalize_on_demand, GC_set_finalize_on_demand: c_int in GC_finalize_on_demand;
    GC_get_finalizer_notifier, GC_set_finalizer_notifier: function in GC_finalizer_notifier;
    GC_get_java_finalization, GC_set_java_finalization: c_int in GC_java_finalization;
}
