//! The names in `spec.tools`. The schema lists them; this is for a CRD that is older than the operator, and tells the nearest.

use lenses_mcp_crds::{Tools, tools::selectors};

use super::Rejection;

pub(super) fn check(tools: &Tools, rejections: &mut Vec<Rejection>) {
    let named = [("spec.tools.allow", &tools.allow), ("spec.tools.deny", &tools.deny)];
    for (field, name) in
        named.into_iter().flat_map(|(field, names)| names.iter().map(move |name| (field, name)))
    {
        let alike = |known: &str| strsim::jaro_winkler(known, name);
        let nearest = selectors()
            .max_by(|one, other| alike(one).total_cmp(&alike(other)))
            .unwrap_or_default();
        if nearest != name {
            let message = format!("no tool is called {name:?}; the nearest is {nearest}");
            rejections.push(Rejection::InvalidSpec { field, message });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_no_tool_has_is_refused_with_the_nearest() {
        let refused = |allow: &str, deny: &str| {
            let tools =
                Tools { allow: vec![allow.into()], deny: vec![deny.into()], ..Tools::default() };
            let mut rejections = Vec::new();
            check(&tools, &mut rejections);
            rejections.iter().map(ToString::to_string).collect::<Vec<_>>()
        };
        assert_eq!(refused("topics/*", "execute_sql"), Vec::<String>::new());
        assert_eq!(
            refused("list_topic", "topic/*"),
            [
                "spec.tools.allow: no tool is called \"list_topic\"; the nearest is list_topics",
                "spec.tools.deny: no tool is called \"topic/*\"; the nearest is topics/*",
            ]
        );
    }
}
