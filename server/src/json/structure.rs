//! The structure of JSON, by quotes and brackets alone: what stands between them need not be JSON.

use std::{iter, ops::Range};

use super::{
    check::{Fault, Need, check, check_at},
    is_space, plain_length,
};

/// A text that is no array or object, or one that is cut off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the JSON is cut off or malformed")]
pub struct Malformed;

/// Where the value that begins at `start` ends; `None` if the text ends first, or no value begins
/// there.
#[must_use]
pub fn end_of(text: &[u8], start: usize) -> Option<usize> {
    match text.get(start)? {
        b'"' => string_end(text, start),
        b'{' | b'[' => brackets_end(text, start),
        _ => {
            let rest = text.get(start..)?;
            let ends =
                |byte: &u8| is_space(*byte) || matches!(byte, b',' | b':' | b']' | b'}' | b'"');
            let length = rest.iter().position(ends).unwrap_or(rest.len());
            (length > 0).then_some(start + length)
        }
    }
}

fn brackets_end(text: &[u8], start: usize) -> Option<usize> {
    let (mut at, mut open) = (start, 0_usize);
    loop {
        match text.get(at)? {
            b'"' => {
                at = string_end(text, at)?;
                continue;
            }
            b'{' | b'[' => open += 1,
            b'}' | b']' if open == 1 => return Some(at + 1),
            b'}' | b']' => open -= 1,
            _ => {}
        }
        at += 1;
    }
}

pub(super) fn string_end(text: &[u8], start: usize) -> Option<usize> {
    let mut at = start + 1;
    loop {
        at += plain_length(text.get(at..)?);
        match text.get(at)? {
            b'"' => return Some(at + 1),
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
}

/// One element of an array, or one member of an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// Where the key stands, with its quotes; empty in an array.
    pub key: Range<usize>,
    /// Where the value stands.
    pub value: Range<usize>,
}

/// The parts of an array or object, in their order. After [`Malformed`] there are no more.
#[derive(Debug, Clone)]
pub struct Parts<'a> {
    text: &'a [u8],
    at: usize,
    is_object: bool,
    state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Start,
    Inside,
    Over,
}

impl<'a> Parts<'a> {
    /// Of an array.
    #[must_use]
    pub fn of_array(text: &'a [u8]) -> Self {
        Self { text, at: 0, is_object: false, state: State::Start }
    }

    /// Of an object.
    #[must_use]
    pub fn of_object(text: &'a [u8]) -> Self {
        Self { text, at: 0, is_object: true, state: State::Start }
    }

    fn skip_space(&mut self) {
        while self.text.get(self.at).copied().is_some_and(is_space) {
            self.at += 1;
        }
    }

    fn eat(&mut self, expected: u8) -> bool {
        self.skip_space();
        let is_there = self.text.get(self.at) == Some(&expected);
        self.at += usize::from(is_there);
        is_there
    }

    fn value(
        &mut self,
        end_of: impl FnOnce(usize) -> Option<usize>,
    ) -> Result<Range<usize>, Malformed> {
        self.skip_space();
        let start = self.at;
        self.at = end_of(start).ok_or(Malformed)?;
        Ok(start..self.at)
    }

    /// The next part; none behind the last. `end_of` tells where a value ends.
    fn advance(
        &mut self,
        end_of_value: impl FnOnce(usize) -> Option<usize>,
    ) -> Result<Option<Part>, Malformed> {
        let text = self.text;
        let (open, close) = if self.is_object { (b'{', b'}') } else { (b'[', b']') };
        let is_first = self.state == State::Start;
        if is_first && !self.eat(open) {
            return Err(Malformed);
        }
        self.state = State::Inside;
        if self.eat(close) {
            self.skip_space();
            return if self.at == self.text.len() { Ok(None) } else { Err(Malformed) };
        }
        if !is_first && !self.eat(b',') {
            return Err(Malformed);
        }
        let mut key = self.at..self.at;
        if self.is_object {
            key = self.value(|start| end_of(text, start))?;
            if self.text.get(key.start) != Some(&b'"') || !self.eat(b':') {
                return Err(Malformed);
            }
        }
        Ok(Some(Part { key, value: self.value(end_of_value)? }))
    }

