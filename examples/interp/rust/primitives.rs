//! The procedures that are there from the start.

use crate::code::Compiler;
use crate::reader;
use crate::run::{Error, Interp};
use crate::table::Table;
use crate::value::{Condition, Pair, Primitive, Record, Symbol, Value};
use gleaner::{Gc, WeakMap};
use std::cell::{Cell, RefCell};
use std::cmp::Ordering;

type Result<T> = std::result::Result<T, Error>;

const ANY: usize = usize::MAX;

macro_rules! primitives {
    ($($name:literal $least:literal..=$most:expr => $function:expr;)*) => {
        pub static ALL: &[Primitive] =
            &[$(Primitive { name: $name, arity: ($least, $most), function: $function },)*];
    };
}

primitives! {
    "+" 0..=ANY => |_, a| fold(a, Value::Int(0), i64::checked_add, |a, b| a + b);
    "*" 0..=ANY => |_, a| fold(a, Value::Int(1), i64::checked_mul, |a, b| a * b);
    "-" 1..=ANY => |_, a| subtract(a);
    "/" 1..=ANY => |_, a| divide(a);
    "=" 1..=ANY => |_, a| compare(a, Ordering::is_eq);
    "<" 1..=ANY => |_, a| compare(a, Ordering::is_lt);
    ">" 1..=ANY => |_, a| compare(a, Ordering::is_gt);
    "<=" 1..=ANY => |_, a| compare(a, Ordering::is_le);
    ">=" 1..=ANY => |_, a| compare(a, Ordering::is_ge);
    "quotient" 2..=2 => |_, a| integers(a, i64::checked_div);
    "remainder" 2..=2 => |_, a| integers(a, i64::checked_rem);
    "modulo" 2..=2 => |_, a| integers(a, |a, b| a.checked_rem(b).map(|rest| if rest != 0 && (rest < 0) != (b < 0) { rest + b } else { rest }));
    "sqrt" 1..=1 => |_, a| root(a[0]);
    "floor" 1..=1 => |_, a| round(a[0], f64::floor);
    "ceiling" 1..=1 => |_, a| round(a[0], f64::ceil);
    "truncate" 1..=1 => |_, a| round(a[0], f64::trunc);
    "round" 1..=1 => |_, a| round(a[0], f64::round_ties_even);
    "exp" 1..=1 => |_, a| Ok(Value::Float(float(a[0])?.exp()));
    "log" 1..=1 => |_, a| Ok(Value::Float(float(a[0])?.ln()));
    "sin" 1..=1 => |_, a| Ok(Value::Float(float(a[0])?.sin()));
    "cos" 1..=1 => |_, a| Ok(Value::Float(float(a[0])?.cos()));
    "atan" 1..=2 => |_, a| Ok(Value::Float(float(a[0])?.atan2(a.get(1).map_or(Ok(1.0), |&x| float(x))?)));
    "%pow" 2..=2 => |_, a| Ok(Value::Float(float(a[0])?.powf(float(a[1])?)));
    "exact" 1..=1 => |_, a| exact(a[0]);
    "inexact" 1..=1 => |_, a| Ok(Value::Float(float(a[0])?));
    "number->string" 1..=2 => |_, a| number_to_string(a);
    "string->number" 1..=2 => |_, a| string_to_number(a);
    "zero?" 1..=1 => |_, a| Ok(Value::Bool(float(a[0])? == 0.0));

    "number?" 1..=1 => |_, a| is(a, |v| matches!(v, Value::Int(_) | Value::Float(_)));
    "exact-integer?" 1..=1 => |_, a| is(a, |v| matches!(v, Value::Int(_)));
    "integer?" 1..=1 => |_, a| is(a, |v| matches!(v, Value::Int(_)) || matches!(v, Value::Float(x) if x.fract() == 0.0));
    "symbol?" 1..=1 => |_, a| is(a, |v| matches!(v, Value::Symbol(_)));
    "string?" 1..=1 => |_, a| is(a, |v| matches!(v, Value::Text(_)));
    "char?" 1..=1 => |_, a| is(a, |v| matches!(v, Value::Char(_)));
    "pair?" 1..=1 => |_, a| is(a, |v| matches!(v, Value::Pair(_)));
    "null?" 1..=1 => |_, a| is(a, |v| matches!(v, Value::Nil));
    "vector?" 1..=1 => |_, a| is(a, |v| matches!(v, Value::Vector(_)));
    "procedure?" 1..=1 => |_, a| is(a, |v| matches!(v, Value::Closure(_) | Value::Primitive(_) | Value::Escape(_)));
    "not" 1..=1 => |_, a| Ok(Value::Bool(!a[0].is_true()));
    "eq?" 2..=2 => |_, a| Ok(Value::Bool(a[0].is_same(a[1])));
    "eqv?" 2..=2 => |_, a| Ok(Value::Bool(a[0].is_same(a[1])));
    "equal?" 2..=2 => |_, a| Ok(Value::Bool(a[0].is_equal(a[1])));

    "cons" 2..=2 => |_, a| Ok(Value::cons(a[0], a[1]));
    "car" 1..=1 => |_, a| path(a[0], b"a");
    "cdr" 1..=1 => |_, a| path(a[0], b"d");
    "caar" 1..=1 => |_, a| path(a[0], b"aa");
    "cadr" 1..=1 => |_, a| path(a[0], b"ad");
    "cdar" 1..=1 => |_, a| path(a[0], b"da");
    "cddr" 1..=1 => |_, a| path(a[0], b"dd");
    "caddr" 1..=1 => |_, a| path(a[0], b"add");
    "cdddr" 1..=1 => |_, a| path(a[0], b"ddd");
    "cadddr" 1..=1 => |_, a| path(a[0], b"addd");
    "set-car!" 2..=2 => |_, a| { pair(a[0])?.head.set(a[1]); Ok(Value::Unspecified) };
    "set-cdr!" 2..=2 => |_, a| { pair(a[0])?.tail.set(a[1]); Ok(Value::Unspecified) };
    "list" 0..=ANY => |_, a| Ok(Value::list(a));
    "list?" 1..=1 => |_, a| is(a, |v| v.items().is_some());
    "length" 1..=1 => |_, a| Ok(Value::Int(items(a[0])?.len() as i64));
    "reverse" 1..=1 => |_, a| Ok(items(a[0])?.into_iter().fold(Value::Nil, |tail, head| Value::cons(head, tail)));
    "append" 0..=ANY => |_, a| append(a);
    "%map" 2..=2 => |interp, a| map(interp, a[0], a[1]);
    "apply" 2..=ANY => |interp, a| apply(interp, a);
    "call/cc" 1..=1 => |interp, a| interp.call_with_escape(a[0]);
    "call-with-current-continuation" 1..=1 => |interp, a| interp.call_with_escape(a[0]);
    "dynamic-wind" 3..=3 => |interp, a| dynamic_wind(interp, a);
    "eval" 1..=1 => |interp, a| interp.evaluate(Gc::get(Gc::new(Compiler { interp }.top_level(a[0])?)), None);
    "load" 1..=1 => |interp, a| load(interp, a[0]);
    "exit" 0..=1 => |interp, a| exit(interp, a);
    "get-environment-variable" 1..=1 => |_, a| Ok(std::env::var(&*text(a[0])?.borrow()).map_or(Value::Bool(false), Value::text));

    "raise" 1..=1 => |interp, a| interp.raise(a[0], false);
    "raise-continuable" 1..=1 => |interp, a| interp.raise(a[0], true);
    "with-exception-handler" 2..=2 => |interp, a| interp.with_handler(a[0], || interp.apply(a[1], &[]));
    "error-object?" 1..=1 => |_, a| is(a, |v| matches!(v, Value::Condition(_)));
    "error-object-message" 1..=1 => |_, a| condition(a[0]).map(|condition| condition.message);
    "error-object-irritants" 1..=1 => |_, a| condition(a[0]).map(|condition| condition.irritants);
    "error-report" 1..=1 => |_, a| Ok(Value::text(Error::Raised(a[0]).to_string()));

    "%record" 1..=ANY => |_, a| Ok(Value::Record(Gc::new(Record { kind: pair(a[0])?, fields: cells(&a[1..]) })));
    "%record?" 2..=2 => |_, a| Ok(Value::Bool(record(a[0], a[1]).is_some()));
    "%record-ref" 4..=4 => |interp, a| field(interp, a[0], a[1], a[2], a[3]).map(Cell::get);
    "%record-set!" 5..=5 => |interp, a| { field(interp, a[0], a[1], a[2], a[4])?.set(a[3]); Ok(Value::Unspecified) };

    "vector" 0..=ANY => |_, a| Ok(Value::vector(a.iter().copied()));
    "make-vector" 1..=2 => |_, a| make_vector(a);
    "vector-length" 1..=1 => |_, a| Ok(Value::Int(vector(a[0])?.len() as i64));
    "vector-ref" 2..=2 => |_, a| item(a).map(Cell::get);
    "vector-set!" 3..=3 => |_, a| { item(a)?.set(a[2]); Ok(Value::Unspecified) };

    "string-length" 1..=1 => |_, a| Ok(Value::Int(text(a[0])?.borrow().chars().count() as i64));
    "string-ref" 2..=2 => |_, a| character_at(a);
    "make-string" 1..=2 => |_, a| make_string(a);
    "string-set!" 3..=3 => |_, a| string_set(a);
    "%copy" 4..=4 => |_, a| copy(a);
    "%string-compare" 2..=2 => |_, a| Ok(Value::Int(text(a[0])?.borrow().cmp(&text(a[1])?.borrow()) as i64));
    "string-append" 0..=ANY => |_, a| Ok(Value::text(a.iter().map(|&v| Ok(text(v)?.borrow().clone())).collect::<Result<String>>()?));
    "gensym" 0..=0 => |_, _| Ok(Value::Symbol(Gc::new(Symbol { name: "g".into(), value: Cell::new(None) })));
    "string->symbol" 1..=1 => |interp, a| Ok(interp.symbol(&text(a[0])?.borrow()));
    "symbol->string" 1..=1 => |_, a| if let Value::Symbol(symbol) = a[0] { Ok(Value::text(&*symbol.name)) } else { wrong(a[0], "a symbol") };
    "char->integer" 1..=1 => |_, a| character(a[0]).map(|c| Value::Int(c as i64));
    "integer->char" 1..=1 => |_, a| index(a[0], a[0], 256).map(|code| Value::Char(char::from(code as u8)));

    "display" 1..=2 => |interp, a| interp.write(a.get(1), format_args!("{}", a[0]));
    "write" 1..=2 => |interp, a| interp.write(a.get(1), format_args!("{:#}", a[0]));
    "write-string" 1..=2 => |interp, a| interp.write(a.get(1), format_args!("{}", a[0]));
    "write-char" 1..=2 => |interp, a| interp.write(a.get(1), format_args!("{}", a[0]));
    "newline" 0..=1 => |interp, a| interp.write(a.first(), format_args!("\n"));
    "call-with-output-string" 1..=1 => |interp, a| call_with_output_string(interp, a[0]);
    "with-output-to-string" 1..=1 => |interp, a| with_output_to_string(interp, a[0]);
    "eof-object" 0..=0 => |_, _| Ok(Value::EndOfFile);
    "eof-object?" 1..=1 => |_, a| is(a, |v| matches!(v, Value::EndOfFile));
    "error" 1..=ANY => |interp, a| interp.raise(Value::Condition(Gc::new(Condition { message: a[0], irritants: Value::list(&a[1..]) })), false);

    "%make-table" 2..=2 => |_, a| Ok(make_table(a[0].is_true(), a[1].is_true()));
    "hash-table?" 1..=1 => |_, a| is(a, |v| matches!(v, Value::Table(_) | Value::WeakTable(_)));
    "hash-table-set!" 3..=3 => |_, a| table_set(a[0], a[1], a[2]);
    "hash-table-ref/default" 3..=3 => |_, a| Ok(table_get(a[0], a[1])?.unwrap_or(a[2]));
    "hash-table-delete!" 2..=2 => |_, a| table_remove(a[0], a[1]);
    "hash-table-count" 1..=1 => |_, a| table_count(a[0]).map(|count| Value::Int(count as i64));
    "hash-table-clear!" 1..=1 => |_, a| table_clear(a[0]);
    "hash-table->alist" 1..=1 => |_, a| Ok(Value::list(&table_entries(a[0])?.into_iter().map(|(key, value)| Value::cons(key, value)).collect::<Vec<_>>()));
    "gc" 0..=0 => |_, _| Ok(Value::Bool(gleaner::collect()));
}

