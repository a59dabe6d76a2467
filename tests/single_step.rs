//! `malloc` and `free`, and what `gleaner_inline.h` makes of an allocation, one instruction at a time.
//!
//! A child linked with the malloc door allocates and frees a few objects (`tests/c/step/loop.c`); this test traces it and
//! stops it after every instruction. The tracer finds the thread's record as `malloc` does, by the word of thread-local
//! storage, and looks at the magazine of the child's class. At every instruction:
//!
//! - the magazine is in order, and has no slot twice;
//! - a slot that the program has in its table is not in the magazine;
//! - a slot that has been seen and is not in the magazine is where a collection finds it: in the table, in a register,
//!   or on the stack.
//!
//! The child wipes registers and stack before each call, and the tracer makes sure that at the first instruction of a
//! call there is no other copy of the slot in question: a stale one would hide a lost one.
//!
//! In a second run another thread of the child collects at every instruction inside the calls, with `verify` and
//! `recheck` on; the stop signal arrives exactly there. Afterwards the child allocates some thousand objects: a slot that
//! a collection took away would be handed out twice.
//!
//! Limits: the child is single-stepped, so this judges what one thread may see of itself and what a stop sees of it, not
//! the memory order between processors; and only the fast paths, because the magazine is never empty or full. The slow
//! paths run inside gates, where nobody stops them.

#[path = "common/doors.rs"]
mod doors;

use gleaner::heap::{kind::Kind, magazine::Magazine, size_class, units::Class};
use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{Read, Write};
use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

const DEADLINE: Duration = Duration::from_secs(120);
/// What `loop.c` allocates.
const BYTES: usize = 40;
const RED_ZONE_BYTES: u64 = 128;
/// `PTRACE_PEEKSIGINFO`, which the crate `libc` does not name for glibc.
const PEEK_SIGNALS: libc::c_uint = 0x4209;

/// The functions that the child calls.
#[derive(Clone, Copy)]
struct Pair {
    allocate: &'static str,
    release: &'static str,
    /// The first is the program's own, with an inlined allocation.
    is_inlined: bool,
}

const MALLOC: Pair = Pair { allocate: "malloc", release: "free", is_inlined: false };
const GC: Pair = Pair { allocate: "gc_malloc", release: "gc_free", is_inlined: false };
const INLINED: [Pair; 3] = [inlined("malloc_inline"), inlined("cache_malloc"), inlined("cache_malloc_typed")];

const fn inlined(allocate: &'static str) -> Pair {
    Pair { allocate, release: "gc_free", is_inlined: true }
}

impl Pair {
    fn class(self) -> Class {
        match self.allocate {
            "malloc" => Class::small(Kind::MALLOC, size_class::of_small(BYTES + 1)),
            "cache_malloc_typed" => Class::small(Kind::TYPED, size_class::of_small(BYTES + 8)),
            _ => Class::small(Kind::SCANNED, size_class::of_small(BYTES)),
        }
    }

    /// The fewest instructions at which the allocation and the free can be stopped.
    fn instructions(self) -> (usize, usize) {
        (if self.is_inlined { 6 } else { 10 }, 20)
    }
}

/// A child that stands still between two instructions.
struct Tracee {
    child: Child,
    pid: libc::pid_t,
    program: PathBuf,
    memory: File,
    /// Says that the child is over; the watchdog then lets it be.
    over: mpsc::Sender<()>,
}

