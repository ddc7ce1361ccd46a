//! `check`: its verdicts, and how they are printed.

use std::{fs, path::Path};

use lenses_mcp_crds::yaml;
use serde_json::{Value, json};

use super::{GOOD, NAMED_PORT, SERVICE, blocks, err, golden, operator, out, root, texts};

/// Each directory, and whether `check` refuses what is in it. The end-to-end tests hold the API
/// server and the operator to the same directories.
const MANIFESTS: [(&str, bool); 4] = [
    ("valid", false),
    ("refused", true),
    ("refused-by-check-alone", true),
    ("refused-in-the-cluster-alone", false),
];

/// Of these, `check` reads nothing.
const NOT_YAML: [&str; 2] = ["a-tab-for-indentation.yaml", "an-unclosed-bracket.yaml"];

#[test]
fn check_says_of_each_manifest_what_its_directory_says() {
    let (mut said, mut wrong) = (String::new(), Vec::new());
    for (directory, is_refused) in MANIFESTS {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/manifests").join(directory);
        let prefix = path.to_str().unwrap();
        let files = fs::read_dir(&path).unwrap().map(|file| file.unwrap().path());
        let mut files: Vec<_> = files.map(|file| file.to_str().unwrap().to_owned()).collect();
        files.retain(|file| !NOT_YAML.iter().any(|not_yaml| file.ends_with(not_yaml)));
        files.sort();
        let arguments = files.iter().flat_map(|file| ["-f", file]);
        let arguments: Vec<_> = ["check", "-o", "json"].into_iter().chain(arguments).collect();
        let check = operator(&arguments, "");
        let verdicts: Value = serde_json::from_slice(&check.stdout).unwrap();
        for file in &files {
            let of_file = verdicts.as_array().unwrap().iter().filter(|it| it["file"] == **file);
            let of_file: Vec<_> = of_file.collect();
            assert!(!of_file.is_empty(), "no verdict on {file}: {}", err(&check));
            let name = file.strip_prefix(prefix).unwrap();
            let faults = of_file.iter().flat_map(|it| it["faults"].as_array().unwrap());
            let faults: Vec<_> = faults.map(|fault| fault.as_str().unwrap()).collect();
            if of_file.iter().any(|it| it["valid"] == false) != is_refused {
                wrong.push(format!("{directory}{name}: {faults:?}"));
            }
            let lines = faults.iter().map(|fault| fault.replace(prefix, ""));
            said.extend(lines.map(|fault| format!("{directory}{name}: {fault}\n")));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    golden("manifests.txt", &said);
}

#[test]
fn a_manifest_that_is_not_yaml_is_named_with_its_line() {
    for name in NOT_YAML {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/manifests/refused").join(name);
        let check = operator(&["check", "-f", file.to_str().unwrap()], "");
        assert_eq!(check.status.code(), Some(2), "{}", out(&check));
        let said = err(&check);
        assert!(
            said.contains(name) && said.contains("is not YAML") && said.contains("line"),
            "{said}"
        );
    }
}

#[test]
fn check_says_of_each_resource_what_holds_it_back_and_what_it_cannot_know() {
    let bad =
        GOOD.replace("team-mcp", "bad").replace("auth: {oauth: {", "replica: 2\n  auth: {oauth: {");
    let open = "\napiVersion: mcp.lenses.io/v1alpha1\nkind: LensesMcpServer\nmetadata: {name: open}\nspec: {lenses: {url: 'https://hq.example.com'}}\n";
    let contradictory = NAMED_PORT.replace("api,", "web,").replace("port: api", "port: web");
    let all = [GOOD, &bad, open, &contradictory, SERVICE].join("---");
    let output = operator(&["check", "-f", "-"], &all);
    assert_eq!(output.status.code(), Some(1), "{}", err(&output));
    golden("check.txt", &out(&output));

    let output = operator(&["check", "-f", "-", "-o", "json"], &all);
    assert_eq!(output.status.code(), Some(1));
    let verdicts: Value = serde_json::from_slice(&output.stdout).unwrap();
    let valid: Vec<_> = verdicts
        .as_array()
        .unwrap()
        .iter()
        .map(|v| (v["name"].clone(), v["valid"].clone()))
        .collect();
    assert_eq!(
        valid,
        [("team-mcp", true), ("bad", false), ("open", false), ("team-mcp", false)]
            .map(|(n, v)| (json!(n), json!(v)))
    );

    let output = operator(&["check", "-f", "-", "-o", "yaml"], &all);
    let from_yaml: Vec<Value> = yaml::from_documents(&out(&output)).unwrap();
    assert_eq!(from_yaml, [verdicts]);
}

#[test]
fn what_is_good_and_whole_is_valid_with_status_0() {
    let output = operator(&["check", "-f", "-"], &[NAMED_PORT, SERVICE].join("---"));
    assert_eq!(out(&output), "lensesmcpserver tools/team-mcp (standard input): valid\n");
    assert_eq!(output.status.code(), Some(0));
}

#[test]
fn every_manifest_of_the_examples_and_the_docs_passes_check() {
    let mut seen = 0;
    for (file, text) in texts("examples").into_iter().chain(texts("docs")).chain(texts(".")) {
        let manifests = if text.contains("\n```") { blocks(&text, "yaml") } else { vec![text] };
        let is_resource = |text: &&String| text.lines().any(|l| l == "kind: LensesMcpServer");
        for manifest in manifests.iter().filter(is_resource) {
            seen += 1;
            let check = operator(&["check", "-f", "-"], manifest);
            assert_eq!(check.status.code(), Some(0), "{file}: {}{}", out(&check), err(&check));
        }
    }
    assert!(seen >= 10, "{seen} manifests");
}

#[test]
fn check_finds_what_kubectl_apply_would_refuse_or_overwrite() {
    let secret = |key: &str| {
        format!(
            "apiVersion: v1\nkind: Secret\nmetadata: {{name: hq-client}}\nstringData: {{client_id: a, {key}: b}}\n"
        )
    };
    let good = [GOOD, &secret("client_secret")].join("---\n");
    let check = operator(&["check", "-f", "-"], &good);
    assert_eq!(check.status.code(), Some(0), "{}", out(&check));
    let with = |more: &str| [GOOD, more].join("---\n");
    for (input, said) in [
        (with(&secret("secret")), "has no key client_secret; it has client_id, secret"),
        (with(GOOD), "has a resource of this name already"),
        (with(&GOOD.replace("LensesMcpServer", "LensesMCPServer")), "write LensesMcpServer"),
        (with(&GOOD.replace("mcp.lenses.io", "mcp.lenses.com")), "write mcp.lenses.io/v1alpha1"),
        (GOOD.replace("{name: team-mcp}", "{name: a, labels: {'a b': c}}"), "is not a key"),
    ] {
        let check = operator(&["check", "-f", "-"], &input);
        assert_eq!(check.status.code(), Some(1), "{said}: {}", out(&check));
        assert!(out(&check).contains(said), "{said:?} is not in {}", out(&check));
    }
}

#[test]
fn check_reads_directories_and_with_r_those_below() {
    let examples = root().join("examples");
    let examples = examples.to_str().unwrap();
    let flat = operator(&["check", "-f", examples, "-o", "json"], "");
    let files: Value = serde_json::from_slice(&flat.stdout).unwrap();
    let all = files.as_array().unwrap();
    assert!(all.len() >= 8, "{files}");
    let of_file = |file: &str| all.iter().any(|one| one["file"].as_str().unwrap().ends_with(file));
    assert!(of_file("examples/oauth.yaml") && of_file("examples/ingress.yaml"), "{files}");
    let directory = std::env::temp_dir().join(format!("lenses-mcp-check-{}", std::process::id()));
    std::fs::create_dir_all(directory.join("below")).unwrap();
    std::fs::write(directory.join("below/mcp.yaml"), GOOD).unwrap();
    let given = directory.to_str().unwrap();
    let (flat, below) =
        (operator(&["check", "-f", given], ""), operator(&["check", "-Rf", given], ""));
    std::fs::remove_dir_all(&directory).unwrap();
    assert!(err(&flat).contains("no LensesMcpServer in"), "{}", err(&flat));
    assert_eq!(below.status.code(), Some(0), "{}{}", out(&below), err(&below));
}
