//! Binding: which functions and variables of other objects a loaded object reaches.
//!
//! The loader keeps an address for each name that the object imports in the object's table, and says in the object's
//! relocations which word of the table is whose. Changing the word changes what this object reaches, and nobody else.
//!
//! Holds:   a table that was read-only is read-only again.
//! Threads: one; nobody runs the object's code meanwhile.

use super::{mem, statics::Object};
use crate::base::addr::{Addr, Range};
use core::ffi::{CStr, c_char};

#[repr(C)]
struct Dynamic {
    tag: i64,
    value: usize,
}

const DT_NULL: i64 = 0;
const DT_PLTRELSZ: i64 = 2;
const DT_STRTAB: i64 = 5;
const DT_SYMTAB: i64 = 6;
const DT_RELA: i64 = 7;
const DT_RELASZ: i64 = 8;
const DT_GNU_HASH: i64 = 0x6fff_fef5;
const DT_JMPREL: i64 = 23;

const R_X86_64_64: u32 = 1;
const R_X86_64_GLOB_DAT: u32 = 6;
const R_X86_64_JUMP_SLOT: u32 = 7;

/// Makes what the object imports be found elsewhere, as `find_other` says by its name. `false`: some may still be found where
/// it was.
///
/// # Safety
/// The object stays loaded, no other thread runs its code, and what `find_other` finds has the type of what it replaces.
pub unsafe fn rebind(object: &Object<'_>, find_other: &mut dyn FnMut(&CStr) -> Option<usize>) -> bool {
    let Some(dynamic) = object.dynamic() else { return false };
    // SAFETY: the object stays loaded, by the caller's promise, and with it the dynamic section and the tables that it names;
    // each relocation's symbol has a place in the one, and its name in the other.
    unsafe {
        let find = |wanted| find(dynamic, wanted);
        let table = |tag| object.table(dynamic, tag);
        let (Some(symbols), Some(strings)) = (table(DT_SYMTAB), table(DT_STRTAB)) else { return false };
        let lists = [(table(DT_JMPREL), find(DT_PLTRELSZ)), (table(DT_RELA), find(DT_RELASZ))];
        let mut is_complete = true;
        for (start, bytes) in lists.into_iter().filter_map(|(start, bytes)| Some((start?, bytes?))) {
            let count = bytes / size_of::<libc::Elf64_Rela>();
            for relocation in core::slice::from_raw_parts(start as *const libc::Elf64_Rela, count) {
                let kind = relocation.r_info as u32;
                if !matches!(kind, R_X86_64_JUMP_SLOT | R_X86_64_GLOB_DAT | R_X86_64_64) {
                    continue;
                }
                let symbol = (symbols as *const libc::Elf64_Sym).add((relocation.r_info >> 32) as usize);
                let name = CStr::from_ptr((strings + (*symbol).st_name as usize) as *const c_char);
                if let Some(other) = find_other(name) {
                    let word = Addr::new(object.base().wrapping_add(relocation.r_offset as usize));
                    // Of these kinds only the first counts from a symbol.
                    let distance = if kind == R_X86_64_64 { relocation.r_addend as usize } else { 0 };
                    is_complete &= write(word, other.wrapping_add(distance), object.read_only_after_start());
                }
            }
        }
        is_complete
    }
}

/// Has the loader pass over the names that the object exports and `is_hidden` says. `false`: there are others than were hidden.
///
/// # Safety
/// The object stays loaded, and no other thread is in the loader.
pub unsafe fn hide(object: &Object<'_>, is_hidden: &mut dyn FnMut(&CStr) -> bool) -> bool {
    let Some(dynamic) = object.dynamic() else { return false };
    // SAFETY: as in `rebind`; the table of hashes has the number of symbols.
    unsafe {
        let table = |tag| object.table(dynamic, tag);
        let (Some(symbols), Some(strings), Some(hashes)) = (table(DT_SYMTAB), table(DT_STRTAB), table(DT_GNU_HASH))
        else {
            return false;
        };
        let symbols = symbols as *mut libc::Elf64_Sym;
        let count = count_of_symbols(hashes as *const u32);
        let Some(segment) = object.segment_of(Addr::of(symbols)) else { return false };
        let bytes = Range::sized(Addr::of(symbols), count * size_of::<libc::Elf64_Sym>());
        let pages = Range::new(bytes.start.align_down(mem::PAGE), bytes.end.align_up(mem::PAGE));
        if !mem::protect(pages, mem::Protection { read: true, write: true, execute: segment.execute }) {
            return false;
        }
        for index in 0..count {
            let symbol = symbols.add(index);
            if (*symbol).st_shndx != 0
                && is_hidden(CStr::from_ptr((strings + (*symbol).st_name as usize) as *const c_char))
            {
                (&raw mut (*symbol).st_value).write_volatile(0);
            }
        }
        mem::protect(pages, segment)
    }
}

