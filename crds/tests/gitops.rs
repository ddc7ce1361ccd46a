//! `docs/gitops.md` and `examples/gitops`: the page shows the files as they are, and they install
//! this version. `make gitops` applies them.

#![expect(clippy::unwrap_used, reason = "a test that fails says so by panicking")]

use std::fs;

use lenses_mcp_crds::yaml;
use serde_json::Value;

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

fn read(path: &str) -> String {
    fs::read_to_string(format!("{ROOT}/{path}")).unwrap()
}

fn spec(example: &str) -> Value {
    let objects: Vec<Value> = yaml::from_documents(&read(example)).unwrap();
    objects[0]["spec"].clone()
}

#[test]
fn each_block_of_the_page_is_in_the_file_before_it() {
    let page = read("docs/gitops.md");
    let parts: Vec<_> = page.split("\n```yaml\n").collect();
    for (before, after) in parts.iter().zip(&parts[1..]) {
        let link = before.trim_end().rsplit_once("(../").and_then(|(_, link)| {
            link.strip_suffix("):").filter(|path| path.starts_with("examples/gitops/"))
        });
        let file = link.unwrap_or_else(|| panic!("no link to a file before the block: {after}"));
        let (block, _) = after.split_once("```\n").unwrap();
        assert!(read(file).contains(block), "{file} does not contain:\n{block}");
    }
    assert!(parts.len() > 6, "{} blocks", parts.len() - 1);
}

#[test]
fn the_examples_install_the_chart_of_this_version() {
    let makefile = read("Makefile");
    let registry = makefile.lines().find_map(|line| line.strip_prefix("REGISTRY := ")).unwrap();
    let version = env!("CARGO_PKG_VERSION");
    let chart = "lenses-mcp-operator";
    assert!(read(&format!("charts/{chart}/Chart.yaml")).contains(&format!("name: {chart}\n")));

    let argo_cd = &spec("examples/gitops/argocd/apps/operator.yaml")["source"];
    assert_eq!(argo_cd["repoURL"], format!("{registry}/charts"));
    assert_eq!((&argo_cd["chart"], &argo_cd["targetRevision"]), (&chart.into(), &version.into()));
    let flux = spec("examples/gitops/flux/operator/chart.yaml");
    assert_eq!(flux["url"], format!("oci://{registry}/charts/{chart}"));
    assert_eq!(flux["ref"]["tag"], version);
}
