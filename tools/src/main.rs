//! The `gleaner` command: runs a program, unmodified, on the collecting malloc.
//!
//! ```text
//! gleaner run [options] program [arguments]     cli -> run
//!     find the library                          library        beside the command, or as told
//!     find and judge the program                program, elf   would the loader obey LD_PRELOAD?
//!     compose LD_PRELOAD, GLEANER_OPTIONS       environment    with --libgc LD_LIBRARY_PATH
//!     exec                                      run            the program takes over this process
//!
//! gleaner options                               options        the library prints its own table
//! ```
//!
//! The loader ignores `LD_PRELOAD` in silence for some programs, and then nothing would be collected; the work of
//! this command is to say so before, and what to do.
//!
//! Holds: once `exec` has succeeded nothing of the command is left, so the pid, the signals and the exit status are
//! the program's own; before, each failure is one line on stderr and a status of 125, 126 or 127, as of `env`.

#![forbid(unsafe_code)]

use std::process::ExitCode;

use clap::Parser;

mod cli;
mod elf;
mod environment;
mod failure;
mod library;
mod options;
mod program;
mod run;

/// Parses the command line, does what it asks, reports a failure.
fn main() -> ExitCode {
    let cli = match cli::Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return report_usage(&error),
    };
    let outcome = match cli.command {
        cli::Command::Run(arguments) => run::run(&arguments).map(|never| match never {}),
        cli::Command::Options(arguments) => options::print(&arguments),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("gleaner: {failure}");
            ExitCode::from(failure.status)
        }
    }
}

/// Prints what clap has to say: help and version on stdout are a success, anything else is the command's failure.
fn report_usage(error: &clap::Error) -> ExitCode {
    // A closed stdout or stderr leaves nobody to tell.
    let _ = error.print();
    if error.use_stderr() { ExitCode::from(failure::COMMAND_FAILED) } else { ExitCode::SUCCESS }
}
