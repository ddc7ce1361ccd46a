//! The pause program as an image that containerd can import: a docker-archive of one layer.

use std::fs::File;
use std::io;
use std::path::Path;

use serde_json::json;
use sha2::{Digest, Sha256};

/// The image's name, as containerd's configuration asks for it.
pub(super) const NAME: &str = "localhost/pause:1";

/// Writes the image of `program`, a static executable, to `path`.
pub(super) fn write(program: &[u8], path: &Path) -> io::Result<()> {
    let layer = archive(Vec::new(), &[("pause", 0o755, program)])?;
    let config = json!({
        "architecture": if std::env::consts::ARCH == "aarch64" { "arm64" } else { "amd64" },
        "os": "linux",
        "config": { "Entrypoint": ["/pause"], "User": "65535:65535" },
        "rootfs": {
            "type": "layers", "diff_ids": [format!("sha256:{}", hex(&Sha256::digest(&layer)))]
        },
    })
    .to_string();
    let manifest =
        json!([{ "Config": "config.json", "RepoTags": [NAME], "Layers": ["layer.tar"] }])
            .to_string();
    archive(
        File::create(path)?,
        &[
            ("config.json", 0o644, config.as_bytes()),
            ("layer.tar", 0o644, &layer),
            ("manifest.json", 0o644, manifest.as_bytes()),
        ],
    )?;
    Ok(())
}

fn archive<W: io::Write>(output: W, files: &[(&str, u32, &[u8])]) -> io::Result<W> {
    let mut archive = tar::Builder::new(output);
    for (name, mode, content) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(content.len() as u64);
        header.set_mode(*mode);
        archive.append_data(&mut header, name, *content)?;
    }
    archive.into_inner()
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}
