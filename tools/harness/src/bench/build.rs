//! Compiling the workloads: each program once for each binding that is wanted, with gcc -O2.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::SystemTime;

use anyhow::{Context, Result, ensure};

use super::allocators::Binding;

/// Flags of every program. Without builtins the compiler neither leaves out nor merges allocations.
const FLAGS: &[&str] = &["-std=gnu11", "-O2", "-g", "-pthread", "-fno-builtin", "-Wall", "-Wextra", "-Wshadow"];

/// Where things are.
pub struct Places {
    /// The root of the repository: `benches/c` and `include` are below it.
    pub root: PathBuf,
    /// The libraries, built by `make doors`.
    pub doors: PathBuf,
    /// Where programs and results go.
    pub out: PathBuf,
}

impl Places {
    /// A compiled program.
    pub fn program(&self, name: &str, binding: Binding) -> PathBuf {
        self.out.join(format!("{name}.{}", binding.suffix()))
    }

    /// Checks that the libraries are there, under the names by which programs ask for them.
    pub fn check_doors(&self) -> Result<()> {
        for name in ["libgleaner.so", "libgleaner.so.0", "libgleaner_malloc.so"] {
            let library = self.doors.join(name);
            ensure!(library.exists(), "{} is not there: `make doors` builds it", library.display());
        }
        Ok(())
    }

    /// Compiles a program unless it is newer than all it is made of.
    pub fn compile(&self, name: &str, binding: Binding) -> Result<()> {
        let (sources, include) = (self.root.join("benches/c"), self.root.join("include"));
        let program = self.program(name, binding);
        let made = |path: &Path| fs::metadata(path).and_then(|file| file.modified());
        let newest = newest_in(&sources)?.max(newest_in(&include)?);
        if made(&program).is_ok_and(|program| program > newest) {
            return Ok(());
        }
        let mut gcc = Command::new("gcc");
        gcc.args(FLAGS).arg(sources.join(format!("{name}.c"))).arg("-o").arg(&program);
        match binding {
            Binding::Gleaner => {
                let doors = fs::canonicalize(&self.doors)?;
                gcc.arg("-DUSE_GLEANER").arg("-I").arg(&include);
                gcc.arg("-L").arg(&doors).arg("-lgleaner").arg(format!("-Wl,-rpath,{}", doors.display()));
            }
            Binding::Bdwgc => {
                gcc.args(["-DUSE_BDWGC", "-lgc"]);
            }
            Binding::Malloc => {
                gcc.arg("-DUSE_MALLOC").arg("-I").arg(&include);
            }
        }
        let status = gcc.status().context("gcc cannot be started: is it installed?")?;
        ensure!(status.success(), "{gcc:?} failed; for gc.h the package libgc-dev is needed");
        Ok(())
    }
}

/// When the newest file of a directory was written.
fn newest_in(directory: &Path) -> Result<SystemTime> {
    let context = || format!("{} cannot be read: --root is the root of the repository", directory.display());
    let mut newest = SystemTime::UNIX_EPOCH;
    for entry in fs::read_dir(directory).with_context(context)? {
        newest = newest.max(entry?.metadata()?.modified()?);
    }
    Ok(newest)
}
