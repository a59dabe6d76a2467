//! Weak cells: plain addresses of objects, in memory that is never scanned.
//!
//! Reading a cell is one load, and the loaded address is a root from then on because it is in a register. Cells are
//! cleared while the world is stopped, so no reader meets one half way, and needs no lock.
//!
//! ```text
//!   cell   | address, or zero | short, long or free | next cell of the same object, or next free cell | unused |
//! ```

use super::table::{List, Map, NoMemory};
use crate::{
    base::{
        addr::Addr,
        sync::{AtomicUsize, Ordering},
    },
    heap::resolve,
    os::mem,
};

/// When a cell is cleared.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(usize)]
pub enum WeakKind {
    /// Before finalizers make the object reachable once more.
    Short = 1,
    /// Only when the object is really gone.
    Long = 2,
}

/// A cell. Its first word is what a reader loads.
#[repr(C)]
pub struct Cell {
    target: AtomicUsize,
    state: AtomicUsize,
    next: AtomicUsize,
    unused: usize,
}

const FREE: usize = 0;
const CHUNK_BYTES: usize = 64 << 10;
const CELLS_A_CHUNK: usize = CHUNK_BYTES / size_of::<Cell>();

impl Cell {
    /// The object, or null once it is gone.
    #[inline]
    pub fn get(&self) -> usize {
        // Relaxed: cleared only while the world is stopped, which orders everything.
        self.target.load(Ordering::Relaxed)
    }
}

/// All cells.
pub struct WeakCells {
    chunks: List<usize>,
    first_free: usize,
    by_object: Map<usize>,
}

impl WeakCells {
    /// None, without memory.
    pub const fn new() -> Self {
        WeakCells { chunks: List::new(), first_free: 0, by_object: Map::new() }
    }

    /// A cell for `object`.
    pub fn register(&mut self, object: Addr, kind: WeakKind) -> Result<&'static Cell, NoMemory> {
        if self.first_free == 0 {
            self.add_chunk()?;
        }
        let cell = cell_at(self.first_free);
        let former = self.by_object.insert(object, self.first_free)?.unwrap_or(0);
        self.first_free = cell.next.load(Ordering::Relaxed);
        cell.next.store(former, Ordering::Relaxed);
        cell.state.store(kind as usize, Ordering::Relaxed);
        cell.target.store(object.get(), Ordering::Relaxed);
        Ok(cell)
    }

    fn add_chunk(&mut self) -> Result<(), NoMemory> {
        let start = mem::map(CHUNK_BYTES).ok_or(NoMemory)?;
        if self.chunks.push(start.get()).is_err() {
            mem::unmap(start, CHUNK_BYTES);
            return Err(NoMemory);
        }
        for index in (0..CELLS_A_CHUNK).rev() {
            let address = start.get() + index * size_of::<Cell>();
            cell_at(address).next.store(self.first_free, Ordering::Relaxed);
            self.first_free = address;
        }
        Ok(())
    }

    /// Gives a cell back. `false`: it is not a cell in use.
    pub fn unregister(&mut self, address: usize) -> bool {
        if !self.is_cell(address) || cell_at(address).state.load(Ordering::Relaxed) == FREE {
            return false;
        }
        let cell = cell_at(address);
        let target = Addr::new(cell.get());
        if !target.is_null() {
            self.unchain(target, address);
        }
        self.release(address);
        true
    }

    fn is_cell(&self, address: usize) -> bool {
        self.chunks.as_slice().iter().any(|&start| {
            address.wrapping_sub(start) < CHUNK_BYTES && (address - start).is_multiple_of(size_of::<Cell>())
        })
    }

    fn unchain(&mut self, target: Addr, address: usize) {
        let next_of = |address: usize| cell_at(address).next.load(Ordering::Relaxed);
        let Some(first) = self.by_object.get(target) else { return };
        if first == address {
            match next_of(address) {
                0 => {
                    self.by_object.remove(target);
                }
                next => {
                    if let Some(first) = self.by_object.get_mut(target) {
                        *first = next;
                    }
                }
            }
            return;
        }
        let mut previous = first;
        while previous != 0 && next_of(previous) != address {
            previous = next_of(previous);
        }
        if previous != 0 {
            cell_at(previous).next.store(next_of(address), Ordering::Relaxed);
        }
    }

    fn release(&mut self, address: usize) {
        let cell = cell_at(address);
        cell.target.store(0, Ordering::Relaxed);
        cell.state.store(FREE, Ordering::Relaxed);
        cell.next.store(self.first_free, Ordering::Relaxed);
        self.first_free = address;
    }

    /// The object is freed by hand: its cells read null from now on.
    pub fn clear_object(&mut self, object: Addr) {
        let mut next = self.by_object.remove(object).unwrap_or(0);
        while next != 0 {
            let cell = cell_at(next);
            next = cell.next.swap(0, Ordering::Relaxed);
            cell.target.store(0, Ordering::Relaxed);
        }
    }

    /// Clears the cells of a kind whose objects are not marked: how many. The world is stopped.
    pub fn clear_unmarked(&mut self, kind: WeakKind) -> u64 {
        let mut cleared = 0;
        for chunk in 0..self.chunks.as_slice().len() {
            let start = self.chunks.as_slice()[chunk];
            for index in 0..CELLS_A_CHUNK {
                let address = start + index * size_of::<Cell>();
                let cell = cell_at(address);
                let target = Addr::new(cell.get());
                if target.is_null() || cell.state.load(Ordering::Relaxed) != kind as usize {
                    continue;
                }
                if resolve::object_at(target).is_none_or(|slot| !slot.word().is_marked(slot.bit())) {
                    cleared += self.clear_cells_of(target, kind);
                }
            }
        }
        cleared
    }

    /// Clears all cells of a kind that an object has, in one walk along its chain: how many.
    fn clear_cells_of(&mut self, object: Addr, kind: WeakKind) -> u64 {
        let (mut cleared, mut kept) = (0, 0);
        let mut next = self.by_object.get(object).unwrap_or(0);
        while next != 0 {
            let (address, cell) = (next, cell_at(next));
            next = cell.next.load(Ordering::Relaxed);
            if cell.state.load(Ordering::Relaxed) == kind as usize {
                cell.next.store(0, Ordering::Relaxed);
                cell.target.store(0, Ordering::Relaxed);
                cleared += 1;
            } else {
                cell.next.store(kept, Ordering::Relaxed);
                kept = address;
            }
        }
        if kept == 0 {
            self.by_object.remove(object);
        } else if let Some(first) = self.by_object.get_mut(object) {
            *first = kept;
        }
        cleared
    }

    /// Visits the objects that have cells.
    pub fn for_each_object(&self, mut visit: impl FnMut(Addr)) {
        self.by_object.for_each(|object, _| visit(object));
    }

    /// Whether any object has a cell.
    pub fn is_empty(&self) -> bool {
        self.by_object.is_empty()
    }
}

fn cell_at(address: usize) -> &'static Cell {
    // SAFETY: cell addresses come from chunks, which are mapped, never given back, and consist of atomics.
    unsafe { &*(address as *const Cell) }
}
