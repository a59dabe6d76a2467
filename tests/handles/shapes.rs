//! Values of every shape: no size, any alignment, many bytes; behind a handle of each sort.

use crate::world::{self, Node, alone, clear_stack, collect};
use gleaner::{Ephemeron, Gc, Held, Root, Weak, WeakMap, WithDrop, api::weak_map::Iter};
use std::{
    any::Any,
    cell::Cell,
    fmt::{Debug, Display},
    hint::black_box,
    marker::PhantomData,
    panic::{RefUnwindSafe, UnwindSafe},
    rc::Rc,
    sync::{Mutex, MutexGuard},
};

#[test]
fn values_without_a_size() {
    let _alone = alone();
    let units: Vec<Gc<()>> = (0..100).map(|_| Gc::new(())).collect();
    let weak: Vec<Weak<()>> = units.iter().map(|unit| Gc::downgrade(*unit)).collect();
    collect();
    assert_eq!(world::dead(&weak), 0);
    assert!(!Gc::ptr_eq(units[0], units[1]), "each has a place of its own");
    assert_eq!(Gc::<[u64]>::default().len() + Gc::<[Node; 0]>::new([]).len() + Gc::<str>::default().len(), 0);
    assert_eq!(Gc::<[()]>::from(vec![(); 1 << 40]).len(), 1 << 40);
    assert_eq!(*Root::new(()), ());
    assert!(Gc::with_drop(()).get().is_some());
}

/// What an alignment has to hold for: every sort of handle.
fn is_aligned<T: From<u8> + Into<u8> + Copy + 'static>() {
    let align = align_of::<T>();
    let at = |address: *const T| assert!(address.is_aligned(), "{address:p} for an alignment of {align}");
    let gc: Vec<Gc<T>> = (0..3).map(|number| Gc::new(T::from(number))).collect();
    let roots: Vec<Root<T>> = (3..6).map(|number| Root::new(T::from(number))).collect();
    let slice: Gc<[T]> = (6..9).map(T::from).collect();
    let array = Gc::<[T]>::from([9, 10, 11].map(T::from));
    let boxed = Gc::<dyn Any>::from(Box::new(T::from(12)) as Box<dyn Any>);
    let tail = Gc::map(gc[2], |value| value as &dyn Any);
    let weak: Vec<Weak<T>> = gc.iter().map(|gc| Gc::downgrade(*gc)).collect();
    let noted = Ephemeron::new(gc[0], gc[1]);
    collect();
    let of_any = |any: Gc<dyn Any>| std::ptr::from_ref(Gc::get(any).downcast_ref::<T>().expect("its own type"));
    let found = weak.iter().map(|weak| Gc::as_ptr(weak.upgrade().expect("kept")));
    let all: Vec<*const T> = found
        .chain(roots.iter().map(|root| std::ptr::from_ref(&**root)))
        .chain(slice.iter().chain(array.iter()).map(std::ptr::from_ref))
        .chain([of_any(boxed), of_any(tail), Gc::as_ptr(noted.value().expect("kept"))])
        .collect();
    all.iter().for_each(|address| at(*address));
    // SAFETY: handles to all of these are used below.
    let read: Vec<u8> = all.iter().map(|address| unsafe { **address }.into()).collect();
    assert_eq!(read, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 2, 1], "an alignment of {align}");
    black_box((gc, roots, slice, array, boxed, tail));
}

macro_rules! aligned {
    ($($name:ident $align:literal)*) => {$(
        #[derive(Clone, Copy)]
        #[repr(align($align))]
        struct $name(u8);
        impl From<u8> for $name {
            fn from(byte: u8) -> Self { $name(byte) }
        }
        impl From<$name> for u8 {
            fn from(value: $name) -> u8 { value.0 }
        }
    )*
        #[test]
        fn every_alignment_to_64_kib() {
            let _alone = alone();
            let work = || {
                is_aligned::<u8>();
                $(is_aligned::<$name>();)*
            };
            // Values of 64 KiB want a larger stack than a thread ordinarily has.
            let thread = std::thread::Builder::new().stack_size(64 << 20).spawn(work).expect("room for a stack");
            thread.join().expect("all are aligned");
        }
    };
}

