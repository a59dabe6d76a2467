//! What is attached to objects and roots by request: one lock for all of it.
//!
//! Threads: users take the lock inside their gate, so it is free once the gates are closed.

use super::{
    condemned,
    disclaim::Dead,
    ephemeron,
    finalize::Finalizers,
    held::Held,
    links::Links,
    quarantine::Quarantine,
    roots::excluded::Excluded,
    sent::Sent,
    table::{List, Map},
    toggle::Toggles,
    weak::WeakCells,
};
use crate::{
    base::addr::Range,
    heap::fast,
    os::lock::{Lock, Rank},
};

/// See the module's documentation.
pub struct Tables {
    /// Finalizers.
    pub finalizers: Finalizers,
    /// Weak cells.
    pub weak: WeakCells,
    /// Weak links.
    pub links: Links,
    /// Toggle references.
    pub toggles: Toggles,
    /// Dead objects that wait to be shown.
    pub dead: Dead,
    /// Ranges that the program registered as roots.
    pub ranges: List<Range>,
    /// Ranges that the program wants left out of the roots.
    pub excluded: Excluded,
    /// Objects pinned, and how often.
    pub pins: Map<usize>,
    /// What the kernel holds for the program.
    pub held: Held,
    /// What is on its way through the kernel.
    pub sent: Sent,
    /// Control blocks of threads that have ended; a result may wait there for its join.
    pub ended_control_blocks: List<usize>,
    /// Frees that are remembered.
    pub quarantine: Quarantine,
    /// What is condemned.
    pub condemned: condemned::Objects,
    /// Weak cells and links cleared so far.
    pub weak_cleared: u64,
}

impl Tables {
    /// Notes of each object that it has something attached that goes with it when it is freed by hand.
    pub fn note_attached(&self) {
        self.finalizers.for_each_object(fast::note_attached);
        self.weak.for_each_object(fast::note_attached);
        self.pins.for_each(|object, _| fast::note_attached(object));
    }
}

/// The tables.
pub static TABLES: Lock<Tables> = Lock::new(
    Rank::Tables,
    Tables {
        finalizers: Finalizers::new(),
        weak: WeakCells::new(),
        links: Links::new(),
        toggles: Toggles::new(),
        dead: Dead::new(),
        ranges: List::new(),
        excluded: Excluded::new(),
        pins: Map::new(),
        held: Held::new(),
        sent: Sent::new(),
        ended_control_blocks: List::new(),
        quarantine: Quarantine::new(),
        condemned: condemned::Objects::new(),
        weak_cleared: 0,
    },
);

/// Bytes of the object behind an ephemeron.
pub const EPHEMERON_BYTES: usize = ephemeron::BYTES;
