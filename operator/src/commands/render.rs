//! `render -f FILE`: the objects that a resource would become, made by the operator's own builders.

use std::process::ExitCode;

use clap::Args;
use lenses_mcp_crds::yaml;
use serde_json::{Value, json};

use super::{
    Files, NOT_WELL, ObjectOutput, OperatorSettings, Output, admission, could_not_look, manifests,
    offline, structured, write,
};

/// The arguments of `render`.
#[derive(Args, Clone, Debug)]
pub struct Render {
    #[command(flatten)]
    files: Files,
    #[command(flatten)]
    settings: OperatorSettings,
    /// How the objects are written.
    #[arg(short, long, value_enum, default_value_t = ObjectOutput::Yaml)]
    output: ObjectOutput,
}

/// Runs it: exit status 0 with the objects on standard output and what they rest on on standard error, 1 if a resource would be
/// refused, 2 if a file cannot be read.
#[must_use]
pub fn run(render: Render) -> ExitCode {
    let documents = match manifests::read(&render.files) {
        Ok(documents) => documents,
        Err(error) => return could_not_look(&error),
    };
    let defaults = render.settings.defaults();
    let known: Vec<_> = documents.iter().map(|document| &document.object).collect();
    let (mut objects, mut refused) = (Vec::new(), false);
    for document in documents.iter().filter(|document| document.is_server()) {
        let whole = format!("{}/{}", document.namespace(), document.name());
        let refusals = admission::refusals(&document.object);
        let rendered = if refusals.is_empty() {
            match admission::server(&document.object) {
                Ok(server) => {
                    let judged = offline::judge(server, &known, &defaults);
                    for reference in judged.not_checked {
                        write::to_stderr(format_args!("{whole}: taken to exist: {reference}"));
                    }
                    match judged.guessed.as_slice() {
                        [] => judged.objects,
                        guessed => Err(guessed.to_vec()),
                    }
                }
                Err(error) => Err(vec![error.to_string()]),
            }
        } else {
            Err(refusals)
        };
        match rendered {
            Ok(made) => objects.extend(made),
            Err(faults) => {
                refused = true;
                for fault in faults {
                    write::to_stderr(format_args!("error: {whole}: {fault}"));
                }
            }
        }
    }
    write::to_stdout(&written(&objects, render.output));
    if refused { ExitCode::from(NOT_WELL) } else { ExitCode::SUCCESS }
}

fn written(objects: &[Value], output: ObjectOutput) -> String {
    match output {
        ObjectOutput::Json => structured(
            &json!({ "apiVersion": "v1", "kind": "List", "items": objects }),
            Output::Json,
        ),
        ObjectOutput::Yaml => {
            let documents =
                objects.iter().map(|object| yaml::to_string(object).unwrap_or_default());
            documents.flat_map(|document| ["---\n".to_owned(), document]).collect()
        }
    }
}
