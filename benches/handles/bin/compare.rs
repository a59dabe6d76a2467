//! Runs every workload of every handle on every allocator in turn, each in a process of its own, and says whether what is
//! promised holds: `handles-compare [--short] [WORKLOAD]...`, where a workload may be the beginning of some. A short run is
//! one of small heaps, and allows for more noise.
//!
//! A figure is the round with the median time: its milliseconds, collections and the most memory. Promised is
//!
//! - that `Gc` makes and drops trees as fast as `Rc` does, on the allocator that suits that best,
//! - that it is faster on cyclic data than the collector of each other crate, on the allocator that suits that best.
//!
//! The rounds say who that best is. The two are then run one right after the other, several times, and the median of the
//! ratios is what counts: a machine that others use as well is at times several times slower than at others.

use gleaner_handles::{WORKLOADS, Workload};
use std::{
    env,
    path::PathBuf,
    process::{Command, ExitCode, Stdio},
};

const ALLOCATORS: [&str; 3] = ["glibc", "mimalloc", "gleaner"];
const ROUNDS: usize = 3;
const PAIRS: usize = 7;
/// A row that has taken so long in all has no more rounds.
const ENOUGH_NS: u64 = 2_000_000_000;
/// What takes longer is ended.
const LIMIT_S: u64 = 5;
const LIMIT_SHORT_S: u64 = 1;
/// Kilobytes of the stack: some collectors follow a list by recursion.
const STACK_KB: usize = 4 << 20;
/// What two runs of the same differ by; short ones, too.
const NOISE: f64 = 1.05;
const NOISE_SHORT: f64 = 1.5;
/// Work is divided by this in a short run.
const SHORT: usize = 10;
/// A short run leaves these out.
const LARGE: &str = "-1M";
const CYCLES: [&str; 4] = ["gc", "gc-arena", "dumpster-unsync", "dumpster-sync"];

/// What one process told.
#[derive(Clone, Copy)]
struct Figures {
    time_ns: u64,
    collections: u64,
    peak_kib: u64,
    sum: u64,
}

/// One handle on one allocator.
struct Row {
    workload: &'static str,
    handle: &'static str,
    allocator: &'static str,
    rounds: Vec<Figures>,
    /// It took longer than the limit.
    is_over: bool,
}

impl Row {
    /// One round more, if it is worth it.
    fn add_round(&mut self, divisor: usize, limit_s: u64) {
        let spent: u64 = self.rounds.iter().map(|figures| figures.time_ns).sum();
        if self.is_over || spent >= ENOUGH_NS {
            return;
        }
        match self.run(divisor, limit_s) {
            Some(figures) => self.rounds.push(figures),
            None => self.is_over = true,
        }
    }

    /// Runs it once. `None`: it took longer than the limit.
    fn run(&self, divisor: usize, limit_s: u64) -> Option<Figures> {
        let mut command = Command::new("timeout");
        let script = format!("ulimit -s {STACK_KB} 2>/dev/null || true; exec \"$0\" \"$@\"");
        command.args([&limit_s.to_string(), "sh", "-c", &script]).arg(program(self.allocator));
        command
            .args([self.workload, self.handle, &divisor.to_string()])
            .env_remove("GLEANER_OPTIONS")
            .stderr(Stdio::inherit());
        let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
        let told = String::from_utf8_lossy(&output.stdout);
        let numbers: Vec<u64> = told.split_whitespace().filter_map(|word| word.parse().ok()).collect();
        match (output.status.code(), &numbers[..]) {
            (Some(0), &[time_ns, collections, peak_kib, sum]) => Some(Figures { time_ns, collections, peak_kib, sum }),
            // What `timeout` says.
            (Some(124), _) => None,
            _ => panic!("{command:?} ended with {} and told {told:?}", output.status),
        }
    }

    /// The round with the median time, if all came to an end.
    fn median(&self) -> Option<Figures> {
        let mut rounds = self.rounds.clone();
        rounds.sort_by_key(|figures| figures.time_ns);
        rounds.get(rounds.len() / 2).filter(|_| !self.is_over).copied()
    }

    fn time_ns(&self) -> u64 {
        self.median().map_or(u64::MAX, |figures| figures.time_ns)
    }

