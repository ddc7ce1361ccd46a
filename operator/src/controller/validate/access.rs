//! Who may call a server and what it lets them do, as far as a change can narrow it, and what a
//! narrowing change does to the pods: those that still serve by the old rules go before the new
//! ones come. Pure.
//!
//! What runs is read from annotations of the Deployment, which change together with its pods'
//! template, so that a restarted operator decides the same.

use std::collections::BTreeSet;

use k8s_openapi::api::apps::v1::Deployment;
use lenses_mcp_crds::{Audience, EnvironmentRule, LensesMcpServerSpec, SecurityChange};
use serde::{Deserialize, Serialize};

use crate::names::{ACCESS, NARROWED};

/// What a server lets its callers do. The default is the most that there is, which is also what an
/// annotation that cannot be read stands for.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Access {
    callers: Callers,
    read_only: bool,
    /// Empty: all.
    allow: BTreeSet<String>,
    deny: BTreeSet<String>,
    /// Empty: all.
    environments: BTreeSet<String>,
    /// Empty: none.
    rules: Vec<String>,
}

#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
enum Callers {
    #[default]
    Anyone,
    Token,
    OAuth {
        issuer: String,
        scopes: BTreeSet<String>,
        audience: Audience,
        /// Empty: all.
        #[serde(default)]
        allowed_clients: BTreeSet<String>,
    },
}

impl Access {
    /// What the spec gives.
    pub(super) fn of(spec: &LensesMcpServerSpec) -> Self {
        let callers = match (&spec.auth.oauth, &spec.auth.api_key) {
            (Some(oauth), _) => Callers::OAuth {
                issuer: spec
                    .lenses
                    .advertised_url
                    .clone()
                    .or_else(|| spec.lenses.url.clone())
                    .unwrap_or_default(),
                scopes: oauth.scopes.iter().map(|scope| scope.as_str().to_owned()).collect(),
                audience: oauth.audience,
                allowed_clients: oauth.allowed_clients.iter().cloned().collect(),
            },
            (None, Some(api_key)) if api_key.callers.token_secret_ref.is_some() => Callers::Token,
            (None, _) => Callers::Anyone,
        };
        let set = |list: &[String]| list.iter().cloned().collect();
        Self {
            callers,
            read_only: spec.tools.read_only,
            allow: set(&spec.tools.allow),
            deny: set(&spec.tools.deny),
            environments: set(&spec.tools.environments),
            rules: spec.tools.rules.iter().map(EnvironmentRule::setting).collect(),
        }
    }

