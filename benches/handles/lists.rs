//! Circular lists, linked both ways. A table holds lists with `live` nodes in all; in each step one, chosen at random, makes
//! way for a new one, which is walked in both directions.

use crate::families::{all_peers, for_each_family};

/// Nodes of a list.
pub const LENGTH: usize = 100;

macro_rules! lists {
    ($family:ident [$($derive:tt)*] $trace:ident $take_apart:literal) => {
        /// With the handles of the family.
        pub mod $family {
            use super::LENGTH;
            use crate::{Outcome, Random, Work, families::{Edge, $family::{Handle, Link, begin}}};

            /// A node.
            $($derive)*
            pub struct Node {
                value: u64,
                next: Link<Node>,
                previous: Link<Node>,
            }
            crate::families::$trace!(Node next previous);

            fn node(value: usize, previous: Option<Handle<Node>>) -> Handle<Node> {
                Handle::new(Node { value: value as u64, next: Edge::to(None), previous: Edge::to(previous) })
            }

            fn list(number: usize) -> Handle<Node> {
                let first = node(number, None);
                let mut last = first.clone();
                for index in 1..LENGTH {
                    let new = node(number + index, Some(last.clone()));
                    last.next.lead_to(Some(new.clone()));
                    last = new;
                }
                last.next.lead_to(Some(first.clone()));
                first.previous.lead_to(Some(last));
                first
            }

            /// Goes once around.
            fn walk(first: &Handle<Node>, edge: impl Fn(&Node) -> &Link<Node>) -> u64 {
                let mut sum = 0u64;
                let mut at = first.clone();
                for _ in 0..LENGTH {
                    sum = sum.wrapping_mul(3).wrapping_add(at.value);
                    let next = edge(&at).follow();
                    at = next.expect("a list is a circle");
                }
                sum
            }

            fn take_apart(first: Handle<Node>) {
                let mut at = Some(first);
                while let Some(node) = at {
                    at = node.next.follow();
                    node.next.lead_to(None);
                    node.previous.lead_to(None);
                }
            }

            /// Runs it.
            pub fn run(work: Work) -> Outcome {
                begin();
                let mut random = Random(2);
                let mut sum = 0u64;
                let mut table: Vec<Handle<Node>> = (0..work.live / LENGTH).map(list).collect();
                for step in 0..work.steps {
                    let new = list(step);
                    sum = sum.wrapping_add(walk(&new, |node| &node.next));
                    sum = sum.wrapping_add(walk(&new, |node| &node.previous));
                    let place = random.below(table.len());
                    let former = std::mem::replace(&mut table[place], new);
                    sum = sum.wrapping_add(former.value);
                    if $take_apart {
                        take_apart(former);
                    }
                }
                Outcome::new(sum, table)
            }
        }
    };
}

for_each_family!(lists);
all_peers!();

/// In an arena.
pub mod arena {
    use super::LENGTH;
    use crate::{Outcome, Random, Work, families::arena::Table};
    use gc_arena::{Arena, Collect, Gc, Mutation, Rootable, barrier::unlock, lock::Lock};

    type Link<'gc> = Lock<Option<Gc<'gc, Node<'gc>>>>;

    #[derive(Collect)]
    #[collect(no_drop)]
    struct Node<'gc> {
        value: u64,
        next: Link<'gc>,
        previous: Link<'gc>,
    }

    fn node<'gc>(mutation: &Mutation<'gc>, value: usize, previous: Option<Gc<'gc, Node<'gc>>>) -> Gc<'gc, Node<'gc>> {
        Gc::new(mutation, Node { value: value as u64, next: Lock::new(None), previous: Lock::new(previous) })
    }

    fn list<'gc>(mutation: &Mutation<'gc>, number: usize) -> Gc<'gc, Node<'gc>> {
        let first = node(mutation, number, None);
        let mut last = first;
        for index in 1..LENGTH {
            let new = node(mutation, number + index, Some(last));
            unlock!(Gc::write(mutation, last), Node, next).set(Some(new));
            last = new;
        }
        unlock!(Gc::write(mutation, last), Node, next).set(Some(first));
        unlock!(Gc::write(mutation, first), Node, previous).set(Some(last));
        first
    }

    fn walk<'gc>(first: Gc<'gc, Node<'gc>>, edge: impl Fn(&Node<'gc>) -> Option<Gc<'gc, Node<'gc>>>) -> u64 {
        let mut sum = 0u64;
        let mut at = first;
        for _ in 0..LENGTH {
            sum = sum.wrapping_mul(3).wrapping_add(at.value);
            at = edge(&at).expect("a list is a circle");
        }
        sum
    }

    /// Runs it.
    pub fn run(work: Work) -> Outcome {
        let count = work.live / LENGTH;
        let mut arena = Arena::<Rootable![Table<'_, Node<'_>>]>::new(|mutation| {
            Table::new(mutation, count, |number| list(mutation, number))
        });
        let mut random = Random(2);
        let mut sum = 0u64;
        for step in 0..work.steps {
            arena.mutate(|mutation, table| {
                let new = list(mutation, step);
                sum = sum.wrapping_add(walk(new, |node| node.next.get()));
                sum = sum.wrapping_add(walk(new, |node| node.previous.get()));
                let former = table.replace(mutation, random.below(count), new);
                sum = sum.wrapping_add(former.value);
            });
            arena.collect_debt();
        }
        Outcome::new(sum, arena)
    }
}
