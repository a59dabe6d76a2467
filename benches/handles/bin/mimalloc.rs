//! Runs one workload of one handle on mimalloc.

use mimalloc::MiMalloc;

#[global_allocator]
static HEAP: MiMalloc = MiMalloc;

fn main() {
    gleaner_handles::once::main();
}
