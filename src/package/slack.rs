//! The manifest of a Slack app: a bot that posts, looks people up by their address, and nothing
//! else. Buttons need an address that answers them, which leadpact does not have yet.

use super::words::plain;
use super::{File, Package, PackageError};
use askama::Template;

/// What the bot may do, and what for.
const SCOPES: [(&str, &str); 6] = [
    ("chat:write", "to post notices"),
    ("chat:write.public", "to post in public channels without being invited"),
    ("im:write", "to write to a person"),
    ("channels:read", "so that `leadpact doctor` can tell whether a channel exists"),
    ("users:read", "to see whether an account is active"),
    ("users:read.email", "to find an owner by their e-mail address"),
];

#[derive(Template)]
#[template(path = "package/slack.md", escape = "none")]
struct Readme<'a> {
    name: String,
    scopes: &'a [(&'static str, &'static str)],
}

/// Generates the app's manifest; `name` is what people see.
///
/// # Errors
/// When Slack takes no app of this name.
pub fn slack(name: &str) -> Result<Package, PackageError> {
    let length = name.chars().count();
    if name.trim().is_empty() || length > 35 || name.chars().any(char::is_control) {
        return Err(PackageError::SlackName(name.to_owned()));
    }
    let readme = Readme { name: plain(name), scopes: &SCOPES };
    let readme = readme.render().expect("the template takes every value");
    let contents = SCOPES.iter().map(|(scope, _)| format!("scope {scope}")).collect();
    let files = vec![File::new("README.md", readme), File::new("manifest.yaml", manifest(name))];
    Ok(Package { files, contents, notes: Vec::new() })
}

/// A JSON text is a YAML text, whatever stands in it.
fn manifest(name: &str) -> String {
    let name = serde_json::Value::from(name);
    let scopes: String = SCOPES.iter().map(|(scope, _)| format!("      - {scope}\n")).collect();
    format!(
        "display_information:\n  name: {name}\n  description: \"Keeps the agreement between marketing and sales.\"\n\
         features:\n  bot_user:\n    display_name: {name}\n    always_online: true\n\
         oauth_config:\n  scopes:\n    bot:\n{scopes}\
         settings:\n  org_deploy_enabled: false\n  socket_mode_enabled: false\n  token_rotation_enabled: false\n"
    )
}
