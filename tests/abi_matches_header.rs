//! `include/gleaner.h`, the Rust definitions behind it, and the libraries' symbols say the same.
//!
//! The header is written by hand, and so are the functions of `ffi/abi`: the compiler compares neither with the other.
//! Here both are read as text. Each prototype has one definition of its name, with as many parameters, and each type is
//! one that the table in [`agrees`] pairs with the header's. The libraries export exactly the header's names, and those
//! of [`WRAPPED`].
//!
//! Structures behind a pointer go by the header's name without `gc_`, in either language's spelling: `gc_weak *` is
//! `*mut Weak`, `*mut gc_weak` or `*mut c_void`. Enumerations are plain integers in Rust, since C may pass any value.
//! Named types of function pointers are looked up in the sources and compared part by part.

#[path = "common/doors.rs"]
mod doors;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

/// Names of the C library's that every library has too: the jumps, which `ffi/abi/src/leave.rs` sees.
const WRAPPED: [&str; 4] = ["longjmp", "_longjmp", "siglongjmp", "__longjmp_chk"];

/// A type, or a whole function, as its words: `["const", "void", "*"]`.
type Words = Vec<String>;

#[derive(Clone, Debug, PartialEq)]
struct Function {
    result: Words,
    parameters: Vec<Words>,
}

/// One language's functions, and its names for types.
#[derive(Debug, Default)]
struct Interface {
    functions: BTreeMap<String, Function>,
    aliases: BTreeMap<String, Alias>,
}

#[derive(Clone, Debug, PartialEq)]
enum Alias {
    Plain(Words),
    Pointer(Function),
}

// ---- Reading -----------------------------------------------------------------------------------------------------

/// Cuts C or Rust into words: names, numbers, strings, `->`, single signs. Comments and C's `#` lines are dropped.
fn words(source: &str, preprocessor: bool) -> Words {
    let text: Vec<char> = source.chars().collect();
    let mut words = Words::new();
    let mut at = 0;
    while at < text.len() {
        let rest = &text[at..];
        let start_of_line = at == 0 || text[at - 1] == '\n';
        at += if rest.starts_with(&['/', '/']) || (preprocessor && start_of_line && rest[0] == '#') {
            length_until(rest, |c| c == '\n')
        } else if rest.starts_with(&['/', '*']) {
            comment_length(rest)
        } else if rest[0] == '"' {
            let length = string_length(rest);
            words.push(rest[..length].iter().collect());
            length
        } else if rest[0] == '\'' {
            quote_length(rest)
        } else if rest.starts_with(&['-', '>']) {
            words.push("->".into());
            2
        } else if rest[0].is_alphanumeric() || rest[0] == '_' {
            let length = length_until(rest, |c| !(c.is_alphanumeric() || c == '_'));
            words.push(rest[..length].iter().collect());
            length
        } else {
            if !rest[0].is_whitespace() {
                words.push(rest[0].to_string());
            }
            1
        };
    }
    words
}

fn length_until(text: &[char], end: impl Fn(char) -> bool) -> usize {
    text.iter().position(|&c| end(c)).unwrap_or(text.len())
}

fn comment_length(text: &[char]) -> usize {
    (2..text.len()).find(|&i| text[i..].starts_with(&['*', '/'])).map_or(text.len(), |i| i + 2)
}

fn string_length(text: &[char]) -> usize {
    let mut i = 1;
    while i < text.len() && text[i] != '"' {
        i += if text[i] == '\\' { 2 } else { 1 };
    }
    (i + 1).min(text.len())
}

/// A character of quotes, or the quote of a lifetime.
fn quote_length(text: &[char]) -> usize {
    match text {
        ['\'', '\\', ..] => 2 + length_until(&text[2..], |c| c == '\'') + 1,
        ['\'', _, '\'', ..] => 3,
        _ => 1,
    }
}

