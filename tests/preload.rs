//! What the malloc door promises to programs that know nothing of it, by the programs in `tests/preload`: one place or one
//! call a file, in C or C++, run with the library preloaded and judged by what it prints.
//!
//! In `places` each puts the only pointer to an object somewhere and takes it back later. It has to say "survived" without
//! us, with us, and under zeal; and it has to fail in a debug build that is blind to the place, or it shows nothing. What a
//! program needs stands in its first comment (`tests/preload/preload.h`).
//!
//! In `calls` each makes one call of the system's over and over beside a thread that collects without pause, and prints how
//! the calls have ended: as they do without us, and so under zeal.
//!
//! In `others` are programs that run beside something else that has its own idea of memory, threads or system calls, in
//! `bad` those that do what nobody should. Each has to end and to print as it does without us, and the library may say
//! nothing, though it is told to be verbose, but what the program's first comment demands.
//!
//! In `verify` are programs that touch objects whose only pointers they have hidden: with `collect=verify` that has to be
//! said, word by word as the first comment has it.
//!
//! In `grace` are programs whose pointers are out of sight for a while, with the options they survive by and those they do
//! not.
//!
//! `PLACE=12_` runs those only whose names begin so.

#[path = "common/doors.rs"]
mod doors;

use doors::Outcome;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

const DEADLINE: Duration = Duration::from_secs(120);
const SURVIVED: &str = "survived\n";

/// Options that make other parts of a collection do the work.
const VARIANTS: &[&str] = &["", "zeal=500:poison=1:verify=1", "vector=0:recheck=1:mark_stack=64"];

fn directory(kind: &str) -> PathBuf {
    doors::root().join("tests/preload").join(kind)
}

/// A program and what its first comment says of it.
struct Program {
    source: PathBuf,
    comment: String,
}

impl Program {
    fn read(source: PathBuf) -> Program {
        let text = std::fs::read_to_string(&source).expect("a readable program");
        let comment = text.split("*/").next().expect("a first comment").to_owned();
        Program { source, comment }
    }

    fn name(&self) -> &str {
        self.source.file_stem().and_then(|name| name.to_str()).expect("a name")
    }

    /// The rest of the line `key: …` of the comment.
    fn says(&self, key: &str) -> Option<&str> {
        let lines = self.comment.lines().map(|line| line.trim_start_matches([' ', '*', '/']));
        lines.filter_map(|line| line.strip_prefix(key)?.strip_prefix(':')).map(str::trim).next()
    }

    /// The rests of all lines `key: …` of the comment, but for the one blank.
    fn says_each(&self, key: &str) -> Vec<&str> {
        let lines = self.comment.lines().map(|line| line.trim_start_matches([' ', '*', '/']));
        lines.filter_map(|line| line.strip_prefix(key)?.strip_prefix(": ")).collect()
    }

    /// Compiles it, and its plug-in if it has one, which it finds beside itself as `NAME.so`.
    fn build(&self, optimisation: &str) -> PathBuf {
        let out = doors::scratch("preload").join(format!("{}{optimisation}", self.name()));
        let include = format!("-I{}", doors::root().join("tests/preload").display());
        let flags = [optimisation, "-g", "-Wall", "-Wextra", "-Werror", "-fno-builtin", "-pthread", &include];
        let link = self.says("link").unwrap_or("").split_whitespace().chain(["-ldl", "-rdynamic"]);
        doors::cc(&self.source, &out, &flags.into_iter().chain(link).collect::<Vec<_>>());
        for extension in ["plugin.c", "plugin.cc"] {
            let plugin = self.source.with_file_name(format!("{}.{extension}", self.name()));
            if plugin.exists() {
                let flags = [&flags[..], &["-shared", "-fPIC"]].concat();
                doors::cc(&plugin, &doors::scratch("preload").join(format!("{}.so", self.name())), &flags);
            }
        }
        out
    }

