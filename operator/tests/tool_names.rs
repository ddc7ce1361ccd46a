//! The names that `spec.tools` takes are those of the server's tools.

use lenses_mcp_server::tools::registry;

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../crds/tools.txt");

/// With `UPDATE_TOOLS=1`, as in `make generate`, it writes the file.
#[test]
fn the_list_of_tools_is_the_servers() {
    let tools = registry().iter().map(|tool| tool.name().to_owned());
    let groups = registry().groups().map(|group| format!("{group}/*"));
    let names: String = tools.chain(groups).map(|name| name + "\n").collect();
    if std::env::var_os("UPDATE_TOOLS").is_some() {
        std::fs::write(FILE, &names).unwrap();
    }
    assert!(
        std::fs::read_to_string(FILE).unwrap() == names,
        "crds/tools.txt is out of date: run `make generate`"
    );
}