impl Tracee {
    /// Starts the child and brings it to where it stops itself; gives the address and length of its table.
    fn start(pair: Pair, rounds: usize, options: &str) -> (Tracee, u64, usize) {
        let test = std::thread::current().name().unwrap_or_default().to_owned();
        let program = doors::scratch("single_step").join(format!("loop_{test}_{}", pair.allocate));
        let link = doors::link("gleaner_malloc");
        let mut flags = vec!["-O2", "-g", "-Wall", "-Wextra", "-Werror", "-pthread", "-rdynamic"];
        flags.extend(link.iter().map(String::as_str));
        doors::cc(&doors::root().join("tests/c/step/loop.c"), &program, &flags);

        let mut child = Command::new(&program)
            .args([pair.allocate, &rounds.to_string()])
            .env_clear()
            .env("GLEANER_OPTIONS", options)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|e| panic!("{}: {e}", program.display()));
        let pid = libc::pid_t::try_from(child.id()).expect("a process id fits");
        let over = watch(pid);
        let mut table = [0; 16];
        let read = child.stdout.as_mut().expect("piped").read_exact(&mut table);
        let memory = File::open(format!("/proc/{pid}/mem"));
        let mut tracee = Tracee { child, pid, program, memory: memory.expect("a child's memory can be read"), over };
        read.unwrap_or_else(|e| panic!("the child does not get ready ({e}); may this process trace? {}", tracee.end()));
        assert_eq!(tracee.wait(), Stop::Signal(libc::SIGSTOP), "the child stops itself");
        (tracee, word_at(&table, 0), word_at(&table, 1) as usize)
    }

    fn wait(&self) -> Stop {
        let mut status = 0;
        // SAFETY: the status is ours to write to, and the child has not been waited for.
        let waited = unsafe { libc::waitpid(self.pid, &mut status, libc::__WALL) };
        assert_eq!(waited, self.pid, "waitpid: {}", std::io::Error::last_os_error());
        if libc::WIFSTOPPED(status) { Stop::Signal(libc::WSTOPSIG(status)) } else { Stop::Ended(status) }
    }

    fn request(&self, request: libc::c_uint, address: u64, data: u64) -> i64 {
        // SAFETY: the child is ours and stands still; `data` is a number, or points to what the request fills.
        let result = unsafe { libc::ptrace(request, self.pid, address, data) };
        assert!(result != -1, "ptrace request {request:#x}: {}", std::io::Error::last_os_error());
        result
    }

    /// Runs one instruction, or delivers `signal` and stands at the first instruction of its handler.
    fn step(&self, signal: i32) -> Stop {
        self.request(libc::PTRACE_SINGLESTEP, 0, signal as u64);
        self.wait()
    }

    fn registers(&self) -> libc::user_regs_struct {
        // SAFETY: all-zero registers are a value.
        let mut registers: libc::user_regs_struct = unsafe { std::mem::zeroed() };
        self.request(libc::PTRACE_GETREGS, 0, &raw mut registers as u64);
        registers
    }

    fn words(&self, address: u64, count: usize) -> Vec<u64> {
        let mut bytes = vec![0; count * 8];
        let read = self.memory.read_exact_at(&mut bytes, address);
        read.unwrap_or_else(|e| panic!("{} bytes at {address:#x} of the child: {e}", bytes.len()));
        (0..count).map(|index| word_at(&bytes, index)).collect()
    }

    fn word(&self, address: u64) -> u64 {
        self.words(address, 1)[0]
    }

    /// The mappings whose last field ends in `name`, as `(start, end)`.
    fn mappings(&self, name: &str) -> Vec<(u64, u64)> {
        let maps = std::fs::read_to_string(format!("/proc/{}/maps", self.pid)).expect("a child's mappings are listed");
        let ranges = maps.lines().filter(|line| line.ends_with(name)).map(|line| {
            let (start, rest) = line.split_once('-').expect("a range");
            let end = rest.split_once(' ').expect("a range").0;
            (hexadecimal(start), hexadecimal(end))
        });
        ranges.collect()
    }

    /// Where a library, or the program, is loaded.
    fn bias_of(&self, library: &Library) -> u64 {
        self.mappings(&library.path.display().to_string()).first().expect("it is loaded").0
    }

    fn has_signal_waiting(&self) -> bool {
        #[repr(C)]
        struct Which {
            offset: u64,
            flags: u32,
            count: i32,
        }
        let which = Which { offset: 0, flags: 0, count: 1 };
        // SAFETY: all-zero bytes are a value.
        let mut signal: libc::siginfo_t = unsafe { std::mem::zeroed() };
        self.request(PEEK_SIGNALS, &raw const which as u64, &raw mut signal as u64) > 0
    }

    /// Kills what is left of the child, and says how it ended and what it wrote.
    fn end(&mut self) -> String {
        let _ = self.over.send(());
        let _ = self.child.kill();
        let mut said = String::new();
        if let Some(stderr) = self.child.stderr.as_mut() {
            let _ = stderr.read_to_string(&mut said);
        }
        format!("{:?}; it wrote: {said}", self.child.wait())
    }
}

