//! Binding: which functions a loaded object's calls of other objects reach.
//!
//! The loader keeps an address for each imported function in the object's table, and says in the object's relocations
//! which word of the table is whose. Changing the word changes what this object calls, and nobody else.
//!
//! Holds:   a table that the loader made read-only is read-only again.
//! Threads: one; nobody runs the object's code meanwhile.

use super::{mem, statics::Object};
use crate::base::addr::{Addr, Range};
use core::ffi::{CStr, c_char};

/// An imported function, and where its calls are to lead.
pub type Replacement<'a> = (&'a CStr, usize);

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
const DT_JMPREL: i64 = 23;

const R_X86_64_64: u32 = 1;
const R_X86_64_GLOB_DAT: u32 = 6;
const R_X86_64_JUMP_SLOT: u32 = 7;

/// Makes the object's calls of the named functions lead elsewhere. `false`: some may still go where they went.
///
/// # Safety
/// The object stays loaded, no other thread runs its code, and each replacement has the type of what it replaces.
pub unsafe fn rebind(object: &Object<'_>, replacements: &[Replacement<'_>]) -> bool {
    let Some(dynamic) = object.dynamic() else { return false };
    // SAFETY: the object stays loaded, by the caller's promise, and with it the dynamic section and the tables that it names;
    // each relocation's symbol has a place in the one, and its name in the other.
    unsafe {
        let find = |wanted| find(dynamic, wanted);
        // The loader has turned offsets into addresses, except where the section cannot be written.
        let table = |tag| find(tag).map(|value| if value < object.base() { object.base() + value } else { value });
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
                if let Some((_, to)) = replacements.iter().find(|(replaced, _)| *replaced == name) {
                    let word = Addr::new(object.base().wrapping_add(relocation.r_offset as usize));
                    is_complete &= write(word, *to, object.read_only_after_start());
                }
            }
        }
        is_complete
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

    /// What the loader made read-only once it had filled it: whole pages.
    pub fn read_only_after_start(&self) -> Range {
        let range = self.segments(libc::PT_GNU_RELRO).map(|(_, range)| range).next().unwrap_or_default();
        Range::new(range.start.align_down(mem::PAGE), range.end.align_down(mem::PAGE))
    }
}
