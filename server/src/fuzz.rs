//! Fuzz targets: what a parser promises, held against texts that nobody thought of.
//!
//! A target is a unit test beside its parser. Its corpus is the folder of its name in
//! `server/fuzz`; an input is a text of the corpus with edits, or bytes at random. A text that
//! fails is shown as small as it could be made: add it to the corpus.

use std::{
    env, fs,
    panic::{AssertUnwindSafe, catch_unwind},
    path::Path,
    time::Instant,
};

use proptest::{
    collection::vec,
    prelude::{Just, Strategy, any},
    prop_oneof,
    sample::{Index, select},
    strategy::ValueTree,
    test_runner::TestRunner,
};

/// How long each target runs, in seconds.
const SECONDS: &str = "FUZZ_SECONDS";
/// How many inputs each target checks, however long that takes.
const INPUTS: &str = "FUZZ_INPUTS";
/// Inputs if neither is set.
const FIXED_INPUTS: u64 = 512;

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

/// Checks the corpus of `target`, then inputs made of it. `check` panics for an input that is not
/// treated as promised.
pub(crate) fn fuzz(target: &str, check: impl Fn(&[u8])) {
    let corpus = corpus(target);
    for text in &corpus {
        check(text);
    }
    let started = Instant::now();
    let (most, seconds) = (variable(INPUTS), variable(SECONDS));
    let mut runner = if most.is_none() && seconds.is_none() {
        // The same inputs each time: a test that fails by chance tells little of the change that it
        // was run for. `make fuzz` looks for new ones.
        TestRunner::deterministic()
    } else {
        TestRunner::default()
    };
    let goes_on = |inputs| match (most, seconds) {
        (Some(most), _) => inputs < most,
        (None, Some(seconds)) => started.elapsed().as_secs() < seconds,
        (None, None) => inputs < FIXED_INPUTS,
    };
    let strategy = inputs(corpus);
    let mut inputs = 0;
    while goes_on(inputs) {
        let input = strategy.new_tree(&mut runner).unwrap().current();
        if fails(&input, &check) {
            let input = smallest(input, &check);
            panic!("{target} fails for b\"{}\"", input.escape_ascii());
        }
        inputs += 1;
    }
    println!("{target}: {inputs} inputs in {:.0?}", started.elapsed());
}

fn variable(name: &str) -> Option<u64> {
    let text = env::var(name).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{name} is {text:?}, which is no number")))
}

fn fails(input: &[u8], check: impl Fn(&[u8])) -> bool {
    catch_unwind(AssertUnwindSafe(|| check(input))).is_err()
}

/// What is left of `input` when every part is taken out without which `check` fails still.
fn smallest(mut input: Vec<u8>, check: impl Fn(&[u8])) -> Vec<u8> {
    let mut length = input.len();
    while length > 0 {
        let mut start = 0;
        while start < input.len() {
            let mut shorter = input.clone();
            shorter.drain(start..(start + length).min(input.len()));
            if fails(&shorter, &check) {
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

/// Texts of the corpus with up to eight edits; one of eight inputs is bytes at random.
fn inputs(corpus: Vec<Vec<u8>>) -> impl Strategy<Value = Vec<u8>> {
    let edits = vec((any::<Index>(), removed(), inserted(corpus.clone())), 0..8);
    let edited = (select(corpus), edits).prop_map(|(mut text, edits)| {
        for (at, removed, inserted) in edits {
            let start = at.index(text.len() + 1);
            let end = (start + removed).min(text.len());
            text.splice(start..end, inserted);
        }
        text
    });
    prop_oneof![7 => edited, 1 => vec(any::<u8>(), 0..256)]
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
    assert!(message.ends_with("fails for b\"[[\""), "{message}");
}
