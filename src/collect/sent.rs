//! What is on its way through the kernel: addresses in small messages, such as a job's that one thread writes into a pipe
//! and another reads out.
//!
//! ```text
//!   begin      each address of an object in the message is counted, by its channel
//!   (the call) sends all of it, or a part, or nothing
//!   end        what was not sent is taken back
//!   receive    what comes out of a channel again is the program's
//! ```
//!
//! | channel | is left by |
//! |---|---|
//! | a pipe, or a message queue | what is read from that one; a pipe without a name by all when nobody has it open |
//! | all sockets together, for the other end has another number | what is read from any; by all when there is none |
//! | the signals of a number | a handler, or a call that takes signals |
//! | files | nothing: it can be read again |
//!
//! Pipes and sockets that are closed are looked for when much is on its way, and not at all where what was sent may be
//! elsewhere: once the program has moved what is in a pipe to another descriptor, or has given descriptors away. Where it
//! has doubled what is in one (`tee`), reading ends nothing.
//!
//! An address leaves every channel when its object is freed by hand: the next collection notices. One that is sent to
//! another process, or read in two pieces, is kept until then. There is room for 65,536;
//! beyond that nothing is reclaimed any more.
//!
//! Holds:   an address in a message of up to [`MESSAGE_BYTES_MAX`] that this process has sent is counted before it is sent, and
//!          not given up before it has come out again, or its object is freed.
//! Threads: any, in signal handlers too, as [`held`] has it.

use super::{
    Cause, collect,
    held::{self, is_free},
    message,
    reports::{self, Reason},
    table::{Map, NoMemory},
};
use crate::{
    base::{
        addr::Addr,
        sync::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
    },
    heap::{
        gate,
        mutator::{self, Mutator},
    },
    os::{
        descriptors::{self, Kind},
        sys, thread,
    },
};

/// Larger messages are data, and are not looked at.
pub const MESSAGE_BYTES_MAX: usize = message::BYTES_MAX;
/// So much of what comes is looked at: the rest of its addresses stay counted.
const RECEIVED_BYTES_MAX: usize = 4096;
/// So many pairs of a channel and an address there may be.
const ENTRIES_MAX: usize = 1 << 16;

/// Set in the device of a pipe or of a queue.
const PIPE: u64 = 1 << 63;
/// Fewer entries are not looked for among the open descriptors.
const ENDS_MIN: usize = 64;

/// A way through the kernel.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Channel(u64, u64);

impl Channel {
    const SOCKETS: Channel = Channel(0, 1);
    const FILES: Channel = Channel(0, 2);
    const OTHERS: Channel = Channel(0, 3);

    /// Of a descriptor. `None`: of what is written there nothing comes back.
    pub fn of_descriptor(descriptor: i32) -> Option<Channel> {
        let kind = descriptors::kind_of(descriptor)?;
        if let Kind::Pipe { device, .. } = kind
            && NAMELESS_PIPES.load(Ordering::Relaxed) == 0
            && descriptors::is_nameless_pipe(descriptor)
        {
            NAMELESS_PIPES.store(device | PIPE, Ordering::Relaxed);
        }
        Channel::of(kind)
    }

    fn of(kind: Kind) -> Option<Channel> {
        match kind {
            Kind::Pipe { device, inode } => Some(Channel(device | PIPE, inode)),
            Kind::Socket => Some(Channel::SOCKETS),
            Kind::File => Some(Channel::FILES),
            Kind::Anonymous => Some(Channel::OTHERS),
            Kind::Device => None,
        }
    }

    fn is_pipe(self) -> bool {
        self.0 & PIPE != 0
    }

    /// Whether what is in it is lost when no descriptor is open by which it could be read.
    fn ends_with_descriptors(self) -> bool {
        self == Channel::SOCKETS || self.is_pipe() && self.0 == NAMELESS_PIPES.load(Ordering::Relaxed)
    }

    /// A number of it, which another one may have too.
    fn key(self) -> Addr {
        const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;
        let mixed = (self.0 ^ self.1.rotate_left(32)).wrapping_mul(FACTOR).rotate_left(29);
        Addr::new((mixed as usize).max(1))
    }

    /// Whether it is that of all descriptors without a name, sources of signals among them.
    pub fn is_nameless(self) -> bool {
        self == Channel::OTHERS
    }

    /// Of a message queue of POSIX's, by its descriptor.
    pub fn of_queue(descriptor: i32) -> Option<Channel> {
        sys::identity(descriptor).map(|(device, inode)| Channel(device | PIPE, inode))
    }

    /// Of a message queue of System V's.
    pub fn of_system_v(queue: i32) -> Option<Channel> {
        Some(Channel(1, queue as u64))
    }

    /// Of the signals of a number.
    pub fn of_signal(signal: i32) -> Option<Channel> {
        Some(Channel(2, signal as u64))
    }
}

