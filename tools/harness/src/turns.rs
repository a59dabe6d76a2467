//! One program built on several allocators, run in turn on the same work: time and peak memory of each beside a peer.
//!
//! The builds are files `PROGRAM.NAME`. A round runs each once on each piece of work, A B C, A B C, with standard output
//! thrown away; a ratio is taken within a round, and the median of those counts. The judged figure is the geometric mean
//! over the pieces of work, of the time by the clock.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use anyhow::{Context, Result, ensure};

use crate::figures::{MIB, geometric_mean, median};

/// What to run.
#[derive(clap::Args)]
pub struct Args {
    /// The path of the builds, less `.NAME`
    #[arg(long)]
    program: PathBuf,
    /// The names of the builds
    #[arg(long, value_delimiter = ',', required = true)]
    builds: Vec<String>,
    /// The build that the others are measured by
    #[arg(long)]
    peer: String,
    /// Builds that may take at most `--most` times what the peer takes
    #[arg(long, value_delimiter = ',')]
    judged: Vec<String>,
    /// See `--judged`
    #[arg(long, default_value_t = 1.03)]
    most: f64,
    /// How often each is run; once more before it counts
    #[arg(long, default_value_t = 15)]
    rounds: usize,
    /// Pieces of work: arguments of the program, each in one string, separated by spaces
    #[arg(required = true)]
    work: Vec<String>,
}

/// What one run took.
#[derive(Clone, Copy)]
struct Taken {
    wall_seconds: f64,
    cpu_seconds: f64,
    peak_bytes: f64,
}

/// The figures of a build on a piece of work, a round each.
type Runs = Vec<Taken>;

/// Runs, prints and judges.
pub fn run(args: &Args) -> Result<bool> {
    let index = |name: &String| args.builds.iter().position(|build| build == name);
    let peer = index(&args.peer).with_context(|| format!("--peer {} is none of --builds", args.peer))?;
    let judged =
        args.judged.iter().map(|name| index(name).with_context(|| format!("--judged {name} is none of --builds")));
    let judged = judged.collect::<Result<Vec<_>>>()?;
    let mut ratios = vec![(Vec::new(), Vec::new()); args.builds.len()];
    for work in &args.work {
        println!("\n{} {work}", args.program.display());
        let runs = measure(args, work)?;
        for (build, name) in args.builds.iter().enumerate() {
            let of = |figure: fn(&Taken) -> f64| median(&runs[build].iter().map(figure).collect::<Vec<_>>());
            let by = |figure| median(&by_peer(&runs[build], &runs[peer], figure));
            let (wall, cpu) = (by(|taken| taken.wall_seconds), by(|taken| taken.cpu_seconds));
            println!(
                "  {name:<12} {:8.1} ms, {wall:.3} of {}; cpu {:8.1} ms, {cpu:.3}; peak {:6.1} MiB",
                of(|taken| taken.wall_seconds) * 1e3,
                args.peer,
                of(|taken| taken.cpu_seconds) * 1e3,
                of(|taken| taken.peak_bytes) / MIB,
            );
            ratios[build].0.push(wall);
            ratios[build].1.push(cpu);
        }
    }
    println!("\n{}, all {} pieces of work:", args.program.display(), args.work.len());
    let mut all_hold = true;
    for (build, name) in args.builds.iter().enumerate().filter(|&(build, _)| build != peer) {
        let (wall, cpu) = (geometric_mean(&ratios[build].0), geometric_mean(&ratios[build].1));
        let holds = wall <= args.most;
        let verdict = match (judged.contains(&build), holds) {
            (false, _) => String::new(),
            (true, true) => format!("; at most {}: HOLDS", args.most),
            (true, false) => format!("; at most {}: FALLS SHORT", args.most),
        };
        all_hold &= holds || !judged.contains(&build);
        println!("  {name:<12} {wall:.3} of {}'s time, {cpu:.3} of its cpu{verdict}", args.peer);
    }
    Ok(all_hold)
}

/// All rounds of one piece of work, by build.
fn measure(args: &Args, work: &str) -> Result<Vec<Runs>> {
    let mut runs = vec![Runs::new(); args.builds.len()];
    for round in 0..=args.rounds {
        for (build, name) in args.builds.iter().enumerate() {
            let mut path = OsString::from(&args.program);
            path.push(".");
            path.push(name);
            let mut command = Command::new(&path);
            command.args(work.split_ascii_whitespace()).stdin(Stdio::null()).stdout(Stdio::null());
            let taken = time(&mut command).with_context(|| format!("{}: {work}", path.display()))?;
            if round > 0 {
                runs[build].push(taken);
            }
        }
    }
    Ok(runs)
}

fn time(command: &mut Command) -> Result<Taken> {
    let start = Instant::now();
    let child = command.spawn().context("cannot be started")?;
    let (status, usage) = wait(&child)?;
    let wall_seconds = start.elapsed().as_secs_f64();
    ensure!(status == 0, "ended with status {status:#x}");
    let seconds = |time: libc::timeval| time.tv_sec as f64 + time.tv_usec as f64 / 1e6;
    Ok(Taken {
        wall_seconds,
        cpu_seconds: seconds(usage.ru_utime) + seconds(usage.ru_stime),
        // In KiB; never less than what this process has itself, which the child inherits until it runs the program.
        peak_bytes: usage.ru_maxrss as f64 * 1024.0,
    })
}

fn wait(child: &Child) -> Result<(i32, libc::rusage)> {
    let mut status = 0;
    // SAFETY: an all-zero `rusage` is a valid value.
    let mut usage = unsafe { std::mem::zeroed() };
    loop {
        // SAFETY: both are ours to write; the child is ours, and nobody else waits for it.
        let ended = unsafe { libc::wait4(child.id() as libc::pid_t, &mut status, 0, &mut usage) };
        if ended > 0 {
            return Ok((status, usage));
        }
        let error = std::io::Error::last_os_error();
        ensure!(error.kind() == std::io::ErrorKind::Interrupted, "cannot be waited for: {error}");
    }
}

/// A figure of each round by the peer's in the same round.
fn by_peer(runs: &Runs, peer: &Runs, figure: fn(&Taken) -> f64) -> Vec<f64> {
    runs.iter().zip(peer).map(|(ours, theirs)| figure(ours) / figure(theirs)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ratios_are_taken_within_a_round() {
        let runs = |times: &[f64]| -> Runs {
            times.iter().map(|&time| Taken { wall_seconds: time, cpu_seconds: 0.0, peak_bytes: 0.0 }).collect()
        };
        assert_eq!(by_peer(&runs(&[1.0, 8.0]), &runs(&[2.0, 4.0]), |taken| taken.wall_seconds), [0.5, 2.0]);
    }

    #[test]
    fn a_run_is_timed_and_one_that_fails_is_said() {
        let taken = time(&mut Command::new("/bin/true")).unwrap();
        assert!(taken.wall_seconds > 0.0 && taken.peak_bytes > 0.0);
        assert!(time(&mut Command::new("/bin/false")).is_err());
    }
}
