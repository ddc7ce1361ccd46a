//! Certificates: files that are mounted become objects.

use serde_json::json;

use crate::commands::{
    migrate::{conversion::Conversion, variables::Environment},
    write::shell_word,
};

pub(super) fn convert(conversion: &mut Conversion, environment: &mut Environment) {
    for name in ["LENSES_CA_FILE", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"] {
        let field = "lenses.caBundle";
        let Some(path) = environment.text(conversion, name, field) else { continue };
        if conversion.get(field).is_object() {
            conversion.drop_key(name, "spec.lenses.caBundle holds the authorities already");
            continue;
        }
        let object = conversion.object_name("lenses-ca");
        conversion.create(
            "configmap",
            &object,
            &format!("--from-file=ca.crt={}", shell_word(&path)),
        );
        let reference = json!({ "configMapKeyRef": { "name": object, "key": "ca.crt" } });
        conversion.set(field, reference);
    }
    for (certificate, key, field, suffix) in [
        ("LENSES_CLIENT_CERT_FILE", "LENSES_CLIENT_KEY_FILE", "lenses.clientCertificate", "client"),
        ("TLS_CERT_FILE", "TLS_KEY_FILE", "endpoint.tls", "tls"),
    ] {
        let pair = [certificate, key].map(|name| environment.text(conversion, name, field));
        match pair {
            [Some(certificate), Some(key)] => {
                let object = conversion.object_name(suffix);
                let files =
                    format!("--cert={} --key={}", shell_word(&certificate), shell_word(&key));
                conversion.create("secret tls", &object, &files);
                conversion.set(&format!("{field}.secretName"), object);
            }
            [None, None] => {}
            _ => conversion.leave_open(certificate, format!("it needs {key} beside it: set both")),
        }
    }
}
