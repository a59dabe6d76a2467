//! Finding `libgleaner_malloc.so`, or `libgc.so.1`.
//!
//! Installed, they lie in or below the `lib` directory beside the command's `bin`; in a build tree under `doors`. A library that
//! cannot be loaded is reported here, since the loader would say so and then run the program without it.

use std::env;
use std::path::{Path, PathBuf};

use crate::elf::{self, Elf};
use crate::environment;
use crate::failure::Failure;

/// A library that the loader is to take for a program.
pub struct Library {
    /// Its file name.
    name: &'static str,
    /// Where it may lie, seen from the command's directory: installed, side by side, in the build tree.
    places: [&'static str; 5],
}

/// The malloc door.
pub const MALLOC: Library = Library {
    name: "libgleaner_malloc.so",
    places: ["../lib", "../lib64", "../lib/x86_64-linux-gnu", ".", "../doors/release"],
};

/// The one in place of bdwgc's.
pub const LIBGC: Library = Library {
    name: "libgc.so.1",
    places: [
        "../lib/gleaner/libgc",
        "../lib64/gleaner/libgc",
        "../lib/x86_64-linux-gnu/gleaner/libgc",
        "libgc",
        "../doors/release/libgc",
    ],
};

/// Absolute path of libgc.so.1: the loader asks for it by that name.
pub fn find_libgc(explicit: Option<&Path>) -> Result<PathBuf, Failure> {
    let library = find(&LIBGC, explicit)?;
    if library.file_name().is_none_or(|name| name != LIBGC.name) {
        let path = library.display();
        return Err(Failure::command(format!(
            "library: not named {}, which is what programs ask the loader for: {path}; rename it",
            LIBGC.name
        )));
    }
    Ok(library)
}

/// Absolute path of the library: `explicit` if given, else the first of the usual places that has it.
pub fn find(wanted: &Library, explicit: Option<&Path>) -> Result<PathBuf, Failure> {
    let library = match explicit {
        Some(path) => std::path::absolute(path)
            .map_err(|error| Failure::command(format!("library: {}: {error}", path.display())))?,
        None => beside_command(wanted)?,
    };
    check(&library)?;
    Ok(library)
}

/// Looks through the usual places.
fn beside_command(wanted: &Library) -> Result<PathBuf, Failure> {
    let command = env::current_exe().map_err(|error| {
        Failure::command(format!("library: cannot tell where this command lies: {error}; pass --library PATH"))
    })?;
    let directory = command.parent().unwrap_or(Path::new("/"));
    let places = wanted.places.iter().map(|place| directory.join(place));
    let mut found = places.filter_map(|place| Some(place.canonicalize().ok()?.join(wanted.name)));
    found.find(|library| library.is_file()).ok_or_else(|| {
        Failure::command(format!(
            "library: {} not found: looked from {} in {}; install it there, build it with `make`, or pass --library PATH",
            wanted.name,
            directory.display(),
            wanted.places.join(", ")
        ))
    })
}

/// Refuses a file that the loader would not preload.
fn check(library: &Path) -> Result<(), Failure> {
    let refuse =
        |what: &str| Err(Failure::command(format!("library: {what}: {}; pass --library PATH", library.display())));
    if !environment::can_preload(library) {
        return refuse("a path with a space or a colon cannot be told to the loader");
    }
    match elf::read(library) {
        Ok(Some(Elf::Native(native))) if native.shared => Ok(()),
        Ok(_) => refuse("not a shared library for x86-64"),
        Err(error) => refuse(&error.to_string()),
    }
}
