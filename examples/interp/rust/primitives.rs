//! The procedures that are there from the start.

use crate::reader;
use crate::run::{Error, Interp};
use crate::value::{Pair, Primitive, Value};
use gleaner::{Gc, WeakMap};
use std::cell::RefCell;
use std::cmp::Ordering;
use std::io::Write;

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
    "abs" 1..=1 => |_, a| if let Value::Int(n) = a[0] { Ok(Value::Int(n.wrapping_abs())) } else { Ok(Value::Float(float(a[0])?.abs())) };
    "min" 1..=ANY => |_, a| extreme(a, Ordering::is_lt);
    "max" 1..=ANY => |_, a| extreme(a, Ordering::is_gt);
    "sqrt" 1..=1 => |_, a| root(a[0]);
    "floor" 1..=1 => |_, a| if let Value::Float(x) = a[0] { Ok(Value::Float(x.floor())) } else { Ok(a[0]) };
    "exact" 1..=1 => |_, a| exact(a[0]);
    "inexact" 1..=1 => |_, a| Ok(Value::Float(float(a[0])?));
    "exact->inexact" 1..=1 => |_, a| Ok(Value::Float(float(a[0])?));
    "number->string" 1..=1 => |_, a| Ok(Value::text(a[0].to_string()));
    "string->number" 1..=1 => |_, a| Ok(reader::number(&text(a[0])?.borrow()).unwrap_or(Value::Bool(false)));
    "zero?" 1..=1 => |_, a| Ok(Value::Bool(float(a[0])? == 0.0));
    "positive?" 1..=1 => |_, a| Ok(Value::Bool(float(a[0])? > 0.0));
    "negative?" 1..=1 => |_, a| Ok(Value::Bool(float(a[0])? < 0.0));
    "even?" 1..=1 => |_, a| Ok(Value::Bool(integer(a[0])? % 2 == 0));
    "odd?" 1..=1 => |_, a| Ok(Value::Bool(integer(a[0])? % 2 != 0));

    "number?" 1..=1 => |_, a| is(a, |v| matches!(v, Value::Int(_) | Value::Float(_)));
    "integer?" 1..=1 => |_, a| is(a, |v| matches!(v, Value::Int(_)) || matches!(v, Value::Float(x) if x.fract() == 0.0));
    "boolean?" 1..=1 => |_, a| is(a, |v| matches!(v, Value::Bool(_)));
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
    "list-tail" 2..=2 => |_, a| (0..integer(a[1])?).try_fold(a[0], |list, _| path(list, b"d"));
    "list-ref" 2..=2 => |_, a| path((0..integer(a[1])?).try_fold(a[0], |list, _| path(list, b"d"))?, b"a");
    "memq" 2..=2 => |_, a| member(a, Value::is_same);
    "memv" 2..=2 => |_, a| member(a, Value::is_same);
    "member" 2..=2 => |_, a| member(a, Value::is_equal);
    "assq" 2..=2 => |_, a| associated(a, Value::is_same);
    "assv" 2..=2 => |_, a| associated(a, Value::is_same);
    "assoc" 2..=2 => |_, a| associated(a, Value::is_equal);
    "map" 2..=ANY => |interp, a| Ok(Value::list(&map(interp, a)?));
    "for-each" 2..=ANY => |interp, a| map(interp, a).map(|_| Value::Unspecified);
    "apply" 2..=ANY => |interp, a| apply(interp, a);
    "call/cc" 1..=1 => |interp, a| interp.call_with_escape(a[0]);
    "call-with-current-continuation" 1..=1 => |interp, a| interp.call_with_escape(a[0]);

    "vector" 0..=ANY => |_, a| Ok(Value::vector(a.iter().copied()));
    "make-vector" 1..=2 => |_, a| make_vector(a);
    "vector-length" 1..=1 => |_, a| Ok(Value::Int(vector(a[0])?.len() as i64));
    "vector-ref" 2..=2 => |_, a| at(vector(a[0])?, a[1]).map(|cell| cell.get());
    "vector-set!" 3..=3 => |_, a| { at(vector(a[0])?, a[1])?.set(a[2]); Ok(Value::Unspecified) };
    "vector-fill!" 2..=2 => |_, a| { vector(a[0])?.iter().for_each(|cell| cell.set(a[1])); Ok(Value::Unspecified) };
    "vector->list" 1..=1 => |_, a| Ok(Value::list(&vector(a[0])?.iter().map(|cell| cell.get()).collect::<Vec<_>>()));
    "list->vector" 1..=1 => |_, a| Ok(Value::vector(items(a[0])?.into_iter()));

    "string-length" 1..=1 => |_, a| Ok(Value::Int(text(a[0])?.borrow().chars().count() as i64));
    "string-ref" 2..=2 => |_, a| character_at(a[0], a[1]);
    "string-append" 0..=ANY => |_, a| Ok(Value::text(a.iter().map(|&v| Ok(text(v)?.borrow().clone())).collect::<Result<String>>()?));
    "substring" 3..=3 => |_, a| substring(a);
    "string=?" 2..=2 => |_, a| Ok(Value::Bool(*text(a[0])?.borrow() == *text(a[1])?.borrow()));
    "string<?" 2..=2 => |_, a| Ok(Value::Bool(*text(a[0])?.borrow() < *text(a[1])?.borrow()));
    "string->symbol" 1..=1 => |interp, a| Ok(interp.symbol(&text(a[0])?.borrow()));
    "symbol->string" 1..=1 => |_, a| if let Value::Symbol(symbol) = a[0] { Ok(Value::text(&*symbol.name)) } else { wrong(a[0], "a symbol") };
    "string->list" 1..=1 => |_, a| Ok(Value::list(&text(a[0])?.borrow().chars().map(Value::Char).collect::<Vec<_>>()));
    "list->string" 1..=1 => |_, a| list_to_string(a[0]);
    "char->integer" 1..=1 => |_, a| if let Value::Char(c) = a[0] { Ok(Value::Int(c as i64)) } else { wrong(a[0], "a character") };

    "display" 1..=1 => |interp, a| print(interp, format_args!("{}", a[0]));
    "write" 1..=1 => |interp, a| print(interp, format_args!("{:#}", a[0]));
    "newline" 0..=0 => |interp, _| print(interp, format_args!("\n"));
    "error" 1..=ANY => |_, a| Err(Error::Message(a.iter().enumerate().map(|(i, v)| if i == 0 { format!("{v}") } else { format!(" {v:#}") }).collect()));

    "make-weak-table" 0..=0 => |_, _| Ok(Value::WeakTable(Gc::new(RefCell::new(WeakMap::new()))));
    "weak-table-set!" 3..=3 => |_, a| { weak_table(a[0])?.borrow_mut().insert(pair(a[1])?, a[2]); Ok(Value::Unspecified) };
    "weak-table-ref" 3..=3 => |_, a| Ok(weak_table(a[0])?.borrow().get(pair(a[1])?).map_or(a[2], |value| *value));
    "weak-table-count" 1..=1 => |_, a| Ok(Value::Int(weak_table(a[0])?.borrow().iter().count() as i64));
    "collect" 0..=0 => |_, _| Ok(Value::Bool(gleaner::collect()));
}

