//! When a resource is looked at, and what is told of it in between.

use lenses_mcp_crds::VerificationMode;

use super::*;
use crate::probe::{Callers, Endpoint, Lenses};

const VERSION: &str = "6.3.0";
const INTERVAL: Duration = Duration::from_mins(5);

fn server() -> Server {
    ObjectRef::new("mcp").within("tools")
}

fn plan_of(endpoint: &str, pods: Pods) -> Plan {
    Plan {
        lenses: Arc::new(Lenses { url: "http://hq".parse().unwrap(), authorization_server: None }),
        endpoint: Arc::new(Endpoint {
            url: endpoint.to_owned(),
            service: "http://mcp.tools.svc".parse().unwrap(),
            mode: VerificationMode::Endpoint,
            callers: Callers::WithToken,
            expected_tools: None,
        }),
        pods,
        credentials: super::super::credentials::Credentials::default(),
        interval: INTERVAL,
        revision: Vec::new(),
    }
}

fn settled() -> Plan {
    plan_of("https://mcp.example.com/mcp", Pods::Settled)
}

fn finding(reason: Reason) -> Finding {
    let holds = matches!(reason, Reason::LensesReachable | Reason::Verified);
    Finding { holds, reason, message: reason.to_string() }
}

/// Plays looks against a schedule whose time it keeps.
struct Play {
    schedule: Schedule,
    now: Instant,
    /// HQ's version.
    version: &'static str,
}

impl Play {
    fn new() -> Self {
        Self { schedule: Schedule::default(), now: Instant::now(), version: VERSION }
    }

    fn want(&mut self, plan: Plan) -> (Option<Reason>, Option<Reason>) {
        self.want_recorded(plan, Known::default())
    }

    fn want_recorded(&mut self, plan: Plan, recorded: Known) -> (Option<Reason>, Option<Reason>) {
        told(&self.schedule.want(&server(), plan, recorded, self.now, 0.5))
    }

    /// Goes to the next look, and gives back how many seconds that took.
    fn next(&mut self) -> (u64, Look) {
        let next = self.schedule.next().unwrap();
        let waited = next.saturating_duration_since(self.now);
        self.now = self.now.max(next);
        let (of, look) = self.schedule.take(self.now).unwrap();
        assert_eq!(of, server());
        (waited.as_secs(), look)
    }

    fn found(&mut self, look: &Look, lenses: Reason, endpoint: Reason) -> bool {
        let findings = Findings {
            lenses: Some((Arc::clone(&look.plan.lenses), finding(lenses))),
            version: Some(self.version.to_owned()),
            endpoint: look.endpoint.clone().map(|of| (of, finding(endpoint), None)),
        };
        self.schedule.record(&server(), look, findings, (self.now, Timestamp::UNIX_EPOCH), 0.5)
    }

    fn well(&mut self, look: &Look) -> bool {
        self.found(look, Reason::LensesReachable, Reason::Verified)
    }

    fn known(&self) -> (Option<Reason>, Option<Reason>) {
        told(&self.schedule.known(&server()).unwrap())
    }
}

fn told(known: &Known) -> (Option<Reason>, Option<Reason>) {
    (
        known.lenses.as_ref().map(|finding| finding.reason),
        known.endpoint.as_ref().map(|finding| finding.reason),
    )
}

const VERIFYING: (Option<Reason>, Option<Reason>) =
    (Some(Reason::Verifying), Some(Reason::Verifying));
const WELL: (Option<Reason>, Option<Reason>) =
    (Some(Reason::LensesReachable), Some(Reason::Verified));

#[test]
fn a_new_resource_is_probed_at_once_and_then_at_each_interval() {
    let mut play = Play::new();
    assert_eq!(play.want(settled()), VERIFYING);
    let (waited, look) = play.next();
    assert_eq!(waited, 0);
    assert!(play.well(&look), "the first finding is news");
    assert_eq!(play.known(), WELL);
    for _ in 0..100 {
        assert_eq!(play.want(settled()), WELL);
        let (waited, look) = play.next();
        assert_eq!(waited, INTERVAL.as_secs());
        assert!(!play.well(&look), "the same finding is no news");
    }
}

#[test]
fn the_endpoint_is_verified_once_a_probe_of_the_current_spec_succeeds() {
    let mut play = Play::new();
    let is_verified = |play: &Play| play.schedule.is_verified(&server());
    play.want(settled());
    let (_, look) = play.next();
    assert!(!is_verified(&play));
    play.found(&look, Reason::LensesReachable, Reason::TooOpen);
    assert!(!is_verified(&play));
    let (_, look) = play.next();
    assert!(play.well(&look));
    assert!(is_verified(&play));

    // Other pods: what was found before is told further, and proves nothing of them.
    let other = Plan { revision: vec!["other".into()], ..settled() };
    assert_eq!(play.want(other.clone()), WELL);
    assert!(!is_verified(&play));
    let (waited, look) = play.next();
    assert!(
        play.well(&look),
        "that it is verified wakes a reconcile, though the finding is the same"
    );
    assert_eq!((waited, is_verified(&play)), (0, true));
    play.want(other);
    let (_, look) = play.next();
    assert!(!play.found(&look, Reason::LensesReachable, Reason::TooOpen));
    assert!(is_verified(&play), "what befalls it later does not count");
}

