//! Layers: no two modules of a folder import each other in a circle, so that each can be read with what is below it alone.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use regex::Regex;

/// Each module with the text of its file.
type Sources = BTreeMap<Vec<String>, String>;
/// Each module with what it imports.
type Imports = BTreeMap<Vec<String>, BTreeSet<Vec<String>>>;

/// The circles that there still are. Take a module off when it is out of its circle; add none.
const CIRCLES: &[(&str, &[&str])] = &[("server", &[]), ("operator", OPERATOR), ("e2e", E2E)];
const OPERATOR: &[&str] = &[
    "controller::build",
    "controller::build::config_map",
    "controller::build::deployment",
    "controller::build::settings_file",
    "controller::cache",
    "controller::caches",
    "controller::dereference",
    "controller::events",
    "controller::fixtures",
    "controller::fleet",
    "controller::intruders",
    "controller::optional",
    "controller::pods",
    "controller::rollout",
    "controller::validate",
    "controller::verification",
    "controller::watch",
    "verify::answer",
    "verify::http",
];
const E2E: &[&str] = &[
    "cluster::pki",
    "cluster::settings",
    "hq::app",
    "hq::approvals",
    "hq::connect",
    "hq::environments",
    "hq::faults",
    "hq::kafka",
    "hq::oauth",
    "hq::oauth::authorize",
    "hq::oauth::sign_in",
    "hq::oauth::store",
    "hq::proxied",
    "hq::seed",
    "hq::settings",
    "hq::sql",
    "hq::streams",
    "hq::test_client",
];

#[test]
fn modules_import_each_other_in_no_circle() {
    for (name, known) in CIRCLES {
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(name).join("src");
        let mut sources = Sources::new();
        read(&source, &[], &mut sources);
        let imports = imports(&sources);
        let circle = imports.keys().filter(|module| reaches(&imports, module, module));
        let circle: Vec<_> = circle.map(|module| module.join("::")).collect();
        assert_eq!(circle, *known, "in {name}");
    }
}

/// Reads the modules below `folder`, which belongs to the module `parent`. Tests may use what they like.
fn read(folder: &Path, parent: &[String], sources: &mut Sources) {
    let left_out = Regex::new(r"//.*|#\[cfg\(test\)\]\nmod \w+ \{[\s\S]*").unwrap();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let module = [parent, &[name]].concat();
        if path.is_dir() {
            read(&path, &module, sources);
        } else {
            let text = fs::read_to_string(path).unwrap();
            sources.insert(module, left_out.replace_all(&text, "").into_owned());
        }
    }
}

/// An import of something in another module counts for the two modules of the same folder in which both are.
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

/// The paths from `crate`, `super` or `self` in the text of `module`: one for each branch of a `use`.
fn paths(module: &[String], text: &str) -> Vec<Vec<String>> {
    let (start, token) =
        (Regex::new(r"\b(crate|super|self)::").unwrap(), Regex::new(r"\w+|::|\S").unwrap());
    let mut paths = Vec::new();
    for start in start.find_iter(text) {
        let (mut path, mut open) = (module.to_vec(), Vec::new());
        for token in token.find_iter(&text[start.start()..]) {
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
                (word, _)
                    if word
                        .chars()
                        .all(|character| character.is_alphanumeric() || character == '_') =>
                {
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
