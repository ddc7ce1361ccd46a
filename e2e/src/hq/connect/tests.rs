use serde_json::json;

use super::*;

fn connect() -> Connect {
    let config = json!({
        "connector.class": "org.apache.kafka.connect.file.FileStreamSinkConnector",
        "tasks.max": "2", "topics": "t", "file": "/tmp/t",
    });
    let mut connector = Connector::running(config.as_object().unwrap().clone());
    connector.tasks[1] = Task { state: State::Failed, trace: Some("disk full") };
    Connect::new(&["eu"], vec![("eu", "files", connector)])
}

fn states(connect: &mut Connect) -> (State, Vec<State>) {
    let connector = connect.connector("eu", "files").unwrap();
    (connector.state, connector.tasks.iter().map(|task| task.state).collect())
}

#[test]
fn actions_set_connector_and_task_states_and_only_restart_mends_failed_tasks() {
    use State::{Failed, Paused, Running, Stopped};
    let mut connect = connect();
    for (action, connector, tasks) in [
        (Action::Pause, Paused, vec![Paused, Failed]),
        (Action::Restart, Running, vec![Paused, Failed]),
        (Action::Resume, Running, vec![Running, Failed]),
        (Action::Stop, Stopped, vec![]),
        (Action::Start, Running, vec![Running, Running]),
    ] {
        connect.act("eu", "files", action).unwrap();
        assert_eq!(states(&mut connect), (connector, tasks), "{action:?}");
    }
    connect.connector("eu", "files").unwrap().tasks[1].state = Failed;
    connect.restart_task("eu", "files", "1").unwrap();
    assert_eq!(states(&mut connect), (Running, vec![Running, Running]));
    for id in ["2", "-1", "one"] {
        assert!(connect.restart_task("eu", "files", id).is_err(), "{id}");
    }
}

#[test]
fn what_a_plugin_does_not_take_is_refused_and_creates_nothing() {
    let mut connect = connect();
    let good = json!({
        "connector.class": "org.apache.kafka.connect.file.FileStreamSinkConnector", "topics": "t",
        "file": "f"
    });
    for (change, faults) in [
        (json!({}), 0),
        (json!({"connector.class": "com.example.Unknown"}), 1),
        (json!({"tasks.max": "none"}), 1),
        (json!({"tasks.max": 0}), 1),
    ] {
        let mut config = good.as_object().unwrap().clone();
        config.extend(change.as_object().unwrap().clone());
        assert_eq!(validate::faults(&config).len(), faults, "{change}");
        assert_eq!(validate::report(&config)["error_count"], faults);
        assert_eq!(
            connect.create("eu", &change.to_string(), config).is_ok(),
            faults == 0,
            "{change}"
        );
    }
    assert_eq!(validate::faults(&Map::new()).len(), 1);
    assert_eq!(connect.connectors(), 2);
    let config = good.as_object().unwrap().clone();
    assert!(connect.create("eu", "files", config.clone()).is_err());
    assert!(connect.create("us", "files", config).is_err());
    assert!(connect.delete("eu", "nothing").is_err());
    connect.delete("eu", "files").unwrap();
    assert_eq!(connect.connectors(), 1);
}
