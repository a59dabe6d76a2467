//! Three types for what a machine word can be, and how much each may be trusted.
//!
//! | type          | what it says                                         | who makes one              |
//! |---------------|------------------------------------------------------|----------------------------|
//! | [`Ambiguous`] | a word found in a root or in an object: may be anything | scanners                |
//! | [`ObjRef`]    | the first byte of a slot that is in use              | `heap::resolve`, allocation |
//! | [`Addr`]      | an address: arithmetic, no claim that memory is there | everybody                 |
//!
//! There is one bridge from the first to the second, `heap::resolve`. Whoever trusts it can trust the rest.

use core::ops::{Add, Sub};

/// An address. It supports arithmetic and makes no claim about the memory behind it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
#[repr(transparent)]
pub struct Addr(usize);

impl Addr {
    /// The address that is never valid.
    pub const NULL: Addr = Addr(0);

    /// Wraps a number.
    #[inline(always)]
    pub const fn new(value: usize) -> Self {
        Addr(value)
    }

    /// The address a pointer holds.
    #[inline(always)]
    pub fn of<T>(pointer: *const T) -> Self {
        Addr(pointer as usize)
    }

    /// The number.
    #[inline(always)]
    pub const fn get(self) -> usize {
        self.0
    }

    /// Whether this is address zero.
    #[inline(always)]
    pub const fn is_null(self) -> bool {
        self.0 == 0
    }

    /// This address rounded down to a multiple of `align`, a power of two.
    #[inline(always)]
    pub const fn align_down(self, align: usize) -> Self {
        Addr(self.0 & !(align - 1))
    }

    /// This address rounded up to a multiple of `align`, a power of two.
    #[inline(always)]
    pub const fn align_up(self, align: usize) -> Self {
        Addr((self.0 + align - 1) & !(align - 1))
    }

    /// As a pointer. Whoever reads or writes through it argues for that in a `SAFETY` line.
    #[inline(always)]
    pub const fn as_ptr<T>(self) -> *mut T {
        self.0 as *mut T
    }
}

impl Add<usize> for Addr {
    type Output = Addr;
    #[inline(always)]
    fn add(self, bytes: usize) -> Addr {
        Addr(self.0.wrapping_add(bytes))
    }
}

impl Sub<Addr> for Addr {
    type Output = usize;
    #[inline(always)]
    fn sub(self, earlier: Addr) -> usize {
        self.0.wrapping_sub(earlier.0)
    }
}

/// A word that may or may not be the address of something in an object.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(transparent)]
pub struct Ambiguous(pub usize);

/// The first byte of a slot that was in use when this value was made.
///
/// It stays true while the object is reachable, or, inside a collection, while the world is stopped.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
#[repr(transparent)]
pub struct ObjRef(Addr);

impl ObjRef {
    /// Claims that `addr` is the start of a slot in use. Only the heap can know, so only it calls this.
    #[inline(always)]
    pub(crate) const fn claim(addr: Addr) -> Self {
        ObjRef(addr)
    }

    /// The address of the first byte.
    #[inline(always)]
    pub const fn addr(self) -> Addr {
        self.0
    }
}

/// A range of addresses, `start` inclusive, `end` exclusive.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Range {
    /// First byte.
    pub start: Addr,
    /// One past the last byte.
    pub end: Addr,
}

impl Range {
    /// The range from `start` up to and without `end`; empty when `end` is not above `start`.
    #[inline]
    pub const fn new(start: Addr, end: Addr) -> Self {
        Range { start, end }
    }

    /// The range of `bytes` bytes at `start`.
    #[inline]
    pub fn sized(start: Addr, bytes: usize) -> Self {
        Range { start, end: start + bytes }
    }

    /// Length in bytes.
    #[inline]
    pub fn bytes(self) -> usize {
        self.end.get().saturating_sub(self.start.get())
    }

    /// Whether no byte is in it.
    #[inline]
    pub fn is_empty(self) -> bool {
        self.start >= self.end
    }

    /// Whether `addr` lies in it.
    #[inline]
    pub fn contains(self, addr: Addr) -> bool {
        self.start <= addr && addr < self.end
    }

    /// The part that both ranges share.
    #[inline]
    pub fn intersect(self, other: Range) -> Range {
        Range { start: self.start.max(other.start), end: self.end.min(other.end) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounding_keeps_multiples_and_moves_the_rest() {
        assert_eq!(Addr::new(64).align_up(64).get(), 64);
        assert_eq!(Addr::new(65).align_up(64).get(), 128);
        assert_eq!(Addr::new(127).align_down(64).get(), 64);
    }

    #[test]
    fn an_inverted_range_is_empty_and_holds_nothing() {
        let range = Range::new(Addr::new(32), Addr::new(16));
        assert!(range.is_empty());
        assert_eq!(range.bytes(), 0);
        assert!(!range.contains(Addr::new(20)));
    }

    #[test]
    fn an_intersection_is_what_both_hold() {
        let a = Range::new(Addr::new(0), Addr::new(10));
        let b = Range::new(Addr::new(5), Addr::new(20));
        assert_eq!(a.intersect(b), Range::new(Addr::new(5), Addr::new(10)));
    }
}