/// An address in a channel, and how often it is there.
#[derive(Clone, Copy, Default)]
struct Entry {
    channel: Channel,
    word: usize,
    count: usize,
}

/// See the module's documentation.
pub struct Sent {
    /// By a number made of channel and address.
    entries: Map<Entry>,
    /// The channels that are open, by their keys, while they are looked for.
    open: Map<bool>,
    /// How many entries there may be before they are looked for.
    ends_max: usize,
}

/// Whether the program may have doubled what is in a pipe, and whether what it has sent may come from where it was not sent
/// to. Relaxed: set before the call that does it.
static IS_DOUBLED: AtomicBool = AtomicBool::new(false);
static IS_MOVED: AtomicBool = AtomicBool::new(false);

/// The device of all pipes without a name, as their channels have it; zero until one is known. Relaxed: always the same.
static NAMELESS_PIPES: AtomicU64 = AtomicU64::new(0);

/// What is in pipes may be in two of them from now on, or only moved to another descriptor, or a descriptor is on its way.
pub fn note_moved(is_doubled: bool) {
    IS_DOUBLED.fetch_or(is_doubled, Ordering::Relaxed);
    IS_MOVED.store(true, Ordering::Relaxed);
}

/// How many entries there are. Relaxed: the kernel orders a message's coming after its going, and that comes after the
/// entry.
static ENTRIES: AtomicUsize = AtomicUsize::new(0);

/// Whether nothing is on its way.
#[inline(always)]
pub fn is_empty() -> bool {
    ENTRIES.load(Ordering::Relaxed) == 0
}

/// The addresses of a message that is being sent.
#[repr(C)]
pub struct Letter {
    count: usize,
    channel: Channel,
    /// Each with where it lies in the message.
    words: [(usize, usize); MESSAGE_BYTES_MAX / size_of::<usize>()],
}

impl Letter {
    /// One without an address.
    pub const EMPTY: Letter = Letter { count: 0, channel: Channel::FILES, words: [(0, 0); _] };

    /// Counts the addresses in `message`, which is about to be sent by the channel that is found if there are any.
    pub fn begin(message: &[u8], find: impl FnOnce() -> Option<Channel>) -> Letter {
        let mut letter = Letter::EMPTY;
        message::for_each_address(message, |offset, word| {
            // The same bytes cannot be two addresses, unless one of them is chance: then it is never taken back.
            if let Some(place) = letter.words.get_mut(letter.count) {
                *place = (offset, word);
                letter.count += 1;
            }
        });
        if !letter.is_empty() {
            letter.count_by(find());
        }
        letter
    }

    fn count_by(&mut self, channel: Option<Channel>) {
        match channel {
            Some(channel) => {
                self.channel = channel;
                self.words[..self.count].iter().for_each(|&(_, word)| add(channel, word));
            }
            None => self.count = 0,
        }
    }

    /// Whether it has no address.
    #[inline(always)]
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// So many of its bytes were sent: the addresses in the others are taken back.
    pub fn end(&self, sent_bytes: usize) {
        let kept = self.words[..self.count].iter().filter(|(offset, _)| offset + size_of::<usize>() > sent_bytes);
        kept.for_each(|&(_, word)| remove(self.channel, word));
    }
}

/// What has come: the addresses in it are the program's again. `find` is asked if there are any.
#[inline]
pub fn receive(message: &[u8], find: impl Fn() -> Option<Channel>) {
    let looked_at = &message[..message.len().min(RECEIVED_BYTES_MAX)];
    if is_empty() {
        return;
    }
    let mut channel = None;
    message::for_each_address(looked_at, |_, word| {
        channel = channel.or_else(&find);
        if let Some(channel) = channel.filter(|&channel| channel != Channel::FILES) {
            remove(channel, word);
        }
    });
}

/// Whether a thread that did not have to answer the stop may be about to get what was in a channel that is closed by now.
fn is_anybody_receiving(myself: &Mutator) -> bool {
    let others = mutator::all().filter(|other| other.is_alive() && !core::ptr::eq(*other, myself));
    let mut waiting = others.filter(|other| gate::is_in_call(other) || gate::is_in_region(other));
    // Relaxed: the stop lies between its store and this.
    waiting.any(|other| thread::may_be_receiving(other.tid.load(Ordering::Relaxed)))
}

fn add(channel: Channel, word: usize) {
    // Relaxed: the limit need not be exact.
    if ENTRIES.load(Ordering::Relaxed) >= ENTRIES_MAX {
        // It drops those whose objects were freed.
        collect(Cause::Forced);
        if ENTRIES.load(Ordering::Relaxed) >= ENTRIES_MAX {
            return reports::stop_reclaiming(Reason::CannotFollow("addresses in pipes, sockets and queues"));
        }
    }
    match held::with_tables(|tables| tables.sent.add(channel, word)) {
        Some(Ok(())) => {}
        Some(Err(NoMemory)) => reports::stop_reclaiming(Reason::CannotFollow("no memory for the table")),
        None => held::note_late(word),
    }
}

