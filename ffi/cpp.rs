//! How the C++ libraries beside libgc.so.1 are made: functions in C++, which exceptions leave, and exports that jump to
//! them. All they link with is the runtime of C++ and, where said, libgc.so.1.
use std::{env, fs, path::Path};

/// Says how to link the library that the loader knows as `soname` from `files`.
pub fn library(soname: &str, files: &[&str]) {
    files.iter().for_each(|file| println!("cargo::rerun-if-changed={file}"));
    println!("cargo::rustc-cdylib-link-arg=-Wl,-soname,{soname}");
    println!("cargo::rustc-cdylib-link-arg=-Wl,-z,now");
    cc::Build::new()
        .cpp(true)
        .files(files)
        .flag("-fvisibility=hidden")
        .warnings(true)
        .extra_warnings(true)
        .warnings_into_errors(true)
        .opt_level(2)
        .compile("edge");
}

/// Has the library ask the loader for libgc.so.1, by linking it with one that has those `functions` and does nothing: the
/// real one may not be built yet.
#[allow(dead_code, reason = "one of the libraries needs nothing of libgc's")]
pub fn on_libgc(functions: &[&str]) {
    let folder = env::var("OUT_DIR").expect("cargo says where");
    let folder = Path::new(&folder);
    let source = folder.join("stub.c");
    let text: String = functions.iter().map(|function| format!("void {function}(void) {{}}\n")).collect();
    fs::write(&source, text).expect("the file can be written");
    let library = folder.join("libgc.so.1");
    let mut compiler = cc::Build::new().get_compiler().to_command();
    let compiler = compiler.args(["-shared", "-fno-builtin", "-Wl,-soname,libgc.so.1", "-o"]);
    let status = compiler.arg(&library).arg(&source).status().expect("the C compiler can be run");
    assert!(status.success(), "the C compiler made no library from {}", source.display());
    println!("cargo::rustc-cdylib-link-arg={}", library.display());
}
