//! The doors as a C program meets them: the built libraries, a C compiler, a child with a deadline.
//!
//! The libraries come from one nested release build in `target/doors`, never from the test's own build: there the
//! engine is compiled for tests, and nothing under `cargo test` links the malloc symbols.
//!
//! Used as `#[path = "common/doors.rs"] mod doors;`.
#![allow(dead_code, reason = "each test uses its part")]

use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::sync::{OnceLock, mpsc};
use std::thread;
use std::time::Duration;

/// The root of the repository.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A directory for what this test makes, of its own by `name`.
pub fn scratch(name: &str) -> PathBuf {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::create_dir_all(&directory).unwrap_or_else(|e| panic!("{}: {e}", directory.display()));
    directory
}

/// Builds the doors, once per process, and returns the directory that holds the libraries.
pub fn doors() -> PathBuf {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| build("release")).clone()
}

/// The libraries as plain `cargo build` makes them.
pub fn debug_doors() -> PathBuf {
    build("dev")
}

fn build(profile: &str) -> PathBuf {
    let target = root().join("target/doors");
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".into());
    let output = Command::new(cargo)
        .args(["build", "--profile", profile, "--target-dir"])
        .arg(&target)
        .current_dir(root())
        // What the outer build was told about flags and targets does not concern the shipped libraries.
        .env_remove("RUSTFLAGS")
        .env_remove("CARGO_ENCODED_RUSTFLAGS")
        .env_remove("CARGO_BUILD_TARGET")
        .env_remove("RUSTC_BOOTSTRAP")
        .stdin(Stdio::null())
        .output()
        .expect("cargo can be run");
    assert!(output.status.success(), "the doors do not build:\n{}", String::from_utf8_lossy(&output.stderr));
    let built = target.join(if profile == "dev" { "debug" } else { profile });
    for library in ["libgleaner.so", "libgleaner_malloc.so"] {
        // The name that the loader looks for; an installation has it as a link too. Another test may have made it.
        let _ = std::os::unix::fs::symlink(library, built.join(format!("{library}.0")));
    }
    built
}

/// Compiles the C or C++ (`.cc`) file `source` into `out`. `flags` follow the source, so libraries may stand there.
///
/// The compiler is the one that the crate `cc` finds, or `CC` and `CXX` name.
pub fn cc(source: &Path, out: &Path, flags: &[&str]) {
    let host = "x86_64-unknown-linux-gnu";
    let compiler = cc::Build::new()
        .host(host)
        .target(host)
        .opt_level(0)
        .cpp(source.extension().is_some_and(|extension| extension == "cc"))
        .no_default_flags(true)
        .cargo_metadata(false)
        .get_compiler();
    let mut command = compiler.to_command();
    command.arg("-I").arg(root().join("include")).arg(source).arg("-o").arg(out).args(flags);
    let output = command.output().unwrap_or_else(|e| panic!("{command:?}: {e}"));
    assert!(output.status.success(), "{command:?}\n{}", String::from_utf8_lossy(&output.stderr));
}

/// The flags that link a program with the door `library` ("gleaner", "gleaner_malloc") and let it find it when it runs.
pub fn link(library: &str) -> Vec<String> {
    let doors = doors().display().to_string();
    vec![format!("-L{doors}"), format!("-Wl,-rpath,{doors}"), format!("-l{library}")]
}

/// How a child ended.
pub struct Outcome {
    pub status: ExitStatus,
    pub stdout: String,
    pub stderr: String,
    /// The deadline passed, and the child was killed.
    pub late: bool,
}

impl Outcome {
    pub fn succeeded(&self) -> bool {
        !self.late && self.status.success()
    }

    pub fn aborted(&self) -> bool {
        !self.late && self.status.signal() == Some(libc::SIGABRT)
    }
}

impl std::fmt::Display for Outcome {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let late = if self.late { "killed at its deadline, " } else { "" };
        write!(f, "{late}{}\n--- stdout\n{}--- stderr\n{}", self.status, self.stdout, self.stderr)
    }
}

/// Runs `command` to its end, and no longer than `deadline`: then it is killed, with all that it started.
pub fn run(command: &mut Command, deadline: Duration) -> Outcome {
    let child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0)
        .spawn()
        .unwrap_or_else(|e| panic!("{command:?}: {e}"));
    let group = -libc::pid_t::try_from(child.id()).expect("a process id fits");
    let (sender, receiver) = mpsc::channel();
    let waiter = thread::spawn(move || sender.send(child.wait_with_output()));
    let (result, late) = match receiver.recv_timeout(deadline) {
        Ok(result) => (result, false),
        Err(_) => {
            // SAFETY: the group was made for this child, which has not been waited for: its number is still its own.
            unsafe { libc::kill(group, libc::SIGKILL) };
            (receiver.recv().expect("the waiter sends once"), true)
        }
    };
    waiter.join().expect("the waiter does not panic").expect("the receiver waits");
    let output = result.expect("a child can be waited for");
    Outcome {
        status: output.status,
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        late,
    }
}
