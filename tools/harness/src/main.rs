//! The measuring harness: each subcommand starts real programs, drives them, and prints, judges and draws what it saw.
//!
//! It knows gleaner only from outside: by its command, its library, its environment variable and the lines it writes
//! to stderr. So whatever it measures, a user can measure the same way.
//!
//! Exit status: 0 all is well, 1 a figure fell short under `--check` or a workload failed, 2 it could not be measured.

mod bench;
mod figures;
mod gateway;
mod leaks;
mod process;
mod server;
mod trace;
mod turns;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// The command line.
#[derive(Parser)]
#[command(name = "gleaner-harness", about = "Drives gleaner's demonstrations and measurements", version)]
struct Cli {
    /// What to do.
    #[command(subcommand)]
    job: Job,
}

/// What the harness can do.
#[derive(Subcommand)]
enum Job {
    /// Run the workloads of benches/c on gleaner and its peers, in turn
    Bench(bench::Args),
    /// Drive a leaking payment gateway, first on glibc's malloc, then on gleaner
    Gateway(gateway::Args),
    /// Drive a server with four leaks for a long time, on gleaner
    Leaks(leaks::Args),
    /// Run builds of one program on several allocators in turn
    Turns(turns::Args),
}

fn main() -> ExitCode {
    let (name, outcome) = match Cli::parse().job {
        Job::Bench(args) => ("bench", bench::run(&args)),
        Job::Gateway(args) => ("gateway", gateway::run(&args)),
        Job::Leaks(args) => ("leaks", leaks::run(&args)),
        Job::Turns(args) => ("turns", turns::run(&args)),
    };
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(error) => {
            eprintln!("gleaner-harness: {name}: {error:#}");
            ExitCode::from(2)
        }
    }
}
