//! Binary trees, made from the leaves upward, counted, dropped; beside one of depth `live` that stays.

use crate::families::{all_peers, for_each_family};

/// The depth of the trees that are dropped.
pub const DEPTH: usize = 10;

macro_rules! trees {
    ($family:ident [$($derive:tt)*] $trace:ident $_:literal) => {
        /// With the handles of the family.
        pub mod $family {
            use super::DEPTH;
            use crate::{Outcome, Work, families::$family::{Handle, begin}};

            /// A node.
            $($derive)*
            pub struct Tree {
                left: Option<Handle<Tree>>,
                right: Option<Handle<Tree>>,
            }
            crate::families::$trace!(Tree left right);

            fn tree(depth: usize) -> Handle<Tree> {
                let below = || (depth > 0).then(|| tree(depth - 1));
                Handle::new(Tree { left: below(), right: below() })
            }

            fn count(tree: &Tree) -> u64 {
                1 + tree.left.as_deref().map_or(0, count) + tree.right.as_deref().map_or(0, count)
            }

            /// Runs it.
            pub fn run(work: Work) -> Outcome {
                begin();
                let kept = tree(work.live);
                let sum: u64 = (0..work.steps).map(|_| count(&tree(DEPTH))).sum();
                Outcome::new(sum + count(&kept), kept)
            }
        }
    };
}

for_each_family!(trees);
all_peers!();

/// In an arena.
pub mod arena {
    use super::DEPTH;
    use crate::{Outcome, Work, families::arena::Watch};
    use gc_arena::{Arena, Collect, Gc, Mutation, Rootable};

    #[derive(Collect)]
    #[collect(no_drop)]
    struct Tree<'gc> {
        left: Option<Gc<'gc, Tree<'gc>>>,
        right: Option<Gc<'gc, Tree<'gc>>>,
    }

    #[derive(Collect)]
    #[collect(no_drop)]
    struct Root<'gc> {
        watch: Watch,
        kept: Gc<'gc, Tree<'gc>>,
    }

    fn tree<'gc>(mutation: &Mutation<'gc>, depth: usize) -> Gc<'gc, Tree<'gc>> {
        let below = || (depth > 0).then(|| tree(mutation, depth - 1));
        Gc::new(mutation, Tree { left: below(), right: below() })
    }

    fn count(tree: &Tree<'_>) -> u64 {
        1 + tree.left.as_deref().map_or(0, count) + tree.right.as_deref().map_or(0, count)
    }

    /// Runs it.
    pub fn run(work: Work) -> Outcome {
        let mut arena =
            Arena::<Rootable![Root<'_>]>::new(|mutation| Root { watch: Watch, kept: tree(mutation, work.live) });
        let mut sum = 0;
        for _ in 0..work.steps {
            sum += arena.mutate(|mutation, _| count(&tree(mutation, DEPTH)));
            arena.collect_debt();
        }
        sum += arena.mutate(|_, root| count(&root.kept));
        Outcome::new(sum, arena)
    }
}
