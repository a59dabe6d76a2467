//! Paths that are put together without an allocator, in a buffer of fixed size.
//!
//! Holds: a zero byte follows the path, so that the kernel can be given it.

use core::{ffi::CStr, fmt};

/// A path of fewer than `N` bytes.
pub struct Path<const N: usize> {
    buffer: [u8; N],
    length: usize,
}

impl<const N: usize> Path<N> {
    /// The empty one.
    pub const fn new() -> Path<N> {
        Path { buffer: [0; N], length: 0 }
    }

    /// The parts one after the other. `None`: too long.
    pub fn of(parts: &[&[u8]]) -> Option<Path<N>> {
        let mut path = Path::new();
        parts.iter().try_for_each(|part| path.push(part)).map(|()| path)
    }

    /// Appends a part. `None`: there is no room, and it is as it was.
    pub fn push(&mut self, part: &[u8]) -> Option<()> {
        let place = self.buffer[..N - 1].get_mut(self.length..self.length + part.len())?;
        place.copy_from_slice(part);
        self.length += part.len();
        Some(())
    }

    /// Takes the last name away, and leaves `top` bytes at least.
    pub fn up(&mut self, top: usize) {
        let slash = self.bytes().iter().rposition(|&byte| byte == b'/').unwrap_or(0);
        self.length = slash.max(top);
        self.buffer[self.length..].fill(0);
    }

    /// How many bytes it has.
    pub fn len(&self) -> usize {
        self.length
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// Its bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.buffer[..self.length]
    }

    /// As the kernel takes it. `None`: there is a zero byte in it.
    pub fn c_str(&self) -> Option<&CStr> {
        CStr::from_bytes_with_nul(&self.buffer[..=self.length]).ok()
    }
}

impl<const N: usize> fmt::Write for Path<N> {
    fn write_str(&mut self, part: &str) -> fmt::Result {
        self.push(part.as_bytes()).ok_or(fmt::Error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::fmt::Write;

    #[test]
    fn a_path_is_put_together_and_ends_in_a_zero_byte() {
        let mut path = Path::<16>::of(&[b"/one", b"/two"]).unwrap();
        assert_eq!(path.c_str(), Some(c"/one/two"));
        assert!(write!(path, "/{}", 3).is_ok());
        assert_eq!(path.bytes(), b"/one/two/3");
        path.up(0);
        path.up(4);
        assert_eq!(path.c_str(), Some(c"/one"));
        path.up(4);
        assert_eq!(path.len(), 4, "no higher than the top");
    }

    #[test]
    fn what_does_not_fit_changes_nothing() {
        let mut path = Path::<8>::of(&[b"/six456"]).unwrap();
        assert_eq!(path.push(b"x"), None);
        assert_eq!(path.c_str(), Some(c"/six456"));
        assert!(Path::<8>::of(&[b"/seven78"]).is_none());
        assert_eq!(Path::<8>::of(&[b"a\0b"]).unwrap().c_str(), None);
    }
}