fn wrong<T>(value: Value, wanted: &str) -> Result<T> {
    Err(Error::Message(format!("expected {wanted}, got {value:#}")))
}

fn is(arguments: &[Value], is_so: fn(Value) -> bool) -> Result<Value> {
    Ok(Value::Bool(is_so(arguments[0])))
}

fn integer(value: Value) -> Result<i64> {
    if let Value::Int(n) = value { Ok(n) } else { wrong(value, "an exact integer") }
}

fn float(value: Value) -> Result<f64> {
    match value {
        Value::Int(n) => Ok(n as f64),
        Value::Float(x) => Ok(x),
        _ => wrong(value, "a number"),
    }
}

fn pair(value: Value) -> Result<Gc<Pair>> {
    if let Value::Pair(pair) = value { Ok(pair) } else { wrong(value, "a pair") }
}

fn items(value: Value) -> Result<Vec<Value>> {
    value.items().map_or_else(|| wrong(value, "a list"), Ok)
}

fn text(value: Value) -> Result<Gc<RefCell<String>>> {
    if let Value::Text(text) = value { Ok(text) } else { wrong(value, "a string") }
}

type Cells = Gc<[Cell<Value>]>;

fn vector(value: Value) -> Result<Cells> {
    if let Value::Vector(vector) = value { Ok(vector.0) } else { wrong(value, "a vector") }
}

