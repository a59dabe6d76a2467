//! Finding `libgleaner_malloc.so`.
//!
//! Installed, it lies in the `lib` directory beside the command's `bin`; in a build tree under `doors`. A library that
//! cannot be loaded is reported here, since the loader would say so and then run the program without it.

use std::env;
use std::path::{Path, PathBuf};

use crate::elf::{self, Elf};
use crate::environment;
use crate::failure::Failure;

/// File name of the malloc door.
const FILE_NAME: &str = "libgleaner_malloc.so";

/// Where the library may lie, seen from the command's directory: installed, side by side, in the build tree.
const PLACES: [&str; 5] = ["../lib", "../lib64", "../lib/x86_64-linux-gnu", ".", "../doors/release"];

/// Absolute path of the library: `explicit` if given, else the first of the usual places that has it.
pub fn find(explicit: Option<&Path>) -> Result<PathBuf, Failure> {
    let library = match explicit {
        Some(path) => std::path::absolute(path)
            .map_err(|error| Failure::command(format!("library: {}: {error}", path.display())))?,
        None => beside_command()?,
    };
    check(&library)?;
    Ok(library)
}

/// Looks through [`PLACES`].
fn beside_command() -> Result<PathBuf, Failure> {
    let command = env::current_exe().map_err(|error| {
        Failure::command(format!("library: cannot tell where this command lies: {error}; pass --library PATH"))
    })?;
    let directory = command.parent().unwrap_or(Path::new("/"));
    let places = PLACES.iter().map(|place| directory.join(place));
    let mut found = places.filter_map(|place| Some(place.canonicalize().ok()?.join(FILE_NAME)));
    found.find(|library| library.is_file()).ok_or_else(|| {
        Failure::command(format!(
            "library: {FILE_NAME} not found: looked from {} in {}; install it there, build it with `make`, or pass --library PATH",
            directory.display(),
            PLACES.join(", ")
        ))
    })
}

/// Refuses a file that the loader would not preload.
fn check(library: &Path) -> Result<(), Failure> {
    let refuse =
        |what: &str| Err(Failure::command(format!("library: {what}: {}; pass --library PATH", library.display())));
    if !environment::can_preload(library) {
        return refuse("a path with a space or a colon cannot stand in LD_PRELOAD");
    }
    match elf::read(library) {
        Ok(Some(Elf::Native(native))) if native.shared => Ok(()),
        Ok(_) => refuse("not a shared library for x86-64"),
        Err(error) => refuse(&error.to_string()),
    }
}
