//! Life cycle, and collections asked for.

use crate::{absent::absent, accessors::accessors, data::*};

absent! {
    GC_init GC_deinit GC_is_init_called GC_gcollect GC_gcollect_and_unmap GC_try_to_collect
    GC_collect_a_little GC_enable GC_disable GC_is_disabled GC_get_disable_automatic_collection
    GC_set_disable_automatic_collection
}

static START_CALLBACK: Function = Function::none();
static STOP: Function = Function::none();
static COLLECTION_EVENT: Function = Function::none();

accessors! {
    GC_get_start_callback, GC_set_start_callback: function in START_CALLBACK;
    GC_get_stop_func, GC_set_stop_func: function in STOP;
    GC_get_on_collection_event, GC_set_on_collection_event: function in COLLECTION_EVENT;
}
