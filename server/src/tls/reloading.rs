//! A value made from files, made again when they change.

use std::{
    fmt, fs,
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError, RwLock, Weak},
    time::Duration,
};

use sha2::{Digest, Sha256};
use tokio::time::{MissedTickBehavior, interval};

use super::{MaterialError, Reload, TlsError, TlsFiles, TlsMetrics};

/// How often the files are looked at. They are small, and Kubernetes itself takes a minute to bring
/// a change.
const PERIOD: Duration = Duration::from_secs(5);

type Make<T> = dyn Fn(&[String]) -> Result<T, MaterialError> + Send + Sync;

/// A value made from the texts of `files`, in their order.
pub(crate) struct Reloading<T> {
    kind: TlsFiles,
    files: Vec<PathBuf>,
    make: Box<Make<T>>,
    current: RwLock<Arc<T>>,
    /// What the files held when they were last looked at; `None` when one could not be read.
    seen: Mutex<Option<[u8; 32]>>,
}

impl<T: Send + Sync + 'static> Reloading<T> {
    /// Reads the files and makes the first value.
    ///
    /// # Errors
    ///
    /// [`TlsError`], which names the files.
    pub(crate) fn load(
        kind: TlsFiles,
        files: Vec<PathBuf>,
        make: impl Fn(&[String]) -> Result<T, MaterialError> + Send + Sync + 'static,
    ) -> Result<Arc<Self>, TlsError> {
        let texts = read(&files)?;
        let current =
            make(&texts).map_err(|source| TlsError::Material { files: files.clone(), source })?;
        let (current, seen) = (RwLock::new(Arc::new(current)), Mutex::new(Some(digest(&texts))));
        Ok(Arc::new(Self { kind, files, make: Box::new(make), current, seen }))
    }

    /// The value that is in effect now.
    pub(crate) fn current(&self) -> Arc<T> {
        self.current.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Follows the files for as long as the value is used. Where there are no files, nothing is
    /// done.
    pub(crate) fn follow(self: &Arc<Self>, metrics: Arc<TlsMetrics>) {
        if !self.files.is_empty() {
            tokio::spawn(follow(Arc::downgrade(self), metrics));
        }
    }

    /// Makes the value again if the files are others than they were.
    fn refresh(&self, metrics: &TlsMetrics) {
        let read = read(&self.files);
        let digest = read.as_deref().ok().map(digest);
        {
            let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
            if *seen == digest {
                return;
            }
            *seen = digest;
        }
        let made = read.and_then(|texts| {
            (self.make)(&texts)
                .map_err(|source| TlsError::Material { files: self.files.clone(), source })
        });
        match made {
            Ok(made) => {
                *self.current.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(made);
                metrics.tls_reloaded(self.kind, Reload::Success);
                tracing::info!(files = ?self.files, "TLS files changed; new connections use them");
            }
            Err(error) => {
                metrics.tls_reloaded(self.kind, Reload::Failure);
                tracing::error!(
                    %error, "TLS files changed and can't be used; those from before stay in use"
                );
            }
        }
    }
}

impl<T> fmt::Debug for Reloading<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reloading").field("files", &self.files).finish_non_exhaustive()
    }
}

async fn follow<T: Send + Sync + 'static>(value: Weak<Reloading<T>>, metrics: Arc<TlsMetrics>) {
    let mut ticks = interval(PERIOD);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let Some(value) = value.upgrade() else { return };
        let metrics = metrics.clone();
        // Reading may wait on a disk. It fails only when the runtime is going away.
        let _stopping = tokio::task::spawn_blocking(move || value.refresh(&metrics)).await;
    }
}

fn read(files: &[PathBuf]) -> Result<Vec<String>, TlsError> {
    let read = |path: &PathBuf| {
        fs::read_to_string(path).map_err(|source| TlsError::Read { path: path.clone(), source })
    };
    files.iter().map(read).collect()
}

fn digest(texts: &[String]) -> [u8; 32] {
    let mut digest = Sha256::new();
    for text in texts {
        digest.update(text.len().to_be_bytes());
        digest.update(text);
    }
    digest.finalize().into()
}

#[cfg(test)]
mod tests {
    use prometheus_client::registry::Registry;

    use super::*;

    fn upper_case(texts: &[String]) -> Result<String, MaterialError> {
        if texts.iter().any(String::is_empty) {
            Err(MaterialError::Key)
        } else {
            Ok(texts.concat().to_uppercase())
        }
    }

    #[test]
    fn follows_swapped_links_and_keeps_the_last_good_files() {
        let folder = std::env::temp_dir().join(format!("reloading-{}", uuid::Uuid::new_v4()));
        // As Kubernetes mounts a Secret: the file is a link into a folder that is swapped as a
        // whole.
        let write = |version: &str, text: &str| {
            fs::create_dir_all(folder.join(version)).unwrap();
            fs::write(folder.join(version).join("a"), text).unwrap();
            std::os::unix::fs::symlink(version, folder.join("new")).unwrap();
            fs::rename(folder.join("new"), folder.join("data")).unwrap();
        };
        write("1", "one");
        let file = folder.join("data/a");
        let mut registry = Registry::with_prefix("lenses_mcp");
        let metrics = TlsMetrics::new(&mut registry);
        let value = Reloading::load(TlsFiles::Listener, vec![file.clone()], upper_case).unwrap();
        let count = |outcome| {
            let mut text = String::new();
            prometheus_client::encoding::text::encode(&mut text, &registry).unwrap();
            let line =
                format!(r#"lenses_mcp_tls_reloads_total{{files="listener",outcome="{outcome}"}} "#);
            text.lines().find_map(|found| found.strip_prefix(&line)?.parse::<u64>().ok())
        };
        for (version, text, expected, successes, failures) in [
            ("2", "one", "ONE", 0, 0),
            ("3", "two", "TWO", 1, 0),
            ("4", "", "TWO", 1, 1),
            ("5", "", "TWO", 1, 1),
            ("6", "three", "THREE", 2, 1),
        ] {
            write(version, text);
            value.refresh(&metrics);
            assert_eq!(value.current().as_str(), expected, "{version}");
            assert_eq!(
                (count("success"), count("failure")),
                (Some(successes), Some(failures)),
                "{version}"
            );
        }
        fs::remove_file(folder.join("data")).unwrap();
        value.refresh(&metrics);
        value.refresh(&metrics);
        assert_eq!((value.current().as_str(), count("failure")), ("THREE", Some(2)));
        fs::remove_dir_all(&folder).unwrap();

        let error = Reloading::load(TlsFiles::Listener, vec![file.clone()], upper_case)
            .unwrap_err()
            .to_string();
        assert!(error.starts_with(&format!("failed to read {file:?}")), "{error}");
    }
}
