//! References that are strong or weak as a callback says at each collection.

use crate::absent::absent;

absent! {
    GC_get_toggleref_func GC_set_toggleref_func GC_toggleref_add
}
