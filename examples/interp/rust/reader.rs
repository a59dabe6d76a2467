//! The reader: text becomes values.

use crate::run::{Error, Interp};
use crate::value::Value;

pub struct Reader<'a> {
    interp: &'a Interp,
    text: &'a str,
    at: usize,
}

impl<'a> Reader<'a> {
    pub fn new(interp: &'a Interp, text: &'a str) -> Self {
        Reader { interp, text, at: 0 }
    }

    /// The next value, or `None` at the end.
    pub fn next(&mut self) -> Result<Option<Value>, Error> {
        self.skip_blanks();
        if self.at == self.text.len() { Ok(None) } else { self.value().map(Some) }
    }

    fn peek(&self) -> Option<char> {
        self.text[self.at..].chars().next()
    }

    fn take(&mut self) -> Option<char> {
        let c = self.peek()?;
        self.at += c.len_utf8();
        Some(c)
    }

    fn error(&self, what: &str) -> Error {
        let before = &self.text[..self.at];
        let line = before.matches('\n').count() + 1;
        let column = before.len() - before.rfind('\n').map_or(0, |at| at + 1) + 1;
        Error::Message(format!("{line}:{column}: {what}"))
    }

    fn skip_blanks(&mut self) {
        loop {
            let rest = &self.text[self.at..];
            if rest.starts_with(';') {
                self.at += rest.find('\n').unwrap_or(rest.len());
            } else if rest.starts_with("#|") {
                self.at += rest.find("|#").map_or(rest.len(), |end| end + 2);
            } else if rest.starts_with(char::is_whitespace) {
                self.at += rest.len() - rest.trim_start().len();
            } else {
                return;
            }
        }
    }

    fn value(&mut self) -> Result<Value, Error> {
        self.skip_blanks();
        match self.take() {
            None => Err(self.error("the text ends within a value")),
            Some('(' | '[') => self.list(),
            Some(')' | ']') => Err(self.error("a parenthesis too many")),
            Some('\'') => self.quoted("quote"),
            Some('`') => self.quoted("quasiquote"),
            Some(',') if self.peek() == Some('@') => {
                self.take();
                self.quoted("unquote-splicing")
            }
            Some(',') => self.quoted("unquote"),
            Some('"') => self.string(),
            Some('#') => self.hash(),
            Some(first) => Ok(self.atom(first)),
        }
    }

    fn quoted(&mut self, name: &str) -> Result<Value, Error> {
        let value = self.value()?;
        Ok(Value::list(&[self.interp.symbol(name), value]))
    }

    fn list(&mut self) -> Result<Value, Error> {
        let mut items = Vec::new();
        let mut tail = Value::Nil;
        loop {
            self.skip_blanks();
            match self.peek() {
                None => return Err(self.error("the text ends within a list")),
                Some(')' | ']') => {
                    self.take();
                    return Ok(items.iter().rev().fold(tail, |tail, &head| Value::cons(head, tail)));
                }
                Some('.') if self.text[self.at + 1..].starts_with(char::is_whitespace) => {
                    self.take();
                    tail = self.value()?;
                }
                Some(_) => items.push(self.value()?),
            }
        }
    }

    fn string(&mut self) -> Result<Value, Error> {
        let mut text = String::new();
        loop {
            match self.take() {
                None => return Err(self.error("the text ends within a string")),
                Some('"') => return Ok(Value::text(text)),
                Some('\\') => text.extend(self.escape()?),
                Some(c) => text.push(c),
            }
        }
    }

    /// What follows a backslash in a string: a line's end and the blanks of the next stand for nothing.
    fn escape(&mut self) -> Result<Option<char>, Error> {
        match self.take() {
            Some('n') => Ok(Some('\n')),
            Some('t') => Ok(Some('\t')),
            Some('\n') => {
                self.at += self.text[self.at..].len() - self.text[self.at..].trim_start().len();
                Ok(None)
            }
            Some('x') => {
                let digits = self.text[self.at..].split(';').next().unwrap_or_default();
                let code = u32::from_str_radix(digits, 16).ok().and_then(char::from_u32);
                let character = code.ok_or_else(|| self.error("no \\x escape of a character"))?;
                self.at += digits.len() + 1;
                Ok(Some(character))
            }
            other => Ok(other),
        }
    }

    fn hash(&mut self) -> Result<Value, Error> {
        match self.take() {
            Some('(') => {
                let items = self.list()?.items().unwrap_or_default();
                Ok(Value::vector(items.into_iter()))
            }
            Some('\\') => self.character(),
            Some(first @ ('t' | 'f')) => {
                self.word();
                Ok(Value::Bool(first == 't'))
            }
            Some(radix @ ('x' | 'b' | 'o' | 'd')) => {
                let radix = [('x', 16), ('b', 2), ('o', 8), ('d', 10)].into_iter().find(|known| known.0 == radix);
                let number = radix.and_then(|(_, radix)| i64::from_str_radix(self.word(), radix).ok());
                number.map(Value::Int).ok_or_else(|| self.error("no number follows"))
            }
            _ => Err(self.error("after # comes t, f, x, b, o, d, \\ or (")),
        }
    }

    fn character(&mut self) -> Result<Value, Error> {
        let first = self.take().ok_or_else(|| self.error("the text ends within a character"))?;
        let name = format!("{first}{}", self.word());
        match name.as_str() {
            "space" => Ok(Value::Char(' ')),
            "newline" => Ok(Value::Char('\n')),
            "tab" => Ok(Value::Char('\t')),
            "return" => Ok(Value::Char('\r')),
            "null" => Ok(Value::Char('\0')),
            _ if name.chars().count() == 1 => Ok(Value::Char(first)),
            _ => {
                let code = name.strip_prefix('x').and_then(|digits| u32::from_str_radix(digits, 16).ok());
                code.and_then(char::from_u32).map(Value::Char).ok_or_else(|| self.error("no character has that name"))
            }
        }
    }

    /// The rest of a word.
    fn word(&mut self) -> &'a str {
        let rest = &self.text[self.at..];
        let end = rest.find(|c: char| c.is_whitespace() || "()[]\";'".contains(c)).unwrap_or(rest.len());
        self.at += end;
        &rest[..end]
    }

    fn atom(&mut self, first: char) -> Value {
        let word = format!("{first}{}", self.word());
        number(&word).unwrap_or_else(|| self.interp.symbol(&word))
    }
}

/// The number that a word is.
pub fn number(word: &str) -> Option<Value> {
    match word {
        "+inf.0" => return Some(Value::Float(f64::INFINITY)),
        "-inf.0" => return Some(Value::Float(f64::NEG_INFINITY)),
        "+nan.0" => return Some(Value::Float(f64::NAN)),
        _ => {}
    }
    let digits = word.trim_start_matches(['+', '-']);
    if !digits.starts_with(|c: char| c.is_ascii_digit() || c == '.') || digits == "." {
        return None;
    }
    word.parse().map(Value::Int).ok().or_else(|| word.parse().map(Value::Float).ok())
}
