//! The judge: reads a disassembled function and walks it along every path, with the registers as sums of unknowns.

use std::collections::{BTreeMap, BTreeSet};

/// Calls behind which nothing is judged: memory beyond the first span, and a request that overflows.
const COLD: [&str; 2] = ["unit_of_later_span", "__errno_location"];
/// In a program's code also what it calls when its cache is empty: its frames are its own.
const COLD_IN_PROGRAMS: [&str; 3] = ["gc_cache_malloc_slowly", "gc_cache_malloc_typed_slowly", "gc_malloc@plt"];

/// An instruction: its address, its name, its operands, and the symbol that objdump says it refers to.
#[derive(Clone, Debug)]
pub struct Instruction {
    address: u64,
    pub name: String,
    pub operands: Vec<String>,
    pub symbol: String,
}

/// Reads objdump's Intel syntax; what is no instruction is passed over.
pub fn parse(text: &str) -> Vec<Instruction> {
    text.lines().filter_map(parse_line).collect()
}

fn parse_line(line: &str) -> Option<Instruction> {
    let (address, rest) = line.split_once(':')?;
    let address = u64::from_str_radix(address.trim(), 16).ok()?;
    let (code, comment) = rest.split_once('#').unwrap_or((rest, ""));
    let (code, target) = code.split_once('<').unwrap_or((code, ""));
    let (name, operands) = code.trim().split_once(' ').unwrap_or((code.trim(), ""));
    let operands = operands.split(',').map(|operand| operand.trim().to_string()).filter(|operand| !operand.is_empty());
    let symbol = if target.is_empty() { comment } else { target };
    Some(Instruction { address, name: name.into(), operands: operands.collect(), symbol: symbol.trim().into() })
}

/// A value: a constant and unknowns, each so many times.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
struct Value {
    constant: i64,
    unknowns: BTreeMap<Unknown, i64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Unknown {
    /// What a register held at the entry.
    Entry(Register),
    /// What the n-th step of the path made.
    Made(usize),
}

type Register = usize;

const REGISTERS: [[&str; 4]; 16] = [
    ["rax", "eax", "ax", "al"],
    ["rbx", "ebx", "bx", "bl"],
    ["rcx", "ecx", "cx", "cl"],
    ["rdx", "edx", "dx", "dl"],
    ["rsi", "esi", "si", "sil"],
    ["rdi", "edi", "di", "dil"],
    ["rbp", "ebp", "bp", "bpl"],
    ["rsp", "esp", "sp", "spl"],
    ["r8", "r8d", "r8w", "r8b"],
    ["r9", "r9d", "r9w", "r9b"],
    ["r10", "r10d", "r10w", "r10b"],
    ["r11", "r11d", "r11w", "r11b"],
    ["r12", "r12d", "r12w", "r12b"],
    ["r13", "r13d", "r13w", "r13b"],
    ["r14", "r14d", "r14w", "r14b"],
    ["r15", "r15d", "r15w", "r15b"],
];
const RAX: Register = 0;
const RDI: Register = 5;
const RSP: Register = 7;
/// Kept over a call (System V ABI).
const KEPT: [Register; 7] = [1, 6, 7, 12, 13, 14, 15];

/// The register that a name is part of, and whether the name is all of it.
fn register(name: &str) -> Option<(Register, bool)> {
    REGISTERS.iter().enumerate().find_map(|(index, names)| {
        let width = names.iter().position(|known| *known == name)?;
        Some((index, width == 0))
    })
}

impl Value {
    fn constant(constant: i64) -> Value {
        Value { constant, unknowns: BTreeMap::new() }
    }

    fn unknown(unknown: Unknown) -> Value {
        Value { constant: 0, unknowns: BTreeMap::from([(unknown, 1)]) }
    }

    fn plus(&self, other: &Value, times: i64) -> Value {
        let mut sum = self.clone();
        sum.constant += other.constant * times;
        for (unknown, count) in &other.unknowns {
            *sum.unknowns.entry(*unknown).or_default() += count * times;
        }
        sum.unknowns.retain(|_, count| *count != 0);
        sum
    }

    fn offset(&self, bytes: i64) -> Value {
        self.plus(&Value::constant(bytes), 1)
    }

