//! Programs that would run without the library are refused, each with its message and the status that `env` uses.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use crate::support::{Scratch, assert_refused, gleaner, run, stderr, stdout};
use rustix::fs::XattrFlags;

/// A copy of an ordinary program.
fn copy_of_true(scratch: &Scratch, name: &str, mode: u32) -> PathBuf {
    scratch.write(name, fs::read("/bin/true").unwrap(), mode)
}

/// A copy of an ordinary program with some bytes of its header changed.
fn patched(scratch: &Scratch, name: &str, offset: usize, bytes: &[u8]) -> PathBuf {
    let mut content = fs::read("/bin/true").unwrap();
    content[offset..offset + bytes.len()].copy_from_slice(bytes);
    scratch.write(name, content, 0o755)
}

/// Asserts that `program` is refused with `status`: "run: WHAT: PROGRAM; ADVICE".
#[track_caller]
fn refused(scratch: &Scratch, program: &Path, status: i32, what: &str, advice: &str) {
    let library = scratch.stand_in("stand_in.so");
    assert_refused(&run(&library, program), status, &format!("run: {what}: {}; {advice}", program.display()));
}

#[test]
fn a_static_program() {
    let scratch = Scratch::new();
    let what = "a static program, into which nothing can be preloaded";
    let advice = "link it dynamically, or run it without gleaner";
    refused(&scratch, &scratch.program("fixed", &["-static"]), 126, what, advice);
    refused(&scratch, &scratch.program("moving", &["-static-pie"]), 126, what, advice);
}

#[test]
fn a_program_that_gains_privileges() {
    let scratch = Scratch::new();
    let advice = "run a copy without it, or link the program with the library";
    let what = |privilege: &str| format!("a program with {privilege}, for which the loader ignores LD_PRELOAD");
    let user = copy_of_true(&scratch, "user", 0o4755);
    refused(&scratch, &user, 126, &what("the set-user-id bit"), advice);
    let group = copy_of_true(&scratch, "group", 0o2755);
    refused(&scratch, &group, 126, &what("the set-group-id bit"), advice);
}

#[test]
fn a_program_with_file_capabilities() {
    let scratch = Scratch::new();
    let program = copy_of_true(&scratch, "capable", 0o755);
    // The kernel's vfs_cap_data: revision 2, effective; CAP_NET_BIND_SERVICE permitted, nothing inheritable.
    let mut capability = [0_u8; 20];
    capability[..4].copy_from_slice(&0x0200_0001_u32.to_le_bytes());
    capability[4..8].copy_from_slice(&(1_u32 << 10).to_le_bytes());
    match rustix::fs::setxattr(&program, "security.capability", &capability, XattrFlags::empty()) {
        Ok(()) => {}
        Err(error) => return eprintln!("skipped: no file capability can be set here: {error}"),
    }
    let what = "a program with file capabilities, for which the loader ignores LD_PRELOAD";
    refused(&scratch, &program, 126, what, "run a copy without it, or link the program with the library");
}

#[test]
fn a_set_group_id_bit_without_execution_by_the_group_gives_nothing() {
    let scratch = Scratch::new();
    let program = copy_of_true(&scratch, "locked", 0o2745);
    assert_eq!(run(&scratch.stand_in("stand_in.so"), program).status.code(), Some(0));
}

#[test]
fn a_program_for_another_machine() {
    let scratch = Scratch::new();
    let narrow = patched(&scratch, "narrow", 4, &[1]);
    let advice = "the library is for x86-64 of 64 bit: build the program for that";
    refused(&scratch, &narrow, 126, "a program of 32 bit", advice);
    let foreign = patched(&scratch, "foreign", 18, &183_u16.to_le_bytes());
    let advice = "the library is for x86-64: build the program for that";
    refused(&scratch, &foreign, 126, "a program for another processor (EM_AARCH64)", advice);
}

