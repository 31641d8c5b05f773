//! The manifest of a Slack app: a bot that posts, looks people up by their address, and, where
//! the public address is known, buttons that leadpact answers.

use super::words::plain;
use super::{File, Package, PackageError};
use askama::Template;

/// What the bot may do, and what for.
const SCOPES: [(&str, &str); 6] = [
    ("chat:write", "to post notices"),
    ("chat:write.public", "to post in public channels without being invited"),
    ("im:write", "to write to a person"),
    ("channels:read", "so that `leadpact doctor` can tell whether a channel exists"),
    ("users:read", "to see whether an account is active, and who pressed a button"),
    ("users:read.email", "to find an owner by their e-mail address"),
];

#[derive(Template)]
#[template(path = "package/slack.md", escape = "none")]
struct Readme<'a> {
    name: String,
    scopes: &'a [(&'static str, &'static str)],
    /// Whether its buttons have an address.
    answers: bool,
}

/// Generates the app's manifest; `name` is what people see.
///
/// # Errors
/// When Slack takes no app of this name.
///
/// `public_url`: where Slack reaches us; without it the app has no buttons.
pub fn slack(name: &str, public_url: Option<&str>) -> Result<Package, PackageError> {
    let length = name.chars().count();
    if name.trim().is_empty() || length > 35 || name.chars().any(char::is_control) {
        return Err(PackageError::SlackName(name.to_owned()));
    }
    let readme = Readme { name: plain(name), scopes: &SCOPES, answers: public_url.is_some() };
    let readme = readme.render().expect("the template takes every value");
    let contents = SCOPES.iter().map(|(scope, _)| format!("scope {scope}")).collect();
    let files = vec![File::new("README.md", readme), File::new("manifest.yaml", manifest(name, public_url))];
    Ok(Package { files, contents, notes: Vec::new() })
}

/// A JSON text is a YAML text, whatever stands in it.
fn manifest(name: &str, public_url: Option<&str>) -> String {
    let name = serde_json::Value::from(name);
    let scopes: String = SCOPES.iter().map(|(scope, _)| format!("      - {scope}\n")).collect();
    let interactivity = public_url.map_or_else(String::new, |base| {
        let address = serde_json::Value::from(format!("{}/slack/actions", base.trim_end_matches('/')));
        format!("  interactivity:\n    is_enabled: true\n    request_url: {address}\n")
    });
    format!(
        "display_information:\n  name: {name}\n  description: \"Keeps the agreement between marketing and sales.\"\n\
         features:\n  bot_user:\n    display_name: {name}\n    always_online: true\n\
         oauth_config:\n  scopes:\n    bot:\n{scopes}\
         settings:\n{interactivity}  org_deploy_enabled: false\n  socket_mode_enabled: false\n  token_rotation_enabled: false\n"
    )
}
