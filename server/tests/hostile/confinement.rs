//! The memory that the server has: 64 MiB, held by the kernel if this machine lets tests make a
//! control group.

use std::{
    fs,
    path::{Path, PathBuf},
    process::id,
    sync::atomic::{AtomicUsize, Ordering},
};

const LIMIT: u64 = 64 << 20;

/// A control group of its own for one server.
pub(crate) struct Confinement {
    group: PathBuf,
    /// The file that counts processes that the kernel ended, and the line's name in it.
    ended: &'static str,
}

impl Confinement {
    /// Makes a control group, of version 2 or 1.
    pub(crate) fn new() -> Option<Self> {
        static MADE: AtomicUsize = AtomicUsize::new(0);
        let number = MADE.fetch_add(1, Ordering::Relaxed);
        let name = format!("lenses-mcp-hostile-{}-{number}", id());
        let own = fs::read_to_string("/proc/self/cgroup").ok()?;
        let own_of =
            |mark: &str| own.lines().find_map(|line| line.split_once(mark)).map(|own| own.1);
        let candidates = [
            (Path::new("/sys/fs/cgroup"), own_of("0::/"), "memory.max", "memory.events"),
            (
                Path::new("/sys/fs/cgroup/memory"),
                own_of(":memory:/"),
                "memory.limit_in_bytes",
                "memory.oom_control",
            ),
        ];
        candidates.into_iter().find_map(|(root, own, limit, ended)| {
            let group = root.join(own?).join(&name);
            fs::create_dir(&group).ok()?;
            let confinement = Self { group, ended };
            // Without a controller of memory it is only a folder.
            confinement.group.join(ended).exists().then_some(())?;
            fs::write(confinement.group.join(limit), LIMIT.to_string()).ok()?;
            Some(confinement)
        })
    }

    /// Where a process is put into it.
    pub(crate) fn processes(&self) -> PathBuf {
        self.group.join("cgroup.procs")
    }

    /// How many processes the kernel ended because the group had no memory left.
    pub(crate) fn ended(&self) -> u64 {
        let counts = fs::read_to_string(self.group.join(self.ended)).unwrap();
        let count = counts.lines().find_map(|line| line.strip_prefix("oom_kill "));
        count.unwrap_or_else(|| panic!("no oom_kill in {counts}")).parse().unwrap()
    }
}

impl Drop for Confinement {
    fn drop(&mut self) {
        // Its process has ended. A group that stays is empty, and no fault of the test.
        let _removed = fs::remove_dir(&self.group);
    }
}
