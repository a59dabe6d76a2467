//! What the built libraries ask of the system they meet: no glibc newer than 2.31, nothing that is not there, and an archive
//! that links; and how their code is laid out.

#[path = "common/doors.rs"]
mod doors;

use std::process::Command;
use std::time::Duration;

const DEADLINE: Duration = Duration::from_secs(60);
const LIBRARIES: [&str; 3] = ["libgleaner.so", "libgleaner_malloc.so", "libgc.so"];

/// A version `GLIBC_2.31` as its numbers; none for other names, such as that of the loader's private symbols.
fn glibc_version(name: &str) -> Option<(u32, u32)> {
    let numbers = name.trim_matches(['(', ')']).strip_prefix("GLIBC_")?;
    let mut parts = numbers.split('.').map(|part| part.parse().ok());
    Some((parts.next()??, parts.next()??))
}

/// The symbols that `table` of `objdump -T` does not define, each with the version it asks for.
fn wanted(table: &str) -> Vec<(&str, &str)> {
    let undefined = table.lines().filter(|line| line.contains("*UND*"));
    let words = undefined.map(|line| line.split_whitespace().collect::<Vec<_>>());
    words.filter_map(|words| Some((*words.last()?, *words.get(words.len().checked_sub(2)?)?))).collect()
}

fn too_new<'a>(wanted: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    wanted.iter().copied().filter(|(_, version)| glibc_version(version) > Some((2, 31))).collect()
}

#[test]
fn no_symbol_is_newer_than_glibc_2_31() {
    for library in LIBRARIES {
        let output =
            Command::new("objdump").arg("-T").arg(doors::doors().join(library)).output().expect("objdump runs");
        let table = String::from_utf8(output.stdout).expect("text");
        let wanted = wanted(&table);
        assert!(wanted.iter().any(|(name, version)| *name == "memcpy" && glibc_version(version).is_some()), "{table}");
        assert_eq!(too_new(&wanted), [], "{library}");
    }
}

/// The names of Rust's allocator in the symbol table of a file, debugging symbols included.
fn names_of_an_allocator(table: &str) -> Vec<&str> {
    let names = table.lines().filter_map(|line| line.split_whitespace().last());
    names
        .filter(|name| ["__rust_alloc", "__rust_realloc", "__rg_alloc"].iter().any(|part| name.contains(part)))
        .collect()
}

#[test]
fn no_library_contains_an_allocator_but_the_heap() {
    for library in LIBRARIES {
        let output = Command::new("nm").arg(doors::doors().join(library)).output().expect("nm runs");
        let table = String::from_utf8(output.stdout).expect("text");
        assert!(table.contains("gc_malloc"), "{library}: {table}");
        assert_eq!(names_of_an_allocator(&table), [""; 0], "{library} allocates as a Rust program does");
    }
}

#[test]
fn an_allocator_in_a_library_is_noticed() {
    let table = "0000000000001200 t _RNvCs9ltgdHTiPiY_7___rustc12___rust_alloc\n0000000000001300 T gc_malloc";
    assert_eq!(names_of_an_allocator(table), ["_RNvCs9ltgdHTiPiY_7___rustc12___rust_alloc"]);
}

#[test]
fn a_newer_symbol_is_noticed() {
    let table = "0000000000000000      DF *UND*\t0000000000000000 (GLIBC_2.34) dlsym\n\
                 0000000000000000      DF *UND*\t0000000000000000 (GLIBC_2.2.5) free\n\
                 0000000000000000  w   D  *UND*\t0000000000000000              __gmon_start__\n";
    assert_eq!(too_new(&wanted(table)), [("dlsym", "(GLIBC_2.34)")]);
}

/// Modules that seldom run, and functions that do in each process.
const SELDOM: [&str; 3] = ["gleaner::collect::recheck::", "gleaner::collect::quarantine::", "gleaner::api::options::"];
const OFTEN: [&str; 3] = ["gleaner::collect::cycle::run", "gleaner::collect::world::stop", "gleaner::heap::sweep::"];

