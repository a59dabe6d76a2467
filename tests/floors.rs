//! The house: a room calls its own floor and those below, never one above.
//!
//! ```text
//!   base < os < heap < collect < api < the doors (ffi)
//! ```
//!
//! The sources are read word by word, without comments and literals, and every path that leaves its floor is followed:
//! `crate::x`, the branches of `use crate::{x::…, y::…}`, chains of `super` that reach the root, and macros at the root,
//! which belong to the floor of the file that defines them. Only the floor `os` knows the C library: elsewhere the crate
//! `libc` is not named, and below the doors no foreign function is declared. Only the floor `api`, the surface for Rust
//! programs, knows the crate `alloc`: an allocator that asks itself for memory is no use. Everything found is reported, by
//! file and line.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

/// Bottom-up.
const FLOORS: [&str; 5] = ["base", "os", "heap", "collect", "api"];

/// The floor that may name the crate `libc` and declare foreign functions.
const SYSTEM_FLOOR: &str = "os";

/// The floor that may name the crate `alloc`.
const SURFACE_FLOOR: &str = "api";

/// A line that looks where it may not.
#[derive(Debug, PartialEq, Eq)]
struct Fault {
    file: String,
    line: usize,
    what: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.file, self.line, self.what)
    }
}

/// A source file: its path from the root of the repository, and its text.
struct Source {
    path: String,
    text: String,
}

impl Source {
    fn new(path: &str, text: &str) -> Source {
        Source { path: path.into(), text: text.into() }
    }

    /// The modules that the file is, from the root of its crate: `src/heap/cage.rs` is `heap`, `cage`.
    fn module(&self) -> Vec<&str> {
        let inner = self.path.strip_prefix("src/").unwrap_or(&self.path).trim_end_matches(".rs");
        inner.split('/').filter(|part| *part != "mod" && *part != "lib").collect()
    }

    /// The floor that the file is on. `None`: the root, or a door.
    fn floor(&self) -> Option<&str> {
        self.path.starts_with("src/").then(|| self.module().first().copied()).flatten()
    }
}

fn rank(floor: &str) -> Option<usize> {
    FLOORS.iter().position(|known| *known == floor)
}

/// A word or a sign of a source, with its line. `::` is one sign; literals and comments are left out.
struct Token<'a> {
    text: &'a str,
    line: usize,
}

fn tokens(text: &str) -> Vec<Token<'_>> {
    let mut found = Vec::new();
    let (mut at, mut line) = (0, 1);
    while at < text.len() {
        let rest = &text[at..];
        let (length, is_token) = next_token(rest);
        if is_token {
            found.push(Token { text: &rest[..length], line });
        }
        line += rest[..length].matches('\n').count();
        at += length;
    }
    found
}

/// The length of what `rest` begins with, and whether it counts.
fn next_token(rest: &str) -> (usize, bool) {
    let first = rest.chars().next().expect("called with text left");
    if rest.starts_with("//") {
        return (rest.find('\n').unwrap_or(rest.len()), false);
    }
    if rest.starts_with("/*") {
        return (block_comment(rest), false);
    }
    if let Some(length) = raw_string(rest) {
        return (length, false);
    }
    if first == '"' {
        return (quoted(rest, '"'), false);
    }
    if first == '\'' && is_character(rest) {
        return (quoted(rest, '\''), false);
    }
    if first.is_alphanumeric() || first == '_' {
        return (rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len()), true);
    }
    if rest.starts_with("::") {
        return (2, true);
    }
    (first.len_utf8(), !first.is_whitespace())
}

fn block_comment(rest: &str) -> usize {
    let (mut depth, mut at) = (0usize, 0);
    loop {
        match &rest.as_bytes()[at..] {
            [b'/', b'*', ..] => (depth, at) = (depth + 1, at + 2),
            [b'*', b'/', ..] if depth == 1 => return at + 2,
            [b'*', b'/', ..] => (depth, at) = (depth - 1, at + 2),
            [] => return at,
            _ => at += 1,
        }
    }
}

/// The length of a raw string such as `r#"…"#`, byte and C strings included.
fn raw_string(rest: &str) -> Option<usize> {
    let after = ["r", "br", "cr"].iter().find_map(|prefix| rest.strip_prefix(prefix))?;
    let hashes = after.find(|c| c != '#')?;
    after[hashes..].starts_with('"').then(|| {
        let open = rest.len() - after.len() + hashes + 1;
        let close = format!("\"{}", "#".repeat(hashes));
        rest[open..].find(&close).map_or(rest.len(), |end| open + end + close.len())
    })
}

/// The length of a literal between two `quote`s.
fn quoted(rest: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, c) in rest.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            c if c == quote => return at + 1,
            _ => {}
        }
    }
    rest.len()
}

/// Whether a quote begins a character, not a lifetime.
fn is_character(rest: &str) -> bool {
    let mut chars = rest.chars().skip(1);
    chars.next() == Some('\\') || chars.next() == Some('\'')
}

