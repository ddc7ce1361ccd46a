use std::time::Duration;

use k8s_openapi::api::core::v1::ConfigMap;
use tokio::time::timeout;

use super::*;
use crate::{
    metrics::{Gauges, Metrics},
    watching::{resync::resync, scripted::ApiServer},
};

/// By then each watch has been checked.
const HOUR: Duration = Duration::from_hours(1);
const HOURS: Duration = Duration::from_hours(2);
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
    let checks = resync(watched.watches.take_checks(), HOUR, &watched.metrics);
    tokio::pin!(checks);
    let mut next = async |count| {
        let names = changes.by_ref().take(count).map(|change| change.name).collect::<Vec<_>>();
        tokio::select! {
            names = timeout(HOURS, names) => {
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
    let checks = resync(watched.watches.take_checks(), HOUR, &watched.metrics);
    let first = server.lists();
    let ended = timeout(DAY, async {
        tokio::select! { () = checks => {}, () = changes => {} }
    });
    assert!(ended.await.is_err());
    let lists = server.lists() - first;
    assert!((20..=33).contains(&lists), "{lists} lists in a day");
    let missed = "lenses_mcp_operator_missed_changes_total{kind=\"ConfigMap\"} 0";
    assert_eq!(watched.missed().as_deref(), Some(missed));
}

#[tokio::test(start_paused = true)]
async fn a_namespace_that_is_refused_keeps_no_other_waiting_and_is_taken_up_when_it_comes() {
    let server = ApiServer::default();
    server.put("there", "x");
    server.put("missing", "y");
    server.refuse("missing", true);
    let watches = Watches::new(server.client(), &["missing".to_owned(), "there".to_owned()]);
    let cache = Arc::<Cache<ConfigMap>>::default();
    let mut changes = watches.all(&cache);
    let mut next = async || changes.next().await.unwrap().name;
    assert_eq!(next().await, "x");
    assert_eq!(cache.coverage().refused_namespaces(), ["missing"]);
    assert!(cache.coverage().is_read());
    assert_eq!(["there", "missing"].map(|ns| cache.coverage().knows(ns)), [true, false]);
    server.put("there", "z");
    assert_eq!(next().await, "z");

    server.refuse("missing", false);
    assert_eq!(next().await, "y");
    assert!(cache.coverage().refused_namespaces().is_empty());
}

#[tokio::test(start_paused = true)]
async fn kubes_store_has_what_can_be_listed_of_several_namespaces() {
    let server = ApiServer::default();
    server.put("there", "x");
    server.put("missing", "y");
    server.refuse("missing", true);
    let watches = Watches::new(server.client(), &["missing".to_owned(), "there".to_owned()]);
    let (store, writer) = kube::runtime::reflector::store::<ConfigMap>();
    let coverage = Arc::default();
    let mut events = watches.selected("", writer, &coverage);
    let mut until = async |names: &[&str]| {
        loop {
            let mut there: Vec<_> = store.state().iter().map(|it| it.name_any()).collect();
            there.sort();
            if there == names {
                break;
            }
            events.next().await.unwrap().unwrap();
        }
    };
    until(&["x"]).await;
    server.refuse("missing", false);
    until(&["x", "y"]).await;
    server.delete("there", "x");
    until(&["y"]).await;
}
