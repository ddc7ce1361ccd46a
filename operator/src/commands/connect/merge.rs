//! Merging a server into the file of a client program: what is there stays.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use serde_json::Value;

use super::ordered_json::Json;

/// What happened to the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Merged {
    Written,
    /// The same server was there.
    Unchanged,
}

/// Why the file was not changed.
#[derive(Debug, thiserror::Error)]
pub(super) enum MergeError {
    #[error("failed to read {path} (--write): {source}")]
    Read { path: String, source: io::Error },
    #[error("failed to write {path} (--write): {source}")]
    Write { path: String, source: io::Error },
    #[error(
        "{path} (--write) is not plain JSON: {source}; a file with comments is not changed: \
         add what `connect` prints without --write"
    )]
    NotJson { path: String, source: serde_json::Error },
    #[error("{path} (--write): {field} is not an object: correct the file")]
    NotAnObject { path: String, field: String },
    #[error(
        "{path} (--write) has another server {name}: remove it there, or give this one another \
         name with --server-name"
    )]
    Taken { path: String, name: String },
}

/// Merges the objects of `content` into those of the file. The server `name` must not be there, or
/// be the same.
pub(super) fn merge(path: &Path, content: &Value, name: &str) -> Result<Merged, MergeError> {
    let shown = path.display().to_string();
    let text = match fs::read_to_string(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
        read => read.map_err(|source| MergeError::Read { path: shown.clone(), source })?,
    };
    let before = if text.trim().is_empty() {
        Json::Object(Vec::new())
    } else {
        serde_json::from_str(&text)
            .map_err(|source| MergeError::NotJson { path: shown.clone(), source })?
    };
    let mut after = before.clone();
    let members = content.as_object().into_iter().flatten();
    for (list, servers) in members {
        merge_member(&mut after, list, servers, name, &shown)?;
    }
    if after == before && !text.is_empty() {
        return Ok(Merged::Unchanged);
    }
    let failed = |source: io::Error| MergeError::Write { path: shown.clone(), source };
    let made = serde_json::to_string_pretty(&after).map_err(|error| failed(error.into()))?;
    replace(path, &(made + "\n")).map_err(failed)?;
    Ok(Merged::Written)
}

/// Puts what `addition` has beside what is at `name`.
fn merge_member(
    file: &mut Json,
    list: &str,
    addition: &Value,
    server: &str,
    path: &str,
) -> Result<(), MergeError> {
    let not_an_object =
        |field: &str| MergeError::NotAnObject { path: path.to_owned(), field: field.to_owned() };
    let Json::Object(members) = file else { return Err(not_an_object("the document")) };
    if !members.iter().any(|(key, _)| key == list) {
        members.push((list.to_owned(), addition.into()));
        return Ok(());
    }
    let there = file.member(list).ok_or_else(|| not_an_object(list))?;
    match (there, addition) {
        (Json::Object(servers), Value::Object(additions)) => {
            for (name, value) in additions {
                match servers.iter().find(|(key, _)| key == name) {
                    None => servers.push((name.clone(), value.into())),
                    Some((_, same)) if Value::from(same) == *value => {}
                    Some(_) => {
                        return Err(MergeError::Taken {
                            path: path.to_owned(),
                            name: server.to_owned(),
                        });
                    }
                }
            }
            Ok(())
        }
        // What VS Code asks for, by its id.
        (Json::Array(items), Value::Array(additions)) => {
            for addition in additions {
                if !items.iter().any(|item| Value::from(item)["id"] == addition["id"]) {
                    items.push(addition.into());
                }
            }
            Ok(())
        }
        _ => Err(not_an_object(list)),
    }
}

/// Replaces the file in one step, so that no reader finds half of it. What a link leads to is
/// replaced, and keeps its permissions.
fn replace(path: &Path, text: &str) -> io::Result<()> {
    let (target, permissions) = match fs::canonicalize(path) {
        Ok(target) => {
            let permissions = fs::metadata(&target)?.permissions();
            (target, Some(permissions))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => (path.to_owned(), None),
        Err(error) => return Err(error),
    };
    let mut name = target.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.tmp", std::process::id()));
    let temporary: PathBuf = target.with_file_name(name);
    let written = fs::write(&temporary, text)
        .and_then(|()| {
            permissions.map_or(Ok(()), |as_before| fs::set_permissions(&temporary, as_before))
        })
        .and_then(|()| fs::rename(&temporary, &target));
    if written.is_err() {
        // It may not have been made.
        let _ = fs::remove_file(&temporary);
    }
    written
}
