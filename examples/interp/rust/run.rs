//! The evaluator: a loop over code. A call in tail position goes round in it; any other call enters it again.

use crate::code::{Code, Compiler, Lambda};
use crate::primitives;
use crate::reader::Reader;
use crate::value::{Closure, Condition, Escape, Frame, Primitive, Symbol, Value};
use gleaner::Gc;
use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::fmt;
use std::io::{BufWriter, Stdout, Write};

/// Why an evaluation ended without a value.
pub enum Error {
    /// What the interpreter itself has to say; it becomes a condition where it is first seen.
    Message(String),
    /// What was raised, on its way to the innermost `guard`.
    Raised(Value),
    /// A continuation was called: whoever made it goes on with the value.
    Escape { number: usize, value: Value },
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Message(message) => f.write_str(message),
            Error::Raised(Value::Condition(condition)) => {
                write!(f, "{}", condition.message)?;
                condition
                    .irritants
                    .items()
                    .unwrap_or_default()
                    .iter()
                    .try_for_each(|irritant| write!(f, " {irritant:#}"))
            }
            Error::Raised(value) => write!(f, "raised: {value:#}"),
            Error::Escape { .. } => f.write_str("call/cc: the continuation was called after its end"),
        }
    }
}

type Result<T> = std::result::Result<T, Error>;

pub struct Interp {
    symbols: RefCell<HashMap<String, Gc<Symbol>>>,
    /// What `define-expander` knows: of each name, the procedure that makes of a form another.
    pub expanders: RefCell<HashMap<String, Value>>,
    /// The procedures of `with-exception-handler`, the innermost first, with `#f` for each `guard` between them.
    pub handlers: Cell<Value>,
    output: RefCell<BufWriter<Stdout>>,
    /// Where output goes instead, in `with-output-to-string`.
    pub captured: Cell<Option<Gc<RefCell<String>>>>,
    escapes: Cell<usize>,
    /// The lowest address that the stack may reach.
    stack_end: usize,
}

/// Left for primitives and Rust's own library below the evaluator.
const STACK_RESERVE: usize = 256 << 10;

impl Interp {
    /// An interpreter on the calling thread, which has `stack_bytes` of stack from here on.
    pub fn new(stack_bytes: usize) -> Interp {
        let interp = Interp {
            symbols: RefCell::default(),
            expanders: RefCell::default(),
            handlers: Cell::new(Value::Nil),
            captured: Cell::new(None),
            output: RefCell::new(BufWriter::new(std::io::stdout())),
            escapes: Cell::new(0),
            stack_end: stack_pointer() - stack_bytes + STACK_RESERVE,
        };
        for primitive in primitives::ALL {
            if let Value::Symbol(symbol) = interp.symbol(primitive.name) {
                symbol.value.set(Some(Value::Primitive(primitive)));
            }
        }
        for text in [include_str!("prelude.scm"), include_str!("../library.scm")] {
            if let Err(error) = interp.run_text(text) {
                panic!("the library: {error}");
            }
        }
        interp
    }

    /// Writes to a port, or to the one of `display`.
    pub fn write(&self, port: Option<&Value>, text: fmt::Arguments<'_>) -> Result<Value> {
        let port = match port {
            Some(&Value::Port(port)) => Some(port),
            Some(other) => return Err(Error::Message(format!("expected a port, got {other:#}"))),
            None => self.captured.get(),
        };
        let written = match port {
            Some(port) => fmt::Write::write_fmt(&mut *port.borrow_mut(), text).map_err(|error| error.to_string()),
            None => self.output.borrow_mut().write_fmt(text).map_err(|error| format!("standard output: {error}")),
        };
        written.map_err(Error::Message).map(|()| Value::Unspecified)
    }

    /// Calls the innermost handler, or leaves for the innermost `guard`.
    pub fn raise(&self, value: Value, is_continuable: bool) -> Result<Value> {
        let handlers = self.handlers.get();
        let Value::Pair(pair) = handlers else { return Err(Error::Raised(value)) };
        if !pair.head.get().is_true() {
            return Err(Error::Raised(value));
        }
        self.handlers.set(pair.tail.get());
        let result = self.apply(pair.head.get(), &[value])?;
        if !is_continuable {
            return self.fail(format!("a handler has returned from what cannot go on {value:#}"));
        }
        self.handlers.set(handlers);
        Ok(result)
    }

    /// Raises a condition that says so.
    pub fn fail<T>(&self, message: String) -> Result<T> {
        let condition = Condition { message: Value::text(message), irritants: Value::Nil };
        match self.raise(Value::Condition(Gc::new(condition)), false) {
            Err(error) => Err(error),
            Ok(_) => unreachable!("nothing goes on after it"),
        }
    }

