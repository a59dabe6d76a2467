//! An address in C's hands, in memory from the C library's own malloc, keeps its value.

use crate::{
    doors,
    world::{self, Node},
};
use gleaner::{Gc, Weak};
use std::ffi::{CString, c_int, c_void};

/// The functions of `tests/c/handles/keeper.c`.
struct Keeper {
    keep: extern "C" fn(*const c_void) -> c_int,
    give: extern "C" fn() -> *const c_void,
}

impl Keeper {
    fn load() -> Keeper {
        let library = doors::scratch("handles").join("libkeeper.so");
        let source = doors::root().join("tests/c/handles/keeper.c");
        doors::cc(&source, &library, &["-shared", "-fPIC", "-O2", "-Wall", "-Wextra", "-Werror"]);
        let path = CString::new(library.into_os_string().into_encoded_bytes()).expect("no zero in a path");
        // SAFETY: a library without constructors; the symbols have these types.
        unsafe {
            let library = libc::dlopen(path.as_ptr(), libc::RTLD_NOW);
            assert!(!library.is_null(), "the library was built just now");
            let find = |name: &std::ffi::CStr| {
                let symbol = libc::dlsym(library, name.as_ptr());
                assert!(!symbol.is_null(), "{name:?}");
                symbol
            };
            Keeper {
                keep: std::mem::transmute::<*mut c_void, extern "C" fn(*const c_void) -> c_int>(find(c"keeper_keep")),
                give: std::mem::transmute::<*mut c_void, extern "C" fn() -> *const c_void>(find(c"keeper_give")),
            }
        }
    }

    /// Hands a hundred values to C, and keeps nothing of them here.
    #[inline(never)]
    fn take_hundred(&self) -> Vec<Weak<Node>> {
        (0..100)
            .map(|number| {
                let node = Node::new(number);
                assert_eq!((self.keep)(Gc::as_ptr(node).cast()), 0);
                Gc::downgrade(node)
            })
            .collect()
    }

    #[inline(never)]
    fn give_hundred(&self) {
        for number in (0..100).rev() {
            // SAFETY: C's memory is searched, so the address was found ever since.
            let node: Gc<Node> = unsafe { Gc::from_ptr((self.give)().cast()) };
            node.is(number);
        }
    }
}

#[test]
fn what_only_c_knows_is_kept_until_c_forgets_it() {
    let _alone = world::alone();
    let keeper = Keeper::load();
    let weak = keeper.take_hundred();
    world::collect();
    world::collect();
    assert_eq!(world::dead(&weak), 0);
    keeper.give_hundred();
    assert!((keeper.give)().is_null());
    world::nearly_all(&weak);
}