fn condition(value: Value) -> Result<Gc<Condition>> {
    if let Value::Condition(condition) = value { Ok(condition) } else { wrong(value, "an error object") }
}

fn cells(values: &[Value]) -> Cells {
    Gc::slice_from_fn(values.len(), |index| Cell::new(values[index]))
}

fn record(value: Value, kind: Value) -> Option<Gc<Record>> {
    match (value, kind) {
        (Value::Record(record), Value::Pair(kind)) if Gc::ptr_eq(record.kind, kind) => Some(record),
        _ => None,
    }
}

fn field(interp: &Interp, value: Value, kind: Value, index: Value, name: Value) -> Result<&'static Cell<Value>> {
    match record(value, kind) {
        Some(record) => at(record.fields, index),
        None => interp.fail(format!("{name}: expected a record of its type, got {value:#}")),
    }
}

/// Weak tables have pairs for keys.
fn make_table(by_equal: bool, is_weak: bool) -> Value {
    match is_weak {
        true => Value::WeakTable(Gc::new(RefCell::new(WeakMap::new()))),
        false => Value::Table(Gc::new(RefCell::new(Table::new(by_equal)))),
    }
}

fn key_that_can_die(key: Value) -> Result<Gc<Pair>> {
    if let Value::Pair(pair) = key { Ok(pair) } else { wrong(key, "a key that can die") }
}

