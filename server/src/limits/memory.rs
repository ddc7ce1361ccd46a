//! How much memory this process may use: the limit of its control group.

use std::path::{Path, PathBuf};

/// Files that hold the limit: of version 2 for a process that sees its own group as the root, as in
/// a container, and of version 1.
const LIMITS: [&str; 2] =
    ["/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"];

/// The limit in bytes; none if there is none, or if it can't be read.
#[must_use]
pub fn memory_limit() -> Option<u64> {
    let own = std::fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
    let files = own_limits(&own).chain(LIMITS.map(PathBuf::from));
    files.filter_map(|file| parse(&std::fs::read_to_string(file).ok()?)).min()
}

/// The files of the process's own groups, from `/proc/self/cgroup`: a line `0::/path` of version 2,
/// and one `12:memory:/path` of version 1, which may name more controllers.
fn own_limits(text: &str) -> impl Iterator<Item = PathBuf> {
    text.lines().filter_map(|line| {
        let mut fields = line.splitn(3, ':').skip(1);
        let (controllers, path) = (fields.next()?, fields.next()?.strip_prefix('/')?);
        let (root, file) = match controllers {
            "" => ("/sys/fs/cgroup", "memory.max"),
            _ if controllers.split(',').any(|controller| controller == "memory") => {
                ("/sys/fs/cgroup/memory", "memory.limit_in_bytes")
            }
            _ => return None,
        };
        Some(Path::new(root).join(path).join(file))
    })
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
    fn a_limit_is_a_number_other_than_the_kernels_unlimited_value() {
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
    fn the_own_groups_of_both_versions_are_found() {
        let found = |text| {
            own_limits(text).map(|file| file.to_str().unwrap().to_owned()).collect::<Vec<_>>()
        };
        let version_1 = "/sys/fs/cgroup/memory/kubepods/pod1/memory.limit_in_bytes";
        assert_eq!(
            found("13:cpu,cpuacct:/other\n12:memory:/kubepods/pod1\n0::/kubepods/pod1\n"),
            [version_1, "/sys/fs/cgroup/kubepods/pod1/memory.max"]
        );
        assert_eq!(found("4:hugetlb,memory:/kubepods/pod1\n"), [version_1]);
        assert_eq!(found("0::/\n"), ["/sys/fs/cgroup/memory.max"]);
        assert!(found("").is_empty() && found("nothing\n5:memory\n3:memoryless:/a\n").is_empty());
    }
}