#[test]
fn unexpected_tools_do_not_keep_an_endpoint_from_counting_as_verified() {
    let mut play = Play::new();
    play.want(settled());
    let (_, look) = play.next();
    play.found(&look, Reason::LensesReachable, Reason::ToolsChanged);
    assert!(play.schedule.is_verified(&server()));
}

#[test]
fn the_interval_varies_so_that_a_fleet_does_not_stay_in_step() {
    assert_eq!(wait(INTERVAL, 0, 0.0), Duration::from_secs(270));
    assert_eq!(wait(INTERVAL, 0, 1.0), Duration::from_secs(330));
    for (failures, chance, seconds) in
        [(1, 0.0, 2), (2, 1.0, 4), (2, 0.0, 2), (5, 1.0, 32), (9, 1.0, 300), (u32::MAX, 1.0, 300)]
    {
        assert_eq!(wait(INTERVAL, failures, chance), Duration::from_secs(seconds), "{failures}");
    }
    assert_eq!(wait(Duration::from_secs(30), 9, 1.0), Duration::from_secs(30));
}

#[test]
fn a_failure_is_reported_after_a_second_probe_and_clears_by_itself() {
    let mut play = Play::new();
    play.want(settled());
    let (_, look) = play.next();
    play.well(&look);

    let (_, look) = play.next();
    assert!(!play.found(&look, Reason::LensesReachable, Reason::TooOpen));
    assert_eq!(play.known(), WELL, "one look is not enough");
    let (waited, look) = play.next();
    assert_eq!(waited, 2);
    assert!(!play.well(&look), "it was nothing");

    let (_, look) = play.next();
    assert!(!play.found(&look, Reason::PkceMissing, Reason::Verified));
    let (_, look) = play.next();
    assert!(play.found(&look, Reason::PkceMissing, Reason::Verified));
    assert_eq!(play.known(), (Some(Reason::PkceMissing), Some(Reason::Verified)));
    let mut waits = Vec::new();
    for _ in 0..8 {
        let (waited, look) = play.next();
        waits.push(waited);
        assert!(
            !play.found(&look, Reason::PkceMissing, Reason::Verified),
            "the same failure is no news"
        );
    }
    assert_eq!(waits, [3, 6, 12, 24, 48, 96, 192, 225]);
    let (_, look) = play.next();
    assert!(play.well(&look), "it heals at the first look");
    assert_eq!(play.known(), WELL);
}

#[test]
fn a_change_is_probed_at_once_and_a_running_probes_result_dropped() {
    let mut play = Play::new();
    play.want(settled());
    let (_, look) = play.next();
    play.well(&look);

    let (_, late) = play.next();
    let revision = vec!["other pods".to_owned()];
    assert_eq!(
        play.want(Plan { revision, ..settled() }),
        WELL,
        "what was found of the same targets still stands"
    );
    assert!(!play.found(&late, Reason::Unreachable, Reason::TooOpen));
    let (waited, look) = play.next();
    assert_eq!(waited, 0);
    play.well(&look);

    let other = plan_of("https://other.example.com/mcp", Pods::Settled);
    assert_eq!(play.want(other.clone()), (Some(Reason::LensesReachable), Some(Reason::Verifying)));
    let (waited, look) = play.next();
    assert_eq!((waited, look.endpoint), (0, Some(other.endpoint)));
}

#[test]
fn during_a_rollout_the_serving_pods_are_probed_and_not_new_ones() {
    let mut play = Play::new();
    play.want(settled());
    let (_, look) = play.next();
    play.well(&look);

    let url = "https://other.example.com/mcp";
    assert_eq!(
        play.want(plan_of(url, Pods::Changing)),
        (Some(Reason::LensesReachable), Some(Reason::Verifying))
    );
    let (_, look) = play.next();
    assert_eq!(
        look.endpoint.as_ref().map(|endpoint| endpoint.url.as_str()),
        Some("https://mcp.example.com/mcp")
    );
    play.well(&look);
    assert_eq!(play.known().1, Some(Reason::Verifying), "the old URL says nothing of the new one");

    play.want(plan_of(url, Pods::Settled));
    let (waited, look) = play.next();
    assert_eq!(
        (waited, look.endpoint.as_ref().map(|endpoint| endpoint.url.as_str())),
        (0, Some(url))
    );
    play.well(&look);
    assert_eq!(play.known(), WELL);
}

