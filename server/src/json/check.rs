//! Whether every JSON reader takes a value (RFC 8259). One pass, without recursion and without
//! memory.

use super::{is_space, number, plain_length};

/// Deepest nesting that is passed on. Common readers end at 128, and a result wraps a record in
/// four levels of its own.
pub const MAX_DEPTH: u32 = 120;

/// What must be done to a value before a client reads it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// Nothing: it can be sent as it is.
    Nothing,
    /// It has numbers that a double can't hold, or line breaks between its tokens: see
    /// [`super::copy()`].
    Copy,
}

/// Why JSON readers refuse a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// It is not JSON.
    #[error("text that is not JSON")]
    Syntax,
    /// `\ud800` to `\udfff` that is not one of a pair.
    #[error("half a surrogate pair")]
    Surrogate,
    /// Brackets in brackets, more than [`MAX_DEPTH`].
    #[error("more than {MAX_DEPTH} levels of nesting")]
    Depth,
    /// Its bytes are no text.
    #[error("bytes that are not UTF-8")]
    Encoding,
}

/// Checks that `value` is one JSON value, with nothing but white space around it.
///
/// # Errors
///
/// [`Fault`], the first that is found.
pub fn check(value: &[u8]) -> Result<Need, Fault> {
    let text = std::str::from_utf8(value).map_err(|_| Fault::Encoding)?;
    let mut checker = Checker::new(text, 0);
    checker.value()?;
    checker.skip_space();
    if checker.at == text.len() { Ok(checker.need) } else { Err(Fault::Syntax) }
}

/// Checks the value that begins at `start` of `text`: what it needs, and where it ends.
///
/// # Errors
///
/// [`Fault`], the first that is found.
pub(super) fn check_at(text: &str, start: usize) -> Result<(Need, usize), Fault> {
    let mut checker = Checker::new(text, start);
    checker.value()?;
    Ok((checker.need, checker.at))
}

struct Checker<'a> {
    text: &'a str,
    bytes: &'a [u8],
    at: usize,
    need: Need,
    /// One bit for each open bracket, the innermost last: 1 for an object.
    objects: u128,
    depth: u32,
}

impl<'a> Checker<'a> {
    fn new(text: &'a str, at: usize) -> Self {
        let bytes = text.as_bytes();
        Self { text, bytes, at, need: Need::Nothing, objects: 0, depth: 0 }
    }

    /// Goes behind one value.
    fn value(&mut self) -> Result<(), Fault> {
        loop {
            self.skip_space();
            let is_open = match self.peek() {
                Some(b'{') => self.open(true)?,
                Some(b'[') => self.open(false)?,
                Some(b'"') => self.string()?,
                Some(b'-' | b'0'..=b'9') => self.number()?,
                Some(b't') => self.word(b"true")?,
                Some(b'f') => self.word(b"false")?,
                Some(b'n') => self.word(b"null")?,
                _ => return Err(Fault::Syntax),
            };
            if !is_open && self.close()? {
                return Ok(());
            }
        }
    }

    /// Goes into an array or object. False if it is empty, so that it has ended.
    fn open(&mut self, is_object: bool) -> Result<bool, Fault> {
        if self.depth == MAX_DEPTH {
            return Err(Fault::Depth);
        }
        self.at += 1;
        self.skip_space();
        if self.peek() == Some(if is_object { b'}' } else { b']' }) {
            self.at += 1;
            return Ok(false);
        }
        self.depth += 1;
        self.objects = self.objects << 1 | u128::from(is_object);
        if is_object {
            self.key()?;
        }
        Ok(true)
    }

    /// What follows a value: ends of what it stands in, then the beginning of the next. True if all
    /// has ended.
    fn close(&mut self) -> Result<bool, Fault> {
        loop {
            if self.depth == 0 {
                return Ok(true);
            }
            self.skip_space();
            let is_object = self.objects & 1 == 1;
            match self.peek() {
                Some(b',') => {
                    self.at += 1;
                    if is_object {
                        self.key()?;
                    }
                    return Ok(false);
                }
                Some(b'}') if is_object => {}
                Some(b']') if !is_object => {}
                _ => return Err(Fault::Syntax),
            }
            self.at += 1;
            self.depth -= 1;
            self.objects >>= 1;
        }
    }

    fn key(&mut self) -> Result<(), Fault> {
        self.skip_space();
        if self.peek() != Some(b'"') {
            return Err(Fault::Syntax);
        }
        self.string()?;
        self.skip_space();
        if self.peek() != Some(b':') {
            return Err(Fault::Syntax);
        }
        self.at += 1;
        Ok(())
    }

    fn string(&mut self) -> Result<bool, Fault> {
        self.at += 1;
        loop {
            self.at += plain_length(self.bytes.get(self.at..).unwrap_or_default());
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(false);
                }
                Some(b'\\') => self.escape()?,
                _ => return Err(Fault::Syntax),
            }
        }
    }

    fn escape(&mut self) -> Result<(), Fault> {
        match self.bytes.get(self.at + 1) {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => self.at += 2,
            Some(b'u') => match self.unit()? {
                0xd800..0xdc00 => {
                    let is_pair = self.bytes.get(self.at..self.at + 2) == Some(b"\\u");
                    if !is_pair || !(0xdc00..0xe000).contains(&self.unit()?) {
                        return Err(Fault::Surrogate);
                    }
                }
                0xdc00..0xe000 => return Err(Fault::Surrogate),
                _ => {}
            },
            _ => return Err(Fault::Syntax),
        }
        Ok(())
    }

    /// The UTF-16 code unit `\uXXXX`.
    fn unit(&mut self) -> Result<u32, Fault> {
        let digits = self.text.get(self.at + 2..self.at + 6).ok_or(Fault::Syntax)?;
        if !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(Fault::Syntax);
        }
        self.at += 6;
        u32::from_str_radix(digits, 16).map_err(|_| Fault::Syntax)
    }

    fn number(&mut self) -> Result<bool, Fault> {
        let start = self.at;
        self.at += usize::from(self.peek() == Some(b'-'));
        let whole = self.at;
        self.digits()?;
        if self.bytes.get(whole) == Some(&b'0') && self.at > whole + 1 {
            return Err(Fault::Syntax);
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.digits()?;
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.at += 1;
            self.at += usize::from(matches!(self.peek(), Some(b'+' | b'-')));
            self.digits()?;
        }
        if self.need == Need::Nothing && self.text.get(start..self.at).is_some_and(number::is_wide)
        {
            self.need = Need::Copy;
        }
        Ok(false)
    }

    fn digits(&mut self) -> Result<(), Fault> {
        let start = self.at;
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
        if self.at == start { Err(Fault::Syntax) } else { Ok(()) }
    }

    fn word(&mut self, word: &[u8]) -> Result<bool, Fault> {
        let end = self.at + word.len();
        if self.bytes.get(self.at..end) != Some(word) {
            return Err(Fault::Syntax);
        }
        self.at = end;
        Ok(false)
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn skip_space(&mut self) {
        while let Some(byte) = self.peek().filter(|byte| is_space(*byte)) {
            if matches!(byte, b'\n' | b'\r') {
                self.need = Need::Copy;
            }
            self.at += 1;
        }
    }
}
