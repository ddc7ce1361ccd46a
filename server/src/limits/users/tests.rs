use secrecy::SecretString;

use super::*;
use crate::{identity::SignInMode, limits::Held, scope::ScopeSet};

fn identity(subject: Option<&str>, token: &str) -> Identity {
    Identity {
        subject: subject.map(Into::into),
        client_id: None,
        scopes: ScopeSet::NONE,
        sign_in: SignInMode::OAuth,
        lenses_credential: Arc::new(SecretString::from(token)),
        fingerprint: Some(Fingerprint::of(token)),
    }
}

fn users() -> Users {
    let limits = PerUser { concurrent_requests: 1, calls_per_minute: NonZeroU32::new(1) };
    Users::new(limits, 400, LimitMetrics::default())
}

#[test]
fn a_user_is_the_subject_of_any_token_else_the_address() {
    let users = users();
    let address = |last| Some(IpAddr::from([10, 0, 0, last]));
    let same = |one: &Arc<User>, other: &Arc<User>| Arc::ptr_eq(one, other);
    let alice = users.user(&identity(Some("alice"), "a"), address(1));
    assert!(same(&alice, &users.user(&identity(Some("alice"), "b"), address(2))));
    assert!(!same(&alice, &users.user(&identity(Some("bob"), "a"), address(1))));
    let nobody = users.user(&identity(None, "a"), address(1));
    assert!(same(&nobody, &users.user(&identity(None, "b"), address(1))));
    assert!(!same(&nobody, &users.user(&identity(None, "a"), address(2))));
}

#[test]
fn a_user_who_was_forgotten_while_calls_run_is_the_same_again() {
    let users = users();
    let alice = users.user(&identity(Some("alice"), "a"), None);
    let _call = alice.request();
    users.known.invalidate_all();
    assert!(Arc::ptr_eq(&alice, &users.user(&identity(Some("alice"), "a"), None)));
    for number in 0..1_000 {
        users.known.invalidate_all();
        users.known.run_pending_tasks();
        let _forgotten = users.user(&identity(Some(&number.to_string()), "t"), None);
    }
    let counted = users.alive.lock().unwrap().len();
    assert!(counted < 100, "{counted}");
    users.known.invalidate_all();
    assert!(Arc::ptr_eq(&alice, &users.user(&identity(Some("alice"), "a"), None)));
}

#[tokio::test(start_paused = true)]
async fn a_response_takes_at_most_the_share_and_short_ones_always_pass() {
    let users = Users::new(
        PerUser { concurrent_requests: 1, calls_per_minute: None },
        4 * SHORT * 10,
        LimitMetrics::default(),
    );
    let budget = users.budget(users.user(&identity(Some("alice"), "a"), None));
    let (first, second) = (Held::new(budget.clone()), Held::new(budget));
    // What HQ said is counted already.
    first.reserve(SHORT * 6, None).await.unwrap();
    first.reserve_answer(usize::MAX).await.unwrap();
    assert_eq!(users.bytes().reserved(), SHORT * 10);
    assert_eq!(second.reserve_answer(SHORT + 1).await, Err(Full));
    assert_eq!(second.reserve_answer(SHORT).await, Ok(()));
    drop(first);
    assert_eq!(second.reserve_answer(SHORT + 1).await, Ok(()));
}

#[tokio::test(start_paused = true)]
async fn one_user_takes_a_share_and_leaves_the_rest() {
    let users = users();
    let [alice, bob] = ["alice", "bob"].map(|name| users.user(&identity(Some(name), name), None));
    let place = alice.request();
    assert!(place.is_some() && alice.request().is_none() && bob.request().is_some());
    assert!(alice.call().is_ok() && alice.call().is_err() && bob.call().is_ok());
    let (alice, bob) = (users.budget(alice), users.budget(bob));
    let _held = alice.reserve(100, None).await.unwrap();
    assert_eq!(alice.reserve(1, None).await.unwrap_err(), Full);
    assert!(bob.reserve(100, None).await.is_ok());
    assert_eq!(users.bytes().reserved(), 100);
}

#[tokio::test(start_paused = true)]
async fn a_short_text_does_not_wait_behind_long_ones() {
    let users = Users::new(
        PerUser { concurrent_requests: 9, calls_per_minute: None },
        400_000,
        LimitMetrics::default(),
    );
    let budget = |name: &str| users.budget(users.user(&identity(Some(name), name), None));
    let mut held = Vec::new();
    for name in ["a", "b", "c", "d"] {
        held.push(budget(name).reserve(87_500, None).await.unwrap());
    }
    assert_eq!(budget("e").reserve(1_000, Some(100_000)).await.unwrap_err(), Full);
    assert!(budget("e").reserve(1_000, Some(1_000)).await.is_ok());
}
