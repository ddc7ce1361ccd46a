//! How callers sign in, of the server's variables.

use serde_json::json;

use super::{
    conversion::Conversion,
    fields,
    variables::{Environment, Origin, Source, Variable, secret},
};
use crate::commands::write::shell_word;

/// Secrets that a variable may also name the file of.
const SECRETS: [&str; 4] = [
    "LENSES_API_KEY",
    "MCP_CALLER_TOKEN",
    "INTROSPECTION_CLIENT_ID",
    "INTROSPECTION_CLIENT_SECRET",
];

pub(super) fn convert(conversion: &mut Conversion, environment: &mut Environment, origin: &Origin) {
    let files = SECRETS.map(|name| {
        environment.text(conversion, &format!("{name}_FILE"), "auth").map(|path| (name, path))
    });
    let transport = environment.text(conversion, "TRANSPORT", "auth");
    let api_key = environment.take("LENSES_API_KEY");
    let has_key_file = files.iter().flatten().any(|(name, _)| *name == "LENSES_API_KEY");
    let with_key = api_key.is_some() || has_key_file;
    let stated = environment.text(conversion, "OAUTH_ENABLED", "auth");
    let with_oauth = match (stated, origin) {
        (Some(stated), _) => fields::is_true(&stated),
        (None, Origin::Sidecar) => true,
        (None, Origin::Container) => environment.has("MCP_ADVERTISED_URL") && !with_key,
    };
    match transport.as_deref() {
        Some("stdio") | None if !with_oauth && matches!(origin, Origin::Container) => conversion
            .leave_open(
                "TRANSPORT",
                "over stdio each client started a server of its own: now they call this one by its \
             URL, and each client is connected again with `kubectl lmcp connect`",
            ),
        Some("sse") => conversion.leave_open(
            "TRANSPORT",
            "the old HTTP+SSE transport is not served: clients call the path /mcp in place of /sse",
        ),
        Some(_) => conversion.drop_key("TRANSPORT", "the server serves HTTP"),
        None => {}
    }
    if with_oauth {
        oauth(conversion, environment, &files);
        if let Some(api_key) = api_key {
            conversion.drop_key(api_key.key, "with OAuth each caller has a token of HQ");
        }
    } else {
        for (name, field, _) in fields::OAUTH_FIELDS {
            without_oauth(conversion, environment, name, field);
        }
        key(conversion, environment, api_key, &files);
    }
}

type Files = [Option<(&'static str, String)>; 4];

fn file<'a>(files: &'a Files, name: &str) -> Option<&'a str> {
    files.iter().flatten().find(|(known, _)| *known == name).map(|(_, path)| path.as_str())
}

fn oauth(conversion: &mut Conversion, environment: &mut Environment, files: &Files) {
    conversion.set("auth.oauth", json!({}));
    for (name, field, kind) in fields::OAUTH_FIELDS {
        fields::convert(conversion, environment, name, field, kind);
    }
    for name in ["MCP_CALLER_TOKEN", "MCP_CALLERS"] {
        if let Some(variable) = environment.take(name) {
            conversion.drop_key(variable.key, "with OAuth each caller has a token of HQ");
        }
    }
    let field = "auth.oauth.introspection.clientCredentialsSecretRef.name";
    let names = ["INTROSPECTION_CLIENT_ID", "INTROSPECTION_CLIENT_SECRET"];
    let pair = names.map(|name| environment.take(name));
    let paths = names.map(|name| file(files, name));
    match (pair, paths) {
        ([None, None], [None, None]) => {}
        ([Some(id), Some(client_secret)], _) => client(conversion, field, &id, &client_secret),
        (_, [Some(id), Some(client_secret)]) => {
            let object = conversion.object_name("introspection");
            let files = format!(
                "--from-file=client_id={} --from-file=client_secret={}",
                shell_word(id),
                shell_word(client_secret)
            );
            conversion.create("secret generic", &object, &files);
            conversion.set(field, object);
        }
        _ => conversion
            .leave_open(names[0], format!("it and {} belong together: set both", names[1])),
    }
}

