//! Layers: the modules of a folder have no import cycle, so that each can be read with only what
//! is below it.

#![expect(clippy::unwrap_used, reason = "a test that fails says so by panicking")]

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
    sync::LazyLock,
};

use regex::Regex;

static LEFT_OUT: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"//[^\n]*|#\[cfg\(test\)\]\nmod [a-z_]+ \{(?s:.*)").unwrap());
static START: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"\b(crate|super|self)::").unwrap());
static TOKEN: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"[A-Za-z0-9_]+|::|\S").unwrap());

/// Each module with the text of its file.
type Sources = BTreeMap<Vec<String>, String>;
/// Each module with what it imports.
type Imports = BTreeMap<Vec<String>, BTreeSet<Vec<String>>>;

const CRATES: [&str; 3] = ["server", "operator", "e2e"];

#[test]
fn modules_have_no_import_cycle() {
    for name in CRATES {
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(name).join("src");
        let mut sources = Sources::new();
        read(&source, &[], &mut sources);
        assert_eq!(cyclic(&sources), [""; 0], "in {name}");
    }
}

#[test]
fn a_cycle_through_use_trees_and_inline_paths_is_found() {
    let source = |(module, text): (&str, &str)| {
        (module.split("::").map(str::to_owned).collect(), text.to_owned())
    };
    let sources = [
        ("a", "use crate::{b::{self, C}, d};"),
        ("b::c", "fn f() -> crate::d::D {}"),
        ("d", "use super::a::A;"),
        ("d::e", "pub(in crate::d) use super::{super::f, g};"),
        ("f", ""),
    ];
    let mut sources: Sources = sources.into_iter().map(source).collect();
    sources.insert(vec!["b".to_owned()], String::new());
    assert_eq!(cyclic(&sources), ["a", "b", "d"]);
}

/// The modules that import themselves through others.
fn cyclic(sources: &Sources) -> Vec<String> {
    let imports = imports(sources);
    let cyclic = imports.keys().filter(|module| reaches(&imports, module, module));
    cyclic.map(|module| module.join("::")).collect()
}

/// Reads the modules below `folder`, which belongs to the module `parent`. Tests may use what they
/// like.
fn read(folder: &Path, parent: &[String], sources: &mut Sources) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        if name == "tests" {
            continue;
        }
        let module = [parent, &[name]].concat();
        if path.is_dir() {
            read(&path, &module, sources);
        } else {
            let text = fs::read_to_string(path).unwrap();
            sources.insert(module, LEFT_OUT.replace_all(&text, "").into_owned());
        }
    }
}

/// An import counts for the two modules of the same folder that the importing and the imported
/// module are in.
fn imports(sources: &Sources) -> Imports {
    let mut imports = Imports::new();
    for (importing, text) in sources {
        for imported in paths(importing, text) {
            let both = importing.iter().zip(&imported).take_while(|(one, other)| one == other);
            let depth = both.count() + 1;
            if let (Some(one), Some(other)) = (importing.get(..depth), imported.get(..depth))
                && sources.contains_key(other)
            {
                imports.entry(one.to_vec()).or_default().insert(other.to_vec());
            }
        }
    }
    imports
}

/// The paths from `crate`, `super` or `self` in the text of `module`: one for each branch of a
/// `use`.
fn paths(module: &[String], text: &str) -> Vec<Vec<String>> {
    let mut paths = Vec::new();
    for start in START.find_iter(text) {
        let (mut path, mut open) = (module.to_vec(), Vec::new());
        for token in TOKEN.find_iter(&text[start.start()..]) {
            match (token.as_str(), open.last()) {
                ("crate", _) => path.clear(),
                ("super", _) => drop(path.pop()),
                ("self" | "::", _) => {}
                ("{", _) => open.push(path.len()),
                ("," | "}", Some(&branch)) => {
                    paths.push(path.clone());
                    path.truncate(branch);
                    if token.as_str() == "}" {
                        open.pop();
                    }
                }
                (word, _) if word.starts_with(|c: char| c == '_' || c.is_alphanumeric()) => {
                    path.push(word.to_owned());
                }
                _ => break,
            }
        }
        paths.push(path);
    }
    paths
}

fn reaches(imports: &Imports, from: &[String], to: &[String]) -> bool {
    let (mut seen, mut next) = (BTreeSet::new(), vec![from]);
    while let Some(module) = next.pop() {
        for imported in imports.get(module).into_iter().flatten() {
            if seen.insert(imported) {
                next.push(imported);
            }
        }
    }
    seen.iter().any(|module| *module == to)
}
