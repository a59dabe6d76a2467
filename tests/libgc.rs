//! What `libgc.so.1` promises, by small C and C++ programs in `tests/libgc/c`: one idea a file, compiled with the headers
//! of Debian's libgc-dev. Each ends with 0, or says on one line what it found; first on Debian's library, which proves
//! that the program is right about it, then on ours, plainly, under the checks of `verify` and `recheck`, and with a
//! collection every few allocations.
//!
//! `symbols.sh` beside them compares the symbols.

#[path = "common/doors.rs"]
mod doors;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::time::Duration;

const DEADLINE: Duration = Duration::from_secs(180);
const DEBIANS: &str = "/usr/lib/x86_64-linux-gnu";
const OPTIONS: [&str; 3] = ["", "verify=1:recheck=1", "zeal=500:verify=1"];

fn programs() -> Vec<PathBuf> {
    let folder = doors::root().join("tests/libgc/c");
    let entries = std::fs::read_dir(folder).expect("the programs are there");
    let paths = entries.map(|entry| entry.expect("a readable folder").path());
    let is_program = |path: &PathBuf| path.extension().is_some_and(|extension| extension == "c" || extension == "cc");
    let mut programs: Vec<_> = paths.filter(is_program).collect();
    programs.sort();
    programs
}

/// A folder that holds our library under its name.
fn ours() -> PathBuf {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    let make = || {
        let folder = doors::scratch("libgc").join("ours");
        std::fs::create_dir_all(&folder).expect("a folder can be made");
        let (library, link) = (doors::doors().join("libgc.so"), folder.join("libgc.so.1"));
        // A run of another tree whose files were copied may have made it.
        if std::fs::read_link(&link).ok().as_deref() != Some(&library) {
            let _ = std::fs::remove_file(&link);
            std::os::unix::fs::symlink(&library, &link).expect("a link can be made");
        }
        folder
    };
    FOLDER.get_or_init(make).clone()
}

/// Builds a program for the test `user`, with `position` among the flags.
fn build(source: &Path, position: &str, user: &str) -> PathBuf {
    assert!(Path::new("/usr/include/gc/gc.h").exists(), "Debian's headers are needed: apt-get install libgc-dev");
    let name = source.file_name().expect("a file").to_string_lossy();
    let out = doors::scratch("libgc").join(format!("{name}{position}-{user}"));
    let flags = [
        "-O1",
        "-g",
        "-Wall",
        "-Wextra",
        "-Werror",
        "-Wno-deprecated-declarations",
        "-fno-builtin",
        "-pthread",
        position,
        "-I/usr/include/gc",
        "-lgc",
    ];
    doors::cc(source, &out, &flags);
    out
}

/// What is wrong with a run of `program` on the library in `folder`.
fn fault(program: &Path, folder: &Path, options: &str) -> Option<String> {
    let mut command = Command::new(program);
    let outcome = doors::run(command.env("LD_LIBRARY_PATH", folder).env("GLEANER_OPTIONS", options), DEADLINE);
    let (folder, program) = (folder.display(), program.display());
    (!outcome.succeeded()).then(|| format!("{program} on {folder}, options '{options}': {outcome}"))
}

/// Runs a program on both libraries.
fn faults(source: &Path, position: &str) -> Vec<String> {
    let program = build(source, position, "alone");
    let on_debians = fault(&program, Path::new(DEBIANS), "");
    let on_ours = OPTIONS.iter().filter_map(|options| fault(&program, &ours(), options));
    on_debians.into_iter().chain(on_ours).collect()
}

#[test]
fn programs_do_on_our_library_what_they_do_on_debians() {
    let programs = programs();
    assert!(programs.len() >= 8, "programs are missing");
    let faults: Vec<_> = programs.iter().flat_map(|source| faults(source, "-fPIE")).collect();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// Such an executable has the library's variables in its own data.
#[test]
fn the_variables_of_an_executable_at_a_fixed_place_are_the_librarys() {
    let source = doors::root().join("tests/libgc/c/variables.c");
    let faults = faults(&source, "-no-pie");
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// The environment in which a program gets `malloc` and all of `gc.h` from one library.
fn preloaded(program: &Path, folder: &Path, options: &str) -> Command {
    let mut command = Command::new(program);
    command.env("LD_LIBRARY_PATH", folder).env("LD_PRELOAD", doors::doors().join("libgleaner_malloc.so"));
    command.env("GLEANER_OPTIONS", options);
    command
}

/// They count what is gone, or pages that are kept, as libgc does it: behind `malloc` any word that the program may have
/// written, and any address inside an object, keeps it; its free pages are given back; and the pace is malloc's.
const KEPT: [&str; 10] = [
    "roots.c",
    "static_roots.c",
    "interior.c",
    "neighbours.c",
    "expanded.c",
    "sealed.c",
    "growth.c",
    "growth_finalizers.c",
    "quiet.c",
    "stack_words.c",
];

/// Its handler has to begin while the world is stopped; behind `malloc` handlers begin afterwards.
const IN_HANDLER: &str = "woken_in_blocking.c";

#[test]
fn malloc_and_gc_malloc_have_one_heap_when_our_malloc_is_preloaded() {
    let folder = doors::root().join("tests/libgc");
    let programs = programs().into_iter().filter(|path| path.extension().is_some_and(|extension| extension == "c"));
    let programs = programs.filter(|path| !KEPT.iter().any(|name| path.ends_with(name)) && !path.ends_with(IN_HANDLER));
    let mut faults = Vec::new();
    for source in programs
        .chain(["one_heap.c", "typed_resized.c", "undeclared.c"].map(|name| folder.join("preloaded").join(name)))
    {
        let program = build(&source, "-fPIE", "preloaded");
        for (library, options) in [(Path::new(DEBIANS), ""), (&ours(), ""), (&ours(), "zeal=500:verify=1")] {
            let outcome = doors::run(&mut preloaded(&program, library, options), DEADLINE);
            if !outcome.succeeded() {
                faults.push(format!("{} on {}, options '{options}': {outcome}", source.display(), library.display()));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn a_second_engine_is_refused_by_name_and_the_preloaded_one_serves_both_doors() {
    let source = doors::root().join("tests/libgc/preloaded/two_engines.c");
    let program = doors::scratch("libgc").join("two_engines");
    let flags = [
        "-Wno-deprecated-declarations",
        "-I/usr/include/gc",
        &format!("-I{}", doors::root().join("include").display()),
        &format!("-L{}", doors::doors().display()),
        "-Wl,--no-as-needed",
        "-lgleaner",
        "-lgc",
    ];
    doors::cc(&source, &program, &flags);
    let folders = format!("{}:{}", ours().display(), doors::doors().display());
    let outcome = doors::run(Command::new(&program).env("LD_LIBRARY_PATH", &folders), DEADLINE);
    assert!(!outcome.succeeded(), "{outcome}");
    let message = "gleaner: libgc.so.1: this process has another copy of gleaner, whose heap this library would need; preload \
                   libgleaner_malloc.so, which serves both, or load only one of them\n";
    assert_eq!(outcome.stderr, message, "{outcome}");
    let outcome = doors::run(&mut preloaded(&program, Path::new(&folders), ""), DEADLINE);
    assert!(outcome.succeeded(), "{outcome}");
    assert_eq!(outcome.stdout, "one heap\n", "{outcome}");
}
