//! The evaluator: a loop over code. A call in tail position goes round in it; any other call enters it again.

use crate::code::{Code, Compiler, Lambda};
use crate::primitives;
use crate::reader::Reader;
use crate::value::{Closure, Escape, Frame, Primitive, Symbol, Value};
use gleaner::Gc;
use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::fmt;
use std::io::{BufWriter, Stdout, Write};

/// Why an evaluation ended without a value.
pub enum Error {
    Message(String),
    /// A continuation was called: whoever made it goes on with the value.
    Escape {
        number: usize,
        value: Value,
    },
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Message(message) => f.write_str(message),
            Error::Escape { .. } => f.write_str("call/cc: the continuation was called after its end"),
        }
    }
}

type Result<T> = std::result::Result<T, Error>;

pub struct Interp {
    symbols: RefCell<HashMap<String, Gc<Symbol>>>,
    pub output: RefCell<BufWriter<Stdout>>,
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
            output: RefCell::new(BufWriter::new(std::io::stdout())),
            escapes: Cell::new(0),
            stack_end: stack_pointer() - stack_bytes + STACK_RESERVE,
        };
        for primitive in primitives::ALL {
            if let Value::Symbol(symbol) = interp.symbol(primitive.name) {
                symbol.value.set(Some(Value::Primitive(primitive)));
            }
        }
        interp
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
        let _ = self.output.borrow_mut().flush();
        Ok(last)
    }

    /// The value of some code. References to code live as long as one likes: what they refer to, the collector finds by them.
    fn evaluate(&self, code: &'static Code, environment: Option<Gc<Frame>>) -> Result<Value> {
        if stack_pointer() < self.stack_end {
            return Err(Error::Message("the recursion is too deep".into()));
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
                None => Err(Error::Message(format!("{}: this name has no value", symbol.name))),
            },
            Code::SetLocal { depth, index, value } => {
                let value = self.part(Gc::get(value), environment)?;
                outer(environment, depth).slots[index].set(value);
                Ok(Value::Unspecified)
            }
            Code::SetGlobal { symbol, value, is_definition } => {
                let value = self.part(Gc::get(value), environment)?;
                if symbol.value.get().is_none() && !is_definition {
                    return Err(Error::Message(format!("set!: {} is not defined", symbol.name)));
                }
                symbol.value.set(Some(value));
                Ok(Value::Unspecified)
            }
            Code::Lambda(lambda) => Ok(Value::Closure(Gc::new(Closure { lambda, environment }))),
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
        check_arity(&lambda, arguments.len())?;
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
                check_arity(&lambda, arguments.len())?;
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
                let value = arguments.first().copied().unwrap_or(Value::Unspecified);
                Err(Error::Escape { number: escape.number, value })
            }
            other => Err(Error::Message(format!("not a procedure: {other:#}"))),
        }
    }

    /// `call/cc`: `function` gets a continuation that leads out of this call.
    pub fn call_with_escape(&self, function: Value) -> Result<Value> {
        let number = self.escapes.get() + 1;
        self.escapes.set(number);
        match self.apply(function, &[Value::Escape(Gc::new(Escape { number }))]) {
            Err(Error::Escape { number: reached, value }) if reached == number => Ok(value),
            result => result,
        }
    }
}

fn call_primitive(interp: &Interp, primitive: &Primitive, arguments: &[Value]) -> Result<Value> {
    let (least, most) = primitive.arity;
    if arguments.len() < least || arguments.len() > most {
        return Err(Error::Message(format!("{}: {} arguments are not what it takes", primitive.name, arguments.len())));
    }
    (primitive.function)(interp, arguments)
}

fn check_arity(lambda: &Lambda, count: usize) -> Result<()> {
    if count == lambda.required || lambda.takes_rest && count > lambda.required {
        return Ok(());
    }
    let name = if lambda.name.is_empty() { "lambda" } else { &lambda.name };
    Err(Error::Message(format!("{name}: {count} arguments instead of {}", lambda.required)))
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