    /// Whether this machine cannot run it; says so.
    fn is_skipped(&self) -> bool {
        let Some(needs) = self.says("needs") else { return false };
        let ended = Command::new("sh").args(["-c", needs]).output().expect("a shell");
        if !ended.status.success() {
            println!("skipped: {}: `{needs}` fails here", self.name());
        }
        !ended.status.success()
    }

    /// The options that it needs, and more.
    fn options(&self, more: &str) -> String {
        [self.says("options").unwrap_or(""), more].join(":")
    }
}

/// The programs of a directory that are asked for.
fn programs(kind: &str) -> Vec<Program> {
    let wanted = std::env::var("PLACE").unwrap_or_default();
    let files = std::fs::read_dir(directory(kind)).expect("the programs are there");
    let mut sources: Vec<PathBuf> = files.map(|entry| entry.expect("a readable directory").path()).collect();
    sources.sort();
    let is_program = |path: &PathBuf| {
        let name = path.file_name().and_then(|name| name.to_str()).expect("a name");
        (name.ends_with(".c") || name.ends_with(".cc"))
            && !name.contains(".plugin.")
            && !name.contains(".program.")
            && name.starts_with(&wanted)
    };
    sources.into_iter().filter(is_program).map(Program::read).filter(|program| !program.is_skipped()).collect()
}

/// Judges each program, several at a time, and fails with all that was found.
fn judge_each(programs: &[Program], judge: impl Fn(&Program) -> Vec<String> + Sync) {
    let (next, found) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, usize::from).min(8) {
            scope.spawn(|| {
                // Relaxed: nothing else is shared but what the scope and the lock order.
                while let Some(program) = programs.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let problems = judge(program);
                    found.lock().expect("no judge panics with it").extend(problems);
                }
            });
        }
    });
    let found = found.into_inner().expect("no judge panics with it");
    assert!(found.is_empty(), "{} of {} programs:\n{}", found.len(), programs.len(), found.join("\n"));
}

fn run(program: &Path, library: Option<&Path>, options: &str) -> Outcome {
    let mut command = Command::new(program);
    command.env_remove("GLEANER_OPTIONS").env_remove("LD_PRELOAD");
    if let Some(library) = library {
        command.env("LD_PRELOAD", library.join("libgleaner_malloc.so")).env("GLEANER_OPTIONS", options);
    }
    doors::run(&mut command, DEADLINE)
}

#[test]
fn what_is_hidden_in_a_place_survives() {
    let library = doors::doors();
    let judge = |program: &Program| {
        let mut problems = Vec::new();
        for optimisation in ["-O0", "-O2"] {
            let built = program.build(optimisation);
            let mut expect = |how: &str, is_good: bool, outcome: &Outcome| {
                if !is_good {
                    problems.push(format!("{} {optimisation}, {how}: {outcome}", program.name()));
                }
            };
            let plain = run(&built, None, "");
            expect("without us", plain.succeeded() && plain.stdout == SURVIVED, &plain);
            let variants = if optimisation == "-O0" { &VARIANTS[..1] } else { VARIANTS };
            for variant in variants {
                let options = program.options(variant);
                let outcome = run(&built, Some(&library), &options);
                let survived = outcome.succeeded() && outcome.stdout == SURVIVED && outcome.stderr.is_empty();
                let is_good = survived != (program.says("lost") == Some("yes"));
                expect(&format!("preloaded, options '{options}'"), is_good, &outcome);
            }
        }
        problems
    };
    judge_each(&programs("places"), judge);
}

#[test]
fn what_is_hidden_in_a_place_is_lost_by_a_search_that_is_blind_to_it() {
    let library = doors::debug_doors();
    let judge = |program: &Program| {
        if program.says("lost") == Some("yes") {
            return Vec::new();
        }
        let Some(blind) = program.says("blind") else {
            return vec![format!("{}: its first comment does not say where to be blind", program.name())];
        };
        let built = program.build("-O1");
        // Without blindness the debug build loses nothing either.
        let sees = run(&built, Some(&library), &program.options(""));
        let lost = run(&built, Some(&library), &program.options(&format!("poison=1:blind={blind}")));
        let mut problems = Vec::new();
        if !(sees.succeeded() && sees.stdout == SURVIVED) {
            problems.push(format!("{}, debug build: {sees}", program.name()));
        }
        // It may well crash.
        if lost.late || lost.stdout == SURVIVED || lost.stderr.contains("is not understood") {
            problems.push(format!("{}, blind={blind}: {lost}", program.name()));
        }
        problems
    };
    judge_each(&programs("places"), judge);
}

