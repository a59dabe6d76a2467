//! How both libraries are linked: with a name for the loader, never unloaded, all symbols bound at load, none newer than
//! glibc 2.31, calls of our own functions bound to our own: the table that `gleaner_abi::engine` publishes has to be this
//! copy's.

/// See `versions.c`.
const OLD: [&str; 5] = ["dlsym", "dlvsym", "dladdr", "pthread_getattr_np", "pthread_attr_getstack"];

/// Says how to link the library that the loader knows as `name`.
pub fn library(name: &str) {
    argument(&format!("-Wl,-soname,{name}"));
    for flag in ["-Wl,-z,nodelete", "-Wl,-z,now", "-Wl,-Bsymbolic-functions"] {
        argument(flag);
    }
    // What runs in most processes stays together, as `.text.hot`.
    argument("-Wl,-z,keep-text-section-prefix");
    println!("cargo::rerun-if-changed=../abi/src/versions.c");
    for object in cc::Build::new().file("../abi/src/versions.c").compile_intermediates() {
        argument(&object.display().to_string());
    }
    for function in OLD {
        argument(&format!("-Wl,--wrap={function}"));
    }
    // Where those functions are in 2.31; later ones keep both as empty libraries.
    for flag in ["-Wl,--push-state,--no-as-needed", "-l:libdl.so.2", "-l:libpthread.so.0", "-Wl,--pop-state"] {
        argument(flag);
    }
}

fn argument(argument: &str) {
    println!("cargo::rustc-cdylib-link-arg={argument}");
}
