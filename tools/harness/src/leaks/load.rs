//! The load: connections that ask the server for one kind of leak each, at an even pace, and compare every answer.

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use clap::ValueEnum;

/// How long an answer may take before the server counts as hung.
const DEADLINE: Duration = Duration::from_secs(60);
/// The connections of each kind.
pub const CONNECTIONS: u64 = 2;

/// How the server forgets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Kind {
    /// Three of four buffers.
    Buffers,
    /// Rings of rings.
    Cycles,
    /// A list of a million nodes.
    Lists,
    /// The lists of a thread that has ended.
    Threads,
}

impl Kind {
    /// Its name, in the plural.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Buffers => "buffers",
            Kind::Cycles => "cycles",
            Kind::Lists => "lists",
            Kind::Threads => "threads",
        }
    }

    /// The word that begins a request.
    fn word(self) -> &'static str {
        match self {
            Kind::Buffers => "buffers",
            Kind::Cycles => "cycles",
            Kind::Lists => "list",
            Kind::Threads => "thread",
        }
    }

    /// The things of a request.
    pub fn things(self) -> u64 {
        match self {
            Kind::Buffers => 100,
            Kind::Cycles => 10_000,
            Kind::Lists => 1_000_000,
            Kind::Threads => 20_000,
        }
    }

    /// Requests a second on one connection.
    fn pace(self) -> f64 {
        match self {
            Kind::Buffers | Kind::Cycles => 25.0,
            Kind::Lists => 0.5,
            Kind::Threads => 12.0,
        }
    }
}

/// What is asked of the server, and how long.
#[derive(Clone, Debug)]
pub struct Load {
    /// The kinds, each on its own connections.
    pub kinds: Vec<Kind>,
    /// For how long requests are sent.
    pub time: Duration,
    /// By how much they come faster than the kinds' paces.
    pub rate: f64,
}

impl Load {
    /// Sends requests from all connections until the time is over. What came of them is the answers' times, in
    /// nanoseconds and sorted.
    pub fn drive(&self, address: SocketAddr) -> Result<Vec<u64>> {
        let end = Instant::now() + self.time;
        let mut latencies_ns = thread::scope(|scope| {
            let connection =
                |kind, number| scope.spawn(move || self.converse(address, kind, number, end).context(kind.name()));
            let threads: Vec<_> =
                (0..CONNECTIONS).flat_map(|number| self.kinds.iter().map(move |&kind| (kind, number))).collect();
            let threads: Vec<_> = threads.into_iter().map(|(kind, number)| connection(kind, number)).collect();
            let mut all = Vec::new();
            for thread in threads {
                all.extend(thread.join().expect("a connection does not panic")?);
            }
            anyhow::Ok(all)
        })?;
        latencies_ns.sort_unstable();
        Ok(latencies_ns)
    }

    /// One connection. When the server is late, the requests that were missed are not made up for.
    fn converse(&self, address: SocketAddr, kind: Kind, number: u64, end: Instant) -> Result<Vec<u64>> {
        let mut connection = Connection::open(address)?;
        let period = Duration::from_secs_f64(1.0 / (kind.pace() * self.rate));
        let mut next = Instant::now();
        let mut latencies_ns = Vec::new();
        for count in 0.. {
            next = (next + period).max(Instant::now());
            thread::sleep(next - Instant::now());
            if next >= end {
                break;
            }
            let seed = (number << 40) + 7919 * count;
            let sent = Instant::now();
            let answer = connection.ask(&format!("{} {} {seed}", kind.word(), kind.things()))?;
            latencies_ns.push(sent.elapsed().as_nanos() as u64);
            let expected = format!("sum {}", sum(seed, kind.things()));
            ensure!(answer == expected, "request {count} is answered by {answer:?}, not by {expected:?}");
        }
        Ok(latencies_ns)
    }
}

/// The sum of so many numbers from `first` on.
fn sum(first: u64, count: u64) -> u64 {
    count * first + count * (count - 1) / 2
}

/// The bytes that the server has forgotten, by the sizes that it asked of malloc, and those that it keeps, by the sizes that it
/// was given: they are what is live.
pub fn forgotten_and_kept(address: SocketAddr) -> Result<(u64, u64)> {
    let answer = Connection::open(address)?.ask("stats")?;
    let words: Vec<_> = answer.split(' ').collect();
    let ["forgotten", forgotten, "kept", kept] = words[..] else { anyhow::bail!("stats are answered by {answer:?}") };
    Ok((forgotten.parse()?, kept.parse()?))
}

/// A conversation in lines.
struct Connection {
    stream: TcpStream,
    answers: BufReader<TcpStream>,
}

impl Connection {
    fn open(address: SocketAddr) -> Result<Self> {
        let stream = TcpStream::connect(address).context("the server takes no connection")?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(DEADLINE))?;
        Ok(Connection { answers: BufReader::new(stream.try_clone()?), stream })
    }

    fn ask(&mut self, request: &str) -> Result<String> {
        self.stream.write_all(format!("{request}\n").as_bytes()).context("the server does not take a request")?;
        let mut answer = String::new();
        self.answers.read_line(&mut answer).with_context(|| format!("{request}: no answer: does the server hang?"))?;
        ensure!(answer.ends_with('\n'), "{request}: the server hung up: see what it wrote to stderr");
        answer.pop();
        Ok(answer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sum_is_that_of_the_numbers_in_a_row() {
        assert_eq!(sum(5, 3), 5 + 6 + 7);
        assert_eq!(sum(0, 1), 0);
        let last = (CONNECTIONS << 40) + 7919 * 1_000_000;
        assert!(last.checked_mul(1_000_000).is_some(), "sums of an hour do not overflow");
    }
}
