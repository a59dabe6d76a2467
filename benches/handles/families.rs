//! Families of handles: for each, the handle and the cell that an edge of a graph lies in.

use std::cell::{Cell, RefCell};
use std::sync::{Mutex, PoisonError};

/// A place for a handle or none, that can be changed.
pub trait Edge<H> {
    /// An edge to there.
    fn to(handle: Option<H>) -> Self;
    /// Where it leads.
    fn follow(&self) -> Option<H>;
    /// Leads it elsewhere.
    fn lead_to(&self, handle: Option<H>);
}

impl<H: Copy> Edge<H> for Cell<Option<H>> {
    #[inline]
    fn to(handle: Option<H>) -> Self {
        Cell::new(handle)
    }
    #[inline]
    fn follow(&self) -> Option<H> {
        self.get()
    }
    #[inline]
    fn lead_to(&self, handle: Option<H>) {
        self.set(handle);
    }
}

impl<H: Clone> Edge<H> for RefCell<Option<H>> {
    #[inline]
    fn to(handle: Option<H>) -> Self {
        RefCell::new(handle)
    }
    #[inline]
    fn follow(&self) -> Option<H> {
        self.borrow().clone()
    }
    #[inline]
    fn lead_to(&self, handle: Option<H>) {
        self.replace(handle);
    }
}

impl<H: Clone> Edge<H> for Mutex<Option<H>> {
    #[inline]
    fn to(handle: Option<H>) -> Self {
        Mutex::new(handle)
    }
    #[inline]
    fn follow(&self) -> Option<H> {
        self.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
    #[inline]
    fn lead_to(&self, handle: Option<H>) {
        let former = std::mem::replace(&mut *self.lock().unwrap_or_else(PoisonError::into_inner), handle);
        drop(former);
    }
}

impl<H: Clone + gc::Trace> Edge<H> for gc::GcCell<Option<H>> {
    #[inline]
    fn to(handle: Option<H>) -> Self {
        gc::GcCell::new(handle)
    }
    #[inline]
    fn follow(&self) -> Option<H> {
        self.borrow().clone()
    }
    #[inline]
    fn lead_to(&self, handle: Option<H>) {
        *self.borrow_mut() = handle;
    }
}

/// `gleaner::Gc`.
pub mod gleaner_gc {
    pub use gleaner::Gc as Handle;
    use std::cell::Cell;
    /// An edge.
    pub type Link<T> = Cell<Option<Handle<T>>>;

    /// Has collections run.
    pub fn begin() {
        // SAFETY: no value of these workloads hides a pointer.
        unsafe { gleaner::start() }.expect("the collector starts");
    }
}

/// `std::rc::Rc`.
pub mod rc {
    use std::cell::RefCell;
    pub use std::rc::Rc as Handle;
    /// An edge.
    pub type Link<T> = RefCell<Option<Handle<T>>>;

    /// Nothing to do.
    pub fn begin() {}
}

/// `std::sync::Arc`.
pub mod arc {
    pub use std::sync::Arc as Handle;
    use std::sync::Mutex;
    /// An edge.
    pub type Link<T> = Mutex<Option<Handle<T>>>;

    /// Nothing to do.
    pub fn begin() {}
}

/// The crate `gc`.
pub mod gc_crate {
    pub use gc::Gc as Handle;
    /// An edge.
    pub type Link<T> = gc::GcCell<Option<Handle<T>>>;

    /// A root that sees collections.
    struct Watch;

    impl gc::Finalize for Watch {}

    // SAFETY: it has nothing to trace.
    unsafe impl gc::Trace for Watch {
        unsafe fn trace(&self) {
            crate::note_collection();
        }
        unsafe fn root(&self) {}
        unsafe fn unroot(&self) {}
        fn finalize_glue(&self) {}
    }

    /// Has collections counted.
    pub fn begin() {
        std::mem::forget(Handle::new(Watch));
    }
}

/// The crate `dumpster`, for one thread.
pub mod dumpster_unsync {
    pub use dumpster::unsync::Gc as Handle;
    use std::cell::RefCell;
    /// An edge.
    pub type Link<T> = RefCell<Option<Handle<T>>>;

