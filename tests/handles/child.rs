//! A test's body in a process of its own: for what ends a process, or needs options from the environment.

use crate::{doors, world};
use std::process::Command;

const NAME: &str = "HANDLES_CHILD";

/// Runs `body` in a child with these options, and tells how it ended. `name` is the calling test's, with its module.
pub fn run(name: &str, options: &str, body: impl FnOnce()) -> doors::Outcome {
    if std::env::var(NAME).is_ok_and(|child| child == name) {
        body();
        std::process::exit(0);
    }
    let program = std::env::current_exe().expect("this program has a path");
    let mut command = Command::new(program);
    command.args(["--exact", name, "--nocapture", "--test-threads=1"]);
    command.env(NAME, name).env("GLEANER_OPTIONS", options).env("RUST_BACKTRACE", "0");
    doors::run(&mut command, world::DEADLINE)
}

/// As [`run`], and it has to end well.
#[track_caller]
pub fn succeeds(name: &str, options: &str, body: impl FnOnce()) {
    let outcome = run(name, options, body);
    assert!(outcome.succeeded(), "GLEANER_OPTIONS={options}: {outcome}");
}
