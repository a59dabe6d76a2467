//! Compiles this door's edge, and links the library.
#[path = "../edge.rs"]
mod edge;
#[path = "../link.rs"]
mod link;

fn main() {
    edge::compile(
        "gleaner_malloc_edge",
        &["src/edge.c", "src/waits.c", "src/sleeps.c", "src/transfers.c", "src/exec.c"],
        &["src/persist.h", "src/letter.h"],
    );
    link::library(
        "libgleaner_malloc.so.0",
        &["pthread_cancel", "pthread_detach", "pthread_getcpuclockid", "pthread_join", "pthread_kill"],
        &[],
    );
}
