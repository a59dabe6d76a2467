//! When the next collection is due, as arithmetic.
//!
//! ```text
//!   base   = live scanned bytes + live pointer-free bytes / 4
//!   budget = max(pace * base, floor)          in bytes handed out net of bytes freed by hand
//! ```
//!
//! The pace is what the user sets, or adapts. It starts at a quarter. It doubles, up to 4, after a collection that took back less
//! than a tenth of what had been handed out since the one before: the program frees by itself, or grows. It doubles, up
//! to a half, while collecting takes more than a sixteenth of the time; and it halves, down to an eighth, after one that
//! took back a third and cost less than a fiftieth of the time. So a program that leaks slowly is kept close to what it
//! has live, and one that never leaks is hardly ever collected.

use super::{roots, settings};
use crate::heap::{mutator, sweep::Swept};

/// What the trigger remembers from one collection to the next.
pub struct Trigger {
    pace_milli: u32,
    last_end_ns: u64,
}

const PACE_MIN: u32 = 125;
const PACE_START: u32 = 250;
const PACE_BUSY_MAX: u32 = 500;
const PACE_MAX: u32 = 4000;

/// What a collection cost and brought.
#[derive(Clone, Copy, Debug)]
pub struct Outcome {
    /// Net bytes handed out since the one before.
    pub spent: u64,
    /// What the sweep found.
    pub swept: Swept,
    /// When it began and ended.
    pub start_ns: u64,
    /// See `start_ns`.
    pub end_ns: u64,
}

impl Trigger {
    /// A trigger that has seen nothing.
    pub const fn new() -> Self {
        Trigger { pace_milli: PACE_START, last_end_ns: 0 }
    }

    /// The budget before the first collection.
    pub fn first_budget() -> usize {
        floor_bytes()
    }

    /// The budget after a collection.
    pub fn next_budget(&mut self, outcome: &Outcome) -> usize {
        self.adapt(outcome);
        let fixed = settings::pace_milli();
        let pace = u64::from(if fixed != 0 { fixed } else { self.pace_milli });
        let pointer_free = outcome.swept.live_pointer_free_bytes;
        let base = outcome.swept.live_bytes - pointer_free + pointer_free / 4;
        let budget = (base / 1000).saturating_mul(pace) as usize;
        budget.max(floor_bytes())
    }

    fn adapt(&mut self, outcome: &Outcome) {
        let busy = outcome.end_ns - outcome.start_ns;
        let whole = outcome.end_ns - self.last_end_ns.max(1).min(outcome.start_ns);
        let returned = outcome.swept.reclaimed_bytes;
        let first = self.last_end_ns == 0;
        self.last_end_ns = outcome.end_ns;
        if returned < outcome.spent / 10 {
            self.pace_milli = (self.pace_milli * 2).min(PACE_MAX);
        } else if first {
            // There is no span of time to compare with yet.
        } else if busy * 16 > whole {
            self.pace_milli = (self.pace_milli * 2).clamp(PACE_MIN, PACE_BUSY_MAX);
        } else if returned * 3 > outcome.spent && busy * 50 < whole {
            self.pace_milli = (self.pace_milli / 2).max(PACE_MIN);
        }
    }
}

/// The least that is allocated between two collections: as set, else 8 MiB behind malloc, where little is garbage, and
/// 1 MiB a thread where everything may be, so that a small heap is collected while it is in the second cache.
pub fn floor_bytes() -> usize {
    match settings::floor_bytes() {
        0 if roots::needs_loader() => (1 << 20) * mutator::count_alive().clamp(1, 8),
        0 => 8 << 20,
        set => set,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(spent: u64, reclaimed_bytes: u64, start_ns: u64, end_ns: u64) -> Outcome {
        let swept = Swept { reclaimed_bytes, live_bytes: 1 << 30, ..Swept::default() };
        Outcome { spent, swept, start_ns, end_ns }
    }

    #[test]
    fn a_program_that_never_leaks_is_collected_ever_more_rarely() {
        let mut trigger = Trigger::new();
        let budgets: [usize; 6] = core::array::from_fn(|i| {
            let start = (i as u64 + 1) * 1_000_000_000;
            trigger.next_budget(&outcome(1000, 0, start, start + 1_000_000))
        });
        assert!(budgets.windows(2).all(|pair| pair[0] <= pair[1]), "{budgets:?}");
        assert!(budgets[5] as u64 > (4 << 30) - (4 << 20), "{budgets:?}");
    }

    #[test]
    fn a_slow_leak_is_kept_close() {
        let mut trigger = Trigger::new();
        for i in 1..10 {
            trigger.next_budget(&outcome(1000, 900, i * 1_000_000_000, i * 1_000_000_000 + 1_000_000));
        }
        assert_eq!(trigger.pace_milli, PACE_MIN);
    }

    #[test]
    fn a_busy_collector_gets_more_room_but_no_more_than_half() {
        let mut trigger = Trigger::new();
        for i in 1..10 {
            trigger.next_budget(&outcome(1000, 900, i * 1_000_000, i * 1_000_000 + 900_000));
        }
        assert_eq!(trigger.pace_milli, PACE_BUSY_MAX);
    }
}
