//! Completion, and that the commands stand a reader that stops reading.

use std::process::{Command, Stdio};

use crate::{PLUGIN, err, lmcp, out, run};

#[test]
fn kubectl_gets_candidates_with_descriptions_and_a_directive() {
    for (words, candidate, directive) in [
        (&["sta"][..], "status\tList the servers", ":4\n"),
        (&["status", "--all"], "--all-namespaces\tThe resources of every", ":4\n"),
        (&["connect", "a", "--client", "vs"], "vscode\t", ":4\n"),
        (&["status", "-o", "w"], "wide\tFor people, with", ":4\n"),
        (&["check", "-f", ""], "", ":0\n"),
    ] {
        let output = lmcp(&[&["__complete"], words].concat(), "");
        assert_eq!(output.status.code(), Some(0), "{words:?}: {}", err(&output));
        let said = out(&output);
        assert!(said.contains(candidate) && said.ends_with(directive), "{words:?}: {said}");
        let fits = |line: &str| line.starts_with(words.last().unwrap()) || line.starts_with(':');
        assert!(said.lines().all(fits), "{words:?}: {said}");
    }
    let hidden = out(&lmcp(&["__complete", "run"], ""));
    assert_eq!(hidden, ":4\n", "the operator itself is not a command of the plugin");
}

#[test]
fn the_program_that_kubectl_runs_asks_the_plugin() {
    let script = out(&lmcp(&["completion", "--kubectl"], ""));
    let path = format!("{}:/usr/bin:/bin", PLUGIN.parent().unwrap().display());
    let mut shell = Command::new("/bin/sh");
    shell.args(["-s", "--", "doc"]).env_clear().env("PATH", path);
    let output = run(&mut shell, &script);
    assert!(out(&output).starts_with("doctor\t"), "{}{}", out(&output), err(&output));
}

#[test]
fn the_script_of_a_shell_is_for_the_plugin() {
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let output = lmcp(&["completion", shell], "");
        assert_eq!(output.status.code(), Some(0), "{shell}: {}", err(&output));
        let script = out(&output);
        assert!(script.contains("kubectl-lmcp") && script.contains("migrate"), "{shell}");
    }
    assert_eq!(lmcp(&["completion"], "").status.code(), Some(2));
}

#[test]
fn a_reader_that_stops_reading_is_no_fault() {
    let values = "mcp: {enabled: true, lensesAdvertisedUrl: 'https://a.example', mcpAdvertisedUrl: 'https://b.example'}";
    for (arguments, statuses) in [
        (&["--help"][..], &[0][..]),
        (&["crd", "-o", "json"], &[0]),
        (&["completion", "bash"], &[0]),
        (&["version", "--client"], &[0]),
        (&["connect", "--url", "https://a.example/mcp", "--client", "cursor"], &[0]),
        (&["migrate", "-f", "-"], &[1]),
        (&["status"], &[2]),
        (&["tools", "a"], &[2]),
        (&["report"], &[2]),
    ] {
        let mut process = Command::new(&*PLUGIN);
        process.args(arguments).env_clear().stdin(Stdio::piped());
        let mut process = process.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        // Before the command has its input.
        drop(process.stdout.take());
        let mut input = process.stdin.take().unwrap();
        std::io::Write::write_all(&mut input, values.as_bytes()).unwrap_or_default();
        drop(input);
        let output = process.wait_with_output().unwrap();
        assert!(!err(&output).contains("panicked"), "{arguments:?}: {}", err(&output));
        let status = output.status.code().unwrap();
        assert!(statuses.contains(&status), "{arguments:?}: {status}: {}", err(&output));
    }
}
