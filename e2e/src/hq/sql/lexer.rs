//! From text to tokens, each with where it stands.

use std::iter::Peekable;
use std::str::Chars;

/// A token.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Token {
    /// A keyword or name as written.
    Word(String),
    /// A name in backticks or double quotes: never a keyword.
    Name(String),
    /// Text in single quotes.
    Text(String),
    Number(String),
    Symbol(&'static str),
}

/// A token and its line and column, from 1.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Placed {
    pub(crate) token: Token,
    pub(crate) line: usize,
    pub(crate) column: usize,
}

/// Two-character symbols come first, so that `<=` is not read as `<`.
const SYMBOLS: [&str; 14] =
    ["<=", ">=", "!=", "<>", "=", "<", ">", "(", ")", ",", ".", "*", ";", "-"];

/// # Errors
/// A sentence with line and column.
pub(crate) fn tokens(text: &str) -> Result<Vec<Placed>, String> {
    let mut lexer = Lexer { rest: text.chars().peekable(), line: 1, column: 1 };
    let mut tokens = Vec::new();
    loop {
        lexer.skip_blanks()?;
        let (line, column) = (lexer.line, lexer.column);
        match lexer.token()? {
            Some(token) => tokens.push(Placed { token, line, column }),
            None => return Ok(tokens),
        }
    }
}

struct Lexer<'text> {
    rest: Peekable<Chars<'text>>,
    line: usize,
    column: usize,
}

impl Lexer<'_> {
    fn next(&mut self) -> Option<char> {
        let character = self.rest.next()?;
        if character == '\n' {
            (self.line, self.column) = (self.line + 1, 1);
        } else {
            self.column += 1;
        }
        Some(character)
    }

    fn first(&self) -> Option<char> {
        self.rest.clone().next()
    }

    fn second(&self) -> Option<char> {
        self.rest.clone().nth(1)
    }

    /// Spaces, `-- …` and `/* … */`.
    fn skip_blanks(&mut self) -> Result<(), String> {
        loop {
            match (self.first(), self.second()) {
                (Some(blank), _) if blank.is_whitespace() => {
                    self.next();
                }
                (Some('-'), Some('-')) => {
                    while self.next().is_some_and(|character| character != '\n') {}
                }
                (Some('/'), Some('*')) => {
                    let begin = self.here();
                    self.next();
                    self.next();
                    while (self.first(), self.second()) != (Some('*'), Some('/')) {
                        self.next().ok_or_else(|| format!("comment is not closed {begin}"))?;
                    }
                    self.next();
                    self.next();
                }
                _ => return Ok(()),
            }
        }
    }

    fn token(&mut self) -> Result<Option<Token>, String> {
        let Some(&first) = self.rest.peek() else { return Ok(None) };
        let token = match first {
            '\'' => Token::Text(self.quoted('\'')?),
            '`' | '"' => Token::Name(self.quoted(first)?),
            digit if digit.is_ascii_digit() => {
                Token::Number(self.run(|character| character.is_ascii_digit() || character == '.'))
            }
            letter if letter.is_alphabetic() || letter == '_' => {
                Token::Word(self.run(|character| character.is_alphanumeric() || character == '_'))
            }
            _ => {
                let two: String = self.rest.clone().take(2).collect();
                let found = SYMBOLS.into_iter().find(|symbol| two.starts_with(symbol));
                let symbol = found
                    .ok_or_else(|| format!("unexpected character {first:?} {}", self.here()))?;
                (0..symbol.len()).for_each(|_| {
                    self.next();
                });
                Token::Symbol(symbol)
            }
        };
        Ok(Some(token))
    }

    /// A quote inside is doubled.
    fn quoted(&mut self, quote: char) -> Result<String, String> {
        let begin = self.here();
        self.next();
        let mut text = String::new();
        loop {
            let character = self.next().ok_or_else(|| format!("{quote} is not closed {begin}"))?;
            if character != quote {
                text.push(character);
            } else if self.rest.peek() == Some(&quote) {
                self.next();
                text.push(quote);
            } else {
                return Ok(text);
            }
        }
    }

    fn run(&mut self, belongs: impl Fn(char) -> bool) -> String {
        let mut run = String::new();
        while self.rest.peek().is_some_and(|&character| belongs(character)) {
            run.extend(self.next());
        }
        run
    }

    fn here(&self) -> String {
        format!("at line {}, column {}", self.line, self.column)
    }
}
