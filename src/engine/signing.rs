//! A party's signature under one exact version of an agreement: who may give it, and how it is stored
//! with the version and told in the journals. What is signed is the version's hash; any change of its
//! meaning has another one and needs new signatures. What follows from it is in `versions`.

use super::versions::Scope;
use crate::agreement::Agreement;
use crate::agreement::model::Signatory;
use crate::record::{ConnectionName, Fact, FactKind, PartyName, Timestamp};
use crate::store::agreement::{self, AgreementRow, Version};
use crate::store::journal::{self, JournalEntry};
use crate::store::signature::{self, Signature};
use crate::store::{Db, Priority, StoreError, Tx};
use serde_json::{Map, json};

/// Somebody who wants to sign.
#[derive(Clone, Copy, Debug)]
pub struct Signing<'a> {
    pub party: &'a str,
    /// `None`: whom the agreement names.
    pub name: Option<&'a str>,
    /// `None`: as the agreement says.
    pub title: Option<&'a str>,
    /// Somebody else than the agreement names may sign, on that person's behalf.
    pub on_behalf: bool,
    /// Whose hands these are: the operating system's user, or an account's login.
    pub entered_by: &'a str,
}

/// Why it cannot be signed so, in a sentence.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SigningError {
    #[error("nobody signs this agreement: name who does in [parties.{0}] with `signs`")]
    NobodySigns(PartyName),
    #[error("`{party}` does not sign this agreement; {others} do")]
    DoesNotSign { party: PartyName, others: String },
    #[error("the agreement names {named} for {party}; with --on-behalf somebody else signs for them")]
    Another { named: String, party: PartyName },
    #[error("say with --title as what they sign")]
    WithoutTitle,
}

/// Whom the agreement names for a party.
pub fn signatory<'a>(agreement: &'a Agreement, party: &PartyName) -> Option<&'a Signatory> {
    agreement.party(party)?.signs.as_ref()
}

/// Whether this is the person whom the agreement names, however the name is spaced and capitalised.
pub fn is_named(name: &str, named: &Signatory) -> bool {
    let words = |text: &str| text.split_whitespace().map(str::to_lowercase).collect::<Vec<_>>();
    words(name) == words(&named.name)
}

/// The signature as it will be stored.
///
/// # Errors
/// A party that does not sign, or another name than the agreement's without `on_behalf`.
pub fn signature(agreement: &Agreement, asked: Signing<'_>, now: Timestamp) -> Result<Signature, SigningError> {
    let party = PartyName::new(asked.party);
    let Some(named) = signatory(agreement, &party) else {
        let signers = agreement.parties.iter().filter(|p| p.signs.is_some());
        let others: Vec<&str> = signers.map(|p| p.name.as_str()).collect();
        return Err(match others[..] {
            [] => SigningError::NobodySigns(party),
            _ => SigningError::DoesNotSign { party, others: others.join(" and ") },
        });
    };
    let name = asked.name.unwrap_or(&named.name).trim();
    let is_other = !is_named(name, named);
    if name.is_empty() || (is_other && !asked.on_behalf) {
        return Err(SigningError::Another { named: named.name.clone(), party });
    }
    let title = asked.title.or((!is_other).then_some(named.title.as_str())).map(str::trim);
    Ok(Signature {
        agreement: agreement.hash.to_string(),
        party,
        name: name.to_owned(),
        title: title.ok_or(SigningError::WithoutTitle)?.to_owned(),
        on_behalf_of: is_other.then(|| named.name.clone()),
        entered_by: asked.entered_by.to_owned(),
        signed_at: now,
    })
}

/// Stores the version, the signature and what the journals say of it. Answers whether it was new: a
/// party signs a version once.
///
/// # Errors
/// `Unavailable`.
pub async fn sign(db: &Db, scopes: &[Scope], row: &AgreementRow, signature: &Signature) -> Result<bool, StoreError> {
    let mut tx = db.begin(Priority::Work).await?;
    for scope in scopes {
        agreement::lock(&mut tx, scope.own.as_ref()).await?;
        offer(&mut tx, scope, row).await?;
    }
    let is_new = signature::add(&mut tx, signature).await?;
    for connection in scopes.iter().flat_map(|scope| &scope.connections).filter(|_| is_new) {
        journal::append(&mut tx, connection, &[entry(signature)]).await?;
    }
    tx.commit().await?;
    Ok(is_new)
}

/// Offers a version to its scope; a new one is journalled for every connection.
///
/// # Errors
/// `Unavailable`.
pub async fn offer(tx: &mut Tx, scope: &Scope, row: &AgreementRow) -> Result<(), StoreError> {
    if !agreement::offer(tx, scope.own.as_ref(), row).await? {
        return Ok(());
    }
    for connection in &scope.connections {
        journal_version(tx, connection, FactKind::Offered, &row.version, row.version.offered_at).await?;
    }
    Ok(())
}

/// Journals what became of a version for a connection.
///
/// # Errors
/// `Unavailable`.
pub async fn journal_version(
    tx: &mut Tx,
    connection: &ConnectionName,
    kind: FactKind,
    version: &Version,
    now: Timestamp,
) -> Result<(), StoreError> {
    let detail =
        Map::from_iter([("title".to_owned(), json!(version.title)), ("version".to_owned(), json!(version.version))]);
    let fact = Fact::of_no_record(kind, now, &version.hash, detail);
    let entry = JournalEntry { record: None, fact, seen_at: now, agreement: version.hash.clone() };
    journal::append(tx, connection, &[entry]).await
}

fn entry(signature: &Signature) -> JournalEntry {
    let Signature { agreement, party, name, title, on_behalf_of, entered_by, signed_at } = signature;
    let mut detail = Map::from_iter([
        ("party".to_owned(), json!(party)),
        ("name".to_owned(), json!(name)),
        ("by".to_owned(), json!(name)),
        ("title".to_owned(), json!(title)),
        ("entered_by".to_owned(), json!(entered_by)),
    ]);
    on_behalf_of.iter().for_each(|named| drop(detail.insert("on_behalf_of".to_owned(), json!(named))));
    let mut fact = Fact::of_no_record(FactKind::Signed, *signed_at, party.as_str(), detail);
    fact.party = Some(party.clone());
    JournalEntry { record: None, fact, seen_at: *signed_at, agreement: agreement.clone() }
}