    /// Has collections counted.
    pub fn begin() {
        dumpster::unsync::set_collect_condition(|info| {
            let is_due = dumpster::unsync::default_collect_condition(info);
            if is_due {
                crate::note_collection();
            }
            is_due
        });
    }
}

/// The crate `dumpster`, for several threads.
pub mod dumpster_sync {
    pub use dumpster::sync::Gc as Handle;
    use std::sync::Mutex;
    /// An edge.
    pub type Link<T> = Mutex<Option<Handle<T>>>;

    /// Has collections counted.
    pub fn begin() {
        dumpster::sync::set_collect_condition(|info| {
            let is_due = dumpster::sync::default_collect_condition(info);
            if is_due {
                crate::note_collection();
            }
            is_due
        });
    }
}

/// `gc-arena`: what its workloads share.
pub mod arena {
    use gc_arena::{Collect, Gc, Mutation, collect::Trace, lock::RefLock};

    /// A part of the root that sees collections.
    pub struct Watch;

    // SAFETY: it has nothing to trace.
    unsafe impl<'gc> Collect<'gc> for Watch {
        fn trace<T: Trace<'gc>>(&self, _: &mut T) {
            crate::note_collection();
        }
    }

    /// A table of nodes, in pieces: after a change only its piece is searched again.
    #[derive(Collect)]
    #[collect(no_drop)]
    pub struct Table<'gc, T: Collect<'gc> + 'gc> {
        watch: Watch,
        pieces: Vec<Piece<'gc, T>>,
    }
    type Piece<'gc, T> = Gc<'gc, RefLock<Vec<Gc<'gc, T>>>>;
    const PIECE: usize = 64;

    impl<'gc, T: Collect<'gc> + 'gc> Table<'gc, T> {
        /// With `count` nodes, each made by `make` of its place.
        pub fn new(mutation: &Mutation<'gc>, count: usize, make: impl Fn(usize) -> Gc<'gc, T>) -> Self {
            let piece = |first: usize| {
                let nodes = (first..(first + PIECE).min(count)).map(&make).collect();
                Gc::new(mutation, RefLock::new(nodes))
            };
            Table { watch: Watch, pieces: (0..count).step_by(PIECE).map(piece).collect() }
        }

        /// The node at a place.
        #[inline]
        pub fn at(&self, place: usize) -> Gc<'gc, T> {
            self.pieces[place / PIECE].borrow()[place % PIECE]
        }

        /// Puts a node at a place: the one that was there.
        #[inline]
        pub fn replace(&self, mutation: &Mutation<'gc>, place: usize, node: Gc<'gc, T>) -> Gc<'gc, T> {
            std::mem::replace(&mut self.pieces[place / PIECE].borrow_mut(mutation)[place % PIECE], node)
        }
    }
}

/// Says of a type what `dumpster` wants to know. Its own derive macro does not go together with one that makes the type.
macro_rules! dumpster_trace {
    ($type:ident $($field:ident)*) => {
        // SAFETY: these are the fields that hold handles.
        unsafe impl<V: dumpster::Visitor> dumpster::TraceWith<V> for $type {
            fn accept(&self, visitor: &mut V) -> Result<(), ()> {
                $(self.$field.accept(visitor)?;)*
                let _ = visitor;
                Ok(())
            }
        }
    };
}
pub(crate) use dumpster_trace;

/// Says nothing of a type: its family does not ask.
macro_rules! no_trace {
    ($type:ident $($field:ident)*) => {};
}
pub(crate) use no_trace;

/// Hands a workload's macro each family, with what its types are derived from, what they are told by, and whether lists
/// have to be taken apart.
macro_rules! for_each_family {
    ($workload:ident) => {
        $workload!(gleaner_gc [] no_trace false);
        $workload!(rc [] no_trace true);
        $workload!(arc [] no_trace true);
        $workload!(gc_crate [#[derive(gc::Trace, gc::Finalize)]] no_trace false);
        $workload!(dumpster_unsync [] dumpster_trace false);
        $workload!(dumpster_sync [] dumpster_trace false);
    };
}
pub(crate) use for_each_family;

/// The workload of each family and that of `gc-arena`, by their names.
macro_rules! all_peers {
    () => {
        /// By their names.
        pub const PEERS: &[(&str, crate::Run)] = &[
            ("Gc", gleaner_gc::run),
            ("Rc", rc::run),
            ("Arc", arc::run),
            ("gc", gc_crate::run),
            ("gc-arena", arena::run),
            ("dumpster-unsync", dumpster_unsync::run),
            ("dumpster-sync", dumpster_sync::run),
        ];
    };
}
pub(crate) use all_peers;
