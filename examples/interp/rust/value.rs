//! Values: what a variable can hold. All of them are two words, and may be copied.
//!
//! Whatever is larger lies behind a handle. Nobody says where the handles are and nobody counts them: the collector finds them
//! in frames, pairs, vectors, in Rust's own `HashMap`s and on the stack.

use crate::code::Lambda;
use crate::run::{Error, Interp};
use crate::table::Table;
use gleaner::{Gc, WeakMap};
use std::cell::{Cell, RefCell};
use std::fmt;

#[derive(Clone, Copy)]
pub enum Value {
    Nil,
    Unspecified,
    Bool(bool),
    Int(i64),
    Float(f64),
    Char(char),
    Symbol(Gc<Symbol>),
    Text(Gc<RefCell<String>>),
    Pair(Gc<Pair>),
    Vector(Gc<Vector>),
    Closure(Gc<Closure>),
    Primitive(&'static Primitive),
    Escape(Gc<Escape>),
    Record(Gc<Record>),
    Condition(Gc<Condition>),
    Table(Gc<RefCell<Table>>),
    WeakTable(Gc<RefCell<WeakMap<Pair, Value>>>),
    /// A port that writes to a text.
    Port(Gc<RefCell<String>>),
    EndOfFile,
}

const _: () = assert!(size_of::<Value>() == 2 * size_of::<usize>());

/// A name, and the value that it has globally.
pub struct Symbol {
    pub name: String,
    pub value: Cell<Option<Value>>,
}

pub struct Pair {
    pub head: Cell<Value>,
    pub tail: Cell<Value>,
}

/// The items' handle is two words long, so it lies behind one of its own.
pub struct Vector(pub Gc<[Cell<Value>]>);

pub struct Closure {
    pub lambda: Gc<Lambda>,
    pub environment: Option<Gc<Frame>>,
}

/// The variables of a call, and where those of the procedure around it are.
///
/// A frame is one object with as many slots as its procedure needs: made with an array of them, then seen as a slice.
pub struct Frame<S: ?Sized = [Cell<Value>]> {
    pub parent: Option<Gc<Frame>>,
    pub slots: S,
}

impl Frame {
    pub fn new(size: usize, parent: Option<Gc<Frame>>) -> Gc<Frame> {
        fn of<const N: usize>(parent: Option<Gc<Frame>>) -> Gc<Frame> {
            let frame = Gc::new(Frame { parent, slots: [const { Cell::new(Value::Unspecified) }; N] });
            Gc::map(frame, |frame| frame as &Frame)
        }
        match size {
            0 => of::<0>(parent),
            1 => of::<1>(parent),
            2 => of::<2>(parent),
            3 => of::<3>(parent),
            4 => of::<4>(parent),
            5..=8 => of::<8>(parent),
            9..=32 => of::<32>(parent),
            _ => of::<256>(parent),
        }
    }
}

/// The most variables that a procedure can have.
pub const SLOTS_MAX: usize = 256;

pub struct Primitive {
    pub name: &'static str,
    /// The least and the most arguments.
    pub arity: (usize, usize),
    pub function: fn(&Interp, &[Value]) -> Result<Value, Error>,
}

/// The type's name and its fields' make up a list, whose first pair is the type.
pub struct Record {
    pub kind: Gc<Pair>,
    pub fields: Gc<[Cell<Value>]>,
}

/// What went wrong, and with what.
pub struct Condition {
    pub message: Value,
    pub irritants: Value,
}

/// A continuation that leads out, and not in again.
pub struct Escape {
    pub number: usize,
    pub has_ended: Cell<bool>,
}

impl Value {
    pub fn cons(head: Value, tail: Value) -> Value {
        Value::Pair(Gc::new(Pair { head: Cell::new(head), tail: Cell::new(tail) }))
    }

    pub fn list(items: &[Value]) -> Value {
        items.iter().rev().fold(Value::Nil, |tail, &head| Value::cons(head, tail))
    }

    pub fn text(text: impl Into<String>) -> Value {
        Value::Text(Gc::new(RefCell::new(text.into())))
    }

