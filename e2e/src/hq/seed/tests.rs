use super::*;

#[test]
fn every_seeded_value_has_the_fields_that_its_topic_declares() {
    for row in &TOPICS {
        for index in 0..row.records.min(130) {
            let value = (row.record)(index).value;
            for (name, _) in row.fields.iter().filter(|_| !value.is_null()) {
                let pointer = format!("/{}", name.replace('.', "/"));
                assert!(value.pointer(&pointer).is_some(), "{} {index}: {name}", row.name);
            }
        }
    }
}

#[test]
fn erased_customers_have_a_tombstone_under_their_own_key() {
    let keys: Vec<_> = (120..123).map(customer).map(|record| (record.key, record.value)).collect();
    assert_eq!(
        keys,
        ["customer-40", "customer-80", "customer-120"].map(|key| (key.into(), Value::Null))
    );
}

#[test]
fn groups_lag_as_the_table_says() {
    let kafka = Kafka::new(3, topics(), groups());
    let lag = |id: &str| {
        let group = kafka.groups().find(|group| group.id == id).unwrap().describe(&kafka, None);
        group["maxLag"].as_u64().unwrap()
    };
    assert_eq!(
        ["payments-settlement", "orders-fulfilment", "customer-sync", "legacy-export"].map(lag),
        [2, 5, 0, 100]
    );
}