aligned! { A2 2 A4 4 A8 8 A16 16 A32 32 A64 64 A128 128 A256 256 A512 512 A1K 1024 A2K 2048 A4K 4096 A8K 8192 A16K 16384
A32K 32768 A64K 65536 }

#[test]
fn large_values_that_are_known_by_a_part() {
    #[inline(never)]
    fn last_of(nodes: usize) -> (&'static Node, Weak<[Node]>) {
        let large: Gc<[Node]> = (0..nodes).map(Node::with).collect();
        (&Gc::get(large)[nodes - 1], Gc::downgrade(large))
    }
    let _alone = alone();
    for nodes in [100, 1000, 10_000, 200_000] {
        let (last, weak) = last_of(nodes);
        clear_stack();
        collect();
        last.is(nodes - 1);
        let large = weak.upgrade().expect("a part keeps the whole");
        large.iter().enumerate().for_each(|(number, node)| node.is(number));
    }
}

#[test]
fn slices_and_texts() {
    let _alone = alone();
    let numbers: Gc<[usize]> = (0..1000).collect();
    let text: Gc<str> = "a text without pointers".into();
    let long: Gc<str> = "long ".repeat(100_000).into();
    let weak = (Gc::downgrade(numbers), Gc::downgrade(text));
    let rest: Gc<[usize]> = Gc::map(numbers, |numbers| &numbers[900..]);
    let word: Gc<str> = Gc::map(text, |text| &text[2..6]);
    collect();
    assert!(rest.iter().copied().eq(900..1000));
    assert_eq!(&*word, "text");
    assert_eq!(weak.0.upgrade().expect("kept by its rest"), numbers);
    assert_eq!(weak.1.upgrade().expect("kept by a word of it"), text);
    assert!(long.len() == 500_000 && long.split(' ').all(|word| word == "long" || word.is_empty()));
    // A weak handle to a part says what it was a handle to.
    let weak_rest = Gc::downgrade(rest);
    collect();
    assert!(Gc::ptr_eq(weak_rest.upgrade().unwrap(), rest) && weak_rest.upgrade().unwrap().len() == 100);
}

trait Shape {
    fn area(&self) -> u64;
}

struct Square(u64, Gc<Node>);
struct Rectangle(u64, Gc<u64>);

impl Shape for Square {
    fn area(&self) -> u64 {
        self.1.is(self.0 as usize);
        self.0 * self.0
    }
}

impl Shape for Rectangle {
    fn area(&self) -> u64 {
        self.0 * *self.1
    }
}

#[test]
fn trait_objects() {
    let _alone = alone();
    let shapes: Vec<Gc<dyn Shape>> = (0..100)
        .map(|side| match side % 2 {
            0 => Gc::map(Gc::new(Square(side, Node::new(side as usize))), |square| square as &dyn Shape),
            _ => Gc::from(Box::new(Rectangle(side, Gc::new(side + 1))) as Box<dyn Shape>),
        })
        .collect();
    let weak: Vec<Weak<dyn Shape>> = shapes.iter().map(|shape| Gc::downgrade(*shape)).collect();
    let roots: Vec<Root<dyn Shape>> = shapes.iter().map(|shape| Gc::root(*shape)).collect();
    drop(shapes);
    collect();
    for (side, (weak, root)) in weak.iter().zip(&roots).enumerate() {
        let side = side as u64;
        let area = side * (side + side % 2);
        assert_eq!((weak.upgrade().expect("rooted").area(), root.area(), Root::gc(root).area()), (area, area, area));
    }
    drop(roots);
    world::nearly_all(&weak);
}

/// Tells of a type whether it may go to another thread, and whether it may be shared.
struct Probe<T: ?Sized>(PhantomData<T>);

trait OfAnyType {
    const IS_SEND: bool = false;
    const IS_SYNC: bool = false;
}

impl<T: ?Sized> OfAnyType for Probe<T> {}

struct Sent<T: ?Sized>(PhantomData<T>);

impl<T: ?Sized> OfAnyType for Sent<T> {}

// What the type itself has comes before what it has from a trait.
impl<T: ?Sized + Send> Sent<T> {
    const IS_SEND: bool = true;
}

impl<T: ?Sized + Sync> Probe<T> {
    const IS_SYNC: bool = true;
}

