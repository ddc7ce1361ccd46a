//! The processes that are measured, each on the first core alone.

use std::{
    fs,
    io::{self, BufRead, BufReader},
    net::SocketAddr,
    path::Path,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use serde_json::Value;

use crate::{echo, hq::Hq};

/// A running server.
pub(crate) struct Process {
    child: Child,
    /// Where it listens.
    pub(crate) endpoint: SocketAddr,
    /// How long that took.
    pub(crate) started_in: Duration,
}

impl Process {
    /// The server as it ships, with OAuth and the introspection cache.
    pub(crate) fn server(hq: &Hq) -> Self {
        let mut command = pinned(env!("CARGO_BIN_EXE_lenses-mcp-server"));
        command
            .envs([("OAUTH_ENABLED", "true"), ("MCP_ADVERTISED_URL", "http://localhost")])
            .envs([
                ("HOST", "127.0.0.1"),
                ("PORT", "0"),
                ("ADMIN_HOST", "127.0.0.1"),
                ("ADMIN_PORT", "0"),
            ])
            .envs([("LOG_FORMAT", "json"), ("INTROSPECTION_CACHE_TTL", "60s")])
            // The most that can be set: the limit is looked at, and not reached.
            .env("MCP_CALLS_PER_MINUTE_PER_USER", "1000000")
            .env("MCP_CONNECTIONS_PER_ADDRESS", "1000")
            .envs(hq.settings());
        Self::start(command)
    }

    /// The bare one.
    pub(crate) fn echo() -> Self {
        let mut command = pinned(std::env::current_exe().unwrap());
        command.env(echo::ROLE, "1");
        Self::start(command)
    }

    fn start(mut command: Command) -> Self {
        let started = Instant::now();
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        // As a log collector does: what is not read is dropped, and would cost nothing.
        let mut audit = child.stdout.take().unwrap();
        thread::spawn(move || io::copy(&mut audit, &mut io::sink()));
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let address = lines.by_ref().map(Result::unwrap).find_map(|line| {
            let line: Value = serde_json::from_str(&line).ok()?;
            (line["message"] == "listening")
                .then(|| line["address"].as_str().unwrap().parse().unwrap())
        });
        let started_in = started.elapsed();
        // The log goes on being read, or the server would wait on a full pipe.
        thread::spawn(move || lines.for_each(drop));
        Self { child, endpoint: address.unwrap(), started_in }
    }

    /// A line of `/proc/PID/status`, in KiB.
    pub(crate) fn memory(&self, name: &str) -> u64 {
        let status = fs::read_to_string(self.proc("status")).unwrap();
        let line =
            status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':')).unwrap();
        line.trim().trim_end_matches(" kB").parse().unwrap()
    }

    /// Lets `VmHWM` begin anew.
    pub(crate) fn forget_peak(&self) {
        fs::write(self.proc("clear_refs"), "5").unwrap();
    }

    /// The processor time of all its threads so far, their own and the kernel's for them.
    pub(crate) fn cpu_time(&self) -> Duration {
        let threads = fs::read_dir(self.proc("task")).unwrap();
        // The first field, in nanoseconds: `/proc/PID/stat` counts in hundredths of a second.
        let of_thread = |thread: fs::DirEntry| {
            let schedstat = fs::read_to_string(thread.path().join("schedstat")).unwrap();
            schedstat.split_whitespace().next().unwrap().parse::<u64>().unwrap()
        };
        Duration::from_nanos(threads.map(|thread| of_thread(thread.unwrap())).sum())
    }

    fn proc(&self, file: &str) -> String {
        format!("/proc/{}/{file}", self.child.id())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ended_already = self.child.kill();
        let _ended_already = self.child.wait();
    }
}

/// Keeps this process off the core that the servers have to themselves, where there is another.
pub(crate) fn leave_the_first_core() {
    let cores = thread::available_parallelism().unwrap().get();
    if cores > 1 {
        let mut taskset = Command::new("taskset");
        taskset.args([
            "--all-tasks",
            "--cpu-list",
            "--pid",
            &format!("1-{}", cores - 1),
            &std::process::id().to_string(),
        ]);
        assert!(taskset.stdout(Stdio::null()).status().unwrap().success());
    }
}

/// `taskset` becomes the program, so that the process is the program's.
fn pinned(program: impl AsRef<Path>) -> Command {
    let mut command = Command::new("taskset");
    command.args(["--cpu-list", "0"]).arg(program.as_ref()).env_clear();
    command
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .current_dir(env!("CARGO_TARGET_TMPDIR"));
    command
}