    pub fn vector(items: impl ExactSizeIterator<Item = Value>) -> Value {
        let mut items = items;
        let cells = Gc::slice_from_fn(items.len(), |_| Cell::new(items.next().unwrap_or(Value::Unspecified)));
        Value::Vector(Gc::new(Vector(cells)))
    }

    pub fn is_true(self) -> bool {
        !matches!(self, Value::Bool(false))
    }

    /// The items of a proper list: one that comes back to itself is none.
    pub fn items(self) -> Option<Vec<Value>> {
        let mut items = Vec::new();
        let (mut rest, mut slow) = (self, self);
        while let Value::Pair(pair) = rest {
            items.push(pair.head.get());
            rest = pair.tail.get();
            if let Value::Pair(behind) = slow
                && items.len() % 2 == 0
            {
                slow = behind.tail.get();
                if matches!((rest, slow), (Value::Pair(a), Value::Pair(b)) if Gc::ptr_eq(a, b)) {
                    return None;
                }
            }
        }
        matches!(rest, Value::Nil).then_some(items)
    }

    /// `eqv?`: the same object, or the same number or character.
    pub fn is_same(self, other: Value) -> bool {
        match (self, other) {
            (Value::Nil, Value::Nil) | (Value::Unspecified, Value::Unspecified) => true,
            (Value::Bool(a), Value::Bool(b)) => a == b,
            (Value::Int(a), Value::Int(b)) => a == b,
            (Value::Float(a), Value::Float(b)) => a.to_bits() == b.to_bits(),
            (Value::Char(a), Value::Char(b)) => a == b,
            (Value::Symbol(a), Value::Symbol(b)) => Gc::ptr_eq(a, b),
            (Value::Text(a), Value::Text(b)) => Gc::ptr_eq(a, b),
            (Value::Pair(a), Value::Pair(b)) => Gc::ptr_eq(a, b),
            (Value::Vector(a), Value::Vector(b)) => Gc::ptr_eq(a, b),
            (Value::Closure(a), Value::Closure(b)) => Gc::ptr_eq(a, b),
            (Value::Primitive(a), Value::Primitive(b)) => std::ptr::eq(a, b),
            (Value::Escape(a), Value::Escape(b)) => Gc::ptr_eq(a, b),
            (Value::Record(a), Value::Record(b)) => Gc::ptr_eq(a, b),
            (Value::Condition(a), Value::Condition(b)) => Gc::ptr_eq(a, b),
            (Value::Table(a), Value::Table(b)) => Gc::ptr_eq(a, b),
            (Value::WeakTable(a), Value::WeakTable(b)) => Gc::ptr_eq(a, b),
            (Value::Port(a), Value::Port(b)) => Gc::ptr_eq(a, b),
            (Value::EndOfFile, Value::EndOfFile) => true,
            _ => false,
        }
    }

    /// `equal?`: the same, or of the same parts.
    pub fn is_equal(self, other: Value) -> bool {
        match (self, other) {
            (Value::Text(a), Value::Text(b)) => *a.borrow() == *b.borrow(),
            (Value::Vector(a), Value::Vector(b)) => {
                a.0.len() == b.0.len() && a.0.iter().zip(b.0.iter()).all(|(a, b)| a.get().is_equal(b.get()))
            }
            (Value::Pair(mut a), Value::Pair(mut b)) => loop {
                if !a.head.get().is_equal(b.head.get()) {
                    return false;
                }
                match (a.tail.get(), b.tail.get()) {
                    (Value::Pair(next), Value::Pair(other)) => (a, b) = (next, other),
                    (a, b) => return a.is_equal(b),
                }
            },
            _ => self.is_same(other),
        }
    }
}

/// A value as `display` shows it, and with `{:#}` as `write` does.
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Value::Nil => f.write_str("()"),
            Value::Unspecified => f.write_str("#<unspecified>"),
            Value::Bool(value) => f.write_str(if value { "#t" } else { "#f" }),
            Value::Int(value) => write!(f, "{value}"),
            Value::Float(value) => write_float(f, value),
            Value::Char(value) if f.alternate() => write_char(f, value),
            Value::Char(value) => write!(f, "{value}"),
            Value::Symbol(symbol) => f.write_str(&symbol.name),
            Value::Text(text) if f.alternate() => write_text(f, &text.borrow()),
            Value::Text(text) => f.write_str(&text.borrow()),
            Value::Pair(pair) => write_pair(f, pair),
            Value::Vector(vector) => write_vector(f, vector),
            Value::Closure(closure) if closure.lambda.name.is_empty() => f.write_str("#<procedure>"),
            Value::Closure(closure) => write!(f, "#<procedure {}>", closure.lambda.name),
            Value::Primitive(primitive) => write!(f, "#<procedure {}>", primitive.name),
            Value::Escape(_) => f.write_str("#<continuation>"),
            Value::Record(record) => write_record(f, record),
            Value::Condition(condition) => write!(f, "#<error object {}>", condition.message),
            Value::Table(_) | Value::WeakTable(_) => f.write_str("#<hash table>"),
            Value::Port(_) => f.write_str("#<port>"),
            Value::EndOfFile => f.write_str("#<eof>"),
        }
    }
}

