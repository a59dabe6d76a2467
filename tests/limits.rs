//! Limits of the process: little address space from the start or later, little data, no room at all, memory that is
//! locked. The programs are in `tests/c/limits`.
//!
//! `overcommit_memory=2` is a setting of the whole machine, which no test changes. What it does to the heap, refuse to
//! make reserved pages writable, the option `refuse` does as well.

#[path = "common/doors.rs"]
mod doors;

use doors::Outcome;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;
use std::time::Duration;

const DEADLINE: Duration = Duration::from_secs(60);
const MIB: u64 = 1 << 20;

fn build(name: &str, out: &str, library: Option<&str>) -> PathBuf {
    let source = doors::root().join("tests/c/limits").join(name).with_extension("c");
    let out = doors::scratch("limits").join(out);
    let link = library.map(doors::link).unwrap_or_default();
    let mut flags = vec!["-O2", "-g", "-Wall", "-Wextra", "-Werror", "-fno-builtin", "-pthread"];
    if library == Some("gleaner") {
        flags.push("-DLIBRARY");
    }
    flags.extend(link.iter().map(String::as_str));
    flags.push("-ldl");
    doors::cc(&source, &out, &flags);
    out
}

/// The program `room` for each door, built once.
fn doors_of_room() -> [(&'static str, PathBuf); 2] {
    static BUILT: OnceLock<[(&str, PathBuf); 2]> = OnceLock::new();
    let build = || ["gleaner", "gleaner_malloc"].map(|door| (door, build("room", &format!("room-{door}"), Some(door))));
    BUILT.get_or_init(build).clone()
}

/// Runs a command with a limit on a resource.
fn limited(command: &mut Command, resource: libc::__rlimit_resource_t, bytes: u64) -> Outcome {
    let limit = libc::rlimit { rlim_cur: bytes, rlim_max: bytes };
    let set = move || {
        // SAFETY: a system call with a structure of ours.
        match unsafe { libc::setrlimit(resource, &limit) } {
            0 => Ok(()),
            _ => Err(std::io::Error::last_os_error()),
        }
    };
    // SAFETY: between fork and exec the closure makes one system call and allocates nothing.
    unsafe { command.pre_exec(set) };
    doors::run(command, DEADLINE)
}

fn room(program: &PathBuf, size: u64, least: u64) -> Command {
    let mut command = Command::new(program);
    command.arg(size.to_string()).arg(least.to_string()).env_remove("GLEANER_OPTIONS");
    command
}

#[test]
fn a_program_runs_in_the_address_space_that_it_has() {
    for (door, program) in doors_of_room() {
        for (limit, size) in [(64, 1000), (64, 300_000), (200, 5000), (200, 3 * MIB), (1024, MIB)] {
            let command = &mut room(&program, size, limit * MIB * 6 / 10);
            let outcome = limited(command, libc::RLIMIT_AS, limit * MIB);
            assert!(outcome.succeeded() && outcome.stderr.is_empty(), "{door}, {size} in {limit} MiB: {outcome}");
        }
    }
}

#[test]
fn a_program_runs_with_the_data_that_it_may_have() {
    for (door, program) in doors_of_room() {
        let outcome = limited(&mut room(&program, 1000, 30 * MIB), libc::RLIMIT_DATA, 64 * MIB);
        assert!(outcome.succeeded() && outcome.stderr.is_empty(), "{door}: {outcome}");
    }
}

#[test]
fn a_limit_that_is_lowered_while_the_program_runs_leaves_room_for_all() {
    for (door, program) in doors_of_room() {
        for limit in [64, 512] {
            // The heap grows by 8 MiB of address space at least: of 64 MiB a whole step may not fit any more.
            let mut command = room(&program, 5000, limit * MIB * 55 / 100);
            let outcome = doors::run(command.args(["lower", &(limit * MIB).to_string()]), DEADLINE);
            assert!(outcome.succeeded() && outcome.stderr.is_empty(), "{door}, {limit} MiB: {outcome}");
        }
    }
}

#[test]
fn a_program_without_any_room_is_told_once_and_gets_null() {
    for (door, program) in doors_of_room() {
        let outcome = limited(&mut room(&program, 1000, 0), libc::RLIMIT_AS, 8 * MIB);
        let told = "gleaner: the heap could not be set up: the system refused address space or the stop signal; raise \
                    `ulimit -v`\n";
        assert_eq!(outcome.stderr, told, "{door}: {outcome}");
        assert_eq!(outcome.stdout, "no memory after all was given back (errno 12)\n", "{door}: {outcome}");
    }
}

#[test]
fn pages_that_the_system_refuses_are_no_memory_and_no_crash() {
    for (door, program) in doors_of_room() {
        for refuse in ["2", "3", "7", "50"] {
            let mut command = room(&program, 1000, 0);
            command.env("GLEANER_OPTIONS", format!("refuse={refuse}:limit=64M"));
            let outcome = doors::run(&mut command, DEADLINE);
            // A request may fail at any time: the last one, too.
            let is_told = outcome.status.code() == Some(1) && outcome.stdout.starts_with("no memory after");
            assert!(!outcome.late && (outcome.succeeded() || is_told), "{door}, refuse={refuse}: {outcome}");
        }
    }
}

/// What a program says when the system does not let it lock.
const NOT_PERMITTED: i32 = 77;

#[test]
fn locked_memory_that_is_used_again_is_zero() {
    let program = build("locked_zeroes", "locked_zeroes", None);
    let mut command = Command::new(&program);
    command.arg(doors::doors().join("libgleaner.so")).env_remove("GLEANER_OPTIONS");
    let outcome = doors::run(&mut command, DEADLINE);
    // SAFETY: no arguments, no effect.
    let is_root = unsafe { libc::geteuid() } == 0;
    assert!(outcome.succeeded() || !is_root && outcome.status.code() == Some(NOT_PERMITTED), "{outcome}");
}

#[test]
fn what_is_only_reserved_is_not_locked_into_memory() {
    let program = build("locked", "locked", None);
    for when in ["before", "after"] {
        let mut command = Command::new(&program);
        command.arg(doors::doors().join("libgleaner.so")).arg(when).env_remove("GLEANER_OPTIONS");
        let outcome = doors::run(&mut command, DEADLINE);
        // SAFETY: no arguments, no effect.
        let is_root = unsafe { libc::geteuid() } == 0;
        let is_excused = !is_root && outcome.status.code() == Some(NOT_PERMITTED);
        assert!(outcome.succeeded() || is_excused, "{when}: {outcome}");
    }
}
