//! Links the library.
#[path = "../cpp.rs"]
mod cpp;

fn main() {
    cpp::library("libgctba.so.1", &["src/throw.cc"]);
}
