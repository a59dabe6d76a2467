//! Links the library, and hides what it does not export, though other doors do: it has the symbols of bdwgc's and no
//! others. A reference that says "hidden" makes a symbol hidden wherever it is defined, so one is made for every name in the
//! sources that may be a symbol of ours. A test compares what is left with the original's symbols.
#[path = "../link.rs"]
mod link;

use std::{collections::BTreeSet, env, fs, path::Path};

/// Where symbols are defined.
const SOURCES: [&str; 3] = ["../abi/src", "../bdw/src", "../../src/os"];
/// How ours begin.
const PREFIXES: [&str; 2] = ["gc_", "gleaner_"];
/// What another library may have, for the loader to resolve.
const OTHERS: &str = "gleaner_engine_1";
/// How thread-local words begin. GNU ld wants a reference to say that it means such a one.
const THREAD_LOCAL: [&str; 2] = ["gleaner_thread_1", "gleaner_tls_"];
/// The C library's that `gleaner_abi::leave` defines too.
const JUMPS: [&str; 4] = ["longjmp", "_longjmp", "siglongjmp", "__longjmp_chk"];

/// Modules and functions that seldom run here: what other doors call when this engine came first; mappings, which are
/// roots where the heap stands in for malloc; and what programs debug with.
const SELDOM: [&str; 19] = [
    "gc_*",
    "gleaner_resize",
    "gleaner::collect::allocate::move_to",
    "gleaner::collect::allocate::resize_large",
    "gleaner::collect::disclaim",
    "gleaner::collect::mark::Marker::scan_children_of_unmarked",
    "gleaner::collect::roots::batch",
    "gleaner::collect::roots::made_code",
    "gleaner::collect::roots::mappings",
    "gleaner::collect::roots::unchanged",
    "gleaner::collect::weak",
    "gleaner::heap::announce",
    "gleaner::os::maps::for_each_while",
    "gleaner::os::pages",
    "gleaner_bdw::checks",
    "gleaner_bdw::debug",
    "gleaner_bdw::disclaim",
    "gleaner_bdw::leaks",
    "gleaner_bdw::typed",
];

fn main() {
    let mut names: BTreeSet<String> = JUMPS.map(String::from).into();
    for folder in SOURCES {
        println!("cargo::rerun-if-changed={folder}");
        collect_names(Path::new(folder), &mut names);
    }
    // The linker leaves the section out.
    let hide = |name: &String| {
        let what = if THREAD_LOCAL.iter().any(|prefix| name.starts_with(prefix)) { "@dtpoff" } else { "" };
        format!(".hidden {name}\n.pushsection .gleaner_hidden, \"e\"\n.quad {name}{what}\n.popsection\n")
    };
    let text: String = names.iter().map(hide).collect();
    let file = Path::new(&env::var("OUT_DIR").expect("cargo says where")).join("hidden.s");
    fs::write(&file, text).expect("the file can be written");
    for object in cc::Build::new().file(&file).compile_intermediates() {
        println!("cargo::rustc-cdylib-link-arg={}", object.display());
    }
    let old = [
        "dlopen",
        "pthread_cancel",
        "pthread_create",
        "pthread_detach",
        "pthread_getcpuclockid",
        "pthread_join",
        "pthread_kill",
        "pthread_sigmask",
    ];
    link::library("libgc.so.1", &old, &SELDOM);
}

/// Every word of the Rust files in `folder` that begins as our symbols do.
fn collect_names(folder: &Path, names: &mut BTreeSet<String>) {
    for entry in fs::read_dir(folder).expect("the sources are there") {
        let path = entry.expect("an entry of a folder").path();
        if path.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(&path).expect("a source is text");
            let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
            let ours = words.filter(|word| PREFIXES.iter().any(|prefix| word.starts_with(prefix)));
            names.extend(ours.filter(|&word| word != OTHERS).map(String::from));
        }
    }
}