fn write_part(f: &mut fmt::Formatter<'_>, value: Value) -> fmt::Result {
    if f.alternate() { write!(f, "{value:#}") } else { write!(f, "{value}") }
}

fn write_float(f: &mut fmt::Formatter<'_>, value: f64) -> fmt::Result {
    match value {
        _ if value.is_nan() => f.write_str("+nan.0"),
        _ if value.is_infinite() => f.write_str(if value > 0.0 { "+inf.0" } else { "-inf.0" }),
        _ => write!(f, "{value:?}"),
    }
}

fn write_char(f: &mut fmt::Formatter<'_>, value: char) -> fmt::Result {
    match value {
        ' ' => f.write_str("#\\space"),
        '\n' => f.write_str("#\\newline"),
        '\t' => f.write_str("#\\tab"),
        '\0' => f.write_str("#\\null"),
        _ => write!(f, "#\\{value}"),
    }
}

fn write_text(f: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    f.write_str("\"")?;
    for c in text.chars() {
        match c {
            '"' | '\\' => write!(f, "\\{c}")?,
            '\n' => f.write_str("\\n")?,
            '\t' => f.write_str("\\t")?,
            _ => write!(f, "{c}")?,
        }
    }
    f.write_str("\"")
}

/// `#<name field: value, …>`.
fn write_record(f: &mut fmt::Formatter<'_>, record: Gc<Record>) -> fmt::Result {
    write!(f, "#<{}", record.kind.head.get())?;
    let names = record.kind.tail.get().items().unwrap_or_default();
    for (index, (name, field)) in names.iter().zip(record.fields.iter()).enumerate() {
        write!(f, "{} {name}: ", if index == 0 { "" } else { "," })?;
        write_part(f, field.get())?;
    }
    f.write_str(">")
}

/// The sign that stands for `(quote x)` and its kin.
fn sign_of(pair: Gc<Pair>) -> Option<(&'static str, Value)> {
    let (Value::Symbol(symbol), Value::Pair(rest)) = (pair.head.get(), pair.tail.get()) else { return None };
    let sign = match symbol.name.as_str() {
        "quote" => "'",
        "quasiquote" => "`",
        "unquote" => ",",
        "unquote-splicing" => ",@",
        _ => return None,
    };
    matches!(rest.tail.get(), Value::Nil).then(|| (sign, rest.head.get()))
}

fn write_pair(f: &mut fmt::Formatter<'_>, pair: Gc<Pair>) -> fmt::Result {
    if let Some((sign, quoted)) = sign_of(pair) {
        f.write_str(sign)?;
        return write_part(f, quoted);
    }
    f.write_str("(")?;
    write_part(f, pair.head.get())?;
    let mut rest = pair.tail.get();
    while let Value::Pair(pair) = rest {
        f.write_str(" ")?;
        write_part(f, pair.head.get())?;
        rest = pair.tail.get();
    }
    if !matches!(rest, Value::Nil) {
        f.write_str(" . ")?;
        write_part(f, rest)?;
    }
    f.write_str(")")
}

fn write_vector(f: &mut fmt::Formatter<'_>, vector: Gc<Vector>) -> fmt::Result {
    f.write_str("#(")?;
    for (index, item) in vector.0.iter().enumerate() {
        f.write_str(if index == 0 { "" } else { " " })?;
        write_part(f, item.get())?;
    }
    f.write_str(")")
}
