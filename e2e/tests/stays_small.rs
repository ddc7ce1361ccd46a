//! What idle processes hold in memory, of the images that the cluster runs.
//!
//! Most of what is resident is the program itself, and its size depends on the profile. So the
//! limit of resident memory holds for the release profile, and a limit of what is allocated for
//! each profile.

use std::{collections::BTreeMap, fs, path::Path};

use lenses_mcp_e2e::bed::{Trouble, prove};

const MIB: u64 = 1 << 20;

#[tokio::test]
async fn idle_allocations_are_at_most_4_mib_server_and_12_mib_operator() {
    hold_idle("RssAnon", 4, 12).await;
}

#[tokio::test]
#[ignore = "of the release profile: `PROFILE=release make test` runs it"]
async fn idle_memory_is_at_most_15_mib_server_and_25_mib_operator() {
    hold_idle("VmRSS", 15, 25).await;
}

/// Holds an idle server and the operator to limits, in MiB, of a `figure` in `/proc/PID/status`.
async fn hold_idle(figure: &'static str, server: u64, operator: u64) {
    prove(|bed| async move {
        let hq = bed.hq().await?;
        bed.apply_until_ready(&bed.oauth_server("mcp", &hq)).await?;
        let memory = least_memory(figure)?;
        for (program, limit) in [("lenses-mcp-server", server), ("lenses-mcp-operator", operator)] {
            let held =
                memory.get(program).ok_or_else(|| format!("{program} does not run: {memory:?}"))?;
            println!("{program}: {figure} {:.1} MiB", mib(*held));
            assert!(*held <= limit * MIB, "{program}: {figure} {:.1} MiB of {limit}", mib(*held));
        }
        Ok(())
    })
    .await;
}

/// The least `figure`, in bytes, of all processes of a program, by the program's name. Of several
/// servers the least is the idle one.
fn least_memory(figure: &str) -> Result<BTreeMap<String, u64>, Trouble> {
    let mut memory = BTreeMap::new();
    for process in fs::read_dir("/proc")?.flatten() {
        let program = fs::read_link(process.path().join("exe")).ok();
        let program = program
            .as_deref()
            .and_then(Path::file_name)
            .map(|name| name.to_string_lossy().into_owned());
        let status = fs::read_to_string(process.path().join("status")).unwrap_or_default();
        let held = status.lines().find_map(|line| {
            let held = line.strip_prefix(figure)?.strip_prefix(':')?;
            held.trim().strip_suffix(" kB")?.parse::<u64>().ok()
        });
        if let (Some(program), Some(held)) = (program, held) {
            let least = memory.entry(program).or_insert(u64::MAX);
            *least = (*least).min(held * 1024);
        }
    }
    Ok(memory)
}

#[expect(clippy::cast_precision_loss, reason = "for a person to read")]
fn mib(bytes: u64) -> f64 {
    bytes as f64 / MIB as f64
}
