//! Verification: `Ready` means that a client finds its way in; what keeps it from doing so is told
//! with its own reason, and heals without a hand on the resource.

use k8s_openapi::api::{apps::v1::Deployment, core::v1::Secret};
use kube::api::{Patch, PatchParams};
use lenses_mcp_crds::LensesMcpServer;
use lenses_mcp_e2e::{
    bed::{Bed, Hq, SERVICE_ACCOUNT_TOKEN, Trouble, condition, mcp_url, prove, server},
    client::Application,
};
use serde_json::{Value, json};

const CALLERS: &str = "for-callers-only-0123456789";

#[tokio::test]
async fn each_fault_of_hq_has_its_own_reason_and_heals() {
    prove(|bed| async move {
        let hq = bed.hq().await?;
        bed.apply_until_ready(&often(bed.oauth_server("mcp", &hq))).await?;
        for (faults, reason, said) in [
            (
                json!({"introspection": "refuse"}),
                "IntrospectionRefused",
                "unauthenticatedIntrospection: true",
            ),
            (
                json!({"introspection": "garbage"}),
                "IntrospectionUntrue",
                "spec.auth.oauth.introspection.url",
            ),
            (json!({"oauth": {"status": 404}}), "LensesMetadataMissing", "enabled: true in HQ"),
            (
                json!({"metadata_without": ["code_challenge_methods_supported"]}),
                "PkceMissing",
                "S256",
            ),
            (json!({"oauth": "html"}), "LensesMetadataUnreadable", "not to a login page"),
            (json!({"oauth": {"status": 503}}), "Unreachable", "503 Service Unavailable"),
            (json!({"down": true}), "Unreachable", "check spec.lenses"),
        ] {
            hq.set_faults(&faults).await?;
            let seen = until_false(&bed, "LensesReachable", reason).await?;
            let message = &condition(&seen, "LensesReachable").ok_or("no condition")?.message;
            assert!(message.contains(said), "{faults}: {message}");
            let ready = condition(&seen, "Ready").ok_or("no Ready")?;
            assert_eq!(
                (ready.status.as_str(), ready.reason.as_str()),
                ("False", reason),
                "{faults}"
            );
            assert!(
                condition(&seen, "Stalled").is_none() && condition(&seen, "Reconciling").is_some(),
                "{faults}"
            );
            hq.set_faults(&json!({})).await?;
            bed.until_ready("mcp").await?;
        }
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn each_hq_setting_that_sign_in_needs_is_reported_if_wrong() {
    prove(|bed| async move {
        let hq = bed.hq().await?;
        bed.apply_until_ready(&often(bed.oauth_server("mcp", &hq))).await?;
        for (setting, reason, said) in [
            ("--dcr=false".to_owned(), "RegistrationClosed", "dcr: true in HQ"),
            (format!("--issuer-url={}/", hq.issuer()), "IssuerMismatch", "byte for byte"),
            (
                "--unauthenticated-introspection=false".to_owned(),
                "IntrospectionRefused",
                "clientCredentialsSecretRef here",
            ),
        ] {
            let before = set_up_with(&bed, &hq, &setting).await?;
            let seen = until_false(&bed, "LensesReachable", reason).await?;
            let message = &condition(&seen, "LensesReachable").ok_or("no condition")?.message;
            assert!(message.contains(said), "{setting}: {message}");
            set_arguments(&bed, &hq, &before).await?;
            bed.until_ready("mcp").await?;
        }
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn a_url_that_answers_calls_without_a_token_is_too_open() {
    prove(|bed| async move {
        let hq = bed.hq().await?;
        bed.secret("lenses", json!({"api-key": SERVICE_ACCOUNT_TOKEN})).await?;
        let mut open = bed.api_key_server("open", &hq);
        open["spec"]["auth"]["apiKey"]["callers"] = json!({"anyone": true});
        let open = bed.apply_until_ready(&open).await?;
        let tools = open
            .status
            .as_ref()
            .and_then(|status| status.tools.as_ref())
            .ok_or("no tools are shown")?;
        let session = Application::new("Claude", &mcp_url(&open)?, "alice")?.connect(None).await?;
        assert_eq!(usize::try_from(tools.count)?, session.tools().await?.len());
        assert!(tools.digest.starts_with("sha256:"), "{tools:?}");

        let mut guarded = often(bed.oauth_server("mcp", &hq));
        guarded["spec"]["endpoint"] = json!({"url": format!("http://{}", bed.host("open"))});
        bed.apply(&guarded).await?;
        let seen = until_false(&bed, "Verified", "TooOpen").await?;
        assert_eq!(condition(&seen, "Ready").map(|ready| ready.reason.as_str()), Some("TooOpen"));

        guarded["spec"]["endpoint"] = json!({"url": "https://mcp.nowhere.invalid"});
        bed.apply(&guarded).await?;
        let seen = until_false(&bed, "Verified", "EndpointUnreachable").await?;
        let message = &condition(&seen, "Verified").ok_or("no condition")?.message;
        assert!(
            message.contains("mcp.nowhere.invalid") && message.contains("the Service itself"),
            "{message}"
        );

        // Where the operator can't dial the URL, the Service may stand for it, or nothing.
        let verified = |server: &LensesMcpServer| condition(server, "Verified").cloned();
        guarded["spec"]["verification"] = json!({"interval": "10s", "mode": "service"});
        let seen = bed.apply_until_ready(&guarded).await?;
        let message = verified(&seen).ok_or("no condition")?.message;
        assert!(message.contains("verification.mode is service"), "{message}");
        guarded["spec"]["verification"]["mode"] = json!("off");
        let seen = bed.apply_until_ready(&guarded).await?;
        assert!(verified(&seen).is_none(), "{:?}", verified(&seen));
        guarded["spec"]["verification"]["mode"] = json!("endpoint");

        // Nobody but the user's machine can dial this; through a port-forward it leads to the
        // Service.
        guarded["spec"]["endpoint"] = json!({"url": "http://127.0.0.1:8000"});
        bed.apply_until_ready(&guarded).await?;
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn tools_are_listed_with_a_token_and_a_bad_token_is_reported() {
    prove(|bed| async move {
        let mut manifest = for_callers_with_a_token(&bed).await?;
        manifest["spec"]["verification"]["credentialSecretRef"] =
            json!({"name": "probe", "key": "token"});
        bed.apply(&manifest).await?;
        let seen = until_false(&bed, "Verified", "MaterialUnusable").await?;
        let message = &condition(&seen, "Verified").ok_or("no condition")?.message;
        assert!(
            message.contains("spec.verification.credentialSecretRef") && message.contains("/probe"),
            "{message}"
        );
        assert_eq!(
            condition(&seen, "Accepted").map(|accepted| accepted.status.as_str()),
            Some("True")
        );

        bed.secret("probe", json!({"token": "not-the-callers-token"})).await?;
        let seen = until_false(&bed, "Verified", "SecretNotLabelled").await?;
        let message = &condition(&seen, "Verified").ok_or("no condition")?.message;
        let command = message.split("run kubectl ").nth(1).ok_or("no command is told")?;
        bed.kubectl(&command.split(' ').collect::<Vec<_>>(), None).await?;
        let seen = until_false(&bed, "Verified", "CredentialRefused").await?;
        let text = serde_json::to_string(&seen)?;
        assert!(!text.contains("not-the-callers-token"), "{text}");

        let right = Patch::Merge(json!({"stringData": {"token": CALLERS}}));
        bed.api::<Secret>().patch("probe", &PatchParams::default(), &right).await?;
        let seen = bed.until_ready("mcp").await?;
        let tools = seen
            .status
            .as_ref()
            .and_then(|status| status.tools.clone())
            .ok_or("no tools are shown")?;
        let application = Application::new("Claude", &mcp_url(&seen)?, "alice")?;
        let session = application.connect(Some(CALLERS)).await?;
        assert_eq!(usize::try_from(tools.count)?, session.tools().await?.len());
        let wide = bed
            .kubectl(&["get", "lensesmcpserver", "mcp", "-o", "wide", "--no-headers"], None)
            .await?;
        assert!(wide.split_whitespace().any(|column| column == tools.count.to_string()), "{wide}");
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn tools_are_held_to_the_digest_that_was_reviewed() {
    prove(|bed| async move {
        let mut manifest = for_callers_with_a_token(&bed).await?;
        manifest["spec"]["verification"]["credentialSecretRef"] =
            json!({"name": "callers", "key": "token"});
        let label = "mcp.lenses.io/operator-may-read=true";
        bed.kubectl(&["label", "secret", "callers", label], None).await?;
        let reviewed = bed.apply_until_ready(&manifest).await?;
        let reviewed =
            reviewed.status.and_then(|status| status.tools).ok_or("no tools are shown")?;
        manifest["spec"]["verification"]["expectedToolsDigest"] = json!(reviewed.digest);
        bed.apply_until_ready(&manifest).await?;

        // What a newer image, or a hand on the spec, may bring about.
        manifest["spec"]["tools"] = json!({"readOnly": true});
        bed.apply(&manifest).await?;
        let seen = until_false(&bed, "Verified", "ToolsChanged").await?;
        let fewer = seen
            .status
            .as_ref()
            .and_then(|status| status.tools.clone())
            .ok_or("no tools are shown")?;
        assert!(fewer.count < reviewed.count && fewer.digest != reviewed.digest, "{fewer:?}");
        let message = &condition(&seen, "Verified").ok_or("no condition")?.message;
        assert!(message.contains(&fewer.digest) && message.contains(&reviewed.digest), "{message}");

        manifest["spec"]["verification"]["expectedToolsDigest"] = json!(fewer.digest);
        bed.apply_until_ready(&manifest).await?;
        Ok(())
    })
    .await;
}

/// A server in API-key mode, often looked at, and what it refers to.
async fn for_callers_with_a_token(bed: &Bed) -> Result<Value, Trouble> {
    let hq = bed.hq().await?;
    bed.secret("lenses", json!({"api-key": SERVICE_ACCOUNT_TOKEN})).await?;
    bed.secret("callers", json!({"token": CALLERS})).await?;
    Ok(often(bed.api_key_server("mcp", &hq)))
}

/// The manifest with the shortest interval that there is.
fn often(mut manifest: Value) -> Value {
    manifest["spec"]["verification"] = json!({"interval": "10s"});
    server(manifest["metadata"]["name"].as_str().unwrap_or_default(), &manifest["spec"])
}

async fn until_false(bed: &Bed, kind: &str, reason: &str) -> Result<LensesMcpServer, Trouble> {
    let seen = bed.until_reason("mcp", kind, reason).await?;
    assert_eq!(
        condition(&seen, kind).map(|condition| condition.status.as_str()),
        Some("False"),
        "{kind} {reason}"
    );
    Ok(seen)
}

/// Adds one setting to HQ's, which is thereby started anew; gives back those that it had.
async fn set_up_with(bed: &Bed, hq: &Hq, setting: &str) -> Result<Vec<String>, Trouble> {
    let deployment = bed.api::<Deployment>().get(hq.name()).await?;
    let container = deployment
        .spec
        .and_then(|spec| spec.template.spec)
        .and_then(|pod| pod.containers.into_iter().next());
    let before = container.and_then(|container| container.args).ok_or("HQ has no arguments")?;
    let name = setting.split('=').next().unwrap_or_default();
    let others = before.iter().filter(|argument| argument.split('=').next() != Some(name)).cloned();
    set_arguments(bed, hq, &others.chain([setting.to_owned()]).collect::<Vec<_>>()).await?;
    Ok(before)
}

async fn set_arguments(bed: &Bed, hq: &Hq, arguments: &[String]) -> Result<(), Trouble> {
    let containers = json!([{"name": "hq", "args": arguments}]);
    let patch =
        Patch::Strategic(json!({"spec": {"template": {"spec": {"containers": containers}}}}));
    bed.api::<Deployment>().patch(hq.name(), &PatchParams::default(), &patch).await?;
    Ok(())
}
