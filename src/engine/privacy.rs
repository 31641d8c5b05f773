//! Privacy deletions: everything that is kept of one record's person goes, in one transaction. What
//! stays is that the record was there and when its clocks ended, without a value; its standing is a
//! tombstone, so that nothing that is still on its way brings anything back.

use super::batch::{Batch, BatchError};
use super::context::Site;
use crate::agreement::Standing;
use crate::crm::salesforce::id;
use crate::crm::{Event, VerifiedDelivery};
use crate::record::field::well_known;
use crate::record::{Fact, FactKind, Order, RecordKey, Timestamp};
use crate::store::inbox::{self, InboxRow, Kind, NewDelivery};
use crate::store::journal::{self, JournalEntry};
use crate::store::{StoreError, Tx, privacy};
use std::collections::BTreeSet;

/// Texts shorter than this could be anybody's.
const SHORTEST: usize = 4;
const ERASED: &str = "(erased)";

/// What a transaction erases, and what it needs for it once everything else is saved.
#[derive(Default)]
pub(super) struct Erasure {
    /// With who asked, where somebody of ours did.
    records: Vec<(RecordKey, Option<String>)>,
    /// Names and addresses that letters may hold.
    texts: BTreeSet<String>,
    emails: BTreeSet<String>,
    /// Erased before, and spoken of again.
    again: BTreeSet<RecordKey>,
}

impl Erasure {
    pub fn is_empty(&self) -> bool {
        self.records.is_empty() && self.again.is_empty()
    }

    /// Something was told about a record that was erased before.
    pub fn spoken_of(&mut self, key: &RecordKey) {
        self.again.insert(key.clone());
    }

    /// Forgets the record and all that were merged into it.
    ///
    /// # Errors
    /// When the database is unavailable, or the record's decision failed.
    pub async fn add(
        &mut self,
        batch: &mut Batch<'_>,
        tx: &mut Tx,
        key: &RecordKey,
        at: Timestamp,
        by: Option<&str>,
    ) -> Result<(), BatchError> {
        let mut keys = privacy::merged_into(tx, key).await?;
        keys.push(key.clone());
        batch.load_more(tx, &keys).await?;
        for key in keys {
            if batch.is_erased(&key) {
                self.spoken_of(&key);
                continue;
            }
            self.note_texts(batch.standing(&key));
            self.records.push((key.clone(), by.map(str::to_owned)));
            batch.erase(tx, &key, at).await?;
        }
        Ok(())
    }

    fn note_texts(&mut self, standing: Option<&Standing>) {
        let w = well_known();
        let Some(standing) = standing else { return };
        let text = |name| standing.fields.get(name).as_text().map(str::trim).filter(|t| t.len() >= SHORTEST);
        self.texts.extend([w.name, w.email].into_iter().filter_map(text).map(str::to_owned));
        self.emails.extend(text(w.email).map(str::to_owned));
    }

    /// Erases what the tables hold. Call it after the batch was saved and the rows that it applied were
    /// marked.
    ///
    /// # Errors
    /// When the database is unavailable.
    pub async fn finish(self, tx: &mut Tx, site: &Site, now: Timestamp) -> Result<(), StoreError> {
        for (key, by) in &self.records {
            privacy::erase(tx, key).await?;
            scrub_inbox(tx, site, key).await?;
            journal(tx, site, key, by.as_deref(), now).await?;
            tracing::info!(record = %key, "what was kept of the person was erased");
        }
        for key in &self.again {
            scrub_inbox(tx, site, key).await?;
        }
        for text in &self.texts {
            scrub_letters(tx, site, text).await?;
        }
        for email in &self.emails {
            privacy::forget_person(tx, site.name(), email).await?;
        }
        Ok(())
    }
}

async fn journal(
    tx: &mut Tx,
    site: &Site,
    key: &RecordKey,
    by: Option<&str>,
    now: Timestamp,
) -> Result<(), StoreError> {
    let detail = by.map(|by| ("by".to_owned(), by.into())).into_iter().collect();
    let fact = Fact::of_no_record(FactKind::Erased, now, "", detail);
    let agreement = site.agreement.hash.to_string();
    let entry = JournalEntry { record: Some(key.clone()), fact, seen_at: now, agreement };
    journal::append(tx, site.name(), &[entry]).await
}

