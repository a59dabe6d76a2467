//! Handles in a program with another global allocator: roots work, plain handles say what to do.

use gleaner::{Gc, Root};
use std::panic::{RefUnwindSafe, UnwindSafe, catch_unwind};

const TOLD: &str = "gleaner: Gc: this program's global allocator is another one; declare `#[global_allocator] static HEAP: \
                    gleaner::Gleaner = gleaner::Gleaner;`, or use gleaner::Root, which needs none";

/// The message of the panic that `work` ends by.
fn told<R>(work: impl FnOnce() -> R + UnwindSafe) -> String {
    let message = catch_unwind(work).map(|_| ()).expect_err("it panics");
    message.downcast_ref::<&str>().map(|text| text.to_string()).or(message.downcast_ref::<String>().cloned()).unwrap()
}

fn start() {
    // SAFETY: the tests hide no address.
    unsafe { gleaner::start().expect("the system has memory and a signal for the collector") };
}

#[test]
fn making_a_plain_handle_panics() {
    start();
    // Again and again: a refusal is not forgotten.
    for _ in 0..3 {
        assert_eq!(told(|| Gc::new(1)), TOLD);
        assert_eq!(told(|| Gc::try_new(1)), TOLD);
        assert_eq!(told(|| Gc::new_pointer_free(1u8)), TOLD);
        assert_eq!(told(|| Gc::<str>::from("text")), TOLD);
        assert_eq!(told(|| Gc::<[u8]>::from(vec![1; 100_000])), TOLD);
        assert_eq!(told(|| Gc::with_drop(1)), TOLD);
        assert_eq!(told(|| (0..3).collect::<Gc<[u32]>>()), TOLD);
    }
}

#[test]
fn a_root_gives_no_plain_handle() {
    fn is_unwind_safe<T: UnwindSafe + RefUnwindSafe>() {}
    is_unwind_safe::<Gc<u32>>();
    let root = Root::new(1);
    assert_eq!(told(std::panic::AssertUnwindSafe(|| Root::gc(&root))), TOLD);
}

#[test]
fn roots_keep_their_values_in_memory_of_another_allocator() {
    start();
    // `Vec` and `String` lie on the system's heap; the text of each value is its own.
    let roots: Vec<Root<(usize, String)>> = (0..1000).map(|number| Root::new((number, number.to_string()))).collect();
    let clones: Vec<Box<Root<(usize, String)>>> = roots.iter().step_by(2).cloned().map(Box::new).collect();
    drop(roots);
    for _ in 0..5 {
        assert!(gleaner::collect());
        for _ in 0..1000 {
            Root::new((usize::MAX, String::new()));
        }
        for (index, root) in clones.iter().enumerate() {
            assert_eq!(***root, (index * 2, (index * 2).to_string()));
        }
    }
}

#[test]
fn values_without_roots_come_back() {
    start();
    gleaner::collect();
    let before = gleaner::api::stats::now().bytes_heap;
    for number in 0..1_000_000u64 {
        assert_eq!(Root::new([number; 32])[31], number);
    }
    let grown = gleaner::api::stats::now().bytes_heap - before;
    // Between two collections as much may be made as the trigger allows, here at most some 32 MiB.
    assert!(grown < 96 << 20, "256 MB of dead values took {grown} bytes");
}
