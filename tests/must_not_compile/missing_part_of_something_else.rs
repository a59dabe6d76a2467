//! A part that may be missing is a part all the same.

use gleaner::Gc;

fn missing_part_of_something_else(other: &String) -> Option<Gc<String>> {
    Gc::filter_map(Gc::new(()), |_| Some(other))
}

fn main() {}