/// The index of the bracket that closes the one at `open`.
fn closing(words: &[String], open: usize) -> usize {
    let mut depth = 0;
    for (i, word) in words.iter().enumerate().skip(open) {
        match word.as_str() {
            "(" | "[" | "{" => depth += 1,
            ")" | "]" | "}" => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return i;
        }
    }
    panic!("a bracket is open at the end: {}", words[open..].iter().take(12).cloned().collect::<Vec<_>>().join(" "))
}

/// Splits at the commas that stand in no bracket; an empty list has no parts.
fn parts(words: &[String]) -> Vec<Words> {
    let mut parts = vec![Words::new()];
    let mut depth = 0;
    for word in words {
        match word.as_str() {
            "(" | "[" | "<" => depth += 1,
            ")" | "]" | ">" => depth -= 1,
            "," if depth == 0 => {
                parts.push(Words::new());
                continue;
            }
            _ => {}
        }
        parts.last_mut().expect("never empty").push(word.clone());
    }
    parts.retain(|part| !part.is_empty());
    parts
}

fn is_name(word: &str) -> bool {
    word.starts_with(|c: char| c.is_alphabetic() || c == '_')
}

// ---- C -----------------------------------------------------------------------------------------------------------

/// Reads a header: prototypes, and typedefs of words and of function pointers.
fn read_c(source: &str) -> Interface {
    let mut interface = Interface::default();
    for statement in c_statements(&words(source, true)) {
        let Some(open) = statement.iter().position(|word| word == "(") else {
            if let [typedef, words @ .., name] = statement.as_slice()
                && typedef == "typedef"
                && !words.iter().any(|word| word == "struct")
            {
                interface.aliases.insert(name.clone(), Alias::Plain(words.to_vec()));
            }
            continue;
        };
        let close = closing(&statement, open);
        if statement[0] == "typedef" {
            let name = statement[close - 1].clone();
            let parameters = c_parameters(&statement[close + 2..closing(&statement, close + 1)]);
            let result = statement[1..open].to_vec();
            interface.aliases.insert(name, Alias::Pointer(Function { result, parameters }));
        } else {
            let name = statement[open - 1].clone();
            let parameters = c_parameters(&statement[open + 1..close]);
            let result = statement[..open - 1].to_vec();
            let earlier = interface.functions.insert(name.clone(), Function { result, parameters });
            assert!(earlier.is_none(), "the header declares {name} twice");
        }
    }
    interface
}

/// The statements of a header without structure bodies, `extern "C"`, and attributes (names in capitals).
fn c_statements(words: &[String]) -> Vec<Words> {
    let mut statements = vec![Words::new()];
    let mut i = 0;
    while i < words.len() {
        let word = words[i].as_str();
        if word == "extern" && words.get(i + 2).is_some_and(|brace| brace == "{") {
            i += 3;
        } else if word == "{" {
            i = closing(words, i) + 1;
        } else if word.starts_with("GLEANER_") {
            i += 1;
            if words.get(i).is_some_and(|open| open == "(") {
                i = closing(words, i) + 1;
            }
        } else {
            match word {
                ";" => statements.push(Words::new()),
                "}" => {}
                _ => statements.last_mut().expect("never empty").push(word.into()),
            }
            i += 1;
        }
    }
    statements.retain(|statement| !statement.is_empty());
    statements
}

/// The types of a parameter list; each parameter has a name, which is dropped.
fn c_parameters(words: &[String]) -> Vec<Words> {
    if words == ["void"] {
        return Vec::new();
    }
    parts(words).iter().map(|parameter| parameter[..parameter.len() - 1].to_vec()).collect()
}

// ---- Rust --------------------------------------------------------------------------------------------------------