fn table_set(table: Value, key: Value, value: Value) -> Result<Value> {
    match table {
        Value::Table(table) => table.borrow_mut().insert(key, value),
        Value::WeakTable(table) => {
            table.borrow_mut().insert(key_that_can_die(key)?, value);
        }
        _ => return wrong(table, "a hash table"),
    }
    Ok(Value::Unspecified)
}

fn table_get(table: Value, key: Value) -> Result<Option<Value>> {
    match table {
        Value::Table(table) => Ok(table.borrow().get(key)),
        Value::WeakTable(table) => Ok(table.borrow().get(key_that_can_die(key)?).map(|value| *value)),
        _ => wrong(table, "a hash table"),
    }
}

fn table_remove(table: Value, key: Value) -> Result<Value> {
    match table {
        Value::Table(table) => Ok(Value::Bool(table.borrow_mut().remove(key))),
        Value::WeakTable(table) => Ok(Value::Bool(table.borrow_mut().remove(key_that_can_die(key)?).is_some())),
        _ => wrong(table, "a hash table"),
    }
}

fn table_clear(table: Value) -> Result<Value> {
    match table {
        Value::Table(table) => table.borrow_mut().clear(),
        Value::WeakTable(table) => table.borrow_mut().clear(),
        _ => return wrong(table, "a hash table"),
    }
    Ok(Value::Unspecified)
}

