//! A failure of the command: one line that says what happened, where and what to do, and an exit status.
//!
//! The statuses are those of `env`, so that a caller can tell the command's own failures from the program's.

use std::fmt;

/// The command itself failed: a wrong option, no library.
pub const COMMAND_FAILED: u8 = 125;
/// The program exists but cannot be run, or not with the library preloaded.
pub const CANNOT_RUN: u8 = 126;
/// The program, or the interpreter it names, does not exist.
pub const NOT_FOUND: u8 = 127;

/// A message and the exit status that goes with it.
#[derive(Debug, PartialEq, Eq)]
pub struct Failure {
    /// What the command exits with.
    pub status: u8,
    message: String,
}

impl Failure {
    /// A failure of the command itself.
    pub fn command(message: String) -> Self {
        Self { status: COMMAND_FAILED, message }
    }

    /// A program that cannot be run.
    pub fn cannot_run(message: String) -> Self {
        Self { status: CANNOT_RUN, message }
    }

    /// A program or interpreter that does not exist.
    pub fn not_found(message: String) -> Self {
        Self { status: NOT_FOUND, message }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}