    /// On the stack: no access to memory that others see.
    fn is_stack(&self) -> bool {
        self.unknowns.contains_key(&Unknown::Entry(RSP))
    }
}

/// What a path did to memory, in order.
#[derive(Clone, Debug)]
enum Access {
    Read {
        from: Value,
        got: Value,
    },
    /// A write, and the registers' values then.
    Write {
        to: Value,
        what: Value,
        held: Vec<Value>,
    },
    /// After an instruction: the registers' values.
    Step(Vec<Value>),
}

/// How a path ends.
#[derive(Clone, Debug, PartialEq, Eq)]
enum End {
    Returns,
    Leaves,
    /// Behind a call in [`COLD`], or past a slot that is null, which a magazine never holds.
    NotJudged,
}

#[derive(Clone)]
struct Path {
    registers: Vec<Value>,
    stack: Vec<(Value, Value)>,
    accesses: Vec<Access>,
    calls: Vec<String>,
    /// Vector registers that are zero.
    zeros: BTreeSet<String>,
    /// How often one of them was stored to the object that is freed, before anything else was written.
    cleared: usize,
    visited: BTreeSet<u64>,
    /// The value that the flags were set from by `test r, r`.
    tested: Option<Value>,
    steps: usize,
}

/// A function under judgement.
struct Function<'a> {
    name: &'a str,
    code: Vec<Instruction>,
    /// It is a program's, and goes on to fill the object it has popped.
    is_program_s: bool,
}

pub type Verdict<T> = Result<T, String>;