impl Drop for Tracee {
    fn drop(&mut self) {
        self.end();
    }
}

/// Why a child stands still.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stop {
    Signal(i32),
    Ended(i32),
}

/// Kills the child at the deadline, unless it is over by then.
fn watch(pid: libc::pid_t) -> mpsc::Sender<()> {
    let (over, is_over) = mpsc::channel();
    std::thread::spawn(move || {
        if is_over.recv_timeout(DEADLINE) == Err(mpsc::RecvTimeoutError::Timeout) {
            // SAFETY: the child has not been waited for: `end` speaks up before.
            unsafe { libc::kill(pid, libc::SIGKILL) };
        }
    });
    over
}

fn word_at(bytes: &[u8], index: usize) -> u64 {
    u64::from_le_bytes(bytes[index * 8..][..8].try_into().expect("eight bytes"))
}

fn hexadecimal(text: &str) -> u64 {
    u64::from_str_radix(text, 16).unwrap_or_else(|e| panic!("{text}: {e}"))
}

/// A function of the library in the child.
#[derive(Clone, Copy)]
struct Extent {
    start: u64,
    end: u64,
}

impl Extent {
    fn contains(self, address: u64) -> bool {
        (self.start..self.end).contains(&address)
    }
}

/// Where things are in the library, before it is loaded.
struct Library {
    path: PathBuf,
}

impl Library {
    fn tool(&self, name: &str, arguments: &[&str]) -> String {
        let output = Command::new(name).args(arguments).arg(&self.path).output();
        let output = output.unwrap_or_else(|e| panic!("{name}: {e}; install binutils"));
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    fn function(&self, name: &str) -> Extent {
        let symbols = self.tool("nm", &["-D", "-S", "--defined-only"]);
        let line = symbols.lines().find(|line| line.split_whitespace().nth(3) == Some(name));
        let line = line.unwrap_or_else(|| panic!("the library exports no {name}"));
        let mut fields = line.split_whitespace().map(|field| u64::from_str_radix(field, 16).unwrap_or(0));
        let (start, size) = (fields.next().unwrap_or(0), fields.next().unwrap_or(0));
        Extent { start, end: start + size }
    }

    /// Where `malloc` reads the distance of the record's word from the thread pointer: the instruction before the one
    /// that reads thread-local storage names the place.
    fn record_offset_place(&self) -> u64 {
        let malloc = self.function("malloc");
        let range = [format!("--start-address={:#x}", malloc.start), format!("--stop-address={:#x}", malloc.end)];
        let text = self.tool("objdump", &["-d", "--no-show-raw-insn", "-M", "intel", &range[0], &range[1]]);
        let lines: Vec<&str> = text.lines().collect();
        let at = lines.iter().position(|line| line.contains("fs:[")).expect("malloc reads its thread's record");
        let (_, place) = lines[at - 1].split_once("# ").expect("the place is named");
        hexadecimal(place.split_whitespace().next().expect("an address"))
    }
}

/// The child, and what the tracer has to know to judge it.
struct Judge {
    tracee: Tracee,
    allocate: Extent,
    release: Extent,
    magazine: u64,
    table: (u64, usize),
    stack_end: u64,
    /// Every slot seen so far.
    slots: BTreeSet<u64>,
}

/// What the child is at one instruction.
struct Moment {
    registers: libc::user_regs_struct,
    top: u64,
    bottom: u64,
    limit: u64,
    cached: Vec<u64>,
    table: Vec<u64>,
    stack: Vec<u64>,
}

impl Moment {
    fn general_registers(&self) -> [u64; 15] {
        let r = &self.registers;
        [r.rax, r.rbx, r.rcx, r.rdx, r.rsi, r.rdi, r.rbp, r.r8, r.r9, r.r10, r.r11, r.r12, r.r13, r.r14, r.r15]
    }

    /// How many copies of a slot a collection would find outside the table.
    fn copies(&self, slot: u64) -> usize {
        let is_it = |word: &&u64| **word == slot;
        self.general_registers().iter().filter(is_it).count() + self.stack.iter().filter(is_it).count()
    }

