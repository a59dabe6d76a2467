//! Handles to parts, to what is known of a value only at run time, and to the value itself while it is made.

use crate::world::{Node, alone, clear_stack, collect, dead, nearly_all};
use gleaner::{Ephemeron, Gc, Root, Weak, WeakMap};
use std::{
    any::Any,
    cell::OnceCell,
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    sync::{Mutex, OnceLock},
    thread,
};

/// Sizes that fill their slots to the last byte: what comes next is another object's.
const SLOT_WORDS: [usize; 12] = [2, 4, 6, 8, 12, 16, 20, 32, 64, 128, 1024, 4096];

/// What is behind the last word of a new slice, beside a weak handle to the slice.
#[inline(never)]
fn rest_of(words: usize, number: u64) -> (Gc<[u64]>, Weak<[u64]>) {
    let whole: Gc<[u64]> = (0..words).map(|_| number).collect();
    (Gc::map(whole, |whole| &whole[whole.len()..]), Gc::downgrade(whole))
}

#[test]
fn an_empty_part_at_the_very_end_keeps_the_value() {
    let _alone = alone();
    for words in SLOT_WORDS {
        // In the heap, where an address one past the end keeps nothing.
        let (rests, whole): (Vec<_>, Vec<_>) = (0..100).map(|number| rest_of(words, number)).unzip();
        collect();
        assert_eq!(dead(&whole), 0, "{words} words: dead under a handle to their end");
        for (number, (rest, whole)) in (0..).zip(rests.iter().zip(&whole)) {
            assert!(rest.is_empty());
            assert!(
                whole.upgrade().is_some_and(|whole| whole.len() == words && whole.iter().all(|word| *word == number))
            );
        }
    }
}

#[test]
fn an_empty_part_is_no_key_of_the_value_behind_it() {
    let _alone = alone();
    let values: Vec<Gc<[u64]>> = (0..200).map(|number| Gc::from([number; 4])).collect();
    let rest = |value: &Gc<[u64]>| Gc::map(*value, |value| &value[4..]);
    let map: WeakMap<[u64], u64> = values.iter().map(|value| (rest(value), value[0])).collect();
    let pairs: Vec<_> = values.iter().map(|value| Ephemeron::new(rest(value), Gc::new(value[0]))).collect();
    for _ in 0..3 {
        collect();
        for (value, pair) in values.iter().zip(&pairs) {
            assert_eq!(map.get(rest(value)).as_deref(), Some(&value[0]));
            assert_eq!(pair.value().as_deref(), Some(&value[0]));
            let found = map.get(*value);
            assert!(found.is_none_or(|found| *found == value[0]), "{found:?} was noted for another than {value:?}");
        }
    }
}

#[test]
fn empty_parts_of_every_kind() {
    struct Marked {
        node: Node,
        end: End,
    }
    #[derive(Debug)]
    struct End;
    #[derive(Debug)]
    #[repr(align(64))]
    struct AlignedEnd;
    static ALIGNED: AlignedEnd = AlignedEnd;
    let _alone = alone();
    let value = Gc::new(Marked { node: Node::with(1), end: End });
    let end: Gc<dyn std::fmt::Debug> = Gc::map(value, |value| &value.end as &dyn std::fmt::Debug);
    assert_eq!(format!("{end:?}"), "End");
    value.node.is(1);
    let text: Gc<str> = "a text".into();
    let rest: Gc<str> = Gc::map(text, |text| &text[text.len()..]);
    assert_eq!(&*rest, "");
    // One of an alignment that the value's address has not, as it cannot be the value's own.
    let odd: Gc<str> = Gc::map(text, |text| &text[1..]);
    let aligned: Gc<AlignedEnd> = Gc::map(odd, |_| &ALIGNED);
    assert!(Gc::as_ptr(aligned).is_aligned());
    let (weak, root) = (Gc::downgrade(aligned), Gc::root(aligned));
    collect();
    assert!(weak.upgrade().is_some());
    assert_eq!(format!("{aligned:?} {root:?}"), "AlignedEnd AlignedEnd");
}

#[test]
fn parts_that_may_be_missing() {
    let _alone = alone();
    let nodes: Gc<Vec<Node>> = Gc::new((0..100).map(Node::with).collect());
    let last: Gc<Node> = Gc::filter_map(nodes, |nodes| nodes.last()).expect("there is one");
    let found: Result<Gc<Node>, usize> = Gc::try_map(nodes, |nodes| nodes.get(7).ok_or(nodes.len()));
    collect();
    last.is(99);
    found.expect("there is one").is(7);
    assert!(Gc::filter_map(nodes, |nodes| nodes.get(100)).is_none());
    assert_eq!(Gc::try_map(nodes, |nodes| nodes.get(100).ok_or(nodes.len())).err(), Some(100));
}

