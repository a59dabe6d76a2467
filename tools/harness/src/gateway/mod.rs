//! `gateway`: a payment gateway that forgets memory with every request is driven twice by the same requests, on
//! glibc's malloc and on gleaner.
//!
//! payments → load → server, watched by the meter: a run; two runs → judge, report, plot. Two servers that take turns: a
//! race, for the throughput.

mod http;
mod judge;
mod load;
mod meter;
mod payments;
mod plot;
mod race;
mod report;
mod run;
mod stats;

use std::fs;
use std::path::PathBuf;
use std::time::Instant;

use anyhow::{Context, Result};
use clap::ArgGroup;
use serde::Serialize;

use judge::{Pair, Throughput, Verdict};
use load::Load;
use payments::House;
use race::Race;
use run::Run;

use crate::figures::grouped;
use crate::server::Malloc;

/// The arguments of `gateway`.
#[derive(clap::Args)]
#[command(group = ArgGroup::new("door").required(true).args(["gleaner", "preload"]))]
pub struct Args {
    /// The gateway, compiled from examples/c/leaky_gateway
    #[arg(long, value_name = "PROGRAM")]
    server: PathBuf,
    /// The `gleaner` command; the gateway is started by `COMMAND run`
    #[arg(long, value_name = "COMMAND")]
    gleaner: Option<PathBuf>,
    /// The malloc library to preload, instead of the command
    #[arg(long, value_name = "LIBRARY")]
    preload: Option<PathBuf>,
    /// Where the table, the drawing and the logs go
    #[arg(long, value_name = "DIRECTORY", default_value = "target/gateway")]
    out: PathBuf,
    /// Requests of each run
    #[arg(long, default_value_t = 900_000, value_parser = clap::value_parser!(u64).range(1..))]
    requests: u64,
    /// Payments in a request
    #[arg(long, default_value_t = 16, value_parser = clap::value_parser!(u16).range(1..=4096))]
    batch: u16,
    /// Connections, each with one request under way
    #[arg(long, default_value_t = 8, value_parser = clap::value_parser!(u32).range(1..=64))]
    connections: u32,
    /// Threads of the gateway
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u32).range(1..=64))]
    workers: u32,
    /// Sessions that the gateway keeps
    #[arg(long, default_value_t = 100_000, value_parser = clap::value_parser!(u32).range(64..=99_999_999))]
    sessions: u32,
    /// Cards that the gateway keeps
    #[arg(long, default_value_t = 500_000, value_parser = clap::value_parser!(u32).range(64..=99_999_999))]
    cards: u32,
    /// Where the random numbers begin
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Pairs for the throughput; when more than one, they follow the demonstration, on two gateways that take turns
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..))]
    pairs: u16,
    /// Requests to each gateway in one of these pairs
    #[arg(long, default_value_t = 160_000, value_parser = clap::value_parser!(u64).range(1..))]
    pair_requests: u64,
    /// Fail when a figure falls short
    #[arg(long)]
    check: bool,
}

/// All figures, as they are written to a file.
#[derive(Serialize)]
struct Figures<'a> {
    glibc: &'a Run,
    gleaner: &'a Run,
    throughput: &'a Throughput,
    verdicts: &'a [Verdict],
}

/// Runs the demonstration; false when it is to be checked and falls short.
pub fn run(args: &Args) -> Result<bool> {
    fs::create_dir_all(&args.out).with_context(|| format!("{} cannot be made", args.out.display()))?;
    let load = args.load(args.requests);
    let started = Instant::now();
    println!("{} requests on each malloc", grouped(args.requests));
    let (glibc, gleaner) = args.pair(&load)?;
    let seconds = started.elapsed().as_secs_f64();

    println!();
    report::print_load(&glibc);
    report::print_footprints(&glibc, &gleaner);
    report::print_runs(&glibc, &gleaner);

    let throughput = args.throughput(&glibc, &gleaner)?;
    let verdicts = judge::judge(&glibc, &gleaner, &throughput, seconds);
    let holds = report::print_verdicts(&verdicts);

    let (table, drawing) = (args.out.join("gateway.json"), args.out.join("gateway.svg"));
    let figures = Figures { glibc: &glibc, gleaner: &gleaner, throughput: &throughput, verdicts: &verdicts };
    fs::write(&table, serde_json::to_string_pretty(&figures)? + "\n")
        .with_context(|| format!("{} cannot be written", table.display()))?;
    plot::draw(&glibc, &gleaner, &drawing).with_context(|| format!("{} cannot be drawn", drawing.display()))?;
    println!("\ndrawn in {}, all figures in {}", drawing.display(), table.display());
    if args.check && !holds {
        let short = verdicts.iter().filter(|verdict| verdict.holds == Some(false));
        eprintln!("gleaner-harness: gateway: fell short: {}", short.map(|v| v.question).collect::<Vec<_>>().join("; "));
    }
    Ok(holds || !args.check)
}

impl Args {
    /// The load of a run of some requests.
    fn load(&self, requests: u64) -> Load {
        Load {
            requests,
            batch: usize::from(self.batch),
            connections: self.connections,
            seed: self.seed,
            house: House { sessions: self.sessions, cards: self.cards },
        }
    }

    /// How the gateway runs on gleaner.
    fn door(&self) -> Malloc {
        match (&self.gleaner, &self.preload) {
            (Some(command), _) => Malloc::Command(command.clone()),
            (None, Some(library)) => Malloc::Preload(library.clone()),
            (None, None) => unreachable!("the parser asks for one of them"),
        }
    }

    /// One run on glibc's malloc, then one on gleaner.
    fn pair(&self, load: &Load) -> Result<(Run, Run)> {
        let run = |malloc: &Malloc| {
            let log = self.out.join(format!("gateway-{}.log", malloc.name()));
            let run = run::measure(malloc, &self.server, self.workers, load, &log)?;
            println!("{:<8} {:>6.1} s, {:>6.0} requests a second", run.malloc, run.seconds, run.requests_per_second());
            anyhow::Ok(run)
        };
        Ok((run(&Malloc::Glibc)?, run(&self.door())?))
    }

    /// The throughput by further pairs, or by the one that is there.
    fn throughput(&self, glibc: &Run, gleaner: &Run) -> Result<Throughput> {
        let pair = |glibc: &Run, gleaner: &Run| Pair {
            glibc: glibc.requests_per_second(),
            gleaner: gleaner.requests_per_second(),
        };
        if self.pairs == 1 {
            return Ok(Throughput::of(vec![pair(glibc, gleaner)]));
        }
        let spell = self.load(self.pair_requests.div_ceil(race::SPELLS));
        println!(
            "\nthroughput: {} pairs of {} requests, in {} spells each",
            self.pairs,
            grouped(spell.requests * race::SPELLS),
            race::SPELLS
        );
        let door = self.door();
        let mut race = Race::start([&Malloc::Glibc, &door], &self.server, self.workers, spell, &self.out)?;
        let pairs = (0..self.pairs).map(|_| {
            let [glibc, gleaner] = race.run()?;
            println!("glibc {glibc:>6.0} requests a second, gleaner {gleaner:>6.0}");
            Ok(Pair { glibc, gleaner })
        });
        let throughput = Throughput::of(pairs.collect::<Result<_>>()?);
        println!("{} collections meanwhile", race.end()?.collections.len());
        Ok(throughput)
    }
}