    /// As it stands in the annotation.
    pub(in crate::controller) fn annotation(&self) -> String {
        // Every key is text, so there is nothing in it that JSON cannot hold.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// What `self` no longer gives that `before` gave, if anything.
    fn narrows(&self, before: &Self) -> Option<String> {
        let gone = |field: &str, before: &BTreeSet<String>, now: &BTreeSet<String>| {
            let gone: Vec<_> = before.difference(now).map(String::as_str).collect();
            (!gone.is_empty()).then(|| format!("{field} no longer has {}", gone.join(", ")))
        };
        // An empty list stands for everything.
        let shrunk = |field: &str, before: &BTreeSet<String>, now: &BTreeSet<String>| match (
            before.is_empty(),
            now.is_empty(),
        ) {
            (_, true) => None,
            (true, false) => Some(format!("{field} is no longer open")),
            (false, false) => gone(field, before, now),
        };
        let callers = match (&before.callers, &self.callers) {
            (_, Callers::Anyone) | (Callers::Token, Callers::Token) => None,
            (Callers::OAuth { issuer, .. }, Callers::OAuth { issuer: now, .. })
                if issuer != now =>
            {
                Some("callers sign in at another Lenses HQ".to_owned())
            }
            (
                Callers::OAuth { scopes, audience, allowed_clients, .. },
                Callers::OAuth {
                    scopes: now, audience: now_asked, allowed_clients: listed, ..
                },
            ) => gone("spec.auth.oauth.scopes", scopes, now)
                .or_else(|| {
                    (strictness(*now_asked) > strictness(*audience))
                        .then(|| "spec.auth.oauth.audience asks for more".to_owned())
                })
                .or_else(|| shrunk("spec.auth.oauth.allowedClients", allowed_clients, listed)),
            _ => Some("callers sign in in another way".to_owned()),
        };
        callers
            .or_else(|| {
                (self.read_only && !before.read_only)
                    .then(|| "spec.tools.readOnly is true now".to_owned())
            })
            .or_else(|| shrunk("spec.tools.allow", &before.allow, &self.allow))
            .or_else(|| {
                let more = self.deny.difference(&before.deny).next().is_some();
                more.then(|| "spec.tools.deny has more in it".to_owned())
            })
            .or_else(|| shrunk("spec.tools.environments", &before.environments, &self.environments))
            .or_else(|| {
                // Whether rules give less than others is for the server to say.
                let other = !self.rules.is_empty() && self.rules != before.rules;
                other.then(|| "spec.tools.rules are others".to_owned())
            })
    }
}

fn strictness(audience: Audience) -> u8 {
    match audience {
        Audience::Ignored => 0,
        Audience::WhenPresent => 1,
        Audience::Required => 2,
    }
}

/// Whether the old pods have to go first, and what has been narrowed. `complete`: nothing of an
/// earlier change is under way.
pub(super) fn narrowed(
    runs: Option<&Deployment>,
    complete: bool,
    wanted: &Access,
    how: SecurityChange,
) -> Option<String> {
    if how == SecurityChange::RollingUpdate {
        return None;
    }
    let annotations = runs?.metadata.annotations.as_ref();
    let annotation = |name: &str| annotations.and_then(|annotations| annotations.get(name));
    let before: Access =
        annotation(ACCESS).and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
    wanted.narrows(&before).or_else(|| annotation(NARROWED).filter(|_| !complete).cloned())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::controller::fixtures::server;

    fn access(auth: &Value, tools: &Value) -> Access {
        let lenses = json!({ "url": "https://hq.example.com" });
        Access::of(&server(&json!({ "lenses": lenses, "auth": auth, "tools": tools })).spec)
    }

    fn api_key(callers: &Value) -> Value {
        json!({ "apiKey": { "secretKeyRef": { "name": "s", "key": "k" }, "callers": callers } })
    }

    fn deployment(annotations: &Value) -> Deployment {
        serde_json::from_value(json!({ "metadata": { "annotations": annotations } })).unwrap()
    }

    #[test]
    fn a_change_of_sign_in_that_shuts_somebody_out_narrows() {
        let (anyone, token) = (
            api_key(&json!({ "anyone": true })),
            api_key(&json!({ "tokenSecretRef": { "name": "t", "key": "k" } })),
        );
        let oauth = |fields: Value| json!({ "oauth": fields });
        let all = oauth(json!({}));
        let read = oauth(json!({ "scopes": ["read"] }));
        for (before, now, narrows) in [
            (&anyone, &anyone, None),
            (&anyone, &token, Some("callers sign in in another way")),
            (&anyone, &all, Some("callers sign in in another way")),
            (&token, &anyone, None),
            (&token, &token, None),
            (&token, &all, Some("callers sign in in another way")),
            (&all, &token, Some("callers sign in in another way")),
            (&all, &all, None),
            (&all, &read, Some("spec.auth.oauth.scopes no longer has delete, write")),
            (&read, &all, None),
            (
                &all,
                &oauth(json!({ "audience": "required" })),
                Some("spec.auth.oauth.audience asks for more"),
            ),
            (&all, &oauth(json!({ "audience": "ignored" })), None),
            (
                &all,
                &oauth(json!({ "allowedClients": ["claude"] })),
                Some("spec.auth.oauth.allowedClients is no longer open"),
            ),
            (&oauth(json!({ "allowedClients": ["claude"] })), &all, None),
        ] {
            let none = json!({});
            assert_eq!(
                access(now, &none).narrows(&access(before, &none)).as_deref(),
                narrows,
                "{before} became {now}"
            );
        }
        let mut elsewhere = access(&all, &json!({}));
        if let Callers::OAuth { issuer, .. } = &mut elsewhere.callers {
            "https://other.example.com".clone_into(issuer);
        }
        assert!(elsewhere.narrows(&access(&all, &json!({}))).is_some());
    }

    #[test]
    fn a_change_that_takes_tools_or_environments_away_narrows() {
        for (before, now, narrows) in [
            (json!({}), json!({ "readOnly": true }), Some("spec.tools.readOnly is true now")),
            (json!({ "readOnly": true }), json!({}), None),
            (
                json!({}),
                json!({ "allow": ["list_topics"] }),
                Some("spec.tools.allow is no longer open"),
            ),
            (
                json!({ "allow": ["topics/*", "sql/*"] }),
                json!({ "allow": ["sql/*"] }),
                Some("spec.tools.allow no longer has topics/*"),
            ),
            (json!({ "allow": ["sql/*"] }), json!({ "allow": ["sql/*", "topics/*"] }), None),
            (json!({ "allow": ["sql/*"] }), json!({}), None),
            (json!({}), json!({ "deny": ["sql/*"] }), Some("spec.tools.deny has more in it")),
            (json!({ "deny": ["sql/*"] }), json!({}), None),
            (
                json!({}),
                json!({ "environments": ["dev"] }),
                Some("spec.tools.environments is no longer open"),
            ),
            (json!({ "environments": ["dev"] }), json!({ "environments": ["dev", "prod"] }), None),
        ] {
            let oauth = json!({ "oauth": {} });
            let narrowed = access(&oauth, &now).narrows(&access(&oauth, &before));
            assert_eq!(narrowed.as_deref(), narrows, "{before} became {now}");
        }
    }

    #[test]
    fn old_pods_stop_before_new_ones_serve_even_after_a_restart() {
        let (all, read) = (json!({ "oauth": {} }), json!({ "oauth": { "scopes": ["read"] } }));
        let (all, read) = (access(&all, &json!({})), access(&read, &json!({})));
        let why = Some("spec.auth.oauth.scopes no longer has delete, write".to_owned());
        let runs = deployment(&json!({ ACCESS: all.annotation() }));
        assert_eq!(narrowed(Some(&runs), true, &read, SecurityChange::Recreate), why);
        assert_eq!(narrowed(Some(&runs), true, &read, SecurityChange::RollingUpdate), None);
        assert_eq!(narrowed(Some(&runs), false, &all, SecurityChange::Recreate), None);
        assert_eq!(narrowed(None, false, &read, SecurityChange::Recreate), None);
        let under_way =
            deployment(&json!({ ACCESS: read.annotation(), NARROWED: why.clone().unwrap() }));
        assert_eq!(narrowed(Some(&under_way), false, &read, SecurityChange::Recreate), why);
        assert_eq!(narrowed(Some(&under_way), true, &read, SecurityChange::Recreate), None);
    }

    #[test]
    fn what_cannot_be_read_counts_as_open_to_all() {
        let read = access(&json!({ "oauth": { "scopes": ["read"] } }), &json!({}));
        for annotations in [json!({}), json!({ ACCESS: "{" })] {
            assert!(
                narrowed(Some(&deployment(&annotations)), true, &read, SecurityChange::Recreate)
                    .is_some()
            );
        }
    }
}
