//! Settings of commonly used connectors: what must be hidden and what must be shown.

mod shown;

use serde_json::{Value, json};

use self::shown::SHOWN;
use super::{MASK, mask_json, mask_yaml};

/// Settings whose whole value is hidden.
const HIDDEN: &[(&str, &str)] = &[
    // Databases.
    ("database.password", "hunter2"),
    ("connection.password", "hunter2"),
    ("db.pass", "hunter2"),
    ("user.pass", "hunter2"),
    ("pass", "hunter2"),
    ("mongodb.password", "hunter2"),
    ("mongodb.connection.string", "mongodb://u:hunter2@h/db"),
    ("mongo.pwd", "hunter2"),
    ("connection.oracle.wallet", "hunter2"),
    ("connect.cassandra.password", "hunter2"),
    ("connect.redis.password", "hunter2"),
    ("connect.redis.ssl.keystore.password", "hunter2"),
    ("database.ssl.keystore.password", "hunter2"),
    ("schema.history.internal.producer.sasl.jaas.config", "Login required username=u;"),
    ("neo4j.authentication.basic.password", "hunter2"),
    ("aerospike.auth", "hunter2"),
    // Message brokers.
    ("mq.password", "hunter2"),
    ("connect.jms.password", "hunter2"),
    ("connect.mqtt.password", "hunter2"),
    ("rabbitmq.passcode", "hunter2"),
    ("stomp.passcode", "hunter2"),
    ("solace.passcode", "hunter2"),
    ("azure.servicebus.sas.key", "hunter2"),
    ("azure.servicebus.connection.string", "Endpoint=sb://h/;SharedAccessKey=hunter2"),
    ("azure.eventhubs.sas.keyname.value", "hunter2"),
    ("pulsar.authentication.params", "token:hunter2"),
    // Clouds.
    ("aws.secret.access.key", "hunter2"),
    ("aws.secretAccessKey", "hunter2"),
    ("aws.session", "hunter2"),
    ("connect.s3.aws.secret.key", "hunter2"),
    ("s3.sse.customer.key", "hunter2"),
    ("azure.account.key", "hunter2"),
    ("azblob.account.key", "hunter2"),
    ("azblob.sas", "hunter2"),
    ("connect.datalake.azure.account.key", "hunter2"),
    ("connect.cosmosdb.master.key", "hunter2"),
    ("connect.documentdb.master.key", "hunter2"),
    ("gcp.credentials", "{}"),
    ("gcs.credentials.json", "{\"type\":\"service_account\"}"),
    ("keyfile", "hunter2"),
    ("bigQueryKeyfile", "hunter2"),
    ("snowflake.private.key", "MIIE"),
    ("snowflake.private.key.passphrase", "hunter2"),
    ("azure.function.key", "hunter2"),
    ("function.key", "hunter2"),
    ("databricks.pat", "hunter2"),
    // Web services.
    ("connection.headers", "X-One: hunter2"),
    ("headers", "Authorization: ApiKey hunter2|Cookie: a=hunter2"),
    ("http.headers.additional", "X-Api: hunter2"),
    ("http.authorization", "hunter2"),
    ("header.authorization", "ApiKey hunter2"),
    ("request.cookie", "session=hunter2"),
    ("consumerKey", "hunter2"),
    ("consumerSecret", "hunter2"),
    ("twitter.oauth.consumerKey", "hunter2"),
    ("twitter.oauth.accessTokenSecret", "hunter2"),
    ("salesforce.consumer.key", "hunter2"),
    ("salesforce.password.token", "hunter2"),
    ("splunk.hec.token", "hunter2"),
    ("slack.webhook.url", "https://example.com/T1/B1/hunter2"),
    ("datadog.api.key", "hunter2"),
    ("license.key", "hunter2"),
    ("confluent.license", "hunter2"),
    ("x-api-key", "hunter2"),
    ("oauth2.client.secret", "hunter2"),
    ("oauth2.client.assertion", "hunter2"),
    ("vault.secret.id", "hunter2"),
    ("config.providers.vault.param.secret.id", "hunter2"),
    // Kafka clients, converters and transformations.
    ("ssl.key", "hunter2"),
    ("ssl.key.password", "hunter2"),
    ("ssl.keystore.key", "hunter2"),
    ("producer.override.sasl.jaas.config", "Login required;"),
    ("consumer.override.ssl.truststore.password", "hunter2"),
    ("source.cluster.sasl.jaas.config", "Login required;"),
    ("value.converter.basic.auth.user.info", "u:hunter2"),
    ("value.converter.schema.registry.basic.auth.user.info", "u:hunter2"),
    ("transforms.encrypt.cipher.data.keys", "[]"),
    ("transforms.insert.static.value", "hunter2"),
    ("transforms.header.value.literal", "hunter2"),
    ("transforms.mask.salt", "hunter2"),
    ("x", "hunter2"),
    ("my.own.setting", "12345"),
];

fn shown(settings: &Value) -> Value {
    serde_json::from_str(&mask_json(settings.to_string())).unwrap()
}

#[test]
fn settings_not_known_to_be_harmless_are_hidden() {
    assert!(HIDDEN.len() >= 60);
    for (name, value) in HIDDEN {
        let masked = json!({ "config": { (*name): MASK } });
        assert_eq!(shown(&json!({ "config": { (*name): value } })), masked, "{name}");
        let pair = shown(&json!([{ "name": name, "value": value }]));
        assert_eq!(pair, json!([{ "name": name, "value": MASK }]), "{name}");
        let yaml = mask_yaml(&format!("config:\n  {name}: {}\n", json!(value))).unwrap();
        assert_eq!(yaml, format!("config:\n  {name}: \"{MASK}\"\n"), "{name}");
        let comment = mask_yaml(&format!("# {name}: {}\n", json!(value))).unwrap();
        assert_eq!(comment, format!("# {name}: {MASK}\n"), "{name}");
    }
}

#[test]
fn settings_known_to_be_harmless_are_shown_as_they_are() {
    assert!(SHOWN.len() >= 150);
    let hidden = SHOWN.iter().filter(|(name, value)| {
        let yaml = format!("config:\n  {name}: {}\n# {name}: {value}\n", json!(value));
        let config = json!({ "config": { (*name): value, "tasks.max": "1" } });
        let pair = json!([{ "name": name, "value": value }]);
        shown(&config) != config || shown(&pair) != pair || mask_yaml(&yaml) != Ok(yaml)
    });
    assert_eq!(hidden.collect::<Vec<_>>(), [] as [&(&str, &str); 0]);
}
