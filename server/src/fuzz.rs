//! Fuzz targets: what a parser promises, held against texts that nobody thought of.
//!
//! A target is a unit test beside its parser. Its corpus is the folder of its name in `server/fuzz`;
//! an input is a text of the corpus with edits, or bytes at random. A text that fails is shown as
//! small as it could be made: add it to the corpus.

use std::{
    env, fmt, fs,
    panic::{AssertUnwindSafe, catch_unwind},
    path::Path,
    time::{Duration, Instant},
};

use proptest::{
    collection::vec,
    prelude::{Just, Strategy, any},
    prop_oneof,
    sample::{Index, select},
    test_runner::{Config, TestError, TestRunner},
};

/// How long each target runs, in seconds.
const TIME: &str = "FUZZ_SECONDS";
/// Rounds without it.
const FIXED_ROUNDS: u64 = 4;
/// Inputs between two looks at the clock.
const ROUND: u32 = 256;

/// What parsers look for, besides what is in the corpus.
const WORDS: &[&str] = &[
    "\"",
    "'",
    "`",
    "\\",
    "\\\"",
    "\\u0000",
    "\\ud800",
    "{",
    "}",
    "[",
    "]",
    ":",
    ",",
    ";",
    "=",
    "(",
    ")",
    "--",
    "/*",
    "*/",
    "\n",
    "\r\n",
    "\t",
    " ",
    "null",
    "true",
    "-0",
    "1e400",
    "18446744073709551616",
    "9007199254740993",
    "\0",
    "é",
    "\u{feff}",
    "😀",
    "=?base64?",
    "?=",
    "&a",
    "*a",
    "|",
    ">-",
    "---",
    "# ",
    "!!str ",
    "${a}",
    "://u:p@",
    "password",
    "secret",
];

/// Checks the corpus of `target`, then inputs made of it until the time is over. `check` panics for
/// an input that is not treated as promised.
pub(crate) fn fuzz(target: &str, check: impl Fn(&[u8])) {
    let corpus = corpus(target);
    for text in &corpus {
        check(text);
    }
    // Without a time, the same inputs each time: a test that fails by chance tells little of the
    // change that it was run for. `make fuzz` looks for new ones.
    let seconds = env::var(TIME).ok().and_then(|seconds| seconds.parse().ok());
    let deadline = seconds.map(|seconds| Instant::now() + Duration::from_secs(seconds));
    let inputs = inputs(corpus);
    let config = Config {
        cases: ROUND,
        failure_persistence: None,
        // Texts of the corpus would stay whole: see `smallest`.
        max_shrink_iters: 0,
        ..Config::default()
    };
    let mut rounds = 0_u64;
    let mut runner = TestRunner::deterministic();
    while deadline.map_or(rounds < FIXED_ROUNDS, |deadline| Instant::now() < deadline) {
        if deadline.is_some() {
            runner = TestRunner::new(config.clone());
        }
        let run = runner.run(&inputs, |Input(input)| {
            check(&input);
            Ok(())
        });
        match run {
            Ok(()) => rounds += 1,
            Err(TestError::Fail(reason, Input(input))) => {
                let input = Input(smallest(input, &check));
                panic!("{target}: {reason}\ninput: {input}");
            }
            Err(TestError::Abort(reason)) => panic!("{target}: {reason}"),
        }
    }
    println!("{target}: {} inputs", rounds * u64::from(ROUND));
}

/// What is left of `input` when every part is taken out without which `check` fails still.
fn smallest(mut input: Vec<u8>, check: impl Fn(&[u8])) -> Vec<u8> {
    let fails = |input: &[u8]| catch_unwind(AssertUnwindSafe(|| check(input))).is_err();
    let mut length = input.len();
    while length > 0 {
        let mut start = 0;
        while start < input.len() {
            let mut shorter = input.clone();
            shorter.drain(start..(start + length).min(input.len()));
            if fails(&shorter) {
                input = shorter;
            } else {
                start += length;
            }
        }
        length /= 2;
    }
    input
}

fn corpus(target: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz").join(target);
    let files = fs::read_dir(&folder).unwrap_or_else(|error| panic!("{folder:?}: {error}"));
    let texts: Vec<_> = files.map(|file| fs::read(file.unwrap().path()).unwrap()).collect();
    assert!(!texts.is_empty(), "{folder:?} is empty");
    texts
}

/// An input, which is shown as text.
#[derive(Clone)]
struct Input(Vec<u8>);

impl fmt::Debug for Input {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl fmt::Display for Input {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "b\"{}\"", self.0.escape_ascii())
    }
}

/// Texts of the corpus with up to eight edits; one of eight inputs is bytes at random.
fn inputs(corpus: Vec<Vec<u8>>) -> impl Strategy<Value = Input> {
    let edits = vec((any::<Index>(), removed(), inserted(corpus.clone())), 0..8);
    let edited = (select(corpus), edits).prop_map(|(mut text, edits)| {
        for (at, removed, inserted) in edits {
            let start = at.index(text.len() + 1);
            let end = (start + removed).min(text.len());
            text.splice(start..end, inserted);
        }
        Input(text)
    });
    prop_oneof![7 => edited, 1 => vec(any::<u8>(), 0..256).prop_map(Input)]
}

fn removed() -> impl Strategy<Value = usize> {
    prop_oneof![4 => Just(0), 4 => 1..4_usize, 1 => 4..64_usize]
}

/// What an edit adds: nothing, a word, bytes, a part of some text of the corpus, or a repetition.
fn inserted(corpus: Vec<Vec<u8>>) -> impl Strategy<Value = Vec<u8>> {
    let part = (select(corpus), any::<Index>(), 0..64_usize).prop_map(|(text, at, length)| {
        let start = at.index(text.len() + 1);
        text[start..(start + length).min(text.len())].to_vec()
    });
    let word = || select(WORDS).prop_map(|word| word.as_bytes().to_vec());
    let repeated = (word(), 2..200_usize).prop_map(|(word, times)| word.repeat(times));
    prop_oneof![
        2 => Just(Vec::new()),
        4 => word(),
        2 => vec(any::<u8>(), 1..4),
        3 => part,
        1 => repeated,
    ]
}

#[test]
fn a_failure_shows_the_smallest_input() {
    let found = catch_unwind(|| {
        fuzz("fuzz", |input| assert!(!input.windows(2).any(|pair| pair == b"[["), "two brackets"));
    });
    let message = *found.unwrap_err().downcast::<String>().unwrap();
    assert!(message.ends_with("input: b\"[[\""), "{message}");
}
