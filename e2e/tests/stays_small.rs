//! The figures that the project promises for size, measured on the images and processes that ship.

use std::{collections::BTreeMap, fs, path::Path};

use lenses_mcp_e2e::bed::{Trouble, prove};

const MIB: u64 = 1 << 20;

#[tokio::test]
async fn an_idle_server_holds_at_most_15_mib_and_an_idle_operator_25() {
    prove(|bed| async move {
        let hq = bed.hq().await?;
        bed.apply_until_ready(&bed.oauth_server("mcp", &hq)).await?;
        let memory = resident_memory()?;
        for (program, limit) in [("lenses-mcp-server", 15), ("lenses-mcp-operator", 25)] {
            let resident =
                memory.get(program).ok_or_else(|| format!("{program} does not run: {memory:?}"))?;
            println!("{program}: {:.1} MiB resident", mib(*resident));
            assert!(*resident <= limit * MIB, "{program}: {:.1} MiB of {limit}", mib(*resident));
        }
        Ok(())
    })
    .await;
}

#[test]
fn the_server_image_is_at_most_15_mib() -> Result<(), Trouble> {
    let archive =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/images/lenses-mcp-server.tar");
    let size = fs::metadata(&archive)
        .map_err(|error| format!("{}: {error}; run `make images`", archive.display()))?
        .len();
    println!("server image: {:.1} MiB", mib(size));
    assert!(size <= 15 * MIB, "{:.1} MiB", mib(size));
    Ok(())
}

/// The least resident memory, in bytes, of all processes of a program, by the program's name. Of several servers the least is the idle one.
fn resident_memory() -> Result<BTreeMap<String, u64>, Trouble> {
    let mut memory = BTreeMap::new();
    for process in fs::read_dir("/proc")?.flatten() {
        let program = fs::read_link(process.path().join("exe")).ok();
        let program = program
            .as_deref()
            .and_then(Path::file_name)
            .map(|name| name.to_string_lossy().into_owned());
        let status = fs::read_to_string(process.path().join("status")).unwrap_or_default();
        let resident = status.lines().find_map(|line| {
            line.strip_prefix("VmRSS:")?.trim().strip_suffix(" kB")?.parse::<u64>().ok()
        });
        if let (Some(program), Some(resident)) = (program, resident) {
            let least = memory.entry(program).or_insert(u64::MAX);
            *least = (*least).min(resident * 1024);
        }
    }
    Ok(memory)
}

#[expect(clippy::cast_precision_loss, reason = "for a person to read")]
fn mib(bytes: u64) -> f64 {
    bytes as f64 / MIB as f64
}
