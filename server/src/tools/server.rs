//! This server itself: who calls it, and what is wrong with its way to Lenses.

mod diagnose;
mod whoami;

use super::definition::Tool;

pub(super) fn tools() -> Vec<Tool> {
    vec![whoami::tool(), diagnose::tool()]
}