    fn judge(&self, slots: &BTreeSet<u64>) -> Result<(), String> {
        if !(self.bottom <= self.top && self.top <= self.limit) {
            return Err(format!("the magazine is {:#x} <= {:#x} <= {:#x}", self.bottom, self.top, self.limit));
        }
        let cached: BTreeSet<u64> = self.cached.iter().copied().collect();
        if cached.len() < self.cached.len() {
            return Err("a slot is cached twice".into());
        }
        if let Some(both) = self.table.iter().find(|slot| cached.contains(slot)) {
            return Err(format!("slot {both:#x} is cached and in use"));
        }
        if let Some(stray) = cached.difference(slots).next() {
            return Err(format!("slot {stray:#x} is cached and was never seen: the slow path has run"));
        }
        let is_lost = |slot: &&u64| !cached.contains(slot) && !self.table.contains(slot) && self.copies(**slot) == 0;
        match slots.iter().find(is_lost) {
            Some(lost) => Err(format!("slot {lost:#x} is lost: neither cached nor found in table, registers or stack")),
            None => Ok(()),
        }
    }
}

impl Judge {
    fn start(pair: Pair, rounds: usize, options: &str) -> Judge {
        let library = Library { path: doors::doors().join("libgleaner_malloc.so") };
        let (tracee, table, length) = Tracee::start(pair, rounds, options);
        let bias = tracee.bias_of(&library);
        let program = Library { path: tracee.program.clone() };
        let at = |library: &Library, name: &str| {
            let (Extent { start, end }, bias) = (library.function(name), tracee.bias_of(library));
            Extent { start: bias + start, end: bias + end }
        };
        let offset = tracee.word(bias + library.record_offset_place());
        let record = tracee.word(tracee.registers().fs_base.wrapping_add(offset));
        assert_ne!(record, 0, "the child's thread has a record");
        let magazine = record + (pair.class().index() * size_of::<Magazine>()) as u64;
        let stack_end = tracee.mappings("[stack]").first().expect("a stack").1;
        let allocate = at(if pair.is_inlined { &program } else { &library }, pair.allocate);
        let release = at(&library, pair.release);
        let table = (table, length);
        let mut judge = Judge { tracee, allocate, release, magazine, table, stack_end, slots: BTreeSet::new() };
        let moment = judge.moment();
        judge.slots = moment.cached.iter().copied().collect();
        assert!(judge.slots.len() > length && moment.limit > moment.top, "the child has warmed its magazine up");
        judge
    }

    fn moment(&self) -> Moment {
        let registers = self.tracee.registers();
        let [top, bottom, limit] = self.tracee.words(self.magazine, 3)[..] else { unreachable!("three words") };
        let cached = self.tracee.words(bottom, (top.saturating_sub(bottom) / 8) as usize);
        let table = self.tracee.words(self.table.0, self.table.1);
        let from = (registers.rsp - RED_ZONE_BYTES) & !7;
        let stack = self.tracee.words(from, ((self.stack_end - from) / 8) as usize);
        Moment { registers, top, bottom, limit, cached, table, stack }
    }

    fn set_top(&self, top: u64) {
        self.tracee.request(libc::PTRACE_POKEDATA, self.magazine, top);
    }

    /// Steps the child until it stops itself again, and calls `look` between any two instructions.
    fn run(&mut self, mut look: impl FnMut(&mut Judge, &Moment, Place) -> Result<(), String>) -> Result<(), String> {
        let mut inside: Option<u64> = None;
        let mut signal = 0;
        loop {
            match self.tracee.step(signal) {
                Stop::Signal(libc::SIGTRAP) => signal = 0,
                Stop::Signal(libc::SIGSTOP) => return Ok(()),
                Stop::Signal(other) => return Err(format!("an unexpected signal {other}")),
                Stop::Ended(status) => return Err(format!("the child ended: {status:#x}; {}", self.tracee.end())),
            }
            let moment = self.moment();
            let rip = moment.registers.rip;
            let place = match inside {
                None if rip == self.allocate.start => Place::Allocate,
                None if rip == self.release.start => Place::Release,
                None => Place::Outside,
                Some(back) if rip == back => Place::Returned,
                Some(_) => Place::Inside,
            };
            match place {
                Place::Allocate | Place::Release => inside = Some(self.tracee.word(moment.registers.rsp)),
                Place::Returned => inside = None,
                Place::Inside | Place::Outside => {}
            }
            let judged = moment.judge(&self.slots).and_then(|()| look(self, &moment, place));
            judged.map_err(|fault| format!("at {}: {fault}", self.name_of(rip)))?;
        }
    }

