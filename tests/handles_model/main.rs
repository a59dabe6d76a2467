//! A random walk over handles of every sort beside a naive twin, which knows what is reachable.
//!
//! Each walk runs in a process of its own, with options that make rare things common; with one thread, or with four that
//! have a graph each and one in common, and hand theirs over to a new thread now and then. It prints its seed;
//! `SEED=<number>` in the environment walks the same way again with one thread (four take their turns as they come).
//! `OPERATIONS=<number>` in the environment is how long all walks are together.
//!
//! The model is judged too: it has to see each fault of `faults.rs`.

#[path = "../common/doors.rs"]
mod doors;
#[path = "../common/unsearched.rs"]
mod unsearched;

mod faults;
mod graph;
mod log;
mod random;
mod twin;
mod walk;

use faults::Fault;
use std::{
    process::Command,
    sync::{Mutex, PoisonError},
    thread,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};
use walk::{Figures, Walk};

#[global_allocator]
static HEAP: gleaner::Gleaner = gleaner::Gleaner;

const DEADLINE: Duration = Duration::from_secs(1800);
/// How long all walks are together, unless the environment says otherwise.
const OPERATIONS: u64 = 120_000;

// ---- In the child ----

const NAME: &str = "HANDLES_MODEL";

/// What a child is told.
struct Told {
    seed: u64,
    operations: u64,
    threads: u64,
    fault: Option<Fault>,
}

/// The walk that this process is to make, if it is a child.
fn told() -> Option<Told> {
    let text = std::env::var(NAME).ok()?;
    let mut words = text.split(' ');
    let mut number = || words.next().and_then(|word| word.parse().ok()).expect("seed, operations, threads, fault");
    Some(Told { seed: number(), operations: number(), threads: number(), fault: words.next().and_then(Fault::named) })
}

/// So many times a graph goes to a new thread.
const HAND_OVERS: u64 = 8;

fn walk_as_told(told: &Told) -> Figures {
    // SAFETY: handles lie where they are searched for, or are roots and guards.
    unsafe { gleaner::start().expect("the system has memory and a signal for the collector") };
    let mut first = Walk::new(told.seed);
    first.fault = told.fault.map(|fault| (fault, told.operations / 8));
    if told.threads == 1 {
        let mut walk = hand_over(first, None, told.operations);
        gleaner::collect();
        walk.check();
        walk.check_doors();
        return over(walk);
    }
    let common = Mutex::new(first);
    let each = told.operations / told.threads;
    let mut figures = Figures::default();
    thread::scope(|scope| {
        let walks: Vec<_> = (1..=told.threads)
            .map(|number| {
                let common = &common;
                scope.spawn(move || hand_over(Walk::new(told.seed + number), Some(common), each))
            })
            .collect();
        walks.into_iter().for_each(|walk| figures.add(over(walk.join().expect("no walk fails"))));
    });
    figures.add(over(common.into_inner().expect("no walk has failed")));
    figures
}

/// Goes on for a while, each time on a new thread; every tenth operation is one on the common graph, if there is one.
fn hand_over(mut walk: Walk, common: Option<&Mutex<Walk>>, operations: u64) -> Walk {
    for _ in 0..HAND_OVERS {
        let go_on = move || {
            for _ in 0..(operations / HAND_OVERS / 20).max(1) {
                walk.run(18);
                match common {
                    Some(common) => common.lock().unwrap_or_else(PoisonError::into_inner).run(2),
                    None => walk.run(2),
                }
            }
            walk
        };
        walk = thread::scope(|scope| scope.spawn(go_on).join()).expect("no walk fails");
    }
    walk
}

/// The end of a walk: once more everything is looked at.
fn over(mut walk: Walk) -> Figures {
    gleaner::collect();
    walk.check();
    walk.figures
}

