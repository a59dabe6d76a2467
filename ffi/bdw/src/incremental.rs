//! The incremental mode, which this collector does not have.

use crate::{absent::absent, accessors::accessors, data::*};

absent! {
    GC_enable_incremental GC_is_incremental_mode GC_start_incremental_collection
    GC_incremental_protection_needs GC_get_manual_vdb_allowed GC_set_manual_vdb_allowed GC_end_stubborn_change
    GC_change_stubborn GC_ptr_store_and_dirty GC_get_time_limit_tv GC_set_time_limit_tv GC_get_rate
    GC_set_rate GC_get_max_prior_attempts GC_set_max_prior_attempts
}

accessors! {
    GC_get_full_freq, GC_set_full_freq: c_int in GC_full_freq;
    GC_get_time_limit, GC_set_time_limit: usize in GC_time_limit;
}
