//! `make demo`: the whole product on a real Kubernetes, from nothing to an AI client's tool calls,
//! told step by step.

use std::process::ExitCode;

#[cfg(not(target_os = "linux"))]
fn main() -> ExitCode {
    eprintln!("demo: the demo's Kubernetes needs Linux, this is {}", std::env::consts::OS);
    ExitCode::FAILURE
}

#[cfg(target_os = "linux")]
fn main() -> ExitCode {
    linux::main()
}

#[cfg(target_os = "linux")]
mod linux {
    use std::{io::IsTerminal, path::PathBuf, process::ExitCode};

    use clap::Parser;
    use lenses_mcp_e2e::demo::kubernetes;

    /// Starts Kubernetes, Lenses HQ, the operator and an MCP server, signs in and calls tools.
    #[derive(Debug, Parser)]
    #[command(name = "demo", version)]
    struct Arguments {
        /// Where `make images` put the image archives
        #[arg(long, default_value = "target/images/fast", value_name = "DIRECTORY")]
        images: PathBuf,
        /// Name of the cluster
        #[arg(long, default_value = "demo")]
        name: String,
    }

    #[tokio::main]
    pub(super) async fn main() -> ExitCode {
        let Arguments { images, name } = Arguments::parse();
        // Somebody at a terminal wants to try it; a script wants to know that it works.
        match kubernetes::run(&images, &name, std::io::stdin().is_terminal()).await {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                eprintln!("demo: {error}");
                ExitCode::FAILURE
            }
        }
    }
}
