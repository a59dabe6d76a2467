//! What a future holds across an `await`, run by the smallest executor there can be.

use crate::world::{self, Node, alone, collect};
use gleaner::{Gc, Weak};
use std::{
    future::{Future, poll_fn},
    pin::{Pin, pin},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll, Wake, Waker},
};

/// Counts how often it was called.
struct Count(AtomicUsize);

impl Wake for Count {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

type Task<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// Runs all tasks in turn, a collection after each round.
fn run<T>(mut tasks: Vec<Task<T>>) -> Vec<T> {
    let count = Arc::new(Count(AtomicUsize::new(0)));
    let waker = Waker::from(count.clone());
    let mut results = Vec::new();
    while !tasks.is_empty() {
        let mut context = Context::from_waker(&waker);
        tasks.retain_mut(|task| match task.as_mut().poll(&mut context) {
            Poll::Ready(result) => {
                results.push(result);
                false
            }
            Poll::Pending => true,
        });
        collect();
    }
    assert!(count.0.load(Ordering::Relaxed) > 0, "somebody was woken");
    results
}

/// Is ready the second time.
async fn turn() {
    let mut is_second = false;
    poll_fn(|context| {
        if is_second {
            return Poll::Ready(());
        }
        is_second = true;
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

async fn chain(number: usize, depth: usize) -> Gc<Node> {
    let here = Node::new(number);
    if depth == 0 {
        return here;
    }
    let below = Box::pin(chain(number + 1, depth - 1));
    turn().await;
    let deepest = below.await;
    here.is(number);
    deepest
}

#[test]
fn handles_across_an_await() {
    let _alone = alone();
    let tasks: Vec<Task<Gc<Node>>> = (0..50).map(|task| Box::pin(chain(task * 100, 8)) as Task<_>).collect();
    let results = run(tasks);
    assert_eq!(results.len(), 50);
    results.iter().enumerate().for_each(|(task, node)| node.is(task * 100 + 8));
}

#[test]
fn references_into_values_across_an_await() {
    let _alone = alone();
    async fn borrow(number: usize) -> usize {
        let node: &'static Node = Gc::get(Node::new(number));
        let own = Gc::new(vec![Node::new(number); 3]);
        let part = own.iter();
        turn().await;
        turn().await;
        part.for_each(|other| other.is(number));
        node.is(number);
        node.number
    }
    let tasks: Vec<Task<usize>> = (0..50).map(|number| Box::pin(borrow(number)) as Task<_>).collect();
    assert_eq!(run(tasks).iter().sum::<usize>(), (0..50).sum());
}

#[test]
fn a_future_on_the_stack_and_one_that_another_thread_goes_on_with() {
    let _alone = alone();
    let waker = Waker::from(Arc::new(Count(AtomicUsize::new(0))));
    let mut here = pin!(chain(1, 3));
    let mut boxed: Task<Gc<Node>> = Box::pin(chain(10, 3));
    assert!(here.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
    assert!(boxed.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
    collect();
    let there = std::thread::spawn(move || run(vec![boxed]));
    there.join().expect("its values are whole")[0].is(13);
    let mut result = None;
    world::until("the future's end", || {
        collect();
        match here.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(node) => result = Some(node),
            Poll::Pending => {}
        }
        result.is_some()
    });
    result.unwrap().is(4);
}

#[test]
fn a_future_that_nobody_goes_on_with() {
    #[inline(never)]
    fn begun() -> (Vec<Task<()>>, Vec<Weak<Node>>) {
        let waker = Waker::from(Arc::new(Count(AtomicUsize::new(0))));
        (0..100)
            .map(|number| {
                let node = Node::new(number);
                let mut task: Task<()> = Box::pin(async move {
                    turn().await;
                    node.is(number);
                });
                assert!(task.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
                (task, Gc::downgrade(node))
            })
            .unzip()
    }
    #[inline(never)]
    fn forgotten() -> Vec<Weak<Node>> {
        let (tasks, weak) = begun();
        collect();
        assert_eq!(world::dead(&weak), 0);
        std::mem::forget(tasks);
        weak
    }
    let _alone = alone();
    let weak = world::elsewhere(forgotten);
    world::nearly_all(&weak);
}
