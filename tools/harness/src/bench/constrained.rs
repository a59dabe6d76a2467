//! `bench --constrained`: programs where there is less of something than on the usual machine, beside the same programs
//! unconstrained, in turn. Figures may get worse there, but by no more than what is missing explains, without an option.
//!
//! Each row names what a run should take at most: `expected`, from the unconstrained run of the same round. The median of
//! the figure by what was expected is judged.

mod surroundings;

use anyhow::{Result, ensure};

use super::allocators::Allocator::{self, *};
use super::build::Places;
use super::check::Outcome;
use super::line::Line;
use super::report::short;
use super::rounds;
use super::summary::Spread;
pub use surroundings::Surroundings;

use Constraint::*;

/// What there is less of, or more.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Constraint {
    /// A quota of half a processor, by a control group.
    HalfProcessor,
    /// One processor, by affinity.
    OneProcessor,
    /// So many threads that have allocated once and sleep.
    IdleThreads(u32),
    /// No huge pages for the process.
    NoHugePages,
    /// The plain twin of what else uses AVX2: gleaner's option for tests.
    NoVectors,
    /// Another size of the same heap: what lives, and the arguments that make it.
    Heap(&'static str, &'static str),
}

/// A program in constrained surroundings.
struct Row {
    constraint: Constraint,
    program: &'static str,
    arguments: &'static str,
    allocator: Allocator,
    /// What is compared: a key of the line.
    key: &'static str,
    /// The figure by what is expected, at most.
    most: f64,
}

/// Time of the whole program.
const WALL: &str = "seconds";
/// What a constrained run may take beyond what is expected of it.
const GRACE: f64 = 1.3;
/// Memory that an idle thread may take: its stack, its record, what it has in stock.
const IDLE_KB: f64 = 64.0;
/// What a stop may take longer for each idle thread.
const IDLE_STOP_S: f64 = 5e-6;

/// A row in seconds.
const fn row(constraint: Constraint, program: &'static str, arguments: &'static str, allocator: Allocator) -> Row {
    Row { constraint, program, arguments, allocator, key: WALL, most: GRACE }
}

const TREES: &str = "--threads 2 --stretch 18";
const SERVER: &str = "--threads 2 --requests 2000000";
const GRAPH: &str = "--megabytes 256 --order 0 --collections 3";

/// Less memory to walk than 1.4 MB; collections must not cost more than that saves.
const TINY: Constraint = Heap("16 KiB live", "--live 114");
/// Beside 1 GiB.
const LARGE: Constraint = Heap("8 GiB live", "--megabytes 8192");

/// All rows, in the order in which they run.
#[rustfmt::skip]
const ROWS: &[Row] = &[
    row(HalfProcessor, "gcbench", TREES, Gleaner),
    row(HalfProcessor, "leaky", SERVER, GleanerMalloc),
    row(OneProcessor, "gcbench", TREES, Gleaner),
    row(OneProcessor, "leaky", SERVER, GleanerMalloc),
    row(OneProcessor, "mark", GRAPH, Gleaner),
    row(IdleThreads(500), "gcbench", TREES, Gleaner),
    row(IdleThreads(500), "leaky", SERVER, GleanerMalloc),
    row(IdleThreads(500), "garbage", "--size 64 --objects 10000000", Gleaner),
    row(NoHugePages, "gcbench", TREES, Gleaner),
    Row { key: "collect_ms", most: 2.0, ..row(NoHugePages, "mark", GRAPH, Gleaner) },
    Row { key: "collect_ms", most: 2.0, ..row(NoVectors, "mark", GRAPH, Gleaner) },
    row(NoVectors, "gcbench", TREES, Gleaner),
    Row { key: "ns", ..row(TINY, "replace", "--live 10000 --operations 10000000", Gleaner) },
    Row { key: "ns", ..row(TINY, "replace", "--live 10000 --operations 10000000", GleanerMalloc) },
    Row {
        key: "collect_ns_an_object",
        most: 1.5,
        ..row(LARGE, "mark", "--megabytes 1024 --order 1 --collections 1", Gleaner)
    },
];

/// The memory that the largest heap takes: 8 GiB, and two tables of its objects.
const LARGEST_HEAP_GIB: u64 = 11;

impl Constraint {
    fn name(self) -> String {
        match self {
            HalfProcessor => "half a processor by quota".to_owned(),
            OneProcessor => "one processor by affinity".to_owned(),
            IdleThreads(count) => format!("{count} idle threads"),
            NoHugePages => "no huge pages".to_owned(),
            NoVectors => "no AVX".to_owned(),
            Heap(live, _) => live.to_owned(),
        }
    }

    /// What the program is told before its arguments, of which it heeds the first of a name.
    fn arguments(self) -> String {
        match self {
            IdleThreads(count) => format!("--idle {count}"),
            Heap(_, arguments) => arguments.to_owned(),
            _ => String::new(),
        }
    }

