//! What a program that is run gets: the library, the options, its own pid, signals and status.

use std::os::unix::process::ExitStatusExt;
use std::process::{Command, Stdio};

use crate::support::{Scratch, assert_refused, gleaner, run, stderr, stdout};

/// The options that the stand-in saw in the program.
fn options_seen(stderr: &str) -> Option<&str> {
    stderr.lines().find_map(|line| line.strip_prefix("stand-in ")?.split_once("options=")).map(|(_, options)| options)
}

#[test]
fn the_program_takes_over_the_process() {
    let scratch = Scratch::new();
    let library = scratch.stand_in("stand_in.so");
    let mut command = gleaner();
    command.args(["run", "--library"]).arg(&library).args([
        "sh",
        "-c",
        "echo $$ $0 $*; exit 7",
        "zero",
        "-a",
        "--",
        "b",
    ]);
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let pid = child.id();
    let output = child.wait_with_output().unwrap();
    assert_eq!(stdout(&output), format!("{pid} zero -a -- b\n"));
    assert_eq!(stderr(&output), format!("stand-in pid={pid} options=none\n"));
    assert_eq!(output.status.code(), Some(7));
}

#[test]
fn a_signal_ends_the_program_itself() {
    let scratch = Scratch::new();
    let library = scratch.stand_in("stand_in.so");
    let script = scratch.write("die", "#!/bin/sh\nkill -TERM $$\n", 0o755);
    assert_eq!(run(&library, script).status.signal(), Some(15));
}

#[test]
fn a_broken_pipe_ends_the_program_as_usual() {
    let scratch = Scratch::new();
    let library = scratch.stand_in("stand_in.so");
    let script = scratch.write("die", "#!/bin/sh\nkill -PIPE $$\n", 0o755);
    assert_eq!(run(&library, script).status.signal(), Some(13));
}

#[test]
fn the_name_that_was_typed_is_argument_zero() {
    let scratch = Scratch::new();
    let library = scratch.stand_in("stand_in.so");
    let output =
        gleaner().args(["run", "--library"]).arg(library).args(["cat", "/proc/self/cmdline"]).output().unwrap();
    assert_eq!(stdout(&output), "cat\0/proc/self/cmdline\0");
}

#[test]
fn flags_become_options_and_win_over_inherited_ones() {
    let scratch = Scratch::new();
    let library = scratch.stand_in("stand_in.so");
    let mut command = gleaner();
    command.env("GLEANER_OPTIONS", "trace=0:verify=0:recheck=1").args(["run", "--library"]).arg(library);
    command.args(["--collect", "report", "--limit", "64M", "--pace", "0.5", "--free", "checked", "--grace=3,1"]);
    command.args(["--trace", "--summary", "--verify", "--verbose", "--option", "zeal=9", "--option=pace=2", "true"]);
    let output = command.output().unwrap();
    let expected =
        "recheck=1:collect=report:limit=64M:free=checked:grace=3,1:trace=1:stats=1:verify=1:verbose=1:zeal=9:pace=2";
    assert_eq!(options_seen(&stderr(&output)), Some(expected));
    assert_eq!(output.status.code(), Some(0));
}

#[test]
fn libraries_that_are_preloaded_already_stay_behind_ours() {
    let scratch = Scratch::new();
    let (ours, theirs) = (scratch.stand_in("ours.so"), scratch.stand_in("theirs.so"));
    let inherited = format!("{} {}", theirs.display(), ours.display());
    let mut command = gleaner();
    command.env("LD_PRELOAD", inherited).args(["run", "--library"]).arg(&ours).args(["sh", "-c", "echo $LD_PRELOAD"]);
    let output = command.output().unwrap();
    assert_eq!(stdout(&output), format!("{}:{}\n", ours.display(), theirs.display()));
}

#[test]
fn a_relative_library_is_made_absolute() {
    let scratch = Scratch::new();
    let library = scratch.stand_in("stand_in.so");
    let mut command = gleaner();
    command.current_dir(library.parent().unwrap()).args([
        "run",
        "--library",
        "stand_in.so",
        "sh",
        "-c",
        "echo $LD_PRELOAD",
    ]);
    assert_eq!(stdout(&command.output().unwrap()), format!("{}\n", library.display()));
}

