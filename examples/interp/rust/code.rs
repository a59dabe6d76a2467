//! The compiler: values become code, a tree in which every variable has its place.

use crate::run::{Error, Interp};
use crate::value::{SLOTS_MAX, Symbol, Value};
use gleaner::Gc;

#[derive(Clone, Copy)]
pub enum Code {
    Constant(Value),
    /// The variable of the procedure that runs.
    Own(usize),
    /// A variable of a procedure around it.
    Outer {
        depth: usize,
        index: usize,
    },
    Global(Gc<Symbol>),
    SetLocal {
        depth: usize,
        index: usize,
        value: Gc<Code>,
    },
    SetGlobal {
        symbol: Gc<Symbol>,
        value: Gc<Code>,
        is_definition: bool,
    },
    If {
        test: Gc<Code>,
        then: Gc<Code>,
        other: Gc<Code>,
    },
    /// The first that is true, or the last.
    Or(Gc<[Code]>),
    Lambda(Gc<Lambda>),
    Sequence(Gc<[Code]>),
    Call {
        function: Gc<Code>,
        arguments: Gc<[Code]>,
    },
    /// What the body raises goes to the handler, a procedure.
    Guard {
        body: Gc<Code>,
        handler: Gc<Code>,
    },
}

pub struct Lambda {
    pub name: Gc<str>,
    pub required: usize,
    /// Whether a list of all other arguments follows.
    pub takes_rest: bool,
    /// Variables, those of definitions in the body included.
    pub slots: usize,
    pub body: Gc<Code>,
}

/// The variables that are seen at a place: those of the procedure, then of those around it.
pub struct Scope<'a> {
    names: Vec<Gc<Symbol>>,
    outer: Option<&'a Scope<'a>>,
}

type Compiled = Result<Code, Error>;

pub struct Compiler<'a> {
    pub interp: &'a Interp,
}

fn wrong(form: Value, what: &str) -> Error {
    Error::Message(format!("{what}: {form:#}"))
}

