use k8s_openapi::api::core::v1::ConfigMap;
use tokio::time::timeout;

use super::*;
use crate::{
    metrics::Gauges,
    watching::{Cache, scripted::ApiServer, watches::Watches},
};
use futures::StreamExt;

const DAY: Duration = Duration::from_hours(24);

struct Watched {
    watches: Watches,
    cache: Arc<Cache<ConfigMap>>,
    metrics: Metrics,
}

impl Watched {
    fn new(server: &ApiServer) -> Self {
        let watches = Watches::new(server.client(), &[]);
        Self { watches, cache: Arc::default(), metrics: Metrics::default() }
    }

    fn missed(&self) -> Option<String> {
        let text = self.metrics.encode(&Gauges::default()).unwrap();
        text.lines().find(|line| line.contains("missed_changes_total{")).map(str::to_owned)
    }
}

#[tokio::test(start_paused = true)]
async fn changes_that_a_watch_missed_are_found_within_hours_healed_and_counted() {
    let server = ApiServer::default();
    for name in ["changed", "gone", "same"] {
        server.put("a", name);
    }
    let watched = Watched::new(&server);
    let mut changes = watched.watches.all(&watched.cache);
    let checks = resync(watched.watches.take_checks(), &watched.metrics);
    tokio::pin!(checks);
    let mut next = async |count| {
        let names = changes.by_ref().take(count).map(|change| change.name).collect::<Vec<_>>();
        tokio::select! {
            names = timeout(2 * EVERY, names) => {
                let mut names = names.unwrap();
                names.sort();
                names
            }
            () = &mut checks => panic!("the checks have ended"),
        }
    };
    assert_eq!(next(3).await, ["changed", "gone", "same"]);
    server.lose(true);
    server.put("a", "changed");
    server.delete("a", "gone");
    server.put("a", "new");
    assert_eq!(next(3).await, ["changed", "gone", "new"]);
    assert!(watched.cache.get("a", "gone").is_none());
    let missed = "lenses_mcp_operator_missed_changes_total{kind=\"ConfigMap\"} 3";
    assert_eq!(watched.missed().as_deref(), Some(missed));

    server.lose(false);
    server.put("a", "same");
    assert_eq!(next(1).await, ["same"], "the watch that began anew does not follow");
}

#[tokio::test(start_paused = true)]
async fn a_watch_that_shows_everything_is_listed_about_once_an_hour_and_nothing_is_found() {
    let server = ApiServer::default();
    server.put("a", "x");
    let watched = Watched::new(&server);
    let changes = watched.watches.all(&watched.cache).for_each(async |change| {
        if change.name == "x" {
            server.put("a", "y");
        }
    });
    let checks = resync(watched.watches.take_checks(), &watched.metrics);
    let first = server.lists();
    let ended = timeout(DAY, async {
        tokio::select! { () = checks => {}, () = changes => {} }
    });
    assert!(ended.await.is_err());
    let lists = server.lists() - first;
    assert!((20..=33).contains(&lists), "{lists} lists in a day");
    assert_eq!(watched.missed(), None);
}

#[test]
fn only_what_is_older_than_the_list_or_against_it_is_suspect() {
    let key = |name: &str| ("a".to_owned(), name.to_owned());
    let versions = |of: &[(&str, Version)]| {
        of.iter().map(|(name, version)| (key(name), *version)).collect::<Versions>()
    };
    let listed = Listed { version: 9, objects: versions(&[("same", 1), ("old", 5), ("new", 7)]) };
    for (kept, suspect) in [
        (&[("same", 1), ("old", 5), ("new", 7)][..], &[][..]),
        (&[("same", 1), ("old", 4), ("new", 7)], &[("old", Some(4))]),
        (&[("same", 1), ("old", 5)], &[("new", None)]),
        (&[("same", 1), ("old", 5), ("new", 7), ("gone", 9)], &[("gone", Some(9))]),
        // Written by this operator since.
        (&[("same", 1), ("old", 10), ("new", 7), ("later", 11)], &[]),
    ] {
        let wanted = suspect.iter().map(|(name, kept)| (key(name), *kept)).collect();
        assert_eq!(suspects(&listed, &versions(kept)), wanted, "{kept:?}");
    }
}
