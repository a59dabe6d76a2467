//! What the gateway says of itself.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};

use anyhow::{Context, Result, ensure};
use serde::Deserialize;

use super::http;

/// What `GET /stats` answers.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq)]
pub struct Stats {
    /// The bytes of the sessions and the ledger, by the sizes that were asked of malloc.
    pub kept_bytes: u64,
    /// Payments accepted so far.
    pub accepted: u64,
    /// Payments declined so far.
    pub declined: u64,
}

/// Asks the gateway at `address` what it keeps.
pub fn ask(address: SocketAddr) -> Result<Stats> {
    let mut stream = TcpStream::connect(address).context("the gateway takes no connection")?;
    stream.set_read_timeout(Some(http::DEADLINE))?;
    stream.write_all(b"GET /stats HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).context("GET /stats")?;
    let response = http::parse(&answer)?.context("GET /stats: the answer is cut short")?;
    ensure!(response.status == 200, "GET /stats: status {}", response.status);
    serde_json::from_slice(&answer[response.body]).context("GET /stats")
}
