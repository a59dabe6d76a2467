//! One run: a gateway is started, driven, watched and ended, and this is what came of it.

use std::path::Path;
use std::sync::atomic::AtomicU64;
use std::sync::mpsc;
use std::thread;

use anyhow::{Context, Result, ensure};
use serde::Serialize;

use super::load::Load;
use super::meter::{self, Sample};
use super::payments::FORGOTTEN_BYTES;
use super::stats;
use crate::figures::percentile;
use crate::process;
use crate::server::{Malloc, Server};
use crate::trace::Trace;

/// The samples at request counts in a run, a multiple of four.
const MARKS: u64 = 240;

/// What a run came to.
#[derive(Debug, Serialize)]
pub struct Run {
    /// Whose malloc it was.
    pub malloc: &'static str,
    /// From the first request to the last response.
    pub seconds: f64,
    /// Requests answered, every one as expected.
    pub requests: u64,
    /// Payments in them.
    pub payments: u64,
    /// The bytes of the ids that the gateway forgot, as they were asked of malloc.
    pub forgotten_bytes: u64,
    /// The bytes that the gateway says it keeps, at the end.
    pub kept_bytes: u64,
    /// Resident memory before the first request.
    pub resident_first_bytes: u64,
    /// Resident memory after the last response.
    pub resident_last_bytes: u64,
    /// The most resident memory since the process began, by the kernel.
    pub resident_peak_bytes: u64,
    /// Proportional set size after the last response.
    pub proportional_last_bytes: u64,
    /// CPU seconds of the gateway under load.
    pub gateway_cpu_seconds: f64,
    /// CPU seconds of this process under load: of the load generator.
    pub load_cpu_seconds: f64,
    /// Half of the responses took no longer than this, in nanoseconds.
    pub response_median_ns: u64,
    /// All but one of a hundred took no longer than this.
    pub response_p99_ns: u64,
    /// The longest response.
    pub response_longest_ns: u64,
    /// Resident memory over time.
    pub samples: Vec<Sample>,
    /// What gleaner wrote.
    pub trace: Trace,
}

impl Run {
    /// Requests a second.
    pub fn requests_per_second(&self) -> f64 {
        self.requests as f64 / self.seconds
    }

    /// The mean resident memory of one quarter (1 to 4) of the requests.
    pub fn quarter_mean(&self, quarter: u64) -> f64 {
        meter::quarter_mean(&self.samples, quarter, self.requests)
    }

    /// From the start of the second quarter to the end: what resident memory grew by, and the bytes forgotten.
    pub fn growth(&self) -> Option<(f64, f64)> {
        let from = meter::at_share(&self.samples, 0.25, self.requests)?;
        let grown = self.resident_last_bytes as f64 - from.resident_bytes as f64;
        let forgotten = self.forgotten_bytes as f64 * (1.0 - from.requests as f64 / self.requests as f64);
        Some((grown, forgotten))
    }
}

/// Starts `program` on a malloc for a load. Its stderr goes to the file `log`.
pub fn start(malloc: &Malloc, program: &Path, workers: u32, load: &Load, log: &Path) -> Result<Server> {
    let options = [("-p", 0), ("-w", workers), ("-s", load.house.sessions), ("-c", load.house.cards)];
    let arguments: Vec<_> = options.iter().flat_map(|(name, value)| [(*name).to_owned(), value.to_string()]).collect();
    Server::start(malloc, program, &arguments, log)
}

/// Runs `program` on a malloc under a load. Its stderr goes to the file `log`.
pub fn measure(malloc: &Malloc, program: &Path, workers: u32, load: &Load, log: &Path) -> Result<Run> {
    let server = start(malloc, program, workers, load, log)?;
    let resident_first_bytes = process::resident(server.pid)?.bytes;
    let cpu = |pid| process::cpu_seconds(pid);
    let (gateway_before, load_before) = (cpu(server.pid)?, cpu(std::process::id())?);

    let answered = AtomicU64::new(0);
    let (sender, marks) = mpsc::channel();
    let step = (load.requests / MARKS).max(1);
    let (driven, samples) = thread::scope(|scope| {
        let (pid, answered) = (server.pid, &answered);
        let watcher = scope.spawn(move || meter::watch(pid, answered, marks));
        let driven = load.drive(server.address, answered, step, sender);
        (driven, watcher.join().expect("the meter does not panic"))
    });
    let driven = driven.with_context(|| format!("on {}'s malloc; see {}", malloc.name(), log.display()))?;

    let gateway_cpu_seconds = cpu(server.pid)? - gateway_before;
    let load_cpu_seconds = cpu(std::process::id())? - load_before;
    let resident = process::resident(server.pid)?;
    let proportional_last_bytes = process::proportional(server.pid)?;
    let stats = stats::ask(server.address)?;
    ensure!(
        (stats.accepted, stats.declined) == (load.payments(), 0),
        "the gateway counts {} accepted and {} declined payments, {} were sent",
        stats.accepted,
        stats.declined,
        load.payments()
    );
    let trace = Trace::parse(&server.end()?).with_context(|| format!("{}", log.display()))?;
    Ok(Run {
        malloc: malloc.name(),
        seconds: driven.elapsed.as_secs_f64(),
        requests: load.requests,
        payments: load.payments(),
        forgotten_bytes: load.payments() * FORGOTTEN_BYTES,
        kept_bytes: stats.kept_bytes,
        resident_first_bytes,
        resident_last_bytes: resident.bytes,
        resident_peak_bytes: resident.peak_bytes,
        proportional_last_bytes,
        gateway_cpu_seconds,
        load_cpu_seconds,
        response_median_ns: percentile(&driven.latencies_ns, 0.5),
        response_p99_ns: percentile(&driven.latencies_ns, 0.99),
        response_longest_ns: percentile(&driven.latencies_ns, 1.0),
        samples: samples?,
        trace,
    })
}
