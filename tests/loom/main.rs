//! The protocols of threads, run by `loom` through every order of their accesses up to a bound of preemptions.
//!
//! It is the engine's own code that runs: `base::model` gives it loom's atomics, `os::model` a platform of futexes and
//! fences that loom watches. The models of a protocol are run as the source is, and must hold; then with a fault
//! planted, and one of them must fail. The faults are not picked by hand alone: every access that the models meet in
//! the protocol's files is weakened once, every update torn in two. What no model notices is listed with the reason.
//!
//! `make loom` runs this; `LOOM_MAX_PREEMPTIONS` sets the bound, which is 2 otherwise. What loom does not see is in
//! `base::model`.

#![cfg(loom)]

mod claim;
mod gates;
mod kinds;
mod lock;
mod refill;

use gleaner::{
    base::model::{self, Access, Fault, Site, Strength, Total},
    heap::{
        self,
        cage::{self, Unit},
        centre,
        kind::Kind,
        mutator::{self, Mutator},
        pressure, size_class,
        units::Class,
    },
    os,
};
use loom::{model::Builder, thread::JoinHandle};
use std::{
    collections::BTreeSet,
    panic,
    path::Path,
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Instant,
};

const PREEMPTIONS: usize = 2;
const STACK_BYTES: usize = 256 << 10;

/// One model at a time: locks guard plain statics.
static ALONE: Mutex<()> = Mutex::new(());

/// Threads that run a piece of the engine, and what must be true of it.
struct Model {
    name: &'static str,
    run: fn(),
    /// A collector takes part.
    has_barrier: bool,
}

impl Model {
    const fn new(name: &'static str, run: fn()) -> Model {
        Model { name, run, has_barrier: false }
    }

    /// Runs it to its end: how many executions it took, or what the one said that failed.
    fn explore(&self, total: Total, fault: Option<Fault>) -> Result<usize, String> {
        static EXECUTIONS: AtomicUsize = AtomicUsize::new(0);
        EXECUTIONS.store(0, Ordering::Relaxed);
        let mut builder = Builder::new();
        builder.preemption_bound.get_or_insert(PREEMPTIONS);
        builder.max_branches = 10_000;
        let (run, has_barrier) = (self.run, self.has_barrier);
        let all = || {
            builder.check(move || {
                EXECUTIONS.fetch_add(1, Ordering::Relaxed);
                model::begin(total, fault);
                os::begin(has_barrier);
                run();
            })
        };
        // That a planted fault panics is no news, and what ends loom's threads has no text.
        let _ = panic::take_hook();
        let is_planted = fault.is_some();
        panic::set_hook(Box::new(move |info| {
            if let Some(text) = info.payload_as_str().filter(|_| !is_planted) {
                println!("{text} at {:?}", info.location());
            }
        }));
        forget_lists();
        let result = panic::catch_unwind(panic::AssertUnwindSafe(all));
        let _ = panic::take_hook();
        match result {
            Ok(()) => Ok(EXECUTIONS.load(Ordering::Relaxed)),
            Err(payload) => {
                let text = said(&*payload);
                assert!(!text.starts_with("model:"), "{text}");
                Err(text)
            }
        }
    }
}

fn said(payload: &(dyn std::any::Any + Send)) -> String {
    let text = payload.downcast_ref::<String>().map(String::as_str);
    text.or(payload.downcast_ref::<&str>().copied()).unwrap_or("something").trim().to_string()
}

/// A weakened or torn access that no model of a protocol notices: its file, what it does, a part of its line or of the one
/// above, and why.
struct Unnoticed {
    file: &'static str,
    access: Access,
    /// It is torn in two, not weakened.
    is_torn: bool,
    text: &'static str,
    #[expect(dead_code, reason = "for the reader")]
    why: &'static str,
}

