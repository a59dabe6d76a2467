//! Values made and dropped. With `live` values each replaces another one in a table, chosen at random.

use crate::families::{all_peers, for_each_family};

macro_rules! churn {
    ($family:ident [$($derive:tt)*] $trace:ident $_:literal) => {
        /// With the handles of the family.
        pub mod $family {
            use crate::{Outcome, Random, Work, families::$family::{Handle, begin}};
            use std::hint::black_box;

            /// Four words.
            $($derive)*
            pub struct Value {
                words: [u64; 4],
            }
            crate::families::$trace!(Value);

            fn value(number: usize) -> Handle<Value> {
                Handle::new(Value { words: [number as u64; 4] })
            }

            /// Runs it.
            pub fn run(work: Work) -> Outcome {
                begin();
                let mut random = Random(1);
                let mut sum = 0u64;
                let mut table: Vec<Handle<Value>> = (0..work.live).map(value).collect();
                for step in 0..work.steps {
                    let new = black_box(value(step));
                    sum = sum.wrapping_add(new.words[step % 4]);
                    if work.live != 0 {
                        let former = std::mem::replace(&mut table[random.below(work.live)], new);
                        sum = sum.wrapping_add(former.words[0]);
                    }
                }
                Outcome::new(sum, table)
            }
        }
    };
}

for_each_family!(churn);
all_peers!();

/// In an arena; the table is in pieces, because a piece that is written to is traced again.
pub mod arena {
    use crate::{Outcome, Random, Work, families::arena::Watch};
    use gc_arena::{Arena, Collect, Gc, Mutation, Rootable, lock::RefLock};
    use std::hint::black_box;

    /// Four words.
    #[derive(Collect)]
    #[collect(no_drop)]
    struct Value {
        words: [u64; 4],
    }

    #[derive(Collect)]
    #[collect(no_drop)]
    struct Root<'gc> {
        watch: Watch,
        table: Vec<Piece<'gc>>,
    }
    type Piece<'gc> = Gc<'gc, RefLock<Vec<Gc<'gc, Value>>>>;
    const PIECE: usize = 64;

    fn value<'gc>(mutation: &Mutation<'gc>, number: usize) -> Gc<'gc, Value> {
        Gc::new(mutation, Value { words: [number as u64; 4] })
    }

    /// Runs it.
    pub fn run(work: Work) -> Outcome {
        let mut arena = Arena::<Rootable![Root<'_>]>::new(|mutation| {
            let piece = |first: usize| {
                let numbers = first..(first + PIECE).min(work.live);
                Gc::new(mutation, RefLock::new(numbers.map(|number| value(mutation, number)).collect()))
            };
            Root { watch: Watch, table: (0..work.live).step_by(PIECE).map(piece).collect() }
        });
        let mut random = Random(1);
        let mut sum = 0u64;
        for first in (0..work.steps).step_by(PIECE) {
            arena.mutate(|mutation, root| {
                for step in first..(first + PIECE).min(work.steps) {
                    let new = black_box(value(mutation, step));
                    sum = sum.wrapping_add(new.words[step % 4]);
                    if work.live != 0 {
                        let at = random.below(work.live);
                        let place = &mut root.table[at / PIECE].borrow_mut(mutation)[at % PIECE];
                        let former = std::mem::replace(place, new);
                        sum = sum.wrapping_add(former.words[0]);
                    }
                }
            });
            arena.collect_debt();
        }
        Outcome::new(sum, arena)
    }
}
