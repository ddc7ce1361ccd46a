//! A demo's account of itself: each step with its time, and the sum at the end.

use std::{
    fmt::Display,
    future::Future,
    time::{Duration, Instant},
};

use super::Error;

/// Counts and prints steps.
pub(super) struct Steps {
    started: Instant,
    passed: usize,
    failed: usize,
}

impl Steps {
    pub(super) fn begin() -> Self {
        Self { started: Instant::now(), passed: 0, failed: 0 }
    }

    /// Takes one step and prints how it went: `what` it was, what came of it, and how long it took.
    pub(super) async fn take<T, Work>(&mut self, what: &str, work: Work) -> Result<T, Error>
    where
        T: Outcome,
        Work: Future<Output = Result<T, Error>>,
    {
        let begun = Instant::now();
        let outcome = work.await;
        let took = seconds(begun.elapsed());
        match &outcome {
            Ok(value) => {
                self.passed += 1;
                println!(
                    "{:>7}  ok      {what}{} ({took})",
                    seconds(self.started.elapsed()),
                    value.words()
                );
            }
            Err(error) => {
                self.failed += 1;
                println!(
                    "{:>7}  FAILED  {what}: {error} ({took})",
                    seconds(self.started.elapsed())
                );
            }
        }
        outcome
    }

    /// The closing line.
    pub(super) fn sum(&self) -> impl Display {
        format!("{} passed, {} failed", self.passed, self.failed)
    }
}

/// What a step hands on, in words for the person who watches.
pub(super) trait Outcome {
    fn words(&self) -> String {
        String::new()
    }
}

impl Outcome for () {}

/// A step's result with the words to show for it.
pub(super) struct Shown<T>(pub(super) T, pub(super) String);

impl<T> Outcome for Shown<T> {
    fn words(&self) -> String {
        format!(": {}", self.1)
    }
}

fn seconds(duration: Duration) -> String {
    format!("{:.1} s", duration.as_secs_f64())
}
