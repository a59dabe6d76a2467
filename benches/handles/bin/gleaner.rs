//! Runs one workload of one handle on gleaner.

use gleaner::Gleaner;

#[global_allocator]
static HEAP: Gleaner = Gleaner;

fn main() {
    gleaner_handles::once::main();
}
