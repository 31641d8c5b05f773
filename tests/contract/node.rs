//! The official clients: which scripts there are and what they are run with.

use crate::kit::Kit;
use std::time::Duration;
use tokio::sync::OnceCell;

const RUNNING: Duration = Duration::from_secs(120);

static CLIENTS: Kit = Kit { name: "official-clients", source: "tests/contract/node", folder: OnceCell::const_new() };

/// Runs a script to its end.
///
/// # Panics
/// With all that it said when it fails; in CI also when it cannot be run.
pub async fn run(script: &str, arguments: &[&str]) {
    CLIENTS.run(script, arguments, RUNNING).await;
}
