//! Roots, and displacements from them.

use crate::{absent::absent, accessors::accessors, data::*};

absent! {
    GC_add_roots GC_remove_roots GC_clear_roots GC_exclude_static_roots GC_clear_exclusion_table
    GC_is_tmp_root GC_register_has_static_roots_callback GC_register_displacement
    GC_debug_register_displacement GC_get_all_interior_pointers GC_set_all_interior_pointers
}

accessors! {
    GC_get_push_other_roots, GC_set_push_other_roots: function in GC_push_other_roots;
    GC_get_no_dls, GC_set_no_dls: c_int in GC_no_dls;
}
