//! Defects that were once there: each program fails on the engine that had it.

#[path = "common/doors.rs"]
mod doors;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

fn source(name: &str) -> PathBuf {
    doors::root().join("tests/c/regress").join(name)
}

/// Compiles `tests/c/regress/NAME.plugin.c` to the library `library`.
fn plugin(name: &str, library: &str) -> PathBuf {
    let out = doors::scratch("regress").join(library);
    doors::cc(&source(&format!("{name}.plugin.c")), &out, &["-O1", "-Wall", "-shared", "-fPIC", "-Wl,-z,now"]);
    out
}

/// Compiles `tests/c/regress/NAME.c` to the program `program`.
fn program(name: &str, program: &str, flags: &[&str]) -> PathBuf {
    let out = doors::scratch("regress").join(program);
    let flags = [&["-O1", "-Wall", "-pthread", "-ldl"], flags].concat();
    doors::cc(&source(&format!("{name}.c")), &out, &flags);
    out
}

/// Runs a program under the preloaded malloc door with `options`.
fn preloaded(program: &Path, arguments: &[&Path], options: &str) -> doors::Outcome {
    let mut command = Command::new(program);
    command.args(arguments);
    command.env("LD_PRELOAD", doors::doors().join("libgleaner_malloc.so")).env("GLEANER_OPTIONS", options);
    doors::run(&mut command, Duration::from_secs(120))
}

/// Whether some process said at its end that it has collected.
fn has_collected(outcome: &doors::Outcome) -> bool {
    outcome.stderr.lines().any(|line| line.contains("exit collections=") && !line.contains("collections=0 "))
}

#[test]
fn a_vfork_child_that_resets_signals_leaves_its_parent_collectable() {
    let program = program("vfork_child_resets_signals", "vfork_child_resets_signals", &[]);
    let outcome = preloaded(&program, &[], "zeal=1000:stats=1");
    assert!(outcome.succeeded() && outcome.stdout == "survived\n", "{outcome}");
    // The child, another program, collects nothing.
    assert!(has_collected(&outcome), "{outcome}");
}

#[test]
fn a_library_opened_with_deepbind_shares_the_programs_malloc() {
    let library = plugin("deepbind", "deepbind.so");
    let outcome = preloaded(&program("deepbind", "deepbind", &[]), &[&library], "zeal=1000");
    assert!(outcome.succeeded() && outcome.stdout == "shared\n", "{outcome}");
}

#[test]
fn a_library_that_hides_pointers_loses_nothing_when_it_is_there_from_the_start() {
    let library = plugin("hidden_offsets", "libfontconfig.so");
    let directory = library.parent().expect("it lies in a directory").display().to_string();
    let link = ["-Wl,--no-as-needed", &format!("-L{directory}"), &format!("-Wl,-rpath,{directory}"), "-lfontconfig"];
    let program = program("hidden_offsets", "hidden_offsets_linked", &link);
    let outcome = preloaded(&program, &[], "zeal=500:poison=1:stats=1");
    assert!(outcome.succeeded() && outcome.stdout == "whole\n" && has_collected(&outcome), "{outcome}");
    assert!(outcome.stderr.contains("stops_abandoned=0"), "{outcome}");
}

#[test]
fn nothing_is_reclaimed_once_a_library_that_hides_pointers_has_been_opened() {
    let library = plugin("hidden_offsets", "libfontconfig.so.1");
    let program = program("hidden_offsets", "hidden_offsets_opened", &[]);
    let outcome = preloaded(&program, &[&library], "zeal=500:poison=1:verbose=1");
    assert!(outcome.succeeded() && outcome.stdout == "whole\n", "{outcome}");
    assert!(outcome.stderr.contains("libfontconfig.so.1 hides pointers"), "{outcome}");
}

#[test]
fn protected_pages_of_the_heap_are_read_kept_and_stay_protected() {
    let program = program("closed_pages", "closed_pages", &[]);
    for options in ["zeal=500:poison=1:stats=1", "zeal=5000:recheck=1:verify=1:mark_stack=64:stats=1"] {
        let outcome = preloaded(&program, &[], options);
        assert!(outcome.succeeded() && outcome.stdout == "whole\n" && has_collected(&outcome), "{options}: {outcome}");
    }
}

/// The program `NAME.c`, under the door with `options`, survives, and each collection that was due ran.
fn survives_collected(name: &str, options: &str) {
    let outcome = preloaded(&program(name, name, &[]), &[], options);
    assert!(outcome.succeeded() && outcome.stdout == "survived\n" && has_collected(&outcome), "{name}: {outcome}");
    assert!(outcome.stderr.contains("stops_abandoned=0"), "{name}: {outcome}");
}

#[test]
fn a_program_may_replace_itself_while_its_threads_collect() {
    survives_collected("exec_beside_collections", "zeal=200:stats=1");
}

#[test]
fn threads_that_block_all_signals_are_stopped_all_the_same() {
    survives_collected("deaf_threads", "zeal=200:stats=1");
}

#[test]
fn a_thread_that_waits_for_all_signals_gets_only_those_of_the_program() {
    survives_collected("waits_for_signals", "zeal=200:stats=1");
}

#[test]
fn a_closed_page_is_found_in_a_mapping_that_begins_before_the_heap() {
    survives_collected("closed_first_page", "stats=1");
}

#[test]
fn no_call_that_waits_is_cut_short_by_a_collection() {
    let outcome = preloaded(&program("waits", "waits", &[]), &[], "zeal=1000:stats=1");
    assert!(outcome.succeeded() && outcome.stdout == "waited\n" && has_collected(&outcome), "{outcome}");
    assert!(outcome.stderr.contains("stops_abandoned=0"), "{outcome}");
}

#[test]
fn what_a_collection_took_back_holds_no_addresses_when_it_is_handed_out_again() {
    let outcome = preloaded(&program("remains", "remains", &["-fno-builtin"]), &[], "stats=1");
    assert!(outcome.succeeded() && has_collected(&outcome), "{outcome}");
}

#[test]
fn a_thread_that_allocates_little_costs_little() {
    let outcome = preloaded(&program("small_threads", "small_threads", &[]), &[], "");
    assert!(outcome.succeeded() && outcome.stdout == "small\n", "{outcome}");
}

#[test]
fn a_thread_gets_no_part_of_a_cache_line_that_another_has() {
    let outcome = preloaded(&program("own_lines", "own_lines", &[]), &[], "");
    assert!(outcome.succeeded() && outcome.stdout == "own\n", "{outcome}");
}

#[test]
fn made_code_keeps_what_its_instructions_name() {
    let program = program("made_code", "made_code", &[]);
    for options in ["zeal=500:poison=1:stats=1", "zeal=5000:recheck=1:stats=1"] {
        let outcome = preloaded(&program, &[], options);
        assert!(outcome.succeeded() && outcome.stdout == "whole\n" && has_collected(&outcome), "{options}: {outcome}");
    }
}
