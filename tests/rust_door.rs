//! The heap as the allocator of a whole Rust program: this one.
//!
//! The tests run in this process as they are, on a heap that is never collected; then, as one test, all of them again in
//! a child in which the collector was started before `main` and collects all the time.

#[path = "common/doors.rs"]
mod doors;

use gleaner::Gleaner;
use gleaner::api::stats;
use gleaner::base::addr::Addr;
use gleaner::heap::{mutator, resolve, units};
use std::alloc::{GlobalAlloc, Layout};
use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;

#[global_allocator]
static HEAP: Gleaner = Gleaner;

const DEADLINE: Duration = Duration::from_secs(60);

/// Where it is set, the process collects.
const COLLECT: &str = "RUST_DOOR_COLLECT";
/// Which of the programs below a child process runs instead of the tests.
const PROGRAM: &str = "RUST_DOOR_PROGRAM";

#[used]
#[unsafe(link_section = ".init_array")]
static BEFORE_MAIN: extern "C" fn() = before_main;

extern "C" fn before_main() {
    if std::env::var_os(COLLECT).is_some() {
        // SAFETY: nothing here hides an address.
        unsafe { gleaner::start() }.expect("the collector starts");
    }
    if let Ok(name) = std::env::var(PROGRAM) {
        run_program(&name);
    }
}

/// This program again, with all tests or those that `arguments` choose. It makes no backtraces: that is much work, and
/// more under zeal.
fn again(arguments: &[&str]) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(arguments).env("RUST_BACKTRACE", "0");
    command
}

fn assert_success(command: &mut Command) -> String {
    let output = command.output().unwrap();
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{}\n{out}\n{err}", output.status);
    out.into_owned()
}

/// A map whose contents tell whether a byte of it was lost.
fn map_of(count: usize) -> HashMap<String, Vec<usize>> {
    (0..count).map(|number| (format!("the number {number}"), (0..number % 50).collect())).collect()
}

fn assert_whole(map: &HashMap<String, Vec<usize>>, count: usize) {
    assert_eq!(map.len(), count);
    for number in 0..count {
        assert!(map[&format!("the number {number}")].iter().copied().eq(0..number % 50), "{number} has changed");
    }
}

/// Runs `work`, which makes children, and ends the process should it not come back: a fork may have found a lock taken.
fn within_deadline(work: impl FnOnce()) {
    let (done, is_done) = mpsc::channel::<()>();
    let watch = thread::spawn(move || {
        if is_done.recv_timeout(Duration::from_secs(120)) == Err(mpsc::RecvTimeoutError::Timeout) {
            eprintln!("rust_door: a child process hangs");
            std::process::abort();
        }
    });
    work();
    drop(done);
    watch.join().unwrap();
}

// ---- What a program does ----------------------------------------------------------------------------------------------

#[test]
fn maps_that_threads_build_and_hand_over_are_whole() {
    let (send, receive) = mpsc::channel();
    thread::scope(|scope| {
        for _ in 0..4 {
            let send = send.clone();
            scope.spawn(move || {
                for count in (0..400).step_by(40) {
                    send.send((map_of(count), count)).unwrap();
                }
            });
        }
        drop(send);
        for (map, count) in receive {
            assert_whole(&map, count);
        }
    });
}

#[test]
fn threads_that_first_free_something_leave_no_records_behind() {
    let before = mutator::all().count();
    for number in 0..300 {
        let given = map_of(10);
        thread::spawn(move || drop(given)).join().unwrap();
        let records = mutator::all().count();
        assert!(records < before + 100, "{records} records after {number} threads, one at a time");
    }
}

#[test]
fn a_vector_keeps_what_is_in_it_whatever_its_alignment() {
    #[derive(Clone, Copy, PartialEq, Debug)]
    #[repr(align(64))]
    struct Line([u32; 16]);
    #[derive(Clone, Copy, PartialEq, Debug)]
    #[repr(align(4096))]
    struct Page([u32; 1024]);
    let (mut words, mut lines, mut pages) = (Vec::new(), Vec::new(), Vec::new());
    for number in 0..5000 {
        words.push(number);
        lines.push(Line([number; 16]));
        if number < 200 {
            pages.push(Page([number; 1024]));
        }
    }
    assert!(lines.as_ptr().addr().is_multiple_of(64) && pages.as_ptr().addr().is_multiple_of(4096));
    pages.truncate(20);
    pages.shrink_to_fit();
    lines.truncate(3000);
    lines.shrink_to_fit();
    assert!(words.iter().copied().eq(0..5000));
    assert!(lines.iter().copied().eq((0..3000).map(|number| Line([number; 16]))));
    assert!(pages.iter().copied().eq((0..20).map(|number| Page([number; 1024]))));
}

