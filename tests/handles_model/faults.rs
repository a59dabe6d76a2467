//! Faults that the model has to see: each is planted in the middle of a walk, behind the twin's back, as if the engine had
//! done it.

use crate::{
    graph::Edge,
    log,
    walk::{Walk, Watched},
};
use gleaner::{
    Gc, NoCollection, Root,
    base::addr::Addr,
    collect::allocate,
    heap::{kind::Kind, resolve},
};
use std::{mem, ptr};

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fault {
    /// A value in reach is taken back.
    Reclaimed,
    /// A word of a value in reach changes.
    Damaged,
    /// Roots let go of their values.
    Unrooted,
    /// A weak handle of a value in reach says none.
    Cleared,
    /// An ephemeron whose key is in reach loses its value.
    Unpaired,
    /// A destructor runs while its value is in reach.
    DroppedEarly,
    /// A destructor runs twice.
    DroppedTwice,
    /// Nothing dies.
    Kept,
}

pub const ALL: [(Fault, &str); 8] = [
    (Fault::Reclaimed, "value"),
    (Fault::Damaged, "is damaged"),
    (Fault::Unrooted, "value"),
    (Fault::Cleared, "is in reach, and gone"),
    (Fault::Unpaired, "value"),
    (Fault::DroppedEarly, "was dropped in reach"),
    (Fault::DroppedTwice, "was dropped twice"),
    (Fault::Kept, "most values die"),
];

impl Fault {
    pub fn named(name: &str) -> Option<Fault> {
        ALL.iter().map(|(fault, _)| *fault).find(|fault| format!("{fault:?}") == name)
    }

    /// `false`: there is no place for it now.
    pub fn plant(self, walk: &mut Walk) -> bool {
        match self {
            Fault::Reclaimed => walk.pick().is_some_and(|(node, _)| free(Gc::as_ptr(node))),
            Fault::Damaged => walk.pick().and_then(|(node, _)| node.damage()).is_some_and(damage),
            Fault::Unrooted => {
                walk.hidden_roots().count() > 5 && {
                    walk.let_go_of_holds();
                    walk.hidden_roots().all(|root| free(cell_of(root)))
                }
            }
            Fault::Cleared => walk.pick().is_some_and(|(_, id)| match &walk.watched[&id] {
                Watched::Node(weak) => write_pair(weak, 0),
                Watched::Door(_) => false,
            }),
            Fault::Unpaired => walk.pick().is_some_and(|(node, _)| {
                let edges = node.edges.lock().unwrap();
                edges.iter().any(|edge| match edge {
                    Edge::Pair(pair) if pair.value().is_some() => write_pair(pair, 1),
                    _ => false,
                })
            }),
            Fault::DroppedEarly => {
                walk.pick_door().is_some_and(|(door, _)| door.get().is_some() && door.drop_now().is_ok())
            }
            Fault::DroppedTwice => {
                let dropped = walk.watched.keys().find(|id| log::is_dropped(**id));
                dropped.is_some_and(|id| {
                    log::note_dropped(*id);
                    true
                })
            }
            Fault::Kept => {
                mem::forget(NoCollection::new());
                true
            }
        }
    }
}

fn free<T>(object: *const T) -> bool {
    allocate::free(Addr::of(object.cast_mut()), 0) == allocate::Freed::Done
}

fn damage(word: *mut u64) -> bool {
    // SAFETY: a word of a value in reach; nobody else looks at it now.
    unsafe { word.write(!word.read()) };
    true
}

/// What a root keeps its value by: its first word.
fn cell_of<T>(root: &Root<T>) -> *const u8 {
    // SAFETY: a root begins with the cell's address.
    unsafe { ptr::from_ref(root).cast::<*const u8>().read() }
}

/// Clears a word of the pair behind a weak handle or an ephemeron: one of its words is the pair's address.
fn write_pair<T>(handle: &T, index: usize) -> bool {
    let words = size_of::<T>() / size_of::<usize>();
    // SAFETY: the handles consist of whole words.
    let mut words = (0..words).map(|at| unsafe { ptr::from_ref(handle).cast::<usize>().add(at).read() });
    let pair = words.find(|word| {
        resolve::object_at(Addr::new(*word))
            .is_some_and(|slot| [Kind::EPHEMERON, Kind::WEAK_WORDS].contains(&slot.class().kind()))
    });
    pair.is_some_and(|pair| {
        // SAFETY: a pair begins with its two words.
        unsafe { Addr::new(pair).as_ptr::<usize>().add(index).write_volatile(0) };
        true
    })
}
