//! Defects that were once there: each program fails on the engine that had it.

#[path = "common/doors.rs"]
mod doors;

use std::process::Command;
use std::time::Duration;

/// Compiles `tests/c/regress/NAME.c` and runs it under the preloaded malloc door with `options`.
fn preloaded(name: &str, options: &str) -> doors::Outcome {
    let out = doors::scratch("regress").join(name);
    doors::cc(&doors::root().join("tests/c/regress").join(format!("{name}.c")), &out, &["-O1", "-Wall", "-pthread"]);
    let mut command = Command::new(&out);
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
