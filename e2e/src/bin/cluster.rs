//! `cluster build|up|down|exec|load`: a Kubernetes of one node on this machine, for the tests, the
//! demo and people.

use std::process::ExitCode;

#[cfg(not(target_os = "linux"))]
fn main() -> ExitCode {
    eprintln!(
        "cluster: a cluster needs Linux, this is {}: run what needs no cluster, `cargo test`",
        std::env::consts::OS
    );
    ExitCode::FAILURE
}

#[cfg(target_os = "linux")]
fn main() -> ExitCode {
    linux::main()
}

#[cfg(target_os = "linux")]
mod linux {
    use std::ffi::OsString;
    use std::os::unix::process::CommandExt as _;
    use std::path::PathBuf;
    use std::process::ExitCode;
    use std::time::Instant;

    use clap::{Args, Parser, Subcommand};
    use lenses_mcp_e2e::cluster::{Cluster, ClusterError, ClusterName, Programs};

    /// A real Kubernetes of one node, in namespaces of its own on this machine.
    #[derive(Parser)]
    #[command(name = "cluster")]
    struct Arguments {
        #[command(subcommand)]
        action: Action,
        /// The cluster's name; clusters of different names live side by side.
        #[arg(long, global = true, default_value_t)]
        name: ClusterName,
    }

    #[derive(Subcommand)]
    enum Action {
        /// Build the programs that a cluster runs, as far as they are missing, and start nothing.
        Build {
            #[command(flatten)]
            what: What,
        },
        /// Start the cluster and return when it is ready; it stays up. Builds and installs what is
        /// missing.
        Up {
            #[command(flatten)]
            what: What,
            /// Start the API server and its store alone: objects are kept, and nothing acts on
            /// them. Names do not resolve.
            #[arg(long, conflicts_with = "test_programs")]
            api_server: bool,
        },
        /// End the cluster and remove every trace of it.
        Down,
        /// Run a command in the cluster's network, with its DNS, KUBECONFIG, kubectl and helm.
        Exec {
            /// The command and its arguments.
            #[arg(required = true, trailing_var_arg = true, allow_hyphen_values = true)]
            command: Vec<OsString>,
        },
        /// Load images (docker-archive) for pods to use; there is no registry.
        Load {
            /// The images' files.
            #[arg(required = true)]
            images: Vec<PathBuf>,
        },
    }

    #[derive(Args)]
    struct What {
        /// Build also what only tests need: Traefik, and definitions of APIs that a cluster may
        /// lack.
        #[arg(long)]
        test_programs: bool,
    }

    impl What {
        fn programs(&self) -> Programs {
            if self.test_programs { Programs::All } else { Programs::Node }
        }
    }

    pub(super) fn main() -> ExitCode {
        let Arguments { action, name } = Arguments::parse();
        match run(action, &name) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                eprintln!("cluster: {error}");
                ExitCode::FAILURE
            }
        }
    }

    fn run(action: Action, name: &ClusterName) -> Result<(), Box<dyn std::error::Error>> {
        let start = Instant::now();
        let say = |line: &str| eprintln!("{:6.1} s  {line}", start.elapsed().as_secs_f64());
        match action {
            Action::Build { what } => {
                Cluster::build(what.programs(), &say)?;
                say("what a cluster runs is built");
            }
            Action::Up { what, api_server } => {
                let cluster = if api_server {
                    Cluster::up_api_server(name, what.programs(), &say)?
                } else {
                    Cluster::up(name, what.programs(), &say)?
                };
                say(&format!(
                    "cluster {name} is up; kubeconfig: {}",
                    cluster.kubeconfig().display()
                ));
            }
            Action::Down => {
                let was_there = Cluster::down(name, &say)?;
                say(&if was_there {
                    format!("cluster {name} is gone")
                } else {
                    format!("cluster {name} was not up")
                });
            }
            Action::Exec { command } => return Err(exec(&Cluster::find(name)?, &command)?.into()),
            Action::Load { images } => {
                let cluster = Cluster::find(name)?;
                for image in images {
                    say(&cluster.load(&image)?);
                }
            }
        }
        Ok(())
    }

    /// Becomes the command, so that its status, its signals and its terminal are its own. Returns
    /// only what went wrong.
    fn exec(cluster: &Cluster, command: &[OsString]) -> Result<String, ClusterError> {
        let Some((program, arguments)) = command.split_first() else {
            return Ok("no command to run".to_owned());
        };
        cluster.enter()?;
        let error = cluster.command(program).args(arguments).exec();
        Ok(format!("failed to run {}: {error}", program.display()))
    }
}
