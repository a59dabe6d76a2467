//! Tables that live outside the heap: a list that grows, and a map from objects to what is attached to them.
//!
//! Their memory comes from the system, is never scanned, and grows only outside collections. A collector reads them,
//! removes from them, and never needs more.

use crate::{
    base::addr::{Addr, Range},
    os::mem,
};

/// A list of plain values that grows by doubling.
pub struct List<T: Copy> {
    start: *mut T,
    count: usize,
    room: usize,
    /// Bytes at the end whose pages were given back, until more than the rest may be needed.
    idle_bytes: usize,
}

// SAFETY: a list owns its memory and its values are plain.
unsafe impl<T: Copy + Send> Send for List<T> {}

/// The system refused the memory for a larger table.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NoMemory;

impl<T: Copy> List<T> {
    /// An empty list without memory.
    pub const fn new() -> Self {
        List { start: core::ptr::null_mut(), count: 0, room: 0, idle_bytes: 0 }
    }

    /// Adds a value at the end.
    pub fn push(&mut self, value: T) -> Result<(), NoMemory> {
        self.reserve(self.count + 1)?;
        // SAFETY: `reserve` made room at `count`.
        unsafe { self.start.add(self.count).write(value) };
        self.count += 1;
        Ok(())
    }

    /// How many values there are.
    #[inline(always)]
    pub fn len(&self) -> usize {
        self.count
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Adds a value if it `is_wanted`, without a branch on that.
    ///
    /// # Safety
    /// [`reserve`](List::reserve) made room for one more.
    #[inline(always)]
    pub unsafe fn push_if(&mut self, value: T, is_wanted: bool) {
        // SAFETY: by the caller's promise there is room at `count`.
        unsafe { self.start.add(self.count).write(value) };
        self.count += usize::from(is_wanted);
    }

    /// Adds those of some values that are wanted, without a branch on that.
    ///
    /// # Safety
    /// [`reserve`](List::reserve) made room for all.
    #[inline(always)]
    pub unsafe fn extend_if(&mut self, values: impl Iterator<Item = (T, bool)>) {
        let mut end = self.count;
        for (value, is_wanted) in values {
            // SAFETY: by the caller's promise there is room at `end`.
            unsafe { self.start.add(end).write(value) };
            end += usize::from(is_wanted);
        }
        self.count = end;
    }

    /// Adds a value if fewer than `limit` are there, which [`reserve`](List::reserve) made room for.
    #[inline(always)]
    pub fn push_within(&mut self, value: T, limit: usize) -> bool {
        if self.count >= limit.min(self.room) {
            return false;
        }
        // SAFETY: there is room at `count`.
        unsafe { self.start.add(self.count).write(value) };
        self.count += 1;
        true
    }

    /// Removes and gives the last value.
    #[inline(always)]
    pub fn pop(&mut self) -> Option<T> {
        self.count = self.count.checked_sub(1)?;
        // SAFETY: the value at `count` was written by `push`.
        Some(unsafe { self.start.add(self.count).read() })
    }

    /// Removes the first `count` values; the others keep their order.
    pub fn remove_front(&mut self, count: usize) {
        self.as_mut_slice().copy_within(count.., 0);
        self.count -= count;
    }

    /// Makes room for `count` values in all.
    pub fn reserve(&mut self, count: usize) -> Result<(), NoMemory> {
        self.set_idle(0);
        if count <= self.room {
            return Ok(());
        }
        let room = count.next_power_of_two().max(mem::PAGE / size_of::<T>().max(1));
        let start = mem::map(room * size_of::<T>()).ok_or(NoMemory)?.as_ptr::<T>();
        if self.room != 0 {
            // SAFETY: both areas are ours, apart, and hold `count` values.
            unsafe { core::ptr::copy_nonoverlapping(self.start, start, self.count) };
            mem::unmap(Addr::of(self.start), self.room * size_of::<T>());
        }
        self.start = start;
        self.room = room;
        Ok(())
    }

    /// Where the next value is to be written, if [`reserve`](List::reserve) made room for it.
    #[inline(always)]
    pub fn end(&mut self) -> *mut T {
        // SAFETY: within the room, or one past it.
        unsafe { self.start.add(self.count) }
    }

    /// Says where the values end from now on.
    ///
    /// # Safety
    /// Values have been written up to there, from [`end`](List::end) on.
    #[inline(always)]
    pub unsafe fn set_end(&mut self, end: *mut T) {
        // SAFETY: both lie in the list's room, by the caller's promise.
        self.count = unsafe { end.offset_from_unsigned(self.start) };
    }

    /// Forgets all values but the first `count`, which are there.
    #[inline(always)]
    pub fn truncate(&mut self, count: usize) {
        debug_assert!(count <= self.count);
        self.count = count;
    }

    /// Forgets all values.
    pub fn clear(&mut self) {
        self.count = 0;
    }

    /// Forgets all values, and gives the pages back that lie beyond the first `bytes`.
    pub fn forget_pages_beyond(&mut self, bytes: usize) {
        self.clear();
        let whole = Range::sized(Addr::of(self.start), self.room * size_of::<T>());
        let rest = Range::new((whole.start + bytes).min(whole.end).align_up(mem::PAGE), whole.end);
        // Pages that the program has locked stay, which is as well.
        if !rest.is_empty() && mem::decommit(rest) {
            self.set_idle(rest.bytes());
        }
    }

    fn set_idle(&mut self, bytes: usize) {
        if bytes != self.idle_bytes {
            mem::note_idle(self.idle_bytes, bytes);
            self.idle_bytes = bytes;
        }
    }

    /// Gives the memory back; the list is empty.
    pub fn release(&mut self) {
        self.set_idle(0);
        if self.room != 0 {
            mem::unmap(Addr::of(self.start), self.room * size_of::<T>());
        }
        *self = List::new();
    }

    /// How many values fit without growing.
    pub fn room(&self) -> usize {
        self.room
    }

    /// Removes the value at `index`; the last one takes its place.
    pub fn swap_remove(&mut self, index: usize) -> T {
        let last = self.count - 1;
        let values = self.as_mut_slice();
        values.swap(index, last);
        let value = values[last];
        self.count = last;
        value
    }

    /// The values.
    pub fn as_slice(&self) -> &[T] {
        if self.count == 0 {
            return &[];
        }
        // SAFETY: the first `count` values were written.
        unsafe { core::slice::from_raw_parts(self.start, self.count) }
    }

    /// The values.
    pub fn as_mut_slice(&mut self) -> &mut [T] {
        if self.count == 0 {
            return &mut [];
        }
        // SAFETY: as above, and `self` is borrowed mutably.
        unsafe { core::slice::from_raw_parts_mut(self.start, self.count) }
    }
}

/// A map from addresses to plain values: open addressing, linear probing, at most three quarters full.
pub struct Map<V: Copy> {
    entries: List<(usize, V)>,
    count: usize,
}

const SLOTS_MIN: usize = 64;
/// The bytes of memory whose keys have their homes side by side.
const BLOCK: usize = 128;

impl<V: Copy + Default> Map<V> {
    /// An empty map without memory.
    pub const fn new() -> Self {
        Map { entries: List::new(), count: 0 }
    }

