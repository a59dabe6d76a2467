//! What markers share: objects that one hands over and another takes, and the large objects.
//!
//! ```text
//!   objects    marked, to be scanned by whoever comes                 a marker with plenty fills it up when it runs low
//!   for lead   marked, to be scanned by the lead                      trace procedures, ephemerons
//!   large      pieces of large objects                                whoever has nothing else
//!   working    markers that may still find something
//! ```
//!
//! A marker takes from here when its own pipeline is empty, sleeps when nothing is here, and wakes when something has come
//! or when all is over: nobody works and nothing waits. A helper counts as working from when it [`join`](Share::join)s.
//!
//! Holds:   a marked object handed over here is given to one marker, once. `over` is set only when no marker works and
//!          nothing waits.
//! Threads: the markers of a collection; the world is stopped. Nothing here uses thread-local storage, which a helper
//!          has none of.

use super::{
    item::Item,
    large::{Large, Piece},
    table::List,
};
use crate::{
    base::sync::{AtomicU32, Ordering},
    os::{
        lock::{Guard, Lock, Rank},
        mem, sys,
    },
};

/// Objects that are handed over at once, at most.
pub const HANDFUL: usize = 128;
/// With fewer objects than this a marker that has plenty adds some.
const FEW: u32 = 64;
const OBJECTS_MAX: usize = 4 * HANDFUL;
const FOR_LEAD_MAX: usize = 16 << 10;

/// What a marker does next.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Work {
    /// It has been given objects.
    Objects,
    /// It scans a piece of a large object.
    Piece(Piece),
    /// Nobody has anything left.
    Over,
}

/// See the module's documentation.
pub struct Share {
    /// How many objects wait: read by markers that might add some.
    stock: Stock,
    waiting: Lock<Waiting>,
    /// Changes when something comes while somebody sleeps, and at the end: the word that they sleep on.
    news: AtomicU32,
}

/// Read at each turn of each marker and seldom written, so it has a cache line of its own.
#[repr(align(64))]
struct Stock(AtomicU32);

struct Waiting {
    objects: List<Item>,
    for_lead: List<Item>,
    large: Large,
    working: u32,
    sleeping: u32,
    /// The lead is among them.
    lead_sleeps: bool,
    is_over: bool,
}

impl Share {
    /// Makes one, which lives for ever. `None` when the system refuses the memory.
    pub fn make() -> Option<&'static Share> {
        // Full of addresses of objects, so not in static data, which is a root.
        let memory = mem::map(size_of::<Share>())?.as_ptr::<Share>();
        let waiting = Waiting {
            objects: List::new(),
            for_lead: List::new(),
            large: Large::new(),
            working: 0,
            sleeping: 0,
            lead_sleeps: false,
            is_over: true,
        };
        // SAFETY: mapped just now, large enough, page-aligned, and never given back.
        unsafe {
            memory.write(Share {
                waiting: Lock::new(Rank::Unranked, waiting),
                stock: Stock(AtomicU32::new(0)),
                news: AtomicU32::new(0),
            });
            Some(&*memory)
        }
    }

    /// Whether there is memory for what is handed over. Not during a collection.
    pub fn prepare(&self) -> bool {
        let waiting = &mut *self.waiting.lock();
        waiting.objects.reserve(OBJECTS_MAX).is_ok() && waiting.for_lead.reserve(FOR_LEAD_MAX).is_ok()
    }

    /// A collection begins.
    pub fn begin(&self) {
        self.waiting.lock().large.begin();
    }

    /// The collection is over.
    pub fn end(&self) {
        self.waiting.lock().large.end();
    }

    /// Bytes of reached objects that were never written, as far as somebody has looked.
    pub fn hole_bytes(&self) -> u64 {
        self.waiting.lock().large.hole_bytes
    }

    /// Adds a large object. `false`: there is no room.
    pub fn add_large(&self, whole: Piece) -> bool {
        let mut waiting = self.waiting.lock();
        let is_added = waiting.large.add(whole);
        self.tell(waiting);
        is_added
    }

    /// The next piece of a large object.
    pub fn take_piece(&self) -> Option<Piece> {
        self.waiting.lock().large.take_piece()
    }

    /// The lead begins to share.
    pub fn open(&self) {
        let mut waiting = self.waiting.lock();
        waiting.is_over = false;
        waiting.working = 1;
    }

    /// A helper begins. `false`: it has come too late.
    pub fn join(&self) -> bool {
        let mut waiting = self.waiting.lock();
        waiting.working += u32::from(!waiting.is_over);
        !waiting.is_over
    }

    /// Whether markers that have plenty should hand some over.
    #[inline(always)]
    pub fn is_hungry(&self) -> bool {
        // Relaxed: a hint.
        self.stock.0.load(Ordering::Relaxed) < FEW
    }

    /// Takes objects over: how many, from the front.
    pub fn give(&self, objects: &[Item]) -> usize {
        let mut waiting = self.waiting.lock();
        let taken = objects.iter().take_while(|&&object| waiting.objects.push_within(object, OBJECTS_MAX)).count();
        self.restock(&waiting);
        self.tell(waiting);
        taken
    }

    /// Leaves an object to the lead. `false`: there is no room.
    pub fn leave_to_lead(&self, object: Item) -> bool {
        let mut waiting = self.waiting.lock();
        let is_left = waiting.for_lead.push_within(object, FOR_LEAD_MAX);
        if waiting.lead_sleeps {
            // Nobody else would find anything.
            self.tell(waiting);
        }
        is_left
    }

    /// What a marker whose pipeline is empty does next; sleeps until there is something. `take` is handed objects and says
    /// how many it has taken, from the front: at least one.
    pub fn next(&self, is_lead: bool, mut take: impl FnMut(&[Item]) -> usize) -> Work {
        let mut waiting = self.waiting.lock();
        loop {
            if waiting.is_over {
                return Work::Over;
            }
            if let Some(work) = waiting.take(is_lead, &mut take) {
                self.restock(&waiting);
                return work;
            }
            waiting.working -= 1;
            if waiting.working == 0 && waiting.for_lead.is_empty() {
                waiting.is_over = true;
                self.tell(waiting);
                return Work::Over;
            }
            waiting.sleeping += 1;
            waiting.lead_sleeps |= is_lead;
            // Relaxed: changed under the lock only.
            let news = self.news.load(Ordering::Relaxed);
            drop(waiting);
            sys::futex_wait(&self.news, news, None);
            waiting = self.waiting.lock();
            waiting.sleeping -= 1;
            waiting.lead_sleeps &= !is_lead;
            waiting.working += 1;
        }
    }

    fn restock(&self, waiting: &Waiting) {
        // Relaxed: a hint.
        self.stock.0.store(waiting.objects.len() as u32, Ordering::Relaxed);
    }

    /// Wakes who sleeps, after something has come.
    fn tell(&self, waiting: Guard<'_, Waiting>) {
        let has_sleepers = waiting.sleeping != 0;
        if has_sleepers {
            // Relaxed: the sleeper looks at everything else under the lock.
            self.news.store(self.news.load(Ordering::Relaxed).wrapping_add(1), Ordering::Relaxed);
        }
        drop(waiting);
        if has_sleepers {
            sys::futex_wake(&self.news, i32::MAX as u32);
        }
    }
}

