//! Writes that the CRM refuses one after the other: after five records in a row the same step of the same
//! clock is held, with one alert that says what the CRM says. Nothing is wrong with those leads, but with a
//! field, a rule or a permission. What is held a person lets go (`engine/held.rs`); once one of those is done,
//! the step goes on by itself.

use super::Deliver;
use super::call::Sent;
use super::desk::{Desk, distinct};
use crate::crm::ItemResult;
use crate::engine::alarm::{Said, write};
use crate::engine::batch::tell;
use crate::engine::held::{fact, note};
use crate::engine::letters;
use crate::engine::switches::{self, Setting};
use crate::record::{Action, ConnectionName, Effect, FactKind, RecordKey, Timestamp};
use crate::store::journal::JournalEntry;
use crate::store::outbox::{self, OutboxRow};
use crate::store::{Db, StoreError, Tx, cursor, journal};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// So many records in a row.
const IN_A_ROW: usize = 5;
/// The name under which it is kept what was refused.
const CURSOR: &str = "refusals";
/// What a CRM says may be long.
const MESSAGE: usize = 300;

/// What was refused in a row of one policy, and whether it is held.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Streak {
    /// Which records, until it is held.
    records: BTreeSet<String>,
    /// What the CRM said last.
    pub message: String,
    /// Since when it is held.
    pub held: Option<Timestamp>,
}

/// By policy: the clock, the step and what is done.
pub type Streaks = BTreeMap<String, Streak>;

/// What is known of refusals, read once by each process.
#[derive(Default)]
pub(super) struct Refusals(Option<Streaks>);

/// The policies of which writes are refused, held or not.
///
/// # Errors
/// When the database is unavailable or what it holds cannot be read.
pub async fn streaks(db: &Db, connection: &ConnectionName) -> Result<Streaks, StoreError> {
    let text = cursor::get(db, connection, CURSOR).await?;
    text.map_or(Ok(Streaks::new()), |text| serde_json::from_str(&text))
        .map_err(|e| StoreError::Corrupt(format!("what {connection} refused cannot be read: {e}")))
}

/// What a person ordered themselves is nobody's policy.
fn policy(effect: &Effect) -> Option<String> {
    if let Action::Undo { .. } | Action::Read | Action::Notify { .. } = effect.action {
        return None;
    }
    let parts = [&*effect.source, &*effect.step, effect.action.as_str()];
    Some(parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" / "))
}

/// How one write ended: refused, with the CRM's words, or done.
pub(super) struct Ended {
    policy: String,
    record: RecordKey,
    refused: Option<String>,
}

impl Ended {
    /// `None`: it tells nothing about its policy.
    fn of(effect: &Effect, result: &ItemResult) -> Option<Self> {
        match result {
            ItemResult::Done { .. } => Self::new(effect, None),
            ItemResult::Refused { message } => Self::new(effect, Some(message)),
            ItemResult::Gone { .. } | ItemResult::Later { .. } => None,
        }
    }

    fn new(effect: &Effect, refused: Option<&str>) -> Option<Self> {
        let refused = refused.map(|message| message.chars().take(MESSAGE).collect());
        Some(Self { policy: policy(effect)?, record: effect.record.clone(), refused })
    }
}

