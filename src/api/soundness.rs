//! Why handles cannot be misused: the cases, one by one.
//!
//! Three facts carry everything here.
//!
//! 1. *What the program can still use, the collector finds.* It stops all threads, and takes every aligned word of registers,
//!    thread-local storage, static data and all other private writable memory for a possible address, and on stacks every eight
//!    bytes wherever they begin; from there it goes on through every word of every object that it meets, by any address inside it. Objects never move.
//! 2. *Whoever starts it vouches for that.* [`start`](crate::start) is `unsafe`, and names what a program must not do; nothing is taken
//!    back before it. So each line of safe code may rely on the first fact.
//! 3. *Collecting takes memory, and calls nothing.* No destructor runs inside a collection or an allocation, so no value is
//!    ever half alive.
//!
//! # The two tiers
//!
//! | | [`Gc`](crate::Gc) | [`Root`](crate::Root) |
//! |---|---|---|
//! | is | an address, copied freely | an address and a count |
//! | keeps its value | where the collector searches | from anywhere |
//! | in a cycle | comes back | does not |
//! | wants the heap as global allocator | yes | no |
//!
//! The boundary is looked at by the first `Gc` that is made, and by [`Root::gc`](crate::Root::gc): under another global allocator they panic and
//! say what to do. What the compiler can tell it refuses: a packed structure declared with a handle or a guard (E0588, since these
//! have an alignment of their own; a generic one it lets pass, for no function is told where the fields of its type lie, and
//! [`start`](crate::start) names it), a `Gc` sent to another thread
//! whose value is not `Sync`, a destructor of a value that is not `Send`, a part of a borrowed value kept for longer than the
//! borrow.
//!
//! All this is about what [the crate](crate) names at its root and in [`api`](crate::api). The modules below, the engine, can be
//! named by who switches on the feature `engine`, as the doors in C do: what is safe to call there is so for a caller that
//! knows its rules, which lie in each module's first lines.
//!
//! # Why no destructor by default
//!
//! In safe Rust a reference may live longer than everything that leads to it:
//!
//! ```
//! # #[global_allocator] static HEAP: gleaner::Gleaner = gleaner::Gleaner;
//! use gleaner::Gc;
//! fn first(words: Gc<Vec<u32>>) -> &'static u32 {
//!     let leaked: &'static Gc<Vec<u32>> = Box::leak(Box::new(words));
//!     &leaked[0]
//! }
//! assert_eq!(*first(Gc::new(vec![7])), 7);
//! ```
//!
//! The caller has an address in the vector's buffer, and nobody has one of the vector. Taken back, the vector's own three words
//! are missed by nobody. Dropped, it would free the buffer under the reference. No look at the stack tells the two
//! programs apart that go on to use the reference and that do not. So `Gc` does not drop; and `Vec`, `Box`, `String`, `Rc`
//! need not be dropped, because what they own lies on this heap too and comes back by itself.
//!
//! # Destructors, where they are asked for
//!
//! [`Gc::with_drop`](crate::Gc::with_drop) gives no reference but through a guard, which counts itself in the value. The collector only *proposes*
//! a value that it did not find; the destructor runs if the count says that nobody looks. So
//!
//! - *it is not too early*, whatever the optimiser forgets, whoever leaks what: a guard that is forgotten holds for ever;
//! - *it runs once*: the count's last states are final. Who finds the last of them finds what the destructor did;
//! - *it may bring the value back* by storing a handle; that handle finds `None`, and memory is never freed under it;
//! - *it may look at others like it*, in any order: those that were dropped before say `None`;
//! - *it may allocate, collect, make values with destructors*: it runs outside all locks, in a call of
//!   [`run_destructors`](crate::run_destructors), [`collect`](crate::collect()) or [`serve_destructors`](crate::serve_destructors), and not inside another,
//!   which a flag of the thread's says: a frame of Rust's is left by a return or a panic, and both take it back. Code in C that
//!   shares the heap through `gleaner.h` runs its own finalizers only;
//! - *it may panic*: the panic goes to whoever made that call. The value counts as dropped, and the rest stay ready;
//! - *its thread is any that makes such a call*, so the value is `Send`, and `'static`, because what it borrows would be gone.
//!
//! # Where handles lie
//!
//! **`Vec`, `Box`, `Rc`, `HashMap` …** The global allocator is this heap, so their memory is searched when something leads to
//! it, from a stack or from another object. A vector of handles in a value that nobody reaches does not keep them.
//!
//! **Statics and thread-locals.** Both are searched; thread-locals until the thread is really gone, its last destructors
//! included. A handle that is used in one of those destructors, or after `main`, is as good as ever: the heap has no end.
//!
//! **Closures, futures, `async` tasks.** Whatever they hold across an `await` lies in the future, which lies on a stack or in a
//! box. Nothing is special about it.
//!
//! **Threads.** A handle in the closure of `thread::spawn` lies in a box whose address the new thread's start has. A thread
//! that ends leaves its result in an allocation that its `JoinHandle` reaches. `Gc<T>` is `Send` and `Sync` when `T` is
//! `Sync`, as `&T` is.
//!
//! **Values that are not searched.** [`Gc::new_pointer_free`](crate::Gc::new_pointer_free) takes types that promise by an `unsafe
//! impl` to hold no pointer: numbers, and what is made of numbers. An address may be kept as a number anywhere, and is one
//! more number there; only unsafe code makes a pointer of it.
//!
//! **Maps.** A [`WeakMap`](crate::WeakMap) changes through `&mut` only, and its entries are copies of two words each that a
//! collection clears together: a look at one finds a key and a value that are kept from there on, or nothing. Its closures run
//! between two such looks, when the map is whole, and may collect or panic.
//!
//! **Raw pointers.** `*const T` from [`Gc::as_ptr`](crate::Gc::as_ptr) keeps the value like any other address, as long as it is kept as one.
//!
//! **Parts.** [`Gc::map`](crate::Gc::map) gives a handle to something inside, and any address inside keeps an object. Whether
//! an object has died is asked of the whole, so a [`Weak`](crate::Weak) handle to a part remembers where its object starts. A
//! part without a byte has no address inside, and one at an object's very end would have that of what comes next: it gets the
//! address of the value that it was asked of. (A plain reference to it may keep nothing, and nothing is read through it.) The part
//! comes out of a closure that has to serve every lifetime, so it is the value's own or lives for ever; and what the closure of
//! [`Gc::try_map`](crate::Gc::try_map) says instead of a part was there before its argument's lifetime, so it is none.
//!
//! **A value that knows itself.** The weak handle that [`Gc::new_cyclic`](crate::Gc::new_cyclic) passes to its closure says `None`
//! until the value is written; then one store of its address tells all copies, and whoever reads the address, on whatever
//! thread, sees the value whole. If the closure panics, that store never comes.
//!
//! **`ManuallyDrop`, `mem::forget`, `Box::leak`.** They keep nothing by themselves: leaked memory is searched while something leads
//! to it, and is taken back afterwards. No destructor is owed, so none is missed.
//!
//! **C code.** An address passed to C is found on C's stack, and in what C has from `malloc`, for all private writable memory is
//! searched. Where C puts it elsewhere (memory shared with other processes, the kernel, a file) the program keeps a
//! [`Root`](crate::Root) beside it.
//!
//! **Interior mutability.** There is no barrier to forget: `Cell`, `RefCell`, `Mutex`, atomics, `OnceCell` do what they
//! always do. The world stands still while the collector looks.
//!
//! # Panics
//!
//! A panic unwinds as usual, and what it leaves behind comes back. [`Gc::new`](crate::Gc::new) writes the value after it has the memory, so a
//! panic in an argument happens before there is an object.
//!
//! # Pinning
//!
//! `Pin` promises that memory is not used again before the value's destructor has run. A `Gc` makes no such promise, so there
//! is no `Gc::pin`. A `Box::pin` that is forgotten comes back without its destructor once no address inside it is left
//! anywhere; whoever relied on the promise had such an address. (That the destructor runs at all was never promised.)
//!
//! # What the optimiser may do
//!
//! An enum is a tag and what belongs to it. Moving one, the compiler moves the tag, and then the other bytes, seven or
//! fifteen of them, to wherever on the stack there is room: an address among them lies across two words there, and may be the only one. So stacks
//! and vector registers are searched byte by byte. What lives longer than a function, in a value on the heap or in a
//! `static`, lies where its type says, which is aligned.
//!
//! Compilers keep an address inside an object, or one past its end, as long as they access it; the second is searched for
//! in registers and stacks. Nothing in the language promises that. It is what all conservative collectors rely on, under
//! C compilers that have the same optimiser.
