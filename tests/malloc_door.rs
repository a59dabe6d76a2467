//! What the malloc door promises, by small C and C++ programs in `tests/c/malloc`: one idea a file, linked with
//! `libgleaner_malloc.so` and run with a deadline. Each ends with 0, or says on one line what it found.
//!
//! What a program cannot judge itself, such as the text of `malloc_info`, is judged here.

#[path = "common/doors.rs"]
mod doors;

use doors::Outcome;
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

const DEADLINE: Duration = Duration::from_secs(180);

fn programs() -> PathBuf {
    doors::root().join("tests/c/malloc")
}

/// Compiles a program of the directory.
fn build(name: &str, optimisation: &str) -> PathBuf {
    let out = doors::scratch("malloc").join(format!("{name}{optimisation}"));
    let source = ["c", "cc"].map(|extension| programs().join(name).with_extension(extension));
    let source = source.iter().find(|path| path.exists()).expect("the program is there");
    let link = doors::link("gleaner_malloc");
    let mut flags = vec![optimisation, "-g", "-Wall", "-Wextra", "-Werror", "-fno-builtin", "-pthread"];
    // Sizes that no object can have are what some programs are about.
    flags.push("-Wno-alloc-size-larger-than");
    flags.extend(link.iter().map(String::as_str));
    flags.push("-ldl");
    doors::cc(source, &out, &flags);
    out
}

fn run(name: &str, options: &str) -> Outcome {
    doors::run(Command::new(build(name, "-O2")).env("GLEANER_OPTIONS", options), DEADLINE)
}

/// Runs a program under several options; it has to end with 0 and say nothing.
fn keeps(name: &str, variants: &[&str]) {
    for options in variants {
        let outcome = run(name, options);
        assert!(outcome.succeeded() && outcome.stderr.is_empty(), "{name}, options '{options}': {outcome}");
    }
}

/// A test for each program that judges itself, and the options it runs under.
macro_rules! programs {
    ($($name:ident: $($options:literal)*;)*) => {
        $(#[test]
        fn $name() {
            keeps(stringify!($name), &[$($options),*]);
        })*

        const NAMES: &[&str] = &[$(stringify!($name)),*];
    };
}

programs! {
    absurd: "" "free=checked";
    callbacks: "" "free=checked" "zeal=100";
    cancelled: "" "verify=1";
    ended_stacks: "" "verify=1:recheck=1";
    foreign: "" "free=checked" "free=quarantine";
    gives_back: "" "free=checked";
    handler: "" "free=checked";
    leader_exits: "" "verify=1";
    limited: "limit=32M" "limit=32M:free=checked";
    operators: "" "free=checked:verify=1";
    stop_frames: "" "verify=1:recheck=1";
    threads_pass: "" "verify=1:zeal=2000" "free=checked";
    semantics: "" "free=checked" "zeal=500:verify=1" "poison=1";
    waiting: "poison=1" "poison=1:verify=1";
}

#[test]
fn the_figures_are_what_was_allocated() {
    for options in ["", "free=checked"] {
        let outcome = run("figures", options);
        assert!(outcome.succeeded(), "{outcome}");
        let expected: u64 = after(&outcome.stderr, "expected ").expect("a figure");
        assert_eq!(after(&outcome.stderr, "in use bytes     = "), Some(expected), "malloc_stats\n{}", outcome.stderr);
        let elements = elements(&outcome.stdout).unwrap_or_else(|problem| panic!("{problem}:\n{}", outcome.stdout));
        let in_use = elements.iter().find(|element| element.starts_with("inuse ")).expect("a total");
        assert_eq!(after(in_use, " size=\""), Some(expected), "malloc_info\n{}", outcome.stdout);
    }
}

#[test]
fn the_summary_comes_though_standard_error_is_closed() {
    // coreutils close it before the line is due.
    let library = doors::doors().join("libgleaner_malloc.so");
    for program in [&["/bin/ls", "-d", "/"][..], &["/bin/cat", "/dev/null"], &["/bin/true"]] {
        let mut command = Command::new(program[0]);
        command.args(&program[1..]).env("LD_PRELOAD", &library).env("GLEANER_OPTIONS", "stats=1");
        let outcome = doors::run(&mut command, DEADLINE);
        assert!(
            outcome.succeeded() && outcome.stderr.starts_with("gleaner: exit collections="),
            "{program:?}: {outcome}"
        );
    }
    let file = doors::scratch("malloc").join("another_file");
    let mut command = Command::new(build("closes_all", "-O2"));
    let outcome = doors::run(command.arg(&file).env("GLEANER_OPTIONS", "stats=1"), DEADLINE);
    assert!(outcome.succeeded() && outcome.stderr.starts_with("gleaner: exit collections="), "{outcome}");
    assert_eq!(std::fs::read_to_string(file).expect("the program made it"), "", "a line went to another file");
}

/// The number that follows the first `label`.
fn after(text: &str, label: &str) -> Option<u64> {
    let rest = text.split_once(label)?.1.trim_start();
    rest[..rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len())].parse().ok()
}

/// The elements of a document of XML without text, or what is wrong with it.
fn elements(text: &str) -> Result<Vec<String>, String> {
    let (mut open, mut elements) = (Vec::new(), Vec::new());
    for part in text.split('<').skip(1) {
        let (element, rest) = part.split_once('>').ok_or("an element does not end")?;
        if !rest.trim().is_empty() {
            return Err(format!("text in an element: {rest}"));
        }
        if let Some(name) = element.strip_prefix('/') {
            if open.pop().as_deref() != Some(name) {
                return Err(format!("{name} ends and was not open"));
            }
            continue;
        }
        if element.matches('"').count() % 2 != 0 || element.matches('=').count() * 2 != element.matches('"').count() {
            return Err(format!("quotes in {element}"));
        }
        elements.push(element.trim_end_matches('/').to_owned());
        if !element.ends_with('/') {
            open.push(element.split(' ').next().unwrap_or(element).to_owned());
        }
    }
    if open.is_empty() && !elements.is_empty() { Ok(elements) } else { Err(format!("still open: {open:?}")) }
}

#[test]
fn documents_that_are_not_well_formed_are_noticed() {
    assert_eq!(elements("<a b=\"1\">\n<c d=\"2\"/>\n</a>\n"), Ok(vec!["a b=\"1\"".into(), "c d=\"2\"".into()]));
    for wrong in ["<a>", "<a></b>", "<a b=1></a>", "<a b=\"1></a>", "<a>text</a>", ""] {
        assert!(elements(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn every_program_in_the_directory_is_run() {
    let files = std::fs::read_dir(programs()).expect("the programs are there");
    let paths = files.map(|entry| entry.expect("a readable directory").path());
    let sources = paths.filter(|path| path.extension().is_some_and(|extension| extension != "h"));
    let found: BTreeSet<String> =
        sources.map(|path| path.file_stem().expect("a name").to_string_lossy().into_owned()).collect();
    let judged_here = ["closes_all", "figures"];
    assert_eq!(found, NAMES.iter().chain(&judged_here).map(|name| name.to_string()).collect());
}