#[test]
fn what_waits_is_not_cut_short() {
    let library = doors::doors();
    let judge = |program: &Program| {
        let built = program.build("-O2");
        let plain = run(&built, None, "");
        let mut problems = Vec::new();
        if !plain.succeeded() {
            problems.push(format!("{}, without us: {plain}", program.name()));
        }
        for variant in ["", "zeal=200:poison=1"] {
            let options = program.options(variant);
            let outcome = run(&built, Some(&library), &options);
            if !outcome.succeeded() || outcome.stdout != plain.stdout || !outcome.stderr.is_empty() {
                let expected = &plain.stdout;
                problems.push(format!("{}, options '{options}': {outcome}\nexpected: {expected}", program.name()));
            }
        }
        problems
    };
    judge_each(&programs("calls"), judge);
}

/// Directories of programs that have to do with us what they do without, and what is run of them is told to be verbose.
const LIVED_WITH: &[&str] = &["others", "bad"];

#[test]
fn what_is_lived_with_does_the_same_with_us_as_without() {
    let library = doors::doors();
    let judge = |program: &Program| {
        let built = program.build("-O2");
        let plain = run(&built, None, "");
        let mut problems = Vec::new();
        if !plain.succeeded() {
            problems.push(format!("{}, without us: {plain}", program.name()));
        }
        for variant in ["verbose=1", "verbose=1:zeal=5000:verify=1:poison=1"] {
            let options = program.options(variant);
            let outcome = run(&built, Some(&library), &options);
            let is_same = !outcome.late && outcome.status == plain.status && outcome.stdout == plain.stdout;
            let has_said = match program.says("says") {
                Some(text) => outcome.stderr.contains(text),
                None => outcome.stderr == plain.stderr,
            };
            if !is_same || !has_said {
                problems.push(format!("{}, preloaded, options '{options}': {outcome}", program.name()));
            }
        }
        problems
    };
    judge_each(&LIVED_WITH.iter().flat_map(|kind| programs(kind)).collect::<Vec<_>>(), judge);
}

/// What the library has said of accesses, but for the calls further out than `main`: without its prefix and the program's
/// name.
fn said_of_accesses(outcome: &Outcome, program: &Path) -> Vec<String> {
    let name = format!("({}+", program.file_name().and_then(|name| name.to_str()).expect("a name"));
    let lines = outcome.stderr.lines().filter(|line| !line.starts_with("gleaner: exit collections="));
    let lines =
        lines.filter_map(|line| line.strip_prefix("gleaner: verify: ").or_else(|| line.strip_prefix("gleaner: exit ")));
    let lines = lines.map(|line| line.replace(&name, "(PROGRAM+"));
    let is_outer =
        |line: &String| line.contains("called from") && (!line.contains("(PROGRAM+") || line.contains("_start"));
    lines.filter(|line| !is_outer(line)).collect()
}

/// Whether a line is as expected, where `#` stands for an address or a distance, or a count that is not zero.
fn is_as_expected(line: &str, expected: &str) -> bool {
    let mut rest = line;
    for (index, part) in expected.split('#').enumerate() {
        if index > 0 {
            let (digits, is_count) = rest.strip_prefix("0x").map_or((rest, true), |digits| (digits, false));
            let length = digits.find(|c: char| !c.is_ascii_hexdigit()).unwrap_or(digits.len());
            if length == 0 || is_count && digits.starts_with('0') {
                return false;
            }
            rest = &digits[length..];
        }
        match rest.strip_prefix(part) {
            Some(after) => rest = after,
            None => return false,
        }
    }
    rest.is_empty()
}