fn wrong<T>(value: Value, wanted: &str) -> Result<T> {
    Err(Error::Message(format!("{value:#} is not {wanted}")))
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
    value.items().map_or_else(|| wrong(value, "a proper list"), Ok)
}

fn text(value: Value) -> Result<Gc<RefCell<String>>> {
    if let Value::Text(text) = value { Ok(text) } else { wrong(value, "a string") }
}

type Cells = Gc<[std::cell::Cell<Value>]>;

fn vector(value: Value) -> Result<Cells> {
    if let Value::Vector(vector) = value { Ok(vector.0) } else { wrong(value, "a vector") }
}

fn weak_table(value: Value) -> Result<Gc<RefCell<WeakMap<Pair, Value>>>> {
    if let Value::WeakTable(table) = value { Ok(table) } else { wrong(value, "a weak table") }
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
        return Err(Error::Message("/: division by zero".into()));
    }
    match *arguments {
        [only] => fold(&[only], Value::Int(1), quotient, |a, b| a / b),
        [first, ref others @ ..] => fold(others, first, quotient, |a, b| a / b),
        [] => Ok(Value::Int(1)),
    }
}

fn integers(arguments: &[Value], of: fn(i64, i64) -> Option<i64>) -> Result<Value> {
    let (a, b) = (integer(arguments[0])?, integer(arguments[1])?);
    of(a, b).map_or_else(|| Err(Error::Message("division by zero".into())), |result| Ok(Value::Int(result)))
}