impl Compiler<'_> {
    pub fn top_level(&self, form: Value) -> Compiled {
        self.form(form, None)
    }

    fn name(&self, value: Value) -> Option<&str> {
        if let Value::Symbol(symbol) = value { Some(&Gc::get(symbol).name) } else { None }
    }

    fn form(&self, form: Value, scope: Option<&mut Scope<'_>>) -> Compiled {
        match form {
            Value::Symbol(symbol) => Ok(self.variable(symbol, scope.as_deref())),
            Value::Pair(pair) => {
                let items = form.items().ok_or_else(|| wrong(form, "a form is a proper list"))?;
                self.list(form, pair.head.get(), &items, scope)
            }
            Value::Nil => Err(wrong(form, "an empty list is no form; quote it")),
            _ => Ok(Code::Constant(form)),
        }
    }

    fn variable(&self, symbol: Gc<Symbol>, scope: Option<&Scope<'_>>) -> Code {
        match place_of(symbol, scope) {
            Some((0, index)) => Code::Own(index),
            Some((depth, index)) => Code::Outer { depth, index },
            None => Code::Global(symbol),
        }
    }

    fn list(&self, form: Value, head: Value, items: &[Value], mut scope: Option<&mut Scope<'_>>) -> Compiled {
        let is_bound = matches!(head, Value::Symbol(symbol) if place_of(symbol, scope.as_deref()).is_some());
        let name = if is_bound { "" } else { self.name(head).unwrap_or_default() };
        match (name, items) {
            ("quote", &[_, value]) => Ok(Code::Constant(value)),
            ("quasiquote", &[_, value]) => {
                let expanded = self.quasi(value);
                self.form(expanded, scope)
            }
            ("if", &[_, test, then]) => self.branch(test, then, Value::Unspecified, scope),
            ("if", &[_, test, then, other]) => self.branch(test, then, other, scope),
            ("define", &[_, Value::Pair(signature), ..]) => {
                let lambda =
                    Value::cons(self.interp.symbol("lambda"), Value::cons(signature.tail.get(), rest(form, 2)));
                self.definition(signature.head.get(), lambda, scope)
            }
            ("define", &[_, name, value]) => self.definition(name, value, scope),
            ("set!", &[_, name, value]) => self.assignment(name, value, false, scope),
            ("lambda", &[_, parameters, ..]) => self.lambda("", parameters, rest(form, 2), scope.as_deref()),
            ("begin", &[_, ref body @ ..]) => self.sequence(body, scope),
            ("let", &[_, Value::Symbol(name), bindings, ..]) => self.named_let(name, bindings, rest(form, 3), scope),
            ("let", &[_, bindings, ..]) => self.let_form(bindings, rest(form, 2), scope),
            ("let*" | "letrec" | "letrec*", &[_, bindings, ..]) => {
                self.nested_let(name, bindings, rest(form, 2), scope)
            }
            ("and", &[_]) => Ok(Code::Constant(Value::Bool(true))),
            ("and", &[_, last]) => self.form(last, scope),
            ("and", &[_, first, ..]) => {
                let others = Value::cons(head, rest(form, 2));
                self.branch(first, others, Value::Bool(false), scope)
            }
            ("or", &[_, ref tests @ ..]) => {
                let tests = tests.iter().map(|&test| self.form(test, scope.as_deref_mut()));
                Ok(Code::Or(tests.collect::<Result<Vec<Code>, Error>>()?.into()))
            }
            ("when", &[_, test, ..]) => {
                let body = Value::cons(self.interp.symbol("begin"), rest(form, 2));
                self.branch(test, body, Value::Unspecified, scope)
            }
            ("unless", &[_, test, ..]) => {
                let body = Value::cons(self.interp.symbol("begin"), rest(form, 2));
                self.branch(test, Value::Unspecified, body, scope)
            }
            ("cond", &[_, ref clauses @ ..]) => self.cond(clauses, scope),
            ("case", &[_, key, ref clauses @ ..]) => {
                let expanded = self.case(key, clauses);
                self.form(expanded, scope)
            }
            ("do", &[_, variables, end, ..]) => {
                let expanded =
                    self.do_loop(variables, end, rest(form, 3)).ok_or_else(|| wrong(form, "do: malformed"))?;
                self.form(expanded, scope)
            }
            ("guard", &[_, Value::Pair(clauses), ..]) => {
                self.guard(clauses.head.get(), clauses.tail.get(), rest(form, 2), scope)
            }
            ("define-expander", &[_, Value::Symbol(name), expander]) => {
                let code = Gc::new(self.form(expander, None)?);
                let expander = self.interp.evaluate(Gc::get(code), None)?;
                self.interp.expanders.borrow_mut().insert(name.name.clone(), expander);
                Ok(Code::Constant(Value::Unspecified))
            }
            ("quote" | "quasiquote" | "if" | "define" | "set!" | "lambda" | "let" | "let*" | "letrec" | "do", _) => {
                Err(wrong(form, &format!("{name}: malformed")))
            }
            _ => match self.expand(name, form)? {
                Some(expanded) => self.form(expanded, scope),
                None => self.call(items, scope),
            },
        }
    }

    /// What the expander of that name makes of a form, if there is one.
    fn expand(&self, name: &str, form: Value) -> Result<Option<Value>, Error> {
        let expander = self.interp.expanders.borrow().get(name).copied();
        expander.map(|expander| self.interp.apply(expander, &[form])).transpose()
    }

    fn guard(&self, name: Value, clauses: Value, body: Value, mut scope: Option<&mut Scope<'_>>) -> Compiled {
        let symbol = |name| self.interp.symbol(name);
        let otherwise = Value::list(&[symbol("else"), Value::list(&[symbol("raise-continuable"), name])]);
        let mut cond = clauses.items().ok_or_else(|| wrong(clauses, "guard: malformed"))?;
        cond.insert(0, symbol("cond"));
        cond.push(otherwise);
        let handler = self.lambda("", Value::list(&[name]), Value::list(&[Value::list(&cond)]), scope.as_deref())?;
        let body = self.let_form(Value::Nil, body, scope.take())?;
        Ok(Code::Guard { body: Gc::new(body), handler: Gc::new(handler) })
    }

    fn call(&self, items: &[Value], mut scope: Option<&mut Scope<'_>>) -> Compiled {
        let function = Gc::new(self.form(items[0], scope.as_deref_mut())?);
        let arguments = items[1..].iter().map(|&argument| self.form(argument, scope.as_deref_mut()));
        Ok(Code::Call { function, arguments: arguments.collect::<Result<Vec<Code>, Error>>()?.into() })
    }

    fn branch(&self, test: Value, then: Value, other: Value, mut scope: Option<&mut Scope<'_>>) -> Compiled {
        let mut part = |form| Ok::<_, Error>(Gc::new(self.form(form, scope.as_deref_mut())?));
        Ok(Code::If { test: part(test)?, then: part(then)?, other: part(other)? })
    }

    fn sequence(&self, body: &[Value], mut scope: Option<&mut Scope<'_>>) -> Compiled {
        match body {
            [] => Ok(Code::Constant(Value::Unspecified)),
            &[only] => self.form(only, scope),
            _ => {
                let forms = body.iter().map(|&form| self.form(form, scope.as_deref_mut()));
                Ok(Code::Sequence(forms.collect::<Result<Vec<Code>, Error>>()?.into()))
            }
        }
    }

    fn definition(&self, name: Value, value: Value, scope: Option<&mut Scope<'_>>) -> Compiled {
        let Value::Symbol(symbol) = name else { return Err(wrong(name, "define: not a name")) };
        let Some(scope) = scope else { return self.assignment(name, value, true, None) };
        if !scope.names.iter().any(|&known| Gc::ptr_eq(known, symbol)) {
            scope.names.push(symbol);
        }
        self.assignment(name, value, false, Some(scope))
    }

    fn assignment(
        &self,
        name: Value,
        value: Value,
        is_definition: bool,
        mut scope: Option<&mut Scope<'_>>,
    ) -> Compiled {
        let Value::Symbol(symbol) = name else { return Err(wrong(name, "set!: not a name")) };
        let value = match value {
            Value::Pair(pair) if self.name(pair.head.get()) == Some("lambda") => {
                let Value::Pair(after) = pair.tail.get() else { return Err(wrong(value, "lambda: malformed")) };
                self.lambda(&symbol.name, after.head.get(), after.tail.get(), scope.as_deref())?
            }
            _ => self.form(value, scope.as_deref_mut())?,
        };
        let value = Gc::new(value);
        Ok(match place_of(symbol, scope.as_deref()) {
            Some((depth, index)) => Code::SetLocal { depth, index, value },
            None => Code::SetGlobal { symbol, value, is_definition },
        })
    }

    fn lambda(&self, name: &str, parameters: Value, body: Value, scope: Option<&Scope<'_>>) -> Compiled {
        let mut names = Vec::new();
        let mut list = parameters;
        while let Value::Pair(pair) = list {
            let Value::Symbol(symbol) = pair.head.get() else { return Err(wrong(parameters, "lambda: not names")) };
            names.push(symbol);
            list = pair.tail.get();
        }
        let required = names.len();
        if let Value::Symbol(symbol) = list {
            names.push(symbol);
        }
        let takes_rest = names.len() > required;
        let mut inner = Scope { names, outer: scope };
        let body = body.items().ok_or_else(|| wrong(body, "lambda: a body is a proper list"))?;
        // Definitions are seen in the whole body.
        for form in &body {
            self.declare(*form, &mut inner);
        }
        let body = Gc::new(self.sequence(&body, Some(&mut inner))?);
        let slots = inner.names.len();
        if slots > SLOTS_MAX {
            return Err(wrong(parameters, "lambda: more than 256 variables"));
        }
        Ok(Code::Lambda(Gc::new(Lambda { name: name.into(), required, takes_rest, slots, body })))
    }

    fn declare(&self, form: Value, scope: &mut Scope<'_>) {
        let Some(items) = form.items() else { return };
        match (items.first().and_then(|&head| self.name(head)), &items[..]) {
            (Some("begin"), forms) => forms[1..].iter().for_each(|&form| self.declare(form, scope)),
            (Some("define"), &[_, Value::Pair(signature), ..]) => declare_name(signature.head.get(), scope),
            (Some("define"), &[_, name, ..]) => declare_name(name, scope),
            _ => {}
        }
    }

    fn let_form(&self, bindings: Value, body: Value, mut scope: Option<&mut Scope<'_>>) -> Compiled {
        let (names, values) = split(bindings)?;
        let function = Gc::new(self.lambda("", Value::list(&names), body, scope.as_deref())?);
        let arguments = values.iter().map(|&value| self.form(value, scope.as_deref_mut()));
        Ok(Code::Call { function, arguments: arguments.collect::<Result<Vec<Code>, Error>>()?.into() })
    }

    /// `let*` as lets within each other, `letrec` as definitions.
    fn nested_let(&self, kind: &str, bindings: Value, body: Value, scope: Option<&mut Scope<'_>>) -> Compiled {
        let (names, values) = split(bindings)?;
        let pairs = names.iter().zip(&values);
        if kind == "let*" {
            let bind = |body, (&name, &value)| {
                let binding = Value::list(&[Value::list(&[name, value])]);
                Value::list(&[Value::cons(self.interp.symbol("let"), Value::cons(binding, body))])
            };
            let nested = pairs.rev().fold(body, bind);
            return self.let_form(Value::Nil, nested, scope);
        }
        let define =
            |body, (&name, &value)| Value::cons(Value::list(&[self.interp.symbol("define"), name, value]), body);
        let inner = Value::cons(self.interp.symbol("let"), Value::cons(Value::Nil, body));
        let body = pairs.rev().fold(Value::list(&[inner]), define);
        self.let_form(Value::Nil, body, scope)
    }

    fn named_let(&self, name: Gc<Symbol>, bindings: Value, body: Value, mut scope: Option<&mut Scope<'_>>) -> Compiled {
        let (names, values) = split(bindings)?;
        let lambda = Value::cons(self.interp.symbol("lambda"), Value::cons(Value::list(&names), body));
        let define = Value::list(&[self.interp.symbol("define"), Value::Symbol(name), lambda]);
        let make = Value::list(&[define, Value::Symbol(name)]);
        let maker = Gc::new(self.lambda("", Value::Nil, make, scope.as_deref())?);
        let function = Gc::new(Code::Call { function: maker, arguments: Gc::default() });
        let arguments = values.iter().map(|&value| self.form(value, scope.as_deref_mut()));
        Ok(Code::Call { function, arguments: arguments.collect::<Result<Vec<Code>, Error>>()?.into() })
    }

    fn cond(&self, clauses: &[Value], mut scope: Option<&mut Scope<'_>>) -> Compiled {
        let Some((&clause, others)) = clauses.split_first() else { return Ok(Code::Constant(Value::Bool(false))) };
        let items = clause.items().filter(|items| !items.is_empty()).ok_or_else(|| wrong(clause, "cond: malformed"))?;
        if self.name(items[0]) == Some("else") {
            return self.sequence(&items[1..], scope);
        }
        if items.get(1).and_then(|&item| self.name(item)) == Some("=>") {
            let symbol = |name| self.interp.symbol(name);
            let (found, function) = (symbol(" found"), *items.get(2).ok_or_else(|| wrong(clause, "cond: malformed"))?);
            let others = Value::cons(symbol("cond"), Value::list(others));
            let choice = Value::list(&[symbol("if"), found, Value::list(&[function, found]), others]);
            let binding = Value::list(&[Value::list(&[found, items[0]])]);
            return self.let_form(binding, Value::list(&[choice]), scope);
        }
        let test = self.form(items[0], scope.as_deref_mut())?;
        if items.len() == 1 {
            let other = self.cond(others, scope)?;
            return Ok(Code::Or([test, other].into()));
        }
        let then = Gc::new(self.sequence(&items[1..], scope.as_deref_mut())?);
        Ok(Code::If { test: Gc::new(test), then, other: Gc::new(self.cond(others, scope)?) })
    }

    /// `case` as a `cond` of `memv`.
    fn case(&self, key: Value, clauses: &[Value]) -> Value {
        let symbol = |name| self.interp.symbol(name);
        let key_name = symbol(" key");
        let clause = |&clause: &Value| match clause {
            Value::Pair(pair) if self.name(pair.head.get()) != Some("else") => {
                let data = Value::list(&[symbol("quote"), pair.head.get()]);
                Value::cons(Value::list(&[symbol("memv"), key_name, data]), pair.tail.get())
            }
            _ => clause,
        };
        let clauses: Vec<Value> = clauses.iter().map(clause).collect();
        let cond = Value::cons(symbol("cond"), Value::list(&clauses));
        Value::list(&[symbol("let"), Value::list(&[Value::list(&[key_name, key])]), cond])
    }

    /// `do` as a named `let`.
    fn do_loop(&self, variables: Value, end: Value, body: Value) -> Option<Value> {
        let symbol = |name| self.interp.symbol(name);
        let again = symbol(" again");
        let (mut bindings, mut steps) = (Vec::new(), vec![again]);
        for variable in variables.items()? {
            let items = variable.items()?;
            bindings.push(Value::list(items.get(..2)?));
            steps.push(*items.get(2).unwrap_or(&items[0]));
        }
        let Value::Pair(end) = end else { return None };
        let mut round = body.items()?;
        round.insert(0, symbol("begin"));
        round.push(Value::list(&steps));
        let result = Value::cons(symbol("begin"), end.tail.get());
        let test = Value::list(&[symbol("if"), end.head.get(), result, Value::list(&round)]);
        Some(Value::list(&[symbol("let"), again, Value::list(&bindings), test]))
    }

    fn quasi(&self, value: Value) -> Value {
        let symbol = |name| self.interp.symbol(name);
        if let Value::Vector(vector) = value {
            let items: Vec<Value> = vector.0.iter().map(|item| item.get()).collect();
            return Value::list(&[symbol("list->vector"), self.quasi(Value::list(&items))]);
        }
        let Value::Pair(pair) = value else { return Value::list(&[symbol("quote"), value]) };
        if self.name(pair.head.get()) == Some("unquote") {
            return value.items().map_or(value, |items| items[1]);
        }
        if let Value::Pair(inner) = pair.head.get()
            && self.name(inner.head.get()) == Some("unquote-splicing")
        {
            let spliced = pair.head.get().items().map_or(value, |items| items[1]);
            return Value::list(&[symbol("append"), spliced, self.quasi(pair.tail.get())]);
        }
        Value::list(&[symbol("cons"), self.quasi(pair.head.get()), self.quasi(pair.tail.get())])
    }
}