fn table_count(table: Value) -> Result<usize> {
    match table {
        Value::Table(table) => Ok(table.borrow().len()),
        Value::WeakTable(table) => Ok(table.borrow().iter().count()),
        _ => wrong(table, "a hash table"),
    }
}

fn table_entries(table: Value) -> Result<Vec<(Value, Value)>> {
    match table {
        Value::Table(table) => Ok(table.borrow().iter().collect()),
        Value::WeakTable(table) => Ok(table.borrow().iter().map(|(key, value)| (Value::Pair(key), *value)).collect()),
        _ => wrong(table, "a hash table"),
    }
}

fn round(value: Value, how: fn(f64) -> f64) -> Result<Value> {
    if let Value::Int(_) = value { Ok(value) } else { Ok(Value::Float(how(float(value)?))) }
}

fn number_to_string(arguments: &[Value]) -> Result<Value> {
    let radix = arguments.get(1).map_or(Ok(10), |&radix| integer(radix))?;
    if !(2..=36).contains(&radix) {
        return Err(Error::Message(format!("bad radix {radix}")));
    }
    let Value::Int(n) = arguments[0] else { return float(arguments[0]).map(|_| Value::text(arguments[0].to_string())) };
    let mut digits = Vec::new();
    let mut rest = n.unsigned_abs();
    while rest > 0 || digits.is_empty() {
        digits.push(char::from_digit((rest % radix as u64) as u32, radix as u32).expect("a digit is below its radix"));
        rest /= radix as u64;
    }
    digits.extend((n < 0).then_some('-'));
    Ok(Value::text(digits.into_iter().rev().collect::<String>()))
}

fn string_to_number(arguments: &[Value]) -> Result<Value> {
    let text = text(arguments[0])?;
    let number = match arguments.get(1) {
        None => reader::number(&text.borrow()),
        Some(&radix) => i64::from_str_radix(&text.borrow(), integer(radix)? as u32).ok().map(Value::Int),
    };
    Ok(number.unwrap_or(Value::Bool(false)))
}

/// What is no list has no items here.
fn map(interp: &Interp, function: Value, list: Value) -> Result<Value> {
    let mut results = Vec::new();
    let mut rest = list;
    while let Value::Pair(pair) = rest {
        results.push(interp.apply(function, &[pair.head.get()])?);
        rest = pair.tail.get();
    }
    Ok(Value::list(&results))
}

fn dynamic_wind(interp: &Interp, arguments: &[Value]) -> Result<Value> {
    interp.apply(arguments[0], &[])?;
    let result = interp.apply(arguments[1], &[]);
    interp.apply(arguments[2], &[])?;
    result
}

fn load(interp: &Interp, path: Value) -> Result<Value> {
    let path = text(path)?.borrow().clone();
    let source = std::fs::read_to_string(&path).map_err(|error| Error::Message(format!("{path}: {error}")))?;
    interp.run_text(&source)
}

