//! Changes of one resource are gathered before a reconcile: making a server gives an event for each
//! of its objects.

use std::{collections::HashMap, hash::Hash, time::Duration};

use futures::{Stream, StreamExt, stream};
use tokio::time::Instant;
use tokio_util::time::{DelayQueue, delay_queue};

/// How long nothing must have changed.
const QUIET: Duration = Duration::from_millis(100);
/// How long a reconcile waits at most, however much changes.
const MOST: Duration = Duration::from_secs(1);

struct Waiting {
    place: delay_queue::Key,
    latest: Instant,
}

/// Gives each key once it has not come for 100 ms, and after a second at the latest.
pub(super) fn gather<K>(
    keys: impl Stream<Item = K> + Send + Unpin + 'static,
) -> impl Stream<Item = K> + Send
where
    K: Clone + Eq + Hash + Send + 'static,
{
    let state = (keys.fuse(), DelayQueue::new(), HashMap::<K, Waiting>::new());
    stream::unfold(state, |(mut keys, mut queue, mut waiting)| async move {
        loop {
            tokio::select! {
                biased;
                Some(due) = queue.next(), if !queue.is_empty() => {
                    let key: K = due.into_inner();
                    waiting.remove(&key);
                    return Some((key, (keys, queue, waiting)));
                }
                Some(key) = keys.next() => {
                    let now = Instant::now();
                    if let Some(known) = waiting.get(&key) {
                        queue.reset_at(&known.place, known.latest.min(now + QUIET));
                    } else {
                        let place = queue.insert(key.clone(), QUIET);
                        waiting.insert(key, Waiting { place, latest: now + MOST });
                    }
                }
                else => return None,
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use tokio::time::{interval, sleep};

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn simultaneous_events_come_once_and_endless_ones_within_a_second() {
        let begun = Instant::now();
        let once = stream::iter(["a", "b", "a"]);
        let restless = stream::unfold(interval(Duration::from_millis(50)), async |mut ticks| {
            ticks.tick().await;
            Some(("c", ticks))
        });
        let mut gathered = std::pin::pin!(gather(once.chain(restless).boxed()));
        let mut next = async || (gathered.next().await, begun.elapsed());
        let (first, second) = (next().await, next().await);
        let mut together = [first.0, second.0];
        together.sort_unstable();
        assert_eq!(together, [Some("a"), Some("b")]);
        assert!(second.1 < 2 * QUIET, "{:?}", second.1);
        let (restless, when) = next().await;
        assert_eq!(restless, Some("c"));
        assert!(when >= MOST && when < MOST + QUIET, "{when:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn what_waits_is_given_before_the_end() {
        let keys = stream::iter(["a"]).chain(stream::once(async {
            sleep(QUIET / 2).await;
            "b"
        }));
        let gathered: Vec<_> = gather(keys.boxed()).collect().await;
        assert_eq!(gathered, ["a", "b"]);
    }
}
