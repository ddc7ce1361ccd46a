//! How much of a model's context the tools take.

use lenses_mcp_server::tools;
use serde_json::{Value, json};

use crate::{
    client::{Endpoint, LEGACY, MODERN},
    hq,
};

/// What goes to a model: names, descriptions and input schemas of all tools, in bytes.
const MODEL_MAX: usize = 30_000;
/// The whole list, in bytes.
const LIST_MAX: usize = 45_000;

#[test]
fn what_goes_to_a_model_is_at_most_30_kb() {
    let shown = tools::registry().iter().map(|tool| {
        let listing = tool.listing();
        json!({
            "name": listing.name,
            "description": listing.description,
            "input_schema": *listing.input_schema,
        })
    });
    let bytes = shown.collect::<Value>().to_string().len();
    assert!(bytes <= MODEL_MAX, "{bytes} bytes");
}

#[tokio::test]
async fn the_list_of_all_tools_is_at_most_45_kb() {
    let endpoint = Endpoint::new(&hq::absent().await);
    for revision in [MODERN, LEGACY] {
        let (_, reply) = endpoint.request(revision, "tools/list", json!({})).await;
        let tools = &reply["result"]["tools"];
        assert_eq!(tools.as_array().unwrap().len(), tools::registry().iter().count());
        let bytes = reply.to_string().len();
        assert!(bytes <= LIST_MAX, "{bytes} bytes in {revision}");
    }
}
