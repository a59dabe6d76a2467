//! Destructors: each once, after nothing leads to its value, in a call that asks for it and nowhere else; whatever it does.

use crate::{
    child,
    world::{self, Node, alone},
};
use gleaner::{Gc, Weak, WithDrop};
use std::{
    cell::Cell,
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    ptr,
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
        mpsc,
    },
    thread::{self, ThreadId},
};

/// Runs its closure when it is dropped.
struct AtEnd<F: FnMut()>(F);

impl<F: FnMut()> Drop for AtEnd<F> {
    fn drop(&mut self) {
        (self.0)();
    }
}

/// Makes a hundred values that nothing leads to, whose end is `work` with their number.
#[inline(never)]
fn forgotten<F: FnMut(usize) + Clone + Send + 'static>(work: F) {
    for number in 0..100 {
        let mut work = work.clone();
        Gc::with_drop(AtEnd(move || work(number)));
    }
}

/// Collects, and runs what is ready.
#[inline(never)]
fn collect() {
    world::clear_stack();
    assert!(gleaner::collect());
}

/// How often each of a hundred numbers was noted.
struct Log([AtomicUsize; 100]);

impl Log {
    const fn new() -> Log {
        Log([const { AtomicUsize::new(0) }; 100])
    }

    fn note(&self, number: usize) {
        self.0[number].fetch_add(1, Ordering::Relaxed);
    }

    /// None twice, nearly all once.
    #[track_caller]
    fn is_full(&self) {
        let times: Vec<usize> = self.0.iter().map(|times| times.load(Ordering::Relaxed)).collect();
        assert!(times.iter().all(|times| *times <= 1), "once: {times:?}");
        assert!(times.iter().sum::<usize>() >= 90, "nearly all: {times:?}");
    }
}

#[test]
fn each_runs_once() {
    static LOG: Log = Log::new();
    let _alone = alone();
    forgotten(|number| LOG.note(number));
    for _ in 0..5 {
        collect();
    }
    LOG.is_full();
}

#[test]
fn not_while_something_leads_to_the_value() {
    static LOG: Log = Log::new();
    let _alone = alone();
    let values: Vec<Box<Gc<WithDrop<_>>>> =
        (0..100).map(|number| Box::new(Gc::with_drop(AtEnd(move || LOG.note(number))))).collect();
    for _ in 0..5 {
        collect();
    }
    assert!(LOG.0.iter().all(|times| times.load(Ordering::Relaxed) == 0));
    assert!(values.iter().all(|value| value.get().is_some()));
    drop(values);
    collect();
    LOG.is_full();
}

#[test]
fn nowhere_but_where_they_are_asked_for() {
    static RAN_ON: Mutex<Vec<ThreadId>> = Mutex::new(Vec::new());
    let _alone = alone();
    let collections = || gleaner::api::stats::now().collections;
    forgotten(|_| RAN_ON.lock().unwrap().push(thread::current().id()));
    // Allocating collects, again and again; the destructors wait.
    let before = collections();
    world::until("three collections", || {
        world::churn();
        collections() >= before + 3
    });
    assert_eq!(RAN_ON.lock().unwrap().len(), 0);
    let asker = thread::spawn(|| {
        let ran = gleaner::run_destructors();
        (thread::current().id(), ran)
    });
    let (asker, ran) = asker.join().unwrap();
    let ran_on = RAN_ON.lock().unwrap();
    assert!(ran >= 90 && ran_on.len() >= 90, "{ran} of 100");
    assert!(ran_on.iter().all(|thread| *thread == asker));
}

#[test]
fn only_by_hand_where_the_options_say_so() {
    child::succeeds("destructors::only_by_hand_where_the_options_say_so", "finalizers=manual", || {
        static LOG: Log = Log::new();
        let _alone = alone();
        forgotten(|number| LOG.note(number));
        collect();
        assert!(LOG.0.iter().all(|times| times.load(Ordering::Relaxed) == 0));
        assert!(gleaner::run_destructors() >= 90);
        LOG.is_full();
    });
}

