//! How much memory this process may use: the limit of its control group.

use std::path::{Path, PathBuf};

/// Files that hold the limit: of version 2 for a process that sees its own group as the root, as in
/// a container, and of version 1.
const LIMITS: [&str; 2] =
    ["/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"];

/// The limit in bytes; none if there is none, or if it can't be read.
#[must_use]
pub fn memory_limit() -> Option<u64> {
    let own = std::fs::read_to_string("/proc/self/cgroup").ok();
    let own = own.as_deref().and_then(own_group).map(|group| group.join("memory.max"));
    let files = own.into_iter().chain(LIMITS.map(PathBuf::from));
    files.filter_map(|file| parse(&std::fs::read_to_string(file).ok()?)).min()
}

/// The process's own group of version 2, from `/proc/self/cgroup`: a line `0::/path`.
fn own_group(text: &str) -> Option<PathBuf> {
    let path = text.lines().find_map(|line| line.strip_prefix("0::/"))?;
    Some(Path::new("/sys/fs/cgroup").join(path))
}

/// The content of a limit file: a number of bytes, or `max`. Version 1 writes a number near 2^63
/// for "none".
fn parse(text: &str) -> Option<u64> {
    let bytes: u64 = text.trim().parse().ok()?;
    (bytes < 1 << 60).then_some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_is_a_number_that_is_not_the_kernels_word_for_none() {
        for (text, expected) in [
            ("67108864\n", Some(64 << 20)),
            ("max\n", None),
            ("9223372036854771712\n", None),
            ("", None),
            ("-1", None),
        ] {
            assert_eq!(parse(text), expected, "{text:?}");
        }
    }

    #[test]
    fn the_own_group_is_the_one_of_version_2() {
        let text = "12:memory:/old\n0::/kubepods/pod1\n";
        assert_eq!(own_group(text), Some(PathBuf::from("/sys/fs/cgroup/kubepods/pod1")));
        assert_eq!(own_group("12:memory:/old\n"), None);
    }
}