impl Waiting {
    fn take(&mut self, is_lead: bool, take: &mut impl FnMut(&[Item]) -> usize) -> Option<Work> {
        for (list, is_mine) in [(&mut self.for_lead, is_lead), (&mut self.objects, true)] {
            if is_mine && !list.is_empty() {
                // Half of them: another marker may be on its way.
                let count = list.len().div_ceil(2).min(HANDFUL);
                let taken = take(&list.as_slice()[..count]);
                list.remove_front(taken);
                return Some(Work::Objects);
            }
        }
        self.large.take_piece().map(Work::Piece)
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use crate::base::addr::Range;
    use std::{sync::Mutex, thread, vec, vec::Vec};

    /// Numbers stand for objects: each leads to two larger ones, until all have been found.
    fn children(number: u64) -> impl Iterator<Item = u64> {
        [2 * number + 1, 2 * number + 2].into_iter().filter(|&child| child < COUNT)
    }

    const COUNT: u64 = 1 << 16;

    /// What a marker finds, one with a stack of its own; some are left to the lead.
    fn walk(share: &Share, is_lead: bool, mut stack: Vec<Item>, found: &Mutex<Vec<u32>>) {
        loop {
            while let Some(item) = stack.pop() {
                let number = item.raw();
                if number % 1000 == 7 && !is_lead && share.leave_to_lead(item) {
                    continue;
                }
                found.lock().unwrap()[number as usize] += 1;
                stack.extend(children(number).map(Item::from_raw));
                if share.is_hungry() && stack.len() > 3 {
                    let taken = share.give(&stack[..stack.len() / 2]);
                    stack.drain(..taken);
                }
            }
            let work = share.next(is_lead, |items| {
                stack.extend_from_slice(items);
                items.len()
            });
            match work {
                Work::Over => return,
                Work::Objects => {}
                Work::Piece(piece) => found.lock().unwrap()[0] += piece.range.bytes() as u32,
            }
        }
    }

    #[test]
    fn each_object_is_given_to_one_marker_and_all_end() {
        let share = Share::make().expect("memory");
        assert!(share.prepare());
        for helpers in [0, 1, 3, 7] {
            for _ in 0..20 {
                let found = Mutex::new(vec![0; COUNT as usize]);
                share.begin();
                assert!(share.add_large(Piece::of_object(Range::sized(mem::map(100_000).expect("memory"), 100_000))));
                share.open();
                thread::scope(|scope| {
                    for _ in 0..helpers {
                        scope.spawn(|| share.join().then(|| walk(share, false, Vec::new(), &found)));
                    }
                    walk(share, true, vec![Item::from_raw(0)], &found);
                });
                let found = found.into_inner().unwrap();
                assert_eq!(found[0], 100_001);
                assert_eq!(found[1..].iter().position(|&count| count != 1), None);
                assert!(!share.join(), "a helper that comes late finds that all is over");
                share.end();
            }
        }
    }
}
