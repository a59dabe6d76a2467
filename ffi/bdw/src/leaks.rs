//! Finding what was not freed.

use crate::{accessors::accessors, data::*};

accessors! {
    GC_get_find_leak, GC_set_find_leak: c_int in GC_find_leak;
}
