//! Chromium and what drives it. Without them the tests are skipped, but never in CI.

use crate::kit::Kit;
use serde_json::{Value as Json, json};
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::sync::OnceCell;

static KIT: Kit = Kit { name: "browser", source: "tests/browser/node", folder: OnceCell::const_new() };

/// Where Chromium is: as `LEADPACT_CHROMIUM` says, else where Debian puts it.
fn chromium() -> Result<PathBuf, String> {
    let named = std::env::var_os("LEADPACT_CHROMIUM").map(PathBuf::from);
    let path = named.unwrap_or_else(|| Path::new("/usr/bin/chromium").to_owned());
    if path.is_file() { Ok(path) } else { Err(format!("there is no {}", path.display())) }
}

/// Whether there is a browser here.
///
/// # Panics
/// In CI, without one.
pub fn is_here() -> bool {
    match chromium() {
        Ok(_) => true,
        Err(why) if std::env::var_os("CI").is_some() => panic!("no page can be looked at: {why}"),
        Err(why) => {
            eprintln!("skipped, no page can be looked at: {why}");
            false
        }
    }
}

/// Runs a script in the browser on the pages at `base`. It ends itself a little before we would end it.
///
/// # Panics
/// With all that it found when anything is wrong.
pub async fn run(script: &str, base: &str, asked: Json, longest: Duration) {
    let mut asked = asked;
    asked["browser"] = json!(chromium().expect("looked for before"));
    asked["base"] = json!(base);
    asked["longest"] = json!(longest.as_secs());
    KIT.run(script, &[&asked.to_string()], longest + Duration::from_secs(10)).await;
}