#[test]
fn without_pods_hq_alone_is_looked_at() {
    let mut play = Play::new();
    let without = |pods| plan_of("https://mcp.example.com/mcp", pods);
    assert_eq!(
        play.want(without(Pods::None)),
        (Some(Reason::Verifying), Some(Reason::NoPodServes))
    );
    let (_, look) = play.next();
    assert_eq!(look.endpoint, None);
    play.well(&look);
    assert_eq!(play.known(), (Some(Reason::LensesReachable), Some(Reason::NoPodServes)));
    assert_eq!(play.want(without(Pods::NotAsked)), (Some(Reason::LensesReachable), None));
}

#[test]
fn a_restart_trusts_the_status_and_probes_again_within_five_minutes() {
    let recorded = || Known {
        lenses: Some(finding(Reason::LensesReachable)),
        endpoint: Some(finding(Reason::Verified)),
        version: Some(VERSION.to_owned()),
        ..Known::default()
    };
    let mut play = Play::new();
    assert_eq!(play.want_recorded(settled(), recorded()), WELL);
    let (waited, look) = play.next();
    assert_eq!(waited, 150, "half of five minutes, by a chance of one half");
    assert!(!play.well(&look), "the same finding is no news");

    // Nothing is known of the endpoint: it is looked at at once.
    let mut play = Play::new();
    play.want_recorded(settled(), Known { endpoint: None, ..recorded() });
    assert_eq!(play.next().0, 0);
    // Amid a rollout, the pods that serve are those of which something is known.
    let mut play = Play::new();
    play.want_recorded(plan_of("https://mcp.example.com/mcp", Pods::Changing), recorded());
    assert!(play.next().1.endpoint.is_some());
    let mut play = Play::new();
    play.want_recorded(plan_of("https://mcp.example.com/mcp", Pods::Changing), Known::default());
    assert!(play.next().1.endpoint.is_none());
}

#[test]
fn what_is_gone_is_looked_at_no_more() {
    let mut play = Play::new();
    play.want(settled());
    let (_, look) = play.next();
    play.schedule.forget(&server());
    assert!(!play.well(&look));
    assert_eq!((play.schedule.next(), play.schedule.due.len()), (None, 0));
}

#[test]
fn a_look_that_waits_for_its_place_is_not_begun_again() {
    let mut play = Play::new();
    play.want(settled());
    let (_, look) = play.next();
    assert_eq!((play.schedule.next(), play.schedule.due.len()), (None, 0));
    assert!(play.well(&look));
    assert_eq!(play.schedule.due.len(), 1);
}

#[test]
fn the_age_is_that_of_the_endpoint_that_has_waited_longest() {
    let mut play = Play::new();
    assert_eq!(play.schedule.oldest(play.now), None);
    play.want(settled());
    let (_, look) = play.next();
    play.well(&look);
    assert_eq!(
        play.schedule.oldest(play.now + Duration::from_secs(7)),
        Some(Duration::from_secs(7))
    );
}

#[test]
fn a_first_probe_is_waited_for_but_never_long() {
    let mut play = Play::new();
    play.want(settled());
    let wait = |play: &Play, later| {
        play.schedule.first_look(&server(), play.now + Duration::from_millis(later))
    };
    assert_eq!(wait(&play, 500), Some(Duration::from_millis(1500)));
    assert_eq!(wait(&play, 2000), None);
    let (_, look) = play.next();
    let findings = Findings {
        lenses: Some((Arc::clone(&look.plan.lenses), finding(Reason::LensesReachable))),
        ..Findings::default()
    };
    play.schedule.record(&server(), &look, findings, (play.now, Timestamp::now()), 0.5);
    assert_eq!(wait(&play, 0), None);
}

#[test]
fn another_version_of_hq_is_news_and_is_told() {
    let mut play = Play::new();
    play.want(settled());
    let (_, look) = play.next();
    assert!(play.well(&look));
    let version = |play: &Play| play.schedule.known(&server()).unwrap().version;
    assert_eq!(version(&play).as_deref(), Some(VERSION));
    let (_, look) = play.next();
    assert!(!play.well(&look));
    play.version = "6.4.0";
    let (_, look) = play.next();
    assert!(play.well(&look));
    assert_eq!(version(&play).as_deref(), Some("6.4.0"));
}

#[test]
fn what_went_while_nothing_was_watched_is_not_looked_at_any_more() {
    let mut play = Play::new();
    play.want(settled());
    let other = ObjectRef::new("other").within("tools");
    play.schedule.want(&other, settled(), Known::default(), play.now, 0.5);
    play.schedule.retain(|server| *server == other);
    assert_eq!(play.schedule.known(&server()), None);
    let (due, _) = play.schedule.take(play.now).unwrap();
    assert_eq!(due, other);
    assert!(play.schedule.take(play.now).is_none(), "the one that went is due still");
}
