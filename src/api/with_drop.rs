//! Values whose destructor runs.
//!
//! The collector finds that nothing points to such a value and puts it on a list; [`run_destructors`] takes it from there.
//! Whether the destructor may run then is not the collector's word but the value's own state, so it is right whatever the
//! compiler has made of the references in between, and whoever has brought the value back:
//!
//! ```text
//!   0 --get--> 1 .. --the guard goes--> 0 --a destructor takes it--> being dropped --> dropped
//!               `- the destructor finds it held: it is left alone, and listed again when it is unreachable again
//! ```

use super::gc::{Gc, place};
use crate::{
    base::{
        addr::Addr,
        sync::{AtomicU32, Ordering},
    },
    collect::{
        allocate,
        finalize::{self, Due, Finalizer, Order, Runner},
        world,
    },
    heap::{kind::Kind, mutator::Mutator},
};
use alloc::alloc::handle_alloc_error;
use core::{
    alloc::Layout, cell::UnsafeCell, ffi::c_void, fmt, mem::ManuallyDrop, ops::Deref, panic::RefUnwindSafe,
    ptr::NonNull,
};

/// The state of a value that its destructor has had.
const DROPPED: u32 = u32::MAX;
/// The state of a value while its destructor has it.
const BEING_DROPPED: u32 = u32::MAX - 1;
/// The most guards that a value can have.
const HELD_MAX: u32 = u32::MAX / 2;

/// A value that is dropped once, after nothing points to it any more: what [`Gc::with_drop`] makes.
///
/// The value is looked at through a guard, [`get`](Self::get), and as long as there is one its destructor does not run. A
/// plain reference would not do: the compiler may keep what was reached through it, a file's number for example, and forget
/// the address that tells the collector.
///
/// ```
/// # #[global_allocator] static HEAP: gleaner::Gleaner = gleaner::Gleaner;
/// use gleaner::{Gc, WithDrop};
/// use std::{fs::File, io::Read};
///
/// struct Source { name: String, file: Gc<WithDrop<File>> }
///
/// let source = Source { name: "null".into(), file: Gc::with_drop(File::open("/dev/null")?) };
/// let mut text = String::new();
/// let file = source.file.get().ok_or_else(|| std::io::Error::other("closed"))?;
/// (&*file).read_to_string(&mut text)?;
/// assert_eq!((source.name.as_str(), text.as_str()), ("null", ""));
/// # Ok::<(), std::io::Error>(())
/// ```
pub struct WithDrop<T> {
    state: AtomicU32,
    value: UnsafeCell<ManuallyDrop<T>>,
}

// SAFETY: shared between threads it gives `&T`, and drops the value on any of them.
unsafe impl<T: Send + Sync> Sync for WithDrop<T> {}
// It gives `&T`; a panic in the destructor leaves the value dropped.
impl<T: RefUnwindSafe> RefUnwindSafe for WithDrop<T> {}

/// A look at a value, during which its destructor does not run: see [`WithDrop::get`].
// Aligned, as `Gc` is: so it cannot be in a packed structure (E0588).
#[repr(align(8))]
pub struct Held<'a, T> {
    value: &'a WithDrop<T>,
}

impl<T: Send + 'static> Gc<WithDrop<T>> {
    /// Puts a value on the heap whose destructor runs after nothing points to it any more.
    ///
    /// It runs once, in [`collect`](crate::collect()), [`run_destructors`] or [`serve_destructors`], on the thread that calls
    /// one of these, and nowhere else: never in an allocation, never in another destructor, and not at the end of the
    /// program. It may allocate, make and follow handles, and collect. Handles to other such values that it has find `None`
    /// if those were dropped before, in no certain order. If it stores its own address somewhere, that handle finds `None`.
    /// If it panics, the panic goes on in the call that ran it, and the other destructors stay ready.
    ///
    /// # Panics
    /// As [`Gc::new`].
    ///
    /// ```
    /// # #[global_allocator] static HEAP: gleaner::Gleaner = gleaner::Gleaner;
    /// # unsafe { gleaner::start()? };
    /// use gleaner::Gc;
    /// use std::sync::atomic::{AtomicUsize, Ordering};
    ///
    /// static CLOSED: AtomicUsize = AtomicUsize::new(0);
    /// struct Door(u32);
    /// impl Drop for Door {
    ///     fn drop(&mut self) {
    ///         CLOSED.fetch_add(1, Ordering::Relaxed);
    ///     }
    /// }
    ///
    /// fn pass(doors: u32) -> u32 {
    ///     (0..doors).map(|number| Gc::with_drop(Door(number)).get().map_or(0, |door| door.0)).sum()
    /// }
    /// assert_eq!(pass(100), 4950);
    /// gleaner::collect();
    /// // A stale word on the stack may keep one or the other.
    /// assert!(CLOSED.load(Ordering::Relaxed) > 90);
    /// # Ok::<(), gleaner::StartError>(())
    /// ```
    ///
    /// The destructor may run on any thread, so the value has to be `Send`:
    ///
    /// ```compile_fail
    /// # use std::rc::Rc;
    /// gleaner::Gc::with_drop(Rc::new(1));
    /// ```
    #[track_caller]
    pub fn with_drop(value: T) -> Gc<WithDrop<T>> {
        let layout = Layout::new::<WithDrop<T>>();
        let place = place::take(layout, Kind::VALUE).cast::<WithDrop<T>>();
        let value = WithDrop { state: AtomicU32::new(0), value: UnsafeCell::new(ManuallyDrop::new(value)) };
        // SAFETY: taken for a value of this type.
        unsafe { place.write(value) };
        if !expect::<T>(place) {
            handle_alloc_error(layout);
        }
        Gc::of_found(place)
    }
}

