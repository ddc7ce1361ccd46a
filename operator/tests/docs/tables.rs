//! Tables that repeat what the code has: reasons, defaults and columns.

use std::{collections::BTreeSet, fs};

use lenses_mcp_crds::{
    conditions::{ConditionType, Reason},
    yaml,
};
use serde_json::Value;

use crate::blocks::{self, root};

/// What names this file above a block.
const THIS: &str = "operator/tests/docs/tables.rs";

fn page(name: &str) -> String {
    fs::read_to_string(root().join("docs").join(name)).unwrap()
}

/// The rows of the table whose head begins so, as cells.
fn rows<'a>(page: &'a str, head: &str) -> Vec<Vec<&'a str>> {
    let after = page.split_once(head).unwrap_or_else(|| panic!("no table has the head {head}")).1;
    let rows = after.lines().skip(2).take_while(|line| line.starts_with('|'));
    rows.map(cells).collect()
}

/// The cells of a row. No cell of these tables has a `|`.
fn cells(row: &str) -> Vec<&str> {
    let row = row.strip_prefix('|').unwrap().strip_suffix('|').unwrap();
    row.split('|').map(str::trim).collect()
}

/// The code spans of a cell.
fn spans(cell: &str) -> impl Iterator<Item = String> {
    cell.split('`').skip(1).step_by(2).map(str::to_owned)
}

#[test]
fn troubleshooting_explains_each_condition_and_reason_and_no_other() {
    let page = page("troubleshooting.md");
    let table = rows(&page, "| condition | reason | meaning | what to do |");
    let column = |number: usize| {
        let cells = table.iter().map(|row| row[number]);
        cells.flat_map(spans).collect::<BTreeSet<_>>()
    };
    let conditions: BTreeSet<_> = ConditionType::ALL.iter().map(ToString::to_string).collect();
    assert_eq!(column(0), conditions);
    let reasons: BTreeSet<_> = Reason::ALL.iter().map(ToString::to_string).collect();
    assert_eq!(column(1), reasons);
    for row in &table {
        assert!(!row[2].is_empty(), "{row:?} has no meaning");
    }
}

#[test]
fn the_limits_in_pods_are_those_of_the_definition() {
    let definition = fs::read_to_string(root().join("crds/lensesmcpservers.yaml")).unwrap();
    let definition: Value = yaml::from_documents(&definition).unwrap().remove(0);
    let schema = &definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"];
    let limits = &schema["properties"]["spec"]["properties"]["limits"]["properties"];
    let page = page("pods.md");
    let mut fields = BTreeSet::new();
    for row in rows(&page, "| field | default | limit |") {
        for (field, shown) in spans(row[0]).zip(row[1].split(", ")) {
            let default = &limits[&field]["default"];
            let default = default.as_str().map_or_else(|| default.to_string(), str::to_owned);
            assert_eq!(shown, default, "{field}");
            fields.insert(field);
        }
    }
    let with_default = limits.as_object().unwrap().iter();
    let with_default = with_default.filter(|(_, field)| field.get("default").is_some());
    assert_eq!(fields, with_default.map(|(name, _)| name.clone()).collect());
}

#[test]
fn the_limits_in_sign_in_are_those_of_the_settings() {
    let (settings, sign_in) = (page("settings.md"), page("sign-in.md"));
    for row in rows(&sign_in, "| limit | default | beyond it |") {
        let line = settings.lines().find(|line| line.starts_with(&format!("| {} | ", row[0])));
        let setting = cells(line.unwrap_or_else(|| panic!("{} is no setting", row[0])));
        // A default that is computed is in the text of the setting.
        let computed = setting[2].ends_with(&format!("Default: {}", row[1].replace('`', "")));
        assert!(setting[1] == format!("`{}`", row[1]) || computed, "{row:?}: {setting:?}");
    }
}

#[test]
fn the_columns_of_kubectl_get_are_those_of_the_definition() {
    let definition = fs::read_to_string(root().join("crds/lensesmcpservers.yaml")).unwrap();
    let definition: Value = yaml::from_documents(&definition).unwrap().remove(0);
    let columns = definition["spec"]["versions"][0]["additionalPrinterColumns"].as_array().unwrap();
    let shown = columns.iter().filter(|column| column["priority"].as_u64().unwrap_or(0) == 0);
    let shown = shown.map(|column| column["name"].as_str().unwrap().to_uppercase());
    let shown: Vec<_> = std::iter::once("NAME".to_owned()).chain(shown).collect();
    let mut tables = 0;
    for block in blocks::all().iter().filter(|block| block.test.as_deref() == Some(THIS)) {
        let table = block.text.strip_prefix("$ kubectl get lensesmcpservers\n").unwrap();
        let head: Vec<_> = table.lines().next().unwrap().split_whitespace().collect();
        assert_eq!(head, shown, "{}", block.place());
        tables += 1;
    }
    assert_eq!(tables, 1);
}

#[test]
fn the_charts_page_names_each_kind_that_the_operator_may_delete() {
    let chart = root().join("charts/lenses-mcp-operator");
    let template = fs::read_to_string(chart.join("templates/_rules.tpl")).unwrap();
    let rules: Vec<_> = template.lines().filter(|line| !line.starts_with("{{")).collect();
    let rules: Value = yaml::from_documents(&rules.join("\n")).unwrap().remove(0);
    let may_delete = |rule: &&Value| {
        rule["verbs"].as_array().unwrap().iter().any(|verb| verb == "delete" || verb == "*")
    };
    let granted: BTreeSet<_> = rules
        .as_array()
        .unwrap()
        .iter()
        .filter(may_delete)
        .flat_map(|rule| rule["resources"].as_array().unwrap())
        .map(|resource| resource.as_str().unwrap().to_owned())
        .collect();
    let page = fs::read_to_string(chart.join("README.md")).unwrap();
    let sentence = page.split_once("It may delete ").unwrap().1.split_once('.').unwrap().0;
    let words = sentence.split([',', ' ', '\n']).filter(|word| !["", "and"].contains(word));
    assert_eq!(words.map(str::to_lowercase).collect::<BTreeSet<_>>(), granted);
}
