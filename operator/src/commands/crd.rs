//! `crd`: prints the `CustomResourceDefinition`.

use std::process::ExitCode;

use clap::Args;
use lenses_mcp_crds::schema;

use super::{NOT_WELL, ObjectOutput, Output, structured, write};

/// The arguments of `crd`.
#[derive(Args, Clone, Debug)]
pub struct Crd {
    /// How it is written.
    #[arg(short, long, value_enum, default_value_t = ObjectOutput::Yaml)]
    output: ObjectOutput,
}

/// Runs it.
#[must_use]
pub fn run(crd: &Crd) -> ExitCode {
    let manifest = match crd.output {
        ObjectOutput::Json => Ok(structured(&schema::custom_resource_definition(), Output::Json)),
        ObjectOutput::Yaml => schema::manifest(),
    };
    match manifest {
        Ok(manifest) => {
            write::to_stdout(&manifest);
            ExitCode::SUCCESS
        }
        Err(error) => {
            write::to_stderr(format_args!("error: {error}"));
            ExitCode::from(NOT_WELL)
        }
    }
}
