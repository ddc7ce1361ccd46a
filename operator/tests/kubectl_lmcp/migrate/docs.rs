//! `docs/migrate-*.md`: their commands run, and print what the pages show.

use std::process::Command;

use crate::{PLUGIN, doc, err, root, run};

#[test]
fn the_pages_show_what_the_commands_print() {
    for page in ["migrate-sidecar.md", "migrate-docker.md"] {
        let text = doc(page);
        let mut seen = 0;
        for block in text.split("\n```console\n$ ").skip(1) {
            let block = block.split_once("\n```").unwrap().0;
            let (command, shown) = block.split_once('\n').unwrap();
            let Some(rest) = command.strip_prefix("kubectl lmcp ") else { continue };
            seen += 1;
            let path = format!("{}:/usr/bin:/bin", PLUGIN.parent().unwrap().display());
            let mut shell = Command::new("sh");
            // Both outputs, as a terminal shows them.
            shell.args(["-c", &format!("kubectl-lmcp {rest} 2>&1")]);
            shell.current_dir(root()).env_clear().env("PATH", path);
            let output = run(&mut shell, "");
            let said = String::from_utf8(output.stdout.clone()).unwrap();
            assert_eq!(
                said.trim_end(),
                shown,
                "{page}: {command} prints now:\n{said}{}",
                err(&output)
            );
        }
        assert!(seen >= 1, "{page} shows no command");
    }
}
