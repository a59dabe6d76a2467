//! Toggle references: objects of which a callback says, at each collection, whether they are kept.
//!
//! For objects with a counterpart outside the heap that counts references of its own. The callback is asked with the world
//! stopped, before roots are read. What it calls strong is a root of this collection; what it calls weak and nothing else
//! keeps is forgotten, after the finalizers.
//!
//! Holds:   an entry's object is in use, unless the program has freed it by hand.
//! Threads: the tables' lock; asked with the world stopped.

use super::{
    mark::is_marked,
    table::{List, NoMemory},
};
use crate::{
    base::{
        addr::Addr,
        sync::{AtomicUsize, Ordering},
    },
    heap::{mutator, resolve},
};

/// Is asked about an object, and says what becomes of the reference: one of [`DROP`], [`STRONG`] and [`WEAK`].
pub type Callback = unsafe extern "C" fn(*mut core::ffi::c_void) -> core::ffi::c_int;

/// It is forgotten.
pub const DROP: core::ffi::c_int = 0;
/// It keeps its object.
pub const STRONG: core::ffi::c_int = 1;
/// It does not.
pub const WEAK: core::ffi::c_int = 2;

/// Zero: none. Relaxed: the gates order it before a collection.
static CALLBACK: AtomicUsize = AtomicUsize::new(0);

/// Sets the callback.
pub fn set(callback: Option<Callback>) {
    CALLBACK.store(callback.map_or(0, |callback| callback as usize), Ordering::Relaxed);
}

/// The callback, if there is one.
pub fn callback() -> Option<Callback> {
    let callback = CALLBACK.load(Ordering::Relaxed);
    // SAFETY: stored by `set`.
    (callback != 0).then(|| unsafe { core::mem::transmute::<usize, Callback>(callback) })
}

/// A reference.
#[derive(Clone, Copy)]
struct Entry {
    object: usize,
    is_strong: bool,
}

/// All references.
pub struct Toggles {
    entries: List<Entry>,
}

impl Toggles {
    /// None, without memory.
    pub const fn new() -> Self {
        Toggles { entries: List::new() }
    }

    /// Adds a reference, which is as it is said to be until the callback is asked.
    pub fn add(&mut self, object: Addr, is_strong: bool) -> Result<(), NoMemory> {
        self.entries.push(Entry { object: object.get(), is_strong })
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Visits the objects of strong references: roots.
    pub fn for_each_strong(&self, mut visit: impl FnMut(Addr)) {
        self.entries.as_slice().iter().filter(|entry| entry.is_strong).for_each(|entry| visit(Addr::new(entry.object)));
    }

    /// Asks the callback about all. The world is stopped, nothing has been marked but what magazines hold.
    pub(super) fn ask(&mut self) {
        let Some(callback) = callback() else { return };
        self.retain(|entry| {
            let object = Addr::new(entry.object);
            if resolve::object_at(object).is_none() {
                return false;
            }
            let mut answer = STRONG;
            // SAFETY: the program set the callback for objects in use.
            mutator::forbid(|| answer = unsafe { callback(object.as_ptr()) });
            entry.is_strong = answer != WEAK;
            answer != DROP
        });
    }

    /// Forgets the references whose objects are not marked. The world is stopped, all is marked.
    pub(super) fn forget_dead(&mut self) {
        self.retain(|entry| is_marked(Addr::new(entry.object)));
    }

    fn retain(&mut self, mut is_kept: impl FnMut(&mut Entry) -> bool) {
        let mut index = 0;
        while let Some(entry) = self.entries.as_mut_slice().get_mut(index) {
            if is_kept(entry) {
                index += 1;
            } else {
                self.entries.swap_remove(index);
            }
        }
    }
}