impl Function<'_> {
    fn fault<T>(&self, at: u64, what: &str) -> Verdict<T> {
        Err(format!("{} at {at:x}: {what}", self.name))
    }

    fn index_of(&self, address: u64) -> Option<usize> {
        self.code.iter().position(|instruction| instruction.address == address)
    }

    fn is_cold(&self, symbol: &str) -> bool {
        let in_programs = COLD_IN_PROGRAMS.iter().filter(|_| self.is_program_s);
        COLD.iter().chain(in_programs).any(|cold| symbol.contains(cold))
    }

    fn has_no_lock_and_no_fence(&self) -> Verdict<()> {
        for instruction in &self.code {
            let exchanges = instruction.name == "xchg" && instruction.operands.iter().any(|text| text.contains('['));
            let name = instruction.name.as_str();
            if exchanges || ["lock", "mfence", "lfence", "sfence", "cpuid", "syscall"].contains(&name) {
                return self.fault(instruction.address, &format!("{name} on a path that promises none"));
            }
        }
        Ok(())
    }

    /// Every path from the entry, each instruction at most once, and how it ends.
    fn paths(&self) -> Verdict<Vec<(Path, End)>> {
        let registers = (0..16).map(|register| Value::unknown(Unknown::Entry(register))).collect();
        let start = Path {
            registers,
            stack: Vec::new(),
            accesses: Vec::new(),
            calls: Vec::new(),
            zeros: BTreeSet::new(),
            cleared: 0,
            visited: BTreeSet::new(),
            tested: None,
            steps: 0,
        };
        let mut ended = Vec::new();
        let mut waiting = vec![(0, start)];
        while let Some((index, mut path)) = waiting.pop() {
            let Some(instruction) = self.code.get(index) else {
                return self.fault(self.code[index - 1].address, "the path runs past the function's end");
            };
            if !path.visited.insert(instruction.address) {
                continue;
            }
            if ended.len() + waiting.len() > 10_000 {
                return self.fault(instruction.address, "too many paths for a fast path");
            }
            self.step(index, &mut path, &mut waiting, &mut ended)?;
        }
        Ok(ended)
    }

    fn step(
        &self,
        index: usize,
        path: &mut Path,
        waiting: &mut Vec<(usize, Path)>,
        ended: &mut Vec<(Path, End)>,
    ) -> Verdict<()> {
        let instruction = &self.code[index];
        let target = instruction.operands.first().and_then(|text| u64::from_str_radix(text, 16).ok());
        let inside = target.and_then(|target| self.index_of(target));
        match instruction.name.as_str() {
            "ret" => ended.push((path.clone(), End::Returns)),
            "jmp" => match inside {
                Some(next) => waiting.push((next, path.clone())),
                None => {
                    path.calls.push(instruction.symbol.clone());
                    ended.push((path.clone(), End::Leaves));
                }
            },
            name if name.starts_with('j') => {
                waiting.push((index + 1, path.clone()));
                match inside {
                    _ if name == "je" && path.tests_a_popped_slot() => ended.push((path.clone(), End::NotJudged)),
                    Some(next) => waiting.push((next, path.clone())),
                    None => {
                        path.calls.push(instruction.symbol.clone());
                        ended.push((path.clone(), End::Leaves));
                    }
                }
            }
            "call" if self.is_cold(&instruction.symbol) => {
                ended.push((path.clone(), End::NotJudged));
            }
            _ => {
                path.execute(instruction);
                waiting.push((index + 1, path.clone()));
            }
        }
        Ok(())
    }

    /// Judges all paths; returns how many of each kind there are.
    fn judge(&self) -> Verdict<Found> {
        self.has_no_lock_and_no_fence()?;
        let mut found = Found::default();
        for (path, end) in self.paths()? {
            match end {
                End::NotJudged => {}
                End::Leaves if path.clears_what_it_popped() => {
                    self.judge_pop(&path, RDI)?;
                    found.pops += 1;
                }
                End::Leaves => {
                    self.judge_slow(&path)?;
                    found.leaves += 1;
                }
                End::Returns => self.judge_fast(&path, &mut found)?,
            }
        }
        Ok(found)
    }

    fn judge_fast(&self, path: &Path, found: &mut Found) -> Verdict<()> {
        if let Some(call) = path.calls.iter().find(|call| !call.contains("memset")) {
            return Err(format!("{}: a path that returns calls {call}; its frame stays below the call", self.name));
        }
        match path.writes().len() {
            0 => found.idle += 1,
            1.. if self.is_program_s => {
                self.judge_pop(path, RAX)?;
                found.pops += 1;
            }
            1 => {
                self.judge_pop(path, RAX)?;
                found.pops += 1;
            }
            _ => {
                self.judge_push(path)?;
                found.pushes += 1;
                found.clearing += usize::from(!path.calls.is_empty() || path.cleared > 0);
            }
        }
        self.judge_frame(path)
    }

    /// `result`: the register that the slot is handed on in.
    fn judge_pop(&self, path: &Path, result: Register) -> Verdict<()> {
        let writes = path.writes();
        let [(place, Access::Write { to, what, .. }), filling @ ..] = &writes[..] else {
            return Err(format!("{}: a pop writes once, this path does not", self.name));
        };
        let place = *place;
        if !self.is_program_s && !filling.is_empty() {
            return Err(format!("{}: a pop writes once, this path writes {} times", self.name, writes.len()));
        }
        let lowered = path.reads().find(|(_, from, got)| *from == to && got.offset(-8) == *what);
        let Some((_, _, top)) = lowered else {
            return Err(format!("{}: the write of a pop is not the lowered top to where top was read", self.name));
        };
        let slot = path.reads().find(|(_, from, _)| **from == top.offset(-8));
        let Some((read, _, slot)) = slot else {
            return Err(format!("{}: a pop does not read the word below top", self.name));
        };
        if read > place {
            return Err(format!("{}: top is lowered before the slot is read: it would be lost between", self.name));
        }
        let is_in_slot = |to: &Value| to.plus(slot, -1).unknowns.is_empty();
        if filling.iter().any(|(_, access)| !matches!(access, Access::Write { to, .. } if is_in_slot(to))) {
            return Err(format!("{}: a pop is followed by a write that is none to its object", self.name));
        }
        if path.registers[result] != *slot {
            return Err(format!("{}: what a pop hands on is not the slot it read", self.name));
        }
        self.is_held(path, place, path.accesses.len(), slot)
    }

    fn judge_push(&self, path: &Path) -> Verdict<()> {
        let [(slot_place, slot_write), (top_place, top_write)] = path.writes()[..] else {
            return Err(format!("{}: a push writes twice, this path writes {} times", self.name, path.writes().len()));
        };
        let argument = Value::unknown(Unknown::Entry(RDI));
        let (Access::Write { to: slot_at, what: slot, .. }, Access::Write { to: top_at, what: raised, .. }) =
            (slot_write, top_write)
        else {
            unreachable!("`writes` gives writes");
        };
        // Told apart from a wrong order: the same two writes the other way round.
        if *raised == argument {
            return Err(format!(
                "{}: top is raised before the slot is written: a stale word counts between",
                self.name
            ));
        }
        if *slot != argument {
            return Err(format!("{}: what a push writes first is not its argument", self.name));
        }
        let top = path.reads().rfind(|(at, from, got)| *at < slot_place && *from == top_at && *got == slot_at);
        if top.is_none() || *raised != slot_at.offset(8) {
            return Err(format!("{}: a push does not write at top and then raise it by a word", self.name));
        }
        self.is_held(path, 0, top_place + 1, &argument)
    }

    /// At every step of the path from access `first` to `end`, a register holds `value`.
    fn is_held(&self, path: &Path, first: usize, end: usize, value: &Value) -> Verdict<()> {
        for access in &path.accesses[first..end] {
            let registers = match access {
                Access::Step(registers) | Access::Write { held: registers, .. } => registers,
                Access::Read { .. } => continue,
            };
            if !registers.contains(value) {
                return Err(format!("{}: no register holds the slot at some instruction where it must", self.name));
            }
        }
        Ok(())
    }

    fn judge_slow(&self, path: &Path) -> Verdict<()> {
        if !path.writes().is_empty() {
            return Err(format!("{}: a path to the slow path has written to memory", self.name));
        }
        // A jump through a pointer has no symbol of its own; it is the last in the list all the same.
        if let Some(call) = path.calls.iter().rev().skip(1).find(|call| !call.contains("memset")) {
            return Err(format!("{}: a path to the slow path calls {call} first", self.name));
        }
        self.judge_frame(path)
    }

    fn judge_frame(&self, path: &Path) -> Verdict<()> {
        for register in KEPT {
            if path.registers[register] != Value::unknown(Unknown::Entry(register)) {
                let name = REGISTERS[register][0];
                return Err(format!("{}: a path ends with {name} not as it was: a frame of ours stays", self.name));
            }
        }
        Ok(())
    }
}