/// Reads a source's exported functions, `pub [unsafe] extern "C" fn gc_…`, and its type aliases.
fn read_rust(source: &str, interface: &mut Interface) {
    let words = words(source, false);
    for (i, word) in words.iter().enumerate() {
        match word.as_str() {
            "fn" if words.get(i + 1).is_some_and(|name| name.starts_with("gc_")) && is_exported(&words[..i]) => {
                let (function, _) = rust_function(&words, i + 2);
                let name = &words[i + 1];
                let earlier = interface.functions.insert(name.clone(), function);
                assert!(earlier.is_none(), "{name} is defined twice in ffi/abi");
            }
            "type" if words.get(i + 2).is_some_and(|sign| sign == "=") => {
                let end = i + words[i..].iter().position(|word| word == ";").expect("an alias ends");
                interface.aliases.insert(words[i + 1].clone(), rust_alias(&words[i + 3..end]));
            }
            _ => {}
        }
    }
}

/// Whether `pub [unsafe] extern "C"` (or `"C-unwind"`) stands before a `fn`.
fn is_exported(before: &[String]) -> bool {
    let [.., public, r#extern, abi] = before else { return false };
    let public = if public == "unsafe" { before.get(before.len().wrapping_sub(4)) } else { Some(public) };
    r#extern == "extern" && matches!(abi.as_str(), "\"C\"" | "\"C-unwind\"") && public.is_some_and(|word| word == "pub")
}

/// Reads `(a: A, b: B) -> R` at `open`, and tells where it ends.
fn rust_function(words: &[String], open: usize) -> (Function, usize) {
    let close = closing(words, open);
    let parameters = parts(&words[open + 1..close]).into_iter().map(without_name).collect();
    let mut end = close + 1;
    let mut result = Words::new();
    if words.get(end).is_some_and(|word| word == "->") {
        let depth_ends = |word: &String| matches!(word.as_str(), "{" | ";" | "where");
        let stop = words[end..].iter().position(depth_ends).map_or(words.len(), |n| end + n);
        result = simplified(&words[end + 1..stop]);
        end = stop;
    }
    (Function { result, parameters }, end)
}

fn without_name(parameter: Words) -> Words {
    match parameter.iter().position(|word| word == ":") {
        Some(colon) if parameter.get(colon + 1).is_some_and(|next| next != ":") && colon <= 2 => {
            simplified(&parameter[colon + 1..])
        }
        _ => simplified(&parameter),
    }
}

/// A type without paths: `*mut core::ffi::c_void` is `* mut c_void`.
fn simplified(words: &[String]) -> Words {
    let mut simple = Words::new();
    let mut i = 0;
    while i < words.len() {
        if words[i] == ":" && words.get(i + 1).is_some_and(|next| next == ":") {
            if simple.last().is_some_and(|last| is_name(last)) {
                simple.pop();
            }
            i += 2;
        } else {
            simple.push(words[i].clone());
            i += 1;
        }
    }
    if simple == ["(", ")"] { Words::new() } else { simple }
}

fn rust_alias(words: &[String]) -> Alias {
    match rust_pointer(&simplified(words)) {
        Some(function) => Alias::Pointer(function),
        None => Alias::Plain(simplified(words)),
    }
}

/// The function behind `Option<[unsafe] extern "C" fn(…) -> R>` or the bare pointer.
fn rust_pointer(words: &[String]) -> Option<Function> {
    let inner = match words {
        [option, open, inner @ .., close] if option == "Option" && open == "<" && close == ">" => inner,
        inner => inner,
    };
    let at = inner.iter().position(|word| word == "fn")?;
    let has_c_abi = inner[..at].iter().any(|word| matches!(word.as_str(), "\"C\"" | "\"C-unwind\""));
    has_c_abi.then(|| rust_function(inner, at + 1).0)
}

// ---- Comparing ---------------------------------------------------------------------------------------------------

/// Every difference between the header and the definitions, one line each.
fn differences(c: &Interface, rust: &Interface) -> Vec<String> {
    let mut differences = Vec::new();
    for (name, declared) in &c.functions {
        match rust.functions.get(name) {
            None => differences.push(format!("{name}: the header declares it, ffi/abi does not define it")),
            Some(defined) => compare(name, declared, defined, c, rust, &mut differences),
        }
    }
    for name in rust.functions.keys().filter(|name| !c.functions.contains_key(*name)) {
        differences.push(format!("{name}: ffi/abi defines it, the header does not declare it"));
    }
    differences
}

fn compare(
    name: &str,
    declared: &Function,
    defined: &Function,
    c: &Interface,
    rust: &Interface,
    out: &mut Vec<String>,
) {
    let (wanted, found) = (declared.parameters.len(), defined.parameters.len());
    if wanted != found {
        out.push(format!("{name}: {wanted} parameters in the header, {found} in Rust"));
        return;
    }
    let results = std::iter::once(("the result".to_owned(), &declared.result, &defined.result));
    let pairs = declared.parameters.iter().zip(&defined.parameters).enumerate();
    let parameters = pairs.map(|(i, (a, b))| (format!("parameter {}", i + 1), a, b));
    for (place, in_c, in_rust) in results.chain(parameters) {
        if !agrees(in_c, in_rust, c, rust) {
            out.push(format!("{name}: {place} is `{}` in the header, `{}` in Rust", in_c.join(" "), in_rust.join(" ")));
        }
    }
}

/// The table: whether a Rust type is the header's.
fn agrees(in_c: &[String], in_rust: &[String], c: &Interface, rust: &Interface) -> bool {
    if let Some(wanted) = c_pointer(in_c, c) {
        let found = match in_rust {
            [name] => match rust.aliases.get(name) {
                Some(Alias::Pointer(function)) => Some(function.clone()),
                _ => None,
            },
            _ => rust_pointer(in_rust),
        };
        let mut inner = Vec::new();
        return found.is_some_and(|found| {
            compare("", wanted, &found, c, rust, &mut inner);
            inner.is_empty()
        });
    }
    if let [name] = in_rust
        && let Some(Alias::Plain(words)) = rust.aliases.get(name)
    {
        return agrees(in_c, words, c, rust);
    }
    if let [pointee @ .., star] = in_c
        && star == "*"
    {
        return agrees_as_pointer(pointee, in_rust, c, rust);
    }
    if let [name] = in_c
        && let Some(Alias::Plain(words)) = c.aliases.get(name)
    {
        return agrees(words, in_rust, c, rust);
    }
    let allowed: &[&str] = match in_c.join(" ").as_str() {
        "void" => &[""],
        "char" => &["c_char"],
        "int" => &["c_int", "i32"],
        "unsigned int" => &["c_uint", "u32"],
        "unsigned long" => &["c_ulong", "u64"],
        "size_t" => &["usize", "size_t"],
        "uintptr_t" => &["usize", "uintptr_t"],
        "uint64_t" => &["u64"],
        other if other.starts_with("enum ") => &["c_int", "c_uint", "i32", "u32"],
        _ => &[],
    };
    allowed.contains(&in_rust.join(" ").as_str())
}

fn c_pointer<'a>(in_c: &[String], c: &'a Interface) -> Option<&'a Function> {
    match in_c {
        [name] => match c.aliases.get(name) {
            Some(Alias::Pointer(function)) => Some(function),
            _ => None,
        },
        _ => None,
    }
}

