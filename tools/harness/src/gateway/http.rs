//! As much of HTTP/1.1 as a client needs that knows its server: a status, a length, a body.

use std::ops::Range;
use std::time::Duration;

use anyhow::{Context, Result, ensure};

/// How long a response may take before the server counts as hung.
pub const DEADLINE: Duration = Duration::from_secs(30);

/// A whole response at the start of some bytes.
#[derive(Debug, PartialEq)]
pub struct Response {
    /// The status, such as 200.
    pub status: u16,
    /// Where the body lies; its end is the end of the response.
    pub body: Range<usize>,
}

/// Finds the response at the start of `bytes`; none while it is not whole.
pub fn parse(bytes: &[u8]) -> Result<Option<Response>> {
    let Some(header_length) = bytes.windows(4).position(|window| window == b"\r\n\r\n") else { return Ok(None) };
    let header = str::from_utf8(&bytes[..header_length]).context("the header is not text")?;
    let mut lines = header.split("\r\n");
    let status_line = lines.next().unwrap_or_default();
    let status = status_line.strip_prefix("HTTP/1.1 ").and_then(|rest| rest.get(..3)?.parse().ok());
    let status = status.with_context(|| format!("{status_line:?} is no status line"))?;
    let length = lines.find_map(|line| line.strip_prefix("Content-Length: "));
    let length = length.with_context(|| format!("there is no Content-Length in {header:?}"))?;
    let length: usize = length.parse().with_context(|| format!("Content-Length: {length}"))?;
    ensure!(length < 1 << 30, "Content-Length: {length} is absurd");
    let start = header_length + 4;
    let body = start..start + length;
    Ok((body.end <= bytes.len()).then_some(Response { status, body }))
}

#[cfg(test)]
mod tests {
    use super::*;

    const RESPONSE: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\nhelloHTTP/1.1";

    #[test]
    fn a_response_ends_where_its_length_says() {
        let response = parse(RESPONSE).unwrap().unwrap();
        assert_eq!(response.status, 200);
        assert_eq!(&RESPONSE[response.body], b"hello");
    }

    #[test]
    fn a_response_that_is_not_whole_is_none() {
        let whole = RESPONSE.len() - b"HTTP/1.1".len();
        for length in 0..whole {
            assert_eq!(parse(&RESPONSE[..length]).unwrap(), None, "{length} bytes");
        }
        assert!(parse(&RESPONSE[..whole]).unwrap().is_some());
    }

    #[test]
    fn nonsense_is_refused() {
        assert!(parse(b"SMTP ready\r\n\r\n").is_err());
        assert!(parse(b"HTTP/1.1 200 OK\r\n\r\n").is_err());
        assert!(parse(b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n").is_err());
    }
}
