//! Several copies of the library in one process: one engine, whichever way the copies came in.
//!
//! The programs in `tests/c/copies` are run with the doors preloaded, linked statically, opened with `RTLD_LOCAL`, bound
//! to themselves with `RTLD_DEEPBIND`; each says whether it found one copy or two, so that no case is passed by not
//! happening.

#[path = "common/doors.rs"]
mod doors;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

const DEADLINE: Duration = Duration::from_secs(120);
const OPTIONS: &str = "verify=1:recheck=1";

fn source(name: &str) -> PathBuf {
    doors::root().join("tests/c/copies").join(name)
}

/// Compiles `source` into a file of the test `test`.
fn built(test: &str, name: &str, flags: &[&str]) -> PathBuf {
    let directory = doors::scratch("copies").join(test);
    std::fs::create_dir_all(&directory).expect("a directory for the test");
    let out = directory.join(name.replace(".c", if flags.contains(&"-shared") { ".so" } else { "" }));
    let common = ["-O1", "-g", "-Wall", "-Wextra", "-Werror", "-pthread", "-ldl"];
    doors::cc(&source(name), &out, &[flags, &common[..]].concat());
    out
}

/// A plugin linked with the door `library`.
fn plugin(test: &str, library: &str) -> PathBuf {
    let link = doors::link(library);
    let link: Vec<&str> = link.iter().map(String::as_str).collect();
    built(test, "plugin.c", &[&["-shared", "-fPIC"], &link[..]].concat())
}

/// What a program that was linked with the static library says.
fn with_static_library(test: &str, name: &str) -> PathBuf {
    let archive = doors::doors().join("libgleaner.a").display().to_string();
    built(test, name, &["-DSTATIC", &archive])
}

fn malloc_door() -> PathBuf {
    doors::doors().join("libgleaner_malloc.so")
}

#[track_caller]
fn says(program: &Path, arguments: &[&Path], preload: Option<&Path>, expected: &str) {
    let mut command = Command::new(program);
    command.args(arguments).env("GLEANER_OPTIONS", OPTIONS);
    if let Some(library) = preload {
        command.env("LD_PRELOAD", library);
    }
    let outcome = doors::run(&mut command, DEADLINE);
    assert!(outcome.succeeded() && outcome.stdout == expected && outcome.stderr.is_empty(), "{outcome}");
}

#[test]
fn a_plugin_opened_locally_meets_the_preloaded_door() {
    let program = built("local", "exchange.c", &[]);
    let plugin = plugin("local", "gleaner");
    says(&program, &["local".as_ref(), &plugin], Some(&malloc_door()), "one copy\n");
}

#[test]
fn a_library_reached_by_its_handle_forwards_to_the_preloaded_door() {
    let program = built("handle", "exchange.c", &[]);
    let plugin = plugin("handle", "gleaner");
    let library = doors::doors().join("libgleaner.so.0");
    says(&program, &["local".as_ref(), &plugin, &library], Some(&malloc_door()), "two copies\n");
}

#[test]
fn a_plugin_bound_to_itself_forwards_to_the_preloaded_door() {
    let program = built("deepbind", "exchange.c", &[]);
    let plugin = plugin("deepbind", "gleaner");
    says(&program, &["deepbind".as_ref(), &plugin], Some(&malloc_door()), "two copies\n");
}

#[test]
fn a_plugin_with_the_shared_library_forwards_to_the_program_with_the_static_one() {
    let program = with_static_library("static", "exchange.c");
    for mode in ["local", "deepbind"] {
        let plugin = plugin("static", "gleaner");
        says(&program, &[mode.as_ref(), &plugin], None, "two copies\n");
    }
}

#[test]
fn a_program_with_the_static_library_forwards_to_the_preloaded_door() {
    let program = with_static_library("static_preloaded", "exchange.c");
    let plugin = plugin("static_preloaded", "gleaner");
    says(&program, &["local".as_ref(), &plugin], Some(&malloc_door()), "two copies\n");
}

#[test]
fn a_plugin_with_the_static_library_forwards_to_the_preloaded_door() {
    let program = built("static_plugin", "exchange.c", &[]);
    let archive = doors::doors().join("libgleaner.a").display().to_string();
    let plugin = built("static_plugin", "plugin.c", &["-shared", "-fPIC", "-Wl,-z,nodelete", &archive]);
    says(&program, &["local".as_ref(), &plugin], Some(&malloc_door()), "one copy\n");
    says(&program, &["deepbind".as_ref(), &plugin], Some(&malloc_door()), "two copies\n");
}

#[test]
fn a_malloc_door_that_comes_second_forwards_to_the_preloaded_one() {
    let program = built("second_malloc", "exchange.c", &[]);
    let plugin = plugin("second_malloc", "gleaner_malloc");
    let copy = doors::scratch("copies").join("second_malloc/libcopy.so");
    std::fs::copy(malloc_door(), &copy).expect("a copy of the library");
    says(&program, &["local".as_ref(), &plugin, &copy], Some(&malloc_door()), "two copies\n");
    says(&program, &["deepbind".as_ref(), &plugin, &copy], Some(&malloc_door()), "two copies\n");
}

#[test]
fn a_program_linked_with_the_library_runs_on_the_preloaded_door() {
    let link = doors::link("gleaner");
    let link: Vec<&str> = link.iter().map(String::as_str).collect();
    let program = built("linked", "exchange.c", &[&["-DSTATIC"], &link[..]].concat());
    let plugin = plugin("linked", "gleaner");
    says(&program, &["local".as_ref(), &plugin], Some(&malloc_door()), "one copy\n");
}

