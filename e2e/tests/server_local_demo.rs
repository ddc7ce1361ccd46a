//! `make try`, with nobody at the terminal.

use std::{
    net::TcpListener,
    process::{Command, Stdio},
};

fn local_demo(mcp: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_local-demo"));
    command.args(["--hq", "127.0.0.1:0", "--mcp", mcp]).stdin(Stdio::null());
    command
}

#[test]
fn the_local_demo_signs_in_calls_tools_and_says_how_to_connect() {
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    let output = local_demo(&address).output().unwrap();
    let (out, errors) = (String::from_utf8(output.stdout).unwrap(), output.stderr);
    let errors = String::from_utf8_lossy(&errors);
    assert!(output.status.success(), "{out}{errors}");
    for step in [
        "start a stand-in Lenses HQ: http://127.0.0.1:",
        "start lenses-mcp-server: OAUTH_ENABLED=true LENSES_URL=http://127.0.0.1:",
        "sign in as bob, who grants `read` only: ",
        "call list_topics: __consumer_offsets, ",
        "call create_topic: refused, with the scope it needs: 403 insufficient_scope, scope=\"read \
         write\"",
        "step up and call create_topic again: Topic [sandbox.demo] created",
        "call execute_sql: SELECT * FROM orders LIMIT 3: 3 rows",
    ] {
        let steps = out.lines().filter(|line| line.contains(&format!("ok      {step}")));
        assert_eq!(steps.count(), 1, "{step}: {out}{errors}");
    }
    assert!(out.ends_with("\n7 passed, 0 failed\n"), "{out}");
    let connect = format!("claude mcp add --transport http lenses http://{address}/mcp\n");
    assert!(out.contains(&connect), "{out}");
}

#[test]
fn an_address_that_is_taken_is_named_with_its_option() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let output = local_demo(&address).output().unwrap();
    let errors = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success(), "{errors}");
    assert!(errors.contains(&address) && errors.contains("--mcp"), "{errors}");
}
