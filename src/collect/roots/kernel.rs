//! The kernel: what it holds for the program, and what is on its way through it.
//!
//! Holds:   what an event, a signal or a message brings back is reachable until then ([`held`](crate::collect::held),
//!          [`sent`](crate::collect::sent)).
//! Threads: the collecting thread; the world is stopped.

use super::{
    Source, Visitor,
    blind::{Place, is_blind},
    reading::visit_word,
};
use crate::{
    collect::{
        reports::{self, Reason},
        tables::Tables,
    },
    os::maps::Mapping,
};

/// Looks at a mapping that a collection meets. `true`: it is a ring, by which the program gives the kernel what nobody sees;
/// nothing may be reclaimed now, and nothing is from now on.
pub fn forbids_reclaiming(mapping: &Mapping<'_>) -> bool {
    let ring = match mapping.name {
        b"[io_uring]" => "a ring of io_uring",
        name if name.starts_with(b"/[aio]") => "requests by io_submit",
        _ => return false,
    };
    let is_seen = !is_blind(Place::Rings);
    if is_seen {
        reports::stop_reclaiming(Reason::CannotFollow(ring));
    }
    is_seen
}

/// All of it.
pub fn visit(tables: &Tables, visit: &mut Visitor<'_>) {
    if !is_blind(Place::Held) {
        tables.held.for_each(|word| visit_word(Source::Kernel, word, visit));
    }
    if !is_blind(Place::Sent) {
        tables.sent.for_each(|word| visit_word(Source::Kernel, word, visit));
    }
}
