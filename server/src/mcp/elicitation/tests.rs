use secrecy::SecretString;

use super::*;
use crate::{
    identity::{Fingerprint, SignInMode},
    scope::ScopeSet,
};

fn elicitation(replica: &str) -> Arc<Elicitation> {
    let codec = RequestStateCodec::new_unchecked(*b"the key of a test, 32 bytes long");
    Arc::new(Elicitation::new(codec, replica.parse().ok()))
}

fn asker(subject: &str) -> Asker {
    let call = RequestId::parse("7").unwrap();
    Asker { identity: caller(subject), address: None, call }
}

fn caller(subject: &str) -> Identity {
    Identity {
        subject: Some(subject.into()),
        client_id: Some("client".into()),
        scopes: ScopeSet::ALL,
        sign_in: SignInMode::OAuth,
        lenses_credential: Arc::new(SecretString::from("token")),
        fingerprint: Some(Fingerprint::of("token")),
    }
}

fn response(id: &str) -> ClientResponse {
    ClientResponse { id: id.to_owned(), result: Some("{}".into()) }
}

#[test]
fn an_answer_reaches_the_call_that_waits_and_only_once() {
    let here = elicitation("10.0.0.1:9090");
    let mut question = here.ask(&asker("alice")).unwrap();
    let (id, alice) = (question.id.clone(), caller("alice"));
    assert_eq!(here.answer(&response(&id), &alice), Ok(Destination::Delivered));
    assert_eq!(question.answer.try_recv().unwrap().as_deref(), Some("{}"));
    assert!(here.answer(&response(&id), &alice).is_err());
}

#[test]
fn an_answer_at_another_replica_is_sent_to_the_one_that_waits() {
    let (here, other) = (elicitation("10.0.0.1:9090"), elicitation("10.0.0.2:9090"));
    let question = here.ask(&asker("alice")).unwrap();
    let found = other.answer(&response(&question.id), &caller("alice"));
    assert_eq!(found, Ok(Destination::Replica("10.0.0.1:9090".parse().unwrap())));
}

#[test]
fn only_the_user_cancels_the_question_of_a_call() {
    let here = elicitation("");
    let mut question = here.ask(&asker("alice")).unwrap();
    here.cancel(&asker("mallory"));
    here.cancel(&Asker { call: RequestId::parse("8").unwrap(), ..asker("alice") });
    assert_eq!(here.waiting_calls(), 1);
    here.cancel(&asker("alice"));
    assert_eq!(question.answer.try_recv(), Err(oneshot::error::TryRecvError::Closed));
    assert!(here.answer(&response(&question.id), &caller("alice")).is_err());
}

#[test]
fn callers_of_one_api_key_have_questions_by_address() {
    let here = elicitation("");
    let at = |address: &str| {
        let identity = Identity { sign_in: SignInMode::ApiKey, ..caller("shared") };
        Asker { identity, address: address.parse().ok(), ..asker("") }
    };
    let of = |address: &str| here.ask(&at(address));
    let first: Vec<_> = (0..=WAITING_OF_USER_MAX).map(|_| of("192.0.2.1")).collect();
    assert!(first.last().unwrap().is_none());
    let _other = of("198.51.100.9").unwrap();
    // The ids of their calls are alike.
    here.cancel(&at("198.51.100.9"));
    assert_eq!(here.waiting_calls(), WAITING_OF_USER_MAX);
}

#[test]
fn nobody_else_can_answer_and_id_types_are_not_mixed_up() {
    let here = elicitation("");
    let question = here.ask(&asker("alice")).unwrap();
    assert!(here.answer(&response(&question.id), &caller("mallory")).is_err());
    assert!(here.check_session(&question.id, &caller("alice")).is_err());
    assert!(here.answer(&response("rs1.x.y"), &caller("alice")).is_err());
    let forms = serde_json::from_str(r#"{"elicitation":{}}"#).unwrap();
    let session = here.session(&forms, &caller("alice")).unwrap();
    assert!(here.check_session(&session, &caller("alice")).is_ok());
    assert!(here.check_session(&session, &caller("mallory")).is_err());
    assert!(here.answer(&response(&session), &caller("alice")).is_err());
    assert_eq!(here.waiting_calls(), 1);
    drop(question);
    assert_eq!(here.waiting_calls(), 0);
}
