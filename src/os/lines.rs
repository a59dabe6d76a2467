//! The lines of the kernel's files, read by raw system calls through a buffer of the caller's.
//!
//! So it works while the world is stopped, and in a process whose allocator is us. A line may be longer than the buffer:
//! then its front is there, and the rest is passed over.
//!
//! Holds: each line that ends is visited once, in order; what follows the last end is none.

use super::sys::File;

/// A line without its end.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Line<'a> {
    /// All of it.
    Whole(&'a [u8]),
    /// As much of it as the buffer holds, where that is too short.
    Front(&'a [u8]),
}

/// Visits the lines of a file: how many bytes it had, or why the kernel did not let it be read to its end.
pub fn for_each(file: &File, buffer: &mut [u8], mut visit: impl FnMut(Line<'_>)) -> Result<usize, i32> {
    for_each_while(file, buffer, |line| {
        visit(line);
        true
    })
}

/// As [`for_each`], as long as `visit` wants more; the rest of the file is not read.
pub fn for_each_while(file: &File, buffer: &mut [u8], mut visit: impl FnMut(Line<'_>) -> bool) -> Result<usize, i32> {
    let (mut bytes, mut kept, mut is_cut) = (0, 0, false);
    loop {
        let count = file.read(&mut buffer[kept..])?;
        if count == 0 {
            return Ok(bytes);
        }
        bytes += count;
        let filled = kept + count;
        let mut start = 0;
        while let Some(length) = buffer[start..filled].iter().position(|&byte| byte == b'\n') {
            if !is_cut && !visit(Line::Whole(&buffer[start..start + length])) {
                return Ok(bytes);
            }
            is_cut = false;
            start += length + 1;
        }
        if start == 0 && filled == buffer.len() {
            if !is_cut && !visit(Line::Front(buffer)) {
                return Ok(bytes);
            }
            (kept, is_cut) = (0, true);
        } else {
            buffer.copy_within(start..filled, 0);
            kept = filled - start;
        }
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use std::{ffi::CString, format, fs, string::String, vec::Vec};

    /// What `for_each` is to find, from the text as a whole.
    fn naive(text: &str, room: usize) -> Vec<(String, bool)> {
        let ended = text.rfind('\n').map_or("", |last| &text[..=last]);
        // A line fills the buffer without its end when it is as long as that.
        ended.lines().map(|line| (line.chars().take(room).collect(), line.len() < room)).collect()
    }

    #[test]
    fn lines_of_every_length_are_read_through_buffers_of_every_size() {
        let path = std::env::temp_dir().join(format!("gleaner-lines-{}", std::process::id()));
        let name = CString::new(path.to_str().unwrap()).unwrap();
        let (mut seed, mut text) = (0x2545_f491_4f6c_dd1du64, String::new());
        for line in 0..200 {
            seed ^= seed << 13;
            seed ^= seed >> 7;
            seed ^= seed << 17;
            text += &format!("{}\n", "x".repeat(seed as usize % 40).replacen('x', &format!("{}", line % 10), 1));
        }
        for tail in ["", "no end", "no end, and longer than any of the buffers that it is read through here"] {
            let text = format!("{text}{tail}");
            fs::write(&path, &text).unwrap();
            for room in 1..64 {
                let mut found = Vec::new();
                let file = File::open(&name).unwrap();
                let bytes = for_each(&file, &mut std::vec![0; room], |line| {
                    let (part, is_whole) = match line {
                        Line::Whole(part) => (part, true),
                        Line::Front(part) => (part, false),
                    };
                    found.push((String::from_utf8(part.into()).unwrap(), is_whole));
                });
                // Of a line without an end the front is seen, if it fills the buffer.
                found.truncate(200);
                assert_eq!((bytes, found), (Ok(text.len()), naive(&text, room)), "a buffer of {room}, then {tail:?}");
            }
        }
        fs::remove_file(&path).unwrap();
    }

    #[test]
    fn what_cannot_be_read_is_told_from_what_is_empty() {
        let directory = File::open(c"/proc").unwrap();
        assert_eq!(for_each(&directory, &mut [0; 16], |_| {}), Err(libc::EISDIR));
        assert_eq!(for_each(&File::open(c"/dev/null").unwrap(), &mut [0; 16], |_| {}), Ok(0));
    }
}
