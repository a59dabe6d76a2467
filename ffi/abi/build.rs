//! Compiles the edge: the few functions that call out, which exceptions and longjmp may pass through.
fn main() {
    println!("cargo::rerun-if-changed=src/edge.c");
    cc::Build::new()
        .file("src/edge.c")
        .flag("-fexceptions")
        .flag("-fno-builtin")
        .flag("-fvisibility=hidden")
        .warnings(true)
        .extra_warnings(true)
        .warnings_into_errors(true)
        .opt_level(2)
        .compile("gleaner_edge");
}