#[test]
fn who_touches_what_would_have_been_reclaimed_is_named() {
    let library = doors::doors();
    let debug_library = doors::debug_doors();
    let judge = |program: &Program| {
        let built = program.build("-O1");
        let plain = run(&built, None, "");
        let verified = run(&built, Some(&library), &program.options("collect=verify"));
        let mut problems = Vec::new();
        let is_same = !verified.late && verified.status == plain.status && verified.stdout == plain.stdout;
        let mut said = said_of_accesses(&verified, &built);
        if program.says("only") == Some("the last line") {
            said.drain(..said.len().saturating_sub(1));
        }
        let expected = program.says_each("says");
        let are_as_expected = said.len() == expected.len()
            && said.iter().zip(&expected).all(|(line, expected)| is_as_expected(line, expected));
        if !is_same || !are_as_expected {
            problems.push(format!("{}: {verified}\nexpected: {expected:#?}\nsaid: {said:#?}", program.name()));
        }
        if let Some(blind) = program.says("blind") {
            let options = program.options(&format!("collect=verify:blind={blind}"));
            let unseen = run(&built, Some(&debug_library), &options);
            let first = expected.first().expect("what is blind to something says something");
            if said_of_accesses(&unseen, &built).iter().any(|line| is_as_expected(line, first)) {
                problems.push(format!("{}, blind={blind}: {unseen}", program.name()));
            }
        }
        problems
    };
    judge_each(&programs("verify"), judge);
}

/// Programs that hide nothing touch nothing that would have been reclaimed; those that nothing can help do, and survive.
#[test]
fn what_survives_is_not_said_to_be_touched() {
    let library = doors::doors();
    let judge = |program: &Program| {
        let built = program.build("-O2");
        let mut problems = Vec::new();
        let options = program.options("collect=verify:zeal=500:recheck=1:verify=1");
        let outcome = run(&built, Some(&library), &options);
        let is_said = !said_of_accesses(&outcome, &built).is_empty();
        let is_good = outcome.succeeded() && outcome.stdout == SURVIVED;
        if !is_good || is_said != (program.says("lost") == Some("yes")) {
            problems.push(format!("{}, options '{options}': {outcome}", program.name()));
        }
        problems
    };
    judge_each(&programs("places"), judge);
}

/// With a grace what comes back in time is there, and not without.
#[test]
fn what_comes_back_within_the_grace_survives() {
    let library = doors::doors();
    let judge = |program: &Program| {
        let built = program.build("-O2");
        let mut problems = Vec::new();
        let cases = [("survives", SURVIVED), ("lost", "lost\n")];
        for (key, expected) in cases {
            for options in program.says_each(key) {
                let outcome = run(&built, Some(&library), options);
                if !outcome.succeeded() || outcome.stdout != expected {
                    problems
                        .push(format!("{}, options '{options}', should be {expected:?}: {outcome}", program.name()));
                }
            }
        }
        problems
    };
    judge_each(&programs("grace"), judge);
}

/// Scripts that start programs in ways of their own, with the directory of the library and one to write to.
#[test]
fn what_is_started_by_scripts_lives_with_us() {
    let library = doors::doors();
    let wanted = std::env::var("PLACE").unwrap_or_default();
    let mut found = Vec::new();
    for kind in LIVED_WITH {
        for entry in std::fs::read_dir(directory(kind)).expect("the programs are there") {
            let path = entry.expect("a readable directory").path();
            let name = path.file_name().and_then(|name| name.to_str()).expect("a name").to_owned();
            if !name.ends_with(".sh") || !name.starts_with(&wanted) {
                continue;
            }
            let scratch = doors::scratch(&format!("preload-{name}"));
            let mut command = Command::new("bash");
            command.arg(&path).arg(&library).arg(&scratch).env_remove("GLEANER_OPTIONS").env_remove("LD_PRELOAD");
            let outcome = doors::run(&mut command, DEADLINE);
            print!("{}", outcome.stdout);
            if !outcome.succeeded() {
                found.push(format!("{name}: {outcome}"));
            }
        }
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}
