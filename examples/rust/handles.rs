//! Handles: pages that link to each other in circles, and nobody who has to take the circles apart.
//!
//! A `Gc` is copied like a reference and kept like an `Rc`. What nothing leads to any more comes back, with the strings and
//! vectors in it. A value that has something to do at its end says so (`Gc::with_drop`).

use gleaner::api::stats;
use gleaner::{Gc, Gleaner, WeakMap};
use std::cell::RefCell;
use std::sync::atomic::{AtomicUsize, Ordering};

#[global_allocator]
static HEAP: Gleaner = Gleaner;

struct Page {
    text: String,
    links: RefCell<Vec<Gc<Page>>>,
}

/// The first of `count` pages, each of which links to the next, and the last to the first.
fn circle(count: usize) -> Gc<Page> {
    let page = |number| Gc::new(Page { text: format!("page {number}"), links: RefCell::default() });
    let pages: Vec<Gc<Page>> = (0..count).map(page).collect();
    for (number, page) in pages.iter().enumerate() {
        page.links.borrow_mut().push(pages[(number + 1) % count]);
    }
    pages[0]
}

/// How many links lead from a page back to itself.
fn way_round(start: Gc<Page>) -> usize {
    let next = |page: Gc<Page>| page.links.borrow()[0];
    1 + std::iter::successors(Some(next(start)), |&page| Some(next(page)))
        .take_while(|&page| !Gc::ptr_eq(page, start))
        .count()
}

static CLOSED: AtomicUsize = AtomicUsize::new(0);

/// Has something to do when nobody reads any more.
struct Reader;

impl Drop for Reader {
    fn drop(&mut self) {
        CLOSED.fetch_add(1, Ordering::Relaxed);
    }
}

fn read(readers: usize) -> usize {
    (0..readers).filter(|_| Gc::with_drop(Reader).get().is_some()).count()
}

fn main() -> Result<(), gleaner::StartError> {
    // SAFETY: nothing here hides an address.
    unsafe { gleaner::start()? };

    let kept = circle(1000);
    let mut visits = WeakMap::from_iter([(kept, 1)]);
    for round in 2..=1000 {
        circle(1000);
        visits.insert(kept, round);
    }
    println!(
        "{} links lead back to {}, visited {} times",
        way_round(kept),
        kept.text,
        visits.get(kept).map_or(0, |n| *n)
    );
    println!("of a million pages {} MiB are in use", stats::now().bytes_in_use >> 20);

    let readers = read(1000);
    gleaner::collect();
    let closed = CLOSED.load(Ordering::Relaxed);
    println!("readers closed: {}", if closed > readers * 9 / 10 { "nearly all" } else { "some" });
    Ok(())
}