#[test]
fn an_unwound_panic_frees_what_it_passes() {
    for number in 0..200 {
        let kept = map_of(20);
        let met = std::panic::catch_unwind(|| {
            let _passed = map_of(20);
            std::panic::resume_unwind(Box::new(number));
        });
        assert_eq!(met.unwrap_err().downcast_ref(), Some(&number));
        assert_whole(&kept, 20);
    }
}

#[test]
fn destructors_of_thread_locals_allocate() {
    static SUM: AtomicUsize = AtomicUsize::new(0);
    struct Late(RefCell<Vec<String>>);
    impl Drop for Late {
        fn drop(&mut self) {
            let map = map_of(50);
            assert_whole(&map, 50);
            SUM.fetch_add(self.0.borrow().iter().map(|text| text.len()).sum(), Ordering::Relaxed);
        }
    }
    thread_local!(static LATE: Late = const { Late(RefCell::new(Vec::new())) });
    for _ in 0..50 {
        thread::spawn(|| LATE.with(|late| late.0.borrow_mut().extend((0..10).map(|_| "ten bytes.".to_owned()))))
            .join()
            .unwrap();
    }
    assert_eq!(SUM.load(Ordering::Relaxed), 50 * 10 * 10);
}

#[test]
fn an_object_without_bytes_behind_an_end_pointer_alone_stays() {
    // `into_raw` gives the address behind the two counts, where they end: the only address there is then, and in the heap.
    struct Nothing;
    let kept: Vec<*const Nothing> = (0..1000).map(|_| Arc::into_raw(Arc::new(Nothing))).collect();
    drop(map_of(2000));
    for pointer in kept {
        // SAFETY: from `into_raw`, once.
        let arc = unsafe { Arc::from_raw(pointer) };
        assert_eq!((Arc::strong_count(&arc), Arc::weak_count(&arc)), (1, 0));
    }
}

#[test]
fn a_handler_of_a_signal_allocates() {
    thread_local!(static HANDLED: Cell<usize> = const { Cell::new(0) });
    extern "C" fn handle(_: libc::c_int) {
        drop(std::hint::black_box(vec![1u8; 40 + HANDLED.get() % 1000]));
        HANDLED.set(HANDLED.get() + 1);
    }
    // SAFETY: a handler for a signal that nobody else in this process uses.
    unsafe { libc::signal(libc::SIGUSR2, handle as *const () as libc::sighandler_t) };
    thread::scope(|scope| {
        let (send, receive) = mpsc::channel();
        let worker = scope.spawn(move || {
            // SAFETY: asks for its own id.
            send.send(unsafe { libc::pthread_self() }).unwrap();
            while HANDLED.get() < 100 {
                assert_whole(&map_of(30), 30);
            }
        });
        let target = receive.recv().unwrap();
        while !worker.is_finished() {
            // SAFETY: the thread is not joined before the scope ends, so its id is valid.
            unsafe { libc::pthread_kill(target, libc::SIGUSR2) };
            thread::yield_now();
        }
    });
}

#[test]
fn children_of_a_busy_process_allocate_before_they_run_another_program() {
    within_deadline(|| {
        let stop = AtomicUsize::new(0);
        thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| {
                    while stop.load(Ordering::Relaxed) == 0 {
                        assert_whole(&map_of(30), 30);
                    }
                });
            }
            for _ in 0..60 {
                let mut command = Command::new("/bin/true");
                let given = map_of(40);
                let allocate = move || {
                    assert_whole(&given, 40);
                    assert_whole(&map_of(300), 300);
                    Ok(())
                };
                // SAFETY: between fork and exec it allocates, which our heap allows, and no more.
                unsafe { command.pre_exec(allocate) };
                let status = command.status();
                let is_well = status.as_ref().is_ok_and(|status| status.success());
                stop.store(usize::from(!is_well), Ordering::Relaxed);
                assert!(is_well, "{status:?}");
            }
            stop.store(1, Ordering::Relaxed);
        });
    });
}