/// How many paths of each kind a function has.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Found {
    pub pops: usize,
    pub pushes: usize,
    /// Pushes that clear the object first.
    pub clearing: usize,
    pub leaves: usize,
    /// Paths that return and touch no magazine: the free of null.
    pub idle: usize,
}

impl Path {
    fn operand(&self, text: &str) -> Option<Value> {
        if let Some((register, true)) = register(text) {
            return Some(self.registers[register].clone());
        }
        number(text).map(Value::constant)
    }

    /// The address that a memory operand names; thread-local ones are places of their own.
    fn address(&mut self, text: &str) -> Option<Value> {
        let (before, inner) = text.split_once('[')?;
        let mut sum = Value::default();
        for term in inner.trim_end_matches(']').replace('-', "+-").split('+').filter(|term| !term.is_empty()) {
            let (name, scale) = term.split_once('*').unwrap_or((term, "1"));
            let scale = scale.parse().expect("a scale is a number");
            match register(name) {
                Some((register, _)) => sum = sum.plus(&self.registers[register], scale),
                None if name == "rip" => sum = sum.plus(&self.fresh(), 1),
                None => sum.constant += number(term).expect("a displacement is a number"),
            }
        }
        Some(if before.contains("fs:") { self.fresh() } else { sum })
    }

    fn fresh(&mut self) -> Value {
        self.steps += 1;
        Value::unknown(Unknown::Made(self.steps))
    }

    fn read(&mut self, from: Value) -> Value {
        let known = self.stack.iter().rev().find(|(place, _)| *place == from).map(|(_, what)| what.clone());
        let got = known.unwrap_or_else(|| self.fresh());
        if !from.is_stack() {
            self.accesses.push(Access::Read { from, got: got.clone() });
        }
        got
    }

    fn write(&mut self, to: Value, what: Value) {
        if to.is_stack() {
            self.stack.push((to, what));
        } else {
            self.accesses.push(Access::Write { to, what, held: self.registers.clone() });
        }
    }

    fn writes(&self) -> Vec<(usize, &Access)> {
        self.accesses.iter().enumerate().filter(|(_, access)| matches!(access, Access::Write { .. })).collect()
    }

    /// Reads, as `(place in the path, address, value)`.
    fn reads(&self) -> impl DoubleEndedIterator<Item = (usize, &Value, &Value)> {
        self.accesses.iter().enumerate().filter_map(|(place, access)| match access {
            Access::Read { from, got } => Some((place, from, got)),
            _ => None,
        })
    }

    /// Whether the flags say if a slot popped on this path is null.
    fn tests_a_popped_slot(&self) -> bool {
        let Some(tested) = &self.tested else { return false };
        let lowered = self.accesses.iter().find_map(|access| match access {
            Access::Write { what, .. } => Some(what),
            _ => None,
        });
        lowered.is_some_and(|lowered| self.reads().any(|(_, from, got)| from == lowered && got == tested))
    }

    /// `calloc`: the path ends in a jump to `memset`, which returns the slot it is given.
    fn clears_what_it_popped(&self) -> bool {
        self.calls.last().is_some_and(|call| call.contains("memset"))
    }

