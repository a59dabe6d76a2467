//! `leaks`: a server with four leaks is driven for a long time on gleaner, by all of them at once or by each alone, and
//! its footprint has to stay flat.
//!
//! load → server, watched: a run; its samples → footprint → verdict. A short run on glibc's malloc says what the same
//! requests would need there.
//!
//! Two things have to be flat: what collections find live, and resident memory. The second has in it what was forgotten since
//! the last collection, which follows the machine: a collection is due only when a multiple of the pause of the one before is
//! over, so where others take the processor pauses are longer, and more is forgotten meanwhile. By as much as that comes to,
//! and no more, may resident memory be larger at the end: nothing, where the pauses stay the same.

mod flat;
mod load;
mod run;

use std::fs;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result};
use clap::ValueEnum;

use flat::{Footprint, Sample};
use load::{CONNECTIONS, Kind, Load};
use run::Run;

use crate::figures::{MIB, grouped, mean};
use crate::server::Malloc;

/// The last quarter may lie by this share of the median above the first, and the fitted line rise over the run …
const GROWTH_MOST: f64 = 0.10;
/// … in a run of less than `SHORT` seconds, which has few collections, by this …
const GROWTH_MOST_SHORT: f64 = 0.5;
const SHORT: f64 = 120.0;
/// … and by this many bytes more: so much the heap may keep without using it.
const IDLE_BYTES: f64 = 8.0 * MIB;
/// So many times its pause after a collection the next one is due, behind malloc, in a program that leaks.
const PATIENCE: f64 = 5.0;
/// The peak may be this many times what may be live, and `IDLE_BYTES` twice: collections may be so far apart when they
/// take long.
const LIVE_FACTOR: f64 = 5.0;
/// Fewer collections show nothing.
const COLLECTIONS_LEAST: usize = 10;
/// What is forgotten is at least so many times the peak, or nothing is shown.
const FORGOTTEN_LEAST: f64 = 3.0;
/// The bytes of a list's node, as they are asked of malloc, and as any malloc rounds them.
const NODE_BYTES: u64 = 32;

/// Which runs there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Part {
    /// All kinds at once.
    Together,
    /// Each kind on a server of its own, beside the others.
    Alone,
}

/// The arguments of `leaks`.
#[derive(clap::Args)]
pub struct Args {
    /// The server, compiled from examples/c/leaky_server.c
    #[arg(long, value_name = "PROGRAM")]
    server: PathBuf,
    /// The `gleaner` command; the server is started by `COMMAND run`
    #[arg(long, value_name = "COMMAND")]
    gleaner: PathBuf,
    /// Where figures and logs go
    #[arg(long, value_name = "DIRECTORY", default_value = "target/leaks")]
    out: PathBuf,
    /// All kinds at once, or each alone
    #[arg(long, value_delimiter = ',', default_value = "alone,together")]
    parts: Vec<Part>,
    /// Only these kinds
    #[arg(long, value_delimiter = ',', default_value = "buffers,cycles,lists,threads")]
    kinds: Vec<Kind>,
    /// Minutes of all kinds at once
    #[arg(long, default_value_t = 60.0)]
    minutes: f64,
    /// Minutes of each kind alone
    #[arg(long, default_value_t = 10.0)]
    minutes_alone: f64,
    /// Half a minute of each: requests come faster, so that there is enough to judge
    #[arg(long)]
    short: bool,
    /// By how much requests come faster than usual
    #[arg(long, default_value_t = 1.0)]
    rate: f64,
    /// Records that the server keeps
    #[arg(long, default_value_t = 100_000)]
    records: u64,
}

/// Runs and judges; false when a footprint is not flat.
pub fn run(args: &Args) -> Result<bool> {
    fs::create_dir_all(&args.out).with_context(|| format!("{} cannot be made", args.out.display()))?;
    let mut holds = true;
    for part in &args.parts {
        let groups = match part {
            Part::Together => vec![args.kinds.clone()],
            Part::Alone => args.kinds.iter().map(|&kind| vec![kind]).collect(),
        };
        let runs = thread::scope(|scope| {
            let threads: Vec<_> = groups.into_iter().map(|kinds| scope.spawn(|| args.both(kinds))).collect();
            threads.into_iter().map(|thread| thread.join().expect("a run does not panic")).collect::<Result<Vec<_>>>()
        })?;
        for (plain, gleaner) in &runs {
            let path = args.out.join(format!("{}.json", file_name(gleaner)));
            fs::write(&path, serde_json::to_string(gleaner)? + "\n")
                .with_context(|| format!("{} cannot be written", path.display()))?;
            holds &= report(plain, gleaner, &path);
        }
    }
    Ok(holds)
}