fn exit(interp: &Interp, arguments: &[Value]) -> Result<Value> {
    interp.flush();
    std::process::exit(match arguments.first() {
        None | Some(Value::Bool(true)) => 0,
        Some(&Value::Int(code)) => code as i32,
        Some(_) => 1,
    })
}

fn call_with_output_string(interp: &Interp, function: Value) -> Result<Value> {
    let port: Gc<RefCell<String>> = Gc::default();
    interp.apply(function, &[Value::Port(port)])?;
    Ok(Value::text(port.borrow().clone()))
}

fn with_output_to_string(interp: &Interp, function: Value) -> Result<Value> {
    let text: Gc<RefCell<String>> = Gc::default();
    let outer = interp.captured.replace(Some(text));
    let result = interp.apply(function, &[]);
    interp.captured.set(outer);
    result.map(|_| Value::text(text.borrow().clone()))
}

/// A sum or product; what does not fit an integer goes on as a float.
fn fold(
    arguments: &[Value],
    first: Value,
    exact: fn(i64, i64) -> Option<i64>,
    inexact: fn(f64, f64) -> f64,
) -> Result<Value> {
    arguments.iter().try_fold(first, |a, &b| {
        if let (Value::Int(a), Value::Int(b)) = (a, b)
            && let Some(result) = exact(a, b)
        {
            return Ok(Value::Int(result));
        }
        Ok(Value::Float(inexact(float(a)?, float(b)?)))
    })
}

fn subtract(arguments: &[Value]) -> Result<Value> {
    match *arguments {
        [only] => fold(&[only], Value::Int(0), i64::checked_sub, |a, b| a - b),
        [first, ref others @ ..] => fold(others, first, i64::checked_sub, |a, b| a - b),
        [] => Ok(Value::Int(0)),
    }
}

fn divide(arguments: &[Value]) -> Result<Value> {
    let quotient = |a: i64, b: i64| if b != 0 && a % b == 0 { a.checked_div(b) } else { None };
    if arguments.iter().skip(usize::from(arguments.len() > 1)).any(|&divisor| matches!(divisor, Value::Int(0))) {
        return Err(Error::Message("division by zero".into()));
    }
    match *arguments {
        [only] => fold(&[only], Value::Int(1), quotient, |a, b| a / b),
        [first, ref others @ ..] => fold(others, first, quotient, |a, b| a / b),
        [] => Ok(Value::Int(1)),
    }
}

fn integers(arguments: &[Value], of: fn(i64, i64) -> Option<i64>) -> Result<Value> {
    let [Value::Int(a), Value::Int(b)] = *arguments else {
        let other = arguments.iter().find(|value| !matches!(value, Value::Int(_)));
        return wrong(*other.expect("one of them is none"), "an integer");
    };
    of(a, b).map_or_else(|| Err(Error::Message("division by zero".into())), |result| Ok(Value::Int(result)))
}

/// `None`: one of them is no number that can be compared, and no test of an order holds.
fn order(a: Value, b: Value) -> Result<Option<Ordering>> {
    if let (Value::Int(a), Value::Int(b)) = (a, b) {
        return Ok(Some(a.cmp(&b)));
    }
    Ok(float(a)?.partial_cmp(&float(b)?))
}

fn compare(arguments: &[Value], holds: fn(Ordering) -> bool) -> Result<Value> {
    float(arguments[0])?;
    for two in arguments.windows(2) {
        if !order(two[0], two[1])?.is_some_and(holds) {
            return Ok(Value::Bool(false));
        }
    }
    Ok(Value::Bool(true))
}

fn root(value: Value) -> Result<Value> {
    let root = float(value)?.sqrt();
    if let Value::Int(n) = value
        && (root as i64).checked_mul(root as i64) == Some(n)
    {
        return Ok(Value::Int(root as i64));
    }
    Ok(Value::Float(root))
}

