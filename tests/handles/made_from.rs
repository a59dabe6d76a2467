//! Handles from boxes, vectors, texts and iterators: values move, none is lost or dropped, the old memory is given up.

use crate::world::{Node, alone, collect};
use gleaner::Gc;
use std::{
    borrow::Cow,
    sync::atomic::{AtomicUsize, Ordering},
};

static DROPPED: AtomicUsize = AtomicUsize::new(0);

struct Counted(usize, Gc<Node>);

impl Counted {
    fn new(number: usize) -> Counted {
        Counted(number, Node::new(number))
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        DROPPED.fetch_add(1, Ordering::Relaxed);
    }
}

/// The result of `make` holds a thousand values, of which none has been dropped.
fn moves(make: impl FnOnce() -> Gc<[Counted]>) {
    let before = DROPPED.load(Ordering::Relaxed);
    let values = make();
    collect();
    assert_eq!(values.len(), 1000);
    values.iter().enumerate().for_each(|(number, value)| {
        assert_eq!(value.0, number);
        value.1.is(number);
    });
    assert_eq!(DROPPED.load(Ordering::Relaxed), before, "a value that has moved is not dropped");
}

#[test]
fn values_move() {
    let _alone = alone();
    moves(|| (0..1000).map(Counted::new).collect::<Vec<_>>().into());
    moves(|| (0..1000).map(Counted::new).collect::<Box<[_]>>().into());
    moves(|| (0..1000).map(Counted::new).collect());
    moves(|| Gc::slice_from_fn(1000, Counted::new));
    moves(|| std::array::from_fn::<_, 1000, _>(Counted::new).into());
    let before = DROPPED.load(Ordering::Relaxed);
    let one: Gc<Counted> = Box::new(Counted::new(7)).into();
    let other: Gc<Counted> = Counted::new(8).into();
    let both = [one.0, other.0];
    assert_eq!((both, DROPPED.load(Ordering::Relaxed)), ([7, 8], before));
}

#[test]
fn the_old_memory_is_given_up() {
    let _alone = alone();
    let _kept = gleaner::NoCollection::new();
    let used = || gleaner::api::stats::now().bytes_freed_total;
    let before = used();
    for _ in 0..10 {
        let _: Gc<[u8]> = vec![1u8; 1 << 20].into();
        let _: Gc<[u8; 1 << 20]> =
            vec![1u8; 1 << 20].into_boxed_slice().try_into().map(Box::<[u8; 1 << 20]>::into).unwrap();
        let _: Gc<str> = "x".repeat(1 << 20).into();
    }
    assert!(used() - before >= 30 << 20, "{} bytes were freed", used() - before);
}

#[test]
fn texts() {
    let _alone = alone();
    let texts: [Gc<str>; 4] = [
        "text".into(),
        String::from("text").into(),
        Cow::Borrowed("text").into(),
        Cow::<str>::Owned("text".into()).into(),
    ];
    assert!(texts.iter().all(|text| &**text == "text"));
    let slice: Gc<[String]> = Gc::from(&["a".to_string(), "b".to_string()][..]);
    collect();
    assert_eq!(*slice, ["a", "b"]);
    assert_eq!((*Gc::<u32>::default(), Gc::<Vec<u8>>::default().len()), (0, 0));
}

#[test]
fn values_without_pointers() {
    let _alone = alone();
    let pixels = Gc::new_pointer_free([[7u8; 4]; 1000]);
    let samples = Gc::slice_pointer_free(&[1.5f64; 1000]);
    collect();
    assert!(pixels.iter().all(|pixel| *pixel == [7; 4]) && samples.iter().all(|sample| *sample == 1.5));
}
