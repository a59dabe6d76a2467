//! Values whose destructor runs.
//!
//! The collector finds that nothing points to such a value and puts it on a list; [`run_destructors`] takes it from there.
//! Whether the destructor may run then is not the collector's word but the value's own state, so it is right whatever the
//! compiler has made of the references in between, and whoever has brought the value back:
//!
//! ```text
//!   0 --get--> 1 .. --the guard goes--> 0 --a destructor takes it--> dropped
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
        finalize::{self, Due, Finalizer, Order},
        world,
    },
    heap::{kind::Kind, mutator::Mutator},
};
use alloc::alloc::handle_alloc_error;
use core::{
    alloc::Layout,
    cell::UnsafeCell,
    ffi::c_void,
    fmt,
    mem::ManuallyDrop,
    ops::Deref,
    ptr::{self, NonNull},
};

/// The state of a value that its destructor has had.
const DROPPED: u32 = u32::MAX;
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

/// A look at a value, during which its destructor does not run: see [`WithDrop::get`].
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
    let finalizer = Finalizer { procedure: drop_unheld::<T> as *const () as usize, data: 0, order: Order::Unordered };
    let object = Addr::of(value.as_ptr());
    allocate::with_tables(|tables| tables.finalizers.set(object, finalizer)).is_some_and(|set| set.is_ok())
}

/// What runs for a value that has been found unreachable.
///
/// # Safety
/// `value` is the address of a `WithDrop<T>`.
unsafe extern "C-unwind" fn drop_unheld<T>(value: *mut c_void, _: *mut c_void) {
    // SAFETY: by the caller's promise; the address is on the caller's stack, which keeps the object.
    let value = unsafe { NonNull::new_unchecked(value.cast::<WithDrop<T>>()) };
    // SAFETY: as above.
    if unsafe { value.as_ref() }.drop_now() == Err(StillHeld) {
        // Without memory it is never dropped: kept is better than dropped too early.
        let _ = expect(value);
    }
}

/// The value was not dropped: somebody looks at it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct StillHeld;

impl fmt::Display for StillHeld {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the value is still looked at, by the guard of WithDrop::get")
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
            if state == DROPPED {
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

    /// Drops the value here and now, if nobody looks at it; again it does nothing.
    ///
    /// # Errors
    /// [`StillHeld`] when there is a guard, here or on another thread.
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
        // Acquire: what was done under any guard comes before the destructor; pairs with the end of a guard.
        match self.state.compare_exchange(0, DROPPED, Ordering::Acquire, Ordering::Relaxed) {
            Ok(_) => {
                // SAFETY: nobody else has or gets a reference, and this is done once.
                unsafe { ManuallyDrop::drop(&mut *self.value.get()) };
                Ok(())
            }
            Err(DROPPED) => Ok(()),
            Err(_) => Err(StillHeld),
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
    let mut count = 0;
    while let Some(due) = next_due(mutator) {
        run(mutator, &due);
        count += 1;
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
        finalize::wait_until_queued();
        run_destructors();
    }
}

/// The next, unless one runs on this thread.
#[inline(never)]
fn next_due(mutator: &Mutator) -> Option<Due> {
    let here = 0usize;
    if mutator.finalizing.is_running(ptr::from_ref(&here).addr()) {
        return None;
    }
    allocate::with_tables(|tables| tables.finalizers.take_due()).flatten()
}

fn run(mutator: &Mutator, due: &Due) {
    struct Over<'a>(&'a Mutator);
    impl Drop for Over<'_> {
        fn drop(&mut self) {
            self.0.finalizing.end();
        }
    }
    let mut token = 0;
    mutator.finalizing.begin(&mut token);
    let _over = Over(mutator);
    // SAFETY: finalizers of this process are set in this file, and this one for this object.
    unsafe {
        let procedure = core::mem::transmute::<usize, unsafe extern "C-unwind" fn(*mut c_void, *mut c_void)>(
            due.finalizer.procedure,
        );
        procedure(core::hint::black_box(due.object) as *mut c_void, due.finalizer.data as *mut c_void);
    }
}
