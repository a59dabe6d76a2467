//! Static data and thread-local storage of loaded objects, as the loader lists them.
//!
//! `dl_iterate_phdr` holds the loader's lock while it calls back, and the lock is recursive. So [`with_loader_locked`]
//! gives a place where the list cannot change, and inside it [`for_each_object`] reads the list as often as needed.

use super::{clock, mem, sys};
use crate::base::{
    addr::{Addr, Range},
    sync::{AtomicU32, Ordering},
};
use core::ffi::{CStr, c_void};

/// One loaded object.
pub struct Object<'a> {
    /// The path it was loaded from; empty for the program itself.
    pub path: &'a CStr,
    load_address: usize,
    headers: &'a [libc::Elf64_Phdr],
    /// The object's number in each thread's vector of TLS blocks; zero when it has none.
    pub tls_module: usize,
    /// The calling thread's block for it; null when it has none yet.
    pub tls_block_of_caller: Addr,
}

impl Object<'_> {
    /// What its own addresses are relative to.
    pub fn base(&self) -> usize {
        self.load_address
    }

    pub(super) fn segments(&self, kind: u32) -> impl Iterator<Item = (&libc::Elf64_Phdr, Range)> {
        self.headers.iter().filter(move |header| header.p_type == kind).map(|header| {
            let start = Addr::new(self.load_address.wrapping_add(header.p_vaddr as usize));
            (header, Range::sized(start, header.p_memsz as usize))
        })
    }

    /// The segments that are or once were writable.
    pub fn writable(&self) -> impl Iterator<Item = Range> {
        self.segments(libc::PT_LOAD).filter(|(header, _)| header.p_flags & libc::PF_W != 0).map(|(_, range)| range)
    }

    /// What lies page by page from its last segment's end downwards and may be read, as long as the object is loaded.
    pub fn readable(&self) -> Range {
        let pages = |range: Range| Range::new(range.start.align_down(mem::PAGE), range.end.align_up(mem::PAGE));
        let is_readable = |header: &libc::Elf64_Phdr| header.p_flags & libc::PF_R != 0;
        // The loader's list has them in order.
        self.segments(libc::PT_LOAD).fold(Range::new(Addr::NULL, Addr::NULL), |before, (header, range)| {
            match (is_readable(header), pages(range)) {
                (true, range) if range.start == before.end => Range::new(before.start, range.end),
                (true, range) => range,
                (false, range) => Range::new(range.end, range.end),
            }
        })
    }

    /// Whether one of its segments holds `addr`.
    pub fn contains(&self, addr: Addr) -> bool {
        self.segments(libc::PT_LOAD).any(|(_, range)| range.contains(addr))
    }

    /// From its first segment to the end of its last.
    pub fn extent(&self) -> Range {
        let end = self.segments(libc::PT_LOAD).map(|(_, range)| range.end).max();
        Range::new(Addr::new(self.load_address), end.unwrap_or(Addr::new(self.load_address)))
    }

    /// Bytes of its TLS block in each thread.
    pub fn tls_bytes(&self) -> usize {
        self.segments(libc::PT_TLS).map(|(header, _)| header.p_memsz as usize).next().unwrap_or(0)
    }
}

