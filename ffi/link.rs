//! How both libraries are linked: with a name for the loader, never unloaded, all symbols bound at load, none newer than
//! glibc 2.31, calls of our own functions bound to our own: the table that `gleaner_abi::engine` publishes has to be this
//! copy's.

use std::{env, fs, path::Path};

/// Functions that glibc 2.32 and 2.34 moved from libpthread and libdl into libc and gave new versions beside the old ones. A
/// library linked there would ask for the new ones, which 2.31 does not have. The linker's `--wrap` leads our calls to jumps,
/// which ask for the old ones: all have those. A test looks at what the libraries ask for.
const OLD: [&str; 5] = ["dlsym", "dlvsym", "dladdr", "pthread_getattr_np", "pthread_attr_getstack"];

/// Modules and functions of which some run, most do not.
const SOME: [&str; 5] = ["GC_*", "core::fmt", "core::str", "gleaner::api::at_exit", "gleaner::os::log"];
/// What seldom runs: modules of options, reports and checks, by their paths.
const SELDOM: [&str; 25] = [
    "core::char",
    "core::ops::function",
    "core::slice::memchr",
    "core::slice::sort",
    "core::unicode",
    "gleaner::api::events",
    "gleaner::api::options",
    "gleaner::collect::condemned",
    "gleaner::collect::disguise",
    "gleaner::collect::ephemeron",
    "gleaner::collect::fibers",
    "gleaner::collect::profiles",
    "gleaner::collect::quarantine",
    "gleaner::collect::recheck",
    "gleaner::collect::reports",
    "gleaner::collect::scanner::Scanner::scan_disguised",
    "gleaner::collect::scanner::Scanner::scan_fiber",
    "gleaner::collect::scanner::Scanner::turn_slowly",
    "gleaner::heap::fiber",
    "gleaner::heap::verify",
    "gleaner::heap::zeal",
    "gleaner::os::backtrace",
    "gleaner::os::dl",
    "gleaner_abi::misuse",
    "gleaner_abi::report",
];

/// Says how to link the library that the loader knows as `name`. `old`: which other functions it calls that were moved, and
/// does not define. `seldom`: modules and functions that seldom run, besides those of all libraries.
pub fn library(name: &str, old: &[&str], seldom: &[&str]) {
    assert!(
        !is_linked_by("gold"),
        "{name}: gold cannot link it: what it links does not start; take -fuse-ld=gold out of RUSTFLAGS, or name lld, bfd or mold there"
    );
    set_apart(seldom);
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

/// Lays down what seldom runs behind all other code, in the order of the lists. The kernel maps the sixteen pages around one
/// that code runs in: what lies between the functions that do run is in memory with them, in each process.
fn set_apart(of_library: &[&str]) {
    // It knows no script that adds to its own: the code lies as it comes.
    if is_linked_by("mold") {
        return;
    }
    let mut sections = Vec::new();
    for path in SOME.iter().chain(of_library).chain(&SELDOM) {
        let words: Vec<_> = path.split("::").collect();
        if let [function] = words[..] {
            sections.push(format!("*(.text.{function})"));
            continue;
        }
        let mangled = words.iter().map(|word| format!("{}{word}", word.len())).collect::<String>();
        // A type's functions that implement a trait begin with both their names.
        for name in [mangled, words.join("..") + ".."] {
            sections.push(format!("*(.text._*{name}* .text.unlikely._*{name}*)"));
        }
    }
    sections.push("*(.text.unlikely .text.unlikely.*)".into());
    let script = format!("SECTIONS {{ .text.seldom : {{ {} }} }} INSERT AFTER .plt;\n", sections.join("\n"));
    let file = Path::new(&env::var("OUT_DIR").expect("cargo says where")).join("seldom.ld");
    fs::write(&file, script).expect("the file can be written");
    argument(&format!("-Wl,-T,{}", file.display()));
}

/// Whether the user has chosen this linker.
fn is_linked_by(linker: &str) -> bool {
    println!("cargo::rerun-if-env-changed=CARGO_ENCODED_RUSTFLAGS");
    env::var("CARGO_ENCODED_RUSTFLAGS").is_ok_and(|flags| flags.contains(&format!("-fuse-ld={linker}")))
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
