//! The contract of `gleaner.h`, by small C programs: one idea a file, in `tests/c/contract`.
//!
//! Each program is compiled as its users do it, without and with optimisation, linked with `libgleaner.so`, and run with
//! a deadline. It ends with 0, or says on one line what it found and what it expected.
//!
//! A library `NAME.plugin.c` beside a program `NAME.c` is built too, and its path is the program's argument.

#[path = "common/doors.rs"]
mod doors;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

const DEADLINE: Duration = Duration::from_secs(180);

fn programs() -> PathBuf {
    doors::root().join("tests/c/contract")
}

fn keeps(name: &str) {
    keeps_with(name, None);
}

fn keeps_with(name: &str, options: Option<&str>) {
    keeps_behind("gleaner", name, options);
}

fn keeps_behind(door: &str, name: &str, options: Option<&str>) {
    for optimisation in ["-O0", "-O2"] {
        let out = format!("{name}{optimisation}{door}{}", options.unwrap_or_default());
        let out = doors::scratch("contract").join(out);
        let source = ["c", "cc"].map(|extension| programs().join(name).with_extension(extension));
        let source = source.iter().find(|path| path.exists()).expect("the program is there");
        let link = doors::link(door);
        let mut flags = vec![optimisation, "-g", "-Wall", "-Wextra", "-Werror", "-pthread"];
        flags.extend(link.iter().map(String::as_str));
        flags.push("-ldl");
        doors::cc(source, &out, &flags);

        let mut command = Command::new(&out);
        command.env_remove("GLEANER_OPTIONS");
        command.envs(options.map(|options| ("GLEANER_OPTIONS", options)));
        let plugin = programs().join(format!("{name}.plugin.c"));
        if plugin.exists() {
            let library = out.with_extension("so");
            doors::cc(&plugin, &library, &["-shared", "-fPIC", optimisation]);
            command.arg(library);
        }
        let outcome = doors::run(&mut command, DEADLINE);
        assert!(outcome.succeeded(), "{name} {optimisation} {door} {options:?}: {outcome}");
    }
}

/// What a collection has to find is the same whoever looks for it.
#[test]
fn three_markers_keep_what_one_keeps() {
    let about_marking = [
        "collecting",
        "ephemeron_chain",
        "ephemerons",
        "ephemerons_beyond_the_stack",
        "finalizers_ordered",
        "finalizers_unordered",
        "fiber_lives",
        "fiber_walk",
        "fibers",
        "fork",
        "fork_beside_collections",
        "inline_path",
        "interior",
        "kinds",
        "marking_leaves_nothing",
        "one_past_the_end",
        "pins",
        "pointer_free",
        "reachable",
        "resurrection",
        "roots",
        "tables_beyond_the_stack",
        "threads",
        "typed",
        "uncollectable",
        "weak_many",
        "weak_objects",
    ];
    about_marking.into_iter().for_each(|name| keeps_with(name, Some("markers=3")));
}

/// The second marker takes time in proportion too.
#[test]
fn a_long_chain_of_ephemerons_is_judged() {
    keeps_with("ephemeron_chain", Some("recheck=1"));
}

/// Behind `malloc` stacks are found in other ways, and a second marker judges the first.
#[test]
fn fibers_are_kept_behind_both_doors_and_judged() {
    keeps_behind("gleaner_malloc", "fiber_steps", None);
    for name in FIBERS {
        keeps_with(name, Some("recheck=1:verify=1"));
        keeps_behind("gleaner_malloc", name, None);
        keeps_behind("gleaner_malloc", name, Some("recheck=1:verify=1"));
        keeps_with(name, Some("zeal=100:poison=1:verify=1"));
    }
}

const FIBERS: &[&str] = &["fiber_ends", "fiber_lives", "fiber_threads", "fiber_unwinds", "fiber_walk", "fibers"];

#[test]
fn words_at_any_byte_of_a_stack_are_found_behind_malloc_too() {
    for options in [None, Some("vector=0"), Some("recheck=1:markers=3")] {
        for name in ["any_byte", "any_byte_across"] {
            keeps_behind("gleaner_malloc", name, options);
            keeps_with(name, options);
        }
    }
}

#[test]
fn marking_leaves_nothing_behind_malloc_either() {
    for options in [None, Some("vector=0"), Some("recheck=1:markers=3")] {
        keeps_behind("gleaner_malloc", "marking_leaves_nothing", options);
    }
}

