//! Options as a process gets them: by name, from the environment, and what is said when they are wrong; and the manual's
//! list of them.

#[path = "common/doors.rs"]
mod doors;

use gleaner::api::options::OPTIONS;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;
use std::time::Duration;

const DEADLINE: Duration = Duration::from_secs(60);

/// A program that prints the heap's limit, linked with the archive, so that it needs no library at run time.
fn program() -> PathBuf {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    let build = || {
        let out = doors::scratch("options").join("limit");
        let archive = doors::doors().join("libgleaner.a").display().to_string();
        let source = doors::root().join("tests/c/options/limit.c");
        doors::cc(&source, &out, &["-O2", "-Wall", "-Wextra", "-Werror", "-static", &archive, "-lpthread", "-ldl"]);
        out
    };
    BUILT.get_or_init(build).clone()
}

fn with(program: &PathBuf, options: &str) -> doors::Outcome {
    doors::run(Command::new(program).env("GLEANER_OPTIONS", options), DEADLINE)
}

#[test]
fn what_is_understood_is_set_without_a_word() {
    for (options, limit) in [("", "0\n"), ("limit=64M", "67108864\n"), (":limit=1G::trace=0:", "1073741824\n")] {
        let outcome = with(&program(), options);
        assert!(outcome.succeeded() && outcome.stdout == limit && outcome.stderr.is_empty(), "{options}: {outcome}");
    }
}

/// The loader allocates before the library's constructor has read them.
#[test]
fn a_preloaded_library_is_not_late_for_options_that_have_to_be_early() {
    let library = doors::doors().join("libgleaner_malloc.so");
    let options = "zeal=50:poison=1:free=checked:stats=1";
    let outcome = doors::run(
        Command::new("/bin/ls").arg("/").env("LD_PRELOAD", library).env("GLEANER_OPTIONS", options),
        DEADLINE,
    );
    let collected =
        outcome.stderr.starts_with("gleaner: exit collections=") && !outcome.stderr.contains("collections=0 ");
    assert!(outcome.succeeded() && collected, "{outcome}");
}

#[test]
fn what_is_not_understood_is_named_and_the_rest_is_set() {
    let unknown = |name: &str, closest: &str| {
        format!("gleaner: GLEANER_OPTIONS: no option is called '{name}'; did you mean '{closest}'? (help lists them)\n")
    };
    let bad =
        |text: &str, values: &str| format!("gleaner: GLEANER_OPTIONS: {text} is not understood; it takes {values}\n");
    for (options, expected) in [
        ("limt=1M", unknown("limt", "limit")),
        ("Trace=1", unknown("Trace", "trace")),
        ("=1", unknown("", "help")),
        ("limit=-1", bad("limit=-1", "SIZE")),
        ("limit=64MB", bad("limit=64MB", "SIZE")),
        ("limit=99999999999G", bad("limit=99999999999G", "SIZE")),
        ("limit", bad("limit=", "SIZE")),
        ("free=maybe", bad("free=maybe", "normal|checked|quarantine|ignore")),
        ("signal=65", bad("signal=65", "NUMBER")),
        ("verify=yes", bad("verify=yes", "0|1")),
        ("zeal=1=2", bad("zeal=1=2", "N")),
    ] {
        let outcome = with(&program(), &format!("{options}:limit=64M"));
        let expected_limit = "67108864\n";
        assert!(outcome.succeeded() && outcome.stdout == expected_limit, "{options}: {outcome}");
        assert_eq!(outcome.stderr, expected, "{options}");
    }
}

#[test]
fn help_prints_the_table() {
    let outcome = with(&program(), "help");
    let lines: Vec<&str> = outcome.stderr.lines().collect();
    assert_eq!(lines.len(), 1 + OPTIONS.len(), "{outcome}");
    for (line, option) in lines[1..].iter().zip(OPTIONS) {
        let words: Vec<&str> = line.split_whitespace().collect();
        assert_eq!(words[0], option.name);
        assert!(option.values.is_empty() || words[1] == option.values, "{line}");
        assert!(line.ends_with(option.help), "{line}");
    }
}

#[test]
fn a_program_with_other_rights_than_its_user_s_ignores_them() {
    // SAFETY: no arguments, no effect.
    if unsafe { libc::geteuid() } != 0 {
        println!("only root can make such a program");
        return;
    }
    const NOBODY: u32 = 65534;
    let copy = doors::scratch("options").join("set-user-id");
    // Copied by another process: one that a test beside this one starts would hold the copy open for writing, and what is
    // open for writing cannot be executed.
    let copied = std::process::Command::new("cp").args([&program(), &copy]).status().expect("cp runs");
    assert!(copied.success(), "cp: {copied}");
    chown(&copy, Some(NOBODY), None).expect("another owner");
    std::fs::set_permissions(&copy, PermissionsExt::from_mode(0o4755)).expect("the set-user-id bit");
    let outcome = with(&copy, "limit=64M:help");
    assert!(outcome.succeeded() && outcome.stdout == "0\n" && outcome.stderr.is_empty(), "{outcome}");
}

#[test]
fn the_manual_lists_the_options_of_the_table() {
    let manual = std::fs::read_to_string(doors::root().join("docs/man/libgleaner_malloc.7")).expect("a manual");
    let items = manual.lines().filter_map(|line| line.strip_prefix(".It Cm "));
    let mut listed: Vec<String> = items.filter_map(|item| item.split(' ').next()).map(str::to_owned).collect();
    let mut expected: Vec<String> = OPTIONS.iter().map(|option| option.name.to_owned()).collect();
    listed.sort_unstable();
    expected.sort_unstable();
    assert_eq!(listed, expected);
    for option in OPTIONS.iter().filter(|option| option.values.contains('|')) {
        let values = option.values.replace('|', " | ");
        let item = format!(".It Cm {} Ns = Ns Cm {values}", option.name);
        assert!(manual.lines().any(|line| line == item), "the manual has no line\n{item}");
    }
}
