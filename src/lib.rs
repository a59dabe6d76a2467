//! gleaner: a heap that collects what the program no longer reaches, and a malloc on the same heap.
//!
//! This is the first chapter: how a Rust program uses it, then the picture, one object's life, what excludes what, and the
//! words. Each module opens with its own part of the story.
//!
//! # In a Rust program
//!
//! ```
//! use gleaner::{Gc, Gleaner};
//! use std::cell::Cell;
//!
//! #[global_allocator]
//! static HEAP: Gleaner = Gleaner;
//!
//! struct Node {
//!     name: String,
//!     next: Cell<Option<Gc<Node>>>,
//! }
//!
//! fn main() -> Result<(), gleaner::StartError> {
//!     // SAFETY: nothing in this program hides an address.
//!     unsafe { gleaner::start()? };
//!     let last = Gc::new(Node { name: "last".into(), next: Cell::new(None) });
//!     let first = Gc::new(Node { name: "first".into(), next: Cell::new(Some(last)) });
//!     last.next.set(Some(first)); // a circle, which comes back by itself
//!     assert!(first.next.get().is_some_and(|node| node.name == "last"));
//!     Ok(())
//! }
//! ```
//!
//! [`Gc`] is the handle for everyday, [`Weak`], [`Ephemeron`] and [`WeakMap`] keep nothing, [`Root`] keeps its value from
//! memory that is not searched, [`WithDrop`] is a value whose destructor runs. [`soundness`] argues why safe code cannot
//! misuse them. [`start`] and [`collect()`] concern the collector; [`set_limit`], [`stats`], [`options`] and
//! [`events`] the heap.
//!
//! # The picture
//!
//! ```text
//!   doors      C header    malloc family    libgc    Rust
//!                  \            |            |      /
//!   api            handles, options, statistics
//!   collect    decide -> stop -> roots -> mark -> weak, finalizers -> sweep -> resume
//!   heap       magazine (a thread, a class)  <->  block's bitmap  <->  centre (a class)  <->  cage (all)
//!   os         mappings, threads, signals, the loader
//!   base       addresses, bits, atomics
//! ```
//!
//! Calls go downward only. A test reads the sources and names any line that looks up. Three pulls upward have an answer:
//! an allocation that needs a collection gets "no room" from the heap, and one place in [`collect::allocate`](mod@collect::allocate) collects and
//! asks again; sweeping a block is the heap's work, `collect` only says when; a thread's end is found from outside, by
//! whoever finds that its kernel id is gone.
//!
//! # One object's life
//!
//! `gc_malloc(40)` looks its *size class* up (48 bytes), takes the thread's *magazine* for that class and the kind
//! "scanned", and pops a *slot*: two loads and a store. When the magazine is empty, the slow path enters the thread's
//! *gate* and refills it from the *bitmap* of a *block* that the thread has *claimed*: the slots are zeroed just before
//! they are handed out. When the block is used up, the class's *centre* gives another, or the *cage* a fresh unit.
//!
//! The program stores the address somewhere. Later another thread's allocation finds the *budget* spent and collects:
//! it closes all gates and stops all threads, by a signal those that neither come to their gates by themselves nor wait in
//! a safe region. Then it looks at every word of the roots: registers, stacks, thread-local storage, static data, and
//! behind `malloc` whatever else the program has mapped for itself. One of them lies in our object's unit;
//! [`heap::resolve`] turns it into a *candidate*, the marker sets its mark bit and later scans its words. In a large heap
//! *helpers*, threads that live as long as the marking, share that work ([`collect::helpers`]). The sweep keeps it:
//! `allocated &= marked`.
//!
//! Some collections later nothing points to it any more. Its mark bit stays clear, the sweep clears its allocated bit
//! without touching the object, and a refill hands the slot out again. Had the program freed it by hand, the slot would
//! have been cleared and gone back on the thread's magazine at once, by one store and a raised pointer.
//!
//! # What is true at every instruction
//!
//! A slot is in exactly one of three places: free in its block's bitmap; cached in a magazine, between `bottom` and
//! `top`; or in use, its address in a register, on a stack or in a reachable object. The fast paths keep this by the
//! order of their accesses alone ([`heap::magazine`]), so a thread may be stopped anywhere in them.
//!
//! # Who excludes whom
//!
//! Slow paths run inside their thread's gate. A collector, a fork and a census close the gates, and then nobody holds a
//! lock of ours and no bitmap is half changed ([`heap::gate`]). A thread in a *safe region* ([`heap::region`], waiting at
//! its gate, or behind `malloc` in a call of the C library that waits) stands still as far as the heap is concerned: it
//! gets no signal, and waits before it comes out. Locks are taken in one order only, checked in debug builds:
//!
//! ```text
//!   the loader's lock -> world -> (gates) -> tables -> threads -> events -> centre -> cage -> os
//! ```
//!
//! What the markers of one collection share has a lock outside that order: helpers have no thread-local storage to keep
//! ranks in, and take no other.
//!
//! After the stop the collector makes system calls only: a stopped thread may hold any lock of the C library.
//!
//! What threads do to each other without a lock (gates, claims, refill against flush), and the lock itself, is run by a
//! model checker through every order of accesses with up to two preemptions; then again with each ordering weakened and
//! each update torn, which has to be noticed (`make loom`).
//!
//! # What a collection must never do
//!
//! Reclaim a live object. When something cannot be known (a thread does not stop, the list of mappings cannot be read)
//! the collection is given up, the memory is kept, and a statistic says so. When it never will be (a library that hides
//! pointers has come, a filter of system calls is about to) nothing is reclaimed from then on ([`collect::reports`]).
//!
//! # Words
//!
//! | word | meaning |
//! |---|---|
//! | handle | a Rust value that points to an object: `Gc` and its kin |
//! | door | a way for programs to come in: `gleaner.h`, the malloc family, the functions of bdwgc's `gc.h`, Rust's allocator |
//! | engine | what is behind the doors; each *copy* of the library has one, and a process uses the first |
//! | cage | the address range of the heap; *span*: one reserved piece of it |
//! | unit | 64 KiB of the cage, the smallest piece that is taken and given |
//! | block | one unit or a power of two of them, divided into slots of one class |
//! | slot | the place of one object |
//! | size class | a slot size; *kind*: what may be assumed of an object's words; *class*: both together |
//! | magazine | a thread's own stack of free slots of one class |
//! | centre | a class's list of blocks with room that no thread has claimed |
//! | allocated bit, mark bit | handed out to a thread; reached by the collection that runs |
//! | mutator | a thread that uses the heap; its *record* is what we keep of it |
//! | root | a word from which the search for live objects starts |
//! | ambiguous word | a word that may be an address; *resolve*: find the object it points into |
//! | candidate | a slot that a word of a root or an object points into; not yet known: whether it is in use, or marked |
//! | hole | a part of a large object that was never written, so it is not scanned |
//! | condemned | found unreachable by a collection that reclaims nothing, and kept to see who touches it; *pardoned*: somebody has |
//! | barred page | a page of the heap that we have made inaccessible, for there is nothing on it but condemned objects |
//! | closed page | a page of the heap that the program has made read-only or inaccessible |
//! | cycle | one collection from start to resume |
//! | budget | what may be handed out until the next collection is due |
//! | region, safe region | where a thread promises to leave the heap alone, so that it need not be stopped |
//! | stranger | a thread that the kernel lists and that has no record |
//! | stop signal, reserve signal | what asks a thread to stop; what asks one that the first does not reach |
//! | fiber | a stack that the program switches to by itself; *parked*: no thread runs it, and its record says how much of it is used |
//! | attached | an object has a finalizer, a weak cell or a pin |
//! | link | a word anywhere that a collection clears when the object it stands for dies |
//! | hook | a function that a door has called at a moment of each collection |
//! | disclaim | to show a dead object to a procedure of its kind, which may keep it |
//! | toggle reference | a reference that the program says, in each collection, to be strong or weak |
//! | emergency memory | what a signal handler gets that has interrupted its own thread's slow path, and a panic in a collection |

