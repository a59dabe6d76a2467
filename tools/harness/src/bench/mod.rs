//! `bench`: the workloads of `benches/c` on gleaner and on its peers, in turn, so that ratios within a round hold on a
//! machine that is shared.
//!
//! workloads → build → rounds: lines; lines → summary → report, plot; promises, lines → judge → check.

mod allocators;
mod build;
mod check;
mod constrained;
mod judge;
mod line;
mod machine;
mod pace;
mod plot;
mod promises;
mod report;
mod rounds;
mod summary;
mod warm;
mod workloads;

use std::fs;
use std::io::Write;
use std::path::PathBuf;

use anyhow::{Context, Result, ensure};
use clap::ValueEnum;
use serde::Serialize;

use allocators::Allocator;
use build::Places;
use check::Outcome;
use rounds::{Measured, Rounds};
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
    /// Measure what is promised under this name and judge it; may be given several times. `all` names each
    #[arg(long, value_name = "PROMISE", conflicts_with_all = ["workload", "allocator", "list"])]
    check: Vec<String>,
    /// Measure programs where there is less of something, and judge them by the same programs on the usual machine
    #[arg(long, conflicts_with_all = ["check", "workload", "allocator", "list", "quick"])]
    constrained: bool,
    /// Measure time and memory at several paces, and draw both into pace.svg
    #[arg(long, conflicts_with_all = ["constrained", "check", "workload", "allocator", "list", "quick"])]
    pace: bool,
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

/// Runs the workloads; false when one failed on an allocator, a checksum differs, or a promise is not kept.
pub fn run(args: &Args) -> Result<bool> {
    if args.list {
        list();
        return Ok(true);
    }
    if !args.check.is_empty() {
        return check_promises(args);
    }
    if args.pace {
        let places = args.prepare(Allocator::value_variants())?;
        let rounds = args.rounds.map_or(args.rounds_usual(), usize::from);
        println!("{}\n", machine::describe(Allocator::value_variants(), rounds));
        return pace::run(&places, rounds, &args.out.join("pace.svg")).map(|()| true);
    }
    if args.constrained {
        let rounds = args.rounds.map_or(args.rounds_usual(), usize::from);
        return conclude_check(constrained::run(&args.prepare(&[Allocator::GleanerMalloc])?, rounds)?);
    }
    let workloads = workloads::chosen(&args.workload, args.quick).map_err(anyhow::Error::msg)?;
    let wanted = if args.allocator.is_empty() { Allocator::value_variants() } else { &args.allocator };
    let places = args.prepare(wanted)?;
    let mut measured = Vec::new();
    for workload in workloads {
        let rounds = args.rounds.map_or_else(|| workload.rounds_most.min(args.rounds_usual()), usize::from);
        eprintln!("gleaner-harness: bench: {} {}", workload.name, workload.words(args.quick).join(" "));
        let rounds = Rounds { counted: rounds, again: 0 };
        measured.push(rounds::measure(&places, workload, wanted, rounds, args.quick)?);
    }
    let head = machine::describe(wanted, args.rounds.map_or(args.rounds_usual(), usize::from));
    args.conclude(&head, &measured)
}

/// Measures and judges promises.
fn check_promises(args: &Args) -> Result<bool> {
    let promises = promises::chosen(&args.check).map_err(anyhow::Error::msg)?;
    let places = args.prepare(Allocator::value_variants())?;
    let rounds = args.rounds.map_or(args.rounds_usual(), usize::from);
    println!("{}\n", machine::describe(Allocator::value_variants(), rounds));
    let mut worst = Outcome::Holds;
    for promise in promises {
        let checked = check::check(&places, promise, rounds, args.quick)?;
        println!("{}", checked.text);
        worst = worst.max(checked.outcome);
        args.write(&format!("{}.md", promise.name), &checked.text)?;
        args.write(&format!("{}.json", promise.name), &(serde_json::to_string_pretty(&checked.measured)? + "\n"))?;
    }
    conclude_check(worst)
}

/// Whether all holds; an error when nobody knows.
fn conclude_check(worst: Outcome) -> Result<bool> {
    ensure!(worst != Outcome::NotMeasured, "nothing falls short, but not all could be measured: see above");
    Ok(worst == Outcome::Holds)
}

impl Args {
    /// Makes all ready for timing on these allocators.
    fn prepare(&self, wanted: &[Allocator]) -> Result<Places> {
        let places = Places { root: self.root.clone(), doors: self.doors.clone(), out: self.out.clone() };
        fs::create_dir_all(&self.out).with_context(|| format!("{} cannot be made", self.out.display()))?;
        places.check_doors()?;
        check_peers(wanted, &places)?;
        warm::warm(self.warm.unwrap_or(if self.quick { 1 } else { 6 }))?;
        Ok(places)
    }

    /// Writes a file beside the programs.
    fn write(&self, name: &str, text: &str) -> Result<()> {
        let file = self.out.join(name);
        fs::write(&file, text).with_context(|| format!("{} cannot be written", file.display()))
    }

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
        self.write("bench.md", &text)?;
        self.write("bench.json", &(serde_json::to_string_pretty(&Figures { head, rows: &rows, measured })? + "\n"))?;
        let drawing = self.out.join("bench.svg");
        plot::draw(&rows, &drawing).with_context(|| format!("{} cannot be drawn", drawing.display()))?;
        eprintln!("gleaner-harness: bench: table, figures and drawing are {}/bench.*", self.out.display());
        Ok(failures.is_empty())
    }
}

/// Prints the table of workloads, as far as somebody reads it.
fn list() {
    let line = |workload: &workloads::Workload| {
        let when = match workload.part {
            workloads::Part::Quick(_) => "quick, full",
            workloads::Part::Full => "full",
            workloads::Part::Named => "by name",
        };
        let workloads::Workload { name, program, arguments, purpose, .. } = workload;
        format!("| {name} | {program} {arguments} | {when} | {purpose} |\n")
    };
    let lines: String = workloads::WORKLOADS.iter().map(line).collect();
    let _ = write!(std::io::stdout(), "| workload | program | when | purpose |\n|---|---|---|---|\n{lines}");
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
