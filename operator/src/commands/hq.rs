//! `hq URL`: examines a Lenses HQ as the operator does for a resource, before there is one.

use std::{path::PathBuf, process::ExitCode};

use clap::Args;
use lenses_mcp_crds::ClientRegistration;
use url::Url;

use super::{
    NOT_WELL, Output, could_not_look,
    doctor::{self, DoctorError, Link},
    structured, write,
};
use crate::probe::{
    AuthorizationServer, Lenses,
    dial::DialPolicy,
    http::{Http, HttpError},
    lenses_version, probe_lenses,
    trust::Trust,
};

/// The arguments of `hq`.
#[derive(Args, Clone, Debug)]
pub struct Hq {
    /// HQ as you reach it from here, such as `https://lenses.example.com`.
    url: Url,
    /// HQ as browsers reach it, which must be its issuer byte for byte. Default: the URL.
    #[arg(long, value_name = "URL")]
    advertised_url: Option<String>,
    /// Clients are registered at HQ by hand, as with spec.auth.oauth.clientRegistration: manual.
    #[arg(long)]
    manual_registration: bool,
    /// Servers are to use an API key, so that HQ needs no authorization server.
    #[arg(long, conflicts_with_all = ["advertised_url", "manual_registration"])]
    api_key: bool,
    /// A file of certificates in PEM: private authorities to trust, beside this machine's.
    #[arg(long, value_name = "FILE")]
    ca_file: Option<PathBuf>,
    /// How the findings are written.
    #[arg(short, long, value_enum, default_value_t = Output::Table)]
    output: Output,
}

/// Why HQ could not be examined.
#[derive(Debug, thiserror::Error)]
enum HqError {
    #[error(transparent)]
    Authorities(#[from] DoctorError),
    #[error(transparent)]
    Http(#[from] HttpError),
    #[error("failed to start: {0}")]
    Start(#[from] std::io::Error),
    #[error("{0} is not the URL of an HQ: write one such as https://lenses.example.com")]
    Url(Url),
}

/// Runs it: exit status 0 if HQ is as sign-in needs it, 1 if not, 2 if it could not be examined.
#[must_use]
pub fn run(hq: &Hq) -> ExitCode {
    let links = match examine(hq) {
        Ok(links) => links,
        Err(error) => return could_not_look(&error),
    };
    write::to_stdout(&match hq.output {
        Output::Table => doctor::table(&links),
        output => structured(&links, output),
    });
    if links.iter().any(|link| link.state == doctor::State::Broken) {
        ExitCode::from(NOT_WELL)
    } else {
        ExitCode::SUCCESS
    }
}

fn examine(hq: &Hq) -> Result<Vec<Link>, HqError> {
    if !matches!(hq.url.scheme(), "http" | "https") {
        return Err(HqError::Url(hq.url.clone()));
    }
    let authorities = hq.ca_file.as_ref().map(doctor::authorities).transpose()?;
    let trust = Trust { authorities: authorities.as_ref(), ..Trust::default() };
    let http = Http::new([&hq.url], trust, &DialPolicy::anywhere())?;
    let lenses = lenses(hq);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let (finding, version) = runtime.block_on(async {
        tokio::join!(probe_lenses(&http, &lenses, None), lenses_version(&http, &lenses))
    });
    let found = format!("{}: {}", finding.reason, finding.message);
    Ok(vec![
        if finding.holds { Link::ok("hq", found) } else { Link::broken("hq", found) },
        match version {
            Some(version) => Link::ok("version", version),
            None => Link::not_seen("version", "HQ does not tell its version"),
        },
    ])
}

fn lenses(hq: &Hq) -> Lenses {
    // Without the slash that a URL of a host alone gets.
    let url = hq.url.as_str().trim_end_matches('/');
    let mut introspection_url = hq.url.clone();
    introspection_url
        .set_path(&format!("{}/oauth2/introspect", hq.url.path().trim_end_matches('/')));
    let authorization_server = AuthorizationServer {
        issuer: hq.advertised_url.clone().unwrap_or_else(|| url.to_owned()),
        introspection_url,
        client_registration: if hq.manual_registration {
            ClientRegistration::Manual
        } else {
            ClientRegistration::Dynamic
        },
    };
    Lenses {
        url: hq.url.clone(),
        authorization_server: (!hq.api_key).then_some(authorization_server),
    }
}
