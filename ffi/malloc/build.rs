//! Compiles this door's edge; linking: a name for the loader, never unloaded, all symbols bound at load, none newer than glibc
//! 2.31, calls of our own functions bound to our own: the table that `gleaner_abi::engine` publishes has to be this copy's.

/// See `versions.c`.
const OLD: [&str; 4] = ["dlsym", "dladdr", "pthread_getattr_np", "pthread_attr_getstack"];

fn main() {
    const FILES: [&str; 3] = ["src/edge.c", "src/waits.c", "src/sleeps.c"];
    FILES.iter().chain(&["src/persist.h"]).for_each(|file| println!("cargo::rerun-if-changed={file}"));
    cc::Build::new()
        .files(FILES)
        .flag("-fexceptions")
        .flag("-fno-builtin")
        .flag("-fvisibility=hidden")
        .warnings(true)
        .extra_warnings(true)
        .warnings_into_errors(true)
        .opt_level(2)
        .compile("gleaner_malloc_edge");
    for argument in ["-Wl,-soname,libgleaner_malloc.so.0", "-Wl,-z,nodelete", "-Wl,-z,now", "-Wl,-Bsymbolic-functions"]
    {
        link(argument);
    }
    println!("cargo::rerun-if-changed=../abi/src/versions.c");
    for object in cc::Build::new().file("../abi/src/versions.c").compile_intermediates() {
        link(&object.display().to_string());
    }
    for function in OLD {
        link(&format!("-Wl,--wrap={function}"));
    }
    // Where those functions are in 2.31; later ones keep both as empty libraries.
    for argument in ["-Wl,--push-state,--no-as-needed", "-l:libdl.so.2", "-l:libpthread.so.0", "-Wl,--pop-state"] {
        link(argument);
    }
}

fn link(argument: &str) {
    println!("cargo::rustc-cdylib-link-arg={argument}");
}