fn order(a: Value, b: Value) -> Result<Ordering> {
    if let (Value::Int(a), Value::Int(b)) = (a, b) {
        return Ok(a.cmp(&b));
    }
    // What cannot be compared is neither: no test of an order holds for it, nor does `=`.
    float(a)?.partial_cmp(&float(b)?).map_or_else(|| wrong(a, "to be compared"), Ok)
}

fn compare(arguments: &[Value], holds: fn(Ordering) -> bool) -> Result<Value> {
    for two in arguments.windows(2) {
        if !holds(order(two[0], two[1])?) {
            return Ok(Value::Bool(false));
        }
    }
    Ok(Value::Bool(true))
}

fn extreme(arguments: &[Value], is_better: fn(Ordering) -> bool) -> Result<Value> {
    let best = |best, &next| Ok(if is_better(order(next, best)?) { next } else { best });
    arguments[1..].iter().try_fold(arguments[0], best)
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
        _ => wrong(value, "a number that an integer can be"),
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

fn member(arguments: &[Value], is_it: fn(Value, Value) -> bool) -> Result<Value> {
    let mut list = arguments[1];
    while let Value::Pair(pair) = list {
        if is_it(arguments[0], pair.head.get()) {
            return Ok(list);
        }
        list = pair.tail.get();
    }
    Ok(Value::Bool(false))
}

fn associated(arguments: &[Value], is_it: fn(Value, Value) -> bool) -> Result<Value> {
    for entry in items(arguments[1])? {
        if is_it(arguments[0], pair(entry)?.head.get()) {
            return Ok(entry);
        }
    }
    Ok(Value::Bool(false))
}

fn map(interp: &Interp, arguments: &[Value]) -> Result<Vec<Value>> {
    let lists = arguments[1..].iter().map(|&list| items(list)).collect::<Result<Vec<_>>>()?;
    let length = lists.iter().map(Vec::len).min().unwrap_or(0);
    let call =
        |index| interp.apply(arguments[0], &lists.iter().map(|list: &Vec<Value>| list[index]).collect::<Vec<_>>());
    (0..length).map(call).collect()
}

fn apply(interp: &Interp, arguments: &[Value]) -> Result<Value> {
    let last = arguments.len() - 1;
    let mut values = arguments[1..last].to_vec();
    values.extend(items(arguments[last])?);
    interp.apply(arguments[0], &values)
}

fn make_vector(arguments: &[Value]) -> Result<Value> {
    let fill = arguments.get(1).copied().unwrap_or(Value::Unspecified);
    let length = usize::try_from(integer(arguments[0])?).or_else(|_| wrong(arguments[0], "a length"))?;
    Ok(Value::vector(std::iter::repeat_n(fill, length)))
}

fn at(cells: Cells, index: Value) -> Result<&'static std::cell::Cell<Value>> {
    let found = usize::try_from(integer(index)?).ok().and_then(|index| Gc::get(cells).get(index));
    found.map_or_else(|| wrong(index, &format!("an index below {}", cells.len())), Ok)
}

fn character_at(string: Value, index: Value) -> Result<Value> {
    let text = text(string)?;
    let character = usize::try_from(integer(index)?).ok().and_then(|index| text.borrow().chars().nth(index));
    character.map_or_else(|| wrong(index, "an index of the string"), |c| Ok(Value::Char(c)))
}

fn substring(arguments: &[Value]) -> Result<Value> {
    let (start, end) = (integer(arguments[1])?, integer(arguments[2])?);
    let text = text(arguments[0])?;
    let text = text.borrow();
    if start < 0 || end < start || end as usize > text.chars().count() {
        return wrong(arguments[2], "an end within the string");
    }
    Ok(Value::text(text.chars().skip(start as usize).take((end - start) as usize).collect::<String>()))
}

fn list_to_string(list: Value) -> Result<Value> {
    let character = |value| if let Value::Char(c) = value { Ok(c) } else { wrong(value, "a character") };
    Ok(Value::text(items(list)?.into_iter().map(character).collect::<Result<String>>()?))
}

fn print(interp: &Interp, text: std::fmt::Arguments<'_>) -> Result<Value> {
    let written = interp.output.borrow_mut().write_fmt(text);
    written.map_err(|error| Error::Message(format!("standard output: {error}")))?;
    Ok(Value::Unspecified)
}