/// `const T *` against `*const U`, `T *` against `*mut U`.
fn agrees_as_pointer(pointee: &[String], in_rust: &[String], c: &Interface, rust: &Interface) -> bool {
    let [star, mutability, inner @ ..] = in_rust else { return false };
    let (wanted, pointee) = match pointee {
        [first, rest @ ..] if first == "const" => ("const", rest),
        all => ("mut", all),
    };
    if star != "*" || mutability != wanted {
        return false;
    }
    match (pointee, inner) {
        ([a], [b]) if a == "void" => b == "c_void",
        ([a], [b]) if a.starts_with("gc_") => b == "c_void" || core_name(a) == core_name(b),
        _ => agrees(pointee, inner, c, rust),
    }
}

/// `gc_weak`, `GcWeak` and `Weak` are one name.
fn core_name(name: &str) -> String {
    let plain: String = name.to_lowercase().chars().filter(|&c| c != '_').collect();
    plain.strip_prefix("gc").unwrap_or(&plain).to_owned()
}

// ---- The tests ---------------------------------------------------------------------------------------------------

fn header() -> Interface {
    let path = doors::root().join("include/gleaner.h");
    read_c(&std::fs::read_to_string(path).expect("the header is there"))
}

fn rust_sources(directory: &Path, interface: &mut Interface) {
    let Ok(entries) = std::fs::read_dir(directory) else { return };
    for path in entries.map(|entry| entry.expect("a readable directory").path()) {
        if path.is_dir() {
            rust_sources(&path, interface);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            read_rust(&std::fs::read_to_string(&path).expect("a source is text"), interface);
        }
    }
}

