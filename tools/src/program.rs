//! Finding the program and judging it: will the loader preload a library into it?
//!
//! Three kinds of programs would run without the library and without a word: static ones have no loader, those of
//! another machine have one that cannot load it, and those that gain privileges by being run have one that ignores
//! LD_PRELOAD. For a script all this is asked of its interpreter.
//!
//! A file that may be run but not read is let through: nothing can be said about it.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::io::{self, Read};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use object::elf as numbers;
use rustix::fs::{Access, Mode};

use crate::elf::{self, Elf, Native};
use crate::failure::Failure;

/// Searched when PATH is not set, as the C library does.
const DEFAULT_PATH: &str = "/bin:/usr/bin";
/// What the C library runs a text with that does not name its interpreter.
const DEFAULT_INTERPRETER: &str = "/bin/sh";
/// How many scripts may be each other's interpreter before the kernel gives up.
const SCRIPTS_MAX: usize = 5;
/// How much of a script the kernel looks at to find its interpreter.
const HEAD_BYTES: u64 = 256;

/// The file that `name` means: itself if it has a slash, else the first executable of that name along `search`.
pub fn find(name: &OsStr, search: Option<&OsStr>) -> Result<PathBuf, Failure> {
    if name.as_bytes().contains(&b'/') {
        return executable(Path::new(name)).map(|()| name.into());
    }
    let mut refused = None;
    for directory in search.unwrap_or(OsStr::new(DEFAULT_PATH)).as_bytes().split(|&byte| byte == b':') {
        let directory = if directory.is_empty() { b"." } else { directory };
        let file = Path::new(OsStr::from_bytes(directory)).join(name);
        match executable(&file) {
            Ok(()) => return Ok(file),
            Err(failure) if file.is_file() => refused = refused.or(Some(failure)),
            Err(_) => {}
        }
    }
    Err(refused.unwrap_or_else(|| {
        Failure::not_found(format!("run: not found in PATH: {}; check the name, or give a path", name.display()))
    }))
}

/// Refuses the program at `path` when the library would not be preloaded into it. `search` is PATH.
pub fn check(path: &Path, search: Option<&OsStr>) -> Result<(), Failure> {
    let mut file = path.to_path_buf();
    for _ in 0..=SCRIPTS_MAX {
        match read_head(&file) {
            Ok(Head::Elf) => return check_elf(&file),
            Ok(Head::Script(interpreter)) => file = follow(&file, interpreter, search)?,
            Ok(Head::Unknown) => {
                return Err(Failure::cannot_run(format!(
                    "run: neither an ELF program nor a script: {}; give a program for this machine",
                    file.display()
                )));
            }
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => return Ok(()),
            Err(error) => return Err(Failure::cannot_run(format!("run: cannot read {}: {error}", file.display()))),
        }
    }
    Err(Failure::cannot_run(format!(
        "run: too many scripts in a row: {}; name the interpreter yourself",
        path.display()
    )))
}

/// Refuses what the kernel would not execute.
fn executable(file: &Path) -> Result<(), Failure> {
    match fs::metadata(file) {
        Ok(metadata) if metadata.is_dir() => {
            Err(Failure::cannot_run(format!("run: a directory: {}; give a program", file.display())))
        }
        Ok(_) => rustix::fs::access(file, Access::EXEC_OK).map_err(|error| {
            Failure::cannot_run(format!("run: not executable: {}: {error}; see chmod(1)", file.display()))
        }),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            Err(Failure::not_found(format!("run: not found: {}; check the path", file.display())))
        }
        Err(error) => Err(Failure::cannot_run(format!("run: {}: {error}", file.display()))),
    }
}

/// What the first bytes of a file say.
#[derive(Debug, PartialEq, Eq)]
enum Head {
    /// An ELF file.
    Elf,
    /// A script and the words behind its `#!`: the interpreter and, if any, one argument.
    Script(Interpreter),
    /// Neither.
    Unknown,
}

/// The `#!` line of a script.
#[derive(Debug, PartialEq, Eq)]
struct Interpreter {
    /// The program that runs the script.
    path: PathBuf,
    /// Whatever follows it on the line.
    argument: OsString,
}

/// Tells what the file at `path` is.
fn read_head(path: &Path) -> io::Result<Head> {
    let mut head = Vec::new();
    File::open(path)?.take(HEAD_BYTES).read_to_end(&mut head)?;
    Ok(judge_head(&head))
}

/// Tells what a file that begins with `head` is.
fn judge_head(head: &[u8]) -> Head {
    if head.starts_with(&numbers::ELFMAG) {
        return Head::Elf;
    }
    let line = head.split(|&byte| byte == b'\n').next().unwrap_or_default();
    if line.contains(&0) {
        return Head::Unknown;
    }
    let Some(line) = line.strip_prefix(b"#!") else {
        return Head::Script(Interpreter { path: DEFAULT_INTERPRETER.into(), argument: OsString::new() });
    };
    let line = line.trim_ascii();
    let end = line.iter().position(|&byte| byte == b' ' || byte == b'\t').unwrap_or(line.len());
    let (path, argument) = (line[..end].to_vec(), line[end..].trim_ascii().to_vec());
    Head::Script(Interpreter { path: OsString::from_vec(path).into(), argument: OsString::from_vec(argument) })
}

