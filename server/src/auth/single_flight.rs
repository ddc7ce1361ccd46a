//! One call for all who want the same answer at the same time. It runs as long as somebody waits
//! for it: when the last caller hangs up, it is dropped with all that it holds.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use futures::{
    FutureExt,
    future::{BoxFuture, Shared, WeakShared},
};

use crate::identity::Fingerprint;

/// A call in flight. It makes progress while any of its clones is polled.
pub(super) type Call<T> = Shared<BoxFuture<'static, T>>;

/// The calls in flight, by the token that they are about.
#[derive(Debug)]
pub(super) struct SingleFlight<T: Clone>(
    Mutex<HashMap<Fingerprint, WeakShared<BoxFuture<'static, T>>>>,
);

/// How a caller came to a call.
pub(super) enum Flight<T: Clone> {
    /// It is new.
    Started(Call<T>),
    /// It was in flight already.
    Joined(Call<T>),
}

impl<T: Clone> SingleFlight<T> {
    /// No calls.
    pub(super) fn new() -> Self {
        Self(Mutex::default())
    }

    /// Joins the call about `token`, or makes one with `start`.
    ///
    /// # Errors
    ///
    /// Those of `start`.
    pub(super) fn call<E>(
        &self,
        token: Fingerprint,
        start: impl FnOnce() -> Result<BoxFuture<'static, T>, E>,
    ) -> Result<Flight<T>, E> {
        let mut calls = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(call) = calls.get(&token).and_then(in_flight) {
            return Ok(Flight::Joined(call));
        }
        let call = start()?.shared();
        // Calls that ended are removed before the map grows, so that it never holds more than twice
        // those in flight.
        if calls.len() == calls.capacity() {
            calls.retain(|_, call| in_flight(call).is_some());
        }
        if let Some(weak) = call.downgrade() {
            calls.insert(token, weak);
        }
        Ok(Flight::Started(call))
    }
}

/// The call, unless all its callers hung up or it has its answer: an answer is only for those who
/// came before it.
fn in_flight<T: Clone>(
    call: &WeakShared<BoxFuture<'static, T>>,
) -> Option<Shared<BoxFuture<'static, T>>> {
    call.upgrade().filter(|call| call.peek().is_none())
}

#[cfg(test)]
mod tests {
    use std::{convert::Infallible, sync::Arc};

    use tokio::sync::Notify;

    use super::*;

    /// A call that answers `answer` once `go` is notified.
    fn call(flights: &SingleFlight<u32>, answer: u32, go: &Arc<Notify>) -> (Call<u32>, bool) {
        let go = go.clone();
        let start = || {
            Ok::<_, Infallible>(
                async move {
                    go.notified().await;
                    answer
                }
                .boxed(),
            )
        };
        match flights.call(Fingerprint::of("token"), start) {
            Ok(Flight::Started(call)) => (call, true),
            Ok(Flight::Joined(call)) => (call, false),
            Err(never) => match never {},
        }
    }

    #[tokio::test]
    async fn callers_that_come_while_a_call_is_in_flight_join_it() {
        let (flights, go) = (SingleFlight::new(), Arc::new(Notify::new()));
        let (first, started) = call(&flights, 1, &go);
        assert!(started);
        let (second, started) = call(&flights, 2, &go);
        assert!(!started);
        drop(first);
        go.notify_one();
        assert_eq!(second.clone().await, 1);
        let (third, started) = call(&flights, 3, &go);
        assert!(started, "an answer is not for those who come after it");
        go.notify_one();
        assert_eq!(third.await, 3);
    }

    #[tokio::test]
    async fn a_call_is_dropped_with_its_last_caller() {
        let (flights, go) = (SingleFlight::new(), Arc::new(Notify::new()));
        let (first, _) = call(&flights, 1, &go);
        let second = first.clone();
        drop(first);
        assert_eq!(Arc::strong_count(&go), 2);
        drop(second);
        assert_eq!(Arc::strong_count(&go), 1);
    }

    #[tokio::test]
    async fn calls_that_ended_are_not_kept() {
        let flights = SingleFlight::new();
        for token in 0..1_000 {
            let start = || Ok::<_, Infallible>(async move { token }.boxed());
            let flight = flights.call(Fingerprint::of(&token.to_string()), start);
            assert!(matches!(flight, Ok(Flight::Started(_))));
        }
        assert!(flights.0.lock().unwrap().capacity() < 10);
    }
}