impl Args {
    /// A short run on glibc's malloc, then the run that counts.
    fn both(&self, kinds: Vec<Kind>) -> Result<(Run, Run)> {
        let minutes = match (self.short, kinds.len()) {
            (true, _) => 0.5,
            (false, 1) => self.minutes_alone,
            (false, _) => self.minutes,
        };
        let rate = if self.short { 2.0 * self.rate } else { self.rate };
        let load = |seconds| Load { kinds: kinds.clone(), time: Duration::from_secs_f64(seconds), rate };
        let gleaner = Malloc::Command(self.gleaner.clone());
        Ok((self.one(&Malloc::Glibc, &load(5.0))?, self.one(&gleaner, &load(60.0 * minutes))?))
    }

    fn one(&self, malloc: &Malloc, load: &Load) -> Result<Run> {
        let kinds: Vec<_> = load.kinds.iter().map(|kind| kind.name()).collect();
        let log = self.out.join(format!("{}-{}.log", kinds.join("-"), malloc.name()));
        run::measure(malloc, &self.server, self.records, load, &log)
    }
}

fn file_name(run: &Run) -> String {
    run.name.replace(' ', "-")
}

/// What may be live at once: the records, and of each connection that makes lists the last report and the next one.
fn live_most(run: &Run) -> f64 {
    let lists = if run.name.contains(Kind::Lists.name()) { 2 * CONNECTIONS } else { 0 };
    (run.kept_bytes + lists * Kind::Lists.things() * NODE_BYTES) as f64
}

/// Prints what a run came to and whether it holds.
fn report(plain: &Run, run: &Run, path: &Path) -> bool {
    let footprint = &run.footprint;
    let needed = plain.footprint.peak * run.forgotten_bytes as f64 / plain.forgotten_bytes as f64;
    println!(
        "\n{}: {:.1} min, {} requests, {:.0} % of a processor, {:.1} GB forgotten beside {:.0} MB of records",
        run.name,
        run.seconds / 60.0,
        grouped(run.requests),
        100.0 * run.cpu_seconds / run.seconds,
        run.forgotten_bytes as f64 / 1e9,
        run.kept_bytes as f64 / 1e6,
    );
    println!(
        "  resident, MiB: first {:.1}, median {:.1}, last {:.1}, peak {:.1}, slope {:+.2} an hour",
        footprint.first / MIB,
        footprint.median / MIB,
        footprint.last / MIB,
        footprint.peak / MIB,
        footprint.slope / MIB,
    );
    println!(
        "  without gleaner: {:.0} MiB after {:.0} s, so {:.0} MiB for these requests",
        plain.footprint.peak / MIB,
        plain.seconds,
        needed / MIB
    );
    println!(
        "  {} collections, longest pause {:.0} ms; answers: 99 of 100 within {:.0} ms, longest {:.0} ms; all in {}",
        run.trace.collections.len(),
        run.trace.pause_longest_us() as f64 / 1e3,
        run.response_p99_ns as f64 / 1e6,
        run.response_longest_ns as f64 / 1e6,
        path.display()
    );
    for message in &run.trace.messages {
        println!("  gleaner says: {message}");
    }
    let mut holds = true;
    for (question, answer) in judge(run) {
        println!("  {}: {question}", if answer { "HOLDS" } else { "FALLS SHORT" });
        holds &= answer;
    }
    holds
}

/// What is asked of a run, with its figures, and the answers. A figure that is not a number falls short.
fn judge(run: &Run) -> Vec<(String, bool)> {
    let (live, footprint) = (&live(run), &run.footprint);
    let share_most = if run.seconds < SHORT { GROWTH_MOST_SHORT } else { GROWTH_MOST };
    let most = |footprint: &Footprint| share_most * footprint.median + IDLE_BYTES;
    let later = later_bytes(run);
    let peak_most = LIVE_FACTOR * live_most(run) + 2.0 * IDLE_BYTES;
    let share = run.forgotten_bytes as f64 / footprint.peak;
    let mut answers = Vec::new();
    for (name, footprint, most) in [
        ("of what collections find live", live, most(live)),
        ("of resident memory", footprint, most(footprint) + later),
    ] {
        let growth = footprint.last - footprint.first;
        answers.push((
            format!(
                "{name} the last quarter is {:+.1} MiB above the first; at most {:.1} MiB",
                growth / MIB,
                most / MIB
            ),
            growth <= most,
        ));
        answers.push((
            format!("{name} the line rises by {:+.1} MiB; at most {:.1} MiB", footprint.rise / MIB, most / MIB),
            footprint.rise <= most,
        ));
    }
    answers.push((
        format!("the peak is {:.0} MiB; at most {:.0} MiB", footprint.peak / MIB, peak_most / MIB),
        footprint.peak <= peak_most,
    ));
    answers.push((
        format!("{share:.1} times the peak is forgotten; at least {FORGOTTEN_LEAST} times"),
        share >= FORGOTTEN_LEAST,
    ));
    let collections = run.trace.collections.len();
    answers
        .push((format!("{collections} collections; at least {COLLECTIONS_LEAST}"), collections >= COLLECTIONS_LEAST));
    answers
}

