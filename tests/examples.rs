//! What the README shows is so: its code stands in the examples, its commands print what it quotes, its tables and links
//! are those of the repository.
//!
//! A block of code follows a comment that names its file, and is a run of whole lines of it. A block of `console` is
//! run line by line at the root of the repository, as a reader would; figures in MiB may differ, and are judged apart.

#[path = "common/doors.rs"]
mod doors;

use std::fs;
use std::process::Command;
use std::sync::OnceLock;
use std::time::Duration;

use gleaner::api::options::OPTIONS;

/// For a command that runs an example, and for one that has to build it first.
const DEADLINE: Duration = Duration::from_secs(60);
const BUILD_DEADLINE: Duration = Duration::from_secs(600);

/// A fenced block of the README.
struct Block {
    language: String,
    /// The file that the comment before it names.
    file: Option<String>,
    text: String,
}

fn readme() -> String {
    fs::read_to_string(doors::root().join("README.md")).expect("there is a README")
}

fn blocks() -> Vec<Block> {
    let readme = readme();
    let mut blocks = Vec::new();
    let mut file = None;
    let mut lines = readme.lines();
    while let Some(line) = lines.next() {
        if let Some(language) = line.strip_prefix("```") {
            let body: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
            blocks.push(Block { language: language.into(), file: file.take(), text: body.join("\n") + "\n" });
        } else {
            let comment = line.strip_prefix("<!-- ").and_then(|line| line.strip_suffix(" -->"));
            file = comment.map(str::to_owned);
        }
    }
    blocks
}

/// A command of the README, and what it prints.
struct Shown {
    command: String,
    output: String,
}

fn shown() -> Vec<Shown> {
    let mut shown: Vec<Shown> = Vec::new();
    for block in blocks().iter().filter(|block| block.language == "console") {
        for line in block.text.lines() {
            match (line.strip_prefix("$ "), shown.last_mut()) {
                (Some(command), _) => shown.push(Shown { command: command.into(), output: String::new() }),
                (None, Some(last)) => last.output += &format!("{line}\n"),
                (None, None) => panic!("the README shows the output '{line}' of no command"),
            }
        }
    }
    shown
}

/// Runs one command of the README at the root of the repository, in the state that `make` leaves behind.
fn run(command: &str) -> doors::Outcome {
    let mut shell = Command::new("sh");
    shell.args(["-c", command]).current_dir(doors::root());
    // What the outer build was told does not concern a reader who types the command.
    for told in ["GLEANER_OPTIONS", "CARGO_TARGET_DIR", "CARGO_BUILD_TARGET", "CARGO_ENCODED_RUSTFLAGS", "RUSTFLAGS"] {
        shell.env_remove(told);
    }
    let deadline = if command.starts_with("cargo ") { BUILD_DEADLINE } else { DEADLINE };
    let outcome = doors::run(&mut shell, deadline);
    assert!(outcome.succeeded(), "$ {command}\n{outcome}");
    outcome
}

/// Builds the libraries and the command, once per process.
fn make() {
    static MADE: OnceLock<()> = OnceLock::new();
    MADE.get_or_init(|| {
        doors::doors();
        run("cargo build -q --release -p gleaner-tools");
    });
}

/// The text without the figures that stand before `MiB`, which depend on the machine.
fn without_sizes(text: &str) -> String {
    let mut parts: Vec<&str> = text.split(" MiB").collect();
    let last = parts.pop().unwrap_or_default();
    let masked = parts.iter().map(|part| format!("{}N MiB", part.trim_end_matches(|c: char| c.is_ascii_digit())));
    masked.collect::<String>() + last
}

/// The figure before the first `MiB`.
fn mebibytes(text: &str) -> u64 {
    let before = text.split(" MiB").next().unwrap_or_default();
    let digits = before.rsplit(' ').next().unwrap_or_default();
    digits.parse().unwrap_or_else(|_| panic!("no size in '{text}'"))
}

#[test]
fn quoted_code_stands_in_its_example() {
    let mut quoted = 0;
    for block in blocks().iter().filter(|block| ["c", "rust"].contains(&block.language.as_str())) {
        let file = block.file.as_ref().unwrap_or_else(|| panic!("a comment names the file of\n{}", block.text));
        let text = fs::read_to_string(doors::root().join(file)).unwrap_or_else(|e| panic!("{file}: {e}"));
        let is_there = format!("\n{text}").contains(&format!("\n{}", block.text));
        assert!(is_there, "these lines of the README do not stand in {file}:\n{}", block.text);
        quoted += 1;
    }
    assert!(quoted >= 3, "the README shows an example for each door");
}

#[test]
fn commands_print_what_is_shown() {
    make();
    for Shown { command, output } in shown() {
        let outcome = run(&command);
        assert_eq!(without_sizes(&outcome.stdout), without_sizes(&output), "$ {command}\n{outcome}");
        assert_eq!(outcome.stderr, "", "$ {command}");
    }
}

