//! A lock-free stack that two threads share: each pushes a value and pops one, in turn. `live` values are there before.
//!
//! A thread that pops reads a node that another one may take away meanwhile. With a collector that is all there is to it:
//! the node's address is in a register, so the node stays, and no other node gets its address. Others have to say when they look
//! (Fraser, "Practical lock freedom", 2004); here, `crossbeam-epoch`.

use crate::{Outcome, Work};
use std::{sync::Arc, thread};

/// Threads.
pub const THREADS: usize = 2;

/// What both have.
trait Stack: Default + Send + Sync + 'static {
    fn push(&self, value: u64);
    fn pop(&self) -> Option<u64>;
}

fn run<S: Stack>(work: Work) -> Outcome {
    let stack = Arc::new(S::default());
    (0..work.live).for_each(|value| stack.push(value as u64));
    let threads: Vec<_> = (0..THREADS)
        .map(|index| {
            let stack = Arc::clone(&stack);
            thread::spawn(move || {
                let mut sum = 0u64;
                for step in 0..work.steps / THREADS {
                    stack.push((step * THREADS + index) as u64);
                    sum = sum.wrapping_add(stack.pop().expect("each pops after it has pushed"));
                }
                sum
            })
        })
        .collect();
    let mut sum = threads.into_iter().map(|thread| thread.join().expect("it ends")).fold(0, u64::wrapping_add);
    while let Some(rest) = stack.pop() {
        sum = sum.wrapping_add(rest);
    }
    Outcome::new(sum, stack)
}

/// On `gleaner::Gc`.
pub mod gleaner_gc {
    use super::{Outcome, Stack, Work};
    use gleaner::Gc;
    use std::cell::Cell;
    use std::ptr;
    use std::sync::atomic::{AtomicPtr, Ordering};

    struct Node {
        value: u64,
        /// Written before others see the node.
        next: Cell<Option<Gc<Node>>>,
    }

    #[derive(Default)]
    struct Nodes {
        first: AtomicPtr<Node>,
    }

    impl Nodes {
        fn first(&self) -> Option<Gc<Node>> {
            // Acquire: pairs with the release of whoever put it there, after which the node is written.
            let first = self.first.load(Ordering::Acquire);
            // SAFETY: an address from `as_ptr`, kept in the stack until now.
            (!first.is_null()).then(|| unsafe { Gc::from_ptr(first) })
        }

        /// Puts `new` in the place of `seen`, unless that has changed.
        fn exchange(&self, seen: Option<Gc<Node>>, new: Option<Gc<Node>>) -> bool {
            let address = |node: Option<Gc<Node>>| node.map_or(ptr::null_mut(), |node| Gc::as_ptr(node).cast_mut());
            // Release: pairs with the load in `first`.
            self.first.compare_exchange_weak(address(seen), address(new), Ordering::Release, Ordering::Relaxed).is_ok()
        }
    }

    impl Stack for Nodes {
        fn push(&self, value: u64) {
            let new = Gc::new(Node { value, next: Cell::new(None) });
            loop {
                let first = self.first();
                new.next.set(first);
                if self.exchange(first, Some(new)) {
                    return;
                }
            }
        }

        fn pop(&self) -> Option<u64> {
            loop {
                let first = self.first()?;
                if self.exchange(Some(first), first.next.get()) {
                    return Some(first.value);
                }
            }
        }
    }

    /// Runs it.
    pub fn run(work: Work) -> Outcome {
        crate::families::gleaner_gc::begin();
        super::run::<Nodes>(work)
    }
}

/// On `crossbeam-epoch`.
pub mod epoch {
    use super::{Outcome, Stack, Work};
    use crossbeam_epoch::{self as epoch, Atomic, Owned};
    use std::sync::atomic::Ordering;

    struct Node {
        value: u64,
        next: Atomic<Node>,
    }

    #[derive(Default)]
    struct Nodes {
        first: Atomic<Node>,
    }

    impl Stack for Nodes {
        fn push(&self, value: u64) {
            let guard = epoch::pin();
            let mut new = Owned::new(Node { value, next: Atomic::null() });
            loop {
                let first = self.first.load(Ordering::Relaxed, &guard);
                new.next.store(first, Ordering::Relaxed);
                // Release: pairs with the load in `pop`.
                match self.first.compare_exchange_weak(first, new, Ordering::Release, Ordering::Relaxed, &guard) {
                    Ok(_) => return,
                    Err(refused) => new = refused.new,
                }
            }
        }

        fn pop(&self) -> Option<u64> {
            let guard = epoch::pin();
            loop {
                // Acquire: pairs with the release in `push`.
                let first = self.first.load(Ordering::Acquire, &guard);
                // SAFETY: no node goes while a guard is held that was there before it was taken away.
                let node = unsafe { first.as_ref() }?;
                let next = node.next.load(Ordering::Relaxed, &guard);
                if self.first.compare_exchange_weak(first, next, Ordering::Release, Ordering::Relaxed, &guard).is_ok() {
                    let value = node.value;
                    // SAFETY: it was taken away by this thread, and nobody finds it from now on.
                    unsafe { guard.defer_destroy(first) };
                    return Some(value);
                }
            }
        }
    }

    /// Runs it.
    pub fn run(work: Work) -> Outcome {
        super::run::<Nodes>(work)
    }
}

/// By their names.
pub const PEERS: &[(&str, crate::Run)] = &[("Gc", gleaner_gc::run), ("crossbeam-epoch", epoch::run)];