/// The macros that a file puts at the root of its crate.
fn exported_macros(source: &Source) -> Vec<String> {
    let words = tokens(&source.text);
    let mut is_exported = false;
    let mut names = Vec::new();
    for window in words.windows(3) {
        is_exported |= window[0].text == "macro_export";
        if window[0].text == "macro_rules" && std::mem::take(&mut is_exported) {
            names.push(window[2].text.to_string());
        }
    }
    names
}

/// What the walk over a file knows.
struct Walk<'a> {
    source: &'a Source,
    words: Vec<Token<'a>>,
    macros: &'a BTreeMap<String, String>,
    faults: Vec<Fault>,
    /// Paths that led to the root: proof that the walk sees something.
    followed: usize,
}

impl Walk<'_> {
    fn word(&self, index: usize) -> &str {
        self.words.get(index).map_or("", |token| token.text)
    }

    fn report(&mut self, index: usize, what: String) {
        let line = self.words[index].line;
        self.faults.push(Fault { file: self.source.path.clone(), line, what });
    }

    fn run(&mut self) {
        let mut inline: Vec<usize> = Vec::new();
        let mut depth = 0usize;
        let mut index = 0;
        while index < self.words.len() {
            match self.word(index) {
                "{" => {
                    if index >= 2 && self.word(index - 2) == "mod" {
                        inline.push(depth);
                    }
                    depth += 1;
                }
                "}" => {
                    depth = depth.saturating_sub(1);
                    if inline.last() == Some(&depth) {
                        inline.pop();
                    }
                }
                "crate" if self.word(index + 1) == "::" => self.follow(index + 2),
                "super" if self.word(index.wrapping_sub(1)) != "::" => {
                    let mut end = index;
                    let mut supers = 1;
                    while self.word(end + 1) == "::" && self.word(end + 2) == "super" {
                        (end, supers) = (end + 2, supers + 1);
                    }
                    if supers == self.source.module().len() + inline.len() && self.word(end + 1) == "::" {
                        self.follow(end + 2);
                    }
                }
                _ => {
                    self.judge_system(index);
                    self.judge_allocation(index);
                }
            }
            index += 1;
        }
    }

    /// Judges what a path that starts at the root names first: a word, or each branch of a group.
    fn follow(&mut self, index: usize) {
        if self.word(index) != "{" {
            return self.judge(index);
        }
        let (mut depth, mut is_first) = (1, true);
        let mut at = index + 1;
        while depth > 0 && at < self.words.len() {
            match self.word(at) {
                "{" => depth += 1,
                "}" => depth -= 1,
                "," if depth == 1 => {
                    is_first = true;
                    at += 1;
                    continue;
                }
                _ if is_first => self.judge(at),
                _ => {}
            }
            is_first = false;
            at += 1;
        }
    }

    fn judge(&mut self, index: usize) {
        self.followed += 1;
        let named = self.word(index).to_string();
        let Some(own) = self.source.floor() else { return };
        let floor = self.macros.get(&named).unwrap_or(&named);
        match (rank(own), rank(floor)) {
            (Some(here), Some(there)) if there > here => {
                self.report(
                    index,
                    format!("{own} names {named} of the floor {floor} above it; ask from there instead"),
                );
            }
            (Some(_), Some(_)) => {}
            _ => self.report(index, format!("{own} names {named}, which is on no floor; give it a place in FLOORS")),
        }
    }

    fn judge_system(&mut self, index: usize) {
        if self.source.floor() == Some(SYSTEM_FLOOR) {
            return;
        }
        let before = self.word(index.wrapping_sub(1));
        if self.word(index) == "libc" && (self.word(index + 1) == "::" || before == "use") {
            self.report(index, format!("names libc; only {SYSTEM_FLOOR} knows the C library: let it offer this"));
        }
        // `extern "C" {`: the literal is no token.
        if self.source.floor().is_some() && self.word(index) == "extern" && self.word(index + 1) == "{" {
            self.report(index, format!("declares foreign functions; only {SYSTEM_FLOOR} knows the C library"));
        }
    }

    fn judge_allocation(&mut self, index: usize) {
        let before = self.word(index.wrapping_sub(1));
        // The doors have a module of that name; they would have to bring the crate in first.
        let is_path = self.source.floor().is_some() && self.word(index + 1) == "::" && before != "::";
        let is_brought_in =
            before == "crate" && self.word(index.wrapping_sub(2)) == "extern" && self.source.path != "src/lib.rs";
        let is_named = self.word(index) == "alloc" && (is_path || is_brought_in);
        if is_named && self.source.floor() != Some(SURFACE_FLOOR) {
            self.report(index, format!("names the crate alloc; only {SURFACE_FLOOR} may allocate as programs do"));
        }
    }
}

/// Everything in `sources` that looks where it may not, and how many paths were followed.
fn judge(sources: &[Source]) -> (Vec<Fault>, usize) {
    let mut macros = BTreeMap::new();
    for source in sources {
        for name in exported_macros(source) {
            macros.insert(name, source.floor().unwrap_or_default().to_string());
        }
    }
    let (mut faults, mut followed) = (Vec::new(), 0);
    for source in sources {
        let words = tokens(&source.text);
        let mut walk = Walk { source, words, macros: &macros, faults: Vec::new(), followed: 0 };
        walk.run();
        faults.append(&mut walk.faults);
        followed += walk.followed;
    }
    (faults, followed)
}