#[test]
fn a_second_malloc_family_is_the_first_ones() {
    let program = built("family", "second_malloc.c", &[]);
    let copy = doors::scratch("copies").join("family/libcopy.so");
    std::fs::copy(malloc_door(), &copy).expect("a copy of the library");
    says(&program, &["served".as_ref(), &copy], Some(&malloc_door()), "");
}

#[test]
fn a_second_malloc_family_is_glibcs_where_the_first_engine_has_none() {
    let program = built("family_of_glibc", "second_malloc.c", &[]);
    let library = doors::doors().join("libgleaner.so");
    says(&program, &["glibc".as_ref(), &malloc_door()], Some(&library), "");
}

#[test]
fn an_engine_of_another_version_is_not_collected_beside() {
    let program = built("other_version", "other_version.c", &[]);
    for what in ["major", "short"] {
        let mut command = Command::new(&program);
        let outcome = doors::run(
            command.arg(what).arg(doors::doors().join("libgleaner.so")).env_remove("GLEANER_OPTIONS"),
            DEADLINE,
        );
        assert!(outcome.succeeded() && outcome.stdout.is_empty(), "{what}: {outcome}");
        let [line] = outcome.stderr.lines().collect::<Vec<_>>()[..] else { panic!("{what}: not one line: {outcome}") };
        assert!(line.starts_with("gleaner: this process has an engine with tables of version"), "{what}: {outcome}");
        assert!(line.contains("never collects"), "{what}: {outcome}");
    }
}

#[test]
fn what_is_no_table_is_passed_over() {
    let program = built("no_table", "other_version.c", &[]);
    for what in ["junk", "unreadable", "odd"] {
        says(&program, &[what.as_ref(), &doors::doors().join("libgleaner.so")], None, "");
    }
}

/// The names and the code of a library's functions. One function may have several names, of which objdump writes one.
fn functions(library: &Path) -> BTreeMap<String, String> {
    let (text, exports) = (objdump("-d", library), objdump("-T", library));
    let parts = text.split("\n\n").filter_map(|part| part.trim_start().split_once(">:\n"));
    let parts = parts.filter_map(|(head, code)| Some((head.split_once(" <")?, code)));
    let mut functions = BTreeMap::new();
    for ((address, name), code) in parts {
        let others = exports.lines().filter(|line| line.starts_with(address));
        for name in others.filter_map(|line| line.rsplit(' ').next()).chain([name]) {
            functions.insert(name.to_string(), code.to_string());
        }
    }
    functions
}

fn objdump(what: &str, library: &Path) -> String {
    let output = Command::new("objdump").args([what, "--no-show-raw-insn", "-w"]).arg(library).output();
    let output = output.unwrap_or_else(|e| panic!("objdump: {e}; install binutils"));
    assert!(output.status.success(), "{}: {}", library.display(), String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// The words of the library's table of addresses, in hexadecimal, that hold the address of one of the [`WAYS`].
fn words_to_ways(library: &Path) -> Vec<String> {
    let symbols = objdump("-t", library);
    let is_way = |line: &&str| WAYS.iter().any(|way| line.rsplit(' ').next().is_some_and(|name| name.starts_with(way)));
    let ways: Vec<_> = symbols.lines().filter(is_way).filter_map(|line| line.split(' ').next()).collect();
    let relocations = objdump("-R", library);
    let to_way = |line: &&str| line.rsplit("0x").next().is_some_and(|address| ways.contains(&address));
    relocations
        .lines()
        .filter(to_way)
        .filter_map(|line| Some(line.split(' ').next()?.trim_start_matches('0').into()))
        .collect()
}

/// Not asked about: what needs no engine, or reads only what it was handed.
const WITHOUT_ENGINE: [&str; 4] = ["gc_version", "gc_weak_get", "gc_ephemeron_key", "gc_ephemeron_value"];

/// Slow paths that ask where the engine is.
const WAYS: [&str; 3] = ["gleaner_slow_", "gleaner_edge_strndup", FREE_OF_ANY_KIND];
const FREE_OF_ANY_KIND: &str = "gleaner_free_of_any_kind";

/// Whether a function asks where the engine is, itself or by the slow path that it goes to.
fn asks(code: &str, words: &[String]) -> bool {
    code.contains("ELSEWHERE")
        || WAYS.iter().any(|way| code.contains(&format!("<{way}")))
        || words.iter().any(|word| code.contains(&format!("# {word} ")))
}

#[test]
fn every_function_asks_where_the_engine_is() {
    for library in ["libgleaner.so", "libgleaner_malloc.so"] {
        let path = doors::doors().join(library);
        let (functions, words) = (functions(&path), words_to_ways(&path));
        let of_header = functions.iter().filter(|(name, _)| name.starts_with("gc_"));
        let mut asked = of_header.filter(|(name, _)| !WITHOUT_ENGINE.contains(&name.as_str())).peekable();
        assert!(asked.peek().is_some(), "{library}: no function was read");
        let silent: Vec<_> = asked.filter(|(_, code)| !asks(code, &words)).map(|(name, _)| name).collect();
        assert!(silent.is_empty(), "{library}: {silent:?} use this copy's heap even if the engine is elsewhere");
    }
    let (functions, words) = (functions(&malloc_door()), words_to_ways(&malloc_door()));
    for name in ["malloc", "calloc", "realloc", "free", "memalign", "aligned_alloc", "posix_memalign", "mallinfo2"] {
        assert!(asks(&functions[name], &words), "{name} uses this copy's heap even if the engine is elsewhere");
    }
    let code = functions[FREE_OF_ANY_KIND].replace(FREE_OF_ANY_KIND, "");
    assert!(asks(&code, &words), "{FREE_OF_ANY_KIND} uses this copy's heap even if the engine is elsewhere");
}
