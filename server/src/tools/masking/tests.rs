use serde_json::{Value, json};

use super::*;

fn masked(value: impl std::borrow::Borrow<Value>) -> Value {
    serde_json::from_str(&mask_json(value.borrow().to_string())).unwrap()
}

#[test]
fn settings_that_name_a_secret_are_hidden() {
    for name in [
        "database.password",
        "connection.password",
        "ssl.key.password",
        "ssl.keystore.key",
        "password",
        "PASSWORD",
        "aws.secret.access.key",
        "aws.secretAccessKey",
        "AWS_SECRET_ACCESS_KEY",
        "client.secret",
        "auth.token",
        "accessToken",
        "value.converter.basic.auth.user.info",
        "sasl.jaas.config",
        "producer.override.sasl.jaas.config",
        "gcp.credentials",
        "gcs.credentials.json",
        "keyfile",
        "api.key",
        "apiKey",
        "x-api-key",
        "azure.account.key",
        "connect.cosmosdb.master.key",
        "snowflake.private.key",
        "snowflake.private.key.passphrase",
        "azure.sas",
        "mongo.pwd",
        "Authorization",
        "oauth2.client.secret",
    ] {
        assert_eq!(masked(json!({ name: "hunter2" })), json!({ name: MASK }), "{name}");
        assert_eq!(masked(json!({ name: 1234 })), json!({ name: MASK }), "{name}");
        assert_eq!(
            masked(json!([{ "name": name, "value": "hunter2" }])),
            json!([{ "name": name, "value": MASK }])
        );
        assert_eq!(
            masked(json!({ "key": name, "value": "hunter2" })),
            json!({ "key": name, "value": MASK })
        );
    }
}

#[test]
fn what_is_no_secret_stays() {
    let settings = json!({
        "connector.class": "io.debezium.connector.postgresql.PostgresConnector",
        "tasks.max": "1",
        "key.converter": "org.apache.kafka.connect.storage.StringConverter",
        "database.user": "orders",
        "database.hostname": "db:5432",
        "primary.key": "id",
        "connection.url": "jdbc:postgresql://db:5432/orders?ssl=true",
        "aws.access.key.id": "AKIA1",
        "aws.credentials.provider.class": "com.amazonaws.auth.Provider",
        "sasl.oauthbearer.token.endpoint.url": "https://id/token",
        "value.converter.basic.auth.credentials.source": "USER_INFO",
        "ssl.truststore.location": "/ca.jks",
        "schedule": "12:30@noon",
        "errors.tolerance": "all",
        "schedule.interval": { "type": "LONG", "value": 5 },
    });
    assert_eq!(masked(&settings), settings);
}

#[test]
fn references_to_secrets_stay_and_so_does_what_shows_nothing() {
    for value in [
        json!("${file:/opt/db.properties:password}"),
        json!("${secret:path/to:key}"),
        json!("${env:A}${env:B}"),
        json!(""),
        json!(null),
        json!(true),
        json!("false"),
    ] {
        assert_eq!(
            masked(json!({ "database.password": value })),
            json!({ "database.password": value })
        );
    }
    assert_eq!(masked(json!({ "password": "${env:A}tail" })), json!({ "password": MASK }));
}