/// Where section `name` begins and ends, by the table of `objdump -h`.
fn section(table: &str, name: &str) -> Option<(u64, u64)> {
    let words = table.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
    let row = words.into_iter().find(|words| words.get(1) == Some(&name))?;
    let number = |index: usize| u64::from_str_radix(row.get(index)?, 16).ok();
    Some((number(3)?, number(3)? + number(2)?))
}

/// The functions in the table of `nm -C` that lie on the wrong side: seldom ones outside of `seldom`, others inside.
fn misplaced(table: &str, seldom: (u64, u64)) -> Vec<&str> {
    let functions = table.lines().filter_map(|line| {
        let (address, name) = line.split_once(" t ")?;
        Some((u64::from_str_radix(address, 16).ok()?, name))
    });
    let is_wrong = |&(address, name): &(u64, &str)| {
        let begins = |parts: &[&str]| parts.iter().any(|part| name.starts_with(part));
        if (seldom.0..seldom.1).contains(&address) { begins(&OFTEN) } else { begins(&SELDOM) }
    };
    functions.filter(is_wrong).map(|(_, name)| name).collect()
}

#[test]
fn what_seldom_runs_lies_behind_what_does() {
    for library in LIBRARIES {
        let path = doors::doors().join(library);
        let print = |command: &mut Command| {
            let output = command.arg(&path).output().expect("binutils run");
            String::from_utf8(output.stdout).expect("text")
        };
        let sections = print(Command::new("objdump").args(["-h", "-w"]));
        let seldom = section(&sections, ".text.seldom").unwrap_or_else(|| panic!("{library}: {sections}"));
        let text = section(&sections, ".text").expect("code");
        assert!(text.1 <= seldom.0, "{library}: {text:x?}, {seldom:x?}");
        let symbols = print(Command::new("nm").arg("-C"));
        for name in SELDOM.iter().chain(&OFTEN) {
            assert!(symbols.contains(name), "{library} has no {name}");
        }
        assert_eq!(misplaced(&symbols, seldom), [""; 0], "{library}");
    }
}

#[test]
fn a_function_on_the_wrong_side_is_noticed() {
    let table = "0000000000001200 t gleaner::collect::recheck::Recheck::drain\n\
                 0000000000003200 t gleaner::collect::recheck::Recheck::root\n\
                 0000000000003300 t gleaner::collect::cycle::run\n\
                 0000000000001300 t gleaner::collect::cycle::run";
    let wrong = ["gleaner::collect::recheck::Recheck::drain", "gleaner::collect::cycle::run"];
    assert_eq!(misplaced(table, (0x3000, 0x4000)), wrong);
}

#[test]
fn what_plain_cargo_build_makes_can_be_loaded() {
    let program = ["-e", "my @numbers = map { [$_] } 1 .. 2000; print scalar(@numbers)"];
    for library in LIBRARIES {
        let mut command = Command::new("perl");
        command.args(program).env("LD_PRELOAD", doors::debug_doors().join(library)).env("LD_BIND_NOW", "1");
        let outcome = doors::run(command.env("GLEANER_OPTIONS", "zeal=500"), DEADLINE);
        assert!(outcome.succeeded() && outcome.stdout == "2000" && outcome.stderr.is_empty(), "{library}: {outcome}");
    }
}

#[test]
fn the_archive_links_with_shared_libraries_and_without_any() {
    let source = doors::root().join("tests/c/libraries/archive.c");
    let archive = doors::doors().join("libgleaner.a").display().to_string();
    for (name, kind) in [("shared", "-pie"), ("static", "-static")] {
        let out = doors::scratch("libraries").join(name);
        doors::cc(&source, &out, &["-O2", "-Wall", "-Wextra", "-Werror", kind, &archive, "-lpthread", "-ldl"]);
        let outcome = doors::run(Command::new(&out).env_remove("GLEANER_OPTIONS"), DEADLINE);
        assert!(outcome.succeeded() && outcome.stdout == "collected\n", "{name}: {outcome}");
    }
}