/// A Secret that holds both under the names that the operator reads is referred to.
fn client(conversion: &mut Conversion, field: &str, id: &Variable, client_secret: &Variable) {
    match (&id.source, &client_secret.source) {
        (Source::Secret { name, key }, Source::Secret { name: other, key: secret_key })
            if name == other && key == "client_id" && secret_key == "client_secret" =>
        {
            conversion.set(field, name.clone());
        }
        _ => {
            let object = conversion.object_name("introspection");
            let keys = [
                ("client_id", "INTROSPECTION_CLIENT_ID"),
                ("client_secret", "INTROSPECTION_CLIENT_SECRET"),
            ];
            conversion.create_secret(&object, "generic", &keys);
            conversion.set(field, object);
        }
    }
}

fn without_oauth(
    conversion: &mut Conversion,
    environment: &mut Environment,
    name: &str,
    field: &str,
) {
    let Some(variable) = environment.take(name) else { return };
    if name == "MCP_SCOPES" {
        let what = "scopes need OAuth: to offer less, write spec.tools.readOnly or spec.tools.deny";
        conversion.leave_open(variable.key, what);
    } else {
        conversion.drop_key(variable.key, format!("spec.{field} means something with OAuth only"));
    }
}

/// One service account for all callers.
fn key(
    conversion: &mut Conversion,
    environment: &mut Environment,
    api_key: Option<Variable>,
    files: &Files,
) {
    let (name, key) = match (api_key, file(files, "LENSES_API_KEY")) {
        (None, Some(path)) => {
            let object = conversion.object_name("service-account");
            let file = format!("--from-file=token={}", shell_word(path));
            conversion.create("secret generic", &object, &file);
            (object, "token".to_owned())
        }
        (Some(variable), _) => secret(conversion, variable, "service-account", "token"),
        (None, None) => {
            conversion.leave_open(
                "LENSES_API_KEY",
                "neither it nor OAuth is set: the resource names a Secret for it",
            );
            let variable = Variable {
                name: "LENSES_API_KEY".to_owned(),
                key: "LENSES_API_KEY".to_owned(),
                source: Source::Shell,
            };
            secret(conversion, variable, "service-account", "token")
        }
    };
    conversion.set("auth.apiKey.secretKeyRef", json!({ "name": name, "key": key }));
    callers(conversion, environment, files);
}

fn callers(conversion: &mut Conversion, environment: &mut Environment, files: &Files) {
    let anyone = environment.text(conversion, "MCP_CALLERS", "auth.apiKey.callers");
    let token = environment.take("MCP_CALLER_TOKEN");
    let (name, key) = match (token, file(files, "MCP_CALLER_TOKEN")) {
        (None, None) if anyone.as_deref() == Some("anyone") => {
            return conversion.set("auth.apiKey.callers.anyone", true);
        }
        (Some(variable), _) => secret(conversion, variable, "callers", "token"),
        (None, Some(path)) => {
            let object = conversion.object_name("callers");
            let file = format!("--from-file=token={}", shell_word(path));
            conversion.create("secret generic", &object, &file);
            (object, "token".to_owned())
        }
        (None, None) => {
            conversion.leave_open(
                "MCP_CALLER_TOKEN",
                "until now anyone who reached the port could call. Callers show a token from now \
                 on: give it to them. spec.auth.apiKey.callers.anyone: true would keep it open",
            );
            let object = conversion.object_name("callers");
            let random = "--from-literal=token=\"$(openssl rand -hex 32)\"";
            conversion.create("secret generic", &object, random);
            (object, "token".to_owned())
        }
    };
    conversion.set("auth.apiKey.callers.tokenSecretRef", json!({ "name": name, "key": key }));
}