fn rust_files(directory: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(directory).unwrap_or_else(|e| panic!("{}: {e}", directory.display())) {
        let path = entry.expect("a readable directory").path();
        if path.is_dir() {
            rust_files(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

fn sources_below(directories: &[&str]) -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = Vec::new();
    directories.iter().for_each(|directory| rust_files(&root.join(directory), &mut files));
    files.sort();
    let read = |file: &PathBuf| Source {
        path: file.strip_prefix(root).expect("below the root").display().to_string(),
        text: std::fs::read_to_string(file).unwrap_or_else(|e| panic!("{}: {e}", file.display())),
    };
    files.iter().map(read).collect()
}

#[test]
fn no_line_of_the_engine_or_the_doors_looks_upward() {
    let sources = sources_below(&["src", "ffi"]);
    let (faults, followed) = judge(&sources);
    let list: String = faults.iter().map(|fault| format!("{fault}\n")).collect();
    assert!(faults.is_empty(), "{} lines look where they may not:\n{list}", faults.len());
    assert!(followed > 50, "only {followed} paths between floors were found in {} files", sources.len());
}

#[test]
fn every_directory_of_the_engine_is_a_floor() {
    for source in sources_below(&["src"]) {
        if let Some(floor) = source.floor() {
            assert!(rank(floor).is_some(), "{} is on no floor; give it a place in FLOORS", source.path);
        }
    }
}

fn lines_of(faults: &[Fault]) -> Vec<usize> {
    faults.iter().map(|fault| fault.line).collect()
}

#[test]
fn a_planted_look_upward_is_named_in_every_spelling() {
    let text = r#"
use crate::collect;                            // 2
use crate::{base::addr::Addr, api::options};   // 3
use crate::{
    base::{addr::Addr, bits},
    collect::{mark, roots},                    // 6
};
fn call() { crate::api::stats::sizes(); }      // 8
use super::super::collect::world;              // 9
mod tests {
    use super::super::super::api;              // 11
    use super::super::cage;
}
"#;
    let (faults, _) = judge(&[Source::new("src/heap/planted.rs", text)]);
    assert_eq!(lines_of(&faults), [2, 3, 6, 8, 9, 11], "{faults:?}");
    assert!(faults[0].to_string().starts_with("src/heap/planted.rs:2: heap names collect"), "{}", faults[0]);
}

#[test]
fn a_macro_belongs_to_the_floor_of_its_file() {
    let upper = Source::new("src/collect/planted.rs", "#[macro_export]\nmacro_rules! cry { () => {} }");
    let lower = Source::new("src/heap/planted.rs", "fn f() {\n crate::cry!();\n}");
    let (faults, _) = judge(&[upper, lower]);
    assert_eq!(lines_of(&faults), [2]);
    assert!(faults[0].what.contains("cry of the floor collect"), "{}", faults[0]);
}

#[test]
fn a_planted_use_of_the_c_library_is_named_outside_its_floor() {
    let text = "use libc;\nfn f() { libc::getpid(); }\nunsafe extern \"C\" { fn getpid(); }\nextern \"C\" fn ours() {}";
    let lines = |path: &str| lines_of(&judge(&[Source::new(path, text)]).0);
    assert_eq!(lines("src/heap/planted.rs"), [1, 2, 3]);
    assert_eq!(lines("src/api/planted.rs"), [1, 2, 3]);
    assert_eq!(lines("ffi/abi/src/planted.rs"), [1, 2]);
    assert_eq!(lines("src/os/planted.rs"), [0; 0]);
}

#[test]
fn a_planted_use_of_the_global_allocator_is_named_outside_its_floor() {
    let text = "use alloc::vec::Vec;\nuse core::alloc::Layout;\nfn f() { alloc::alloc::alloc(g()); }\nfn alloc() { alloc() }\n\
                extern crate alloc;";
    let lines = |path: &str| lines_of(&judge(&[Source::new(path, text)]).0);
    assert_eq!(lines("src/collect/planted.rs"), [1, 3, 5]);
    assert_eq!(lines("ffi/abi/src/planted.rs"), [5]);
    assert_eq!(lines("src/api/planted.rs"), [0; 0]);
}

#[test]
fn comments_literals_and_looks_downward_are_no_faults() {
    let text = "//! crate::collect\n/* use crate::api; /* libc::x */ libc::y */\nconst T: &str = \"crate::api\";\n\
                const R: &str = r#\"crate::\"api\"#;\nconst C: char = '\"';\nfn f<'a>(x: &'a str) -> char { '\\'' }\n\
                use crate::{base::addr::Addr, os::mem, heap::cage};\nuse super::{api, collect};";
    let (faults, followed) = judge(&[Source::new("src/heap/planted.rs", text)]);
    assert_eq!(lines_of(&faults), [0; 0], "{faults:?}");
    assert_eq!(followed, 3);
}