    /// Runs something with other handlers than before, and then with the same.
    pub fn with_handler(&self, handler: Value, run: impl FnOnce() -> Result<Value>) -> Result<Value> {
        let outer = self.handlers.get();
        self.handlers.set(Value::cons(handler, outer));
        let result = run();
        self.handlers.set(outer);
        result
    }

    /// `guard`: what the body raises goes to the handler, a procedure.
    fn guarded(&self, body: &'static Code, handler: &'static Code, environment: Option<Gc<Frame>>) -> Result<Value> {
        let raised = match self.with_handler(Value::Bool(false), || self.part(body, environment)) {
            Err(Error::Raised(value)) => value,
            Err(Error::Message(message)) => {
                Value::Condition(Gc::new(Condition { message: Value::text(message), irritants: Value::Nil }))
            }
            result => return result,
        };
        self.apply(self.part(handler, environment)?, &[raised])
    }

    /// The symbol of that name; the same name always gives the same one.
    pub fn symbol(&self, name: &str) -> Value {
        let mut symbols = self.symbols.borrow_mut();
        if let Some(&symbol) = symbols.get(name) {
            return Value::Symbol(symbol);
        }
        let symbol = Gc::new(Symbol { name: name.into(), value: Cell::new(None) });
        symbols.insert(name.into(), symbol);
        Value::Symbol(symbol)
    }

    /// Runs all forms of a text.
    pub fn run_text(&self, text: &str) -> Result<Value> {
        let mut reader = Reader::new(self, text);
        let mut last = Value::Unspecified;
        while let Some(form) = reader.next()? {
            let code = Compiler { interp: self }.top_level(form)?;
            last = self.evaluate(Gc::get(Gc::new(code)), None)?;
        }
        self.flush();
        Ok(last)
    }

    pub fn flush(&self) {
        // What cannot be written has been told by who wrote it.
        let _ = self.output.borrow_mut().flush();
    }

    /// The value of some code. References to code live as long as one likes: what they refer to, the collector finds by them.
    pub fn evaluate(&self, code: &'static Code, environment: Option<Gc<Frame>>) -> Result<Value> {
        if stack_pointer() < self.stack_end {
            return self.fail("recursion too deep".into());
        }
        let (mut code, mut environment) = (code, environment);
        loop {
            match *code {
                Code::If { test, then, other } => {
                    let is_true = self.part(Gc::get(test), environment)?.is_true();
                    code = Gc::get(if is_true { then } else { other });
                }
                Code::Sequence(forms) => {
                    let (last, first) = Gc::get(forms).split_last().expect("a sequence has two forms or more");
                    for form in first {
                        self.part(form, environment)?;
                    }
                    code = last;
                }
                Code::Or(tests) => {
                    let Some((last, first)) = Gc::get(tests).split_last() else { return Ok(Value::Bool(false)) };
                    for test in first {
                        let value = self.part(test, environment)?;
                        if value.is_true() {
                            return Ok(value);
                        }
                    }
                    code = last;
                }
                Code::Call { function, arguments } => match self.part(Gc::get(function), environment)? {
                    Value::Closure(closure) => {
                        environment = Some(self.frame_of_call(closure, Gc::get(arguments), environment)?);
                        code = body_of(closure.lambda);
                    }
                    other => return self.call_other(other, Gc::get(arguments), environment),
                },
                _ => return self.part(code, environment),
            }
        }
    }

    /// The value of code that is not in tail position.
    #[inline]
    fn part(&self, code: &'static Code, environment: Option<Gc<Frame>>) -> Result<Value> {
        match *code {
            Code::Constant(value) => Ok(value),
            Code::Own(index) => Ok(own(environment).slots[index].get()),
            Code::Outer { depth, index } => Ok(outer(environment, depth).slots[index].get()),
            Code::Global(symbol) => match symbol.value.get() {
                Some(value) => Ok(value),
                None => self.fail(format!("unbound variable {}", symbol.name)),
            },
            Code::SetLocal { depth, index, value } => {
                let value = self.part(Gc::get(value), environment)?;
                outer(environment, depth).slots[index].set(value);
                Ok(Value::Unspecified)
            }
            Code::SetGlobal { symbol, value, is_definition } => {
                let value = self.part(Gc::get(value), environment)?;
                if symbol.value.get().is_none() && !is_definition {
                    return self.fail(format!("unbound variable {}", symbol.name));
                }
                symbol.value.set(Some(value));
                Ok(Value::Unspecified)
            }
            Code::Lambda(lambda) => Ok(Value::Closure(Gc::new(Closure { lambda, environment }))),
            Code::Guard { body, handler } => self.guarded(Gc::get(body), Gc::get(handler), environment),
            Code::If { .. } | Code::Sequence(_) | Code::Or(_) | Code::Call { .. } => self.evaluate(code, environment),
        }
    }