fn exported(library: &str) -> BTreeSet<String> {
    let path = doors::doors().join(library);
    let output = Command::new("nm").args(["-D", "--defined-only"]).arg(&path).output().expect("nm can be run");
    assert!(output.status.success(), "nm {}: {}", path.display(), String::from_utf8_lossy(&output.stderr));
    let listing = String::from_utf8(output.stdout).expect("symbols are text");
    listing.lines().filter_map(|line| line.split_whitespace().last()).map(str::to_owned).collect()
}

#[test]
fn every_prototype_has_its_definition() {
    let mut rust = Interface::default();
    rust_sources(&doors::root().join("src"), &mut rust);
    rust.functions.clear(); // The engine's aliases count, its functions do not.
    rust_sources(&doors::root().join("ffi/abi/src"), &mut rust);
    let differences = differences(&header(), &rust);
    assert!(differences.is_empty(), "{} differences:\n{}", differences.len(), differences.join("\n"));
}

#[test]
fn the_doors_export_exactly_the_names_of_the_header() {
    let declared: BTreeSet<String> = header().functions.into_keys().collect();
    let mut differences = Vec::new();
    for library in ["libgleaner.so", "libgleaner_malloc.so"] {
        let symbols = exported(library);
        let ours: BTreeSet<String> = symbols.iter().filter(|name| name.starts_with("gc_")).cloned().collect();
        differences.extend(declared.difference(&ours).map(|name| format!("{library} does not export {name}")));
        differences
            .extend(ours.difference(&declared).map(|name| format!("{library} exports {name}, not in the header")));
        if library == "libgleaner.so" {
            let is_ours =
                |name: &str| name.starts_with("gc_") || name.starts_with("gleaner_") || WRAPPED.contains(&name);
            let foreign = symbols.iter().filter(|name| !is_ours(name));
            differences.extend(foreign.map(|name| format!("{library} exports {name}, which is no name of ours")));
        }
    }
    assert!(differences.is_empty(), "{} differences:\n{}", differences.len(), differences.join("\n"));
}

#[test]
fn the_header_is_read_whole() {
    let text = std::fs::read_to_string(doors::root().join("include/gleaner.h")).expect("the header is there");
    let declarations = text.lines().filter(|line| line.starts_with("GLEANER_API ")).count();
    let header = header();
    assert_eq!(header.functions.len(), declarations, "{:?}", header.functions.keys());
    let void_pointer: Words = ["void", "*"].map(String::from).to_vec();
    let expected = Function { result: void_pointer.clone(), parameters: vec![void_pointer, vec!["size_t".into()]] };
    assert_eq!(header.functions["gc_realloc"], expected);
    assert_eq!(header.aliases["gc_layout"], Alias::Plain(vec!["uintptr_t".into()]));
    assert!(matches!(&header.aliases["gc_trace_fn"], Alias::Pointer(function) if function.parameters.len() == 3));
}