    /// How many entries there are.
    pub fn len(&self) -> usize {
        self.count
    }

    /// Whether there is no entry.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Where a key is looked for first.
    ///
    /// What is registered one after the other often lies so in memory, and is looked over together in a collection: keys of
    /// one block of memory have their homes side by side, those 32 bytes apart in one cache line. Which of the homes are a
    /// block's, and in what order, is mixed well.
    fn home(&self, key: usize) -> usize {
        let within = (key / 32 % 4) | (key / 8 % 4 * 4);
        // Fibonacci hashing: the top bits of the product are well mixed.
        let block = ((key / BLOCK) as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 20;
        (block as usize ^ within) & (self.entries.count - 1)
    }

    fn find(&self, key: usize) -> Result<usize, usize> {
        let mask = self.entries.count - 1;
        let slots = self.entries.as_slice();
        let mut at = self.home(key);
        loop {
            match slots[at].0 {
                0 => return Err(at),
                found if found == key => return Ok(at),
                _ => at = (at + 1) & mask,
            }
        }
    }

    /// Gives the memory back; the map is empty.
    pub fn release(&mut self) {
        self.entries.release();
        self.count = 0;
    }

    /// The value at `key`.
    pub fn get(&self, key: Addr) -> Option<V> {
        if self.count == 0 {
            return None;
        }
        self.find(key.get()).ok().map(|at| self.entries.as_slice()[at].1)
    }

    /// The value at `key`, to change.
    pub fn get_mut(&mut self, key: Addr) -> Option<&mut V> {
        if self.count == 0 {
            return None;
        }
        self.find(key.get()).ok().map(|at| &mut self.entries.as_mut_slice()[at].1)
    }

    /// Sets the value at `key`, which is not null; gives the old one.
    pub fn insert(&mut self, key: Addr, value: V) -> Result<Option<V>, NoMemory> {
        if (self.count + 1) * 4 > self.entries.count * 3 {
            self.grow()?;
        }
        match self.find(key.get()) {
            Ok(at) => Ok(Some(core::mem::replace(&mut self.entries.as_mut_slice()[at].1, value))),
            Err(at) => {
                self.entries.as_mut_slice()[at] = (key.get(), value);
                self.count += 1;
                Ok(None)
            }
        }
    }

    fn grow(&mut self) -> Result<(), NoMemory> {
        let slots = (self.entries.count * 2).max(SLOTS_MIN);
        let mut larger = Map { entries: List::new(), count: 0 };
        larger.entries.reserve(slots)?;
        larger.entries.count = slots;
        larger.entries.as_mut_slice().fill((0, V::default()));
        for &(key, value) in self.entries.as_slice().iter().filter(|(key, _)| *key != 0) {
            if let Err(at) = larger.find(key) {
                larger.entries.as_mut_slice()[at] = (key, value);
                larger.count += 1;
            }
        }
        core::mem::swap(self, &mut larger);
        larger.entries.release();
        Ok(())
    }

    /// Removes the entry at `key`; gives its value.
    pub fn remove(&mut self, key: Addr) -> Option<V> {
        if self.count == 0 {
            return None;
        }
        let mut gap = self.find(key.get()).ok()?;
        let mask = self.entries.count - 1;
        let removed = self.entries.as_slice()[gap].1;
        // Entries behind the gap that would not be found across it move into it.
        let mut at = gap;
        loop {
            at = (at + 1) & mask;
            let entry = self.entries.as_slice()[at];
            if entry.0 == 0 {
                break;
            }
            let home = self.home(entry.0);
            if (at.wrapping_sub(home) & mask) >= (at.wrapping_sub(gap) & mask) {
                self.entries.as_mut_slice()[gap] = entry;
                gap = at;
            }
        }
        self.entries.as_mut_slice()[gap] = (0, V::default());
        self.count -= 1;
        Some(removed)
    }

    /// Removes the entries that are not to be kept, and asks once about each.
    ///
    /// It goes through the slots in order, from a free one on. Behind a gap an entry moves to the first free slot from its
    /// home on; those before it have moved by then, so each is found across what is left.
    pub fn retain(&mut self, mut is_kept: impl FnMut(Addr, &mut V) -> bool) {
        let Some(first) = self.entries.as_slice().iter().position(|(key, _)| *key == 0) else { return };
        let mask = self.entries.count - 1;
        let mut is_behind_gap = false;
        for at in (first..first + self.entries.count).map(|at| at & mask) {
            let (key, value) = &mut self.entries.as_mut_slice()[at];
            if *key == 0 {
                is_behind_gap = false;
            } else if !is_kept(Addr::new(*key), value) {
                self.entries.as_mut_slice()[at] = (0, V::default());
                self.count -= 1;
                is_behind_gap = true;
            } else if is_behind_gap {
                let entry = (*key, *value);
                // Found where it is, if nothing is free before that.
                if let Err(free) = self.find(entry.0) {
                    let slots = self.entries.as_mut_slice();
                    slots[free] = entry;
                    slots[at] = (0, V::default());
                }
            }
        }
    }

    /// Visits all entries, to change their values.
    pub fn for_each_mut(&mut self, mut visit: impl FnMut(Addr, &mut V)) {
        self.entries.as_mut_slice().iter_mut().filter(|(key, _)| *key != 0).for_each(|(key, value)| {
            visit(Addr::new(*key), value);
        });
    }

    /// Visits all entries.
    pub fn for_each(&self, mut visit: impl FnMut(Addr, V)) {
        self.entries.as_slice().iter().filter(|(key, _)| *key != 0).for_each(|&(key, value)| {
            visit(Addr::new(key), value);
        });
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use std::{collections::HashMap, vec::Vec};

    #[test]
    fn a_map_agrees_with_a_naive_twin_over_a_random_walk() {
        let mut seed = std::env::var("SEED").ok().and_then(|s| s.parse().ok()).unwrap_or(0x2545_f491_4f6c_dd1du64);
        std::println!("SEED={seed}");
        let mut random = move || {
            seed ^= seed << 13;
            seed ^= seed >> 7;
            seed ^= seed << 17;
            seed
        };
        let (mut map, mut twin) = (Map::<u64>::new(), HashMap::new());
        for _ in 0..200_000 {
            let key = Addr::new((random() % 700 + 1) as usize * 16);
            match random() % 3 {
                0 => assert_eq!(map.remove(key), twin.remove(&key.get())),
                1 => assert_eq!(map.get(key), twin.get(&key.get()).copied()),
                _ => {
                    let value = random();
                    assert_eq!(map.insert(key, value).unwrap(), twin.insert(key.get(), value));
                }
            }
            assert_eq!(map.len(), twin.len());
        }
        let mut all = Vec::new();
        map.for_each(|key, value| all.push((key.get(), value)));
        all.sort_unstable();
        let mut expected: Vec<_> = twin.into_iter().collect();
        expected.sort_unstable();
        assert_eq!(all, expected);
    }

    /// For keys so far apart, in the order in which they are inserted: the mean distance of an entry from its home, and the part
    /// of the entries that do not lie in the cache line of the one before or the one after that.
    fn layout(map: &Map<usize>, keys: impl Iterator<Item = usize>) -> (f64, f64) {
        const LINE: usize = 64 / size_of::<(usize, usize)>();
        let (mut count, mut distance, mut far, mut last) = (0.0, 0.0, 0.0, usize::MAX);
        for key in keys {
            let at = map.find(key).expect("an entry");
            count += 1.0;
            distance += (at.wrapping_sub(map.home(key)) & (map.entries.count - 1)) as f64;
            far += f64::from(u8::from(last.abs_diff(at / LINE) > 1));
            last = at / LINE;
        }
        (distance / count, far / count)
    }

    #[test]
    fn entries_lie_near_their_homes_however_far_apart_keys_are_and_neighbours_side_by_side() {
        const SLOTS: usize = 1 << 14;
        for step in [8, 16, 24, 32, 40, 48, 64, 80, 96, 128, 192, 256, 512, 1024, 4096, 65536] {
            let keys = || (0..SLOTS * 3 / 4).map(|number| 0x7f12_3456_0008 + number * step);
            let mut map = Map::<usize>::new();
            keys().for_each(|key| assert_eq!(map.insert(Addr::new(key), key), Ok(None)));
            assert_eq!(map.entries.count, SLOTS);
            let (distance, far) = layout(&map, keys());
            assert!(distance < 8.0, "keys {step} bytes apart lie {distance} from their homes");
            assert!(far < 0.6 || ![32, 64].contains(&step), "{far} of those {step} bytes apart lie apart");
        }
        // Blocks that are full, at places that have nothing to do with each other.
        let mut seed = 0x2545_f491_4f6c_dd1dusize;
        let keys: Vec<usize> = (0..SLOTS * 3 / 4 / (BLOCK / 8))
            .flat_map(|_| {
                seed ^= seed << 13;
                seed ^= seed >> 7;
                seed ^= seed << 17;
                (0..BLOCK / 8).map(move |number| seed % (1 << 46) / BLOCK * BLOCK + number * 8)
            })
            .collect();
        let mut map = Map::<usize>::new();
        keys.iter().for_each(|&key| assert_eq!(map.insert(Addr::new(key), key), Ok(None)));
        let (distance, _) = layout(&map, keys.into_iter());
        assert!(distance < 40.0, "keys of full blocks lie {distance} from their homes");
    }

    #[test]
    fn what_is_not_kept_is_removed_wherever_it_lies_and_each_entry_asked_about_once() {
        // Full to the last slot that it may use, in runs that end at the end or go on at the start.
        for room in [1, 40, 47, 48, 96, 1000, 1536] {
            for step in 1..200 {
                let key_of = |number: usize| Addr::new(number * step * 8 + 8);
                let mut map = Map::<usize>::new();
                (0..room).for_each(|number| assert_eq!(map.insert(key_of(number), number), Ok(None)));
                let mut asked = std::vec![0; room];
                map.retain(|key, value| {
                    assert_eq!(key, key_of(*value));
                    asked[*value] += 1;
                    value.is_multiple_of(3) || value.is_multiple_of(7)
                });
                assert!(asked.iter().all(|&times| times == 1));
                let is_kept = |number: &usize| number.is_multiple_of(3) || number.is_multiple_of(7);
                assert_eq!(map.len(), (0..room).filter(is_kept).count());
                (0..room).for_each(|number| {
                    assert_eq!(
                        map.get(key_of(number)),
                        Some(number).filter(is_kept),
                        "{number} of {room}, step {step}"
                    );
                });
            }
        }
    }

    #[test]
    fn pages_given_back_are_idle_until_there_is_to_be_room() {
        let mut list = List::<u64>::new();
        list.reserve(1 << 20).unwrap();
        assert_eq!(list.idle_bytes, 0);
        list.forget_pages_beyond(1 << 20);
        assert_eq!(list.idle_bytes, 7 << 20);
        list.reserve(1).unwrap();
        assert_eq!(list.idle_bytes, 0);
        list.forget_pages_beyond(1 << 20);
        list.release();
        assert_eq!(list.idle_bytes, 0);
    }

    #[test]
    fn a_list_keeps_values_as_it_grows() {
        let mut list = List::new();
        (0..10_000u64).for_each(|value| list.push(value).unwrap());
        assert_eq!(list.as_slice().iter().sum::<u64>(), 10_000 * 9_999 / 2);
        assert_eq!(list.swap_remove(0), 0);
        assert_eq!(list.pop(), Some(9_998));
        assert_eq!(list.as_slice()[0], 9_999);
    }
}
