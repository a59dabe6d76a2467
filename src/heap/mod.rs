//! Floor 3, the heap: units, blocks and slots, who has them, and how they move. It knows nothing of reachability.
//!
//! ```text
//!   thread                class                     all
//!   magazine  <-refill-   claimed block  <-claim-   centre  <-take-  cage (units of 64 KiB)
//!      |       -flush->   bitmap        -give back->        -give->
//!   malloc, free
//! ```
//!
//! - [`kind`] what may be assumed of an object's words · [`size_class`] which slot a request gets
//! - [`cage`] the address range and its units · [`units`] what is known of each unit
//! - [`fast`] the fast paths of every door · [`magazine`] a thread's free slots · [`refill`] and [`flush`] between magazines and bitmaps · [`centre`] blocks with room
//! - [`large`] objects with units of their own
//! - [`mutator`] the record of a thread · [`gate`] where slow paths and collections exclude each other
//! - [`region`] where the program promises to leave the heap alone · [`fiber`] stacks that it switches between
//! - [`ages`] how long objects have been unreachable, where that counts
//! - [`remains`] what dead objects leave in slots · [`resolve`] from a word to an object
//! - [`emergency`] memory for a signal handler that interrupted a slow path
//! - [`announce`] what memcheck is told of objects · [`late`] slots that wait under it
//! - [`surplus`] when pages that nobody uses go back to the system · [`quiet`] and those of blocks that are hardly used
//! - [`pressure`] what has been handed out · [`zeal`] rare things made common
//!
//! # Which shared cache lines an operation writes
//!
//! A line that two cores write in turn costs each some 50 to 200 ns, so what limits many cores is how often an operation
//! writes lines that others use.
//!
//! | operation | lines that others write or read too | how often |
//! |---|---|---|
//! | malloc, calloc | none | |
//! | free, of another thread's object too | none; it reads the map of the cage and the unit's class, which change when blocks are taken and given | |
//! | gate, in and out | none; it reads the word that says "closed" | each slow path |
//! | refill | bit words, one OR for up to 64 slots, four words a line; the block's count of free slots, once. Both are shared with those who free into that block | once for 16 KiB or half a magazine: 512 objects of 16 B, 256 of 64 B, 4 of 4 KiB |
//! | flush | bit words, one AND for neighbours, at worst one for each slot; the count, once a block | once for half a magazine, 32 KiB or 512 objects |
//! | claim, give back | the class's centre; the block and its neighbours on the list | once a block of 64 KiB that is used up, and where blocks are much shared, at each of the first four refills after a collection |
//! | fresh block, and one given up | the lock of the cage, its bitmap, the unit's class: 32 units a line | once for 64 KiB by which the heap grows or shrinks |
//! | large malloc, large free | as for a fresh block, and a class for each unit | each, from 256 KiB up |
//! | the heap's counter | one line | once for 16 KiB that a thread hands out and does not take back |
//! | collection | the word "closed"; a few words in the record of each thread; the mark words, and the lists of centres | each |
//!
//! *Threads that allocate and free by hand* write nothing shared as long as a class's ups and downs fit a magazine. An
//! object that is freed by another thread than the one that allocated it passes through one flush and one refill: at
//! worst, freed at random, one locked AND on a line that is somewhere else, some 100 ns spread over as many cores as
//! there are blocks; at best a 64th of that. Nobody waits for anybody, so 64 and 256 cores do this as one does, until
//! the memory is the bound.
//!
//! *Threads that only allocate*, 64 B each 5 ns, ask for 16 KiB each 1.3 µs. With 64 cores that is one addition to the
//! heap's counter each 20 ns, about what one line bears when it is passed on in a socket, and too much between sockets;
//! with 256 cores the counter is the bound, at a quarter of that speed. They take a block of one class each 5 µs: a
//! centre, held for some 100 ns, serves about 50 cores on one class, and any number on different ones. The fresh memory
//! that such a program needs costs more: sixteen page faults a block, each some 0.5 µs and more in the kernel. Where a
//! collection gives blocks back instead, marking is the bound.
//!
//! *Space*: a magazine holds at most 64 KiB, a thread's together 1 MiB: at most 256 MiB for 256 threads.
//!
//! # Why a process has one heap
//!
//! Programs with several interpreters ask for several heaps, each collected by itself. In the heap that would cost little.
//! A class word has four bits to spare for a heap's number, so that `free` and the marker would find magazine and shape by
//! the same instructions; an allocation, ten instructions today, would first load the record that the thread has for that
//! heap, a load that all others wait for, and number zero need not. Each heap would have its own magazines for each thread,
//! 128 KiB of address space and up to 1 MiB of cached slots; a claimed block for each thread and class; and its centres.
//!
//! What is lost is what a heap of its own is wanted for. The search is conservative, and any thread may have an address of
//! any heap in a register, on its stack, in static data. So a collection of one heap stops the same threads and reads the
//! same roots as one of all: with k heaps that is paid k times. And an object of another heap may point into this one.
//! Precise collectors rule that out by types, or note each such store; a C program stores by one instruction that nobody
//! sees. Either all other heaps are searched too, and then they are one heap whose garbage is found in parts, or the
//! program promises to store no such address: a promise that nothing checks, and whose breach reclaims a live object,
//! which is what a collection must never do.
//!
//! One heap gives the rest: an interpreter that nothing refers to any more is garbage as a whole, whatever its objects do
//! to each other, and threads that allocate do not wait for each other. What has to be apart for certain, its pauses and its
//! limit too, is a process.