/// Takes the record out of what was received: a body that speaks of it is emptied, and what it tells of
/// other records is kept as the events that it told, in the same state.
async fn scrub_inbox(tx: &mut Tx, site: &Site, key: &RecordKey) -> Result<(), StoreError> {
    let stem = stem(key.id.as_str());
    for (row, state) in privacy::inbox_with(tx, site.name(), stem).await? {
        if !mentions(&row.body, key.id.as_str()) {
            continue;
        }
        let others = others(site, &row, key);
        privacy::empty_inbox(tx, site.name(), &row.id).await?;
        let ids = keep(tx, site, &row, &others).await?;
        let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
        match state.as_str() {
            "applied" => inbox::applied(tx, site.name(), &ids).await?,
            "parked" => {
                for id in ids {
                    let why = row.error.as_deref().unwrap_or("parked with the delivery that it came in");
                    inbox::park(tx, site.name(), id, why).await?;
                }
            }
            _ => {}
        }
    }
    Ok(())
}

/// What a delivery tells of other records.
fn others(site: &Site, row: &InboxRow, key: &RecordKey) -> Vec<Event> {
    if row.kind != Kind::Delivery {
        return Vec::new();
    }
    let delivery = VerifiedDelivery::from_inbox(row.body.clone().into_bytes());
    let events = site.crm.events(&delivery).map(|events| events.events).unwrap_or_default();
    events.into_iter().filter(|event| (event.object, &event.id) != (key.object, &key.id)).collect()
}

async fn keep(tx: &mut Tx, site: &Site, row: &InboxRow, events: &[Event]) -> Result<Vec<String>, StoreError> {
    let mut ids = Vec::with_capacity(events.len());
    for event in events {
        let body = serde_json::to_string(event).map_err(|e| StoreError::Refused(e.to_string()))?;
        let connection = site.name().clone();
        let new = NewDelivery { connection, delivery_id: None, kind: Kind::Event, body, received_at: row.received_at };
        ids.push(inbox::insert(tx, &new).await?);
    }
    Ok(ids)
}

/// What every spelling of an id begins with: Salesforce's may come with or without its suffix.
fn stem(id: &str) -> &str {
    if is_salesforce(id) { &id[..15] } else { id }
}

fn is_salesforce(id: &str) -> bool {
    id.len() == 18 && id::normalise(id).as_deref() == Some(id)
}

/// Whether a text names the record: its id and not a longer one.
fn mentions(text: &str, id: &str) -> bool {
    let (stem, suffix) = id.split_at(stem(id).len());
    text.match_indices(stem).any(|(at, _)| {
        let before = text[..at].chars().next_back();
        let rest = &text[at + stem.len()..];
        let rest = rest.strip_prefix(suffix).unwrap_or(rest);
        let continues = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
        !continues(before) && !continues(rest.chars().next())
    })
}

/// Letters that were sent need their text no more; of those that wait, the name is taken out.
async fn scrub_letters(tx: &mut Tx, site: &Site, text: &str) -> Result<(), StoreError> {
    for spelling in spellings(text) {
        for letter in privacy::letters_with(tx, site.name(), &spelling).await? {
            let body = (!letter.ended).then(|| letter.body.replace(&spelling, ERASED));
            privacy::replace_letter(tx, site.name(), &letter.key, body.as_deref()).await?;
        }
    }
    Ok(())
}

/// A text as JSON, HTML and Slack write it.
fn spellings(text: &str) -> BTreeSet<String> {
    let slack = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let html = slack.replace('"', "&quot;").replace('\'', "&#39;");
    let quoted = |text: &str| serde_json::to_string(text).map(|t| t.trim_matches('"').to_owned()).unwrap_or_default();
    [text, &slack, &html].into_iter().flat_map(|t| [t.to_owned(), quoted(t)]).filter(|t| !t.is_empty()).collect()
}

/// Whether this order erases.
pub(super) fn is_erasure(order: &Order) -> bool {
    order.ask == crate::record::Ask::Erase
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_not_found_in_a_longer_one() {
        assert!(mentions(r#"{"objectId":70110001,"#, "70110001"));
        assert!(!mentions(r#"{"objectId":701100012}"#, "70110001"));
        assert!(!mentions(r#"{"occurredAt":170110001}"#, "70110001"));
    }

    #[test]
    fn a_salesforce_id_is_found_in_either_length() {
        let id = "00Q5g00000LeAd1EAF";
        assert!(mentions("<sf:Id>00Q5g00000LeAd1EAF</sf:Id>", id));
        assert!(mentions("<sf:Id>00Q5g00000LeAd1</sf:Id>", id));
        assert!(!mentions("<sf:Id>00Q5g00000LeAd1XYZ</sf:Id>", id));
        assert!(!mentions("<sf:Id>00Q5g00000lead1</sf:Id>", id));
    }

    #[test]
    fn a_name_is_found_however_it_is_written() {
        let all = spellings("Zoë \"Z\" O'Hara & <Co>");
        assert!(all.contains("Zoë \\\"Z\\\" O'Hara & <Co>"), "{all:?}");
        assert!(all.contains("Zoë &quot;Z&quot; O&#39;Hara &amp; &lt;Co&gt;"), "{all:?}");
    }
}
