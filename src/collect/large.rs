//! Large objects: scanned in pieces, and only where something was ever written. So are long stacks of fibers.
//!
//! A program may ask for a gigabyte and use a page of it. Of objects from a megabyte on, the kernel's table says which
//! pages hold something; a part that was never written, a *hole*, is zero and points to nothing.
//!
//! Holds:   every page of an object that has been added is handed out in some piece, or reads as zero.
//! Threads: one marker at a time; the world is stopped, so nobody writes into a hole meanwhile.

use crate::{
    base::addr::{Addr, Range},
    os::{
        mem,
        pages::{Pages, Wanted},
    },
};

/// Objects that may wait at once. The unit of one more is flagged, and scanned later.
const OBJECTS_MAX: usize = 64;
/// Bytes of a piece. What is found in it fits into the mark stack, unless an option keeps that smaller.
const PIECE_BYTES: usize = 64 << 10;
/// Objects from this size on are looked up.
const SPARSE_BYTES: usize = 1 << 20;
/// Bytes that are looked up at once.
const WINDOW_BYTES: usize = 2 << 20;

/// A part of something large, or all of it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Piece {
    /// Its words.
    pub range: Range,
    /// How they are read.
    pub reading: Reading,
}

/// How the words of something large are read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Reading {
    /// As those of an object.
    Words,
    /// As those of an object that may hold packed structures.
    Packed,
    /// As those of a stack.
    Stack,
}

impl Piece {
    /// Words of an object.
    pub fn of_object(range: Range) -> Piece {
        Piece { range, reading: Reading::Words }
    }

    /// Words of an object that may hold packed structures.
    pub fn of_packed(range: Range) -> Piece {
        Piece { range, reading: Reading::Packed }
    }

    /// Words of a fiber's stack.
    pub fn of_stack(range: Range) -> Piece {
        Piece { range, reading: Reading::Stack }
    }
}

/// What is still to be scanned of an object.
#[derive(Clone, Copy)]
struct Rest {
    range: Range,
    reading: Reading,
    /// The bytes before this address have to be scanned; what follows has not been looked up.
    known_end: Addr,
}

/// The large objects that wait to be scanned.
pub struct Large {
    rests: [Rest; OBJECTS_MAX],
    count: usize,
    pages: Option<Pages>,
    /// Bytes of holes in the objects of this collection.
    pub hole_bytes: u64,
}

impl Large {
    /// None.
    pub const fn new() -> Self {
        let nothing = Rest {
            range: Range { start: Addr::NULL, end: Addr::NULL },
            reading: Reading::Words,
            known_end: Addr::NULL,
        };
        Large { rests: [nothing; OBJECTS_MAX], count: 0, pages: None, hole_bytes: 0 }
    }

    /// Whether a range of an object is so long that it has to be added here.
    #[inline(always)]
    pub fn is_for(range: Range) -> bool {
        range.bytes() > PIECE_BYTES
    }

    /// Adds an object's words. `false`: there is no room.
    pub fn add(&mut self, whole: Piece) -> bool {
        let Piece { range, reading } = whole;
        let Some(rest) = self.rests.get_mut(self.count) else { return false };
        let is_sparse = range.bytes() >= SPARSE_BYTES;
        *rest = Rest { range, reading, known_end: if is_sparse { range.start } else { range.end } };
        self.count += 1;
        true
    }

    /// The next piece to scan.
    pub fn take_piece(&mut self) -> Option<Piece> {
        loop {
            let rest = self.rests.get_mut(self.count.checked_sub(1)?)?;
            if rest.range.is_empty() {
                self.count -= 1;
            } else if rest.range.start < rest.known_end {
                let end = rest.known_end.min(rest.range.start + PIECE_BYTES);
                // A word of a stack may begin in this piece and end in the next.
                let beyond = if rest.reading == Reading::Stack { size_of::<usize>() - 1 } else { 0 };
                let range = Range::new(rest.range.start, rest.range.end.min(end + beyond));
                let piece = Piece { range, reading: rest.reading };
                rest.range.start = end;
                return Some(piece);
            } else {
                let start = rest.range.start;
                look_up(self.pages.get_or_insert_with(Pages::open), rest);
                self.hole_bytes += (rest.range.start - start) as u64;
            }
        }
    }

    /// A new collection begins.
    pub fn begin(&mut self) {
        self.hole_bytes = 0;
    }

    /// The collection is over: the kernel's table is closed.
    pub fn end(&mut self) {
        self.pages = None;
    }
}

/// Moves the start of a rest to the next page that holds something, within a window, and its known end behind that run.
fn look_up(pages: &Pages, rest: &mut Rest) {
    // Objects of this size begin with a page; the used part of a stack need not.
    let start = rest.range.start.align_down(mem::PAGE);
    let window = Range::new(start, rest.range.end.align_up(mem::PAGE).min(start + WINDOW_BYTES));
    let mut run = Range::new(window.end, window.end);
    pages.for_each_run(window, Wanted::Mapped, |part, _| {
        // From the first such page to the end of the last: holes in between are few, or are read as zero.
        run = if run.is_empty() { part } else { Range::new(run.start, part.end) };
    });
    rest.range.start = run.start.max(rest.range.start).min(rest.range.end);
    rest.known_end = run.end.min(rest.range.end);
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use std::vec::Vec;

    /// The pieces of a fresh mapping in which only the pages numbered `written` were written to.
    fn pieces(bytes: usize, written: &[usize]) -> (Addr, Vec<Range>) {
        let start = mem::map(bytes).expect("memory");
        for &page in written {
            // SAFETY: mapped just now, and ours.
            unsafe { (start + page * mem::PAGE).as_ptr::<u64>().write_volatile(7) };
        }
        let mut large = Large::new();
        assert!(large.add(Piece::of_object(Range::sized(start, bytes))));
        let pieces: Vec<Range> = core::iter::from_fn(|| large.take_piece()).map(|piece| piece.range).collect();
        large.end();
        (start, pieces)
    }

    #[test]
    fn each_written_page_lies_in_one_piece_and_long_holes_in_none() {
        let bytes = 64 << 20;
        let written = [0, 1, 700, 5000, 5001, bytes / mem::PAGE - 1];
        let (start, found) = pieces(bytes, &written);
        for page in written {
            let at = start + page * mem::PAGE;
            assert_eq!(found.iter().filter(|piece| piece.contains(at)).count(), 1, "page {page}");
        }
        assert!(found.iter().map(|piece| piece.bytes()).sum::<usize>() <= written.len() * WINDOW_BYTES);
        assert!(found.iter().all(|piece| piece.bytes() <= PIECE_BYTES));
        mem::unmap(start, bytes);
    }

    #[test]
    fn a_smaller_object_is_handed_out_whole() {
        let bytes = SPARSE_BYTES - mem::PAGE;
        let (start, found) = pieces(bytes, &[]);
        assert_eq!(found.iter().map(|piece| piece.bytes()).sum::<usize>(), bytes);
        mem::unmap(start, bytes);
    }
}
