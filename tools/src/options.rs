//! `gleaner options`: the library prints its own table of options.
//!
//! The table lives in the library alone. With GLEANER_OPTIONS=help the library prints it on stderr when it is loaded,
//! so it is preloaded into this very command, asked for no more than its version.

use std::env;
use std::io::{self, Write};
use std::process::{Command, Stdio};

use crate::cli;
use crate::environment;
use crate::failure::Failure;
use crate::library;

/// Prints the table on stdout.
pub fn print(arguments: &cli::Options) -> Result<(), Failure> {
    let library = library::find(&library::MALLOC, arguments.library.as_deref())?;
    let asked = Command::new("/proc/self/exe")
        .arg("--version")
        .env("LD_PRELOAD", environment::preload(&library, env::var_os("LD_PRELOAD").as_deref()))
        .env("GLEANER_OPTIONS", "help")
        .stdin(Stdio::null())
        .output();
    let answer = asked.map_err(|error| Failure::command(format!("options: cannot run this command again: {error}")))?;
    if answer.stderr.is_empty() {
        return Err(Failure::command(format!(
            "options: the library printed no table: {}; pass --library PATH of a libgleaner_malloc.so",
            library.display()
        )));
    }
    match io::stdout().write_all(&answer.stderr) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Failure::command(format!("options: cannot write the table: {error}")))
        }
        _ => Ok(()),
    }
}
