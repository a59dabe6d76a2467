//! The heap behind a Rust program: an allocator at first, a collector once it has been started.
//!
//! A cycle of `Rc` is the leak that safe Rust allows. Its memory comes back here; its destructors do not run.
//!
//! Before the start nothing is collected, whatever is leaked: starting reads the kernel's list of mappings and claims a
//! signal, which no allocation does on its own. Ordinarily it is the first line of `main`; this one leaks before it too,
//! to show the difference. From then on every private writable mapping of the process is searched for pointers: stacks,
//! static data, thread-local storage, and the memory of C libraries.

use gleaner::Gleaner;
use gleaner::api::stats;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

#[global_allocator]
static HEAP: Gleaner = Gleaner;

/// One of two that know each other.
struct Peer {
    other: RefCell<Option<Rc<Peer>>>,
    _payload: [u8; 100],
}

impl Peer {
    fn knowing(other: Option<Rc<Peer>>) -> Rc<Peer> {
        Rc::new(Peer { other: RefCell::new(other), _payload: [0; 100] })
    }
}

/// Two peers that nobody else knows: their counts stay at one for ever.
fn leak_a_pair() {
    let first = Peer::knowing(None);
    let second = Peer::knowing(Some(first.clone()));
    *first.other.borrow_mut() = Some(second);
}

fn leak(pairs: usize) {
    for _ in 0..pairs {
        leak_a_pair();
    }
}

fn main() -> Result<(), gleaner::StartError> {
    const PAIRS: usize = 300_000;
    const LEAKED: u64 = (2 * PAIRS * size_of::<Peer>()) as u64;
    let kept: BTreeMap<u32, String> = (0..10_000).map(|number| (number, number.to_string())).collect();

    leak(PAIRS);
    println!("before the start: {} collections", stats::now().collections);

    // SAFETY: nothing here hides an address.
    unsafe { gleaner::start()? };
    leak(PAIRS);
    let now = stats::now();
    println!("after it: collections: {}", if now.collections > 0 { "some" } else { "none" });
    println!("half of what was leaked has come back: {}", now.bytes_reclaimed_total >= LEAKED);
    println!("what was kept is whole: {}", kept.iter().all(|(number, text)| *text == number.to_string()));
    Ok(())
}