/// Has the value dropped once it is unreachable. `false`: there is no memory to note it.
fn expect<T>(value: NonNull<WithDrop<T>>) -> bool {
    let finalizer = Finalizer {
        procedure: drop_unheld::<T> as *const () as usize,
        data: 0,
        order: Order::Unordered,
        runner: Runner::Handles,
    };
    let object = Addr::of(value.as_ptr());
    allocate::with_tables(|tables| tables.finalizers.set(object, finalizer)).is_some_and(|set| set.is_ok())
}

/// What runs for a value that has been found unreachable. `was_dropped` is told whether this was the end of it.
///
/// # Safety
/// `value` is the address of a `WithDrop<T>`, `was_dropped` that of a `bool`.
unsafe extern "C-unwind" fn drop_unheld<T>(value: *mut c_void, was_dropped: *mut c_void) {
    // SAFETY: by the caller's promise; the address is on the caller's stack, which keeps the object.
    let value = unsafe { NonNull::new_unchecked(value.cast::<WithDrop<T>>()) };
    // SAFETY: as above.
    match unsafe { value.as_ref() }.take_and_drop() {
        // SAFETY: by the caller's promise.
        Taken::Here => unsafe { was_dropped.cast::<bool>().write(true) },
        Taken::Before => {}
        // Without memory it is never dropped: kept is better than dropped too early.
        Taken::Not => _ = expect(value),
    }
}

/// Who has had a value that was to be dropped.
enum Taken {
    /// This call, by its destructor.
    Here,
    /// An earlier one, whose destructor has come to its end.
    Before,
    /// None yet: there is a guard, or another destructor is at it.
    Not,
}

/// The value is not dropped: somebody looks at it, or its destructor has not come to its end.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct StillHeld;

impl fmt::Display for StillHeld {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the value is still held, by a guard of WithDrop::get or its running destructor")
    }
}

impl core::error::Error for StillHeld {}

impl<T> WithDrop<T> {
    /// Looks at the value. `None`: it has been dropped.
    ///
    /// ```
    /// # #[global_allocator] static HEAP: gleaner::Gleaner = gleaner::Gleaner;
    /// let words = gleaner::Gc::with_drop(vec!["one", "two"]);
    /// let held = words.get().unwrap();
    /// assert_eq!(held.len(), 2);
    /// ```
    #[inline]
    pub fn get(&self) -> Option<Held<'_, T>> {
        let mut state = self.state.load(Ordering::Relaxed);
        loop {
            if state >= BEING_DROPPED {
                return None;
            }
            if state == HELD_MAX {
                crate::fatal!("WithDrop::get: 2^31 guards of one value; look for a loop that forgets them");
            }
            // Acquire: what was done under the guards before is seen; pairs with the end of a guard.
            match self.state.compare_exchange_weak(state, state + 1, Ordering::Acquire, Ordering::Relaxed) {
                Ok(_) => return Some(Held { value: self }),
                Err(now) => state = now,
            }
        }
    }

    /// Drops the value here and now, if nobody looks at it; again it does nothing. After `Ok` the destructor has run, here or
    /// elsewhere, and what it did is seen.
    ///
    /// # Errors
    /// [`StillHeld`] when there is a guard, or the destructor is running, here or on another thread.
    ///
    /// ```
    /// # #[global_allocator] static HEAP: gleaner::Gleaner = gleaner::Gleaner;
    /// let file = gleaner::Gc::with_drop(std::fs::File::open("/dev/null").unwrap());
    /// let held = file.get();
    /// assert!(file.drop_now().is_err());
    /// drop(held);
    /// assert!(file.drop_now().is_ok() && file.get().is_none());
    /// ```
    pub fn drop_now(&self) -> Result<(), StillHeld> {
        match self.take_and_drop() {
            Taken::Here | Taken::Before => Ok(()),
            Taken::Not => Err(StillHeld),
        }
    }

    fn take_and_drop(&self) -> Taken {
        /// Says that the destructor is over, also if it ends by a panic.
        struct Over<'a>(&'a AtomicU32);
        impl Drop for Over<'_> {
            fn drop(&mut self) {
                // Release: what the destructor did comes before; pairs with whoever finds it over.
                self.0.store(DROPPED, Ordering::Release);
            }
        }
        // Acquire: what was done under any guard comes before the destructor, which pairs with the end of a guard; and what a
        // destructor did comes before the word that it is over.
        match self.state.compare_exchange(0, BEING_DROPPED, Ordering::Acquire, Ordering::Acquire) {
            Ok(_) => {
                let _over = Over(&self.state);
                // SAFETY: nobody else has or gets a reference, and this is done once.
                unsafe { ManuallyDrop::drop(&mut *self.value.get()) };
                Taken::Here
            }
            Err(DROPPED) => Taken::Before,
            Err(_) => Taken::Not,
        }
    }
}

