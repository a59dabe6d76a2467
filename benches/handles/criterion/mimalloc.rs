//! The workloads on mimalloc.

use mimalloc::MiMalloc;

#[global_allocator]
static HEAP: MiMalloc = MiMalloc;

fn main() {
    gleaner_handles::bench::main("mimalloc");
}
