//! `bench`: the workloads of `benches/c` on gleaner and on its peers, in turn, so that ratios within a round hold on a
//! machine that is shared.
//!
//! workloads → build → rounds: lines; lines → summary → report, plot.

mod allocators;
mod build;
mod line;
mod machine;
mod plot;
mod report;
mod rounds;
mod summary;
mod warm;
mod workloads;

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result, ensure};
use clap::ValueEnum;
use serde::Serialize;

use allocators::Allocator;
use build::Places;
use rounds::Measured;
use summary::Row;

/// The arguments of `bench`.
#[derive(clap::Args)]
pub struct Args {
    /// Workloads whose names begin so; may be given several times [default: all]
    #[arg(long, value_name = "NAME")]
    workload: Vec<String>,
    /// Allocators; may be given several times [default: all that make sense]
    #[arg(long, value_name = "NAME")]
    allocator: Vec<Allocator>,
    /// Rounds, each with one run an allocator [default: 5, with --quick 3, fewer for a few that take long]
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..))]
    rounds: Option<u16>,
    /// A part of the workloads, and smaller: about two minutes
    #[arg(long)]
    quick: bool,
    /// GiB of memory to touch and give back first, so that the host has backed them [default: 6, with --quick 1]
    #[arg(long, value_name = "GIB")]
    warm: Option<u64>,
    /// Show the workloads and end
    #[arg(long)]
    list: bool,
    /// The root of the repository
    #[arg(long, value_name = "DIRECTORY", default_value = ".")]
    root: PathBuf,
    /// The built libraries
    #[arg(long, value_name = "DIRECTORY", default_value = "target/doors/release")]
    doors: PathBuf,
    /// Where programs, table, figures and drawing go
    #[arg(long, value_name = "DIRECTORY", default_value = "target/benches")]
    out: PathBuf,
}

/// All figures, as they are written to a file.
#[derive(Serialize)]
struct Figures<'a> {
    head: &'a str,
    rows: &'a [Row],
    measured: &'a [Measured],
}

/// Runs the workloads; false when one failed on an allocator, or a checksum differs.
pub fn run(args: &Args) -> Result<bool> {
    if args.list {
        list();
        return Ok(true);
    }
    let workloads = workloads::chosen(&args.workload, args.quick).map_err(anyhow::Error::msg)?;
    let wanted = if args.allocator.is_empty() { Allocator::value_variants() } else { &args.allocator };
    let places = Places { root: args.root.clone(), doors: args.doors.clone(), out: args.out.clone() };
    fs::create_dir_all(&args.out).with_context(|| format!("{} cannot be made", args.out.display()))?;
    places.check_doors()?;
    check_peers(wanted, &places)?;
    warm::warm(args.warm.unwrap_or(if args.quick { 1 } else { 6 }))?;

    let mut measured = Vec::new();
    for workload in workloads {
        let rounds = args.rounds.map_or_else(|| workload.rounds_most.min(args.rounds_usual()), usize::from);
        eprintln!("gleaner-harness: bench: {} {}", workload.name, workload.words(args.quick).join(" "));
        measured.push(rounds::measure(&places, workload, wanted, rounds, args.quick)?);
    }
    let head = machine::describe(wanted, args.rounds.map_or(args.rounds_usual(), usize::from));
    args.conclude(&head, &measured)
}

impl Args {
    /// The rounds of a workload that does not take long.
    fn rounds_usual(&self) -> usize {
        if self.quick { 3 } else { 5 }
    }

    /// Prints the table, and writes it with all figures and a drawing.
    fn conclude(&self, head: &str, measured: &[Measured]) -> Result<bool> {
        let rows: Vec<_> = measured.iter().flat_map(summary::rows).collect();
        let failures: Vec<_> = measured
            .iter()
            .flat_map(|measured| measured.failures.iter().map(|failure| (measured.workload.name, failure.clone())))
            .collect();
        let text = report::text(head, &rows, &failures);
        println!("{text}");
        let write = |name: &str, text: &str| {
            let file = self.out.join(name);
            fs::write(&file, text).with_context(|| format!("{} cannot be written", file.display()))
        };
        write("bench.md", &text)?;
        write("bench.json", &(serde_json::to_string_pretty(&Figures { head, rows: &rows, measured })? + "\n"))?;
        let drawing = self.out.join("bench.svg");
        plot::draw(&rows, &drawing).with_context(|| format!("{} cannot be drawn", drawing.display()))?;
        eprintln!("gleaner-harness: bench: table, figures and drawing are {}/bench.*", self.out.display());
        Ok(failures.is_empty())
    }
}

/// Prints the table of workloads.
fn list() {
    println!("| workload | program | when | purpose |\n|---|---|---|---|");
    for workload in workloads::WORKLOADS {
        let when = match workload.part {
            workloads::Part::Quick(_) => "quick, full",
            workloads::Part::Full => "full",
            workloads::Part::Named => "by name",
        };
        println!("| {} | {} {} | {when} | {} |", workload.name, workload.program, workload.arguments, workload.purpose);
    }
}

/// Checks that the libraries that are to be preloaded are installed: the loader would pass over a missing one.
fn check_peers(wanted: &[Allocator], places: &Places) -> Result<()> {
    for allocator in wanted {
        let Some(library) = allocator.preload(&places.doors) else { continue };
        let package = allocator.package().unwrap_or("this repository");
        ensure!(library.exists(), "{} of {package} is not there: `make bench-peers` installs it", library.display());
    }
    Ok(())
}
