//! Where audit lines go.

use std::path::PathBuf;

use super::{
    SettingsError, Transport,
    reader::{Invalid, Reader},
    variable as var,
};

/// Where audit lines go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AuditOutput {
    /// Standard output.
    Stdout,
    /// The file at this absolute path, which is appended to.
    File(PathBuf),
    /// Nowhere.
    Off,
}

pub(super) fn read(
    reader: &mut Reader<'_>,
    transport: Option<&Transport>,
) -> Result<AuditOutput, Invalid> {
    let is_stdio = matches!(transport, Some(Transport::Stdio { .. }));
    match reader.optional(&var::MCP_AUDIT, parse)? {
        Some(AuditOutput::Stdout) if is_stdio => Err(reader.fault(SettingsError::Invalid {
            variable: var::MCP_AUDIT.name,
            found: "stdout".to_owned(),
            remedy: "over stdio, standard output is the protocol: write file:/path or off"
                .to_owned(),
        })),
        Some(output) => Ok(output),
        None if is_stdio => {
            reader.derived(&var::MCP_AUDIT, "off");
            Ok(AuditOutput::Off)
        }
        None => {
            reader.derived(&var::MCP_AUDIT, "stdout");
            Ok(AuditOutput::Stdout)
        }
    }
}

fn parse(text: &str) -> Result<AuditOutput, String> {
    match text {
        "stdout" => Ok(AuditOutput::Stdout),
        "off" => Ok(AuditOutput::Off),
        _ => match text.strip_prefix("file:").map(PathBuf::from) {
            Some(path) if path.is_absolute() && path.file_name().is_some() => {
                Ok(AuditOutput::File(path))
            }
            Some(_) => Err("write an absolute path after file:, such as \
                            file:/var/log/lenses-mcp/audit.jsonl"
                .to_owned()),
            None => Err("write stdout, off or file:/path".to_owned()),
        },
    }
}
