//! A map that two threads share: 64 hash tables with a lock each. Of ten accesses nine read a value, which outlives the lock,
//! and one puts a new value for its key.

/// Hash tables.
pub const SHARDS: usize = 64;
/// Threads.
pub const THREADS: usize = 2;
/// One of them may have to collect, by recursion, what other workloads have left.
const STACK_BYTES: usize = 1 << 30;

macro_rules! map {
    ($family:ident $trace:ident) => {
        /// With the handles of the family.
        pub mod $family {
            use super::{SHARDS, STACK_BYTES, THREADS};
            use crate::{
                Outcome, Random, Work,
                families::$family::{Handle, begin},
            };
            use std::{
                collections::HashMap,
                hint::black_box,
                sync::{Arc, PoisonError, RwLock},
                thread,
            };

            /// What is known of a key.
            pub struct Value {
                key: u64,
                words: [u64; 3],
            }
            crate::families::$trace!(Value);

            type Shard = RwLock<HashMap<u64, Handle<Value>>>;

            fn value(key: usize, word: usize) -> Handle<Value> {
                Handle::new(Value { key: key as u64, words: [word as u64; 3] })
            }

            /// Reads and writes; gives the sum of the keys read.
            fn work_on(shards: &[Shard], keys: usize, steps: usize, mut random: Random) -> u64 {
                let mut sum = 0u64;
                for step in 0..steps {
                    let key = random.below(keys);
                    let shard = &shards[key % SHARDS];
                    if step % 10 == 0 {
                        let new = value(key, step);
                        let _former = shard.write().unwrap_or_else(PoisonError::into_inner).insert(key as u64, new);
                    } else {
                        let found = shard.read().unwrap_or_else(PoisonError::into_inner).get(&(key as u64)).cloned();
                        let found = found.expect("every key has a value");
                        black_box(found.words);
                        sum = sum.wrapping_add(found.key);
                    }
                }
                sum
            }

            /// Runs it.
            pub fn run(work: Work) -> Outcome {
                begin();
                let shards: Arc<Vec<Shard>> = Arc::new((0..SHARDS).map(|_| Shard::default()).collect());
                for key in 0..work.live {
                    let shard = &shards[key % SHARDS];
                    shard.write().unwrap_or_else(PoisonError::into_inner).insert(key as u64, value(key, 0));
                }
                let threads: Vec<_> = (0..THREADS)
                    .map(|index| {
                        let shards = Arc::clone(&shards);
                        let builder = thread::Builder::new().stack_size(STACK_BYTES);
                        builder
                            .spawn(move || work_on(&shards, work.live, work.steps / THREADS, Random(index as u64 + 10)))
                            .expect("a thread")
                    })
                    .collect();
                let sum = threads.into_iter().map(|thread| thread.join().expect("it ends")).sum();
                Outcome::new(sum, shards)
            }
        }
    };
}

map!(gleaner_gc no_trace);
map!(arc no_trace);
map!(dumpster_sync dumpster_trace);

/// By their names.
pub const PEERS: &[(&str, crate::Run)] =
    &[("Gc", gleaner_gc::run), ("Arc", arc::run), ("dumpster-sync", dumpster_sync::run)];
