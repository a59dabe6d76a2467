//! The report: both runs side by side, as tables for a person.

use super::judge::Verdict;
use super::meter;
use super::run::Run;
use crate::figures::{MIB, grouped};

/// Prints what the load is.
pub fn print_load(run: &Run) {
    println!(
        "{} requests, {} payments, each forgets an id: {:.1} MB are leaked beside {:.1} MB that are kept",
        grouped(run.requests),
        grouped(run.payments),
        run.forgotten_bytes as f64 / 1e6,
        run.kept_bytes as f64 / 1e6
    );
}

/// Prints both footprints over time: a row for each tenth of the requests.
pub fn print_footprints(glibc: &Run, gleaner: &Run) {
    println!("\nresident memory     forgotten       on glibc's malloc           on gleaner");
    println!("requests                  MiB          s        MiB          s        MiB");
    let first = |run: &Run| (0.0, run.resident_first_bytes as f64 / MIB);
    for tenth in 0..=10 {
        let share = f64::from(tenth) / 10.0;
        let at = |run: &Run| match meter::at_share(&run.samples, share, run.requests) {
            _ if tenth == 0 => first(run),
            Some(sample) => (sample.seconds, sample.resident_bytes as f64 / MIB),
            None => (run.seconds, run.resident_last_bytes as f64 / MIB),
        };
        let ((glibc_s, glibc_mib), (gleaner_s, gleaner_mib)) = (at(glibc), at(gleaner));
        println!(
            "{:>10} {:>18.1} {glibc_s:>10.1} {glibc_mib:>10.1} {gleaner_s:>10.1} {gleaner_mib:>10.1}",
            grouped((share * glibc.requests as f64) as u64),
            share * glibc.forgotten_bytes as f64 / MIB,
        );
    }
}

/// Prints what else both runs came to.
pub fn print_runs(glibc: &Run, gleaner: &Run) {
    let row =
        |name: &str, value: &dyn Fn(&Run) -> String| println!("{name:<34} {:>14} {:>14}", value(glibc), value(gleaner));
    let milliseconds = |ns: u64| format!("{:.2}", ns as f64 / 1e6);
    let mib = |bytes: f64| format!("{:.1}", bytes / MIB);
    println!();
    row("", &|run| run.malloc.to_owned());
    row("time, s", &|run| format!("{:.1}", run.seconds));
    row("requests a second", &|run| grouped(run.requests_per_second() as u64));
    row("payments a second", &|run| grouped((run.payments as f64 / run.seconds) as u64));
    row("response, median, ms", &|run| milliseconds(run.response_median_ns));
    row("response, 99 of 100, ms", &|run| milliseconds(run.response_p99_ns));
    row("response, longest, ms", &|run| milliseconds(run.response_longest_ns));
    row("CPU of the gateway, s", &|run| format!("{:.1}", run.gateway_cpu_seconds));
    row("CPU of the load generator, s", &|run| format!("{:.1}", run.load_cpu_seconds));
    row("resident before the load, MiB", &|run| mib(run.resident_first_bytes as f64));
    row("resident, second quarter, MiB", &|run| mib(run.quarter_mean(2)));
    row("resident, last quarter, MiB", &|run| mib(run.quarter_mean(4)));
    row("resident at the end, MiB", &|run| mib(run.resident_last_bytes as f64));
    row("proportional set at the end, MiB", &|run| mib(run.proportional_last_bytes as f64));
    row("resident at the peak, MiB", &|run| mib(run.resident_peak_bytes as f64));
    let collector = |name: &str, value: String| println!("{name:<34} {:>14} {value:>14}", "-");
    collector("collections", gleaner.trace.collections.len().to_string());
    collector("reclaimed, MiB", mib(gleaner.trace.reclaimed_bytes() as f64));
    collector("longest pause, ms", milliseconds(gleaner.trace.pause_longest_us() * 1000));
    collector("all pauses, ms", milliseconds(gleaner.trace.pause_total_us() * 1000));
    print_remarks(gleaner);
}

/// Prints what is strange about a run under gleaner.
fn print_remarks(gleaner: &Run) {
    let trace = &gleaner.trace;
    match trace.collections_at_exit {
        None => println!("\ngleaner wrote no line at exit: was its library loaded?"),
        Some(count) if count != trace.collections.len() as u64 => {
            println!("\ngleaner counts {count} collections at exit, and traced {}", trace.collections.len());
        }
        Some(_) => {}
    }
    for message in &trace.messages {
        println!("gleaner says: {message}");
    }
}

/// Prints the verdicts; false when one of them is no.
pub fn print_verdicts(verdicts: &[Verdict]) -> bool {
    println!();
    for Verdict { question, figures, holds } in verdicts {
        let word = match holds {
            Some(true) => "yes",
            Some(false) => "NO",
            None => "-",
        };
        println!("{word:>3}  {question}: {figures}");
    }
    verdicts.iter().all(|verdict| verdict.holds != Some(false))
}
