//! One `[[connection]]`: its name, mode and address, and the parts that every CRM shares.
//! What each CRM asks for itself is in `platform`, names and values of the agreement in `mapping`.

use super::values::{base_url, choice, filled};
use super::{Named, generic, mapping, platform};
use crate::agreement::document::{Reader, Sink, Word};
use crate::crm::Connection;
use crate::crm::connection::{API_SHARE, Backfill, Generic, Mode, Platform};
use crate::record::ConnectionName;
use std::collections::BTreeSet;
use std::path::Path;

/// The three CRMs that a connection can be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Crm {
    HubSpot,
    Salesforce,
    Generic,
}

impl Crm {
    pub(super) const ALL: [(&str, Crm); 3] =
        [("hubspot", Crm::HubSpot), ("salesforce", Crm::Salesforce), ("generic", Crm::Generic)];

    pub(super) fn as_str(self) -> &'static str {
        match self {
            Crm::HubSpot => "hubspot",
            Crm::Salesforce => "salesforce",
            Crm::Generic => "generic",
        }
    }

    /// `None`: it has to be named. A generic connection may have none at all.
    fn default_base_url(self) -> Option<&'static str> {
        match self {
            Crm::HubSpot => Some("https://api.hubapi.com"),
            Crm::Salesforce => None,
            Crm::Generic => Some(""),
        }
    }

    fn default_api_version(self) -> &'static str {
        match self {
            Crm::HubSpot => "2026-03",
            Crm::Salesforce => "67.0",
            Crm::Generic => "",
        }
    }
}

/// All connections that could be read, and the names of the agreement that any of them uses.
pub(super) fn all<'a>(readers: Vec<Reader<'a>>, folder: &Path, sink: &'a Sink<'a>) -> (Vec<Connection>, Vec<Named>) {
    let (mut connections, mut names, mut taken) = (vec![], vec![], BTreeSet::new());
    for mut reader in readers {
        let name = name(&mut reader, sink, &mut taken);
        connections.extend(one(&mut reader, name, folder, sink, &mut names));
        reader.finish();
    }
    (connections, names)
}

fn name<'a>(reader: &mut Reader<'a>, sink: &Sink<'_>, taken: &mut BTreeSet<&'a str>) -> Option<ConnectionName> {
    let word = reader.need_text("name")?;
    if !is_name(word.text) {
        let help = "a-z, 0-9 and single hyphens between them, such as acme-hubspot: it stands in URLs and variables";
        sink.error_with(word.span, "a connection cannot have this name", help);
        return None;
    }
    if !taken.insert(word.text) {
        sink.error_with(word.span, "another connection has this name", "name each one differently");
    }
    Some(ConnectionName::new(word.text))
}

fn is_name(text: &str) -> bool {
    let part = |p: &str| !p.is_empty() && p.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit());
    text.split('-').all(part)
}

fn one<'a>(
    reader: &mut Reader<'a>,
    name: Option<ConnectionName>,
    folder: &Path,
    sink: &'a Sink<'a>,
    names: &mut Vec<Named>,
) -> Option<Connection> {
    reader.need("crm");
    let crm = choice(reader, sink, "crm", &Crm::ALL);
    let agreement = filled(reader, sink, "agreement").map(|word| folder.join(word.text).display().to_string());
    let modes = [("observe", Mode::Observe), ("enforce", Mode::Enforce)];
    let mode = choice(reader, sink, "mode", &modes);
    let backfills = [("from_crm", Backfill::FromCrm), ("from_import", Backfill::FromImport)];
    let backfill = choice(reader, sink, "backfill", &backfills).unwrap_or_default();
    let api_share = api_share(reader, sink);
    let api_version = filled(reader, sink, "api_version");

    let named = &mut mapping::Names { connection: name.clone(), names };
    let fields = mapping::fields(reader.table("fields"), sink, named);
    let values = mapping::values(reader.table("values"), sink, named);
    let parties = mapping::parties(reader.table("parties"), crm, sink, named);
    let touches = mapping::touches(reader.table("touches"), crm, sink);

    let Some(crm) = crm else {
        platform::ask_for_all(reader);
        return None;
    };
    let base_url = base_url(reader, sink, crm.default_base_url());
    let platform = platform(reader, crm, folder, sink);
    platform::refuse_others(reader, crm, sink);
    let base_url = base_url.and_then(|url| described_url(url, platform.as_ref(), reader, sink));
    Some(Connection {
        name: name?,
        agreement,
        mode,
        base_url: base_url?,
        api_version: version(api_version, crm),
        backfill,
        api_share,
        fields,
        values,
        parties,
        touches,
        platform: platform?,
    })
}

/// A share of the day's calls; a wrong one was told.
fn api_share(reader: &mut Reader<'_>, sink: &Sink<'_>) -> f64 {
    let Some(share) = reader.number("api_share") else { return API_SHARE };
    if !(share.value > 0.0 && share.value <= 0.9) {
        let help = "0.5 lets sweeps and imports go on until half of the day's calls are used, by anybody";
        sink.error_with(share.span, "`api_share` is a share above 0 and up to 0.9", help);
    }
    share.value
}

fn version(word: Option<Word<'_>>, crm: Crm) -> String {
    // `v67.0` is how people say it; the paths put the letter in themselves.
    let text = word.map_or(crm.default_api_version(), |word| word.text);
    let bare = if crm == Crm::Salesforce { text.strip_prefix('v').unwrap_or(text) } else { text };
    bare.to_owned()
}

/// Where a described CRM's API is: as the connection says, else as the description does.
fn described_url(url: String, platform: Option<&Platform>, reader: &Reader<'_>, sink: &Sink<'_>) -> Option<String> {
    let Some(Platform::Generic(Generic { described: Some(described), .. })) = platform else { return Some(url) };
    if !url.is_empty() {
        return Some(url);
    }
    let default = described.description.base_url.clone();
    if default.is_none() {
        let help = "the address of your account, for example base_url = \"https://acme.crm.example\"";
        sink.error_with(reader.span_of("connector"), "this connector needs a `base_url`", help);
    }
    default
}

fn platform(reader: &mut Reader<'_>, crm: Crm, folder: &Path, sink: &Sink<'_>) -> Option<Platform> {
    match crm {
        Crm::HubSpot => platform::hubspot(reader, sink).map(Platform::HubSpot),
        Crm::Salesforce => platform::salesforce(reader, sink).map(Platform::Salesforce),
        Crm::Generic => generic::generic(reader, folder, sink).map(Platform::Generic),
    }
}
