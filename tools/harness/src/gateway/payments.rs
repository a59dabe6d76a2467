//! The payments of one connection: which requests it sends, and the answer to each, to the byte.
//!
//! Requests come from a seed, so two runs see the same ones. Each connection pays with sessions and cards of its own
//! (those whose number is its own, modulo the connections); so it knows what the gateway keeps for them, whatever the
//! other connections do, and a response that differs in one byte shows a lost or damaged object of the gateway.
//!
//! A request is a template in which only digits change: the generator shares the machine with the gateway it measures.

use std::ops::Range;

/// One payment; the digits stand at the places below.
const LINE: &[u8] = b"session=session-00000000&card=card-000000000000&amount=00000&id=txn_00000000000000000000000000\n";
/// The digits of the session.
const SESSION: Range<usize> = 16..24;
/// The digits of the card.
const CARD: Range<usize> = 35..47;
/// The digits of the amount, in cents.
const AMOUNT: Range<usize> = 55..60;
/// The transaction id.
const ID: Range<usize> = 64..94;

/// The bytes that the gateway forgets with each payment: the id and its NUL.
pub const FORGOTTEN_BYTES: u64 = (ID.end - ID.start) as u64 + 1;

/// How many sessions and cards the gateway keeps.
#[derive(Clone, Copy, Debug)]
pub struct House {
    /// The sessions, numbered from 0.
    pub sessions: u32,
    /// The cards, numbered from 0.
    pub cards: u32,
}

/// What a session has come to.
#[derive(Clone, Copy, Default)]
struct Session {
    /// How often it paid.
    payments: u64,
    /// What it paid, in cents.
    spent: u64,
}

/// One connection's payments, and what the gateway must have kept of them.
pub struct Payments {
    connection: u32,
    connections: u32,
    seed: u64,
    random: u64,
    paid: u32,
    sessions: Vec<Session>,
    /// For each card the number of its latest payment, from 1; 0 is the opening entry.
    cards: Vec<u32>,
    body_start: usize,
    request: Vec<u8>,
    answer: Vec<u8>,
}

impl Payments {
    /// The payments of connection number `connection` of `connections`, `batch` of them in a request.
    pub fn new(seed: u64, connection: u32, connections: u32, house: House, batch: usize) -> Self {
        let length = batch * LINE.len();
        let mut request = format!(
            "POST /pay HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/x-www-form-urlencoded\r\n\
             Content-Length: {length}\r\n\r\n"
        )
        .into_bytes();
        let body_start = request.len();
        request.extend(LINE.repeat(batch));
        let seed = mix(seed ^ mix(u64::from(connection) + 1));
        Payments {
            connection,
            connections,
            seed,
            random: seed,
            paid: 0,
            sessions: vec![Session::default(); (house.sessions / connections) as usize],
            cards: vec![0; (house.cards / connections) as usize],
            body_start,
            request,
            answer: Vec::new(),
        }
    }

    /// The next request, and the body of the answer that it must get.
    pub fn next_request(&mut self) -> (&[u8], &[u8]) {
        self.answer.clear();
        self.answer.extend_from_slice(b"{\"receipts\":[");
        let lines = (self.request.len() - self.body_start) / LINE.len();
        for i in 0..lines {
            if i > 0 {
                self.answer.push(b',');
            }
            self.pay(self.body_start + i * LINE.len());
        }
        self.answer.extend_from_slice(b"],\"accepted\":");
        push_decimal(&mut self.answer, lines as u64);
        self.answer.extend_from_slice(b",\"declined\":0}");
        (&self.request, &self.answer)
    }

    /// Writes the next payment into the request at `start`, and its receipt into the answer.
    fn pay(&mut self, start: usize) {
        let session = below(self.random(), self.sessions.len());
        let card = below(self.random(), self.cards.len());
        let amount = 1 + below(self.random(), 99_999) as u64;
        self.paid += 1;

        let line = &mut self.request[start..start + LINE.len()];
        put_decimal(&mut line[SESSION], number(session, self.connection, self.connections));
        put_decimal(&mut line[CARD], number(card, self.connection, self.connections));
        put_decimal(&mut line[AMOUNT], amount);
        line[ID].copy_from_slice(&transaction_id(self.seed, self.connection, self.paid));

        let kept = &mut self.sessions[session];
        kept.payments += 1;
        kept.spent += amount;
        let replaced = match std::mem::replace(&mut self.cards[card], self.paid) {
            0 => opening_id(number(card, self.connection, self.connections)),
            paid => transaction_id(self.seed, self.connection, paid),
        };
        self.answer.extend_from_slice(b"{\"payments\":");
        push_decimal(&mut self.answer, kept.payments);
        self.answer.extend_from_slice(b",\"spent\":");
        push_decimal(&mut self.answer, kept.spent);
        self.answer.extend_from_slice(b",\"replaced\":\"");
        self.answer.extend_from_slice(&replaced);
        self.answer.extend_from_slice(b"\"}");
    }

    /// The next of a sequence of random words (splitmix64).
    fn random(&mut self) -> u64 {
        self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        mix(self.random)
    }
}

/// The gateway's number for the `index`-th session or card of a connection.
fn number(index: usize, connection: u32, connections: u32) -> u64 {
    index as u64 * u64::from(connections) + u64::from(connection)
}