/// Visits the loaded objects of this library's namespace, with the loader's lock held.
pub fn for_each_object(mut visit: impl FnMut(&Object<'_>)) {
    let mut visit: &mut dyn FnMut(&Object<'_>) = &mut visit;
    // SAFETY: `object_callback` is called with the pointer that it expects, only during the call.
    unsafe { libc::dl_iterate_phdr(Some(object_callback), (&raw mut visit).cast()) };
}

unsafe extern "C" fn object_callback(info: *mut libc::dl_phdr_info, size: libc::size_t, data: *mut c_void) -> i32 {
    // SAFETY: glibc passes a valid record; `data` is the visitor of `for_each_object`, which waits for us.
    unsafe {
        let info = &*info;
        let has_tls = size >= size_of::<libc::dl_phdr_info>();
        let object = Object {
            path: if info.dlpi_name.is_null() { c"" } else { CStr::from_ptr(info.dlpi_name) },
            load_address: info.dlpi_addr as usize,
            headers: core::slice::from_raw_parts(info.dlpi_phdr, info.dlpi_phnum as usize),
            tls_module: if has_tls { info.dlpi_tls_modid } else { 0 },
            tls_block_of_caller: if has_tls { Addr::of(info.dlpi_tls_data) } else { Addr::NULL },
        };
        (*data.cast::<&mut dyn FnMut(&Object<'_>)>())(&object);
    }
    0
}

/// Threads between wanting the loader's lock and having given it back; whether one of them has it; and forks that wait
/// for there to be none.
static WANTING: AtomicU32 = AtomicU32::new(0);
static HOLDING: AtomicU32 = AtomicU32::new(0);
static FORKS: AtomicU32 = AtomicU32::new(0);

/// How long a fork waits for threads that want the lock and do not get it: this thread may hold it itself, in a callback
/// of the program's, and then they wait for us.
const FORK_PATIENCE_NS: u64 = 10_000_000;
const LOOK_AGAIN_NS: u64 = 1_000_000;

/// Keeps other threads out of [`with_loader_locked`] until [`end_fork`]: a child has the loader's lock as it was, and held
/// by a thread that does not exist there, it would be held for ever.
pub fn begin_fork() {
    FORKS.fetch_add(1, Ordering::SeqCst);
    let deadline = clock::now_ns() + FORK_PATIENCE_NS;
    loop {
        let wanting = WANTING.load(Ordering::SeqCst);
        let left_ns = deadline.saturating_sub(clock::now_ns());
        if wanting == 0 || left_ns == 0 && HOLDING.load(Ordering::SeqCst) == 0 {
            return;
        }
        sys::futex_wait(&WANTING, wanting, Some(left_ns.max(LOOK_AGAIN_NS)));
    }
}

/// Ends [`begin_fork`] in the parent.
pub fn end_fork() {
    FORKS.fetch_sub(1, Ordering::SeqCst);
    sys::futex_wake(&FORKS, i32::MAX as u32);
}

/// Ends [`begin_fork`] in the child: nobody else is there.
pub fn end_fork_in_child() {
    [&WANTING, &HOLDING, &FORKS].iter().for_each(|count| count.store(0, Ordering::Relaxed));
}

/// Announces that this thread is going to take the loader's lock, unless a fork is about to happen: then after it.
///
/// Both sides write first and read then, sequentially consistent: either the fork sees us, or we see it.
fn announce_wanting() {
    loop {
        WANTING.fetch_add(1, Ordering::SeqCst);
        let forks = FORKS.load(Ordering::SeqCst);
        if forks == 0 {
            return;
        }
        withdraw_wanting();
        sys::futex_wait(&FORKS, forks, None);
    }
}

fn withdraw_wanting() {
    WANTING.fetch_sub(1, Ordering::SeqCst);
    if FORKS.load(Ordering::SeqCst) != 0 {
        sys::futex_wake(&WANTING, i32::MAX as u32);
    }
}

/// Runs `work` with the loader's lock held: no object is loaded or unloaded meanwhile.
///
/// A fork that has begun while this thread waited for the lock comes first.
pub fn with_loader_locked(mut work: impl FnMut()) {
    let mut is_done = false;
    while !is_done {
        announce_wanting();
        run_locked(|| {
            HOLDING.store(1, Ordering::SeqCst);
            if FORKS.load(Ordering::SeqCst) == 0 {
                work();
                is_done = true;
            }
            HOLDING.store(0, Ordering::SeqCst);
        });
        withdraw_wanting();
    }
}

fn run_locked(mut work: impl FnMut()) {
    let mut work: &mut dyn FnMut() = &mut work;
    // SAFETY: `locked_callback` is called with the pointer that it expects, only during the call.
    unsafe { libc::dl_iterate_phdr(Some(locked_callback), (&raw mut work).cast()) };
}

/// The first object's callback does all the work; returning non-zero ends the iteration.
unsafe extern "C" fn locked_callback(_: *mut libc::dl_phdr_info, _: libc::size_t, data: *mut c_void) -> i32 {
    // SAFETY: `data` is the work of `run_locked`, which waits for us.
    unsafe { (*data.cast::<&mut dyn FnMut()>())() };
    1
}

#[repr(C)]
#[derive(Clone, Copy)]
struct VectorEntry {
    value: usize,
    to_free: usize,
}

const UNALLOCATED: usize = usize::MAX;

/// The TLS block of module `module` in the thread whose control block is at `thread_pointer`, null when it has none.
///
/// Its vector of TLS blocks hangs at the second word of the control block; entry -1 counts the entries, entry `m`
/// is module `m`. [`vector_is_understood`] checks that against what the loader itself reports.
///
/// # Safety
/// The thread is the caller or stopped, and the loader is locked.
pub unsafe fn tls_block(thread_pointer: Addr, module: usize) -> Addr {
    // SAFETY: by the caller's promise the control block and its vector are there and do not change.
    unsafe {
        let vector = *(thread_pointer + size_of::<usize>()).as_ptr::<*const VectorEntry>();
        if vector.is_null() || module == 0 || module > (*vector.sub(1)).value {
            return Addr::NULL;
        }
        match (*vector.add(module)).value {
            UNALLOCATED => Addr::NULL,
            block => Addr::new(block),
        }
    }
}

/// Whether the calling thread's vector says what the loader says, for every object.
pub fn vector_is_understood() -> bool {
    let mut agrees = true;
    let tp = super::tls::thread_pointer();
    for_each_object(|object| {
        if object.tls_module != 0 && !object.tls_block_of_caller.is_null() {
            // SAFETY: our own thread, in the loader's callback.
            agrees &= unsafe { tls_block(tp, object.tls_module) } == object.tls_block_of_caller;
        }
    });
    agrees
}

#[cfg(test)]
mod tests {
    use super::*;

    static MARKER: crate::base::sync::AtomicUsize = crate::base::sync::AtomicUsize::new(1);

    #[test]
    fn our_own_statics_lie_in_a_writable_segment_that_is_listed() {
        let mut found = 0;
        with_loader_locked(|| {
            for_each_object(|object| {
                if object.writable().any(|range| range.contains(Addr::of(&raw const MARKER))) {
                    assert!(object.contains(Addr::of(&raw const MARKER)));
                    found += 1;
                }
            })
        });
        assert_eq!(found, 1);
    }

    #[test]
    fn the_vector_of_tls_blocks_has_the_layout_we_expect() {
        assert!(vector_is_understood());
    }
}
