//! What verification reads of Secrets and `ConfigMaps` that the spec names: at the time of use,
//! each by one request, and not kept.

#[cfg(test)]
mod tests;

use std::{fmt::Display, str};

use k8s_openapi::api::core::v1::{ConfigMap, Secret};
use kube::{Api, Client, ResourceExt};
use lenses_mcp_crds::{LensesMcpServer, conditions::Reason};
use secrecy::SecretString;

use super::{
    ClientCredentials, Finding, Proxy,
    dial::DialPolicy,
    trust::{Authorities, Identity},
};

const CA_BUNDLE: &str = "spec.lenses.caBundle";
const CLIENT_CERTIFICATE: &str = "spec.lenses.clientCertificate";
const CLIENT_CREDENTIALS: &str = "spec.auth.oauth.introspection.clientCredentialsSecretRef";
const PROXY_CREDENTIALS: &str = "spec.lenses.proxy.credentialsSecretRef";
const CREDENTIAL: &str = "spec.verification.credentialSecretRef";

/// The label of a Secret that may be used. Who may only write a `LensesMcpServer` cannot set it.
const OPERATOR_MAY_READ: &str = "mcp.lenses.io/operator-may-read";

/// How values are read.
pub(crate) struct Reader<'a> {
    pub(crate) client: &'a Client,
    pub(crate) namespace: &'a str,
    /// Whether a Secret is used only if it has the label for it.
    pub(crate) require_label: bool,
}

/// Which values are read. Holds none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Credentials {
    /// Where the certificates of HQ's authority are.
    authorities: Option<Bundle>,
    /// The Secret with what is shown to an HQ that asks for a certificate.
    identity: Option<String>,
    /// The Secret with the credentials for introspection.
    client: Option<String>,
    /// The proxy towards HQ, and where the credentials for it are.
    proxy: Option<Proxy>,
    /// Secret and key of the token with which tools are listed.
    token: Option<(String, String)>,
}

/// Name and key.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Bundle {
    ConfigMap(String, String),
    Secret(String, String),
}

impl Credentials {
    /// What the spec names. `proxy` is the operator's own, for a spec that asks for it.
    pub(crate) fn of(server: &LensesMcpServer, proxy: Option<&Proxy>) -> Self {
        let spec = &server.spec;
        let bundle = spec.lenses.ca_bundle.as_ref();
        let config_map = bundle.and_then(|bundle| bundle.config_map_key_ref.as_ref());
        let secret = bundle.and_then(|bundle| bundle.secret_key_ref.as_ref());
        let oauth = spec.auth.oauth.as_ref();
        let client =
            oauth.and_then(|oauth| oauth.introspection.client_credentials_secret_ref.as_ref());
        let token = spec.verification.credential_secret_ref.as_ref();
        Self {
            authorities: config_map
                .map(|config_map| {
                    Bundle::ConfigMap(config_map.name.clone(), config_map.key.clone())
                })
                .or_else(|| {
                    secret.map(|secret| Bundle::Secret(secret.name.clone(), secret.key.clone()))
                }),
            identity: spec
                .lenses
                .client_certificate
                .as_ref()
                .map(|secret| secret.secret_name.clone()),
            client: client.map(|secret| secret.name.clone()),
            proxy: Proxy::of_spec(&spec.lenses, proxy),
            token: token.map(|secret| (secret.name.clone(), secret.key.clone())),
        }
    }

    /// The certificates of private authorities, if there are any.
    pub(crate) async fn authorities(
        &self,
        reader: &Reader<'_>,
    ) -> Result<Option<Authorities>, Finding> {
        let (values, key) = match &self.authorities {
            None => return Ok(None),
            Some(Bundle::ConfigMap(name, key)) => (config_map(reader, CA_BUNDLE, name).await?, key),
            Some(Bundle::Secret(name, key)) => (secret(reader, CA_BUNDLE, name).await?, key),
        };
        let parsed = Authorities::parse(values.bytes(key)?);
        parsed
            .map(Some)
            .map_err(|error| values.unusable(format_args!("can't be used, key {key}: {error}")))
    }

    /// What is shown to an HQ that asks for a certificate, if anything.
    pub(crate) async fn identity(&self, reader: &Reader<'_>) -> Result<Option<Identity>, Finding> {
        let Some(name) = &self.identity else { return Ok(None) };
        let values = secret(reader, CLIENT_CERTIFICATE, name).await?;
        let parsed = Identity::parse(values.bytes("tls.crt")?, values.bytes("tls.key")?);
        parsed.map(Some).map_err(|error| values.unusable(format_args!("can't be used: {error}")))
    }

    /// The credentials of the client that HQ knows, if one is configured.
    pub(crate) async fn client(
        &self,
        reader: &Reader<'_>,
    ) -> Result<Option<ClientCredentials>, Finding> {
        let Some(name) = &self.client else { return Ok(None) };
        let values = secret(reader, CLIENT_CREDENTIALS, name).await?;
        Ok(Some(ClientCredentials {
            id: values.text("client_id")?,
            secret: values.text("client_secret")?,
        }))
    }

