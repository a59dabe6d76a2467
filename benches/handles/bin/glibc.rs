//! Runs one workload of one handle on glibc's malloc.

use std::alloc::System;

#[global_allocator]
static HEAP: System = System;

fn main() {
    gleaner_handles::once::main();
}