#![cfg_attr(not(any(test, loom)), no_std)]
#![warn(missing_docs)]
// Without the doors nobody uses what only they need, nor sees the floors that the first chapter leads to.
#![cfg_attr(not(feature = "engine"), allow(dead_code, unused_imports, rustdoc::private_intra_doc_links))]
// These types live in statics and are made by const functions; nobody wants one by `Default`.
#![allow(clippy::new_without_default)]

#[cfg(not(all(target_os = "linux", target_arch = "x86_64", target_env = "gnu")))]
compile_error!(
    "gleaner runs on x86-64 Linux with glibc. A port is a set of files in src/os with the contracts of src/os/mod.rs."
);

#[cfg(not(loom))]
extern crate alloc;

#[cfg(not(loom))]
pub mod api;

// The floors below. A door may take them apart, so they are open to the doors, and safe functions of theirs rely on their
// callers as one module relies on another: no handle would be safe beside them.
#[cfg(feature = "engine")]
pub mod base;
#[cfg(not(feature = "engine"))]
mod base;
#[cfg(all(feature = "engine", not(loom)))]
pub mod collect;
#[cfg(not(any(feature = "engine", loom)))]
mod collect;
#[cfg(feature = "engine")]
pub mod heap;
#[cfg(not(feature = "engine"))]
mod heap;
// The model checker runs the heap on a platform of its own.
#[cfg(feature = "engine")]
#[cfg_attr(loom, path = "os/model.rs")]
pub mod os;
#[cfg(not(feature = "engine"))]
#[cfg_attr(loom, path = "os/model.rs")]
mod os;

#[cfg(not(loom))]
pub use api::{
    control::{NoCollection, StartError, collect, release, set_limit, start},
    ephemeron::Ephemeron,
    events,
    gc::{Gc, PointerFree},
    global::Gleaner,
    options,
    root::Root,
    soundness, stats,
    weak::Weak,
    weak_map::WeakMap,
    with_drop::{Held, StillHeld, WithDrop, run_destructors, serve_destructors},
};
