//! The workloads on gleaner.

use gleaner::Gleaner;

#[global_allocator]
static HEAP: Gleaner = Gleaner;

fn main() {
    gleaner_handles::bench::main("gleaner");
}
