//! Values that the schema refuses. Each message names the value.

use std::{fs, path::PathBuf};

use lenses_mcp_crds::yaml;
use lenses_mcp_e2e::bed::{Trouble, helm};
use serde::Deserialize;
use serde_json::Value;

use super::{CHARTS, HERE};

/// Wrong values of a chart.
#[derive(Deserialize)]
struct Wrong {
    #[serde(default = "operator")]
    chart: String,
    /// What the message names.
    names: String,
    values: Value,
}

fn operator() -> String {
    "lenses-mcp-operator".to_owned()
}

#[tokio::test]
async fn every_wrong_value_is_refused_by_its_name() -> Result<(), Trouble> {
    let wrong: Vec<Wrong> =
        yaml::from_documents(&fs::read_to_string(format!("{HERE}/wrong.yaml"))?)?;
    assert!(wrong.len() >= 40, "{} wrong values", wrong.len());
    let file = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("wrong-values.yaml");
    let path = file.to_string_lossy();
    for Wrong { chart, names, values } in wrong {
        // JSON, because Helm reads some texts as booleans that are not quoted.
        fs::write(&file, values.to_string())?;
        let chart = format!("{CHARTS}/{chart}");
        let refusal = helm(&["template", "release", &chart, "--values", &path]).await;
        let refusal = refusal.map_err(|error| error.to_string());
        let named = |text: &String| text.contains("schema") && text.contains(&names);
        assert!(refusal.as_ref().is_err_and(named), "{names}, {values}: {refusal:?}");
    }
    Ok(())
}