#[test]
fn the_archive_keeps_regions_too() {
    let archive = doors::doors().join("libgleaner.a").display().to_string();
    for kind in ["-pie", "-static"] {
        let out = doors::scratch("contract").join(format!("regions{kind}"));
        doors::cc(&programs().join("regions.c"), &out, &["-O2", "-pthread", kind, &archive, "-ldl"]);
        let outcome = doors::run(Command::new(&out).env_remove("GLEANER_OPTIONS"), DEADLINE);
        assert!(outcome.succeeded(), "{kind}: {outcome}");
    }
}

/// Where every allocation has to take the slow path, the inline one leaves it to that.
#[test]
fn inlined_allocations_are_seen_by_zeal_and_checked_frees() {
    keeps_with("inline_path", Some("zeal=2000:poison=1:verify=1"));
    keeps_with("inline_path", Some("free=checked"));
}

/// The program's word is that of the copy that the loader finds first, and its functions are too.
#[test]
fn the_inline_path_takes_from_the_engine_that_is_preloaded() {
    let program = doors::scratch("contract").join("inline_path_preloaded");
    let link = doors::link("gleaner");
    let mut flags = vec!["-O2", "-pthread"];
    flags.extend(link.iter().map(String::as_str));
    doors::cc(&programs().join("inline_path.c"), &program, &flags);
    let mut command = Command::new(&program);
    command.env_remove("GLEANER_OPTIONS").env("LD_PRELOAD", doors::doors().join("libgleaner_malloc.so"));
    let outcome = doors::run(&mut command, DEADLINE);
    assert!(outcome.succeeded(), "{outcome}");
}

/// A chain through weak objects, and more of them than the mark stack has room for.
#[test]
fn weak_objects_hold_under_zeal_and_beyond_the_stack() {
    keeps_with("weak_objects", Some("zeal=500:poison=1:verify=1:recheck=1"));
    keeps_with("weak_objects", Some("mark_stack=16:recheck=1"));
}

/// The archive has the thread's word too.
#[test]
fn the_archive_has_the_inline_path() {
    let archive = doors::doors().join("libgleaner.a").display().to_string();
    for kind in ["-pie", "-static"] {
        let out = doors::scratch("contract").join(format!("inline_path{kind}"));
        doors::cc(&programs().join("inline_path.c"), &out, &["-O2", "-pthread", kind, &archive, "-ldl"]);
        let outcome = doors::run(Command::new(&out).env_remove("GLEANER_OPTIONS"), DEADLINE);
        assert!(outcome.succeeded(), "{kind}: {outcome}");
    }
}

/// A test for each program, and the list of them.
macro_rules! contract {
    ($($name:ident)*) => {
        $(#[test]
        fn $name() {
            keeps(stringify!($name));
        })*

        const NAMES: &[&str] = &[$(stringify!($name)),*];
    };
}

contract! {
    absurd_sizes any_byte any_byte_across base_and_contains blocking callback_masks callbacks_jump callbacks_throw collecting deaf_at_once dlopen_root
    ephemeron_chain ephemerons ephemerons_beyond_the_stack errno_kept events fiber_ends fiber_lives fiber_steps fiber_threads fiber_unwinds fiber_walk fibers finalizer_control finalizers_manual finalizers_ordered
    finalizers_unordered fork fork_beside_collections fork_in_iteration free glibc_heap_is_no_root heap_limit
    inline_path interior json kinds leader_exits limit_unwinds markers marking_leaves_nothing memalign one_for_all one_past_the_end oom_handler options pins pointer_free raw_thread
    reachable realloc realloc_failure regions release resurrection roots signals sizes static_root statistics
    strings tables_beyond_the_stack thread_local_root threads threads_end typed uncollectable vector_register weak weak_many weak_objects
    zeroed
}

#[test]
fn every_program_in_the_directory_is_run() {
    let files = std::fs::read_dir(programs()).expect("the programs are there");
    let names = files.map(|entry| entry.expect("a readable directory").path());
    let names = names.filter(|path| path.extension().is_some_and(|extension| extension == "c" || extension == "cc"));
    let names = names.map(|path| path.file_stem().expect("a name").to_string_lossy().into_owned());
    let found: BTreeSet<String> = names.filter(|name| !name.ends_with(".plugin")).collect();
    assert_eq!(found, NAMES.iter().map(|name| name.to_string()).collect());
}
