//! Versions of an agreement: whom each scope's govern, who signed which, how they stand, and the rule
//! by which one of them becomes the active one. Nothing is written here; signing is in `signing`.

use crate::agreement::Agreement;
use crate::agreement::parse::{Parsed, parse};
use crate::agreement::problem::Report;
use crate::crm::Connection;
use crate::record::{ConnectionName, PartyName, Timestamp};
use crate::store::agreement::{self, AgreementRow, Version};
use crate::store::signature::{self, Signature};
use crate::store::{Db, StoreError};
use jiff::tz::TimeZone;
use std::collections::BTreeMap;

/// Connections that one agreement governs: all that name none, or one that names its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scope {
    /// The connection that names its own.
    pub own: Option<ConnectionName>,
    pub connections: Vec<ConnectionName>,
}

impl Scope {
    /// Who is governed together, the general agreement's connections first.
    pub fn all<'c>(connections: impl IntoIterator<Item = &'c Connection>) -> Vec<Scope> {
        let (own, general): (Vec<&Connection>, Vec<_>) = connections.into_iter().partition(|c| c.agreement.is_some());
        let general = Scope { own: None, connections: general.into_iter().map(|c| c.name.clone()).collect() };
        let own = own.into_iter().map(|c| Scope { own: Some(c.name.clone()), connections: vec![c.name.clone()] });
        std::iter::once(general).filter(|s| !s.connections.is_empty()).chain(own).collect()
    }

    /// `hubspot, salesforce`
    pub fn names(&self) -> String {
        self.connections.iter().map(ConnectionName::as_str).collect::<Vec<_>>().join(", ")
    }
}

/// A version with the signatures under it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    pub version: Version,
    pub signatures: Vec<Signature>,
}

/// What a replica goes by.
#[derive(Clone, Copy, Debug)]
pub struct Terms<'a> {
    /// The hash of its file.
    pub file: &'a str,
    /// `require_signatures = false`.
    pub lifted: bool,
    pub now: Timestamp,
}

impl Known {
    /// The parties whose signatures are missing.
    pub fn missing(&self) -> Vec<&PartyName> {
        let signed = |party: &&PartyName| self.signatures.iter().any(|s| s.party == **party);
        self.version.signers.iter().flatten().filter(|party| !signed(party)).collect()
    }

    /// Whether it needs signatures and has them all.
    pub fn is_signed(&self) -> bool {
        self.version.signers.as_ref().is_some_and(|signers| !signers.is_empty()) && self.missing().is_empty()
    }

    pub fn is_active(&self) -> bool {
        self.version.activated_at.is_some() && self.version.superseded_at.is_none()
    }
}

/// The version that is active from now on; `None`: there is none yet.
///
/// Of all that are in effect and may act, the one with the latest effective day, and of several the
/// one that became so last. What is active needs nothing more to stay; what was superseded never
/// comes back, so that a replica that starts on an old file changes nothing.
pub fn choose<'a>(known: &'a [Known], terms: Terms<'_>) -> Option<&'a Known> {
    let active = known.iter().find(|k| k.is_active());
    let signed_before = active.is_some_and(Known::is_signed);
    let eligible = known.iter().filter(|k| {
        k.is_active()
            || (k.version.superseded_at.is_none()
                && k.version.effective_at <= terms.now
                && may(k, signed_before, terms))
    });
    let rank = |k: &&Known| {
        let since = k.version.activated_at.unwrap_or(Timestamp::MAX);
        let last = k.signatures.iter().map(|s| s.signed_at).max();
        (k.version.effective_at, since, last.max(Some(k.version.offered_at)))
    };
    eligible.max_by_key(rank)
}

/// Whether a version needs no more signatures. One in which nobody signs stands only where none was
/// signed before it: leaving the signatories out of the file must not take their say from them.
/// Without required signatures it is the replica's own file that the operator means.
fn may(known: &Known, signed_before: bool, terms: Terms<'_>) -> bool {
    let nobody_signs = known.version.signers.as_ref().is_some_and(Vec::is_empty);
    let is_file = known.version.hash == terms.file;
    known.is_signed() || (is_file && (terms.lifted || (nobody_signs && !signed_before)))
}

