//! The mappings of the process, as the kernel lists them. Which of their pages hold something: see [`pages`](super::pages).
//!
//! Read by raw system calls through buffers on the caller's stack, so that it works while the world is stopped, in the
//! middle of a `dlclose`, and in a process whose allocator is us.

use super::{
    lines::{self, Line},
    mem::Protection,
    sys::File,
};
use crate::base::addr::{Addr, Range};

/// One line of `/proc/thread-self/maps`.
#[derive(Clone, Copy, Debug)]
pub struct Mapping<'a> {
    /// The addresses it covers.
    pub range: Range,
    /// Whether it may be read.
    pub readable: bool,
    /// Whether it may be written.
    pub writable: bool,
    /// Whether writes are seen by other processes or the file.
    pub shared: bool,
    /// Whether a file stands behind it.
    pub file: bool,
    /// Whether it is the main thread's stack.
    pub stack: bool,
    /// Whether it holds code.
    pub executable: bool,
    /// The path of the file, or the kernel's name for it; cut short where it is very long.
    pub name: &'a [u8],
}

impl Mapping<'_> {
    /// What may be done with it.
    pub fn protection(&self) -> Protection {
        Protection { read: self.readable, write: self.writable, execute: self.executable }
    }
}

/// Visits the mappings in ascending order. `false` when the list cannot be read, or is empty.
///
/// It is asked for by the calling thread: by the process the kernel gives an empty one once the main thread has ended.
pub fn for_each(mut visit: impl FnMut(Mapping<'_>)) -> bool {
    for_each_while(|mapping| {
        visit(mapping);
        true
    })
}

/// Visits the mapping that an address lies in. `false` when there is none, or the list cannot be read. What lies behind it in
/// the list is not asked for: the kernel takes as long for each of its lines as a reader.
pub fn find(address: Addr, mut visit: impl FnMut(Mapping<'_>)) -> bool {
    let mut is_found = false;
    let is_listed = for_each_while(|mapping| {
        if mapping.range.contains(address) {
            is_found = true;
            visit(mapping);
        }
        mapping.range.end <= address
    });
    is_listed && is_found
}

/// As [`for_each`], as long as `visit` wants more.
fn for_each_while(mut visit: impl FnMut(Mapping<'_>) -> bool) -> bool {
    let Ok(file) = File::open(c"/proc/thread-self/maps") else { return false };
    // A line longer than the buffer has a name of thousands of bytes: its fields are at the front.
    let read = lines::for_each_while(&file, &mut [0; 8192], |line| {
        let (Line::Whole(line) | Line::Front(line)) = line;
        parse(line).is_none_or(&mut visit)
    });
    read.is_ok_and(|bytes| bytes != 0)
}

/// `start-end perms offset device inode name`
pub(super) fn parse(line: &[u8]) -> Option<Mapping<'_>> {
    let mut fields = line.split(|&byte| byte == b' ').filter(|field| !field.is_empty());
    let range = fields.next()?;
    let permissions = fields.next()?;
    let (_offset, _device, inode) = (fields.next()?, fields.next()?, fields.next()?);
    let name = line.iter().position(|&byte| matches!(byte, b'/' | b'[')).map_or(&line[..0], |start| &line[start..]);
    let dash = range.iter().position(|&byte| byte == b'-')?;
    Some(Mapping {
        range: Range::new(Addr::new(hexadecimal(&range[..dash])?), Addr::new(hexadecimal(&range[dash + 1..])?)),
        readable: permissions.first() == Some(&b'r'),
        writable: permissions.get(1) == Some(&b'w'),
        shared: permissions.get(3) == Some(&b's'),
        file: inode != b"0",
        stack: name == b"[stack]",
        executable: permissions.get(2) == Some(&b'x'),
        name,
    })
}

fn hexadecimal(digits: &[u8]) -> Option<usize> {
    digits.iter().try_fold(0usize, |number, &digit| Some(number << 4 | (digit as char).to_digit(16)? as usize))
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;

    #[test]
    fn a_line_is_understood_with_and_without_a_name() {
        let line = b"7ffd1b1c9000-7ffd1b1ea000 rw-p 00000000 00:00 0                          [stack]";
        let mapping = parse(line).unwrap();
        assert_eq!(mapping.range, Range::new(Addr::new(0x7ffd_1b1c_9000), Addr::new(0x7ffd_1b1e_a000)));
        assert!(mapping.stack && mapping.readable && mapping.writable && !mapping.shared && !mapping.file);
        let line = b"55d0-55e0 r--s 00001000 fe:00 4711 /usr/lib/a file with spaces (deleted)";
        let mapping = parse(line).unwrap();
        assert!(mapping.shared && mapping.file && !mapping.writable && !mapping.stack && !mapping.executable);
        assert_eq!(mapping.name, b"/usr/lib/a file with spaces (deleted)");
        assert!(parse(b"55d0-55e0 r-xp 00001000 00:00 0").is_some_and(|code| code.executable && code.name.is_empty()));
        assert!(parse(b"nonsense").is_none());
    }

    #[test]
    fn an_address_is_found_in_the_mapping_that_the_whole_list_has_it_in() {
        let heap = std::boxed::Box::new(0u8);
        for address in [Addr::of(&raw const heap), Addr::of(&raw const *heap), Addr::of(parse as *const ())] {
            let (mut listed, mut found) = (None, None);
            for_each(|mapping| {
                if mapping.range.contains(address) {
                    listed = Some(mapping.range);
                }
            });
            assert!(find(address, |mapping| found = Some(mapping.range)));
            assert!(listed.is_some() && found == listed, "{address:?}: {found:?}, listed {listed:?}");
        }
        assert!(!find(Addr::new(8), |_| panic!("nothing lies there")));
        assert!(!find(Addr::new(usize::MAX), |_| panic!("nothing lies there")));
    }

    #[test]
    fn the_list_holds_this_stack_and_this_code() {
        let mut stack = false;
        let mut code = false;
        let here = Addr::of(&stack);
        let function = Addr::new(parse as *const () as usize);
        assert!(for_each(|mapping| {
            stack |= mapping.range.contains(here) && mapping.writable;
            code |= mapping.range.contains(function) && !mapping.writable;
        }));
        assert!(stack && code);
    }
}
