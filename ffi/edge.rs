//! How an edge is compiled: the few functions that call out, which exceptions and longjmp may pass through.

/// Compiles the edge `name` from its files; `headers` are read by them.
pub fn compile(name: &str, files: &[&str], headers: &[&str]) {
    files.iter().chain(headers).for_each(|file| println!("cargo::rerun-if-changed={file}"));
    cc::Build::new()
        .files(files)
        .flag("-fexceptions")
        .flag("-fno-builtin")
        .flag("-fvisibility=hidden")
        .warnings(true)
        .extra_warnings(true)
        .warnings_into_errors(true)
        .opt_level(2)
        .compile(name);
}
