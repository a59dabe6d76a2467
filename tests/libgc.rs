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
    let folder = doors::scratch("libgc").join("ours");
    std::fs::create_dir_all(&folder).expect("a folder can be made");
    // Another run may have made it.
    let _ = std::os::unix::fs::symlink(doors::doors().join("libgc.so"), folder.join("libgc.so.1"));
    folder
}

fn build(source: &Path, position: &str) -> PathBuf {
    assert!(Path::new("/usr/include/gc/gc.h").exists(), "Debian's headers are needed: apt-get install libgc-dev");
    let name = source.file_name().expect("a file").to_string_lossy();
    let out = doors::scratch("libgc").join(format!("{name}{position}"));
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
    let program = build(source, position);
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