#[test]
fn values_of_types_that_show_at_run_time() {
    let _alone = alone();
    let any: Gc<dyn Any> = Gc::map(Node::new(5), |node| node as &dyn Any);
    let sent: Gc<dyn Any + Send + Sync> = Gc::from(Box::new(6u64) as Box<dyn Any + Send + Sync>);
    collect();
    any.downcast::<Node>().expect("it is one").is(5);
    let any = any.downcast::<u64>().expect_err("it is none");
    any.downcast::<Node>().expect("it is still one").is(5);
    assert_eq!(sent.downcast::<u64>().as_deref().ok(), Some(&6));
    let slice: Gc<[u64]> = Gc::from([1, 2, 3]);
    let array: Gc<[u64; 3]> = slice.try_into().expect("three");
    assert!(std::ptr::addr_eq(Gc::as_ptr(array), Gc::as_ptr(slice)) && *array == [1, 2, 3]);
    assert!(Gc::<[u64; 4]>::try_from(slice).is_err_and(|back| Gc::ptr_eq(back, slice)));
    let bytes: Gc<[u8]> = Gc::<str>::from("bytes").into();
    assert_eq!(&*bytes, b"bytes");
    // A root of what a box held, of a size that shows at run time.
    let roots: [Root<dyn Any>; 2] = [Root::from(Box::new(Node::with(1)) as Box<dyn Any>), Gc::root(any)];
    collect();
    roots[0].downcast_ref::<Node>().expect("it is one").is(1);
    roots[1].downcast_ref::<Node>().expect("it is one").is(5);
}

struct Knowing {
    itself: Weak<Knowing>,
    node: Node,
    other: OnceCell<Gc<Knowing>>,
}

// SAFETY: the cell is written by the thread that makes the value only.
unsafe impl Sync for Knowing {}

impl Knowing {
    #[inline(never)]
    fn new(number: usize) -> Gc<Knowing> {
        Gc::new_cyclic(|itself| {
            assert!(itself.upgrade().is_none(), "there is none yet");
            Knowing { itself: *itself, node: Node::with(number), other: OnceCell::new() }
        })
    }

    fn is(this: Gc<Knowing>, number: usize) {
        this.node.is(number);
        assert!(this.itself.upgrade().is_some_and(|itself| Gc::ptr_eq(itself, this)));
    }
}

#[test]
fn a_value_knows_itself_and_dies_all_the_same() {
    #[inline(never)]
    fn made() -> (Vec<Gc<Knowing>>, Vec<Weak<Knowing>>) {
        let values: Vec<Gc<Knowing>> = (0..200).map(Knowing::new).collect();
        values.windows(2).for_each(|pair| assert!(pair[0].other.set(pair[1]).is_ok()));
        // Copies of the handle that the value had before it was there.
        let weak = values.iter().map(|value| value.itself).collect();
        (values, weak)
    }
    let _alone = alone();
    let weak = crate::world::elsewhere(|| {
        let (values, weak) = made();
        collect();
        assert_eq!(dead(&weak), 0);
        values.iter().enumerate().for_each(|(number, value)| Knowing::is(*value, number));
        let mut next = Some(values[0]);
        drop(values);
        collect();
        for number in 0..200 {
            let value = next.expect("each but the last knows the next");
            Knowing::is(value, number);
            next = value.other.get().copied();
        }
        weak
    });
    nearly_all(&weak);
}

#[test]
fn a_collection_while_a_value_is_made() {
    let _alone = alone();
    let value = Gc::new_cyclic(|itself: &Weak<Knowing>| {
        let node = Node::with(3);
        for _ in 0..3 {
            collect();
            assert!(itself.upgrade().is_none());
        }
        Knowing { itself: *itself, node, other: OnceCell::new() }
    });
    collect();
    Knowing::is(value, 3);
}

#[test]
fn a_value_that_could_not_be_made_is_none_for_ever() {
    let _alone = alone();
    let mut escaped = Weak::new();
    let result = catch_unwind(AssertUnwindSafe(|| {
        Gc::new_cyclic(|itself: &Weak<Node>| {
            escaped = *itself;
            resume_unwind(Box::new("not today"))
        })
    }));
    assert!(result.is_err() && escaped.upgrade().is_none());
    clear_stack();
    collect();
    assert!(escaped.upgrade().is_none());
}

#[test]
fn other_threads_find_the_value_whole_or_not_at_all() {
    /// What threads look at, and its number.
    static SHOWN: Mutex<(usize, Weak<Whole>)> = Mutex::new((0, Weak::new()));
    static DONE: OnceLock<()> = OnceLock::new();
    struct Whole([usize; 32]);
    const ROUNDS: usize = 500;
    let _alone = alone();
    let look = || {
        let mut found = 0;
        while DONE.get().is_none() || found == 0 {
            let (number, weak) = *SHOWN.lock().unwrap();
            // Again and again, while it is being made.
            if let Some(value) = (0..1000).find_map(|_| weak.upgrade()) {
                assert!(value.0.iter().all(|word| *word == number), "half made: {:?}", value.0);
                found += 1;
            }
        }
        found
    };
    thread::scope(|scope| {
        let threads: Vec<_> = (0..2).map(|_| scope.spawn(look)).collect();
        let values: Vec<Gc<Whole>> = (0..ROUNDS)
            .map(|number| {
                Gc::new_cyclic(|itself| {
                    *SHOWN.lock().unwrap() = (number, *itself);
                    if number % 100 == 0 {
                        gleaner::collect();
                    }
                    Whole([number; 32])
                })
            })
            .collect();
        DONE.set(()).unwrap();
        assert!(threads.into_iter().all(|thread| thread.join().expect("all were whole") > 0));
        assert_eq!(values.len(), ROUNDS);
    });
}