    fn execute(&mut self, instruction: &Instruction) {
        let operands: Vec<&str> = instruction.operands.iter().map(String::as_str).collect();
        let is_word =
            operands.first().is_some_and(|text| text.contains("QWORD") || register(text).is_some_and(|r| r.1));
        self.tested = None;
        match (instruction.name.as_str(), &operands[..]) {
            ("push", [what]) => {
                let what = self.operand(what).unwrap_or_else(|| self.fresh());
                self.registers[RSP] = self.registers[RSP].offset(-8);
                self.write(self.registers[RSP].clone(), what);
            }
            ("pop", [to]) => {
                let got = self.read(self.registers[RSP].clone());
                self.registers[RSP] = self.registers[RSP].offset(8);
                self.set(to, Some(got));
            }
            ("call", _) => self.call(&instruction.symbol),
            ("lea", [to, place]) => {
                let address = self.address(place);
                self.set(to, address);
            }
            ("mov", [to, from]) => {
                let what = match self.address(from) {
                    Some(place) => self.read(place),
                    None => self.operand(from).unwrap_or_else(|| self.fresh()),
                };
                let what = if is_word { what } else { self.fresh() };
                self.set(to, Some(what));
            }
            ("add" | "sub", [to, by]) if is_word && register(to).is_some() && self.operand(by).is_some() => {
                let times = if instruction.name == "add" { 1 } else { -1 };
                let sum = self.operand(to).zip(self.operand(by)).map(|(to, by)| to.plus(&by, times));
                self.set(to, sum);
            }
            ("xorps" | "pxor", [to, from]) if to == from => _ = self.zeros.insert((*to).into()),
            ("movups" | "movdqu", [to, from]) if self.zeros.contains(*from) && register(to).is_none() => {
                let place = self.address(to);
                self.clear(place);
            }
            ("test", [one, other]) => self.tested = self.operand(one).filter(|_| one == other),
            ("cmp" | "bt", _) => self.reads_of(&operands),
            ("nop" | "endbr64" | "data16", _) => {}
            // Anything else makes something unknown of its first operand; `mul` and its kin of these two too.
            (name, _) => {
                self.reads_of(&operands[1.min(operands.len())..]);
                if ["mul", "imul", "div", "idiv", "cqo", "cdq", "xchg"].contains(&name) && operands.len() < 2 {
                    self.registers[RAX] = self.fresh();
                    self.registers[3] = self.fresh();
                }
                if let Some(to) = operands.first() {
                    self.zeros.remove(*to);
                    self.set(to, None);
                }
            }
        }
        self.accesses.push(Access::Step(self.registers.clone()));
    }

    /// A zero is stored: a write like any other, but to the object that is freed while it is still the caller's.
    fn clear(&mut self, place: Option<Value>) {
        let Some(place) = place else { return };
        if place.unknowns.get(&Unknown::Entry(RDI)) == Some(&1) && self.writes().is_empty() {
            self.cleared += 1;
        } else {
            self.write(place, Value::constant(0));
        }
    }

    fn reads_of(&mut self, operands: &[&str]) {
        for operand in operands {
            if let Some(place) = self.address(operand) {
                self.read(place);
            }
        }
    }

    fn set(&mut self, to: &str, what: Option<Value>) {
        let what = what.unwrap_or_else(|| self.fresh());
        if let Some((register, is_whole)) = register(to) {
            self.registers[register] = if is_whole { what } else { self.fresh() };
        } else if let Some(place) = self.address(to) {
            self.write(place, what);
        }
    }

    fn call(&mut self, symbol: &str) {
        self.calls.push(symbol.into());
        self.zeros.clear();
        for register in (0..16).filter(|register| !KEPT.contains(register)) {
            self.registers[register] = self.fresh();
        }
    }
}

fn number(text: &str) -> Option<i64> {
    let (sign, digits) = text.strip_prefix('-').map_or((1, text), |digits| (-1, digits));
    match digits.strip_prefix("0x") {
        Some(digits) => u64::from_str_radix(digits, 16).ok().map(|value| sign * value as i64),
        None => digits.parse::<i64>().ok().map(|value| sign * value),
    }
}

/// What the paths of the function `name` are, or what is wrong with one of them.
pub fn judge(name: &str, text: &str) -> Verdict<Found> {
    judge_as(name, text, false)
}

/// The same for a function of a program that pops by `gleaner_inline.h`.
pub fn judge_of_program(name: &str, text: &str) -> Verdict<Found> {
    judge_as(name, text, true)
}

fn judge_as(name: &str, text: &str, is_program_s: bool) -> Verdict<Found> {
    let function = Function { name, code: parse(text), is_program_s };
    if function.code.is_empty() { Err(format!("{name}: no instruction was read")) } else { function.judge() }
}