#[test]
fn a_handle_goes_to_another_thread_if_its_value_may_be_shared() {
    macro_rules! both {
        ($is:literal $($type:ty),*) => {
            $(assert_eq!((Sent::<$type>::IS_SEND, Probe::<$type>::IS_SYNC), ($is, $is), stringify!($type));)*
        };
    }
    type Shared = Mutex<Cell<u32>>;
    both!(true Gc<u32>, Weak<u32>, Root<u32>, Ephemeron<u32, u8>, WeakMap<u32, u32>, Gc<WithDrop<u32>>, Gc<Shared>);
    both!(true Gc<[String]>, Gc<str>, Root<dyn Debug + Sync>, Weak<dyn Any + Send + Sync>);
    both!(false Gc<Cell<u32>>, Weak<Cell<u32>>, Root<Cell<u32>>, Ephemeron<Cell<u32>, u32>, Ephemeron<u32, Cell<u32>>);
    both!(false Gc<dyn Debug>, Root<[Cell<u32>]>, WeakMap<u32, Cell<u32>>, Gc<WithDrop<Cell<u32>>>, Gc<Rc<u32>>);
    both!(true Iter<'static, u32, [u32; 2]>);
    both!(false Iter<'static, u32, Cell<u32>>, Iter<'static, Cell<u32>, u32>, WeakMap<Cell<u32>, u32>);
    both!(false Gc<*const u32>, Gc<WithDrop<MutexGuard<'static, u32>>>, Held<'static, Cell<u32>>);
}

#[test]
fn handles_pass_where_a_panic_is_caught_and_are_not_pinned() {
    fn passes<T: UnwindSafe + RefUnwindSafe + Unpin>() {}
    passes::<Gc<u32>>();
    passes::<Weak<String>>();
    passes::<Root<[u8]>>();
    passes::<Gc<WithDrop<String>>>();
    passes::<Ephemeron<u32, Vec<u8>>>();
    passes::<Gc<std::marker::PhantomPinned>>();
}

#[test]
fn handles_are_thin() {
    assert_eq!(size_of::<Gc<Node>>(), size_of::<usize>());
    assert_eq!(size_of::<Option<Gc<Node>>>(), size_of::<usize>());
    assert_eq!(size_of::<Gc<dyn Shape>>(), size_of::<&dyn Shape>());
    assert_eq!(size_of::<Option<Gc<[u8]>>>(), size_of::<&[u8]>());
}

#[test]
fn parts_that_lie_outside_the_heap() {
    static WORDS: [&str; 3] = ["one", "two", "three"];
    let _alone = alone();
    let word: Gc<str> = Gc::map(Gc::new(()), |_| WORDS[2]);
    let (weak, root, noted) = (Gc::downgrade(word), Gc::root(word), Ephemeron::new(word, Gc::new(Node::with(4))));
    collect();
    collect();
    assert_eq!(&*weak.upgrade().expect("a static never dies"), "three");
    assert_eq!(&*root, "three");
    assert_eq!(noted.key(), Some(word));
    noted.value().expect("the key has not died").is(4);
}

#[test]
fn a_handle_compares_and_prints_as_its_value() {
    use std::{
        collections::hash_map::DefaultHasher,
        error::Error,
        hash::{Hash, Hasher},
    };
    fn hash(value: impl Hash) -> u64 {
        let mut hasher = DefaultHasher::new();
        value.hash(&mut hasher);
        hasher.finish()
    }
    fn texts(value: impl Debug + Display) -> (String, String) {
        (format!("{value:?}"), format!("{value:>9}"))
    }
    let _alone = alone();
    let (low, high) = (Gc::new(String::from("low")), Gc::new(String::from("high")));
    assert!(low > high && low == Gc::new(String::from("low")) && low != high);
    assert_eq!(low.cmp(&high), std::cmp::Ordering::Greater);
    assert_eq!(hash(low), hash("low"));
    assert_eq!(texts(low), texts("low"));
    assert_eq!(format!("{low:p}"), format!("{:p}", Gc::as_ptr(low)));
    assert_eq!(low.as_ref(), "low");
    let outer: Gc<std::num::ParseIntError> = Gc::new("x".parse::<u8>().unwrap_err());
    assert!((&outer as &dyn Error).source().is_none());
    assert_eq!(format!("{:?} {:?}", Gc::downgrade(low), Ephemeron::new(low, high)), "(Weak) (Ephemeron)");
}