#[test]
fn one_that_allocates_collects_and_makes_others() {
    static FIRST: Log = Log::new();
    static SECOND: Log = Log::new();
    let _alone = alone();
    forgotten(|number| {
        let nodes: Vec<Gc<Node>> = (0..100).map(Node::new).collect();
        Gc::with_drop(AtEnd(move || SECOND.note(number)));
        if number % 10 == 0 {
            gleaner::collect();
            world::churn();
        }
        // Within a destructor none runs, not even one that is ready.
        assert_eq!(gleaner::run_destructors(), 0);
        nodes.iter().enumerate().for_each(|(number, node)| node.is(number));
        FIRST.note(number);
    });
    collect();
    FIRST.is_full();
    for _ in 0..3 {
        collect();
    }
    SECOND.is_full();
}

#[test]
fn one_that_brings_its_value_back_finds_it_dropped() {
    struct Phoenix {
        itself: Cell<Option<Weak<WithDrop<Phoenix>>>>,
        node: Gc<Node>,
    }
    // SAFETY: the cell is written by the thread that makes the value, and read by the destructor only.
    unsafe impl Sync for Phoenix {}
    static BACK: Mutex<Vec<Gc<WithDrop<Phoenix>>>> = Mutex::new(Vec::new());
    impl Drop for Phoenix {
        fn drop(&mut self) {
            self.node.is(self.node.number);
            if let Some(itself) = self.itself.take().and_then(|weak| weak.upgrade()) {
                assert!(itself.get().is_none(), "it is being dropped");
                BACK.lock().unwrap().push(itself);
            }
        }
    }
    #[inline(never)]
    fn made() {
        for number in 0..100 {
            let phoenix = Gc::with_drop(Phoenix { itself: Cell::new(None), node: Node::new(number) });
            let weak = Gc::downgrade(phoenix);
            phoenix.get().unwrap().itself.set(Some(weak));
        }
    }
    let _alone = alone();
    made();
    collect();
    collect();
    world::churn();
    let back = BACK.lock().unwrap();
    assert!((1..=100).contains(&back.len()), "{} came back", back.len());
    assert!(back.iter().all(|phoenix| phoenix.get().is_none() && phoenix.drop_now().is_ok()));
}

#[test]
fn those_that_look_at_each_other() {
    static LOG: Log = Log::new();
    static DROPPED_BEFORE: AtomicUsize = AtomicUsize::new(0);
    struct Friend {
        number: usize,
        other: Mutex<Option<Gc<WithDrop<Friend>>>>,
    }
    impl Drop for Friend {
        fn drop(&mut self) {
            let other = self.other.lock().unwrap().expect("each has one");
            match other.get() {
                Some(other) => assert_eq!(other.number / 2, self.number / 2),
                None => _ = DROPPED_BEFORE.fetch_add(1, Ordering::Relaxed),
            }
            LOG.note(self.number);
        }
    }
    #[inline(never)]
    fn made() {
        for number in (0..100).step_by(2) {
            let [one, other] =
                [number, number + 1].map(|number| Gc::with_drop(Friend { number, other: Mutex::new(None) }));
            *one.get().unwrap().other.lock().unwrap() = Some(other);
            *other.get().unwrap().other.lock().unwrap() = Some(one);
        }
    }
    let _alone = alone();
    made();
    collect();
    collect();
    LOG.is_full();
    assert!(DROPPED_BEFORE.load(Ordering::Relaxed) >= 45, "of each two, the second finds the first dropped");
}

