//! Floor 3: the package that installs leadpact in a CRM, generated from an agreement and a
//! connection: settings in, files as texts out. Pure: nothing is written, asked or sent here; the
//! command line does that (`cli/init`). No secret is ever part of a package.

pub mod compare;
mod hubspot;
pub mod manifest;
mod salesforce;
mod slack;
pub mod starter;
pub mod uses;
pub mod wiring;
mod words;
mod xml;

use crate::agreement::Agreement;
use crate::crm::Connection;
use crate::crm::connection::Platform;

pub use hubspot::hubspot_scopes;
pub use manifest::Manifest;
pub use slack::slack;
pub use wiring::{Wiring, wiring};

/// A file of a package.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// Below the package's folder, with `/` between its parts.
    pub path: String,
    pub text: String,
}

impl File {
    fn new(path: impl Into<String>, mut text: String) -> Self {
        if !text.ends_with('\n') {
            text.push('\n');
        }
        Self { path: path.into(), text }
    }
}

/// Everything that was generated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Package {
    pub files: Vec<File>,
    /// What the files make the CRM do, each in words and sorted: what a later version is compared by.
    pub contents: Vec<String>,
    /// What an administrator should know before installing it, each in a sentence.
    pub notes: Vec<String>,
}

impl Package {
    /// The text of a file.
    pub fn text(&self, path: &str) -> Option<&str> {
        self.files.iter().find(|file| file.path == path).map(|file| file.text.as_str())
    }
}

/// What a package is generated from.
#[derive(Clone, Copy)]
pub struct Order<'a> {
    pub agreement: &'a Agreement,
    pub connection: &'a Connection,
    /// Where the internet reaches the daemon, without a slash at its end.
    pub public_base: &'a str,
    /// The e-mail address that the CRM shows beside the app.
    pub contact: &'a str,
}

impl Order<'_> {
    /// Where the CRM sends to, less what a secret adds to it.
    fn target(&self) -> String {
        format!("{}/webhooks/{}", self.public_base, self.connection.name)
    }
}

/// Why there is no package.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PackageError {
    #[error("a generic connection has nothing to install: docs/webhooks.md says what its sender has to send")]
    Generic,
    #[error("`{0}` cannot be the address that a CRM sends to: set [server] public_url to an https address")]
    NotHttps(String),
    #[error(
        "`{name}`, mapped to {object}.{logical}, is no field of Salesforce: letters, digits and single \
         underscores, beginning with a letter"
    )]
    NoField { object: &'static str, logical: String, name: String },
    #[error(
        "`{name}`, mapped to {object}.{logical}, cannot be made in HubSpot: a-z, 0-9 and _, beginning with a letter"
    )]
    NoProperty { object: &'static str, logical: String, name: String },
    #[error("HubSpot takes at most {most} subscriptions of an app, and this agreement needs {wanted}")]
    Subscriptions { wanted: usize, most: usize },
    #[error("Slack takes a name of 1 to 35 characters, and `{0}` is none")]
    SlackName(String),
}

/// Generates the package of a connection.
///
/// # Errors
/// [`PackageError`] says what has to be changed first.
pub fn package(order: &Order<'_>) -> Result<Package, PackageError> {
    if !order.public_base.starts_with("https://") {
        return Err(PackageError::NotHttps(order.public_base.to_owned()));
    }
    let mut package = match &order.connection.platform {
        Platform::HubSpot(settings) => hubspot::package(order, settings),
        Platform::Salesforce(settings) => salesforce::package(order, settings),
        Platform::Generic(_) => Err(PackageError::Generic),
    }?;
    if order.public_base == starter::PUBLIC_URL {
        let base = order.public_base;
        package
            .notes
            .push(format!("{base} is the example's address: put yours into [server] public_url, and generate again."));
    }
    Ok(package)
}