    /// What a run takes if it degrades gracefully, by the same without constraint.
    fn expected(self, key: &str, plain: &Line, constrained: &Line) -> Result<f64> {
        let figure = plain.figure(key)?;
        Ok(match self {
            HalfProcessor => plain.figure("cpu_seconds")? / 0.5,
            OneProcessor => plain.figure("cpu_seconds")?.max(figure),
            IdleThreads(count) => figure + constrained.figure("collections")? * f64::from(count) * IDLE_STOP_S,
            NoHugePages | NoVectors | Heap(..) => figure,
        })
    }

    /// What the peak of the resident set may be, in KiB. None: another heap has another.
    fn expected_peak_kb(self, plain: &Line) -> Result<Option<f64>> {
        let peak = plain.figure("peak_rss_kb")?;
        Ok(match self {
            Heap(..) => None,
            IdleThreads(count) => Some(peak + f64::from(count) * IDLE_KB),
            _ => Some(peak),
        })
    }
}

/// A row, measured.
struct Measured {
    /// The figure without and with the constraint: medians.
    figures: (f64, f64),
    /// The figure by what was expected.
    ratio: Spread,
    /// The same of the peak of the resident set.
    peak: Option<Spread>,
    /// Collections without and with: medians.
    collections: (f64, f64),
}

/// Runs all rows and prints how each stands.
pub fn run(places: &Places, rounds: usize) -> Result<Outcome> {
    println!(
        "| constraint | program | allocator | figure | without | with | by expected | goal | peak RSS by expected | \
         collections | verdict |\n|---|---|---|---|---|---|---|---|---|---|---|"
    );
    let mut worst = Outcome::Holds;
    for row in ROWS {
        eprintln!("gleaner-harness: bench: {}: {} {}", row.constraint.name(), row.program, row.arguments);
        let (text, outcome) = match row.measure(places, rounds) {
            Ok(measured) => row.judge(&measured),
            Err(Failure::Surroundings(why)) => (format!("| | | | | | | NOT MEASURED: {why:#} |"), Outcome::NotMeasured),
            Err(Failure::Run(why)) => (format!("| | | | | | | FAILED: {why:#} |"), Outcome::FallsShort),
        };
        println!("| {} | {} | {} | {} {text}", row.constraint.name(), row.program, row.allocator.name(), row.key);
        worst = worst.max(outcome);
    }
    Ok(worst)
}

/// Why a row has no figures.
enum Failure {
    /// This machine does not let us make the surroundings.
    Surroundings(anyhow::Error),
    /// A program failed in them.
    Run(anyhow::Error),
}

impl Row {
    fn measure(&self, places: &Places, rounds: usize) -> Result<Measured, Failure> {
        let surroundings = self.surroundings().map_err(Failure::Surroundings)?;
        self.measure_in(places, &surroundings, rounds).map_err(Failure::Run)
    }

    fn surroundings(&self) -> Result<Surroundings> {
        match self.constraint {
            HalfProcessor => Surroundings::half_a_processor(),
            OneProcessor => Ok(Surroundings::one_processor()),
            NoHugePages => Ok(Surroundings::without_huge_pages()),
            NoVectors => Ok(Surroundings::with_option("vector=0")),
            LARGE => {
                let available = super::warm::available()? >> 30;
                ensure!(available > LARGEST_HEAP_GIB, "{LARGEST_HEAP_GIB} GiB are needed, {available} are available");
                Ok(Surroundings::usual())
            }
            IdleThreads(_) | Heap(..) => Ok(Surroundings::usual()),
        }
    }

    fn measure_in(&self, places: &Places, surroundings: &Surroundings, rounds: usize) -> Result<Measured> {
        places.compile(self.program, self.allocator.binding())?;
        let more = self.constraint.arguments();
        let arguments: Vec<_> = self.arguments.split_ascii_whitespace().collect();
        let constrained: Vec<_> = more.split_ascii_whitespace().chain(arguments.iter().copied()).collect();
        let mut pairs = Vec::new();
        for _ in 0..rounds {
            let run = |surroundings: &Surroundings, arguments: &[&str]| {
                rounds::run(places, self.program, self.allocator, arguments, surroundings)
            };
            let pair = (run(&Surroundings::usual(), &arguments)?, run(surroundings, &constrained)?);
            let is_same = matches!(self.constraint, Heap(..)) || pair.0.checksum == pair.1.checksum;
            ensure!(is_same, "the checksum is {}, without constraint {}", pair.1.checksum, pair.0.checksum);
            pairs.push(pair);
        }
        Measured::of(self, &pairs)
    }

