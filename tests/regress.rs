//! Defects that were once there: each program fails on the engine that had it.
//!
//! A library `NAME.plugin.c` beside a program `NAME.c` is built too, and its path is the program's argument.

#[path = "common/doors.rs"]
mod doors;

use std::process::Command;
use std::time::Duration;

/// Compiles `tests/c/regress/NAME.c` and runs it under the preloaded malloc door with `options`.
fn preloaded(name: &str, options: &str) -> doors::Outcome {
    let sources = doors::root().join("tests/c/regress");
    let out = doors::scratch("regress").join(name);
    doors::cc(&sources.join(format!("{name}.c")), &out, &["-O1", "-Wall", "-pthread", "-ldl"]);
    let mut command = Command::new(&out);
    let plugin = sources.join(format!("{name}.plugin.c"));
    if plugin.exists() {
        let library = out.with_extension("so");
        doors::cc(&plugin, &library, &["-O1", "-Wall", "-shared", "-fPIC"]);
        command.arg(library);
    }
    command.env("LD_PRELOAD", doors::doors().join("libgleaner_malloc.so")).env("GLEANER_OPTIONS", options);
    doors::run(&mut command, Duration::from_secs(120))
}

#[test]
fn a_vfork_child_that_resets_signals_leaves_its_parent_collectable() {
    let outcome = preloaded("vfork_child_resets_signals", "zeal=1000:stats=1");
    assert!(outcome.succeeded() && outcome.stdout == "survived\n", "{outcome}");
    // The child, another program, collects nothing.
    let has_collected = |line: &str| line.contains("exit collections=") && !line.contains("collections=0 ");
    assert!(outcome.stderr.lines().any(has_collected), "{outcome}");
}

#[test]
fn a_library_opened_with_deepbind_shares_the_programs_malloc() {
    let outcome = preloaded("deepbind", "zeal=1000");
    assert!(outcome.succeeded() && outcome.stdout == "shared\n", "{outcome}");
}