#[test]
fn the_library_is_found_beside_the_command() {
    for place in ["prefix/lib", "prefix/bin", "prefix/doors/release"] {
        let scratch = Scratch::new();
        let library = scratch.stand_in(&format!("{place}/libgleaner_malloc.so"));
        let installed = scratch.install("prefix/bin/gleaner");
        let mut command = Command::new(&installed);
        command.env_remove("LD_PRELOAD").args(["run", "sh", "-c", "echo $LD_PRELOAD"]);
        assert_eq!(stdout(&command.output().unwrap()), format!("{}\n", library.display()));
    }
}

#[test]
fn a_missing_library_is_explained() {
    let scratch = Scratch::new();
    let lonely = scratch.install("bin/gleaner");
    let output = Command::new(&lonely).args(["run", "true"]).output().unwrap();
    let message = format!(
        "library: libgleaner_malloc.so not found: looked from {} in ../lib, ../lib64, ../lib/x86_64-linux-gnu, ., \
         ../doors/release; install it there, build it with `make`, or pass --library PATH",
        scratch.path("bin").display()
    );
    assert_refused(&output, 125, &message);
}

#[test]
fn a_library_that_the_loader_would_skip_is_refused() {
    let scratch = Scratch::new();
    let text = scratch.write("text.so", "not a library\n", 0o644);
    let absent = scratch.path("absent.so");
    let spaced = scratch.stand_in("with space.so");
    let of_machine = |name: &str, class: u8, machine: u16| {
        let mut content = std::fs::read(scratch.stand_in(name)).unwrap();
        content[4] = class;
        content[18..20].copy_from_slice(&machine.to_le_bytes());
        scratch.write(name, content, 0o755)
    };
    let (aarch64, i386) = (of_machine("aarch64.so", 2, 183), of_machine("i386.so", 1, 3));
    let refused = |path: &std::path::Path, what: &str| {
        let message = format!("library: {what}: {}; pass --library PATH", path.display());
        assert_refused(&run(path, "true"), 125, &message);
    };
    refused(&text, "not a shared library for x86-64");
    refused(&aarch64, "not a shared library for x86-64");
    refused(&i386, "not a shared library for x86-64");
    refused(&absent, "No such file or directory (os error 2)");
    refused(&spaced, "a path with a space or a colon cannot be told to the loader");
}

#[test]
fn the_table_of_options_is_the_librarys() {
    let scratch = Scratch::new();
    let library = scratch.stand_in("stand_in.so");
    let output = gleaner().args(["options", "--library"]).arg(library).output().unwrap();
    assert_eq!(stdout(&output), "stand-in table\n");
    assert_eq!(output.status.code(), Some(0));
}

#[test]
fn a_wrong_command_line_is_the_commands_failure() {
    let output = gleaner().args(["run", "--tracee", "true"]).output().unwrap();
    assert!(stderr(&output).contains("--tracee"), "{}", stderr(&output));
    assert_eq!(output.status.code(), Some(125));
    let output = gleaner().arg("--version").output().unwrap();
    assert_eq!(stdout(&output), format!("gleaner {}\n", env!("CARGO_PKG_VERSION")));
    assert_eq!(output.status.code(), Some(0));
}

#[test]
fn with_libgc_the_program_gets_it_and_nothing_is_preloaded() {
    let scratch = Scratch::new();
    let library = scratch.stand_in("ours/libgc.so.1");
    let folder = library.parent().unwrap().display().to_string();
    let search = format!("-L{folder}");
    // Arguments: the source stands behind them.
    let linked = scratch.program("linked", &["-Wl,--no-as-needed", &search, "-l:libgc.so.1"]);
    let run = |program: &str, arguments: &[&str]| {
        let mut command = gleaner();
        command.env("LD_LIBRARY_PATH", "/theirs").args(["run", "--libgc", "--trace", "--library"]).arg(&library);
        command.arg("--").arg(program).args(arguments).output().unwrap()
    };
    let output = run(linked.to_str().unwrap(), &[]);
    assert_eq!(options_seen(&stderr(&output)), Some("trace=1"), "{output:?}");
    let output = run("sh", &["-c", "echo $LD_LIBRARY_PATH, $LD_PRELOAD."]);
    assert_eq!(stdout(&output), format!("{folder}:/theirs, .\n"));
}

#[test]
fn libgc_has_to_have_the_name_that_programs_ask_for() {
    let scratch = Scratch::new();
    let library = scratch.stand_in("libother.so");
    let output = gleaner().args(["run", "--libgc", "--library"]).arg(&library).arg("true").output().unwrap();
    let message = "library: not named libgc.so.1, which is what programs ask the loader for";
    assert_refused(&output, 125, &format!("{message}: {}; rename it", library.display()));
}
