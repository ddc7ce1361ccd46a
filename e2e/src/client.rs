//! An MCP client that signs in as Claude or VS Code would: rmcp's client and its OAuth state
//! machine, with a person at a browser who fills in the authorization server's forms.
//!
//! [`Application::connect`] makes the first call without a token; what the server answers
//! ([`Refusal::Challenge`]) is the start of [`Application::sign_in`], as RFC 9728 §5 has it. A
//! [`Session`] calls tools and can step up when a scope is missing.

mod browser;
mod clients;
mod refusal;

use std::time::Duration;

use rmcp::{
    RoleClient, ServiceError,
    model::{CallToolRequestParams, CallToolResult, ProtocolVersion, Tool},
    service::{ClientLifecycleMode, ClientServiceExt, RunningService},
    transport::{
        AuthClient, AuthorizationManager, StreamableHttpClientTransport,
        auth::{AuthorizationCallback, AuthorizationRequest, AuthorizationSession},
        streamable_http_client::{StreamableHttpClient, StreamableHttpClientTransportConfig},
    },
};
use serde_json::{Map, Value};

pub use self::{
    browser::{Browser, BrowserError, Ticks},
    clients::Clients,
    refusal::Refusal,
};

/// Where an application of ours asks to be sent back to. Nothing listens there: the browser reads
/// the address and stops.
const REDIRECT_URI: &str = "http://127.0.0.1:53682/callback";
/// No single exchange of a test takes longer.
const TIMEOUT: Duration = Duration::from_secs(30);

/// Which of the two revisions that the server promises an application speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Revision {
    /// Stateless: `server/discover`, then self-contained requests.
    V2026_07_28,
    /// The `initialize` handshake.
    V2025_11_25,
}

impl Revision {
    fn lifecycle(self) -> ClientLifecycleMode {
        match self {
            Self::V2026_07_28 => ClientLifecycleMode::Discover {
                preferred_versions: vec![ProtocolVersion::V_2026_07_28],
            },
            Self::V2025_11_25 => ClientLifecycleMode::Initialize,
        }
    }
}

/// An AI application that was given an MCP URL, and the person who uses it.
#[derive(Debug, Clone)]
pub struct Application {
    name: String,
    mcp_url: String,
    revision: Revision,
    person: Browser,
    /// The certificate of the only authority that is trusted; none stands for the machine's own.
    authority: Option<String>,
}

impl Application {
    /// An application named `name` (as the consent form shows it) for the server at `mcp_url`, used
    /// by `person`, whose password is their name.
    ///
    /// # Errors
    /// When no HTTP client can be made, which is a fault of the machine.
    pub fn new(name: &str, mcp_url: &str, person: &str) -> Result<Self, Refusal> {
        trust_ring();
        Ok(Self {
            name: name.to_owned(),
            mcp_url: mcp_url.to_owned(),
            revision: Revision::V2026_07_28,
            person: Browser::new(person, person)?,
            authority: None,
        })
    }

    /// The same application on a machine where the authority of this certificate (PEM) is the only
    /// one that is trusted.
    #[must_use]
    pub fn trusting(self, certificate: String) -> Self {
        Self { authority: Some(certificate), ..self }
    }

    /// The same application, speaking `revision`.
    #[must_use]
    pub fn speaking(self, revision: Revision) -> Self {
        Self { revision, ..self }
    }

    /// Connects without a token or with one given by hand.
    ///
    /// # Errors
    /// What the server answers instead of connecting; without a token that is normally
    /// [`Refusal::Challenge`].
    pub async fn connect(&self, bearer: Option<&str>) -> Result<Session, Refusal> {
        let mut config = StreamableHttpClientTransportConfig::with_uri(self.mcp_url.clone());
        if let Some(token) = bearer {
            config = config.auth_header(token);
        }
        let service = self.serve(self.http_client()?, config).await?;
        Ok(Session { service, application: self.clone(), auth: None })
    }

    /// Signs in: connects without a token, follows the challenge to HQ, registers, lets the person
    /// log in and tick `ticks`, and connects with the token that this gives.
    ///
    /// # Errors
    /// When any step is refused, or when the server lets a caller without a token in.
    pub async fn sign_in(&self, ticks: Ticks) -> Result<Session, Refusal> {
        let challenge = match self.connect(None).await {
            Err(Refusal::Challenge(challenge)) => challenge,
            Err(refusal) => return Err(refusal),
            Ok(_) => return Err(Refusal::TooOpen),
        };
        let mut manager =
            AuthorizationManager::new_allowing_private_addresses(self.mcp_url.as_str()).await?;
        if self.authority.is_some() {
            manager.with_client(self.http_client()?)?;
        }
        manager.set_metadata(
            manager.resolve_metadata_from_challenge(Some(&challenge)).await?.metadata,
        );
        let request = AuthorizationRequest::new(REDIRECT_URI)
            .with_client_name(self.name.as_str())
            .with_challenge(challenge);
        let session =
            AuthorizationSession::new(manager, request).await.map_err(|(_, error)| error)?;
        let redirect =
            self.person.authorize(session.get_authorization_url(), REDIRECT_URI, ticks).await?;
        session.handle_callback_url(&redirect).await?;

        let auth = AuthClient::new(self.http_client()?, session.auth_manager);
        let config = StreamableHttpClientTransportConfig::with_uri(self.mcp_url.clone());
        let service = self.serve(auth.clone(), config).await?;
        Ok(Session { service, application: self.clone(), auth: Some(auth) })
    }