    fn name_of(&self, rip: u64) -> String {
        let functions = [("allocation", self.allocate), ("free", self.release)];
        match functions.iter().find(|(_, extent)| extent.contains(rip)) {
            Some((name, extent)) => format!("{name}+{:#x}", rip - extent.start),
            None => format!("{rip:#x}"),
        }
    }

    /// Lets the child run to its end, which has to be a good one.
    fn finish(mut self) {
        self.tracee.request(libc::PTRACE_CONT, 0, 0);
        loop {
            match self.tracee.wait() {
                Stop::Ended(0) => break,
                Stop::Ended(status) => panic!("the child ended with {status:#x}; {}", self.tracee.end()),
                Stop::Signal(signal) => self.tracee.request(libc::PTRACE_CONT, 0, signal as u64),
            };
        }
    }

    /// Has the child's other thread collect while this one stands where it is. `false`: the collection was given up.
    fn collect(&mut self, collections: &mut u64) -> Result<bool, String> {
        let before = self.tracee.registers();
        let stdin = self.tracee.child.stdin.as_mut().expect("piped");
        stdin.write_all(b"c").map_err(|e| format!("the collecting thread is gone: {e}"))?;
        let deadline = Instant::now() + DEADLINE;
        while !self.tracee.has_signal_waiting() {
            if Instant::now() > deadline {
                return Err("no stop signal arrived".into());
            }
            std::thread::yield_now();
        }
        let Stop::Signal(signal) = self.tracee.step(0) else { return Err("the child ended".into()) };
        let mut stop = self.tracee.step(signal);
        loop {
            if stop != Stop::Signal(libc::SIGTRAP) {
                return Err(format!("{stop:?} in the stop handler; {}", self.tracee.end()));
            }
            let now = self.tracee.registers();
            if (now.rip, now.rsp) == (before.rip, before.rsp) {
                break;
            }
            stop = self.tracee.step(0);
        }
        let mut answer = [0; 8];
        let read = self.tracee.child.stdout.as_mut().expect("piped").read_exact(&mut answer);
        read.map_err(|e| format!("the collecting thread does not answer: {e}; {}", self.tracee.end()))?;
        let has_run = u64::from_le_bytes(answer) > *collections;
        *collections = u64::from_le_bytes(answer);
        Ok(has_run)
    }
}

/// Where the child stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// At the first instruction of the allocating function.
    Allocate,
    /// At the first instruction of the freeing function.
    Release,
    /// In one of them, or in what it calls.
    Inside,
    /// Just back from one of them.
    Returned,
    Outside,
}

/// At the start of a call, no stale copy of the slot in question may be about.
fn is_wiped(moment: &Moment, place: Place) -> Result<(), String> {
    let (slot, expected) = match place {
        Place::Allocate => (*moment.cached.last().ok_or("the magazine is empty")?, 0),
        Place::Release => (moment.registers.rdi, 1),
        _ => return Ok(()),
    };
    match moment.copies(slot) {
        found if found == expected => Ok(()),
        found => Err(format!("{found} copies of slot {slot:#x} are about, and not {expected}: the test's own premise")),
    }
}

