//! Threads: the wrappers of the thread library, registration, stacks, blocking.

use crate::absent::absent;

absent! {
    GC_pthread_create GC_pthread_join GC_pthread_detach GC_pthread_exit GC_pthread_cancel GC_pthread_sigmask
    GC_dlopen GC_allow_register_threads GC_register_my_thread GC_unregister_my_thread GC_thread_is_registered
    GC_get_stack_base GC_call_with_stack_base GC_get_my_stackbottom GC_set_stackbottom GC_do_blocking
    GC_call_with_gc_active GC_register_altstack GC_get_on_thread_event GC_set_on_thread_event
}
