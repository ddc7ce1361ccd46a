//! Faults on request: what a client of HQ must survive, set while HQ runs.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{Html, IntoResponse, Response};
use http::{StatusCode, header};
use serde::{Deserialize, Serialize};

use super::Hq;
use super::oauth::error::OAuthError;
use super::problem::Problem;

/// The faults that are set. The default is none.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Faults {
    /// HQ is stopped: its listener is closed and so are its connections. What it knows is kept, as
    /// its database would keep it.
    pub(crate) down: bool,
    /// Each reply waits this long, in milliseconds; at most ten minutes.
    pub(crate) slow_ms: u64,
    /// At `/oauth2/introspect`.
    pub(crate) introspection: Option<Fault>,
    /// At the rest of the authorization server.
    pub(crate) oauth: Option<Fault>,
    /// Fields that the metadata of the authorization server lacks, as that of an HQ which does not
    /// offer something.
    pub(crate) metadata_without: Vec<String>,
    /// At `/api/`, the proxy and the SQL handshake included.
    pub(crate) api: Option<Fault>,
    /// In a running SQL query.
    pub(crate) sql: Option<SqlFault>,
}

/// What happens instead of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Fault {
    /// 401: at introspection as an HQ whose `unauthenticatedIntrospection` is false.
    Refuse,
    /// A problem document with this status.
    Status(u16),
    /// No answer until the client gives up.
    Hang,
    /// 200 with JSON that ends in the middle.
    Garbage,
    /// 200 with a login page, as a proxy in front of HQ would send.
    Html,
}

/// How a query ends before its time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SqlFault {
    /// After this many RECORD frames.
    pub(crate) after_records: u64,
    /// In this way.
    pub(crate) then: SqlEnding,
}

/// The ways in which a query ends before its time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum SqlEnding {
    /// An ERROR frame.
    Error,
    /// An INVALIDREQUEST frame.
    InvalidRequest,
    /// A clean close without END.
    Close,
    /// The connection is gone without a close.
    Drop,
    /// Heartbeats and nothing else.
    Hang,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Area {
    Health,
    Introspection,
    OAuth,
    Api,
}

impl Area {
    fn of(path: &str) -> Self {
        if path == "/" {
            Self::Health
        } else if path.ends_with("/oauth2/introspect") {
            Self::Introspection
        } else if path.contains("/api/") {
            Self::Api
        } else {
            Self::OAuth
        }
    }
}

impl Faults {
    /// # Errors
    /// What is out of bounds.
    pub(crate) fn check(&self) -> Result<(), String> {
        if self.slow_ms > 600_000 {
            return Err(format!("slow_ms is {}: at most 600000", self.slow_ms));
        }
        for fault in [self.introspection, self.oauth, self.api].into_iter().flatten() {
            if let Fault::Status(status) = fault
                && !(400..=599).contains(&status)
            {
                return Err(format!("status is {status}: write one from 400 to 599"));
            }
        }
        Ok(())
    }

    fn at(&self, area: Area) -> Option<Fault> {
        match area {
            Area::Health => None,
            Area::Introspection => self.introspection,
            Area::OAuth => self.oauth,
            Area::Api => self.api,
        }
    }
}

/// Middleware: applies the faults that are set. `GET /` is left alone, so that a readiness probe
/// keeps the stand-in reachable.
pub(crate) async fn inject(State(hq): State<Arc<Hq>>, request: Request, next: Next) -> Response {
    let area = Area::of(request.uri().path());
    let (delay, fault) = {
        let faults = hq.faults.borrow();
        (faults.slow_ms, faults.at(area))
    };
    if delay > 0 && area != Area::Health {
        // The delay is the fault itself.
        tokio::time::sleep(Duration::from_millis(delay)).await;
    }
    match fault {
        None => next.run(request).await,
        Some(Fault::Refuse) if area == Area::Api => Problem::unauthorised().into_response(),
        Some(Fault::Refuse) => {
            OAuthError::invalid_client("client authentication is required").into_response()
        }
        Some(Fault::Status(status)) => Problem::of_status(
            StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
        )
        .into_response(),
        Some(Fault::Hang) => {
            hq.gone().await;
            Problem::of_status(StatusCode::SERVICE_UNAVAILABLE).into_response()
        }
        Some(Fault::Garbage) => {
            ([(header::CONTENT_TYPE, "application/json")], "{\"active\": tr").into_response()
        }
        Some(Fault::Html) => {
            Html("<!doctype html><title>Sign in</title><form></form>").into_response()
        }
    }
}

/// `GET /faults` on the control listener: what is set.
pub(crate) async fn show(State(hq): State<Arc<Hq>>) -> Json<Faults> {
    Json(hq.faults.borrow().clone())
}

/// `PUT /faults` on the control listener: sets exactly these, so `{}` sets none. Answered once they
/// are in force.
pub(crate) async fn set(
    State(hq): State<Arc<Hq>>,
    Json(faults): Json<Faults>,
) -> Result<Json<Faults>, Problem> {
    faults.check().map_err(Problem::invalid_parameter)?;
    let mut listening = hq.listening.subscribe();
    hq.faults.send_replace(faults.clone());
    tokio::select! {
        _ = listening.wait_for(|listening| *listening != faults.down) => Ok(Json(faults)),
        () = hq.stop.cancelled() => Err(Problem::of_status(StatusCode::SERVICE_UNAVAILABLE)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_are_read_as_documented_and_anything_else_is_refused() {
        let parse =
            |text: &str| serde_json::from_str::<Faults>(text).map_err(|error| error.to_string());
        assert_eq!(parse("{}"), Ok(Faults::default()));
        let read = parse(
            r#"{"down":true,"slow_ms":5,"introspection":{"status":503},
                "oauth":"html","metadata_without":["issuer"],"api":"hang",
                "sql":{"after_records":3,"then":"drop"}}"#,
        );
        let expected = Faults {
            down: true,
            slow_ms: 5,
            introspection: Some(Fault::Status(503)),
            oauth: Some(Fault::Html),
            metadata_without: vec!["issuer".to_owned()],
            api: Some(Fault::Hang),
            sql: Some(SqlFault { after_records: 3, then: SqlEnding::Drop }),
        };
        assert_eq!(read, Ok(expected));
        for bad in [
            r#"{"sloow_ms":1}"#,
            r#"{"api":"explode"}"#,
            r#"{"slow_ms":-1}"#,
            r#"{"sql":{"then":"drop"}}"#,
        ] {
            assert!(parse(bad).is_err(), "{bad}");
        }
        assert!(parse(r#"{"slow_ms":600001}"#).unwrap().check().is_err());
        assert!(parse(r#"{"api":{"status":200}}"#).unwrap().check().is_err());
    }

    #[test]
    fn a_fault_strikes_only_its_own_part() {
        for (path, area) in [
            ("/", Area::Health),
            ("/oauth2/introspect", Area::Introspection),
            ("/oauth2/token", Area::OAuth),
            ("/.well-known/oauth-authorization-server", Area::OAuth),
            ("/api/v1/environments", Area::Api),
        ] {
            assert_eq!(Area::of(path), area, "{path}");
        }
    }
}
