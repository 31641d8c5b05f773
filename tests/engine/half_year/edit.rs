//! What is changed in the CRM, as the raw changes tell it. Nothing of leadpact is known here.

use std::collections::BTreeMap;

/// A field's new value, as the CRM sends it.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
#[serde(untagged)]
pub enum Cell {
    Text(String),
    Number(f64),
    Flag(bool),
    Nothing,
}

/// Somebody changes a record in the CRM.
#[derive(Clone, Debug, serde::Serialize)]
pub struct Edit {
    /// Milliseconds since 1970, UTC.
    pub at: i64,
    pub object: &'static str,
    pub id: String,
    pub by: String,
    pub values: BTreeMap<&'static str, Cell>,
    /// It is gone from the CRM, as of now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gone: Option<Gone>,
    /// When leadpact heard of it.
    pub seen: i64,
}

/// How a record goes.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Gone {
    Deleted,
    MergedInto(String),
}