    fn in_words(&self) -> String {
        let Some(figures) = self.median() else { return "too long".to_owned() };
        let (time_ms, peak_mib) = (figures.time_ns as f64 / 1e6, figures.peak_kib as f64 / 1024.0);
        format!("{time_ms:.0} ({}; {peak_mib:.0})", figures.collections)
    }
}

fn program(allocator: &str) -> PathBuf {
    env::current_exe().expect("this program has a path").with_file_name(format!("handles-{allocator}"))
}

fn rows_of(workload: &Workload) -> Vec<Row> {
    let rows_of_handle = |&(handle, _): &(&'static str, _)| {
        let allocators = ALLOCATORS.into_iter().filter(move |&allocator| handle != "Gc" || allocator == "gleaner");
        let workload = workload.name;
        allocators.map(move |allocator| Row { workload, handle, allocator, rounds: Vec::new(), is_over: false })
    };
    workload.peers.iter().flat_map(rows_of_handle).collect()
}

fn print(rows: &[Row], workload: &Workload) {
    println!("\n| {}: ms (collections; MiB) | {} |\n|---|---|---|---|", workload.name, ALLOCATORS.join(" | "));
    for (handle, _) in workload.peers {
        let on = |allocator| {
            let row = rows.iter().find(|row| (row.handle, row.allocator) == (*handle, allocator));
            row.map_or(String::new(), Row::in_words)
        };
        println!("| {handle} | {} |", ALLOCATORS.map(on).join(" | "));
    }
}

/// Whether all handles have seen the same.
fn sums_agree(rows: &[Row]) -> bool {
    let sums = || rows.iter().flat_map(|row| row.rounds.iter().map(|figures| figures.sum));
    let agree = sums().min() == sums().max();
    if !agree {
        println!("{}: the handles have seen different sums: {:?}", rows[0].workload, sums().collect::<Vec<_>>());
    }
    agree
}

/// Compares `Gc` with the fastest of `others`, in pairs of runs; it may take `bound` times as long.
fn holds(rows: &[Row], others: &[&str], bound: f64, divisor: usize, limit_s: u64) -> bool {
    let own = rows.iter().find(|row| row.handle == "Gc").expect("a row of Gc");
    let best = rows
        .iter()
        .filter(|row| others.contains(&row.handle))
        .min_by_key(|row| row.time_ns())
        .expect("a row of others");
    let time = |row: &Row| row.run(divisor, limit_s).map_or(f64::INFINITY, |figures| figures.time_ns as f64);
    let mut ratios: Vec<f64> = (0..PAIRS).map(|_| time(own) / time(best)).collect();
    ratios.sort_by(f64::total_cmp);
    let ratio = ratios[PAIRS / 2];
    let verdict = if ratio <= bound { "HOLDS" } else { "FALLS SHORT" };
    println!(
        "{verdict}: Gc takes {ratio:.2} of the time of {} on {}, at most {bound:.2} ({:.2} to {:.2} in {PAIRS} pairs)",
        best.handle,
        best.allocator,
        ratios[0],
        ratios[PAIRS - 1]
    );
    ratio <= bound
}

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let (options, wanted): (Vec<_>, Vec<_>) = arguments.iter().partition(|argument| argument.starts_with("--"));
    let is_short = options.iter().any(|option| *option == "--short");
    let (divisor, rounds, limit_s, noise) =
        if is_short { (SHORT, 3, LIMIT_SHORT_S, NOISE_SHORT) } else { (1, ROUNDS, LIMIT_S, NOISE) };
    let is_wanted = |workload: &&Workload| {
        (wanted.is_empty() || wanted.iter().any(|name| workload.name.starts_with(*name)))
            && !(is_short && workload.name.ends_with(LARGE))
    };
    let mut all_hold = true;
    for workload in WORKLOADS.iter().filter(is_wanted) {
        let mut rows = rows_of(workload);
        (0..rounds).for_each(|_| rows.iter_mut().for_each(|row| row.add_round(divisor, limit_s)));
        print(&rows, workload);
        all_hold &= sums_agree(&rows);
        match workload.name.split('-').next() {
            Some("trees") => all_hold &= holds(&rows, &["Rc"], noise, divisor, limit_s),
            Some("lists" | "graph") => all_hold &= holds(&rows, &CYCLES, 1.0, divisor, limit_s),
            _ => {}
        }
    }
    if all_hold { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
