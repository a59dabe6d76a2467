//! Allocating and freeing.

use crate::absent::absent;

absent! {
    GC_malloc GC_malloc_atomic GC_malloc_uncollectable GC_malloc_atomic_uncollectable
    GC_malloc_ignore_off_page GC_malloc_atomic_ignore_off_page GC_malloc_stubborn GC_realloc GC_free
    GC_memalign GC_posix_memalign GC_strdup GC_strndup GC_clear_stack
}