fn every_slot_is_accounted_for(pair: Pair) {
    const ROUNDS: usize = 8;
    let mut judge = Judge::start(pair, ROUNDS, "");
    let mut calls = 0;
    let mut seen: BTreeMap<bool, BTreeSet<u64>> = BTreeMap::new();
    let result = judge.run(|judge, moment, place| {
        is_wiped(moment, place)?;
        calls += usize::from(place == Place::Returned);
        let rip = moment.registers.rip;
        for (is_release, extent) in [(false, judge.allocate), (true, judge.release)] {
            if extent.contains(rip) {
                seen.entry(is_release).or_default().insert(rip);
            }
        }
        Ok(())
    });
    result.unwrap_or_else(|fault| panic!("{}, {}: {fault}", pair.allocate, pair.release));
    assert_eq!(calls, ROUNDS * judge.table.1 * 2, "each object was allocated and freed");
    let stops = |is_release| seen.get(&is_release).map_or(0, BTreeSet::len);
    let (in_allocate, in_release) = pair.instructions();
    assert!(
        stops(false) >= in_allocate && stops(true) >= in_release,
        "stopped at {} and {} instructions",
        stops(false),
        stops(true)
    );
    judge.finish();
}

#[test]
fn malloc_and_free_account_for_every_slot_at_every_instruction() {
    every_slot_is_accounted_for(MALLOC);
}

#[test]
fn gc_malloc_and_gc_free_account_for_every_slot_at_every_instruction() {
    every_slot_is_accounted_for(GC);
}

#[test]
fn inlined_allocations_account_for_every_slot_at_every_instruction() {
    INLINED.into_iter().for_each(every_slot_is_accounted_for);
}

fn a_collection_harms_nothing(pair: Pair) {
    let mut judge = Judge::start(pair, 2, "verify=1:recheck=1");
    let mut collections = 0;
    let (mut collected, mut reached): (BTreeSet<u64>, BTreeSet<u64>) = Default::default();
    let result = judge.run(|judge, moment, place| {
        if matches!(place, Place::Allocate | Place::Release | Place::Inside) {
            let rip = moment.registers.rip;
            reached.insert(rip);
            if judge.collect(&mut collections)? {
                collected.insert(rip);
            }
            // What the collection left behind has to be in order as well.
            judge.moment().judge(&judge.slots)?;
        }
        Ok(())
    });
    result.unwrap_or_else(|fault| panic!("{}, {}: {fault}", pair.allocate, pair.release));
    let missed: Vec<u64> = reached.difference(&collected).copied().collect();
    let (in_allocate, in_release) = pair.instructions();
    assert!(
        missed.is_empty() && reached.len() >= in_allocate + in_release,
        "{} instructions, not collected at: {missed:x?}",
        reached.len()
    );
    judge.finish();
}

#[test]
fn a_collection_at_any_instruction_of_malloc_and_free_harms_nothing() {
    a_collection_harms_nothing(MALLOC);
}

#[test]
fn a_collection_at_any_instruction_of_gc_malloc_and_gc_free_harms_nothing() {
    a_collection_harms_nothing(GC);
}

#[test]
fn a_collection_at_any_instruction_of_an_inlined_allocation_harms_nothing() {
    INLINED.into_iter().for_each(a_collection_harms_nothing);
}

#[track_caller]
fn is_named(fault: &str, mut plant: impl FnMut(&Judge, &Moment, Place)) {
    let mut judge = Judge::start(MALLOC, 2, "");
    let result = judge.run(|judge, moment, place| {
        is_wiped(moment, place)?;
        plant(judge, moment, place);
        Ok(())
    });
    match result {
        Ok(()) => panic!("nothing was noticed; expected \"{fault}\""),
        Err(named) => assert!(named.contains(fault), "expected \"{fault}\", got \"{named}\""),
    }
}

#[test]
fn a_top_lowered_before_the_slot_is_read_is_named() {
    is_named("is lost", |judge, moment, place| {
        if place == Place::Allocate {
            judge.set_top(moment.top - 8);
        }
    });
}

#[test]
fn a_top_raised_before_the_slot_is_written_is_named() {
    is_named("is cached and in use", |judge, moment, place| {
        if place == Place::Release {
            judge.set_top(moment.top + 8);
        }
    });
}

#[test]
fn a_pointer_given_up_before_it_is_cached_is_named() {
    is_named("is lost", |judge, moment, place| {
        if place == Place::Release {
            let mut registers = moment.registers;
            registers.rdi = 0;
            judge.tracee.request(libc::PTRACE_SETREGS, 0, &raw mut registers as u64);
        }
    });
}
