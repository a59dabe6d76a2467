//! What a wrong program is told: tiny C programs in `tests/c/misuse`, each with one mistake.
//!
//! A program says in its first comment what must happen: `EXPECT:` the one line on standard error (`<address>` stands
//! for any address and `<number>` for any number, nothing after the colon for silence), and `EXIT:` the status, `0` or `SIGABRT`. It may say `DOOR:`
//! `gleaner_malloc` for the malloc door, and `OPTIONS:` for `GLEANER_OPTIONS`.

#[path = "common/doors.rs"]
mod doors;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

const DEADLINE: Duration = Duration::from_secs(60);

fn programs() -> PathBuf {
    doors::root().join("tests/c/misuse")
}

fn is_told(name: &str) {
    let source = programs().join(name).with_extension("c");
    let text = std::fs::read_to_string(&source).expect("the program is there");
    let expected = field(&text, "EXPECT:").unwrap_or_else(|| panic!("{name}: nothing is expected"));
    let out = doors::scratch("misuse").join(name);
    let link = doors::link(field(&text, "DOOR:").unwrap_or("gleaner"));
    // Misuse that the compiler sees it warns about, and what it knows of malloc it uses.
    let mut flags = vec!["-O2", "-g", "-Wall", "-Wextra", "-Werror", "-fno-builtin", "-pthread"];
    flags.extend(link.iter().map(String::as_str));
    doors::cc(&source, &out, &flags);

    let options = field(&text, "OPTIONS:").unwrap_or("");
    let outcome = doors::run(Command::new(&out).env("GLEANER_OPTIONS", options), DEADLINE);
    match field(&text, "EXIT:").unwrap_or("missing") {
        "0" => assert!(outcome.succeeded(), "{name}: expected to end with 0: {outcome}"),
        "SIGABRT" => assert!(outcome.aborted(), "{name}: expected to abort: {outcome}"),
        other => panic!("{name}: an exit of {other} is not known"),
    }
    let line = if expected.is_empty() { String::new() } else { format!("{expected}\n") };
    assert!(matches(&line, &outcome.stderr), "{name}: expected on stderr\n{line}and got\n{}", outcome.stderr);
}

/// The rest of the first comment's line that begins with `label`.
fn field<'a>(text: &'a str, label: &str) -> Option<&'a str> {
    let comment = text.split("*/").next().expect("a first part");
    comment.lines().find_map(|line| line.trim_start_matches([' ', '*']).strip_prefix(label)).map(str::trim)
}

/// Whether `text` is `pattern`, where `<address>` stands for `0x` and hexadecimal digits and `<number>` for decimal ones.
fn matches(pattern: &str, text: &str) -> bool {
    let Some(at) = ["<address>", "<number>"].iter().filter_map(|name| pattern.find(name)).min() else {
        return pattern == text;
    };
    let Some(rest) = text.strip_prefix(&pattern[..at]) else { return false };
    let (rest, after, is_digit): (_, _, fn(&char) -> bool) = match pattern[at..].strip_prefix("<address>") {
        Some(after) => (rest.strip_prefix("0x").unwrap_or(""), after, char::is_ascii_hexdigit),
        None => (rest, &pattern[at + "<number>".len()..], char::is_ascii_digit),
    };
    let digits = rest.chars().take_while(is_digit).count();
    digits > 0 && matches(after, &rest[digits..])
}

/// A test for each program, and the list of them.
macro_rules! misuse {
    ($($name:ident)*) => {
        $(#[test]
        fn $name() {
            is_told(stringify!($name));
        })*

        const NAMES: &[&str] = &[$(stringify!($name)),*];
    };
}

misuse! {
    absurd_sizes cache_no_cache cache_of_another_size cache_of_another_thread cache_typed_without_layout
    fiber_free_no_fiber fiber_free_own_stack fiber_free_running fiber_free_running_elsewhere fiber_free_twice fiber_new_refused fiber_switch_freed
    fiber_switch_from_unknown_stack fiber_switch_lost fiber_switch_no_fiber fiber_switch_others_own_stack fiber_switch_others_stack
    fiber_switch_running fiber_switch_running_elsewhere
    finalizer_of_no_object free_foreign free_interior free_interior_block
    free_interior_large free_interior_odd free_large_twice free_small_number free_stack free_static free_twice
    free_twice_across_flush free_twice_checked malloc_delete_twice malloc_free_interior malloc_free_large_twice
    malloc_free_misaligned malloc_free_small_number malloc_free_stack malloc_free_static malloc_free_twice
    malloc_free_twice_across_flush malloc_free_twice_checked malloc_free_twice_checked_of_loader malloc_free_unmapped malloc_realloc_freed
    malloc_realloc_interior malloc_realloc_stack memalign_3 realloc_foreign realloc_freed realloc_interior
    trace_allocates trace_collects trace_frees trace_jumps weak_unregister_twice
}

#[test]
fn every_program_in_the_directory_is_run() {
    let files = std::fs::read_dir(programs()).expect("the programs are there");
    let names = files.map(|entry| entry.expect("a readable directory").path());
    let found: BTreeSet<String> =
        names.map(|path| path.file_stem().expect("a name").to_string_lossy().into_owned()).collect();
    assert_eq!(found, NAMES.iter().map(|name| name.to_string()).collect());
}

#[test]
fn an_address_is_a_hexadecimal_number_a_number_a_decimal_one_and_the_rest_is_exact() {
    assert!(matches("a: <address>; b\n", "a: 0x7f00beef; b\n"));
    assert!(matches("<address>, <address>", "0x1, 0x2"));
    assert!(!matches("a: <address>; b\n", "a: 0x; b\n"));
    assert!(!matches("a: <address>; b\n", "a: 7f00beef; b\n"));
    assert!(!matches("a: <address>; b\n", "a: 0x7f00beef; b\nmore\n"));
    assert!(!matches("", "a word"));
    assert!(matches("thread <number>: <address>\n", "thread 4711: 0xbeef\n"));
    assert!(!matches("thread <number>: <address>\n", "thread x: 0xbeef\n"));
    assert!(!matches("thread <number>: <address>\n", "thread 4711: beef\n"));
}
