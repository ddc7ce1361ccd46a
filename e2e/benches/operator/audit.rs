//! The operator's requests, from the API server's audit log.

use std::{
    collections::BTreeMap,
    fmt,
    fs::{self, File},
    io::{BufRead, BufReader},
    path::PathBuf,
};

use lenses_mcp_e2e::bed::{OPERATOR_NAMESPACE, OPERATOR_RELEASE};
use serde::Deserialize;

use crate::api_server::ApiServer;

/// Where the log is.
pub(crate) struct Audit {
    directory: PathBuf,
}

/// How many requests there were, by verb and resource.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts(BTreeMap<String, usize>);

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Entry {
    verb: String,
    user: User,
    object_ref: Option<ObjectRef>,
}

#[derive(Deserialize)]
struct User {
    username: String,
}

#[derive(Deserialize)]
struct ObjectRef {
    resource: String,
    #[serde(default)]
    subresource: String,
}

impl Audit {
    pub(crate) fn of(server: &ApiServer) -> Self {
        Self { directory: server.cluster.audit_log().parent().unwrap().to_owned() }
    }

    /// All but the lease and the watches, so far.
    pub(crate) fn requests(&self) -> Counts {
        let operator = format!("system:serviceaccount:{OPERATOR_NAMESPACE}:{OPERATOR_RELEASE}");
        let mut counts = Counts::default();
        let files = fs::read_dir(&self.directory).unwrap().map(|entry| entry.unwrap().path());
        // One that was full has the time in its name.
        let is_log = |path: &PathBuf| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("audit"));
        for log in files.filter(|path| is_log(path) && path.extension().is_some_and(|kind| kind == "log")) {
            for line in BufReader::new(File::open(log).unwrap()).lines() {
                let line = line.unwrap();
                if !line.contains(&operator) {
                    continue;
                }
                // One that does not parse is being written.
                let Ok(Entry { verb, user, object_ref: Some(object) }) = serde_json::from_str(&line) else { continue };
                if user.username == operator && verb != "watch" && object.resource != "leases" {
                    let resource = [&object.resource[..], &object.subresource].join(" ");
                    *counts.0.entry(format!("{verb} {}", resource.trim_end())).or_default() += 1;
                }
            }
        }
        counts
    }
}

impl Counts {
    pub(crate) fn since(&self, before: &Self) -> Self {
        let less = |(of, count): (&String, &usize)| {
            let new = count - before.0.get(of).unwrap_or(&0);
            (new > 0).then(|| (of.clone(), new))
        };
        Self(self.0.iter().filter_map(less).collect())
    }

    pub(crate) fn writes(&self) -> usize {
        let reads = |of: &str| of.starts_with("get ") || of.starts_with("list ");
        self.0.iter().filter(|(of, _)| !reads(of)).map(|(_, count)| count).sum()
    }

    pub(crate) fn total(&self) -> usize {
        self.0.values().sum()
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let each: Vec<_> = self.0.iter().map(|(of, count)| format!("{of} {count}")).collect();
        f.write_str(&each.join(", "))
    }
}
