//! What was generated last time, kept beside the files: which files with which hashes, and in words
//! what they make the CRM do. It tells a file that somebody edited from one that is merely old.

use super::{Order, Package};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

/// The manifest's file name in the package's folder.
pub const FILE: &str = "leadpact-package.json";

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// The version of leadpact that generated the package.
    pub leadpact: String,
    /// The connection, or the Slack app's name.
    pub name: String,
    /// SHA-256 of the agreement's canonical form; empty where no agreement matters.
    pub agreement: String,
    /// [`Package::contents`] of that time.
    pub contents: Vec<String>,
    /// SHA-256 of each file as it was generated, by its path.
    pub files: BTreeMap<String, String>,
}

impl Manifest {
    /// The manifest of a package that is about to be written.
    pub fn of(package: &Package, name: &str, agreement: &str) -> Self {
        Self {
            leadpact: env!("CARGO_PKG_VERSION").to_owned(),
            name: name.to_owned(),
            agreement: agreement.to_owned(),
            contents: package.contents.clone(),
            files: package.files.iter().map(|file| (file.path.clone(), digest(&file.text))).collect(),
        }
    }

    /// The same for a connection's package.
    pub fn of_order(package: &Package, order: &Order<'_>) -> Self {
        Self::of(package, order.connection.name.as_str(), &order.agreement.hash)
    }

    /// The manifest as its file has it.
    pub fn text(&self) -> String {
        let mut text = serde_json::to_string_pretty(self).expect("a manifest can be written");
        text.push('\n');
        text
    }
}

/// SHA-256 in hex.
pub(super) fn digest(text: &str) -> String {
    hex::encode(Sha256::digest(text.as_bytes()))
}