/// Runs the models of a protocol as the source is; each must hold. Then plants one fault after another: every access
/// in `files` that has an order is weakened, every update torn, and `faults` besides. One of the models has to notice,
/// or it is listed in `unnoticed`, and then none does: the list is neither too short nor too long.
fn check(models: &[Model], files: &[&str], unnoticed: &[Unnoticed], faults: &[Fault]) {
    let _alone = ALONE.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    let mut met = Vec::new();
    for model in models {
        model::forget_sites();
        let started = Instant::now();
        let run =
            |total| model.explore(total, None).unwrap_or_else(|failure| panic!("{}, {total:?}: {failure}", model.name));
        let executions = run(Total::Fenced) + if has_total(&model::sites()) { run(Total::Newest) } else { 0 };
        println!("{}: {executions} executions, {:.1} s", model.name, started.elapsed().as_secs_f32());
        met.push(model::sites());
    }
    let met_by_all: BTreeSet<Site> = met.iter().flatten().copied().collect();
    for file in files {
        assert!(met_by_all.iter().any(|site| site.file == *file), "no model meets anything in {file}");
    }
    let mut wrong = Vec::new();
    for &site in met_by_all.iter().filter(|site| files.contains(&site.file)) {
        let weak = (site.strength != Strength::Relaxed).then_some(Fault::Weak(site));
        let torn = (site.access == Access::Update).then_some(Fault::Torn(site));
        let meeting = || models.iter().zip(&met).filter(|(_, met)| met.contains(&site));
        for fault in [weak, torn].into_iter().flatten() {
            let is_noticed = is_noticed(fault, meeting());
            if is_noticed == unnoticed.iter().any(|known| known.covers(&site, fault)) {
                wrong.push(format!("{} {fault:?}: {}", if is_noticed { "notices" } else { "bears" }, lines(&site)));
            }
        }
    }
    for &fault in faults {
        if !is_noticed(fault, models.iter().zip(&met)) {
            wrong.push(format!("bears {fault:?}"));
        }
    }
    assert!(wrong.is_empty(), "what these models notice is not what is listed:\n{}", wrong.join("\n"));
}

fn has_total(sites: &BTreeSet<Site>) -> bool {
    sites.iter().any(|site| site.strength == Strength::Total)
}

/// Whether one of the models, each with the sites it meets, fails with the fault.
fn is_noticed<'a>(fault: Fault, models: impl Iterator<Item = (&'a Model, &'a BTreeSet<Site>)>) -> bool {
    let mut runs = models.flat_map(|(model, met)| {
        let totals = [Some(Total::Fenced), has_total(met).then_some(Total::Newest)];
        totals.into_iter().flatten().map(move |total| (model, total))
    });
    runs.any(|(model, total)| {
        let started = Instant::now();
        let result = model.explore(total, Some(fault));
        println!("{}, {total:?}, {fault:?}: {result:?}, {:.1} s", model.name, started.elapsed().as_secs_f32());
        result.is_err()
    })
}

impl Unnoticed {
    fn covers(&self, site: &Site, fault: Fault) -> bool {
        matches!(fault, Fault::Torn(_)) == self.is_torn
            && self.file == site.file
            && self.access == site.access
            && lines(site).contains(self.text)
    }
}

/// The line of the access and the one above.
fn lines(site: &Site) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(site.file);
    let text = std::fs::read_to_string(path).expect("the source of this build");
    let lines: Vec<_> = text.lines().skip(site.line as usize - 2).take(2).map(str::trim).collect();
    lines.join(" ")
}

/// Starts a thread of the model with the id `tid`.
fn start(tid: u32, body: impl FnOnce() + Send + 'static) -> JoinHandle<()> {
    model::start_threads();
    let body = move || {
        os::tls::set_id(tid);
        body();
    };
    loom::thread::Builder::new().stack_size(STACK_BYTES).spawn(body).expect("a thread of the model")
}

fn join(threads: impl IntoIterator<Item = JoinHandle<()>>) {
    threads.into_iter().for_each(|thread| thread.join().expect("a thread that failed ends the execution"));
}

/// The record of thread `tid`.
fn record(tid: u32) -> &'static Mutator {
    mutator::obtain(tid).expect("memory for a record")
}

/// Slots of 16 KiB: four a block, and one free one is room worth listing.
fn large_slots() -> Class {
    Class::small(Kind::POINTER_FREE, size_class::of(16 << 10))
}

/// The same for other objects.
fn large_slots_of_malloc() -> Class {
    Class::small(Kind::MALLOC, size_class::of(16 << 10))
}

/// Slots of 2 KiB: 32 a block, and it takes two.
fn small_slots() -> Class {
    Class::small(Kind::POINTER_FREE, size_class::of(2 << 10))
}

/// A heap without anything in it, for a new execution. The lists are empty, as the last one has left them: they are
/// plain memory, which loom does not reset.
fn empty_heap() {
    *cage::CAGE.lock() = None;
    assert!(heap::ensure_reserved());
}

/// From now on the heap gives what it has and takes no more.
fn no_more_units() {
    pressure::set_limit_bytes(0);
}

/// Takes every block off a class's list.
fn unlist_all(class: Class) -> Vec<Unit> {
    no_more_units();
    std::iter::from_fn(|| centre::claim(class)).collect()
}

/// Empties the lists that an execution which failed has left.
fn forget_lists() {
    Builder::new().check(|| {
        model::begin(Total::Fenced, None);
        os::begin(false);
        empty_heap();
        _ = [large_slots(), large_slots_of_malloc(), small_slots()].map(unlist_all);
    });
}
