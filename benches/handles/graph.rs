//! A graph that changes. A table holds `live` nodes with three edges each, to any of them. In each step a walk of eight edges
//! is made, [`CHANGES`] edges are led elsewhere, and one node makes way for a new one.
//!
//! A node that has left the table stays while others lead to it. An edge is changed often enough that these die out:
//! a node has three edges to it on the average, and the one who has such an edge leaves before it changes it in one of six
//! cases.

use crate::families::{all_peers, for_each_family};

/// Edges of a node.
pub const EDGES: usize = 3;
/// Edges changed in a step: five times as often as the node itself leaves.
pub const CHANGES: usize = 5 * EDGES;
/// Edges that a walk follows.
pub const WALK: usize = 8;

macro_rules! graph {
    ($family:ident [$($derive:tt)*] $trace:ident $_:literal) => {
        /// With the handles of the family.
        pub mod $family {
            use super::{CHANGES, EDGES, WALK};
            use crate::{Outcome, Random, Work, families::{Edge, $family::{Handle, Link, begin}}};

            /// A node.
            $($derive)*
            pub struct Node {
                value: u64,
                edges: [Link<Node>; EDGES],
            }
            crate::families::$trace!(Node edges);

            fn node(value: usize, edges: [Option<Handle<Node>>; EDGES]) -> Handle<Node> {
                Handle::new(Node { value: value as u64, edges: edges.map(Edge::to) })
            }

            /// Runs it.
            pub fn run(work: Work) -> Outcome {
                begin();
                let mut random = Random(3);
                let mut sum = 0u64;
                let table: Vec<Handle<Node>> = (0..work.live).map(|number| node(number, [const { None }; EDGES])).collect();
                let mut table = table;
                for place in 0..work.live {
                    for edge in 0..EDGES {
                        table[place].edges[edge].lead_to(Some(table[random.below(work.live)].clone()));
                    }
                }
                for step in 0..work.steps {
                    let mut at = table[random.below(work.live)].clone();
                    for index in 0..WALK {
                        let next = at.edges[(step + index) % EDGES].follow();
                        at = next.expect("every edge leads somewhere");
                        sum = sum.wrapping_add(at.value);
                    }
                    for change in 0..CHANGES {
                        let from = random.below(work.live);
                        let to = table[random.below(work.live)].clone();
                        table[from].edges[change % EDGES].lead_to(Some(to));
                    }
                    let edges = std::array::from_fn(|_| Some(table[random.below(work.live)].clone()));
                    table[random.below(work.live)] = node(step, edges);
                }
                Outcome::new(sum, table)
            }
        }
    };
}

for_each_family!(graph);
all_peers!();

/// In an arena.
pub mod arena {
    use super::{CHANGES, EDGES, WALK};
    use crate::{Outcome, Random, Work, families::arena::Table};
    use gc_arena::{Arena, Collect, Gc, Mutation, Rootable, barrier::field, lock::Lock};

    type Link<'gc> = Lock<Option<Gc<'gc, Node<'gc>>>>;

    #[derive(Collect)]
    #[collect(no_drop)]
    struct Node<'gc> {
        value: u64,
        edges: [Link<'gc>; EDGES],
    }

    fn node<'gc>(
        mutation: &Mutation<'gc>,
        value: usize,
        edges: [Option<Gc<'gc, Node<'gc>>>; EDGES],
    ) -> Gc<'gc, Node<'gc>> {
        Gc::new(mutation, Node { value: value as u64, edges: edges.map(Lock::new) })
    }

    fn set<'gc>(mutation: &Mutation<'gc>, node: Gc<'gc, Node<'gc>>, edge: usize, to: Gc<'gc, Node<'gc>>) {
        field!(Gc::write(mutation, node), Node, edges)[edge].unlock().set(Some(to));
    }

    /// Runs it.
    pub fn run(work: Work) -> Outcome {
        let mut random = Random(3);
        let mut arena = Arena::<Rootable![Table<'_, Node<'_>>]>::new(|mutation| {
            let table = Table::new(mutation, work.live, |number| node(mutation, number, [None; EDGES]));
            for place in 0..work.live {
                for edge in 0..EDGES {
                    set(mutation, table.at(place), edge, table.at(random.below(work.live)));
                }
            }
            table
        });
        let mut sum = 0u64;
        for step in 0..work.steps {
            arena.mutate(|mutation, table| {
                let mut at = table.at(random.below(work.live));
                for index in 0..WALK {
                    at = at.edges[(step + index) % EDGES].get().expect("every edge leads somewhere");
                    sum = sum.wrapping_add(at.value);
                }
                for change in 0..CHANGES {
                    let from = random.below(work.live);
                    let to = table.at(random.below(work.live));
                    set(mutation, table.at(from), change % EDGES, to);
                }
                let edges = std::array::from_fn(|_| Some(table.at(random.below(work.live))));
                table.replace(mutation, random.below(work.live), node(mutation, step, edges));
            });
            arena.collect_debt();
        }
        Outcome::new(sum, arena)
    }
}