fn declare_name(name: Value, scope: &mut Scope<'_>) {
    if let Value::Symbol(symbol) = name
        && !scope.names.iter().any(|&known| Gc::ptr_eq(known, symbol))
    {
        scope.names.push(symbol);
    }
}

/// How many procedures outward a variable is, and its index there.
fn place_of(symbol: Gc<Symbol>, scope: Option<&Scope<'_>>) -> Option<(usize, usize)> {
    let scopes = std::iter::successors(scope, |scope| scope.outer);
    let mut places = scopes.enumerate().filter_map(|(depth, scope)| {
        let index = scope.names.iter().rposition(|&name| Gc::ptr_eq(name, symbol))?;
        Some((depth, index))
    });
    places.next()
}

/// What follows the first `count` items of a list.
fn rest(list: Value, count: usize) -> Value {
    (0..count).fold(list, |list, _| if let Value::Pair(pair) = list { pair.tail.get() } else { Value::Nil })
}

fn split(bindings: Value) -> Result<(Vec<Value>, Vec<Value>), Error> {
    let malformed = || wrong(bindings, "let: bindings are lists of a name and a value");
    let mut split = (Vec::new(), Vec::new());
    for binding in bindings.items().ok_or_else(malformed)? {
        let items = binding.items().filter(|items| items.len() == 2).ok_or_else(malformed)?;
        split.0.push(items[0]);
        split.1.push(items[1]);
    }
    Ok(split)
}