#[test]
fn one_that_panics_ends_the_call_and_the_others_stay_ready() {
    // In a process of its own: a value that survives here by a stale word panics later, in another test.
    child::succeeds("destructors::one_that_panics_ends_the_call_and_the_others_stay_ready", "", || {
        static LOG: Log = Log::new();
        let _alone = alone();
        forgotten(|number| {
            LOG.note(number);
            if number % 10 == 0 {
                resume_unwind(Box::new(number));
            }
        });
        let (mut panics, mut calls) = (0, 0);
        world::until("all are dropped", || {
            calls += 1;
            world::clear_stack();
            let result = catch_unwind(AssertUnwindSafe(gleaner::collect));
            if let Err(number) = &result {
                let number = number.downcast_ref::<usize>().expect("what the destructor said");
                assert!(number % 10 == 0 && LOG.0[*number].load(Ordering::Relaxed) == 1);
                panics += 1;
            }
            result.is_ok()
        });
        assert!((8..=10).contains(&panics) && calls == panics + 1, "{panics} panics in {calls} calls");
        LOG.is_full();
        // The thread is not left as if a destructor ran on it.
        static AFTER: Log = Log::new();
        forgotten(|number| AFTER.note(number));
        collect();
        AFTER.is_full();
    });
}

#[test]
fn on_a_thread_that_serves_them() {
    // In a process of its own, since such a thread never ends.
    child::succeeds("destructors::on_a_thread_that_serves_them", "", || {
        let _alone = alone();
        let (sender, receiver) = mpsc::channel();
        let server = thread::spawn(|| gleaner::serve_destructors());
        let server = server.thread().id();
        forgotten(move |number| _ = sender.send((number, thread::current().id())));
        let mut arrived = Vec::new();
        // This thread only makes garbage: collections come by themselves, and destructors run over there.
        world::until("90 destructors", || {
            world::churn();
            arrived.extend(receiver.try_iter());
            arrived.len() >= 90
        });
        assert!(arrived.iter().all(|(_, thread)| *thread == server));
    });
}

#[test]
fn a_hundred_thousand_by_four_threads() {
    const EACH: usize = 25_000;
    static DROPPED: [AtomicUsize; 4 * EACH] = [const { AtomicUsize::new(0) }; 4 * EACH];
    struct Numbered(usize, Gc<Node>);
    impl Drop for Numbered {
        fn drop(&mut self) {
            self.1.is(self.0);
            DROPPED[self.0].fetch_add(1, Ordering::Relaxed);
        }
    }
    fn make_and_run(thread: usize) {
        for index in 0..EACH {
            let number = thread * EACH + index;
            Gc::with_drop(Numbered(number, Node::new(number)));
            if index % 100 == 0 {
                gleaner::run_destructors();
            }
        }
        gleaner::collect();
    }
    let _alone = alone();
    let threads: Vec<_> = (0..4).map(|thread| thread::spawn(move || make_and_run(thread))).collect();
    threads.into_iter().for_each(|thread| thread.join().expect("all values were whole"));
    collect();
    collect();
    let times = |wanted| DROPPED.iter().filter(|times| times.load(Ordering::Relaxed) == wanted).count();
    let (never, once) = (times(0), times(1));
    assert_eq!(never + once, 4 * EACH, "none twice");
    assert!(never <= 1000, "{never} of 100,000 were never dropped");
}

#[test]
fn what_a_value_with_a_destructor_refers_to_is_whole_until_then() {
    static LOG: Log = Log::new();
    struct Owner {
        number: usize,
        list: Vec<Gc<Node>>,
        boxed: Box<Gc<Node>>,
        text: String,
    }
    impl Drop for Owner {
        fn drop(&mut self) {
            world::churn();
            self.list.iter().enumerate().for_each(|(index, node)| node.is(self.number + index));
            self.boxed.is(self.number);
            assert_eq!(self.text, self.number.to_string());
            LOG.note(self.number);
        }
    }
    let make = |number: usize| Owner {
        number,
        list: (number..number + 20).map(Node::new).collect(),
        boxed: Box::new(Node::new(number)),
        text: number.to_string(),
    };
    #[inline(never)]
    fn lay(make: impl Fn(usize) -> Owner) {
        (0..100).for_each(|number| _ = Gc::with_drop(make(number)));
    }
    let _alone = alone();
    lay(make);
    collect();
    collect();
    LOG.is_full();
}

