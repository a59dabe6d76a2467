//! A race: two gateways live at once, on two mallocs, and take turns under the same load.
//!
//! Turns are short, so that what a neighbour on the machine does for a while slows both alike; and a pair has many of
//! them, so that both collect, and pay for it, in each.

use std::path::Path;
use std::sync::atomic::AtomicU64;
use std::sync::mpsc;

use anyhow::{Context, Result};

use super::load::{Clients, Load};
use super::run;
use crate::server::{Malloc, Server};
use crate::trace::Trace;

/// The turns of each gateway in a pair.
pub const SPELLS: u64 = 12;

/// One of the two.
struct Racer {
    name: &'static str,
    server: Server,
    clients: Clients,
}

/// Two gateways that are ready.
pub struct Race {
    racers: [Racer; 2],
    spell: Load,
}

impl Race {
    /// Starts both. `spell` is the load of a turn; logs go to the directory `out`.
    pub fn start(mallocs: [&Malloc; 2], program: &Path, workers: u32, spell: Load, out: &Path) -> Result<Race> {
        let racer = |malloc: &Malloc| {
            let log = out.join(format!("race-{}.log", malloc.name()));
            let server = run::start(malloc, program, workers, &spell, &log)?;
            let clients = spell.connect(server.address)?;
            anyhow::Ok(Racer { name: malloc.name(), server, clients })
        };
        let mut race = Race { racers: [racer(mallocs[0])?, racer(mallocs[1])?], spell };
        // Not counted: caches are cold and tables new.
        race.racers.iter_mut().try_for_each(|racer| racer.run().map(drop))?;
        Ok(race)
    }

    /// One pair: the requests a second of each over all its turns. Who begins changes from turn to turn.
    pub fn run(&mut self) -> Result<[f64; 2]> {
        let mut seconds = [0.0; 2];
        for spell in 0..SPELLS {
            let first = (spell % 2) as usize;
            for racer in [first, 1 - first] {
                seconds[racer] += self.racers[racer].run()?;
            }
        }
        Ok(seconds.map(|seconds| (SPELLS * self.spell.requests) as f64 / seconds))
    }

    /// Ends both: what the second wrote.
    pub fn end(self) -> Result<Trace> {
        let [first, second] = self.racers;
        drop((first.clients, second.clients));
        first.server.end()?;
        Trace::parse(&second.server.end()?)
    }
}

impl Racer {
    /// One turn: its seconds.
    fn run(&mut self) -> Result<f64> {
        let (marks, _) = mpsc::channel();
        let driven = self.clients.drive(&AtomicU64::new(0), u64::MAX, &marks);
        Ok(driven.with_context(|| format!("on {}'s malloc", self.name))?.elapsed.as_secs_f64())
    }
}
