//! Whether the package in its folder is what the agreement asks for now, for `leadpact doctor`: an
//! agreement that changed asks the CRM for other changes than the package that was installed. What is
//! generated is decided in `package/`; nothing is written here.

use crate::agreement::Agreement;
use crate::crm::Connection;
use crate::crm::connection::Platform;
use crate::engine::doctor::Check;
use crate::package::compare::{State, compare};
use crate::package::manifest::FILE;
use crate::package::{Manifest, Order, Package, package};
use std::path::Path;

/// Who to write to is known to `leadpact init` alone; files that name it are not compared.
const NOBODY: &str = "nobody@leadpact.invalid";
/// Most differences that are named.
const MOST: usize = 6;

/// The package of this connection in this folder, beside what would be generated now. Nothing where
/// there is no such folder and nobody asked for it (`is_named`).
pub(super) fn checks(
    connection: &Connection,
    agreement: &Agreement,
    base: &str,
    folder: &Path,
    is_named: bool,
) -> Vec<Check> {
    let (name, what) = (connection.name.as_str(), "package");
    let init = match connection.platform {
        Platform::HubSpot(_) => format!("leadpact init hubspot {name}"),
        Platform::Salesforce(_) => format!("leadpact init salesforce {name}"),
        Platform::Generic(_) => return Vec::new(),
    };
    let before = match std::fs::read_to_string(folder.join(FILE)) {
        Ok(text) => serde_json::from_str::<Manifest>(&text).ok(),
        Err(_) if !is_named => return Vec::new(),
        Err(error) => {
            let found = format!("{} holds no package: {error}", folder.display());
            return vec![Check::fail(name, what, found, format!("run `{init}`, or name the folder it wrote"))];
        }
    };
    let Some(before) = before.filter(|before| before.name == name) else {
        let found = format!("{} holds no package of this connection", folder.display());
        return vec![Check::warn(name, what, found, format!("run `{init}`, or name the folder it wrote"))];
    };
    // The contact stands in no line that is compared.
    let order = Order { agreement, connection, public_base: base, contact: NOBODY };
    let package = match package(&order) {
        Ok(package) => package,
        Err(error) => {
            return vec![Check::fail(name, what, error.to_string(), format!("correct it, and run `{init}` again"))];
        }
    };
    let on_disk = |path: &str| std::fs::read_to_string(folder.join(path)).ok();
    let comparison = compare(&package, Some(&before), on_disk);
    let mut checks = Vec::new();
    let again = format!("run `{init}`, look at what it shows, and upload or deploy the package again");
    if !comparison.added.is_empty() {
        let found = format!("the agreement needs what it lacks: {}", some(&comparison.added));
        checks.push(Check::fail(name, what, found, again.clone()));
    }
    if !comparison.removed.is_empty() {
        let found = format!("it asks for what the agreement no longer uses: {}", some(&comparison.removed));
        checks.push(Check::warn(name, what, found, again));
    }
    let lost: Vec<String> = comparison
        .files
        .iter()
        .filter(|(path, state)| **state == State::New && before.files.contains_key(*path))
        .map(|(path, _)| path.clone())
        .collect();
    if !lost.is_empty() {
        let found = format!("files of it are gone: {}", some(&lost));
        checks.push(Check::warn(name, what, found, format!("run `{init}`, which writes them again")));
    }
    let stale: Vec<String> = comparison
        .files
        .iter()
        .filter(|(path, state)| **state == State::Edited { is_due: true } && !names_contact(&package, path))
        .map(|(path, _)| path.clone())
        .collect();
    if !stale.is_empty() {
        let found = format!("edited by hand, and without what is new: {}", some(&stale));
        let fix =
            format!("merge it from what `{init} --out ANOTHER-FOLDER` writes, or take ours: `{init} --overwrite`");
        checks.push(Check::warn(name, what, found, fix));
    }
    if checks.is_empty() {
        checks.push(Check::ok(name, what, format!("{} asks for what the agreement uses", folder.display())));
    }
    checks
}

fn names_contact(package: &Package, path: &str) -> bool {
    package.text(path).is_some_and(|text| text.contains(NOBODY))
}

fn some(all: &[String]) -> String {
    let more = all.len().saturating_sub(MOST);
    let named = all.iter().take(MOST).cloned().collect::<Vec<_>>().join(", ");
    if more > 0 { format!("{named} and {more} more") } else { named }
}
