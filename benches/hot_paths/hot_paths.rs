//! The hot paths one by one: `cargo bench -p gleaner-benches [-- NAME]`.
//!
//! | group | what is timed |
//! |---|---|
//! | `pair` | an object made and freed at once, by kind and size |
//! | `batch` | 1,000 made, then 1,000 freed: magazines run out and fill up, refill and flush |
//! | `resolve` | from a word to the object it points into, by what the words are |
//! | `mark` | a collection of a heap of 64-byte objects, all of it live, by its shape |
//! | `sweep` | a collection of as many objects, none of them live, by size |
//! | `stop` | a collection of a tiny heap beside so many idle threads |

use std::hint::black_box;
use std::sync::{Arc, Barrier};

use criterion::{BatchSize, BenchmarkId, Criterion, Throughput};
use gleaner::base::addr::Ambiguous;
use gleaner::heap::{kind::Kind, resolve};
use gleaner_benches::{NODE, Nodes, Random, Shape, collect, free, object, start};

/// Kinds by their names.
const KINDS: [(&str, Kind); 4] = [
    ("malloc", Kind::MALLOC),
    ("scanned", Kind::SCANNED),
    ("pointer-free", Kind::POINTER_FREE),
    ("uncollectable", Kind::UNCOLLECTABLE),
];
/// Objects of a batch: more than any magazine holds.
const BATCH: usize = 1000;
/// Nodes of a heap that is marked: 16 MiB, more than the caches near a core.
const NODES: usize = 1 << 18;

fn pair(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("pair");
    for (name, kind) in KINDS {
        for bytes in [16, 48, 256, 4096, 32 << 10, 1 << 20] {
            group.bench_function(BenchmarkId::new(name, bytes), |bencher| {
                // SAFETY: the object is this loop's alone.
                bencher.iter(|| unsafe { free(black_box(object(black_box(bytes), kind))) });
            });
        }
    }
}

fn batch(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("batch");
    group.throughput(Throughput::Elements(BATCH as u64));
    let mut objects = [std::ptr::null_mut(); BATCH];
    for (name, kind) in KINDS {
        for bytes in [16, 48, 256, 4096] {
            group.bench_function(BenchmarkId::new(name, bytes), |bencher| {
                bencher.iter(|| {
                    objects.fill_with(|| object(bytes, kind));
                    // SAFETY: all are this loop's alone, and freed once.
                    objects.iter().for_each(|object| unsafe { free(*object) });
                });
            });
        }
    }
}

fn resolving(criterion: &mut Criterion) {
    let mut random = Random(1);
    let objects: Vec<usize> = (0..BATCH).map(|_| object(48, Kind::UNCOLLECTABLE) as usize).collect();
    let words: [(&str, Vec<usize>); 4] = [
        ("starts", objects.clone()),
        ("inside", objects.iter().map(|start| start + random.below(48)).collect()),
        ("beside", objects.iter().map(|start| start ^ 1 << 46).collect()),
        ("numbers", (0..BATCH).collect()),
    ];
    let mut group = criterion.benchmark_group("resolve");
    group.throughput(Throughput::Elements(BATCH as u64));
    for (name, words) in &words {
        group.bench_function(*name, |bencher| {
            bencher.iter(|| {
                let found = |word: &&usize| resolve::resolve(Ambiguous(black_box(**word))).is_some();
                black_box(words.iter().filter(found).count())
            });
        });
    }
    // SAFETY: nobody uses the words after this.
    objects.iter().for_each(|start| unsafe { free(*start as *mut u8) });
}

fn mark(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("mark");
    group.throughput(Throughput::Elements(NODES as u64)).sample_size(10);
    for shape in [Shape::Graph, Shape::Array, Shape::List, Shape::ShuffledList] {
        group.bench_function(format!("{shape:?}"), |bencher| {
            let nodes = Nodes::new(shape, NODES);
            bencher.iter(collect);
            drop(nodes);
            collect();
        });
    }
}

fn sweep(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("sweep");
    group.throughput(Throughput::Bytes((NODES * NODE) as u64)).sample_size(10);
    for bytes in [16, 64, 512, 4096] {
        group.bench_function(BenchmarkId::from_parameter(bytes), |bencher| {
            let fill = || (0..NODES * NODE / bytes).for_each(|_| _ = black_box(object(bytes, Kind::POINTER_FREE)));
            bencher.iter_batched(fill, |()| collect(), BatchSize::PerIteration);
        });
    }
}

fn stop(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("stop");
    group.sample_size(10);
    for count in [0, 1, 10, 100, 1000] {
        let (begun, ended) = (Arc::new(Barrier::new(count + 1)), Arc::new(Barrier::new(count + 1)));
        let idle: Vec<_> = (0..count)
            .map(|_| {
                let (begun, ended) = (Arc::clone(&begun), Arc::clone(&ended));
                std::thread::spawn(move || {
                    black_box(object(48, Kind::SCANNED));
                    begun.wait();
                    ended.wait();
                })
            })
            .collect();
        begun.wait();
        group.bench_function(BenchmarkId::from_parameter(count), |bencher| bencher.iter(collect));
        ended.wait();
        idle.into_iter().for_each(|thread| thread.join().expect("it only waits"));
    }
}

fn main() {
    start();
    let mut criterion = Criterion::default().configure_from_args();
    [pair, batch, resolving, mark, sweep, stop].into_iter().for_each(|group| group(&mut criterion));
    criterion.final_summary();
}