/// Compares one prototype with one definition, beside a few types of both languages.
fn judge(prototype: &str, definition: &str) -> Vec<String> {
    let types = "typedef struct gc_weak gc_weak; typedef unsigned int gc_kind; \
                 typedef void *(*gc_fn)(size_t size, void *data);";
    let c = read_c(&format!("{types}\nGLEANER_API {prototype} GLEANER_NOTHROW GLEANER_NONNULL(1);\n"));
    let mut rust = Interface::default();
    let aliases =
        "pub type Handler = Option<unsafe extern \"C-unwind\" fn(size: usize, data: *mut c_void) -> *mut c_void>;
                   pub type Kind = core::ffi::c_uint;";
    read_rust(&format!("{aliases}\n#[unsafe(no_mangle)]\n{definition} {{ /* \" */ }}"), &mut rust);
    differences(&c, &rust)
}

#[test]
fn pairs_that_agree_pass() {
    let pairs = [
        ("void gc_a(void)", "pub extern \"C\" fn gc_a()"),
        (
            "void *gc_a(const void *p)",
            "pub unsafe extern \"C-unwind\" fn gc_a(p: *const c_void) -> *mut core::ffi::c_void",
        ),
        ("char *gc_a(size_t n)", "pub extern \"C\" fn gc_a(n: usize) -> *mut c_char"),
        ("int gc_a(enum gc_e order)", "pub extern \"C\" fn gc_a(order: c_int) -> c_int"),
        ("gc_kind gc_a(gc_fn fn)", "pub extern \"C\" fn gc_a(f: Handler) -> Kind"),
        (
            "void gc_a(gc_fn fn, int n)",
            "pub extern \"C\" fn gc_a(f: Option<extern \"C\" fn(usize, *mut c_void) -> *mut c_void>, n: c_int)",
        ),
        ("gc_weak *gc_a(const gc_weak *w)", "pub unsafe extern \"C\" fn gc_a(w: *const Weak) -> *mut gc_weak"),
        ("unsigned long gc_a(const unsigned long *b)", "pub extern \"C\" fn gc_a(b: *const c_ulong) -> c_ulong"),
    ];
    for (prototype, definition) in pairs {
        assert_eq!(judge(prototype, definition), Vec::<String>::new(), "{prototype} and {definition}");
    }
}

#[test]
fn each_planted_difference_is_named() {
    let faults = [
        ("void gc_a(void)", "pub extern \"C\" fn gc_b()", "gc_a: the header declares it"),
        ("void gc_a(void)", "pub extern \"C\" fn gc_b()", "gc_b: ffi/abi defines it"),
        ("void gc_a(void)", "fn gc_a()", "gc_a: the header declares it"),
        ("void gc_a(void)", "pub extern \"Rust\" fn gc_a()", "gc_a: the header declares it"),
        ("void gc_a(int n)", "pub extern \"C\" fn gc_a()", "1 parameters in the header, 0 in Rust"),
        ("void gc_a(size_t n)", "pub extern \"C\" fn gc_a(n: c_int)", "parameter 1 is `size_t`"),
        ("int gc_a(void)", "pub extern \"C\" fn gc_a() -> usize", "the result is `int`"),
        ("void gc_a(void)", "pub extern \"C\" fn gc_a() -> c_int", "the result is `void`"),
        ("void gc_a(const void *p)", "pub extern \"C\" fn gc_a(p: *mut c_void)", "parameter 1 is `const void *`"),
        ("void gc_a(gc_weak *w)", "pub extern \"C\" fn gc_a(w: *mut Ephemeron)", "parameter 1 is `gc_weak *`"),
        ("void gc_a(enum gc_e e)", "pub extern \"C\" fn gc_a(e: Order)", "parameter 1 is `enum gc_e`"),
        ("void gc_a(gc_fn f)", "pub extern \"C\" fn gc_a(f: Option<extern \"C\" fn(usize)>)", "parameter 1 is `gc_fn`"),
        ("void gc_a(gc_fn f)", "pub extern \"C\" fn gc_a(f: *mut c_void)", "parameter 1 is `gc_fn`"),
    ];
    for (prototype, definition, expected) in faults {
        let found = judge(prototype, definition);
        assert!(found.iter().any(|line| line.contains(expected)), "{prototype} and {definition}: {found:?}");
    }
}