#[test]
fn memory_asked_for_as_zero_is_zero_in_every_size() {
    for _ in 0..2 {
        for shift in 0..22 {
            let bytes = (1usize << shift) + 7;
            let layout = Layout::from_size_align(bytes, 1).unwrap();
            drop(std::hint::black_box(vec![0xa5u8; bytes]));
            // SAFETY: not empty; freed with the layout it was allocated with.
            unsafe {
                let object = HEAP.alloc_zeroed(layout);
                assert!(std::slice::from_raw_parts(object, bytes).iter().all(|&byte| byte == 0), "{bytes} bytes");
                object.write_bytes(0xa5, bytes);
                HEAP.dealloc(object, layout);
            }
        }
    }
}

// ---- What ends the process ---------------------------------------------------------------------------------------------

fn run_program(name: &str) {
    match name {
        "too-much" => drop(std::hint::black_box(Vec::<u8>::with_capacity(isize::MAX as usize))),
        "exit" => {
            thread::spawn(|| {
                loop {
                    drop(map_of(100));
                }
            });
            assert_whole(&map_of(3000), 3000);
            std::process::exit(7);
        }
        "twice" => {
            let layout = Layout::new::<[usize; 20]>();
            // SAFETY: not empty; the second free is the mistake that is to be named.
            unsafe {
                let object = HEAP.alloc(layout);
                HEAP.dealloc(object, layout);
                HEAP.dealloc(object, layout);
            }
        }
        "torn" => {
            // SAFETY: nothing here hides an address.
            unsafe { gleaner::start() }.expect("the collector starts");
            let kept = Box::new([0usize; 20]);
            let slot = resolve::object_at(Addr::of(&raw const *kept)).expect("an object of ours");
            // More free slots than a block has: the sweep finds fewer than none in use.
            units::block(slot.unit()).free.store(u32::MAX, Ordering::Relaxed);
            gleaner::collect();
        }
        _ => panic!("no program is called {name}"),
    }
}

fn program(name: &str) -> (std::process::ExitStatus, String) {
    let output = again(&[]).env(PROGRAM, name).output().unwrap();
    (output.status, String::from_utf8_lossy(&output.stderr).into_owned())
}

#[test]
fn what_cannot_be_had_is_said_by_the_standard_library() {
    let (status, said) = program("too-much");
    assert_eq!(status.signal(), Some(libc::SIGABRT), "{said}");
    assert!(said.contains("memory allocation of 9223372036854775807 bytes failed"), "{said}");
    assert!(Vec::<u8>::new().try_reserve_exact(isize::MAX as usize).is_err());
}

#[test]
fn a_process_exits_while_its_threads_allocate() {
    let (status, said) = program("exit");
    assert_eq!(status.code(), Some(7), "{said}");
}

#[test]
fn a_double_free_is_named() {
    let (status, said) = program("twice");
    assert_eq!(status.signal(), Some(libc::SIGABRT), "{said}");
    assert!(said.contains("gleaner: dealloc: freed twice: 0x"), "{said}");
}

/// Only where the engine is built to notice.
#[cfg(debug_assertions)]
#[test]
fn a_panic_in_a_collection_is_said_and_ends_the_process() {
    for backtrace in ["0", "1"] {
        let outcome = doors::run(again(&[]).env(PROGRAM, "torn").env("RUST_BACKTRACE", backtrace), DEADLINE);
        assert!(outcome.aborted(), "{outcome}");
        assert!(outcome.stderr.contains("attempt to subtract with overflow"), "{outcome}");
    }
}

// ---- Everything again ---------------------------------------------------------------------------------------------------

/// Last by its name, so that a single thread of tests runs it last, as those of the child do.
#[test]
fn zz_all_of_it_again_while_the_heap_is_collected() {
    if std::env::var_os(COLLECT).is_some() {
        let collections = stats::now().collections;
        assert!(collections >= 20, "{collections} collections");
        return;
    }
    assert_eq!(stats::now().collections, 0, "nothing is collected before the start");
    for options in ["zeal=500:verify=1", "zeal=301:poison=1"] {
        assert_success(again(&["--test-threads=1"]).env(COLLECT, "yes").env("GLEANER_OPTIONS", options));
    }
}
