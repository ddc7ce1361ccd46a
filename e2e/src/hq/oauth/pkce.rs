//! Proof Key for Code Exchange (RFC 7636), method S256 only.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};

/// Whether `value` can be an S256 challenge: the base64url of 32 bytes, without padding (RFC 7636
/// §4.2).
pub(crate) fn is_challenge(value: &str) -> bool {
    URL_SAFE_NO_PAD.decode(value).is_ok_and(|digest| digest.len() == 32)
}

/// Whether `verifier` is well-formed (RFC 7636 §4.1) and is what `challenge` was made of.
pub(crate) fn proves(verifier: &str, challenge: &str) -> bool {
    let unreserved = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    (43..=128).contains(&verifier.len())
        && verifier.bytes().all(unreserved)
        && URL_SAFE_NO_PAD.encode(Sha256::digest(verifier)) == challenge
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 7636, appendix B.
    const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

    #[test]
    fn the_example_of_the_rfc_is_proved_and_nothing_else() {
        assert!(is_challenge(CHALLENGE));
        assert!(proves(VERIFIER, CHALLENGE));
        for bad in
            ["", "short", &VERIFIER.replace('d', "e"), &"a".repeat(129), &format!("{VERIFIER}!")]
        {
            assert!(!proves(bad, CHALLENGE), "{bad}");
        }
        for bad in ["", "plain", &format!("{CHALLENGE}="), &"a".repeat(42)] {
            assert!(!is_challenge(bad), "{bad}");
        }
    }
}