#[test]
fn the_leak_is_gone_under_gleaner() {
    make();
    let out = doors::scratch("examples").join("leak");
    doors::cc(&doors::root().join("examples/c/leak.c"), &out, &["-O2"]);
    let plain = mebibytes(&run(&out.display().to_string()).stdout);
    let collected = mebibytes(&run(&format!("target/release/gleaner run {}", out.display())).stdout);
    assert!(plain >= 100, "the example leaks {plain} MiB only");
    assert!(collected <= 32, "{collected} MiB are left of the {plain} MiB that it leaks");
}

#[test]
fn c_examples_have_no_warnings_and_need_no_optimisation() {
    let output = |name: &str| {
        let command = format!("target/{name}");
        shown().into_iter().find(|shown| shown.command == command).expect("the README runs it").output
    };
    let link = doors::link("gleaner");
    let examples =
        [("header", "-std=c11", &link[..]), ("weak_table", "-std=c11", &link[..]), ("leak", "-std=gnu11", &[])];
    for (name, standard, libraries) in examples {
        for optimisation in ["-O0", "-O2"] {
            let source = doors::root().join("examples/c").join(name).with_extension("c");
            let out = doors::scratch("examples").join(format!("{name}{optimisation}"));
            let mut flags = vec![standard, optimisation, "-Wall", "-Wextra", "-pedantic", "-Werror"];
            flags.extend(libraries.iter().map(String::as_str));
            doors::cc(&source, &out, &flags);
            if !libraries.is_empty() {
                assert_eq!(run(&out.display().to_string()).stdout, output(name), "{name} {optimisation}");
            }
        }
    }
}

#[test]
fn every_example_is_shown() {
    let shown = shown();
    let makefile = fs::read_to_string(doors::root().join("Makefile")).expect("there is a Makefile");
    for directory in ["examples/c", "examples/rust"] {
        for entry in fs::read_dir(doors::root().join(directory)).expect("the examples are there") {
            let path = entry.expect("a readable directory").path();
            let name = path.file_stem().expect("a name").to_string_lossy().into_owned();
            let is_shown = shown.iter().any(|shown| shown.command.split(['/', '.', ' ']).any(|word| word == name));
            // The gateway, a directory, is what `make demo` is about.
            let is_made = [".c", "/"].iter().any(|end| makefile.contains(&format!("{directory}/{name}{end}")));
            assert!(is_shown || is_made, "nothing runs {}", path.display());
        }
    }
}

#[test]
fn every_make_target_that_is_named_exists() {
    let makefile = fs::read_to_string(doors::root().join("Makefile")).expect("there is a Makefile");
    let is_target = |name: &str| makefile.lines().any(|line| line.starts_with(&format!("{name}:")));
    let readme = readme();
    let named = readme.match_indices("make ").filter_map(|(at, word)| {
        let starts_code = readme[..at].ends_with(['`', '\n']);
        let rest = &readme[at + word.len()..];
        let end = rest.find(|c: char| !c.is_ascii_lowercase() && c != '-').unwrap_or(rest.len());
        (starts_code && end > 0 && !rest[..end].ends_with('-')).then(|| &rest[..end])
    });
    let named: Vec<&str> = named.collect();
    assert!(named.contains(&"demo") && named.contains(&"test"), "the README names the two commands, not {named:?}");
    for name in named {
        assert!(is_target(name), "the README says `make {name}`, and the Makefile has no such target");
    }
}

#[test]
fn the_table_of_options_is_the_library_s() {
    let rows: Vec<String> = OPTIONS
        .iter()
        .map(|option| format!("| `{}` | {} | {} |", option.name, option.values.replace('|', ", "), option.help))
        .map(|row| row.replace("|  |", "| |"))
        .collect();
    let readme = readme();
    let table: Vec<&str> = readme
        .lines()
        .skip_while(|line| *line != "|---|---|---|")
        .skip(1)
        .take_while(|line| line.starts_with('|'))
        .collect();
    assert_eq!(table, rows, "the README's table should be\n{}", rows.join("\n"));
}

#[test]
fn every_link_leads_somewhere() {
    let readme = readme();
    let targets: Vec<&str> = readme
        .split("](")
        .skip(1)
        .filter_map(|rest| rest.split(')').next())
        .filter(|target| !target.contains("://"))
        .collect();
    assert!(targets.len() >= 5, "the README says where to read next, not only in {targets:?}");
    for target in targets {
        assert!(doors::root().join(target).exists(), "the README links to {target}, which is not there");
    }
}

#[test]
fn sizes_are_told_from_other_figures() {
    assert_eq!(without_sizes("4 lines, 123 MiB in use, 5 MiB more, 6\n"), "4 lines, N MiB in use, N MiB more, 6\n");
    assert_eq!(mebibytes("4 lines, 123 MiB in use\n"), 123);
}
