//! Profiles: what known programs and libraries need, by the names of their files.
//!
//! | file | how it keeps addresses | what it gets |
//! |---|---|---|
//! | LuaJIT: `luajit`, `libluajit-*` | a light user data: 39 bits of the address, and above them a tag and a number that stands for the rest | `mask=39` |
//! | Swift: `libswiftCore.so` | a reference in an enumeration of several kinds: a tag above the address | `mask=47` |
//!
//! A program that is linked with them statically, under another name, is not known by this, and needs the option; so does
//! one with queues of Boost.Lockfree, which are no file.
//!
//! Interpreters that link all their objects into a list need nothing, whatever their values look like.
//!
//! Holds:   a collection that reclaims has tried what all profiles ask for whose files are mapped.
//! Threads: mappings are looked at while one thread runs, or the world is stopped.

use super::{disguise, settings};
use crate::os::{log, maps::Mapping};

struct Profile {
    /// How the name of its file begins.
    file: &'static [u8],
    /// The low bits that are the address.
    mask_bits: u32,
}

const PROFILES: [Profile; 3] = [
    Profile { file: b"luajit", mask_bits: 39 },
    Profile { file: b"libluajit-", mask_bits: 39 },
    Profile { file: b"libswiftCore.so", mask_bits: 47 },
];

fn profile_of(path: &[u8]) -> Option<&'static Profile> {
    let name = path.rsplit(|&byte| byte == b'/').next().unwrap_or(path);
    PROFILES.iter().find(|profile| name.starts_with(profile.file))
}

/// Looks at a mapping. `true`: it has a profile that asks for more than was tried before.
pub fn is_news(mapping: &Mapping<'_>) -> bool {
    let profile = if mapping.executable { profile_of(mapping.name) } else { None };
    let Some(&Profile { mask_bits, .. }) = profile else { return false };
    let is_news = disguise::narrow_mask(mask_bits);
    if is_news && settings::verbose() {
        let name = core::str::from_utf8(mapping.name).unwrap_or("a library");
        log::print(format_args!("gleaner: addresses may be in the low {mask_bits} bits of words, because of {name}"));
    }
    is_news
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_known_by_how_its_name_begins() {
        let bits = |path: &[u8]| profile_of(path).map(|profile| profile.mask_bits);
        assert_eq!(bits(b"/usr/bin/luajit-2.1.0-beta3"), Some(39));
        assert_eq!(bits(b"/usr/lib/x86_64-linux-gnu/libluajit-5.1.so.2.1.0"), Some(39));
        assert_eq!(bits(b"/opt/swift/lib/libswiftCore.so"), Some(47));
        assert_eq!(bits(b"/opt/luajit/bin/lua"), None);
        assert_eq!(bits(b""), None);
    }
}
