//! What the command's tests share: a scratch directory with the stand-in library, and the command's invocation.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tempfile::TempDir;

/// A directory that lives as long as the test.
pub struct Scratch {
    directory: TempDir,
}

impl Scratch {
    /// An empty directory.
    pub fn new() -> Self {
        Self { directory: tempfile::tempdir().expect("a temporary directory") }
    }

    /// The path of `name` in the directory.
    pub fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// Writes a file with `mode`.
    pub fn write(&self, name: &str, content: impl AsRef<[u8]>, mode: u32) -> PathBuf {
        let path = self.path(name);
        fs::create_dir_all(path.parent().expect("a parent")).expect("a directory");
        fs::write(&path, content).expect("a written file");
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).expect("a mode");
        path
    }

    /// Copies the command to `name`. Another process does: this one's other threads start processes meanwhile, which would
    /// hold the copy open for writing, and what is open for writing cannot be executed.
    pub fn install(&self, name: &str) -> PathBuf {
        let path = self.path(name);
        fs::create_dir_all(path.parent().expect("a parent")).expect("a directory");
        let status = Command::new("cp").arg(env!("CARGO_BIN_EXE_gleaner")).arg(&path).status().expect("cp runs");
        assert!(status.success(), "cp: {status}");
        path
    }

    /// Builds the stand-in library as `name`.
    pub fn stand_in(&self, name: &str) -> PathBuf {
        let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/command/stand_in.c");
        let path = self.path(name);
        fs::create_dir_all(path.parent().expect("a parent")).expect("a directory");
        compile(&["-shared", "-fPIC", "-Wall", "-Wextra", "-Werror", source], &path);
        path
    }

    /// Builds a program from C with `flags`.
    pub fn program(&self, name: &str, flags: &[&str]) -> PathBuf {
        let source = self.write(&format!("{name}.c"), "int main(void) { return 0; }\n", 0o644);
        let path = self.path(name);
        compile(&[flags, &[source.to_str().expect("a path of ASCII")]].concat(), &path);
        path
    }
}

/// Runs the C compiler.
fn compile(arguments: &[&str], output: &Path) {
    let status = Command::new("cc").args(arguments).arg("-o").arg(output).status().expect("a C compiler named cc");
    assert!(status.success(), "cc {arguments:?} failed");
}

/// The command under test, with neither of its variables set.
pub fn gleaner() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_gleaner"));
    command.env_remove("LD_PRELOAD").env_remove("GLEANER_OPTIONS");
    command
}

/// `gleaner run --library LIBRARY PROGRAM`.
pub fn run(library: &Path, program: impl AsRef<OsStr>) -> Output {
    gleaner().args(["run", "--library"]).arg(library).arg("--").arg(program).output().expect("the command")
}

/// What was written on stderr.
pub fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).expect("text")
}

/// What was written on stdout.
pub fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).expect("text")
}

/// Asserts that the command ended with `status` and said exactly `message`.
#[track_caller]
pub fn assert_refused(output: &Output, status: i32, message: &str) {
    assert_eq!(stderr(output), format!("gleaner: {message}\n"));
    assert_eq!(output.status.code(), Some(status));
    assert_eq!(stdout(output), "");
}
