//! The heap in a few words, for benches: objects by kind and size, and heaps of a shape to be marked.
//!
//! Objects are made and freed as the C functions do: by the fast path, and by the slow one when that declines. What a
//! bench keeps hangs on an object that is never collected, for the benches' own memory is no root.

use gleaner::{
    base::addr::Addr,
    collect::{
        self, Cause,
        allocate::{self, Freed},
        start::{self, Door},
    },
    heap::{Request, fast, kind::Kind},
};

/// The bytes of a word.
pub const WORD: usize = size_of::<usize>();
/// The bytes of a [`Node`].
pub const NODE: usize = 64;

/// Starts the engine, with `gleaner.h`'s idea of roots.
pub fn start() {
    // SAFETY: the benches keep what they use on the stack, or in objects of the heap.
    assert!(unsafe { start::start(Door::Library) }, "the heap cannot be set up");
}

/// A new object.
#[inline(always)]
pub fn object(bytes: usize, kind: Kind) -> *mut u8 {
    let slot = fast::pop(bytes, kind);
    if slot.is_null() { object_slowly(bytes, kind) } else { slot }
}

#[cold]
fn object_slowly(bytes: usize, kind: Kind) -> *mut u8 {
    allocate::allocate(&Request::new(bytes, kind)).expect("memory for an object").as_ptr()
}

/// Frees an object.
///
/// # Safety
/// The caller gives the object up.
#[inline(always)]
pub unsafe fn free(object: *mut u8) {
    let address = Addr::of(object);
    // SAFETY: by the caller's promise.
    if !unsafe { fast::push(address) } {
        assert!(matches!(allocate::free(address, 0), Freed::Done), "{object:?} is no object");
    }
}

/// Collects.
pub fn collect() {
    assert!(collect::collect(Cause::Forced), "no collection ran");
}

/// An object with edges to others.
#[repr(C)]
pub struct Node {
    edges: [*mut Node; 4],
    rest: [usize; 4],
}

const _: () = assert!(size_of::<Node>() == NODE);

/// How the nodes of a heap hang together.
#[derive(Clone, Copy, Debug)]
pub enum Shape {
    /// A tree in random order, each node with two more edges anywhere.
    Graph,
    /// One array of all, in the order of their addresses.
    Array,
    /// A list in the order of its addresses.
    List,
    /// A list in random order.
    ShuffledList,
}

/// Nodes of a shape, kept until this is dropped.
pub struct Nodes(*mut *mut Node);

impl Nodes {
    /// Makes so many nodes.
    pub fn new(shape: Shape, count: usize) -> Nodes {
        let all = object(count * WORD, Kind::UNCOLLECTABLE).cast::<*mut Node>();
        // SAFETY: an object of `count` words, ours alone, all zero.
        let nodes = unsafe { std::slice::from_raw_parts_mut(all, count) };
        nodes.fill_with(|| object(NODE, Kind::SCANNED).cast());
        let mut random = Random(count as u64);
        match shape {
            Shape::Array => return Nodes(all),
            Shape::List => {}
            Shape::Graph | Shape::ShuffledList => {
                (1..count).rev().for_each(|last| nodes.swap(last, random.below(last + 1)));
            }
        }
        for i in 0..count {
            let at = |place: usize| nodes.get(place).copied().unwrap_or(std::ptr::null_mut());
            let edges = match shape {
                Shape::Graph => [at(2 * i + 1), at(2 * i + 2), at(random.below(count)), at(random.below(count))],
                _ => [at(i + 1), at(count), at(count), at(count)],
            };
            // SAFETY: a node of ours, which `nodes` keeps.
            unsafe { (*nodes[i]).edges = edges };
        }
        nodes[1..].fill(std::ptr::null_mut());
        Nodes(all)
    }
}

impl Drop for Nodes {
    fn drop(&mut self) {
        // SAFETY: made in `new`, and nobody uses it after this.
        unsafe { free(self.0.cast()) };
    }
}

/// A pseudorandom sequence: every state begins another one.
pub struct Random(pub u64);

impl Random {
    /// A number below `bound`.
    pub fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ self.0 >> 32).wrapping_mul(0xd6e8_feb8_6659_fd93);
        ((u128::from(mixed ^ mixed >> 32) * bound as u128) >> 64) as usize
    }
}
