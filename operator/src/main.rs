//! The operator's program, which `kubectl` also runs as its plugin under the name `kubectl-lmcp`.

fn main() -> std::process::ExitCode {
    lenses_mcp_operator::cli::main()
}