    /// The proxy towards HQ, if there is one.
    pub(crate) async fn proxy(
        &self,
        reader: &Reader<'_>,
        dial: &DialPolicy,
    ) -> Result<Option<reqwest::Proxy>, Finding> {
        let Some(proxy) = &self.proxy else { return Ok(None) };
        proxy.check(dial)?;
        let credentials = match &proxy.credentials {
            Some(name) => {
                let values = secret(reader, PROXY_CREDENTIALS, name).await?;
                Some((values.text("username")?, values.text("password")?))
            }
            None => None,
        };
        proxy.for_client(credentials.as_ref()).map(Some).map_err(|error| {
            unusable("spec.lenses.proxy.url", format_args!("can't be used: {error}"))
        })
    }

    /// Where connections to HQ may lead.
    pub(crate) fn dial(&self, dial: &DialPolicy) -> DialPolicy {
        self.proxy.as_ref().map_or_else(|| dial.clone(), |proxy| proxy.dial(dial))
    }

    /// The token with which tools are listed, if one is configured.
    pub(crate) async fn token(&self, reader: &Reader<'_>) -> Result<Option<SecretString>, Finding> {
        let Some((name, key)) = &self.token else { return Ok(None) };
        secret(reader, CREDENTIAL, name).await?.text(key).map(Some)
    }
}

/// The values of an object, and how it is called.
struct Values {
    object: String,
    values: KeysAndValues,
}

type KeysAndValues = Vec<(String, Vec<u8>)>;

async fn secret(reader: &Reader<'_>, field: &str, name: &str) -> Result<Values, Finding> {
    let Reader { client, namespace, require_label } = reader;
    let read = Api::<Secret>::namespaced((*client).clone(), namespace).get_opt(name).await;
    if let (true, Ok(Some(secret))) = (require_label, &read)
        && !may_be_read(secret)
    {
        return Err(not_labelled(field, namespace, name));
    }
    let values = read.map(|secret| {
        let data = secret.map(|secret| secret.data.unwrap_or_default());
        data.map(|data| data.into_iter().map(|(key, value)| (key, value.0)).collect())
    });
    Values::of(format!("{field}: Secret {namespace}/{name}"), values)
}

/// Whether whoever may write the Secret lets it be used.
fn may_be_read(secret: &Secret) -> bool {
    secret.labels().get(OPERATOR_MAY_READ).is_some_and(|value| value == "true")
}

fn not_labelled(field: &str, namespace: &str, name: &str) -> Finding {
    let message = format!(
        "{field}: Secret {namespace}/{name} is not used without the label {OPERATOR_MAY_READ}: \
         \"true\": run kubectl label secret {name} --namespace {namespace} {OPERATOR_MAY_READ}=true"
    );
    Finding { holds: false, reason: Reason::SecretNotLabelled, message }
}

async fn config_map(reader: &Reader<'_>, field: &str, name: &str) -> Result<Values, Finding> {
    let Reader { client, namespace, .. } = reader;
    let read = Api::<ConfigMap>::namespaced((*client).clone(), namespace).get_opt(name).await;
    let values = read.map(|config_map| {
        let data = config_map.map(|config_map| config_map.data.unwrap_or_default());
        data.map(|data| data.into_iter().map(|(key, value)| (key, value.into_bytes())).collect())
    });
    Values::of(format!("{field}: ConfigMap {namespace}/{name}"), values)
}

impl Values {
    fn of(
        object: String,
        read: Result<Option<KeysAndValues>, kube::Error>,
    ) -> Result<Self, Finding> {
        match read {
            Ok(Some(values)) => Ok(Self { object, values }),
            Ok(None) => Err(unusable(&object, "does not exist: make it")),
            Err(error) => Err(unusable(&object, format_args!("can't be read: {error}"))),
        }
    }

    fn bytes(&self, key: &str) -> Result<&[u8], Finding> {
        let value = self.values.iter().find(|(name, _)| name == key);
        value
            .map(|(_, value)| value.as_slice())
            .ok_or_else(|| self.unusable(format_args!("has no key {key}")))
    }

    /// A value, without the newline that an editor leaves at its end.
    fn text(&self, key: &str) -> Result<SecretString, Finding> {
        match str::from_utf8(self.bytes(key)?).map(str::trim) {
            Ok("") => Err(self.unusable(format_args!("has nothing in key {key}"))),
            Ok(text) => Ok(SecretString::from(text)),
            Err(_) => {
                Err(self.unusable(format_args!("has something that is not text in key {key}")))
            }
        }
    }

    fn unusable(&self, why: impl Display) -> Finding {
        unusable(&self.object, why)
    }
}

fn unusable(object: &str, why: impl Display) -> Finding {
    Finding { holds: false, reason: Reason::MaterialUnusable, message: format!("{object} {why}") }
}
