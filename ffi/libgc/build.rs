//! Links the library, which hides what it does not export.
#[path = "../link.rs"]
mod link;

fn main() {
    println!("cargo::rerun-if-changed=src/hidden.c");
    for object in cc::Build::new().file("src/hidden.c").compile_intermediates() {
        println!("cargo::rustc-cdylib-link-arg={}", object.display());
    }
    link::library("libgc.so.1");
}
