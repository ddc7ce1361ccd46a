//! `check -f FILE`: what the API server and the operator would say to a manifest, without either.

mod secret_keys;

use std::process::ExitCode;

use clap::Args;
use serde::Serialize;

use super::{
    Files, NOT_WELL, OperatorSettings, Output, admission, could_not_look,
    manifests::{self, Document},
    offline, structured, write,
};
use crate::context::Defaults;

/// The arguments of `check`.
#[derive(Args, Clone, Debug)]
pub struct Check {
    #[command(flatten)]
    files: Files,
    #[command(flatten)]
    settings: OperatorSettings,
    /// How the verdicts are written.
    #[arg(short, long, value_enum, default_value_t = Output::Table)]
    output: Output,
}

/// What is to be said of one resource.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
struct Verdict {
    file: String,
    namespace: String,
    name: String,
    valid: bool,
    /// Each with the field and what to write.
    faults: Vec<String>,
    /// References that only a cluster can answer for.
    not_checked: Vec<String>,
}

/// Runs it: exit status 0 if every resource would be accepted, 1 if not, 2 if a file cannot be read.
#[must_use]
pub fn run(check: Check) -> ExitCode {
    let documents = match manifests::read(&check.files) {
        Ok(documents) => documents,
        Err(error) => return could_not_look(&error),
    };
    let defaults = check.settings.defaults();
    let mut verdicts: Vec<_> = documents
        .iter()
        .filter(|document| document.is_server() || document.is_mistyped_server())
        .map(|server| verdict(server, &documents, &defaults))
        .collect();
    refuse_repetitions(&mut verdicts);
    match check.output {
        Output::Table => write::to_stdout(&table(&verdicts)),
        output => write::to_stdout(&structured(&verdicts, output)),
    }
    if verdicts.iter().all(|verdict| verdict.valid) {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(NOT_WELL)
    }
}

/// Of two resources of one name, the second would change the first.
fn refuse_repetitions(verdicts: &mut [Verdict]) {
    for at in 1..verdicts.len() {
        let (earlier, later) = verdicts.split_at_mut(at);
        let Some(verdict) = later.first_mut().filter(|verdict| !verdict.name.is_empty()) else {
            continue;
        };
        let same = earlier
            .iter()
            .find(|earlier| earlier.namespace == verdict.namespace && earlier.name == verdict.name);
        if let Some(same) = same {
            verdict.valid = false;
            verdict.faults.push(format!(
                "metadata.name: {} has a resource of this name already: write another name",
                same.file
            ));
        }
    }
}

fn verdict(document: &Document, documents: &[Document], defaults: &Defaults) -> Verdict {
    let mut faults = match document.mistyping() {
        Some(fault) => vec![fault],
        None => admission::refusals(&document.object),
    };
    let mut not_checked = Vec::new();
    if faults.is_empty() {
        match admission::server(&document.object) {
            Ok(server) => {
                let objects: Vec<_> = documents.iter().map(|document| &document.object).collect();
                let missing = secret_keys::missing(&server, document.namespace(), documents);
                let judged = offline::judge(server, &objects, defaults);
                not_checked = judged.not_checked;
                faults = match judged.objects {
                    Ok(objects) => admission::objects::refusals(&objects),
                    Err(rejections) => rejections,
                };
                faults.extend(missing);
            }
            Err(error) => faults.push(error.to_string()),
        }
    }
    Verdict {
        file: document.file.clone(),
        namespace: document.namespace().to_owned(),
        name: document.name().to_owned(),
        valid: faults.is_empty(),
        faults,
        not_checked,
    }
}

fn table(verdicts: &[Verdict]) -> String {
    let mut lines = Vec::new();
    for Verdict { file, namespace, name, valid, faults, not_checked } in verdicts {
        let verdict = if *valid { "valid" } else { "refused" };
        lines.push(format!("lensesmcpserver {namespace}/{name} ({file}): {verdict}"));
        lines.extend(faults.iter().map(|fault| format!("  fault: {fault}")));
        lines.extend(not_checked.iter().map(|reference| format!("  not checked: {reference}")));
    }
    lines.into_iter().map(|line| line + "\n").collect()
}
