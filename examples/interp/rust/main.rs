//! A small Scheme on `Gc`: the twin of the interpreter in C beside it, for a part of its language.
//!
//! ```text
//!   reader  text -> values     code  values -> a tree of code     run  code -> values     primitives  what is there at first
//! ```
//!
//! It shows what an interpreter need not do on this heap: no trait to implement, no macro to derive, no list of roots, no
//! lifetime that brands the values. Values lie in frames and pairs, in `Vec`s, in a `HashMap` of symbols, and on Rust's stack.
//!
//! It has `define`, `lambda`, `let` in all its forms, `cond`, `case`, `do`, quasiquotation, expanders, tail calls, continuations
//! that lead out, `guard` and handlers, records, hash tables, weak tables, and the library of the other one. It has no
//! `syntax-rules`, bytevectors, coroutines, finalizers, nor ports but for texts that are written.
//!
//!     cargo run --release --example scheme -- PROGRAM.scm …      or none, to read from standard input

mod code;
mod primitives;
mod reader;
mod run;
mod table;
mod value;

use run::Interp;
use std::io::Read;
use std::process::ExitCode;
use std::thread;

#[global_allocator]
static HEAP: gleaner::Gleaner = gleaner::Gleaner;

/// Deep recursion in a program is deep recursion here.
const STACK_BYTES: usize = 256 << 20;

fn text_of(path: Option<&str>) -> std::io::Result<String> {
    let Some(path) = path else {
        let mut text = String::new();
        std::io::stdin().read_to_string(&mut text)?;
        return Ok(text);
    };
    std::fs::read_to_string(path)
}

/// Runs programs one after the other in one interpreter.
fn run(paths: &[Option<String>]) -> Result<(), String> {
    let interp = Interp::new(STACK_BYTES);
    for path in paths {
        let name = path.as_deref().unwrap_or("standard input");
        let text = text_of(path.as_deref()).map_err(|error| format!("{name}: {error}"))?;
        interp.run_text(&text).map_err(|error| format!("{name}: {error}"))?;
    }
    Ok(())
}

fn main() -> ExitCode {
    // SAFETY: nothing here hides an address.
    if let Err(error) = unsafe { gleaner::start() } {
        eprintln!("{error}");
        return ExitCode::FAILURE;
    }
    let mut paths: Vec<Option<String>> = std::env::args().skip(1).map(Some).collect();
    if paths.is_empty() {
        paths.push(None);
    }
    let worker = thread::Builder::new().stack_size(STACK_BYTES + (1 << 20)).spawn(move || run(&paths));
    match worker.map(|worker| worker.join()) {
        Ok(Ok(Ok(()))) => ExitCode::SUCCESS,
        Ok(Ok(Err(message))) => {
            eprintln!("scheme: {message}");
            ExitCode::FAILURE
        }
        Ok(Err(_)) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("scheme: no thread with a stack of {} MiB: {error}", STACK_BYTES >> 20);
            ExitCode::FAILURE
        }
    }
}
