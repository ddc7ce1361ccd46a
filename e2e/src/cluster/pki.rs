//! The cluster's certificates and keys, and a kubeconfig for each that speaks to its API server.
//!
//! Made anew at every start, in memory; who may read the run directory that they are written to is
//! root.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa,
    KeyPair, KeyUsagePurpose,
};
use serde_json::json;

use super::settings::{API_SERVER_ADDRESS, API_SERVER_PORT, NODE_ADDRESS, NODE_NAME, RenderedFile};

/// Those who sign in to the API server by certificate: file name, common name (the user),
/// organization (the group).
const CLIENTS: &[(&str, &str, Option<&str>)] = &[
    ("admin", "admin", Some("system:masters")),
    ("coredns", "system:coredns", None),
    ("kube-controller-manager", "system:kube-controller-manager", None),
    ("kube-proxy", "system:kube-proxy", None),
    ("kube-scheduler", "system:kube-scheduler", None),
    ("kubelet", "system:node:node", Some("system:nodes")),
];

/// Makes every key and certificate, and the kubeconfigs.
pub(super) fn make() -> Result<Vec<RenderedFile>, rcgen::Error> {
    let ca = certificate_authority()?;
    let mut files = vec![
        ("pki/ca.crt".to_owned(), ca.pem()),
        ("pki/ca.key".to_owned(), ca.key().serialize_pem()),
    ];

    let names = [
        "kubernetes",
        "kubernetes.default",
        "kubernetes.default.svc",
        "kubernetes.default.svc.cluster.local",
        API_SERVER_ADDRESS,
        NODE_ADDRESS,
    ];
    let mut server = CertificateParams::new(names.map(str::to_owned))?;
    server.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    let (certificate, key) = issue(server, "kube-apiserver", None, &ca)?;
    files.extend([
        ("pki/apiserver.crt".to_owned(), certificate),
        ("pki/apiserver.key".to_owned(), key),
    ]);

    // As whom the API server asks the kubelet for logs and exec.
    let (certificate, key) =
        issue(client(), "kube-apiserver-kubelet-client", Some("system:masters"), &ca)?;
    files.extend([
        ("pki/kubelet-client.crt".to_owned(), certificate),
        ("pki/kubelet-client.key".to_owned(), key),
    ]);

    let service_accounts = KeyPair::generate()?;
    files.extend([
        ("pki/service-accounts.pub".to_owned(), service_accounts.public_key_pem()),
        ("pki/service-accounts.key".to_owned(), service_accounts.serialize_pem()),
    ]);

    for (name, user, group) in CLIENTS {
        let (certificate, key) = issue(client(), user, *group, &ca)?;
        files.push((format!("{name}.kubeconfig"), kubeconfig(&ca.pem(), &certificate, &key)));
    }
    Ok(files)
}

fn certificate_authority() -> Result<CertifiedIssuer<'static, KeyPair>, rcgen::Error> {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, "kubernetes");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![
        KeyUsagePurpose::KeyCertSign,
        KeyUsagePurpose::CrlSign,
        KeyUsagePurpose::DigitalSignature,
    ];
    CertifiedIssuer::self_signed(params, KeyPair::generate()?)
}

fn client() -> CertificateParams {
    let mut params = CertificateParams::default();
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    params
}

fn issue(
    mut params: CertificateParams,
    name: &str,
    group: Option<&str>,
    ca: &CertifiedIssuer<'_, KeyPair>,
) -> Result<(String, String), rcgen::Error> {
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    if let Some(group) = group {
        params.distinguished_name.push(DnType::OrganizationName, group);
    }
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    let key = KeyPair::generate()?;
    Ok((params.signed_by(&key, ca)?.pem(), key.serialize_pem()))
}

/// JSON, which is YAML as well.
fn kubeconfig(ca: &str, certificate: &str, key: &str) -> String {
    json!({
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{ "name": NODE_NAME, "cluster": {
            "server": format!("https://{NODE_ADDRESS}:{API_SERVER_PORT}"),
            "certificate-authority-data": STANDARD.encode(ca),
        } }],
        "users": [{ "name": NODE_NAME, "user": {
            "client-certificate-data": STANDARD.encode(certificate),
            "client-key-data": STANDARD.encode(key),
        } }],
        "contexts": [{ "name": NODE_NAME, "context": { "cluster": NODE_NAME, "user": NODE_NAME } }],
        "current-context": NODE_NAME,
    })
    .to_string()
}
