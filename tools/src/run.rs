//! `gleaner run`: the program takes over this process, with the library preloaded.

use std::convert::Infallible;
use std::env;
use std::io;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use crate::cli;
use crate::environment;
use crate::failure::Failure;
use crate::library;
use crate::program;

/// Runs the program; comes back only with a failure.
pub fn run(arguments: &cli::Run) -> Result<Infallible, Failure> {
    let library = library::find(arguments.library.as_deref())?;
    let (name, rest) = arguments.program.split_first().expect("clap demands a program");
    let search = env::var_os("PATH");
    let file = program::find(name, search.as_deref())?;
    program::check(&file, search.as_deref())?;
    let options = environment::options(env::var_os("GLEANER_OPTIONS").as_deref(), &arguments.settings());
    let error = Command::new(&file)
        .arg0(name)
        .args(rest)
        .env("LD_PRELOAD", environment::preload(&library, env::var_os("LD_PRELOAD").as_deref()))
        .envs((!options.is_empty()).then_some(("GLEANER_OPTIONS", options)))
        .exec();
    Err(could_not_start(&file, &error))
}

/// What the kernel had against the program.
fn could_not_start(file: &Path, error: &io::Error) -> Failure {
    let message = format!("run: the system cannot start {}: {error}; try it without gleaner", file.display());
    match error.kind() {
        io::ErrorKind::NotFound => Failure::not_found(message),
        _ => Failure::cannot_run(message),
    }
}