fn remove(channel: Channel, word: usize) {
    // Where there is no way to the tables it stays counted.
    let _ = held::with_tables(|tables| tables.sent.remove(channel, word));
}

impl Sent {
    /// Nothing, without memory.
    pub const fn new() -> Self {
        Sent { entries: Map::new(), open: Map::new(), ends_max: ENDS_MIN }
    }

    fn add(&mut self, channel: Channel, word: usize) -> Result<(), NoMemory> {
        match self.find(channel, word)? {
            Ok(key) => {
                if let Some(entry) = self.entries.get_mut(key) {
                    entry.count += 1;
                }
            }
            Err(key) => {
                self.entries.insert(key, Entry { channel, word, count: 1 })?;
            }
        }
        ENTRIES.store(self.entries.len(), Ordering::Relaxed);
        Ok(())
    }

    fn remove(&mut self, channel: Channel, word: usize) {
        if channel.is_pipe() && IS_DOUBLED.load(Ordering::Relaxed) {
            return;
        }
        let Ok(Ok(key)) = self.find(channel, word) else { return };
        if let Some(entry) = self.entries.get_mut(key) {
            entry.count -= 1;
            if entry.count == 0 {
                self.entries.remove(key);
            }
        }
        ENTRIES.store(self.entries.len(), Ordering::Relaxed);
    }

    /// The key of a pair, or one for it that nobody has. Other pairs with the same first key are passed over; when one of
    /// them goes, those behind it are not found any more, and stay.
    fn find(&self, channel: Channel, word: usize) -> Result<Result<Addr, Addr>, NoMemory> {
        const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;
        let mixed = channel.key().get() as u64 ^ word as u64;
        for attempt in 1..=8 {
            let key = Addr::new((mixed.wrapping_mul(FACTOR).wrapping_add(attempt) as usize).max(1));
            match self.entries.get(key) {
                None => return Ok(Err(key)),
                Some(entry) if (entry.channel, entry.word) == (channel, word) => return Ok(Ok(key)),
                Some(_) => {}
            }
        }
        Err(NoMemory)
    }

    /// Visits all addresses.
    pub fn for_each(&self, mut visit: impl FnMut(usize)) {
        self.entries.for_each(|_, entry| visit(entry.word));
    }

    /// Drops those whose objects were freed by hand, and when there are many those that nobody can read any more. In a
    /// collection, as [`held::Held::clear_up`].
    pub fn clear_up(&mut self, myself: &Mutator) {
        self.entries.retain(|_, entry| !is_free(entry.word));
        if self.entries.len() > self.ends_max {
            if !IS_MOVED.load(Ordering::Relaxed) && !is_anybody_receiving(myself) && self.find_open() {
                let open = &self.open;
                let is_open = |channel: Channel| open.get(channel.key()).is_some();
                self.entries.retain(|_, entry| !entry.channel.ends_with_descriptors() || is_open(entry.channel));
            }
            self.open.retain(|_, _| false);
            self.ends_max = (2 * self.entries.len()).max(ENDS_MIN);
        }
        ENTRIES.store(self.entries.len(), Ordering::Relaxed);
    }

    /// Lists the open channels. `false`: not all are listed.
    #[cold]
    #[inline(never)]
    fn find_open(&mut self) -> bool {
        let mut has_room = true;
        let open = &mut self.open;
        let is_whole = descriptors::for_each_kind(|kind| {
            has_room &= Channel::of(kind).is_none_or(|channel| open.insert(channel.key(), true).is_ok());
        });
        is_whole && has_room
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use std::vec::Vec;

    fn words(sent: &Sent) -> Vec<usize> {
        let mut words = Vec::new();
        sent.for_each(|word| words.push(word));
        words.sort_unstable();
        words
    }

    #[test]
    fn an_address_is_kept_until_it_has_come_out_as_often_as_it_went_in() {
        let (one, other) = (Channel(7 | 1 << 63, 1), Channel(7 | 1 << 63, 2));
        let mut sent = Sent::new();
        for (channel, word) in [(one, 16), (one, 16), (other, 16), (one, 32)] {
            sent.add(channel, word).unwrap();
        }
        assert_eq!(words(&sent), [16, 16, 32]);
        sent.remove(one, 16);
        sent.remove(other, 32);
        assert_eq!(words(&sent), [16, 16, 32], "not yet, and not there");
        sent.remove(one, 16);
        sent.remove(one, 16);
        assert_eq!(words(&sent), [16, 32]);
        sent.remove(other, 16);
        sent.remove(one, 32);
        assert!(sent.entries.is_empty());
    }
}
