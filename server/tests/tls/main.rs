//! TLS on both sides: what this server shows to its clients, and what it trusts in Lenses HQ, over
//! loopback with certificates made for the test.

#![expect(clippy::panic, reason = "a test that fails says so by panicking")]
#![expect(clippy::unwrap_used, reason = "a test that fails says so by panicking")]

mod authority;
mod lenses;
mod listener;

use std::{
    path::PathBuf,
    time::{Duration, Instant},
};

/// Asks until `condition` holds.
async fn until<F: Future<Output = bool>>(what: &str, mut condition: impl FnMut() -> F) {
    let deadline = Instant::now() + Duration::from_mins(1);
    while !condition().await {
        assert!(Instant::now() < deadline, "{what} did not happen");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// A folder of this test's own, gone with it.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        let path =
            PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(uuid::Uuid::new_v4().to_string());
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    /// Writes a file as a whole, in place of the one that was there.
    fn write(&self, name: &str, text: &str) -> PathBuf {
        let (new, path) = (self.0.join("new"), self.0.join(name));
        std::fs::write(&new, text).unwrap();
        std::fs::rename(&new, &path).unwrap();
        path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _best_effort = std::fs::remove_dir_all(&self.0);
    }
}