/// How the items of a call ended.
pub(super) fn ends(sent: &[Sent<'_>], results: &[ItemResult]) -> Vec<Ended> {
    sent.iter().zip(results).filter_map(|(sent, result)| Ended::of(&sent.row.effect, result)).collect()
}

/// A whole call was refused for this one.
pub(super) fn refused(sent: &[Sent<'_>], message: &str) -> Vec<Ended> {
    sent.iter().filter_map(|sent| Ended::new(&sent.row.effect, Some(message))).collect()
}

/// Counts one end. Answers whether its policy is to be held from now on, or goes on again.
fn count(streaks: &mut Streaks, ended: &Ended, now: Timestamp) -> Option<Verdict> {
    let Some(message) = &ended.refused else {
        let was = streaks.remove(&ended.policy)?;
        return was.held.map(|_| Verdict::GoesOn);
    };
    let streak = streaks.entry(ended.policy.clone()).or_insert_with(|| Streak {
        records: BTreeSet::new(),
        message: String::new(),
        held: None,
    });
    streak.message.clone_from(message);
    if streak.held.is_some() {
        return None;
    }
    streak.records.insert(ended.record.to_string());
    if streak.records.len() < IN_A_ROW {
        return None;
    }
    (streak.held, streak.records) = (Some(now), BTreeSet::new());
    Some(Verdict::Held)
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    Held,
    GoesOn,
}

impl Deliver {
    async fn streaks(&mut self, desk: Desk<'_>) -> Result<&mut Streaks, StoreError> {
        let known = match self.refusals.0.take() {
            Some(known) => known,
            None => streaks(&desk.engine.db, desk.site.name()).await?,
        };
        Ok(self.refusals.0.insert(known))
    }

    /// Counts how writes ended, in the order of the call.
    pub(super) async fn count_refusals(&mut self, desk: Desk<'_>, ends: Vec<Ended>) -> Result<(), StoreError> {
        let now = desk.engine.clock.now();
        let known = self.streaks(desk).await?;
        let before = known.clone();
        let mut turned: BTreeMap<String, Verdict> = BTreeMap::new();
        for ended in &ends {
            if let Some(verdict) = count(known, ended, now) {
                turned.insert(ended.policy.clone(), verdict);
            }
        }
        if *known == before {
            return Ok(());
        }
        let known = known.clone();
        let stored = store(desk, &known, &turned, now).await;
        if stored.is_err() {
            // What is kept is read again.
            self.refusals.0 = None;
        }
        stored
    }

    /// Takes out of these rows what is held since its like is refused. Answers how many.
    pub(super) async fn hold_refused(
        &mut self,
        desk: Desk<'_>,
        rows: &mut Vec<OutboxRow>,
    ) -> Result<usize, StoreError> {
        if !desk.acts || rows.is_empty() {
            return Ok(0);
        }
        let known = self.streaks(desk).await?;
        let why = |effect: &Effect| known.get(&policy(effect)?).filter(|s| s.held.is_some()).map(|s| s.message.clone());
        let held: Vec<(Effect, String)> = rows
            .iter()
            .filter(|row| row.ruling.is_none())
            .filter_map(|row| Some((row.effect.clone(), why(&row.effect)?)))
            .collect();
        if held.is_empty() {
            return Ok(0);
        }
        let keys: BTreeSet<_> = held.iter().map(|(effect, _)| effect.key.clone()).collect();
        rows.retain(|row| !keys.contains(&row.effect.key));
        hold(desk, &held).await
    }
}

async fn store(
    desk: Desk<'_>,
    streaks: &Streaks,
    turned: &BTreeMap<String, Verdict>,
    now: Timestamp,
) -> Result<(), StoreError> {
    let name = desk.site.name();
    let text = serde_json::to_string(streaks).map_err(|e| StoreError::Refused(e.to_string()))?;
    let tells = letters::tells(desk.engine, desk.site, now).await?;
    let mut tx = desk.begin().await?;
    cursor::set(&mut tx, name, CURSOR, &text).await?;
    for (policy, verdict) in turned {
        let message = streaks.get(policy).map_or("", |streak| &streak.message);
        journal_it(&mut tx, desk, (policy, *verdict, message), now).await?;
        if *verdict == Verdict::Held {
            let about = format!("refusals/{policy}");
            write(&mut tx, desk.site, &about, words(name, policy, message), tells, now).await?;
            tracing::error!(connection = %name, policy, "{IN_A_ROW} writes in a row were refused, so that it is held: {message}");
        }
    }
    tx.commit().await
}

async fn journal_it(
    tx: &mut Tx,
    desk: Desk<'_>,
    (policy, verdict, message): (&str, Verdict, &str),
    now: Timestamp,
) -> Result<(), StoreError> {
    let chain = (desk.site.name().clone(), desk.site.agreement.hash.to_string());
    let (to, why) = match verdict {
        Verdict::Held => (format!("{policy} is held"), format!("{IN_A_ROW} were refused in a row: {message}")),
        Verdict::GoesOn => (format!("{policy} goes on"), "one was accepted again".to_owned()),
    };
    let setting = Setting { name: "refusals", to: &to, by: "leadpact", why: &why };
    switches::tell(tx, &chain, &setting, now).await
}

fn words(name: &ConnectionName, policy: &str, message: &str) -> Said {
    Said {
        subject: format!("{name}: `{policy}` is held, since the CRM refuses it"),
        heading: format!("The CRM of {name} refused `{policy}` for {IN_A_ROW} records in a row: {message}."),
        paragraphs: vec![
            "So what falls due of it is held, and everything else goes on. The cause is seldom the records: a rule, a \
             required field or a permission in the CRM."
                .to_owned(),
            format!(
                "Once that is mended, `leadpact release {name}` lets go what is held; when one of it was accepted, the \
                 rest goes on by itself. `leadpact release {name} --list` shows it, --discard gives it up."
            ),
        ],
    }
}

async fn hold(desk: Desk<'_>, effects: &[(Effect, String)]) -> Result<usize, StoreError> {
    let (name, now) = (desk.site.name(), desk.engine.clock.now());
    let mut tx = desk.begin().await?;
    let keys: Vec<_> = effects.iter().map(|(effect, _)| effect.key.clone()).collect();
    let held = outbox::hold_these(&mut tx, name, &keys, now).await?;
    let records = distinct(effects.iter().map(|(effect, _)| effect.record.clone()));
    let batch = desk.load(&mut tx, &records).await?;
    let entry = |(effect, why): &(Effect, String)| {
        let why = format!("its like is refused: {why}");
        let detail = note([("action", effect.action.as_str()), ("why", &why)]);
        JournalEntry {
            record: Some(effect.record.clone()),
            fact: fact(FactKind::Held, now, effect, batch.standing(&effect.record), detail),
            seen_at: now,
            agreement: desk.site.agreement.hash.to_string(),
        }
    };
    let entries: Vec<JournalEntry> = effects.iter().filter(|(e, _)| held.contains(&e.key)).map(entry).collect();
    journal::append(&mut tx, name, &entries).await?;
    tx.commit().await?;
    tell(desk.engine, desk.site, entries);
    Ok(held.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{Object, RecordId};

    fn ended(id: &str, refused: bool) -> Ended {
        let record = RecordKey { connection: ConnectionName::new("acme"), object: Object::Lead, id: RecordId::new(id) };
        Ended { policy: "Follow up / due / recycle".to_owned(), record, refused: refused.then(|| "no".to_owned()) }
    }

    #[test]
    fn five_records_in_a_row_are_held_and_one_that_is_accepted_ends_it() {
        let now = Timestamp::from_millis(0);
        let mut streaks = Streaks::new();
        let mut told = |ids: &[(&str, bool)]| -> Vec<Option<Verdict>> {
            ids.iter().map(|(id, refused)| count(&mut streaks, &ended(id, *refused), now)).collect()
        };
        let four = [("1", true), ("2", true), ("3", true), ("4", true)];
        assert_eq!(told(&four), [None; 4]);
        assert_eq!(told(&[("4", true), ("5", false)]), [None, None], "one record twice is one");
        assert_eq!(told(&four), [None; 4]);
        assert_eq!(told(&[("5", true), ("6", true)]), [Some(Verdict::Held), None]);
        assert_eq!(told(&[("7", false), ("8", false)]), [Some(Verdict::GoesOn), None]);
    }
}