/// All versions of a scope with the signatures under them, the newest offer first.
///
/// # Errors
/// `Unavailable`, `Corrupt`.
pub async fn known(db: &Db, own: Option<&ConnectionName>) -> Result<Vec<Known>, StoreError> {
    Ok(together(agreement::versions(db, own).await?, &signature::of_offered(db, own).await?))
}

/// Each version with the signatures under it.
pub fn together(versions: Vec<Version>, signatures: &[Signature]) -> Vec<Known> {
    let under = |version: &Version| signatures.iter().filter(|s| s.agreement == version.hash).cloned().collect();
    versions.into_iter().map(|version| Known { signatures: under(&version), version }).collect()
}

/// Why a version is not active; `None` where nothing stands against it.
pub fn draft(known: &Known, active: Option<&Known>, now: Timestamp, zone: &TimeZone) -> Option<String> {
    let version = &known.version;
    if version.superseded_at.is_some() {
        return Some("was superseded; to go back to it, give it another `version` and have that signed".to_owned());
    }
    if !known.missing().is_empty() {
        return Some(format!("is not signed by {}", missing(known)));
    }
    if version.effective_at > now {
        return Some(format!("waits for its effective day, {}", version.effective_at.in_zone(zone)));
    }
    match active {
        Some(active) if active.version.effective_at > version.effective_at => {
            Some("is overtaken by a version with a later effective day".to_owned())
        }
        Some(_) if !known.is_signed() => {
            Some("names nobody who signs, and cannot take the place of a signed version".to_owned())
        }
        _ => None,
    }
}

/// How a version stands, in words.
pub fn standing(known: &Known, active: Option<&Known>, now: Timestamp, zone: &TimeZone) -> String {
    let version = &known.version;
    match (version.activated_at, version.superseded_at) {
        (_, Some(at)) => format!("superseded on {}", at.in_zone(zone)),
        (Some(at), None) => format!("active since {}", at.in_zone(zone)),
        (None, None) => match draft(known, active, now, zone) {
            Some(why) => format!("draft: it {why}"),
            None => "ready for a running daemon".to_owned(),
        },
    }
}

/// What happens next with the version of this hash, in a sentence; empty where it is not known.
pub fn outlook(known: &[Known], hash: &str, now: Timestamp, zone: &TimeZone) -> String {
    let active = known.iter().find(|k| k.is_active());
    let Some(own) = known.iter().find(|k| k.version.hash == hash) else { return String::new() };
    if own.is_active() {
        return "It is the active version.".to_owned();
    }
    let version = &own.version;
    if version.effective_at > now && own.missing().is_empty() && version.superseded_at.is_none() {
        let at = version.effective_at.in_zone(zone);
        return format!("Complete. It is in effect from {at}, and taken up then by itself.");
    }
    match draft(own, active, now, zone) {
        Some(why) => format!("This version {why}."),
        None => "Complete. A running daemon takes it up within seconds.".to_owned(),
    }
}

/// The parties whose signatures are missing, in words.
pub fn missing(known: &Known) -> String {
    known.missing().iter().map(|party| party.as_str()).collect::<Vec<_>>().join(" and ")
}

/// An agreement as it is offered to the database, with its text and the files that it names.
pub fn row(
    agreement: &Agreement,
    text: String,
    files: BTreeMap<String, String>,
    offered_at: Timestamp,
) -> AgreementRow {
    let version = Version {
        hash: agreement.hash.to_string(),
        title: agreement.title.clone(),
        version: agreement.version.clone(),
        signers: Some(agreement.parties.iter().filter(|p| p.signs.is_some()).map(|p| p.name.clone()).collect()),
        effective_at: agreement.effective_at,
        offered_at,
        activated_at: None,
        superseded_at: None,
    };
    AgreementRow { version, text, files }
}

/// Reads a version as the database keeps it, with the files that it names.
///
/// # Errors
/// A report where it cannot be read any more.
pub fn parse_stored(row: &AgreementRow) -> Result<Parsed, Report> {
    let include =
        |file: &str| row.files.get(file).cloned().ok_or_else(|| "it was not kept with the agreement".to_owned());
    parse("the agreement in the database", &row.text, &include)
}

/// The same without its canonical form.
///
/// # Errors
/// As [`parse_stored`].
pub fn read_stored(row: &AgreementRow) -> Result<Agreement, Report> {
    parse_stored(row).map(|parsed| parsed.agreement)
}

#[cfg(test)]
#[path = "versions_tests.rs"]
mod tests;
