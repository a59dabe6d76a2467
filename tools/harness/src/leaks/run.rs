//! One run: the server is started, driven, watched and ended, and this is what came of it.

use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use serde::Serialize;

use super::flat::{Footprint, Sample};
use super::load::{self, Load};
use crate::figures::percentile;
use crate::process;
use crate::server::{Malloc, Server};
use crate::trace::Trace;

/// How often memory is sampled.
const PERIOD: Duration = Duration::from_millis(250);

/// What a run came to.
#[derive(Debug, Serialize)]
pub struct Run {
    /// The kinds of leak.
    pub name: String,
    /// How long requests were sent.
    pub seconds: f64,
    /// Requests answered, every one as expected.
    pub requests: u64,
    /// Bytes forgotten, as they were asked of malloc.
    pub forgotten_bytes: u64,
    /// Bytes of the records, as malloc has rounded them.
    pub kept_bytes: u64,
    /// CPU seconds of the server.
    pub cpu_seconds: f64,
    /// All but one of a hundred answers took no longer than this, in nanoseconds.
    pub response_p99_ns: u64,
    /// The longest answer.
    pub response_longest_ns: u64,
    /// What resident memory came to.
    pub footprint: Footprint,
    /// Resident memory over time.
    pub samples: Vec<Sample>,
    /// What gleaner wrote.
    pub trace: Trace,
}

/// Runs `program` on a malloc under a load. Its stderr goes to the file `log`.
pub fn measure(malloc: &Malloc, program: &Path, records: u64, load: &Load, log: &Path) -> Result<Run> {
    let server = Server::start(malloc, program, &["-r".to_owned(), records.to_string()], log)?;
    let started = Instant::now();
    let (end, ended) = channel();
    let (driven, samples) = thread::scope(|scope| {
        let (pid, table) = (server.pid, log.with_extension("csv"));
        let watcher = scope.spawn(move || watch(pid, &ended, &table));
        let driven = load.drive(server.address);
        drop(end);
        (driven, watcher.join().expect("the watcher does not panic"))
    });
    let latencies_ns = driven.with_context(|| format!("on {}'s malloc; see {}", malloc.name(), log.display()))?;
    let (samples, seconds) = (samples?, started.elapsed().as_secs_f64());
    let (forgotten_bytes, kept_bytes) = load::forgotten_and_kept(server.address)?;
    let cpu_seconds = process::cpu_seconds(server.pid)?;
    let trace = Trace::parse(&server.end()?).with_context(|| format!("{}", log.display()))?;
    Ok(Run {
        name: load.kinds.iter().map(|kind| kind.name()).collect::<Vec<_>>().join(" "),
        seconds,
        requests: latencies_ns.len() as u64,
        forgotten_bytes,
        kept_bytes,
        cpu_seconds,
        response_p99_ns: percentile(&latencies_ns, 0.99),
        response_longest_ns: percentile(&latencies_ns, 1.0),
        footprint: Footprint::of(&samples),
        samples,
        trace,
    })
}

/// Samples a process until the sender of `ended` is gone. Each sample is in the file `table` at once, as `seconds,bytes`.
fn watch(pid: u32, ended: &Receiver<()>, table: &Path) -> Result<Vec<Sample>> {
    let cannot = || format!("{} cannot be written", table.display());
    let mut file = File::create(table).with_context(cannot)?;
    let started = Instant::now();
    let mut samples = Vec::new();
    while ended.recv_timeout(PERIOD) == Err(RecvTimeoutError::Timeout) {
        let bytes = process::resident(pid)?.bytes as f64;
        let seconds = started.elapsed().as_secs_f64();
        writeln!(file, "{seconds:.2},{bytes}").with_context(cannot)?;
        samples.push(Sample { seconds, bytes });
    }
    Ok(samples)
}
