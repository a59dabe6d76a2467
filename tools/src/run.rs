//! `gleaner run`: the program takes over this process, with the library preloaded, or libgc.so.1 found first.

use std::convert::Infallible;
use std::env;
use std::ffi::OsString;
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
    let (variable, value) = for_the_loader(arguments)?;
    let (name, rest) = arguments.program.split_first().expect("clap demands a program");
    let search = env::var_os("PATH");
    let file = program::find(name, search.as_deref())?;
    program::check(&file, search.as_deref())?;
    let options = environment::options(env::var_os("GLEANER_OPTIONS").as_deref(), &arguments.settings());
    let error = Command::new(&file)
        .arg0(name)
        .args(rest)
        .env(variable, value)
        .envs((!options.is_empty()).then_some(("GLEANER_OPTIONS", options)))
        .exec();
    Err(could_not_start(&file, &error))
}

/// The variable by which the loader takes the library, and its value.
fn for_the_loader(arguments: &cli::Run) -> Result<(&'static str, OsString), Failure> {
    let explicit = arguments.library.as_deref();
    if arguments.libgc {
        let library = library::find_libgc(explicit)?;
        let folder = library.parent().expect("an absolute path of a file");
        let value = environment::search(folder, env::var_os(environment::SEARCH).as_deref());
        Ok((environment::SEARCH, value))
    } else {
        let library = library::find(&library::MALLOC, explicit)?;
        let value = environment::preload(&library, env::var_os(environment::PRELOAD).as_deref());
        Ok((environment::PRELOAD, value))
    }
}

/// What the kernel had against the program.
fn could_not_start(file: &Path, error: &io::Error) -> Failure {
    let message = format!("run: the system cannot start {}: {error}; try it without gleaner", file.display());
    match error.kind() {
        io::ErrorKind::NotFound => Failure::not_found(message),
        _ => Failure::cannot_run(message),
    }
}