/// The id of a connection's payment.
fn transaction_id(seed: u64, connection: u32, paid: u32) -> [u8; 30] {
    let mut id = *b"txn_00000000000000000000000000";
    put_hex(&mut id[4..6], u64::from(connection));
    put_hex(&mut id[6..22], mix(seed.wrapping_add(u64::from(paid))));
    put_hex(&mut id[22..30], u64::from(paid));
    id
}

/// The id of the entry with which the gateway opens a card.
fn opening_id(card: u64) -> [u8; 30] {
    let mut id = *b"opening-0000000000000000000000";
    put_decimal(&mut id[8..], card);
    id
}

/// Spreads each bit of a word over all of it (the finalizer of splitmix64).
fn mix(mut word: u64) -> u64 {
    word = (word ^ word >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    word = (word ^ word >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    word ^ word >> 31
}

/// Maps a random word to a number below `limit`.
fn below(random: u64, limit: usize) -> usize {
    ((u128::from(random) * limit as u128) >> 64) as usize
}

/// Fills a place with the last decimal digits of a number.
fn put_decimal(place: &mut [u8], mut number: u64) {
    for digit in place.iter_mut().rev() {
        *digit = b'0' + (number % 10) as u8;
        number /= 10;
    }
}

/// Fills a place with the last hexadecimal digits of a number.
fn put_hex(place: &mut [u8], mut number: u64) {
    for digit in place.iter_mut().rev() {
        *digit = b"0123456789abcdef"[(number & 15) as usize];
        number >>= 4;
    }
}

/// Appends a number in decimal.
fn push_decimal(text: &mut Vec<u8>, number: u64) {
    let mut digits = [0; 20];
    put_decimal(&mut digits, number);
    let length = number.checked_ilog10().unwrap_or(0) as usize + 1;
    text.extend_from_slice(&digits[20 - length..]);
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUSE: House = House { sessions: 6, cards: 9 };

    #[test]
    fn the_places_cover_the_digits_of_a_line() {
        for (place, before, after) in
            [(SESSION, b'-', b'&'), (CARD, b'-', b'&'), (AMOUNT, b'=', b'&'), (ID.start + 4..ID.end, b'_', b'\n')]
        {
            assert!(LINE[place.clone()].iter().all(|&digit| digit == b'0'), "{place:?}");
            assert_eq!((LINE[place.start - 1], LINE[place.end]), (before, after), "{place:?}");
        }
        assert_eq!(&LINE[ID.start - 4..ID.start + 4], b"&id=txn_"[..].as_ref());
    }

    #[test]
    fn the_same_seed_gives_the_same_payments() {
        let mut one = Payments::new(7, 1, 3, HOUSE, 4);
        let mut two = Payments::new(7, 1, 3, HOUSE, 4);
        let mut other = Payments::new(8, 1, 3, HOUSE, 4);
        for _ in 0..10 {
            let request = one.next_request();
            assert_eq!(request, two.next_request());
            assert_ne!(request, other.next_request());
        }
    }

    /// A gateway that keeps its ledger in maps and reads the request as text.
    #[test]
    fn answers_are_those_of_a_naive_gateway() {
        use std::collections::HashMap;
        let mut payments = Payments::new(42, 2, 3, HOUSE, 5);
        let mut sessions: HashMap<String, (u64, u64)> = HashMap::new();
        let mut ledger: HashMap<String, String> = HashMap::new();
        for _ in 0..50 {
            let (request, answer) = payments.next_request();
            let text = str::from_utf8(request).unwrap();
            let (header, body) = text.split_once("\r\n\r\n").unwrap();
            assert!(header.ends_with(&format!("Content-Length: {}", body.len())), "{header}");
            let mut receipts = Vec::new();
            for line in body.lines() {
                let fields: HashMap<_, _> = line.split('&').map(|field| field.split_once('=').unwrap()).collect();
                let session = sessions.entry(fields["session"].to_owned()).or_default();
                *session = (session.0 + 1, session.1 + fields["amount"].parse::<u64>().unwrap());
                let card = fields["card"];
                let opening = || format!("opening-{:022}", card["card-".len()..].parse::<u64>().unwrap());
                let replaced = ledger.insert(card.to_owned(), fields["id"].to_owned()).unwrap_or_else(opening);
                let (count, spent) = *session;
                receipts.push(format!("{{\"payments\":{count},\"spent\":{spent},\"replaced\":\"{replaced}\"}}"));
            }
            let expected = format!("{{\"receipts\":[{}],\"accepted\":5,\"declined\":0}}", receipts.join(","));
            assert_eq!(str::from_utf8(answer).unwrap(), expected);
        }
        assert!(ledger.keys().all(|card| card["card-".len()..].parse::<u64>().unwrap() % 3 == 2));
    }

    #[test]
    fn numbers_are_written_without_leading_zeros() {
        for number in [0, 9, 10, 99, 100, 12_345, u64::MAX] {
            let mut text = Vec::new();
            push_decimal(&mut text, number);
            assert_eq!(text, number.to_string().as_bytes());
        }
    }

    #[test]
    fn an_id_is_not_given_twice() {
        let ids: std::collections::HashSet<_> =
            (0..4).flat_map(|connection| (1..1000).map(move |paid| transaction_id(5, connection, paid))).collect();
        assert_eq!(ids.len(), 4 * 999);
    }
}