fn be_child(told: &Told) -> ! {
    let start = Instant::now();
    let figures = walk_as_told(told);
    let collections = walk::collections();
    println!("{figures:?} collections: {collections} seconds: {:.1}", start.elapsed().as_secs_f32());
    assert!(collections > 2 && figures.checks > 2, "no collection");
    let of = |part: u64, whole: u64| part as f64 / whole.max(1) as f64;
    let out_of_reach = figures.made - figures.last_reachable;
    let died = of(figures.gone, out_of_reach);
    let kept = of(figures.survivors, figures.reachable);
    let kept_of_made = of(figures.survivors / figures.checks, figures.made);
    println!(
        "{} values, {died:.3} of those out of reach died; out of reach and kept: {kept:.3} of what was in reach, \
         {kept_of_made:.3} of all",
        figures.made,
    );
    assert!(died > 0.7, "most values die");
    // One stale word keeps whatever hangs together. Where little is in reach, that may be many times as much.
    assert!(kept < 3.0 || kept_of_made < 0.05, "what is out of reach goes away");
    std::process::exit(0);
}

// ---- In the test ----

fn number(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    Some(text.parse().unwrap_or_else(|e| panic!("{name}={text}: {e}; it takes a number")))
}

fn seed() -> u64 {
    let now = || SystemTime::now().duration_since(UNIX_EPOCH).expect("a time after 1970").as_micros() as u64;
    number("SEED").unwrap_or_else(now)
}

/// Runs the calling test's child.
fn child(test: &str, options: &str, arguments: &str) -> doors::Outcome {
    told().inspect(|told| be_child(told));
    let mut command = Command::new(std::env::current_exe().expect("this program has a path"));
    command.args(["--exact", test, "--nocapture", "--test-threads=1"]);
    command.env(NAME, arguments).env("GLEANER_OPTIONS", options).env("RUST_BACKTRACE", "0");
    doors::run(&mut command, DEADLINE)
}

/// Walks with one thread and with four, a `share` of a hundred of all operations.
fn walks(test: &str, options: &str, share: u64) {
    let (seed, operations) = (seed(), number("OPERATIONS").unwrap_or(OPERATIONS) * share / 100);
    for threads in [1, 4] {
        let arguments = format!("{seed} {} {threads}", operations / 2);
        let outcome = child(test, options, &arguments);
        println!("SEED={seed} GLEANER_OPTIONS={options} walk {arguments}");
        outcome.stdout.lines().filter(|line| line.contains("operations") || line.contains("values")).for_each(|line| {
            println!("  {line}");
        });
        let is_over = outcome.succeeded() || options.contains("refuse") && has_no_memory(&outcome);
        assert!(is_over, "SEED={seed}, {threads} threads, options \"{options}\": {outcome}");
    }
}

/// The system refused what a `Box` or `Vec` asked for, which ends a program; what came before was right.
fn has_no_memory(outcome: &doors::Outcome) -> bool {
    outcome.aborted() && outcome.stderr.starts_with("memory allocation of ") && !outcome.stderr.contains("panicked")
}

macro_rules! walks {
    ($($name:ident $options:literal $share:literal;)*) => {$(
        #[test]
        fn $name() {
            walks(stringify!($name), $options, $share);
        }
    )*};
}

walks! {
    the_handles_agree_with_their_twin "floor=64K" 34;
    the_handles_agree_with_their_twin_under_zeal "zeal=300:poison=1:verify=1:recheck=1" 8;
    the_handles_agree_with_their_twin_under_much_zeal "zeal=20:poison=1" 4;
    the_handles_agree_with_their_twin_with_several_markers "markers=3:mark_stack=64:recheck=1:floor=64K" 18;
    the_handles_agree_with_their_twin_where_the_system_refuses_memory "refuse=7:floor=64K" 12;
    the_handles_agree_with_their_twin_in_quarantine "free=quarantine:verify=1:recheck=1:floor=64K" 12;
    the_handles_agree_with_their_twin_without_vector_instructions "vector=0:verify=1:floor=64K" 12;
}

#[test]
fn the_model_sees_each_fault() {
    let seed = seed();
    for (fault, message) in faults::ALL {
        let outcome = child("the_model_sees_each_fault", "zeal=300:poison=1", &format!("{seed} 20000 1 {fault:?}"));
        let is_seen = !outcome.late && !outcome.status.success() && outcome.stderr.contains(message);
        assert!(is_seen, "SEED={seed}: {fault:?} is not seen: {outcome}");
    }
}
