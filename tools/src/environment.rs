//! The variables through which the library reaches a program: LD_PRELOAD or LD_LIBRARY_PATH, and GLEANER_OPTIONS.
//!
//! They may be set already. Libraries that the user preloads stay, behind ours, so that our malloc is found first;
//! options that the user has set stay unless the command line says otherwise.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::Path;

use crate::cli::Setting;

/// Libraries to load first.
pub const PRELOAD: &str = "LD_PRELOAD";
/// Folders to look for libraries in first.
pub const SEARCH: &str = "LD_LIBRARY_PATH";

/// LD_LIBRARY_PATH with `folder` in front of what is `inherited`.
pub fn search(folder: &Path, inherited: Option<&OsStr>) -> OsString {
    let mut value = folder.as_os_str().to_owned();
    if let Some(inherited) = inherited.filter(|inherited| !inherited.is_empty()) {
        value.push(":");
        value.push(inherited);
    }
    value
}

/// LD_PRELOAD with `library` in front of what is `inherited`, and nowhere else.
pub fn preload(library: &Path, inherited: Option<&OsStr>) -> OsString {
    let ours = library.as_os_str().as_bytes();
    let others = inherited.map_or(&[][..], OsStr::as_bytes);
    let others = others.split(|&byte| is_separator(byte)).filter(|entry| !entry.is_empty());
    let others = others.filter(|entry| !same_file(Path::new(OsStr::from_bytes(entry)), library));
    let entries: Vec<&[u8]> = std::iter::once(ours).chain(others).collect();
    OsString::from_vec(entries.join(&b':'))
}

/// Whether LD_PRELOAD can name `library`: the loader knows no way to quote a separator.
pub fn can_preload(library: &Path) -> bool {
    !library.as_os_str().as_bytes().iter().copied().any(is_separator)
}

/// GLEANER_OPTIONS with `settings` behind those `inherited` entries that they do not override.
pub fn options(inherited: Option<&OsStr>, settings: &[Setting]) -> OsString {
    let inherited = inherited.map_or(&[][..], OsStr::as_bytes);
    let kept = inherited.split(|&byte| byte == b':').filter(|entry| !entry.is_empty());
    let kept = kept.filter(|entry| settings.iter().all(|setting| setting.name.as_bytes() != name_of(entry)));
    let mut entries: Vec<Vec<u8>> = kept.map(<[u8]>::to_vec).collect();
    for (index, setting) in settings.iter().enumerate() {
        let overridden = settings[index + 1..].iter().any(|later| later.name == setting.name);
        if !overridden {
            entries.push(format!("{}={}", setting.name, setting.value).into_bytes());
        }
    }
    OsString::from_vec(entries.join(&b':'))
}

/// The loader splits LD_PRELOAD at colons and spaces.
fn is_separator(byte: u8) -> bool {
    byte == b':' || byte == b' '
}

/// Whether an entry of LD_PRELOAD is the file that we put in front. A name without a slash is left to the loader,
/// which finds the same SONAME loaded already.
fn same_file(entry: &Path, library: &Path) -> bool {
    let has_slash = entry.as_os_str().as_bytes().contains(&b'/');
    has_slash && matches!((fs::canonicalize(entry), fs::canonicalize(library)), (Ok(a), Ok(b)) if a == b)
}

/// The name in `name=value`.
fn name_of(entry: &[u8]) -> &[u8] {
    entry.split(|&byte| byte == b'=').next().unwrap_or(entry)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn preloaded(inherited: &str) -> OsString {
        preload(Path::new("/proc/self/exe"), Some(OsStr::new(inherited)))
    }

    #[test]
    fn ours_comes_first_and_the_users_stay() {
        assert_eq!(preloaded(""), "/proc/self/exe");
        assert_eq!(preloaded("/a/one.so two.so::"), "/proc/self/exe:/a/one.so:two.so");
    }

    #[test]
    fn the_same_file_is_named_once() {
        let myself = std::env::current_exe().unwrap();
        assert_eq!(preloaded(&format!("x.so:{}", myself.display())), "/proc/self/exe:x.so");
    }

    #[test]
    fn our_folder_is_looked_into_first() {
        let folder = Path::new("/ours");
        assert_eq!(search(folder, None), "/ours");
        assert_eq!(search(folder, Some(OsStr::new(""))), "/ours");
        assert_eq!(search(folder, Some(OsStr::new("/a::b"))), "/ours:/a::b");
    }

    #[test]
    fn separators_cannot_be_quoted() {
        assert!(can_preload(Path::new("/a/b.so")));
        assert!(!can_preload(Path::new("/a b.so")));
        assert!(!can_preload(Path::new("/a:b.so")));
    }

    #[test]
    fn settings_win_over_what_is_inherited() {
        let inherited = OsStr::new("trace=0:pace=2::stats=1");
        let settings = [Setting::new("trace", "1"), Setting::new("zeal", "5"), Setting::new("zeal", "7")];
        assert_eq!(options(Some(inherited), &settings), "pace=2:stats=1:trace=1:zeal=7");
        assert_eq!(options(Some(inherited), &[]), "trace=0:pace=2:stats=1");
        assert_eq!(options(None, &[]), "");
    }
}
