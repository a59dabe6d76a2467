//! What a program says at its end, if it was asked to.

use crate::{child, world};
use gleaner::Gc;

/// The lines of figures that a child with these options writes.
fn figures(name: &str, options: &str) -> Vec<String> {
    let outcome = child::run(name, options, || {
        let _alone = world::alone();
        for _ in 0..1000 {
            Gc::new([1u8; 4096]);
        }
        world::collect();
    });
    assert!(outcome.succeeded(), "{outcome}");
    let lines = outcome.stderr.lines().filter(|line| line.starts_with("gleaner: exit ")).map(String::from);
    lines.collect()
}

#[test]
fn a_line_of_figures_when_asked_for_and_once() {
    let lines = figures("ending::a_line_of_figures_when_asked_for_and_once", "stats=1");
    let [line] = lines.as_slice() else { panic!("{lines:?}") };
    let figure = |name: &str| -> u64 {
        let word = line.split(' ').find_map(|word| word.strip_prefix(name)?.strip_prefix('='));
        word.unwrap_or_else(|| panic!("no {name} in {line}")).parse().expect("a number")
    };
    assert!(figure("collections") >= 1 && figure("reclaimed_objects") >= 900, "{line}");
    assert!(figure("reclaimed_bytes") >= 900 * 4096 && figure("heap_bytes") > 0, "{line}");
    assert_eq!(figure("stops_abandoned"), 0);
}

#[test]
fn nothing_when_not_asked() {
    assert_eq!(figures("ending::nothing_when_not_asked", ""), [""; 0]);
}

#[test]
fn an_option_that_the_program_sets_itself_counts_too() {
    let outcome = child::run("ending::an_option_that_the_program_sets_itself_counts_too", "", || {
        gleaner::options::set("stats", "1").expect("it can be set any time");
    });
    assert_eq!(outcome.stderr.matches("gleaner: exit collections=").count(), 1, "{outcome}");
}

/// The standard library has unmapped the main thread's alternate stack by then, and the kernel still has it.
#[test]
fn another_thread_than_the_main_one_may_exit_and_collect_at_the_end() {
    unsafe extern "C" {
        safe fn atexit(work: extern "C" fn()) -> i32;
    }
    extern "C" fn collect() {
        (0..20).for_each(|_| world::collect());
    }
    child::succeeds("ending::another_thread_than_the_main_one_may_exit_and_collect_at_the_end", "", || {
        let _alone = world::alone();
        assert_eq!(atexit(collect), 0);
        assert_ne!(std::thread::current().name(), Some("main"), "which waits for this one, and stands still meanwhile");
    });
}
