//! A random walk over the heap beside a naive twin: `tests/c/model/walk.c`, linked with the malloc door, so that `malloc`
//! and `gc_malloc` meet on one heap; and one over weak objects, `weak_walk.c`.
//!
//! Each test prints its seed; `SEED=<number>` in the environment walks the same way again (with one thread; two threads
//! take their turns as they come). The options make rare things common: see `heap::zeal`.

#[path = "common/doors.rs"]
mod doors;

use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

const DEADLINE: Duration = Duration::from_secs(300);

/// How much a walk is made to suffer.
struct Trial {
    options: &'static str,
    operations: u32,
    /// Whether the options make allocations fail.
    is_refused: bool,
}

/// Seeds of walks, each with its options and number of threads, that have ended in a deadlock of ours.
const FOUND: [(u64, &str, u32, u32, bool); 2] =
    [(1795287454182337, "refuse=7", 100_000, 1, true), (1795287517811543, "refuse=7", 100_000, 2, true)];

/// The programs, compiled once for all tests.
fn program() -> PathBuf {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| build("walk")).clone()
}

fn weak_program() -> PathBuf {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| build("weak_walk")).clone()
}

fn build(name: &str) -> PathBuf {
    let out = doors::scratch("model").join(name);
    let link = doors::link("gleaner_malloc");
    let mut flags = vec!["-O2", "-g", "-Wall", "-Wextra", "-Werror", "-pthread"];
    flags.extend(link.iter().map(String::as_str));
    doors::cc(&doors::root().join("tests/c/model").join(name).with_extension("c"), &out, &flags);
    out
}

fn seed() -> u64 {
    match std::env::var("SEED") {
        Ok(text) => text.parse().unwrap_or_else(|e| panic!("SEED={text}: {e}; it takes a number")),
        Err(_) => SystemTime::now().duration_since(UNIX_EPOCH).expect("a time after 1970").as_micros() as u64,
    }
}

fn walks(trial: &Trial) {
    let seed = seed();
    for threads in [1, 2] {
        walk(trial, seed, threads);
    }
}

fn walk(trial: &Trial, seed: u64, threads: u32) {
    let arguments = [
        seed.to_string(),
        (trial.operations / threads).to_string(),
        threads.to_string(),
        if trial.is_refused { "refused" } else { "exact" }.to_string(),
    ];
    println!("SEED={seed} GLEANER_OPTIONS={} walk {}", trial.options, arguments.join(" "));
    let mut command = Command::new(program());
    command.args(&arguments).env("GLEANER_OPTIONS", trial.options);
    let outcome = doors::run(&mut command, DEADLINE);
    print!("{}", outcome.stdout);
    assert!(outcome.succeeded(), "SEED={seed}, {threads} threads, options \"{}\": {outcome}", trial.options);
    assert!(outcome.stderr.is_empty(), "SEED={seed}: something was said on standard error: {outcome}");
}

#[test]
fn walks_that_once_found_something_agree() {
    for (seed, options, operations, threads, is_refused) in FOUND {
        walk(&Trial { options, operations, is_refused }, seed, threads);
    }
}

/// Weak objects beside their twin, on one and two threads.
fn weak_objects_walk(options: &str) {
    let seed = seed();
    for threads in ["1", "2"] {
        println!("SEED={seed} GLEANER_OPTIONS={options} weak_walk {seed} 40000 {threads}");
        let mut command = Command::new(weak_program());
        command.args([&seed.to_string(), "40000", threads]).env("GLEANER_OPTIONS", options);
        let outcome = doors::run(&mut command, DEADLINE);
        print!("{}", outcome.stdout);
        assert!(outcome.succeeded(), "SEED={seed}, {threads} threads, options \"{options}\": {outcome}");
    }
}

#[test]
fn weak_objects_agree_with_their_twin() {
    weak_objects_walk("");
}

#[test]
fn weak_objects_agree_with_their_twin_under_zeal() {
    weak_objects_walk("zeal=100:poison=1:verify=1:recheck=1");
}

#[test]
fn weak_objects_agree_with_their_twin_with_several_markers_and_tiny_mark_stacks() {
    weak_objects_walk("markers=3:mark_stack=64:recheck=1");
}

#[test]
fn the_heap_agrees_with_its_twin() {
    walks(&Trial { options: "", operations: 200_000, is_refused: false });
}

#[test]
fn the_heap_agrees_with_its_twin_and_is_in_order_after_each_collection() {
    walks(&Trial { options: "verify=1:floor=1M", operations: 100_000, is_refused: false });
}

#[test]
fn the_heap_agrees_with_its_twin_under_zeal() {
    walks(&Trial { options: "zeal=100:poison=1:verify=1:recheck=1", operations: 40_000, is_refused: false });
}

#[test]
fn the_heap_agrees_with_its_twin_with_several_markers() {
    walks(&Trial { options: "markers=3:recheck=1", operations: 100_000, is_refused: false });
}

#[test]
fn the_heap_agrees_with_its_twin_with_several_markers_and_tiny_mark_stacks() {
    walks(&Trial { options: "markers=3:mark_stack=64:recheck=1", operations: 100_000, is_refused: false });
}

#[test]
fn the_heap_agrees_with_its_twin_with_a_tiny_mark_stack() {
    walks(&Trial { options: "mark_stack=64:recheck=1", operations: 100_000, is_refused: false });
}

#[test]
fn the_heap_agrees_with_its_twin_without_vector_instructions() {
    walks(&Trial { options: "vector=0:recheck=1", operations: 100_000, is_refused: false });
}

#[test]
fn the_heap_agrees_with_its_twin_where_the_system_refuses_memory() {
    walks(&Trial { options: "refuse=7", operations: 100_000, is_refused: true });
}

#[test]
fn the_heap_agrees_with_its_twin_where_frees_are_checked() {
    walks(&Trial { options: "free=checked:verify=1", operations: 100_000, is_refused: false });
}

#[test]
fn the_heap_agrees_with_its_twin_in_quarantine() {
    walks(&Trial { options: "free=quarantine:verify=1:recheck=1", operations: 100_000, is_refused: false });
}
