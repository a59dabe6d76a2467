//! How both libraries are linked: with a name for the loader, never unloaded, all symbols bound at load, none newer than
//! glibc 2.31, calls of our own functions bound to our own: the table that `gleaner_abi::engine` publishes has to be this
//! copy's.

use std::{env, fs, path::Path};

/// Functions that glibc 2.32 and 2.34 moved from libpthread and libdl into libc and gave new versions beside the old ones. A
/// library linked there would ask for the new ones, which 2.31 does not have. The linker's `--wrap` leads our calls to jumps,
/// which ask for the old ones: all have those. A test looks at what the libraries ask for.
const OLD: [&str; 5] = ["dlsym", "dlvsym", "dladdr", "pthread_getattr_np", "pthread_attr_getstack"];

/// Says how to link the library that the loader knows as `name`. `old`: which other functions it calls that were moved, and
/// does not define.
pub fn library(name: &str, old: &[&str]) {
    argument(&format!("-Wl,-soname,{name}"));
    for flag in ["-Wl,-z,nodelete", "-Wl,-z,now", "-Wl,-Bsymbolic-functions"] {
        argument(flag);
    }
    // What runs in most processes stays together, as `.text.hot`.
    argument("-Wl,-z,keep-text-section-prefix");
    let old: Vec<_> = OLD.iter().chain(old).collect();
    let file = Path::new(&env::var("OUT_DIR").expect("cargo says where")).join("old.s");
    fs::write(&file, old.iter().map(|function| jump_to_old(function)).collect::<String>())
        .expect("the file can be written");
    for object in cc::Build::new().file(&file).compile_intermediates() {
        argument(&object.display().to_string());
    }
    for function in old {
        argument(&format!("-Wl,--wrap={function}"));
    }
    // Where those functions are in 2.31; later ones keep both as empty libraries.
    for flag in ["-Wl,--push-state,--no-as-needed", "-l:libdl.so.2", "-l:libpthread.so.0", "-Wl,--pop-state"] {
        argument(flag);
    }
}

/// A jump to a function of the C library, by the version that it had first.
fn jump_to_old(function: &str) -> String {
    format!(
        ".symver old_{function}, {function}@GLIBC_2.2.5\n.globl __wrap_{function}\n.hidden __wrap_{function}\n\
         .type __wrap_{function}, @function\n__wrap_{function}:\njmp *old_{function}@GOTPCREL(%rip)\n\
         .size __wrap_{function}, . - __wrap_{function}\n"
    )
}

fn argument(argument: &str) {
    println!("cargo::rustc-cdylib-link-arg={argument}");
}
