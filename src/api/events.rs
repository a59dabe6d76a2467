//! What collections tell of themselves, step by step.
//!
//! ```
//! # #[global_allocator] static HEAP: gleaner::Gleaner = gleaner::Gleaner;
//! # unsafe { gleaner::start()? };
//! use gleaner::events::{self, Step};
//!
//! events::keep(true);
//! gleaner::collect();
//! let steps: Vec<Step> = std::iter::from_fn(events::next).map(|event| event.step).collect();
//! assert_eq!(steps, [Step::Start, Step::Stop, Step::MarkEnd, Step::SweepEnd, Step::Resume]);
//! # Ok::<(), gleaner::StartError>(())
//! ```

use crate::{
    collect::events,
    heap::{gate, mutator},
};

pub use crate::collect::events::{Event, Step};

/// Has the events of collections kept from now on, or no more. They are kept until somebody takes them by [`next`].
///
/// ```
/// # #[global_allocator] static HEAP: gleaner::Gleaner = gleaner::Gleaner;
/// # unsafe { gleaner::start()? };
/// gleaner::events::keep(false);
/// gleaner::collect();
/// assert!(gleaner::events::next().is_none());
/// # Ok::<(), gleaner::StartError>(())
/// ```
pub fn keep(on: bool) {
    if let Some(_inside) = mutator::register().and_then(gate::enter) {
        events::listen(on);
    }
}

/// Takes the oldest event that has been kept, of whatever thread's collection.
///
/// ```
/// # #[global_allocator] static HEAP: gleaner::Gleaner = gleaner::Gleaner;
/// # unsafe { gleaner::start()? };
/// gleaner::events::keep(true);
/// gleaner::collect();
/// let last = std::iter::from_fn(gleaner::events::next).last().unwrap();
/// assert!(last.collection > 0 && last.live_bytes > 0);
/// # Ok::<(), gleaner::StartError>(())
/// ```
pub fn next() -> Option<Event> {
    let _inside = mutator::register().and_then(gate::enter)?;
    events::take_oldest()
}