    /// As [`Iterator::next`], with `end_of_value`.
    fn next_by(
        &mut self,
        end_of_value: impl FnOnce(usize) -> Option<usize>,
    ) -> Option<Result<Part, Malformed>> {
        if self.state == State::Over {
            return None;
        }
        let next = self.advance(end_of_value).transpose();
        if !matches!(next, Some(Ok(_))) {
            self.state = State::Over;
        }
        next
    }
}

/// An object in an array: where it stands, and what [`check()`] says about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checked {
    /// Where it stands.
    pub place: Range<usize>,
    /// What it needs, or why it can't be read.
    pub check: Result<Need, Fault>,
}

/// The elements of the array `text`. An object is found and checked in one pass; what can't be read
/// ends where its brackets say.
pub fn checked_elements(text: &[u8]) -> impl Iterator<Item = Result<Checked, Malformed>> {
    let all = std::str::from_utf8(text).ok();
    let mut parts = Parts::of_array(text);
    iter::from_fn(move || {
        let mut known = None;
        let part = parts.next_by(|start| {
            let checked = all.filter(|_| text.get(start) == Some(&b'{'));
            match checked.map(|all| check_at(all, start)) {
                Some(Ok((need, end))) => {
                    known = Some(Ok(need));
                    Some(end)
                }
                Some(Err(fault)) => {
                    known = Some(Err(fault));
                    end_of(text, start)
                }
                None => end_of(text, start),
            }
        })?;
        Some(part.map(|Part { value: place, .. }| {
            let check = known.unwrap_or_else(|| check(text.get(place.clone()).unwrap_or_default()));
            Checked { place, check }
        }))
    })
}

impl Iterator for Parts<'_> {
    type Item = Result<Part, Malformed>;

    fn next(&mut self) -> Option<Self::Item> {
        let text = self.text;
        self.next_by(|start| end_of(text, start))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn elements(text: &str) -> Result<Vec<&str>, Malformed> {
        Parts::of_array(text.as_bytes()).map(|part| Ok(&text[part?.value])).collect()
    }

    #[test]
    fn elements_are_found_whatever_stands_in_them() {
        for (text, expected) in [
            ("[]", vec![]),
            (" [ 1 , \"a,]\" ] ", vec!["1", "\"a,]\""]),
            (r#"[{"a":"\"}"},[[1],2],NaN]"#, vec![r#"{"a":"\"}"}"#, "[[1],2]", "NaN"]),
            (r#"[{"a":"\ud800"},{"b":01}]"#, vec![r#"{"a":"\ud800"}"#, r#"{"b":01}"#]),
        ] {
            assert_eq!(elements(text).as_deref(), Ok(&expected[..]), "{text}");
        }
        let deep = format!("[{}{}]", "[".repeat(100_000), "]".repeat(100_000));
        assert_eq!(elements(&deep).unwrap()[0].len(), 200_000);
    }

    #[test]
    fn what_is_cut_off_or_no_array_is_malformed() {
        for text in [
            "", "{}", "[", "[1", "[1,", "[1,]", "[,1]", "[1 2]", "[]]", "[] x", "[\"a]", "[{]",
            "\"[]\"", "[\"\\",
        ] {
            assert_eq!(elements(text), Err(Malformed), "{text}");
        }
    }

    #[test]
    fn members_have_their_keys() {
        let text = r#" {"a" :1, "b:": {"c":2} } "#;
        let members: Vec<_> = Parts::of_object(text.as_bytes())
            .map(|part| part.map(|part| (&text[part.key], &text[part.value])))
            .collect::<Result<_, _>>()
            .unwrap();
        assert_eq!(members, [(r#""a""#, "1"), (r#""b:""#, r#"{"c":2}"#)]);
        for text in
            ["{", "{a:1}", r#"{"a"}"#, r#"{"a":}"#, r#"{"a":1,}"#, r#"{"a" 1}"#, "[]", "{1:2}"]
        {
            assert!(Parts::of_object(text.as_bytes()).any(|part| part.is_err()), "{text}");
        }
    }
}
