//! Where a program runs: the words before its command, gleaner's options, and what is changed of this process meanwhile.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

/// Where a program runs. What was made for it is gone with this.
#[derive(Default)]
pub struct Surroundings {
    /// The words before its command.
    pub prefix: Vec<String>,
    /// Options of gleaner beyond those of the environment.
    pub options: &'static str,
    /// Whether it has no huge pages.
    without_huge_pages: bool,
    /// The control group that it is in, as long as this lives.
    _group: Option<Group>,
}

/// While this lives, processes that are started have no huge pages.
pub struct Start(bool);

impl Surroundings {
    /// As the harness itself.
    pub fn usual() -> Self {
        Surroundings::default()
    }

    /// One processor of those that there are.
    pub fn one_processor() -> Self {
        Surroundings { prefix: ["taskset", "--cpu-list", "0"].map(str::to_owned).into(), ..Default::default() }
    }

    /// As if the system had no huge pages, whatever is asked for.
    pub fn without_huge_pages() -> Self {
        Surroundings { without_huge_pages: true, ..Default::default() }
    }

    /// With an option.
    pub fn with_option(options: &'static str) -> Self {
        Surroundings { options, ..Default::default() }
    }

    /// In a control group that gets half of each period.
    pub fn half_a_processor() -> Result<Self> {
        let group = Group::new()?;
        let enter = format!("echo $$ > {} && exec \"$@\"", group.0.join("cgroup.procs").display());
        Ok(Surroundings {
            prefix: ["sh", "-c", &enter, "sh"].map(str::to_owned).into(),
            _group: Some(group),
            ..Default::default()
        })
    }

    /// Makes this process one whose children are born into these surroundings.
    pub fn start(&self) -> Result<Start> {
        if self.without_huge_pages {
            rustix::thread::disable_transparent_huge_pages(true).context("huge pages cannot be forbidden")?;
        }
        Ok(Start(self.without_huge_pages))
    }
}

impl Drop for Start {
    fn drop(&mut self) {
        if self.0 {
            _ = rustix::thread::disable_transparent_huge_pages(false);
        }
    }
}

/// A control group of ours.
struct Group(PathBuf);

impl Group {
    /// Of version 1 or 2, whichever there is.
    fn new() -> Result<Group> {
        let mut whys = Vec::new();
        for parent in ["/sys/fs/cgroup/cpu", "/sys/fs/cgroup/cpu,cpuacct", "/sys/fs/cgroup"] {
            match Group::below(Path::new(parent)) {
                Ok(group) => return Ok(group),
                Err(why) => whys.push(format!("{why:#}")),
            }
        }
        bail!("no control group can be made: {}", whys.join("; "))
    }

    fn below(parent: &Path) -> Result<Group> {
        let path = parent.join(format!("gleaner-bench-{}", std::process::id()));
        fs::create_dir(&path).with_context(|| format!("{}", path.display()))?;
        let group = Group(path);
        let write = |name: &str, text: &str| {
            let file = group.0.join(name);
            fs::write(&file, text).with_context(|| format!("{}", file.display()))
        };
        if group.0.join("cpu.max").exists() {
            write("cpu.max", "50000 100000")?;
        } else {
            write("cpu.cfs_period_us", "100000")?;
            write("cpu.cfs_quota_us", "50000")?;
        }
        Ok(group)
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        _ = fs::remove_dir(&self.0);
    }
}