pub mod ages;
pub mod announce;
pub mod batch;
pub mod cage;
pub mod centre;
pub mod emergency;
pub mod fast;
pub mod fiber;
pub mod flush;
pub mod gate;
pub mod kind;
pub mod large;
pub mod late;
pub mod magazine;
pub mod mutator;
pub mod pressure;
pub mod quiet;
pub mod refill;
pub mod region;
pub mod remains;
pub mod resolve;
pub mod size_class;
pub mod surplus;
pub mod sweep;
pub mod units;
pub mod verify;
pub mod zeal;

use crate::os::limits;
use crate::{
    base::{
        addr::Addr,
        sync::{AtomicU32, Ordering},
    },
    os::memcheck,
};
use gate::Inside;
use kind::Kind;
use size_class::SLOT_BYTES_MAX;
use units::Class;

/// Objects below this size may fill their slot to its last byte (where their kind allows it); larger ones always end
/// before it.
pub const EXACT_BYTES_END: usize = 16 << 10;

/// No object is larger: a difference of two pointers into it must fit its type.
pub const OBJECT_BYTES_MAX: usize = isize::MAX as usize;

/// What a request for memory asks for.
#[derive(Clone, Copy, Debug)]
pub struct Request {
    /// Bytes.
    pub bytes: usize,
    /// A power of two; 16 and less are given anyway.
    pub align: usize,
    /// What may be assumed of the object's words.
    pub kind: Kind,
    /// Whether the object has to be zero where its kind does not promise that.
    pub zeroed: bool,
}

impl Request {
    /// A request without more than the usual alignment.
    pub const fn new(bytes: usize, kind: Kind) -> Request {
        Request { bytes, align: size_class::GRANULE, kind, zeroed: false }
    }

    /// Bytes that the object may use of what is taken for it.
    pub fn usable_bytes(&self) -> usize {
        let taken = match self.class() {
            Some(class) => class.shape().slot_bytes as usize,
            None => self.slot_bytes().next_multiple_of(size_class::UNIT),
        };
        resolve::usable_bytes(self.kind, taken)
    }

    /// Bytes of the object: what was asked for, without what the collector keeps behind it.
    pub fn object_bytes(&self) -> usize {
        self.bytes - resolve::tail_bytes(self.kind)
    }

    /// Bytes of the slot that the object needs, the one past its end included where its kind wants it.
    fn slot_bytes(&self) -> usize {
        let ends_early = self.kind.traits().ends_early() || self.bytes >= EXACT_BYTES_END;
        (self.bytes + usize::from(ends_early)).max(1)
    }

    /// The class of slots for it. `None`: it needs units of its own.
    #[inline]
    #[unsafe(link_section = ".text.hot")]
    pub fn class(&self) -> Option<Class> {
        let bytes = self.slot_bytes();
        let size_class = if self.align <= size_class::GRANULE {
            (bytes <= SLOT_BYTES_MAX).then(|| size_class::of(bytes))
        } else {
            size_class::aligned(bytes, self.align)
        };
        size_class.map(|size_class| Class::small(self.kind, size_class))
    }
}

fn take_slot(inside: &Inside<'_>, class: Class) -> Option<*mut u8> {
    if zeal::is_slow_path_only() {
        return refill::take_one(inside, class).map(Addr::as_ptr);
    }
    let magazine = inside.mutator().magazine(class);
    // SAFETY: the calling thread's magazine.
    let mut slot = unsafe { magazine.pop() };
    if slot.is_null() && refill::refill(inside, class) {
        // SAFETY: as above.
        slot = unsafe { magazine.pop() };
    }
    (!slot.is_null()).then_some(slot)
}

/// Bytes that an object of `malloc` could use if `bytes` were asked for.
pub fn usable_bytes_for(bytes: usize) -> usize {
    Request::new(bytes.min(OBJECT_BYTES_MAX), Kind::MALLOC).usable_bytes()
}

/// Takes a slot or a run of units for the request. `None`: the heap has no room for it now.
#[unsafe(link_section = ".text.hot")]
pub fn allocate(inside: &Inside<'_>, request: &Request) -> Option<Addr> {
    if request.bytes > OBJECT_BYTES_MAX {
        return None;
    }
    let Some(class) = request.class() else {
        return large::allocate(inside, request);
    };
    let slot = take_slot(inside, class)?;
    if request.zeroed && !request.kind.traits().is_zeroed() {
        // SAFETY: the slot is the caller's, and at least this large.
        unsafe { core::ptr::write_bytes(slot, 0, request.bytes) };
    }
    Some(Addr::of(slot))
}

/// Gives reserved address space back when the process has been forbidden so much: a limit counts it, and refuses our
/// tables and what the program maps, though not the growth of the heap. `true`: some went back.
#[cold]
#[unsafe(link_section = ".text.hot")]
pub fn fit_limit(_: &Inside<'_>) -> bool {
    let Some(bytes) = limits::address_space_max() else { return false };
    cage::CAGE.lock().as_mut().is_some_and(|cage| cage.fit(bytes))
}

static READY: AtomicU32 = AtomicU32::new(0);

/// Reserves the heap at the first call. `false` when the system refuses the address space.
pub fn ensure_reserved() -> bool {
    READY.load(Ordering::Acquire) != 0 || reserve()
}

#[cold]
#[unsafe(link_section = ".text.hot")]
fn reserve() -> bool {
    let mut cage = cage::CAGE.lock();
    if cage.is_none() {
        if memcheck::detect() {
            zeal::set_slow_path_only();
        }
        *cage = cage::Cage::reserve();
        emergency::reserve();
        READY.store(u32::from(cage.is_some()), Ordering::Release);
    }
    cage.is_some()
}
