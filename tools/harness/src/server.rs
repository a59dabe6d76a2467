//! A server as a process: started on one malloc or the other, ended. Its first line says where it listens.

use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use rustix::process::{Pid, Signal, kill_process};

/// The environment variable with gleaner's options.
const OPTIONS: &str = "GLEANER_OPTIONS";
/// How long the server may take to make what it keeps, under a slow verifying option too.
const START_DEADLINE: Duration = Duration::from_secs(60);
/// How long it may take to end after SIGTERM.
const END_DEADLINE: Duration = Duration::from_secs(30);

/// Whose malloc the server runs on.
#[derive(Clone, Debug)]
pub enum Malloc {
    /// The one of glibc.
    Glibc,
    /// `COMMAND run SERVER …`.
    Command(PathBuf),
    /// `LD_PRELOAD=LIBRARY SERVER …`.
    Preload(PathBuf),
}

impl Malloc {
    /// A word for tables and file names.
    pub fn name(&self) -> &'static str {
        match self {
            Malloc::Glibc => "glibc",
            Malloc::Command(_) | Malloc::Preload(_) => "gleaner",
        }
    }

    /// The command that runs a program on this malloc.
    fn command(&self, program: &Path) -> Command {
        let mut command = match self {
            Malloc::Glibc | Malloc::Preload(_) => Command::new(program),
            Malloc::Command(gleaner) => {
                let mut command = Command::new(gleaner);
                command.arg("run").arg(program);
                command
            }
        };
        match self {
            Malloc::Glibc => command.env_remove("LD_PRELOAD").env_remove(OPTIONS),
            Malloc::Command(_) => command.env(OPTIONS, traced_options()),
            Malloc::Preload(library) => command.env("LD_PRELOAD", library).env(OPTIONS, traced_options()),
        };
        command
    }
}

/// The user's options, and the two that make gleaner tell what it does.
fn traced_options() -> String {
    match std::env::var(OPTIONS) {
        Ok(options) if !options.is_empty() => format!("{options}:trace=1:stats=1"),
        _ => "trace=1:stats=1".to_owned(),
    }
}

/// A running server. Dropping it kills the process.
pub struct Server {
    child: Child,
    log: PathBuf,
    /// The process that serves, which a wrapper may have started.
    pub pid: u32,
    /// Where it listens.
    pub address: SocketAddr,
}

impl Server {
    /// Starts the server and waits until it listens. Its stderr goes to the file `log`.
    pub fn start(malloc: &Malloc, program: &Path, arguments: &[String], log: &Path) -> Result<Self> {
        let stderr = File::create(log).with_context(|| format!("{} cannot be written", log.display()))?;
        let mut command = malloc.command(program);
        command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(stderr);
        let mut child = command.spawn().with_context(|| format!("{command:?} cannot be started"))?;
        let first_line = first_line(&mut child);
        let mut server =
            Server { pid: child.id(), child, log: log.to_owned(), address: SocketAddr::from(([127, 0, 0, 1], 0)) };
        let line = first_line.with_context(|| format!("{command:?} did not start; see {}", log.display()))?;
        (server.address, server.pid) =
            parse_announcement(&line).with_context(|| format!("{command:?} says {line:?}, not where it listens"))?;
        Ok(server)
    }

    /// Ends the server by SIGTERM and returns what it wrote to stderr. It must end in time and with status 0.
    pub fn end(mut self) -> Result<String> {
        let pid = Pid::from_raw(self.pid as i32).context("a process has a number")?;
        kill_process(pid, Signal::TERM).context("the server cannot be sent SIGTERM: has it ended?")?;
        let deadline = Instant::now() + END_DEADLINE;
        let status = loop {
            match self.child.try_wait()? {
                Some(status) => break status,
                None if Instant::now() > deadline => bail!("the server still runs {END_DEADLINE:?} after SIGTERM"),
                None => thread::sleep(Duration::from_millis(2)),
            }
        };
        ensure!(status.success(), "the server ended with {status}; see {}", self.log.display());
        fs::read_to_string(&self.log).with_context(|| format!("{} cannot be read", self.log.display()))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Ok(None) = self.child.try_wait() {
            if let Some(pid) = Pid::from_raw(self.pid as i32) {
                let _ = kill_process(pid, Signal::KILL);
            }
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}

/// The first line that a process writes to stdout.
fn first_line(child: &mut Child) -> Result<String> {
    let stdout = child.stdout.take().context("stdout is not piped")?;
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let mut line = String::new();
        let outcome = BufReader::new(stdout).read_line(&mut line).map(|_| line);
        let _ = sender.send(outcome);
    });
    let line =
        receiver.recv_timeout(START_DEADLINE).with_context(|| format!("no word within {START_DEADLINE:?}"))??;
    ensure!(!line.is_empty(), "it ended without a word");
    Ok(line)
}

/// Reads `…: listening on ADDRESS, pid NUMBER`.
fn parse_announcement(line: &str) -> Option<(SocketAddr, u32)> {
    let (_, rest) = line.trim_end().split_once("listening on ")?;
    let (address, pid) = rest.split_once(", pid ")?;
    Some((address.parse().ok()?, pid.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_announcement_names_address_and_process() {
        let announcement = parse_announcement("leaky_gateway: listening on 127.0.0.1:8080, pid 4711\n");
        assert_eq!(announcement, Some(("127.0.0.1:8080".parse().unwrap(), 4711)));
        assert_eq!(parse_announcement("leaky_gateway: out of memory\n"), None);
        assert_eq!(parse_announcement("listening on 127.0.0.1:8080, pid x"), None);
    }

    #[test]
    fn a_program_that_ends_at_once_is_reported() {
        let log = std::env::temp_dir().join(format!("gleaner-harness-{}.log", std::process::id()));
        let outcome = Server::start(&Malloc::Glibc, Path::new("/bin/true"), &[], &log);
        let error = format!("{:#}", outcome.err().expect("it must not start"));
        let _ = fs::remove_file(&log);
        assert!(error.contains("it ended without a word"), "{error}");
    }

    #[test]
    fn the_command_is_put_before_the_program() {
        let malloc = Malloc::Command(PathBuf::from("gleaner"));
        let command = malloc.command(Path::new("server"));
        let arguments: Vec<_> = command.get_args().collect();
        assert_eq!(command.get_program(), "gleaner");
        assert_eq!(arguments, ["run", "server"]);
    }
}
