//! The settings file: every fault is a message, and no message holds a secret.

use std::{collections::BTreeMap, io, path::Path};

use super::{Settings, Variables};
use crate::fuzz::fuzz;

const SECRET: &str = "hunter2-the-key-of-the-service-account";

#[test]
fn a_settings_file_is_taken_or_refused_without_showing_a_secret() {
    fuzz("settings_file", |input| {
        let text = String::from_utf8_lossy(input);
        // Whoever writes one variable into another shows it.
        if text.contains('$') {
            return;
        }
        let text = format!("LENSES_API_KEY='{SECRET}'\n{text}");
        let read_file = |path: &Path| {
            let is_settings = path == Path::new("/settings");
            if is_settings { Ok(text.clone()) } else { Err(io::ErrorKind::NotFound.into()) }
        };
        let environment =
            BTreeMap::from([("MCP_SETTINGS_FILE".to_owned(), "/settings".to_owned())]);
        let said = match Variables::load(environment, &read_file) {
            Ok(variables) => match Settings::read(&variables) {
                Ok(settings) => format!("{}{settings:?}", settings.effective()),
                Err(faults) => faults.to_string(),
            },
            Err(faults) => faults.to_string(),
        };
        assert!(!said.contains(SECRET), "{said}");
    });
}