#[test]
fn a_program_of_another_loader() {
    let scratch = Scratch::new();
    let musl = scratch.program("musl", &["-Wl,--dynamic-linker=/lib/ld-musl-x86_64.so.1"]);
    let what = "a program on musl, while the library needs glibc";
    refused(&scratch, &musl, 126, what, "build the program for glibc");
    let lost = scratch.program("lost", &["-Wl,--dynamic-linker=/nonexistent/ld.so"]);
    let message = format!(
        "run: the loader of the program does not exist: {} names /nonexistent/ld.so; install it",
        lost.display()
    );
    assert_refused(&run(&scratch.stand_in("stand_in.so"), &lost), 127, &message);
}

#[test]
fn a_file_that_is_no_program() {
    let scratch = Scratch::new();
    let object = scratch.program("object", &["-c"]);
    fs::set_permissions(&object, fs::Permissions::from_mode(0o755)).unwrap();
    refused(&scratch, &object, 126, "an object or core file, not a program", "link it first");
    let damaged = scratch.write("damaged", b"\x7fELF\x02", 0o755);
    refused(&scratch, &damaged, 126, "a damaged ELF file", "build or install the program again");
    let other = scratch.write("other", b"MZ\0\0", 0o755);
    let advice = "give a program for this machine";
    refused(&scratch, &other, 126, "neither an ELF program nor a script", advice);
}

#[test]
fn a_program_that_is_not_there_or_not_executable() {
    let scratch = Scratch::new();
    let library = scratch.stand_in("stand_in.so");
    let message = "run: not found in PATH: no-such-program; check the name, or give a path";
    assert_refused(&run(&library, "no-such-program"), 127, message);
    refused(&scratch, &scratch.path("absent"), 127, "not found", "check the path");
    refused(&scratch, Path::new("/bin"), 126, "a directory", "give a program");
    let plain = scratch.write("plain", "text\n", 0o644);
    let message = format!("run: not executable: {}: Permission denied (os error 13); see chmod(1)", plain.display());
    assert_refused(&run(&library, &plain), 126, &message);
    let mut command = gleaner();
    command.env("PATH", plain.parent().unwrap()).args(["run", "--library"]).arg(&library).arg("plain");
    assert_refused(&command.output().unwrap(), 126, &message);
}

#[test]
fn a_script_is_judged_by_its_interpreter() {
    let scratch = Scratch::new();
    let library = scratch.stand_in("stand_in.so");
    let fixed = scratch.program("fixed", &["-static"]);
    let message = format!(
        "run: a static program, into which nothing can be preloaded: {}; link it dynamically, or run it without gleaner",
        fixed.display()
    );
    let direct = scratch.write("direct", format!("#!{}\n", fixed.display()), 0o755);
    assert_refused(&run(&library, direct), 126, &message);
    let looked_up = scratch.write("looked-up", "#!/usr/bin/env fixed\n", 0o755);
    let mut command = gleaner();
    command.env("PATH", fixed.parent().unwrap()).args(["run", "--library"]).arg(&library).arg(looked_up);
    assert_refused(&command.output().unwrap(), 126, &message);
    let lost = scratch.write("lost", "#!/nonexistent/shell\n", 0o755);
    let message = format!(
        "run: the interpreter of a script cannot be run: {} names /nonexistent/shell; correct its first line",
        lost.display()
    );
    assert_refused(&run(&library, lost), 127, &message);
}

#[test]
fn scripts_that_can_be_run_are_run() {
    let scratch = Scratch::new();
    let library = scratch.stand_in("stand_in.so");
    // Set-user-id means nothing on a script.
    for (name, head, mode) in
        [("named", "#!/bin/sh\n", 0o4755), ("env", "#!/usr/bin/env sh\n", 0o755), ("bare", "", 0o755)]
    {
        let script = scratch.write(name, format!("{head}echo {name}\n"), mode);
        let output = run(&library, script);
        assert_eq!(stdout(&output), format!("{name}\n"));
        assert!(stderr(&output).starts_with("stand-in pid="), "{}", stderr(&output));
    }
}

#[test]
fn scripts_that_interpret_each_other_come_to_an_end() {
    let scratch = Scratch::new();
    let script = scratch.path("circle");
    scratch.write("circle", format!("#!{}\n", script.display()), 0o755);
    refused(&scratch, &script, 126, "too many scripts in a row", "name the interpreter yourself");
}
