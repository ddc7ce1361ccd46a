//! Secrets in the log of a pod, told by the forms that they take.

use super::{MASK, text::masked_text};

/// What the first and the last line of a private key say (RFC 7468 §2).
const PRIVATE_KEY: &str = "PRIVATE KEY-----";

/// Hides the secrets in `log`, each line by itself. A private key is one secret.
pub(in crate::tools) fn mask_log(log: &str) -> String {
    let mut masked = String::with_capacity(log.len());
    let mut in_key = false;
    for line in log.split_inclusive('\n') {
        let (begins, ends) = (line.contains("-----BEGIN "), line.contains("-----END "));
        let is_edge = line.contains(PRIVATE_KEY) && (begins || ends);
        if in_key || is_edge {
            if !in_key {
                masked.push_str(MASK);
                masked.push('\n');
            }
            in_key = if is_edge { begins && !ends } else { true };
        } else {
            masked.push_str(&masked_text(line));
        }
    }
    masked
}