#[test]
fn secrets_inside_other_values_are_hidden() {
    for (text, shown) in [
        ("jdbc:postgresql://u:p%40ss@db/x", "jdbc:postgresql://u:********@db/x"),
        ("mongodb+srv://u:p@ss@h/db?w=1", "mongodb+srv://u:********@h/db?w=1"),
        ("jdbc:oracle:thin:scott/tiger@db:1521:x", "jdbc:oracle:thin:scott/********@db:1521:x"),
        ("jdbc:oracle:oci8:scott/tiger@db:1521:x", "jdbc:oracle:oci8:scott/********@db:1521:x"),
        ("scott/tiger@//db:1521/x", "scott/********@//db:1521/x"),
        ("url=scott/ti/ger@db.eu:1521/x", "url=scott/********@db.eu:1521/x"),
        ("connectors/s3@2.1 and a/b@c", "connectors/s3@2.1 and a/b@c"),
        (
            "Invalid value a\nhunter2 for configuration db.password: no",
            "Invalid value ******** for configuration db.password: no",
        ),
        ("Invalid value hunter2 hunter2…", "Invalid value ********"),
        (
            "jdbc:mysql://db/x?user=u&password=p&ssl=1",
            "jdbc:mysql://db/x?user=u&password=********&ssl=1",
        ),
        (
            "jdbc:sqlserver://db;user=u;Password=p;x=1",
            "jdbc:sqlserver://db;user=u;Password=********;x=1",
        ),
        ("https://h/c?sv=1&sig=abc%3D", "https://h/c?sv=1&sig=********"),
        ("AccountName=a;AccountKey=b==;E=c", "AccountName=a;AccountKey=********;E=c"),
        ("Endpoint=sb://h/;SharedAccessKey=k", "Endpoint=sb://h/;SharedAccessKey=********"),
        (r#"required username="u" password="p w";"#, r#"required username="u" password=********;"#),
        ("password='hunter''3' x=1", "password=******** x=1"),
        (r#"password="hunter"2 x=1"#, "password=******** x=1"),
        ("password='hunter2", "password=********"),
        ("Authorization: Bearer abcdef.ghi|X: 1", "Authorization: Bearer ********|X: 1"),
        ("jdbc://db?password=${file:/x:y}&a=1", "jdbc://db?password=${file:/x:y}&a=1"),
        ("-----BEGIN RSA PRIVATE KEY-----\nMIIE\n", MASK),
    ] {
        assert_eq!(masked(json!({ "connection.url": text })), json!({ "connection.url": shown }));
        assert_eq!(masked(json!(text)), json!(shown));
    }
}

#[test]
fn all_that_a_secret_holds_is_hidden() {
    let held =
        json!({ "credentials": { "user": "u", "keys": ["a", 1], "on": true, "from": "${env:X}" } });
    let shown = json!({ "credentials": {
        "user": MASK, "keys": [MASK, MASK], "on": true, "from": "${env:X}",
    } });
    assert_eq!(masked(held), shown);
}

#[test]
fn what_is_around_settings_stays_unless_it_names_a_secret() {
    let connector = json!({
        "name": "orders", "clusterName": "eu", "connectorType": "sink", "state": "FAILED",
        "tasks": [{ "id": 0, "worker": "w1:8083", "trace": "login failed" }],
        "config": { "tasks.max": "2" },
    });
    assert_eq!(masked(&connector), connector);
    assert_eq!(masked(json!({ "agentToken": "x" })), json!({ "agentToken": MASK }));
}

#[test]
fn settings_are_recognised_by_position_or_by_a_dot_in_the_name() {
    for (held, shown) in [
        (json!({ "a.b": 1, "c": "x" }), json!({ "a.b": MASK, "c": MASK })),
        (
            json!({ "Config": { "a": ["x", { "name": "y" }] } }),
            json!({ "Config": { "a": [MASK, { "name": "y" }] } }),
        ),
        (json!({ "settings": [{ "a": "x" }] }), json!({ "settings": [{ "a": MASK }] })),
        (json!([{ "key": "a", "value": "b" }]), json!([{ "key": "a", "value": MASK }])),
        (
            json!({ "config": { "a": { "b": { "host": "h", "c": "x" } } } }),
            json!({ "config": { "a": { "b": { "host": "h", "c": MASK } } } }),
        ),
    ] {
        assert_eq!(masked(held), shown);
    }
    assert_eq!(mask_json(r#"{"a\u002eb":"x"}"#.to_owned()), r#"{"a\u002eb":"********"}"#);
}

#[test]
fn a_type_that_can_hold_no_secret_shows_the_setting() {
    let setting = |kind: &str, name: &str, value: &str| {
        json!({ "configs": [{
            "definition": { "name": name, "type": kind, "documentation": "d", "order": 1 },
            "value": { "name": name, "value": value, "errors": [] },
        }] })
    };
    for (kind, name, is_shown) in [
        ("INT", "my.setting", true),
        ("CLASS", "my.setting", true),
        ("STRING", "my.setting", false),
        ("LIST", "my.setting", false),
        ("PASSWORD", "my.setting", false),
        ("PASSWORD", "topics", false),
        ("INT", "my.password", false),
        ("STRING", "topics", true),
    ] {
        let shown = setting(kind, name, if is_shown { "12" } else { MASK });
        assert_eq!(masked(setting(kind, name, "12")), shown, "{kind} {name}");
    }
}
