//! Static data, as the loader lists it: the writable segments of the program and its libraries.
//!
//! The list is read before the stop and under the loader's own lock, which is held until the world goes on: so no library
//! comes or goes meanwhile, and a stopped thread cannot hold it. Where every mapping is a root, nobody asks the loader.
//!
//! Holds:   our own large tables are in no segment listed; they are full of addresses that keep nothing.
//! Threads: the collecting thread.

use super::{
    Fault, Source, Unknown, Visitor,
    excluded::{self, Excluded},
    left_out::{self, LeftOut},
    thread_local::Modules,
};
use crate::{
    base::addr::Range,
    collect::table::List,
    heap::centre,
    os::{mem, statics},
};

/// The writable segments.
pub struct StaticData {
    segments: List<Range>,
}

impl StaticData {
    /// None, without memory.
    pub const fn new() -> Self {
        StaticData { segments: List::new() }
    }

    /// Reads the loader's list, and with it which objects have thread-local storage.
    pub fn read(&mut self, modules: &mut Modules) -> Result<(), Unknown> {
        self.segments.clear();
        modules.clear();
        let own = own_tables();
        let mut complete = true;
        statics::for_each_object(|object| {
            let sealed = excluded::sealed(object);
            for range in object.writable().filter(|&range| excluded::is_wanted(object, range)) {
                left_out::without(range, &[sealed], |part| {
                    left_out::without(part, &own, |part| complete &= self.segments.push(part).is_ok());
                });
            }
            complete &= modules.add(object);
        });
        if complete { Ok(()) } else { Err(Unknown) }
    }

    /// The part of `verify` that is about it: our own large tables are in none of the segments.
    pub fn check(&self) -> Result<(), Fault> {
        let holds_ours = |segment: &&Range| own_tables().iter().any(|table| !table.intersect(**segment).is_empty());
        self.segments.as_slice().iter().find(holds_ours).map_or(Ok(()), |segment| Err(Fault::Segment(segment.start)))
    }

    /// What of it is no part of something else, and is not to be left out.
    pub fn visit(&self, left_out: &LeftOut, excluded: &Excluded, visit: &mut Visitor<'_>) {
        for &segment in self.segments.as_slice() {
            left_out.without(segment, |part| excluded.without(part, |part| visit(Source::Static, part)));
        }
    }
}

/// Our large tables in static data, in ascending order: they hold no roots.
pub fn own_tables() -> [Range; 2] {
    let mut tables = [mem::table(), centre::table()];
    tables.sort_unstable_by_key(|table| table.start);
    tables
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_segment_that_has_a_table_of_ours_is_named() {
        let mut data = StaticData::new();
        statics::with_loader_locked(|| data.read(&mut Modules::new()).expect("memory for a list"));
        assert!(!data.segments.is_empty());
        assert_eq!(data.check(), Ok(()));
        let table = mem::table();
        data.segments.push(Range::new(table.start, table.start + 8)).expect("memory for a list");
        assert_eq!(data.check(), Err(Fault::Segment(table.start)));
    }
}
