//! Who is admitted when.

use super::*;

struct Play {
    queue: UpgradeQueue,
    admissions: UnboundedReceiver<Server>,
}

fn server(name: &str) -> Server {
    ObjectRef::new(name).within("tools")
}

impl Play {
    /// A queue of these servers, all of which wait.
    fn new(at_once: u16, names: &[&str]) -> Self {
        let (queue, admissions) = UpgradeQueue::new(at_once);
        queue.listed(names.iter().map(|name| server(name)));
        let mut play = Self { queue, admissions };
        for name in names {
            play.follow(name, Some(Phase::Waiting));
        }
        play
    }

    fn follow(&mut self, name: &str, phase: Option<Phase>) {
        self.queue.follow(&server(name), phase);
    }

    /// Those whose turn has come.
    fn woken(&mut self) -> Vec<String> {
        std::iter::from_fn(|| self.admissions.try_recv().ok()).map(|woken| woken.name).collect()
    }

    fn claim(&self, name: &str) -> Claim {
        self.queue.claim(&server(name))
    }
}

#[test]
fn a_few_at_a_time_and_the_next_when_a_turn_ends() {
    let mut play = Play::new(2, &["d", "b", "a", "c"]);
    assert_eq!(play.woken(), ["a", "b"]);
    let claims = ["a", "b", "c", "d"].map(|name| play.claim(name));
    assert_eq!(claims, [Claim::Admitted, Claim::Admitted, Claim::None, Claim::None]);
    assert_eq!(play.queue.counts(), (4, 0));

    play.follow("a", Some(Phase::UnderWay));
    play.follow("b", Some(Phase::UnderWay));
    assert_eq!((play.woken(), play.queue.counts()), (vec![], (2, 2)));
    play.follow("b", Some(Phase::Ended));
    assert_eq!(play.woken(), ["c"]);
    play.queue.forget(&server("a"));
    assert_eq!(play.woken(), ["d"]);
}

#[test]
fn a_server_that_is_not_well_after_its_turn_stops_the_others() {
    let mut play = Play::new(1, &["a", "b"]);
    play.follow("a", Some(Phase::UnderWay));
    play.woken();
    for _ in 0..3 {
        play.follow("a", Some(Phase::UnderWay));
        play.follow("b", Some(Phase::Waiting));
    }
    assert_eq!((play.woken(), play.claim("b")), (vec![], Claim::None));
    play.follow("a", Some(Phase::Ended));
    assert_eq!((play.woken(), play.claim("b")), (vec!["b".to_owned()], Claim::Admitted));
}

#[test]
fn what_cannot_move_holds_no_place() {
    let mut play = Play::new(1, &["a", "b", "c", "d"]);
    assert_eq!(play.woken(), ["a"]);
    // Rejected, then refused, then broken before it got the rendering.
    play.follow("a", None);
    assert_eq!(play.woken(), ["b"]);
    play.queue.hasten(&server("b"));
    play.follow("b", None);
    assert_eq!((play.claim("b"), play.woken()), (Claim::Early, vec!["c".to_owned()]));
    play.follow("c", Some(Phase::Current));
    assert_eq!(play.woken(), ["d"]);
}

#[test]
fn nobody_is_admitted_before_every_server_was_looked_at_once() {
    let (queue, admissions) = UpgradeQueue::new(1);
    let mut play = Play { queue, admissions };
    // Before the list is complete, and a server that is under way already.
    play.follow("a", Some(Phase::Waiting));
    play.queue.listed(["a", "b", "z"].into_iter().map(server));
    play.follow("b", Some(Phase::Waiting));
    assert_eq!((play.woken(), play.claim("a")), (vec![], Claim::None));
    play.follow("z", Some(Phase::UnderWay));
    assert_eq!(play.woken(), Vec::<String>::new());
    play.follow("z", Some(Phase::Ended));
    assert_eq!(play.woken(), ["a"]);
}

#[test]
fn trouble_after_the_turn_is_not_the_upgrades() {
    let mut play = Play::new(1, &["a"]);
    play.follow("a", Some(Phase::UnderWay));
    play.follow("a", Some(Phase::Ended));
    play.follow("a", Some(Phase::UnderWay));
    assert_eq!(play.queue.counts(), (0, 0));
    // Until it is to get another rendering.
    play.follow("a", Some(Phase::Waiting));
    play.follow("a", Some(Phase::UnderWay));
    assert_eq!(play.queue.counts(), (0, 1));
}

#[test]
fn what_cannot_wait_is_remembered_until_it_is_applied() {
    let mut play = Play::new(1, &["a", "b"]);
    play.follow("a", Some(Phase::UnderWay));
    play.queue.hasten(&server("b"));
    play.queue.looked_at(&server("b"));
    play.follow("b", Some(Phase::Waiting));
    assert_eq!(play.claim("b"), Claim::Early);
    play.follow("b", Some(Phase::Current));
    assert_eq!((play.claim("b"), play.queue.counts()), (Claim::None, (0, 1)));
}

#[test]
fn a_new_list_drops_those_that_are_gone() {
    let mut play = Play::new(1, &["a", "b"]);
    assert_eq!(play.woken(), ["a"]);
    play.queue.listed(["b"].into_iter().map(server));
    assert_eq!((play.woken(), play.queue.counts()), (vec!["b".to_owned()], (1, 0)));
}
