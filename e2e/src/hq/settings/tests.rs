use super::*;

fn check(arguments: &[&str]) -> Result<Settings, String> {
    let flags = Flags::try_parse_from(std::iter::once(&"hq").chain(arguments))
        .map_err(|error| error.to_string())?;
    flags.check().map_err(|error| error.to_string())
}

#[test]
fn defaults_are_those_of_an_hq_that_serves_mcp() {
    let settings = check(&[]).unwrap();
    assert_eq!(settings.listen.to_string(), "127.0.0.1:9991");
    assert!(
        settings.dcr
            && settings.require_pkce
            && settings.unauthenticated_introspection
            && settings.introspection_aud
    );
    assert!(!settings.token_exchange && !settings.api_audience_check);
    assert_eq!(settings.access_token_ttl, Duration::from_hours(1));
    assert!(
        settings.control.is_none() && settings.approve_as.is_none() && settings.issuer.is_none()
    );
    assert!(settings.service_account_token.starts_with("sa_"));
}

#[test]
fn every_fault_is_listed_with_its_flag_and_variable_and_no_secret() {
    let fault = check(&[
        "--listen=nowhere",
        "--issuer-url=ftp://hq",
        "--dcr=perhaps",
        "--access-token-ttl=0s",
        "--approve-as=mallory",
        "--service-account-token=s3cr3t",
        "--client=:hidden",
    ])
    .unwrap_err();
    let lines: Vec<_> = fault.lines().collect();
    assert_eq!(lines.len(), 7, "{fault}");
    assert!(lines[0].starts_with("--listen (HQ_LISTEN) \"nowhere\" must be"), "{fault}");
    assert!(
        fault.contains("--issuer-url (HQ_ISSUER_URL) \"ftp://hq\" must start with http"),
        "{fault}"
    );
    assert!(!fault.contains("s3cr3t") && !fault.contains("hidden"), "{fault}");
}
