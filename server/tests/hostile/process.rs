//! The server's process: how it is started, and what it takes of memory.

use std::{
    fs,
    net::SocketAddr,
    process::Stdio,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use futures::future::join_all;
use serde_json::Value;
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
};

use crate::{client::Caller, confinement::Confinement, hq::Hq};

/// What the server may take, in KiB, files that it maps left out.
const PEAK: u64 = 64 << 10;
/// What may stay of an attack, in KiB.
const KEPT: u64 = 8 << 10;
/// A call of ordinary length.
const ORDINARY: &str = concat!(
    r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"get_topic","#,
    r#""arguments":{"environment":"dev","topic_name":"TEXT"}}}"#,
);
/// How often sixteen callers make it before the attack.
const WARM_UP: usize = 10;
/// How long the allocator and the server's tasks have to give memory back.
const PATIENCE: Duration = Duration::from_secs(30);

static ALONE: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());

/// A running server with sign-in at an HQ that knows every token.
pub(crate) struct Server {
    /// An attack measures this machine: no two at a time.
    _alone: tokio::sync::MutexGuard<'static, ()>,
    process: Child,
    confinement: Option<Confinement>,
    pub(crate) endpoint: SocketAddr,
    pub(crate) admin: SocketAddr,
    log: Arc<Mutex<Vec<String>>>,
    /// Memory before the attack, in KiB.
    before: u64,
}

impl Server {
    pub(crate) async fn start(hq: &Hq, settings: &[(&str, &str)]) -> Self {
        let alone = ALONE.lock().await;
        let confinement = Confinement::new();
        let binary = env!("CARGO_BIN_EXE_lenses-mcp-server");
        let mut command = match &confinement {
            Some(confinement) => {
                // The process itself goes into the group, before it is the server.
                let mut command = Command::new("/bin/sh");
                let script = r#"echo $$ > "$1" && exec "$2""#;
                command.args(["-c", script, "sh"]).arg(confinement.processes()).arg(binary);
                command
            }
            None => Command::new(binary),
        };
        let mut process = command
            .env_clear()
            .current_dir(env!("CARGO_TARGET_TMPDIR"))
            .envs([
                ("TRANSPORT", "http"),
                ("HOST", "127.0.0.1"),
                ("PORT", "0"),
                ("ADMIN_HOST", "127.0.0.1"),
                ("ADMIN_PORT", "0"),
                ("LOG_FORMAT", "json"),
                ("OAUTH_ENABLED", "true"),
                ("LENSES_URL", &hq.url),
                ("LENSES_ADVERTISED_URL", "https://lenses.example.com"),
                ("MCP_ADVERTISED_URL", "https://mcp.example.com"),
                ("MCP_CALLS_PER_MINUTE_PER_USER", "0"),
                // What it would read from a control group of version 2 or of its own container.
                ("MCP_MEMORY_BUDGET_BYTES", "16777216"),
            ])
            .envs(settings.iter().copied())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(process.stderr.take().unwrap()).lines();
        let mut listening = Vec::new();
        while listening.len() < 2 {
            let line = lines.next_line().await.unwrap().unwrap();
            let line: Value = serde_json::from_str(&line).unwrap();
            if line["message"] == "listening" {
                listening.push(line["address"].as_str().unwrap().parse().unwrap());
            }
        }
        let log = Arc::new(Mutex::new(Vec::new()));
        tokio::spawn({
            let log = Arc::clone(&log);
            async move {
                while let Ok(Some(line)) = lines.next_line().await {
                    log.lock().unwrap().push(line);
                }
            }
        });
        let (endpoint, admin) = (listening[0], listening[1]);
        let mut server =
            Self { _alone: alone, process, confinement, endpoint, admin, log, before: 0 };
        server.before = server.memory("RssAnon");
        server
    }

    /// Lines of its log so far.
    pub(crate) fn log(&self) -> Vec<String> {
        self.log.lock().unwrap().clone()
    }

    /// Takes what the server has after ordinary use for its memory before the attack. Until then
    /// the allocator makes a heap for each thread.
    pub(crate) async fn remember_memory(&mut self) {
        let body = ORDINARY.replace("TEXT", &"x".repeat(64 << 10));
        for _ in 0..WARM_UP {
            let calls = (0..16).map(|number| {
                let (server, body) = (&*self, body.clone().into());
                async move { Caller::number(number).post(server, body).await }
            });
            join_all(calls).await.iter().for_each(|reply| reply.assert_answers(&[200]));
        }
        self.before = self.memory("RssAnon");
        // Peaks so far are forgotten.
        fs::write(format!("/proc/{}/clear_refs", self.process.id().unwrap()), "5").unwrap();
    }

    /// Asserts that the server lives, that its peak was within bounds and that memory comes back.
    pub(crate) async fn assert_memory(&mut self) {
        assert_eq!(self.process.try_wait().unwrap(), None, "the server has ended");
        if let Some(confinement) = &self.confinement {
            assert_eq!(confinement.ended(), 0);
            println!("held by a control group of 64 MiB");
        } else {
            println!("no control group could be made: the peak is measured instead");
        }
        let (file, peak) = (self.memory("RssFile"), self.memory("VmHWM"));
        let grown = peak.saturating_sub(file + self.before);
        println!("before {} KiB, peak {grown} KiB more", self.before);
        assert!(self.before + grown <= PEAK, "from {} KiB, {grown} KiB more", self.before);
        let deadline = Instant::now() + PATIENCE;
        let mut now = self.memory("RssAnon");
        while now > self.before + KEPT {
            assert!(Instant::now() < deadline, "from {} to {now} KiB", self.before);
            tokio::time::sleep(Duration::from_millis(50)).await;
            now = self.memory("RssAnon");
        }
        println!("after {now} KiB");
    }

    /// A line of `/proc/PID/status`, in KiB.
    fn memory(&self, name: &str) -> u64 {
        let status =
            fs::read_to_string(format!("/proc/{}/status", self.process.id().unwrap())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
        line.unwrap().trim().trim_end_matches(" kB").parse().unwrap()
    }
}
