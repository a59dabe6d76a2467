//! What a mapping holds, as far as the kernel's list tells.
//!
//! | mapping | may hold |
//! |---|---|
//! | private, readable and writable | data |
//! | private, without a file, closed | data that was written before |
//! | private, of a file, closed | data that was written before, if the program has closed something there |
//! | private, executable, of these | code that the program has made |
//! | shared, in memory: anonymous, a memory file, of System V or POSIX, a file without a name | data, or code |
//! | shared, of a file that has a name | nothing: what it holds outlives the process, and addresses do not |
//! | the kernel's own | nothing |
//!
//! *Closed* is what the program may not both read and write. The loader closes data too, which it calls relocated: what it
//! has put in are addresses of what it has loaded, and the program's own code runs only then.
//!
//! Holds:   a mapping that is said to hold nothing has no page that the program has written, but for shared files.
//! Threads: anyone.

use super::sealed;
use crate::os::maps::Mapping;

/// What to search a mapping for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Contents {
    /// Nothing, but for stacks that threads stand on.
    Nothing,
    /// The main thread's stack.
    Stack,
    /// Words at multiples of a word.
    Data,
    /// Words at any byte.
    Code,
}

/// What a mapping holds. `is_cheap`: asking for its pages costs little, however large it is.
pub fn of(mapping: &Mapping<'_>, is_cheap: bool) -> Contents {
    let may_hold = if mapping.shared { is_in_memory(mapping) } else { may_have_own_pages(mapping, is_cheap) };
    match mapping {
        _ if !may_hold || is_kernels(mapping) => Contents::Nothing,
        Mapping { stack: true, .. } => Contents::Stack,
        Mapping { executable: true, .. } => Contents::Code,
        _ => Contents::Data,
    }
}

/// Whether the program may not both read and write there.
pub fn is_closed(mapping: &Mapping<'_>) -> bool {
    !(mapping.readable && mapping.writable)
}

/// Whether a private mapping may have pages that are the process's own.
fn may_have_own_pages(mapping: &Mapping<'_>, is_cheap: bool) -> bool {
    let is_anonymous_or_cheap = !mapping.file && (mapping.readable || is_cheap);
    !is_closed(mapping) || is_anonymous_or_cheap || sealed::may_touch(mapping.range)
}

/// Whether shared memory has no other home.
fn is_in_memory(mapping: &Mapping<'_>) -> bool {
    const BEGINNINGS: [&[u8]; 5] = [b"/dev/zero", b"/dev/shm/", b"/memfd:", b"/SYSV", b"/anon_hugepage"];
    let has_no_name = mapping.writable && mapping.name.ends_with(b" (deleted)");
    has_no_name || BEGINNINGS.iter().any(|beginning| mapping.name.starts_with(beginning))
}

/// Whether it is the kernel's: its own code and clocks.
fn is_kernels(mapping: &Mapping<'_>) -> bool {
    mapping.name.starts_with(b"[v") || mapping.name.starts_with(b"[uprobes")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        base::addr::{Addr, Range},
        os::mem::PAGE,
    };

    /// A mapping where nothing was ever sealed.
    fn mapping<'a>(permissions: &str, file: bool, name: &'a [u8]) -> Mapping<'a> {
        let has = |letter| permissions.contains(letter);
        Mapping {
            range: Range::sized(Addr::new(0x3_0000), PAGE),
            readable: has('r'),
            writable: has('w'),
            shared: has('s'),
            file,
            stack: name == b"[stack]",
            executable: has('x'),
            name,
        }
    }

    #[test]
    fn each_kind_of_mapping_holds_what_the_table_says() {
        let cases: [(&str, bool, &[u8], Contents); 19] = [
            ("rw-p", false, b"", Contents::Data),
            ("rw-p", false, b"[heap]", Contents::Data),
            ("rw-p", false, b"[anon: named by the program]", Contents::Data),
            ("rw-p", true, b"/usr/lib/libc.so.6", Contents::Data),
            ("rwxp", false, b"[stack]", Contents::Stack),
            ("r--p", false, b"", Contents::Data),
            ("---p", false, b"", Contents::Data),
            ("r-xp", false, b"", Contents::Code),
            ("rwxp", true, b"/usr/lib/libold.so", Contents::Code),
            ("r--p", true, b"/usr/lib/libc.so.6", Contents::Nothing),
            ("r-xp", true, b"/usr/lib/libc.so.6", Contents::Nothing),
            ("r-xp", false, b"[vdso]", Contents::Nothing),
            ("r--p", false, b"[vvar]", Contents::Nothing),
            ("rw-s", true, b"/dev/zero (deleted)", Contents::Data),
            ("r-xs", true, b"/memfd:code (deleted)", Contents::Code),
            ("rw-s", true, b"/SYSV00000000 (deleted)", Contents::Data),
            ("rw-s", true, b"/tmp/scratch (deleted)", Contents::Data),
            ("rw-s", true, b"/var/lib/database", Contents::Nothing),
            ("rw-s", true, b"/dev/dri/card0", Contents::Nothing),
        ];
        for (permissions, file, name, expected) in cases {
            assert_eq!(of(&mapping(permissions, file, name), true), expected, "{permissions} {name:?}");
        }
    }

    #[test]
    fn an_inaccessible_reservation_is_asked_for_only_where_that_is_cheap_or_something_was_closed_there() {
        assert_eq!(of(&mapping("---p", false, b""), false), Contents::Nothing);
        let closed = Range::sized(Addr::new(0x7_1234_5000), PAGE);
        sealed::note(closed);
        assert_eq!(of(&Mapping { range: closed, ..mapping("---p", false, b"") }, false), Contents::Data);
        assert_eq!(
            of(&Mapping { range: closed, ..mapping("r-xp", true, b"/usr/lib/libc.so.6") }, false),
            Contents::Code
        );
    }
}
