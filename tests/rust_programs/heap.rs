//! The allocator of a program under test, by one feature: `system`'s is none. `run.sh` makes it a package.
//!
//! `collecting` starts the collector before `main`, and says at the end of the process how often it has collected: a line
//! of the file that `HEAP_COUNTS` names.

#[cfg(feature = "mimalloc")]
#[global_allocator]
static HEAP: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[cfg(feature = "gleaner")]
#[global_allocator]
static HEAP: gleaner::Gleaner = gleaner::Gleaner;

#[cfg(feature = "collecting")]
mod collecting {
    use std::fs::File;
    use std::io::Write;

    #[used]
    #[unsafe(link_section = ".init_array")]
    static BEFORE_MAIN: extern "C" fn() = before_main;

    extern "C" fn before_main() {
        // SAFETY: the programs under test hide no addresses.
        unsafe { gleaner::start() }.expect("the collector starts");
        // SAFETY: a function of ours, which may run at any exit.
        unsafe { libc::atexit(at_exit) };
    }

    extern "C" fn at_exit() {
        let Some(path) = std::env::var_os("HEAP_COUNTS") else { return };
        let line = format!("{}\n", gleaner::api::stats::now().collections);
        let written = File::options().append(true).open(path).and_then(|mut file| file.write_all(line.as_bytes()));
        written.expect("HEAP_COUNTS names a file");
    }
}