impl<T> Deref for Held<'_, T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        // SAFETY: the state says that there is a guard, so the value has not been dropped and is not.
        unsafe { &*self.value.value.get() }
    }
}

impl<T> Drop for Held<'_, T> {
    #[inline]
    fn drop(&mut self) {
        // Release: pairs with whoever takes the value next.
        self.value.state.fetch_sub(1, Ordering::Release);
    }
}

impl<T: fmt::Debug> fmt::Debug for Held<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

impl<T: fmt::Debug> fmt::Debug for WithDrop<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.get() {
            Some(value) => value.fmt(f),
            None => f.write_str("(dropped)"),
        }
    }
}

/// Runs the destructors that are ready: how many. Within a destructor it runs none.
///
/// A destructor runs as if it stood in the place of this call: what the caller has borrowed or locked, it finds borrowed or
/// locked.
///
/// ```
/// # #[global_allocator] static HEAP: gleaner::Gleaner = gleaner::Gleaner;
/// assert_eq!(gleaner::run_destructors(), 0);
/// ```
pub fn run_destructors() -> usize {
    let Some(mutator) = world::register() else { return 0 };
    let Some(_turn) = Turn::take(mutator) else { return 0 };
    let mut count = 0;
    while let Some(due) = next_due() {
        count += usize::from(run(&due));
    }
    count
}

/// Runs destructors as they become ready, for ever: for a thread of its own.
///
/// ```
/// # #[global_allocator] static HEAP: gleaner::Gleaner = gleaner::Gleaner;
/// # unsafe { gleaner::start()? };
/// use std::{sync::mpsc, thread};
///
/// struct Notice(mpsc::Sender<u32>, u32);
/// impl Drop for Notice {
///     fn drop(&mut self) {
///         let _ = self.0.send(self.1);
///     }
/// }
///
/// thread::spawn(|| gleaner::serve_destructors());
/// let (sender, receiver) = mpsc::channel();
/// for number in 0..100 {
///     gleaner::Gc::with_drop(Notice(sender.clone(), number));
/// }
/// // This thread leaves the destructors to the other one: it only makes garbage.
/// let arrived = loop {
///     gleaner::Gc::new([0u8; 4096]);
///     if let Ok(number) = receiver.try_recv() {
///         break number;
///     }
/// };
/// assert!(arrived < 100);
/// # Ok::<(), gleaner::StartError>(())
/// ```
pub fn serve_destructors() -> ! {
    loop {
        finalize::wait_until_queued(Runner::Handles);
        run_destructors();
    }
}

/// The turn to run destructors on a thread: one at a time. It ends where its frame does, by a return or a panic; nothing else
/// leaves a frame of Rust's.
struct Turn<'a>(&'a Mutator);

impl Turn<'_> {
    fn take(mutator: &Mutator) -> Option<Turn<'_>> {
        // Relaxed: only this thread uses it.
        let is_taken = mutator.is_dropping.load(Ordering::Relaxed) != 0;
        mutator.is_dropping.store(1, Ordering::Relaxed);
        (!is_taken).then(|| Turn(mutator))
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.0.is_dropping.store(0, Ordering::Relaxed);
    }
}

#[inline(never)]
fn next_due() -> Option<Due> {
    allocate::with_tables(|tables| tables.finalizers.take_due(Runner::Handles)).flatten()
}

/// Whether the value was dropped by this.
fn run(due: &Due) -> bool {
    let mut was_dropped = false;
    // SAFETY: what handles run is set in this file: this procedure, for this object.
    unsafe {
        let procedure = core::mem::transmute::<usize, unsafe extern "C-unwind" fn(*mut c_void, *mut c_void)>(
            due.finalizer.procedure,
        );
        procedure(core::hint::black_box(due.object) as *mut c_void, (&raw mut was_dropped).cast());
    }
    was_dropped
}