    fn http_client(&self) -> Result<reqwest::Client, Refusal> {
        self.authority.as_deref().map_or_else(http_client, client_trusting)
    }

    async fn serve<C: StreamableHttpClient + Sync>(
        &self,
        client: C,
        config: StreamableHttpClientTransportConfig,
    ) -> Result<RunningService<RoleClient, ()>, Refusal> {
        let transport = StreamableHttpClientTransport::with_client(client, config);
        Ok(().serve_with_lifecycle(transport, self.revision.lifecycle()).await?)
    }
}

/// A connection that has been let in.
pub struct Session {
    service: RunningService<RoleClient, ()>,
    application: Application,
    auth: Option<AuthClient<reqwest::Client>>,
}

impl Session {
    /// The revision that both sides settled on.
    #[must_use]
    pub fn protocol_version(&self) -> Option<String> {
        self.service.peer_info().map(|info| info.protocol_version.to_string())
    }

    /// Every tool that the server lists for this token.
    ///
    /// # Errors
    /// What the server answers instead.
    pub async fn tools(&self) -> Result<Vec<Tool>, Refusal> {
        Ok(self.service.list_all_tools().await?)
    }

    /// Calls `tool`. A result that says `isError` is a result.
    ///
    /// # Errors
    /// What the server answers instead of a result.
    pub async fn call(
        &self,
        tool: &'static str,
        arguments: Value,
    ) -> Result<CallToolResult, Refusal> {
        let arguments = match arguments {
            Value::Object(arguments) => arguments,
            _ => Map::new(),
        };
        let call =
            self.service.call_tool(CallToolRequestParams::new(tool).with_arguments(arguments));
        match tokio::time::timeout(TIMEOUT, call).await {
            Ok(result) => Ok(result?),
            Err(_) => Err(ServiceError::Timeout { timeout: TIMEOUT }.into()),
        }
    }

    /// Authorizes again for the scopes of a [`Refusal::InsufficientScope`], keeping those already
    /// held; later calls of this session use the new token.
    ///
    /// # Errors
    /// When a step is refused, or when the session has no OAuth sign-in to step up from.
    pub async fn step_up(&self, scope: &str) -> Result<(), Refusal> {
        let auth = self.auth.as_ref().ok_or(Refusal::NotSignedIn)?;
        let manager = auth.auth_manager.lock().await;
        let url = manager.request_scope_upgrade(scope).await?;
        let redirect =
            self.application.person.authorize(&url, REDIRECT_URI, Ticks::AsAsked).await?;
        let callback = AuthorizationCallback::from_redirect_url(&redirect)?;
        manager
            .exchange_code_for_token_with_issuer(
                &callback.code,
                &callback.csrf_token,
                callback.issuer.as_deref(),
            )
            .await?;
        Ok(())
    }

    /// The access token in use, for what has to be done by hand.
    ///
    /// # Errors
    /// When the session has none.
    pub async fn access_token(&self) -> Result<String, Refusal> {
        Ok(self.auth.as_ref().ok_or(Refusal::NotSignedIn)?.get_access_token().await?)
    }
}

/// The HTTP client that carries MCP messages: no redirects are followed, nothing waits for ever.
///
/// # Errors
/// When it can't be made, which is a fault of the machine.
pub fn http_client() -> Result<reqwest::Client, Refusal> {
    client_builder().build().map_err(Refusal::HttpClient)
}

/// The same, with the authority of `certificate` (PEM) as the only one that is trusted. Responses
/// tell of the server's certificate (`reqwest::tls::TlsInfo`).
///
/// # Errors
/// When it is no certificate.
pub fn client_trusting(certificate: &str) -> Result<reqwest::Client, Refusal> {
    let build = |authority| client_builder().tls_certs_only([authority]).tls_info(true).build();
    reqwest::Certificate::from_pem(certificate.as_bytes())
        .and_then(build)
        .map_err(Refusal::HttpClient)
}

fn client_builder() -> reqwest::ClientBuilder {
    trust_ring();
    reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).timeout(TIMEOUT)
}

/// reqwest is built without a TLS provider of its own; the first caller names ring, the rest find
/// it there.
fn trust_ring() {
    if rustls::crypto::CryptoProvider::get_default().is_none() {
        let _ = rustls::crypto::ring::default_provider().install_default();
    }
}