    /// The rest of the line, and how the row stands.
    fn judge(&self, measured: &Measured) -> (String, Outcome) {
        let holds = |ratio: Spread, most| ratio.median <= most;
        let peak_holds = measured.peak.is_none_or(|peak| holds(peak, GRACE));
        let outcome = if holds(measured.ratio, self.most) && peak_holds { Outcome::Holds } else { Outcome::FallsShort };
        let spread = |ratio: Spread| format!("{:.2} ({:.2} to {:.2})", ratio.median, ratio.least, ratio.most);
        let text = format!(
            "| {} | {} | {} | at most {:.2} | {} | {:.0} : {:.0} | {} |",
            short(measured.figures.0),
            short(measured.figures.1),
            spread(measured.ratio),
            self.most,
            measured.peak.map_or(String::new(), |peak| format!("{}, at most {GRACE:.2}", spread(peak))),
            measured.collections.0,
            measured.collections.1,
            if outcome == Outcome::Holds { "HOLDS" } else { "FALLS SHORT" },
        );
        (text, outcome)
    }
}

impl Measured {
    /// By pairs of a plain and a constrained run.
    fn of(row: &Row, pairs: &[(Line, Line)]) -> Result<Measured> {
        let (mut ratios, mut peaks) = (Vec::new(), Vec::new());
        for (plain, constrained) in pairs {
            let expected = row.constraint.expected(row.key, plain, constrained)?;
            ratios.push(constrained.figure(row.key)? / expected);
            if let Some(expected) = row.constraint.expected_peak_kb(plain)? {
                peaks.push(constrained.figure("peak_rss_kb")? / expected);
            }
        }
        let middle = |of: fn(&(Line, Line)) -> &Line, key: &str| -> Result<f64> {
            let values = pairs.iter().map(|pair| of(pair).figure(key)).collect::<Result<Vec<_>>>()?;
            Ok(Spread::of(&values).median)
        };
        let both = |key| Ok::<_, anyhow::Error>((middle(|pair| &pair.0, key)?, middle(|pair| &pair.1, key)?));
        Ok(Measured {
            figures: both(row.key)?,
            ratio: Spread::of(&ratios),
            peak: (!peaks.is_empty()).then(|| Spread::of(&peaks)),
            collections: both("collections")?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::line::tests::line;
    use super::*;

    fn pair(seconds: (f64, f64), peak: (f64, f64)) -> (Line, Line) {
        let line = |seconds, peak| {
            let figures = [("seconds", seconds), ("cpu_seconds", 2.0), ("peak_rss_kb", peak), ("collections", 40.0)];
            line("0x1", &figures)
        };
        (line(seconds.0, peak.0), line(seconds.1, peak.1))
    }

    fn outcome(constraint: Constraint, pair: (Line, Line)) -> Outcome {
        let row = row(constraint, "gcbench", "", Gleaner);
        row.judge(&Measured::of(&row, &[pair]).unwrap()).1
    }

    #[test]
    fn half_a_processor_takes_twice_the_cpu_time() {
        assert_eq!(outcome(HalfProcessor, pair((1.0, 5.1), (100.0, 100.0))), Outcome::Holds);
        assert_eq!(outcome(HalfProcessor, pair((1.0, 5.3), (100.0, 100.0))), Outcome::FallsShort);
    }

    #[test]
    fn one_processor_takes_the_cpu_time_of_two() {
        assert_eq!(outcome(OneProcessor, pair((1.0, 2.5), (100.0, 100.0))), Outcome::Holds);
        assert_eq!(outcome(OneProcessor, pair((1.0, 2.7), (100.0, 100.0))), Outcome::FallsShort);
    }

    #[test]
    fn idle_threads_cost_their_stops_and_their_memory() {
        // 40 collections of 500 threads may take 100 ms; the threads 32,000 KiB.
        assert_eq!(outcome(IdleThreads(500), pair((1.0, 1.42), (100.0, 41_000.0))), Outcome::Holds);
        assert_eq!(outcome(IdleThreads(500), pair((1.0, 1.44), (100.0, 100.0))), Outcome::FallsShort);
        assert_eq!(outcome(IdleThreads(500), pair((1.0, 1.0), (100.0, 42_000.0))), Outcome::FallsShort);
    }

    #[test]
    fn other_heaps_have_other_peaks() {
        assert_eq!(outcome(TINY, pair((1.0, 1.2), (100.0, 900.0))), Outcome::Holds);
        assert_eq!(outcome(NoHugePages, pair((1.0, 1.2), (100.0, 900.0))), Outcome::FallsShort);
    }

    #[test]
    fn each_row_has_a_program() {
        for row in ROWS {
            let source = format!("{}/../../benches/c/{}.c", env!("CARGO_MANIFEST_DIR"), row.program);
            assert!(std::path::Path::new(&source).exists(), "{source}");
        }
    }
}