/// Whether the object exports `name`, as far as its table of hashes tells. Asks nobody, and allocates nothing.
pub fn exports(object: &Object<'_>, name: &CStr) -> bool {
    let Some(dynamic) = object.dynamic() else { return false };
    let hash = name.to_bytes().iter().fold(5381u32, |hash, &byte| hash.wrapping_mul(33).wrapping_add(byte.into()));
    // SAFETY: the object is loaded while it is visited, and its tables lead to one another as in `count_of_symbols`.
    unsafe {
        let table = |tag| object.table(dynamic, tag);
        let (Some(symbols), Some(strings), Some(hashes)) = (table(DT_SYMTAB), table(DT_STRTAB), table(DT_GNU_HASH))
        else {
            return false;
        };
        let hashes = hashes as *const u32;
        let [buckets, first, words] = [*hashes, *hashes.add(1), *hashes.add(2)].map(|number| number as usize);
        if buckets == 0 {
            return false;
        }
        let bucket = hashes.add(4 + 2 * words);
        let start = *bucket.add(hash as usize % buckets) as usize;
        let chain = bucket.add(buckets);
        let is_it = |index: usize| {
            let symbol = (symbols as *const libc::Elf64_Sym).add(index);
            *chain.add(index - first) | 1 == hash | 1
                && (*symbol).st_shndx != 0
                && CStr::from_ptr((strings + (*symbol).st_name as usize) as *const c_char) == name
        };
        start >= first && {
            let end = (start..).find(|&index| *chain.add(index - first) & 1 != 0).unwrap_or(start);
            (start..=end).any(is_it)
        }
    }
}

/// One past the last symbol that a table of hashes leads to.
///
/// # Safety
/// `hashes` is such a table in GNU's form, of a loaded object.
unsafe fn count_of_symbols(hashes: *const u32) -> usize {
    // SAFETY: by the caller's promise. It begins with four numbers, of buckets, of the first symbol in it, of words of a
    // filter, and a shift; there follow the filter, the buckets, each with its first symbol or zero, and a word for each
    // symbol, whose last bit ends a bucket.
    unsafe {
        let [buckets, first, words] = [*hashes, *hashes.add(1), *hashes.add(2)].map(|number| number as usize);
        let bucket = hashes.add(4 + 2 * words);
        let last = (0..buckets).map(|index| *bucket.add(index) as usize).max().unwrap_or(0);
        if last < first {
            return first;
        }
        let chain = bucket.add(buckets);
        (last..).find(|symbol| *chain.add(symbol - first) & 1 != 0).map_or(first, |symbol| symbol + 1)
    }
}

/// The value of a tag.
///
/// # Safety
/// `dynamic` is the first entry of a dynamic section.
unsafe fn find(mut dynamic: *const Dynamic, wanted: i64) -> Option<usize> {
    // SAFETY: by the caller's promise; the section ends with a null tag.
    unsafe {
        while (*dynamic).tag != DT_NULL {
            if (*dynamic).tag == wanted {
                return Some((*dynamic).value);
            }
            dynamic = dynamic.add(1);
        }
    }
    None
}

/// Writes a word of an object's table, which the loader may have made read-only after it had filled it.
///
/// # Safety
/// `word` is such a word.
unsafe fn write(word: Addr, value: usize, read_only: Range) -> bool {
    let page = Range::sized(word.align_down(mem::PAGE), mem::PAGE);
    let is_read_only = read_only.contains(word);
    let protection = |write| mem::Protection { read: true, write, execute: false };
    if is_read_only && !mem::protect(page, protection(true)) {
        return false;
    }
    // SAFETY: by the caller's promise a word of the table, which nobody reads meanwhile; its page is writable.
    unsafe { word.as_ptr::<usize>().write_volatile(value) };
    !is_read_only || mem::protect(page, protection(false))
}

impl Object<'_> {
    fn dynamic(&self) -> Option<*const Dynamic> {
        self.segments(libc::PT_DYNAMIC).map(|(_, range)| range.start.as_ptr::<Dynamic>().cast_const()).next()
    }

    /// The address of a table that the dynamic section names.
    ///
    /// # Safety
    /// `dynamic` is the object's section.
    unsafe fn table(&self, dynamic: *const Dynamic, tag: i64) -> Option<usize> {
        // SAFETY: by the caller's promise.
        let value = unsafe { find(dynamic, tag) }?;
        // The loader has turned offsets into addresses, except where the section cannot be written.
        Some(if value < self.base() { self.base() + value } else { value })
    }

    /// How the segment that holds `addr` is protected.
    fn segment_of(&self, addr: Addr) -> Option<mem::Protection> {
        let (header, _) = self.segments(libc::PT_LOAD).find(|(_, range)| range.contains(addr))?;
        let has = |flag| header.p_flags & flag != 0;
        Some(mem::Protection { read: has(libc::PF_R), write: has(libc::PF_W), execute: has(libc::PF_X) })
    }

    /// What the loader made read-only once it had filled it: whole pages.
    pub fn read_only_after_start(&self) -> Range {
        let range = self.segments(libc::PT_GNU_RELRO).map(|(_, range)| range).next().unwrap_or_default();
        Range::new(range.start.align_down(mem::PAGE), range.end.align_down(mem::PAGE))
    }
}
