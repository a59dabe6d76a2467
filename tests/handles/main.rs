//! The handles in a program of their own: the heap is its global allocator, and it starts the collector, as a program does
//! that uses them.
//!
//! Each file takes a part of what the documentation promises, and of the chapter on soundness. A collection is the whole
//! process's business, so one test runs at a time: [`world::alone`].

#[path = "../common/doors.rs"]
mod doors;
#[path = "../common/unsearched.rs"]
mod unsearched;

mod child;
mod world;

mod c_code;
mod collecting;
mod cycles;
mod destructors;
mod ending;
mod futures;
mod guards;
mod limits;
mod made_from;
mod panics;
mod parts;
mod places;
mod plain;
mod process;
mod roots;
mod shapes;
mod statics;
mod threads;
mod weak;

#[global_allocator]
static HEAP: gleaner::Gleaner = gleaner::Gleaner;
