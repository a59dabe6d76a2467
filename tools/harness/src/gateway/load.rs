//! The load: a thread for each connection sends a request, waits for the whole response, compares it, sends the next.
//!
//! So there are never more requests under way than connections, and each response time is that of its own connection.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Barrier, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};

use super::http;
use super::payments::{House, Payments};

/// How much is sent, and how.
#[derive(Clone, Copy, Debug)]
pub struct Load {
    /// Requests over all connections.
    pub requests: u64,
    /// Payments in a request.
    pub batch: usize,
    /// Connections, each with its own thread.
    pub connections: u32,
    /// Where the random numbers begin.
    pub seed: u64,
    /// What the gateway keeps.
    pub house: House,
}

/// How a load went.
pub struct Driven {
    /// From the first request to the last response.
    pub elapsed: Duration,
    /// The response times in nanoseconds, sorted.
    pub latencies_ns: Vec<u64>,
}

impl Load {
    /// Payments over all requests.
    pub fn payments(&self) -> u64 {
        self.requests * self.batch as u64
    }

    /// The requests that connection number `connection` sends.
    fn share(&self, connection: u32) -> u64 {
        let connections = u64::from(self.connections);
        self.requests / connections + u64::from(u64::from(connection) < self.requests % connections)
    }

    /// Sends everything to the gateway at `address`. `answered` counts the responses, and whenever it passes a
    /// multiple of `step`, its value is sent to `marks`.
    pub fn drive(
        &self,
        address: SocketAddr,
        answered: &AtomicU64,
        step: u64,
        marks: mpsc::Sender<u64>,
    ) -> Result<Driven> {
        self.connect(address)?.drive(answered, step, &marks)
    }

    /// Connects to the gateway at `address`, for one load or for several in turn.
    pub fn connect(&self, address: SocketAddr) -> Result<Clients> {
        let clients = (0..self.connections).map(|connection| Client::connect(self, connection, address));
        Ok(Clients(clients.collect::<Result<_>>()?))
    }
}

/// The connections of a load. Each remembers what it has sent, so the next load goes on where the last one ended.
pub struct Clients(Vec<Client>);

impl Clients {
    /// Sends everything, once. `answered` and `marks` as for [`Load::drive`].
    pub fn drive(&mut self, answered: &AtomicU64, step: u64, marks: &mpsc::Sender<u64>) -> Result<Driven> {
        let start = Barrier::new(self.0.len() + 1);
        thread::scope(|scope| {
            let threads: Vec<_> = self
                .0
                .iter_mut()
                .map(|client| {
                    let (start, marks) = (&start, marks.clone());
                    scope.spawn(move || {
                        start.wait();
                        client.run(|| {
                            let count = answered.fetch_add(1, Ordering::Relaxed) + 1;
                            if count.is_multiple_of(step) {
                                let _ = marks.send(count);
                            }
                        })
                    })
                })
                .collect();
            start.wait();
            let started = Instant::now();
            let mut latencies_ns = Vec::new();
            for thread in threads {
                latencies_ns.extend(thread.join().expect("a client does not panic")?);
            }
            let elapsed = started.elapsed();
            latencies_ns.sort_unstable();
            Ok(Driven { elapsed, latencies_ns })
        })
    }
}

/// One connection.
struct Client {
    connection: u32,
    requests: u64,
    stream: TcpStream,
    payments: Payments,
    received: Vec<u8>,
}

impl Client {
    fn connect(load: &Load, connection: u32, address: SocketAddr) -> Result<Self> {
        let stream = TcpStream::connect(address).context("the gateway takes no connection")?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(http::DEADLINE))?;
        stream.set_write_timeout(Some(http::DEADLINE))?;
        Ok(Client {
            connection,
            requests: load.share(connection),
            stream,
            payments: Payments::new(load.seed, connection, load.connections, load.house, load.batch),
            received: vec![0; 64 << 10],
        })
    }

    /// Sends all its requests and returns the response times in nanoseconds.
    fn run(&mut self, mut on_response: impl FnMut()) -> Result<Vec<u64>> {
        let mut latencies_ns = Vec::with_capacity(self.requests as usize);
        for number in 1..=self.requests {
            let elapsed = self
                .exchange()
                .with_context(|| format!("connection {}, request {number} of {}", self.connection, self.requests))?;
            latencies_ns.push(elapsed.as_nanos() as u64);
            on_response();
        }
        Ok(latencies_ns)
    }

    /// Sends one request and compares the response; the time runs until the response is there.
    fn exchange(&mut self) -> Result<Duration> {
        let (request, expected) = self.payments.next_request();
        let sent = Instant::now();
        self.stream.write_all(request).context("the gateway does not take the request")?;
        let response = receive(&mut self.stream, &mut self.received)?;
        let elapsed = sent.elapsed();
        ensure!(response.status == 200, "the gateway answers with status {}", response.status);
        compare(&self.received[response.body], expected)?;
        Ok(elapsed)
    }
}

/// Receives one response into `bytes`, which grows as needed.
fn receive(stream: &mut TcpStream, bytes: &mut Vec<u8>) -> Result<http::Response> {
    let mut length = 0;
    loop {
        if length == bytes.len() {
            bytes.resize(2 * length, 0);
        }
        let more = stream.read(&mut bytes[length..]).context("no response: does the gateway hang?")?;
        ensure!(more > 0, "the gateway closed the connection in the middle of a response");
        length += more;
        if let Some(response) = http::parse(&bytes[..length])? {
            ensure!(response.body.end == length, "the gateway sent more than one response to one request");
            return Ok(response);
        }
    }
}

/// Fails with the place where both differ.
fn compare(answer: &[u8], expected: &[u8]) -> Result<()> {
    if answer == expected {
        return Ok(());
    }
    let place = answer.iter().zip(expected).take_while(|(one, other)| one == other).count();
    let near = |bytes: &[u8]| {
        let part = &bytes[place.saturating_sub(40).min(bytes.len())..(place + 40).min(bytes.len())];
        String::from_utf8_lossy(part).into_owned()
    };
    bail!("wrong answer at byte {place}: it says …{}…, expected …{}…", near(answer), near(expected));
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOAD: Load =
        Load { requests: 103, batch: 10, connections: 8, seed: 1, house: House { sessions: 8, cards: 8 } };

    #[test]
    fn the_shares_add_up_to_the_requests() {
        assert_eq!((0..8).map(|connection| LOAD.share(connection)).sum::<u64>(), 103);
        assert_eq!((LOAD.share(0), LOAD.share(7)), (13, 12));
        assert_eq!(LOAD.payments(), 1030);
    }

    #[test]
    fn a_wrong_answer_is_shown_where_it_differs() {
        assert!(compare(b"{\"spent\":12}", b"{\"spent\":12}").is_ok());
        let error = compare(b"{\"spent\":12}", b"{\"spent\":13}").unwrap_err().to_string();
        assert!(error.contains("byte 10") && error.contains("12}") && error.contains("13}"), "{error}");
        assert!(compare(b"{}", b"{}}").is_err());
        assert!(compare(b"", b"{").is_err());
    }
}
