//! The stand-in HQ as a process: what it prints, how it refuses to start, how it ends.

use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

fn hq(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hq"));
    command.args(arguments);
    command
}

#[test]
fn bad_settings_are_listed_together_and_end_with_78() {
    let output = hq(&["--listen=here", "--dcr=perhaps", "--approve-as=mallory"]).output().unwrap();
    let faults = String::from_utf8(output.stderr).unwrap();
    assert_eq!((output.status.code(), faults.lines().count()), (Some(78), 3), "{faults}");
    for variable in ["HQ_LISTEN", "HQ_DCR", "HQ_APPROVE_AS"] {
        assert!(faults.contains(variable), "{faults}");
    }
}

#[test]
fn it_prints_its_address_and_token_and_exits_cleanly_on_sigterm() {
    let arguments = [
        "--listen=127.0.0.1:0",
        "--service-account-token=sa_of-this-test",
        "--control=127.0.0.1:0",
    ];
    let mut process = hq(&arguments).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let lines = BufReader::new(process.stdout.take().unwrap()).lines().map(Result::unwrap);
    let lines: Vec<_> = lines.take(5).collect();
    let address = lines[0].strip_prefix("Lenses HQ (stand-in) listens on ").unwrap();
    assert_eq!(lines[1], format!("issuer: http://{address}"));
    assert_eq!(lines[2], "service account token: sa_of-this-test");
    assert!(lines[4].starts_with("control: http://127.0.0.1:"), "{lines:?}");
    let asked = Instant::now();
    assert!(
        Command::new("kill").args(["-TERM", &process.id().to_string()]).status().unwrap().success()
    );
    assert!(process.wait().unwrap().success());
    assert!(asked.elapsed() < Duration::from_secs(3));
}