fn exact(value: Value) -> Result<Value> {
    match value {
        Value::Float(x) if x.fract() == 0.0 && x.abs() < 9e18 => Ok(Value::Int(x as i64)),
        Value::Int(_) => Ok(value),
        _ => wrong(value, "a number with an exact equal"),
    }
}

/// `car` and `cdr`, the last letter first.
fn path(value: Value, letters: &[u8]) -> Result<Value> {
    letters.iter().rev().try_fold(value, |value, letter| {
        let pair = pair(value)?;
        Ok(if *letter == b'a' { pair.head.get() } else { pair.tail.get() })
    })
}

fn append(lists: &[Value]) -> Result<Value> {
    let Some((&last, others)) = lists.split_last() else { return Ok(Value::Nil) };
    others.iter().rev().try_fold(last, |tail, &list| {
        Ok(items(list)?.into_iter().rev().fold(tail, |tail, head| Value::cons(head, tail)))
    })
}

fn apply(interp: &Interp, arguments: &[Value]) -> Result<Value> {
    let last = arguments.len() - 1;
    let mut values = arguments[1..last].to_vec();
    values.extend(items(arguments[last])?);
    interp.apply(arguments[0], &values)
}

fn size(value: Value) -> Result<usize> {
    let size = if let Value::Int(n) = value { usize::try_from(n).ok() } else { None };
    size.filter(|&size| size < 1 << 47).map_or_else(|| wrong(value, "a length"), Ok)
}

fn make_vector(arguments: &[Value]) -> Result<Value> {
    let fill = arguments.get(1).copied().unwrap_or(Value::Int(0));
    Ok(Value::vector(std::iter::repeat_n(fill, size(arguments[0])?)))
}

/// An index of `of`, which has `length` elements.
fn index(index: Value, of: Value, length: usize) -> Result<usize> {
    let found = if let Value::Int(n) = index { usize::try_from(n).ok() } else { None };
    found.filter(|&found| found < length).ok_or_else(|| Error::Message(format!("index out of range: {index:#} {of:#}")))
}

fn at(cells: Cells, place: Value) -> Result<&'static Cell<Value>> {
    Ok(&Gc::get(cells)[index(place, place, cells.len())?])
}

fn item(arguments: &[Value]) -> Result<&'static Cell<Value>> {
    let cells = vector(arguments[0])?;
    Ok(&Gc::get(cells)[index(arguments[1], arguments[0], cells.len())?])
}

fn character(value: Value) -> Result<char> {
    if let Value::Char(c) = value { Ok(c) } else { wrong(value, "a character") }
}

fn character_at(arguments: &[Value]) -> Result<Value> {
    let text = text(arguments[0])?;
    let text = text.borrow();
    let index = index(arguments[1], arguments[0], text.chars().count())?;
    Ok(Value::Char(text.chars().nth(index).expect("the index is below the length")))
}

fn make_string(arguments: &[Value]) -> Result<Value> {
    let fill = arguments.get(1).map_or(Ok('\0'), |&fill| character(fill))?;
    Ok(Value::text(std::iter::repeat_n(fill, size(arguments[0])?).collect::<String>()))
}

fn string_set(arguments: &[Value]) -> Result<Value> {
    let text = text(arguments[0])?;
    let mut characters: Vec<char> = text.borrow().chars().collect();
    let index = index(arguments[1], arguments[0], characters.len())?;
    characters[index] = character(arguments[2])?;
    *text.borrow_mut() = characters.into_iter().collect();
    Ok(Value::Unspecified)
}

/// `(%copy string start end like)`
fn copy(arguments: &[Value]) -> Result<Value> {
    let text = text(arguments[0])?;
    let text = text.borrow();
    let end = index(arguments[2], arguments[0], text.chars().count() + 1)?;
    let start = index(arguments[1], arguments[0], end + 1)?;
    Ok(Value::text(text.chars().skip(start).take(end - start).collect::<String>()))
}