/// The file that runs `script`: its interpreter, or what `env` would look up.
fn follow(script: &Path, interpreter: Interpreter, search: Option<&OsStr>) -> Result<PathBuf, Failure> {
    executable(&interpreter.path).map_err(|_| {
        Failure::not_found(format!(
            "run: the interpreter of a script cannot be run: {} names {}; correct its first line",
            script.display(),
            interpreter.path.display()
        ))
    })?;
    let plain = |argument: &OsStr| {
        !argument.is_empty()
            && argument.as_bytes().iter().all(|byte| !b"= \t".contains(byte))
            && argument.as_bytes()[0] != b'-'
    };
    if interpreter.path.file_name() == Some(OsStr::new("env")) && plain(&interpreter.argument) {
        return find(&interpreter.argument, search);
    }
    Ok(interpreter.path)
}

/// Refuses an ELF file that no library can be preloaded into.
fn check_elf(file: &Path) -> Result<(), Failure> {
    let refuse =
        |what: &str, advice: &str| Err(Failure::cannot_run(format!("run: {what}: {}; {advice}", file.display())));
    match elf::read(file) {
        Ok(Some(Elf::Native(native))) if native.loadable => check_loader(file, &native)?,
        Ok(Some(Elf::Native(_))) => return refuse("an object or core file, not a program", "link it first"),
        Ok(Some(Elf::Narrow)) => {
            return refuse("a program of 32 bit", "the library is for x86-64 of 64 bit: build the program for that");
        }
        Ok(Some(Elf::Foreign(machine))) => {
            let what = format!("a program for another processor ({machine:?})");
            return refuse(&what, "the library is for x86-64: build the program for that");
        }
        Ok(None) => return refuse("a damaged ELF file", "build or install the program again"),
        Err(error) => return refuse(&format!("cannot read the program: {error}"), "check the file"),
    }
    match privilege(file) {
        Some(privilege) => refuse(
            &format!("a program with {privilege}, for which the loader ignores LD_PRELOAD"),
            "run a copy without it, or link the program with the library",
        ),
        None => Ok(()),
    }
}

/// Refuses a program whose loader is missing or cannot load the library.
fn check_loader(file: &Path, native: &Native) -> Result<(), Failure> {
    let Some(loader) = &native.loader else {
        return Err(Failure::cannot_run(format!(
            "run: a static program, into which nothing can be preloaded: {}; link it dynamically, or run it without gleaner",
            file.display()
        )));
    };
    let name = loader.file_name().unwrap_or_default();
    if name.as_bytes().starts_with(b"ld-musl") {
        return Err(Failure::cannot_run(format!(
            "run: a program on musl, while the library needs glibc: {}; build the program for glibc",
            file.display()
        )));
    }
    if !loader.exists() {
        return Err(Failure::not_found(format!(
            "run: the loader of the program does not exist: {} names {}; install it",
            file.display(),
            loader.display()
        )));
    }
    Ok(())
}

/// The privilege that running `file` would give, which makes the loader ignore LD_PRELOAD.
fn privilege(file: &Path) -> Option<&'static str> {
    let mode = Mode::from_raw_mode(fs::metadata(file).ok()?.mode());
    let mut capabilities = [0_u8; 64];
    if mode.contains(Mode::SUID) {
        Some("the set-user-id bit")
    } else if mode.contains(Mode::SGID | Mode::XGRP) {
        Some("the set-group-id bit")
    } else if rustix::fs::getxattr(file, "security.capability", &mut capabilities).is_ok() {
        Some("file capabilities")
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn script(path: &str, argument: &str) -> Head {
        Head::Script(Interpreter { path: path.into(), argument: argument.into() })
    }

    #[test]
    fn the_first_bytes_tell_what_a_file_is() {
        assert_eq!(judge_head(b"\x7fELF\x02\x01"), Head::Elf);
        assert_eq!(judge_head(b"#!/bin/sh\necho"), script("/bin/sh", ""));
        assert_eq!(judge_head(b"#! /usr/bin/env  -S awk -f \nx"), script("/usr/bin/env", "-S awk -f"));
        assert_eq!(judge_head(b"#!\t/bin/sed\t-f"), script("/bin/sed", "-f"));
        assert_eq!(judge_head(b"echo no interpreter named"), script("/bin/sh", ""));
        assert_eq!(judge_head(b""), script("/bin/sh", ""));
        assert_eq!(judge_head(b"MZ\0\x03\n"), Head::Unknown);
    }

    #[test]
    fn a_name_is_searched_along_path() {
        let found = find(OsStr::new("sh"), Some(OsStr::new("/nonexistent::/bin"))).unwrap();
        assert_eq!(found, Path::new("/bin/sh"));
        assert_eq!(find(OsStr::new("sh"), None).unwrap(), Path::new("/bin/sh"));
        assert_eq!(find(OsStr::new("sh"), Some(OsStr::new("/nonexistent"))).unwrap_err().status, 127);
    }
}