    /// The frame of a call, with its arguments in place.
    fn frame_of_call(
        &self,
        closure: Gc<Closure>,
        arguments: &'static [Code],
        outside: Option<Gc<Frame>>,
    ) -> Result<Gc<Frame>> {
        let lambda = closure.lambda;
        self.check_arity(closure, arguments.len())?;
        let frame = Frame::new(lambda.slots, closure.environment);
        for (slot, argument) in frame.slots.iter().zip(&arguments[..lambda.required]) {
            slot.set(self.part(argument, outside)?);
        }
        if lambda.takes_rest {
            let rest = arguments[lambda.required..].iter().map(|argument| self.part(argument, outside));
            frame.slots[lambda.required].set(Value::list(&rest.collect::<Result<Vec<Value>>>()?));
        }
        Ok(frame)
    }

    fn call_other(&self, function: Value, arguments: &'static [Code], environment: Option<Gc<Frame>>) -> Result<Value> {
        const FEW: usize = 4;
        if arguments.len() > FEW {
            let values = arguments.iter().map(|argument| self.part(argument, environment));
            return self.apply(function, &values.collect::<Result<Vec<Value>>>()?);
        }
        let mut values = [Value::Unspecified; FEW];
        for (value, argument) in values.iter_mut().zip(arguments) {
            *value = self.part(argument, environment)?;
        }
        self.apply(function, &values[..arguments.len()])
    }

    /// Calls a procedure with values.
    pub fn apply(&self, function: Value, arguments: &[Value]) -> Result<Value> {
        match function {
            Value::Primitive(primitive) => call_primitive(self, primitive, arguments),
            Value::Closure(closure) => {
                let lambda = closure.lambda;
                self.check_arity(closure, arguments.len())?;
                let frame = Frame::new(lambda.slots, closure.environment);
                for (slot, &argument) in frame.slots.iter().zip(&arguments[..lambda.required]) {
                    slot.set(argument);
                }
                if lambda.takes_rest {
                    frame.slots[lambda.required].set(Value::list(&arguments[lambda.required..]));
                }
                self.evaluate(body_of(lambda), Some(frame))
            }
            Value::Escape(escape) => {
                if escape.has_ended.get() {
                    return self.fail("this continuation has ended: one can only escape outwards, once".into());
                }
                let value = arguments.first().copied().unwrap_or(Value::Unspecified);
                Err(Error::Escape { number: escape.number, value })
            }
            other => self.fail(format!("not a procedure {other:#}")),
        }
    }

    /// `call/cc`: `function` gets a continuation that leads out of this call.
    pub fn call_with_escape(&self, function: Value) -> Result<Value> {
        let number = self.escapes.get() + 1;
        self.escapes.set(number);
        let escape = Gc::new(Escape { number, has_ended: Cell::new(false) });
        let outer = self.handlers.get();
        let result = self.apply(function, &[Value::Escape(escape)]);
        escape.has_ended.set(true);
        match result {
            Err(Error::Escape { number: reached, value }) if reached == number => {
                self.handlers.set(outer);
                Ok(value)
            }
            result => result,
        }
    }

    fn check_arity(&self, closure: Gc<Closure>, count: usize) -> Result<()> {
        let lambda = closure.lambda;
        if count == lambda.required || lambda.takes_rest && count > lambda.required {
            return Ok(());
        }
        self.wrong_count("", Value::Closure(closure), count, lambda.required, lambda.takes_rest)
    }

    fn wrong_count<T>(&self, who: &str, function: Value, count: usize, least: usize, or_more: bool) -> Result<T> {
        let at_least = if or_more { "at least " } else { "" };
        self.fail(format!("{who}wrong number of arguments: expected {at_least}{least} got {count} {function}"))
    }
}

/// Calls a procedure of Rust's. Its messages begin with its name.
fn call_primitive(interp: &Interp, primitive: &'static Primitive, arguments: &[Value]) -> Result<Value> {
    let (least, most) = primitive.arity;
    if arguments.len() < least || arguments.len() > most {
        let who = format!("{}: ", primitive.name);
        return interp.wrong_count(&who, Value::Primitive(primitive), arguments.len(), least, most > least);
    }
    match (primitive.function)(interp, arguments) {
        Err(Error::Message(message)) => interp.fail(format!("{}: {message}", primitive.name)),
        result => result,
    }
}

fn body_of(lambda: Gc<Lambda>) -> &'static Code {
    Gc::get(lambda.body)
}

fn own(environment: Option<Gc<Frame>>) -> Gc<Frame> {
    environment.expect("a variable has a frame")
}

fn outer(environment: Option<Gc<Frame>>, depth: usize) -> Gc<Frame> {
    (0..depth).fold(own(environment), |frame, _| frame.parent.expect("a frame for each procedure around"))
}

fn stack_pointer() -> usize {
    let here = 0u8;
    std::ptr::from_ref(std::hint::black_box(&here)).addr()
}
