//! Links the library.
#[path = "../cpp.rs"]
mod cpp;

fn main() {
    cpp::on_libgc(&["GC_malloc_uncollectable", "GC_free"]);
    cpp::library("libgccpp.so.1", &["src/operators.cc", "../gctba/src/throw.cc"]);
}