/// What each collection found live: as if they were a second apart.
fn live(run: &Run) -> Footprint {
    let samples = run.trace.collections.iter().enumerate();
    let samples: Vec<_> =
        samples.map(|(at, collection)| Sample { seconds: at as f64, bytes: collection.live_bytes as f64 }).collect();
    Footprint::of(&samples)
}

/// By how much more is forgotten from one collection to the next in the last quarter than in the first, because pauses are
/// longer there.
fn later_bytes(run: &Run) -> f64 {
    let pauses: Vec<_> = run.trace.collections.iter().map(|collection| collection.pause_us as f64 / 1e6).collect();
    let warm = &pauses[pauses.len() / 10..];
    let quarter = warm.len() / 4;
    let longer_seconds = mean(&warm[warm.len() - quarter..]) - mean(&warm[..quarter]);
    let bytes_a_second = run.forgotten_bytes as f64 / run.seconds;
    // Not a number when there are too few: nothing.
    (PATIENCE * longer_seconds * bytes_a_second).max(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trace::{Collection, Trace};

    /// An hour whose resident memory at each second is given.
    fn run(name: &str, collections: usize, bytes: impl Fn(f64) -> f64) -> Run {
        let sample = |second| Sample { seconds: f64::from(second), bytes: bytes(f64::from(second)) };
        let samples: Vec<_> = (0..=3600).map(sample).collect();
        let collection = Collection { number: 1, pause_us: 1, live_bytes: 1, reclaimed_bytes: 1 };
        Run {
            name: name.to_owned(),
            seconds: 3600.0,
            requests: 1,
            forgotten_bytes: 1 << 30,
            kept_bytes: 20_000_000,
            cpu_seconds: 1.0,
            response_p99_ns: 1,
            response_longest_ns: 1,
            footprint: Footprint::of(&samples),
            samples,
            trace: Trace { collections: vec![collection; collections], ..Trace::default() },
        }
    }

    /// The places of the questions that are answered by no.
    fn short(run: &Run) -> Vec<usize> {
        judge(run).iter().enumerate().filter(|(_, (_, holds))| !holds).map(|(place, _)| place).collect()
    }

    #[test]
    fn a_saw_falls_short_of_nothing() {
        assert_eq!(short(&run("buffers", 10, |second| 4e7 + 1e6 * (second % 11.0))), [0; 0]);
    }

    #[test]
    fn each_shortfall_is_seen() {
        assert_eq!(short(&run("buffers", 10, |second| 4e7 + 6e3 * second)), [2, 3]);
        assert_eq!(short(&run("buffers", 10, |second| if second == 7.0 { 12e7 } else { 4e7 })), [4]);
        assert_eq!(short(&run("buffers lists", 10, |second| if second == 7.0 { 12e7 } else { 4e7 })), [0; 0]);
        assert_eq!(short(&Run { forgotten_bytes: 119_000_000, ..run("buffers", 10, |_| 4e7) }), [5]);
        assert_eq!(short(&run("buffers", 9, |_| 4e7)), [6]);
    }

    /// Each collection is given its pause and what it finds live.
    fn with_collections(mut run: Run, of: impl Fn(f64) -> (u64, f64)) -> Run {
        for (at, collection) in run.trace.collections.iter_mut().enumerate() {
            let (pause_us, live_bytes) = of(at as f64);
            (collection.pause_us, collection.live_bytes) = (pause_us, live_bytes as u64);
        }
        run
    }

    #[test]
    fn what_collections_find_live_has_to_be_flat_whatever_the_pauses() {
        let grows = |pause_us| with_collections(run("buffers", 1000, |_| 4e7), |at| (pause_us, 2e7 + 2e4 * at));
        assert_eq!(short(&grows(1)), [0, 1]);
        let also_pauses = with_collections(grows(1), |at| (1000 * at as u64, 2e7 + 2e4 * at));
        assert_eq!(short(&also_pauses), [0, 1]);
    }

    #[test]
    fn resident_memory_may_follow_the_pauses_and_no_more() {
        // 17 MB more in the last quarter than in the first, 3 too many; at 0.3 MB forgotten a second pauses longer by 14 s make 20.
        let rises = || run("buffers", 1000, |second| 4e7 + 7e3 * second);
        let longer = |by: u64| with_collections(rises(), move |at| (1 + by * at as u64, 2e7));
        assert_eq!(short(&longer(0)), [2, 3]);
        assert_eq!(short(&longer(1_000)), [2, 3]);
        assert_eq!(short(&longer(20_000)), [0; 0]);
    }

    #[test]
    fn a_run_without_samples_falls_short() {
        let blind = Run { footprint: Footprint::of(&[]), ..run("buffers", 10, |_| 4e7) };
        assert_eq!(short(&blind), [2, 3, 4, 5]);
        assert_eq!(short(&run("buffers", 0, |_| 4e7)), [0, 1, 6]);
    }
}