#[test]
fn a_weak_handle_gives_the_value_or_none_and_a_dropped_one_never() {
    #[inline(never)]
    fn made() -> Vec<Weak<WithDrop<Node>>> {
        (0..100).map(|number| Gc::downgrade(Gc::with_drop(Node::with(number)))).collect()
    }
    let _alone = alone();
    let weak = made();
    for _ in 0..3 {
        for (number, weak) in weak.iter().enumerate() {
            if let Some(value) = weak.upgrade() {
                value.get().inspect(|node| node.is(number));
            }
        }
        collect();
    }
    world::nearly_all(&weak);
}

#[test]
fn those_that_were_dropped_are_counted_and_no_others() {
    // In a process of its own: what other tests have left would be counted here.
    child::succeeds("destructors::those_that_were_dropped_are_counted_and_no_others", "finalizers=manual", || {
        static LOG: Log = Log::new();
        #[inline(never)]
        fn forget_guards_and_drop_by_hand() {
            (0..100).for_each(|_| std::mem::forget(Gc::with_drop(AtEnd(|| unreachable!("it is looked at"))).get()));
            (0..100).for_each(|_| assert_eq!(Gc::with_drop(AtEnd(|| ())).drop_now(), Ok(())));
        }
        let _alone = alone();
        forget_guards_and_drop_by_hand();
        forgotten(|number| LOG.note(number));
        collect();
        let counted = gleaner::run_destructors();
        let ran = LOG.0.iter().filter(|times| times.load(Ordering::Relaxed) == 1).count();
        assert!(counted == ran && ran >= 90, "{ran} ran, {counted} were counted");
    });
}

/// From here on the kernel refuses this thread to read its own memory by a system call, as some sandboxes do.
fn forbid_process_vm_readv() {
    let code = |code: u32, jump_if: u8, jump_else: u8, k: u32| libc::sock_filter {
        code: code as u16,
        jt: jump_if,
        jf: jump_else,
        k,
    };
    let mut filter = [
        code(libc::BPF_LD | libc::BPF_W | libc::BPF_ABS, 0, 0, 0),
        code(libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K, 0, 1, libc::SYS_process_vm_readv as u32),
        code(libc::BPF_RET | libc::BPF_K, 0, 0, libc::SECCOMP_RET_ERRNO | libc::EPERM as u32),
        code(libc::BPF_RET | libc::BPF_K, 0, 0, libc::SECCOMP_RET_ALLOW),
    ];
    let program = libc::sock_fprog { len: filter.len() as u16, filter: filter.as_mut_ptr() };
    // SAFETY: the kernel copies the filter.
    unsafe {
        assert_eq!(libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
        assert_eq!(libc::prctl(libc::PR_SET_SECCOMP, libc::SECCOMP_MODE_FILTER, &raw const program), 0);
        assert_eq!(libc::process_vm_readv(libc::getpid(), ptr::null(), 0, ptr::null(), 0, 0), -1);
    }
}

#[test]
fn one_at_a_time_in_a_sandbox_too() {
    child::succeeds("destructors::one_at_a_time_in_a_sandbox_too", "finalizers=manual", || {
        static RUNNING: AtomicUsize = AtomicUsize::new(0);
        static LOG: Log = Log::new();
        let _alone = alone();
        forgotten(|number| {
            assert_eq!(RUNNING.fetch_add(1, Ordering::Relaxed), 0, "a destructor within a destructor");
            assert_eq!(gleaner::run_destructors(), 0);
            RUNNING.fetch_sub(1, Ordering::Relaxed);
            LOG.note(number);
        });
        collect();
        forbid_process_vm_readv();
        assert!(gleaner::run_destructors() >= 90);
        LOG.is_full();
    });
}
