//! The few facts of an ELF file that decide whether a library can be preloaded into it.

use std::ffi::OsString;
use std::fs::File;
use std::io;
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};

use object::elf::{self, FileHeader64, Machine};
use object::read::elf::{FileHeader, ProgramHeader};
use object::read::{FileKind, ReadCache};
use object::{Endianness, ReadRef};

/// What an ELF file is.
#[derive(Debug, PartialEq, Eq)]
pub enum Elf {
    /// A file of 32 bit.
    Narrow,
    /// A file of 64 bit for another processor.
    Foreign(Machine),
    /// A file of 64 bit for x86-64.
    Native(Native),
}

/// An ELF file of 64 bit for x86-64.
#[derive(Debug, PartialEq, Eq)]
pub struct Native {
    /// A program of a fixed address, a shared library or a program that can be placed anywhere; no object, no core.
    pub loadable: bool,
    /// Whether it is a shared library or a program that can be placed anywhere.
    pub shared: bool,
    /// The loader it asks for; a static program asks for none.
    pub loader: Option<PathBuf>,
}

/// Reads the headers of the file at `path`: `None` when it is no ELF file or a damaged one.
pub fn read(path: &Path) -> io::Result<Option<Elf>> {
    let file = File::open(path)?;
    let cache = ReadCache::new(file);
    Ok(match FileKind::parse(&cache) {
        Ok(FileKind::Elf32) => Some(Elf::Narrow),
        Ok(FileKind::Elf64) => wide(&cache).ok(),
        _ => None,
    })
}

/// Reads the headers of a file of 64 bit.
fn wide<'data, R: ReadRef<'data>>(data: R) -> object::Result<Elf> {
    let header = FileHeader64::<Endianness>::parse(data)?;
    let endian = header.endian()?;
    let machine = header.e_machine(endian);
    if machine != elf::EM_X86_64 {
        return Ok(Elf::Foreign(machine));
    }
    let kind = header.e_type(endian);
    let mut loader = None;
    for segment in header.program_headers(endian, data)? {
        if let Some(name) = segment.interpreter(endian, data)? {
            loader = Some(PathBuf::from(OsString::from_vec(name.to_vec())));
        }
    }
    let loadable = kind == elf::ET_EXEC || kind == elf::ET_DYN;
    Ok(Elf::Native(Native { loadable, shared: kind == elf::ET_DYN, loader }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dynamic_program_names_its_loader() {
        let Some(Elf::Native(native)) = read(Path::new("/proc/self/exe")).unwrap() else { panic!("not native") };
        assert!(native.loadable);
        assert!(native.loader.unwrap().ends_with("ld-linux-x86-64.so.2"));
    }

    #[test]
    fn other_files_are_no_elf() {
        assert_eq!(read(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"))).unwrap(), None);
        assert_eq!(read(Path::new("/dev/null")).unwrap(), None);
    }
}
