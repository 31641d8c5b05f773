//! Reports over all records of a connection: streams what the journal and the standings know, page
//! by page, through the tally. What is counted, and how, is `report`'s.

use crate::agreement::Agreement;
use crate::agreement::parse::parse;
use crate::record::{ConnectionName, Elapsed, FactKind, Fields, Object, RecordId, RecordKey, Timestamp};
use crate::report::figures::Report;
use crate::report::tale::{Attestation, Entry, Latest, Tale};
use crate::report::tally::{Question, Tally};
use crate::report::terms::Terms;
use crate::report::window::Window;
use crate::store::attestation::{self, AttestationRow};
use crate::store::tale::{TaleRow, Wanted};
use crate::store::{Db, Result, StoreError, agreement, journal, person, tale};
use serde::Deserialize;
use std::collections::HashMap;
use std::sync::Arc;

/// Records in one page.
const PAGE: u32 = 500;

/// The facts that measures look at.
pub(super) const KINDS: [FactKind; 25] = [
    FactKind::Imported,
    FactKind::PassBegan,
    FactKind::StageEntered,
    FactKind::HandedOver,
    FactKind::DefinitionFailed,
    FactKind::ClockStarted,
    FactKind::Paused,
    FactKind::Resumed,
    FactKind::Met,
    FactKind::MetLate,
    FactKind::Breached,
    FactKind::Withdrawn,
    FactKind::Cancelled,
    FactKind::Transferred,
    FactKind::Answered,
    FactKind::Recycled,
    FactKind::Nurtured,
    FactKind::Recomputed,
    FactKind::ViolationOpened,
    FactKind::ViolationClosed,
    FactKind::Rejected,
    FactKind::Converted,
    FactKind::Merged,
    FactKind::Deleted,
    FactKind::Restored,
];

/// Beside them, what concerns who had the record and what was disputed.
pub(super) const MORE_KINDS: [FactKind; 2] = [FactKind::Assigned, FactKind::Upheld];

/// Those of which the details matter: deadlines, what an import lists, reasons, what is disputed.
pub(super) const DETAILED: [FactKind; 6] = [
    FactKind::Imported,
    FactKind::ClockStarted,
    FactKind::Resumed,
    FactKind::Recomputed,
    FactKind::Rejected,
    FactKind::Upheld,
];

/// Measures one period of one connection. What is journalled while it runs is not looked at.
///
/// # Errors
/// `Unavailable`, `Corrupt`.
pub async fn measure(db: &Db, mut question: Question) -> Result<Report> {
    let connection = question.connection.clone();
    if question.names.is_empty() {
        let people = person::load_all(db, &connection).await?;
        question.names = person::called(&people);
    }
    let until_seq = journal::head(db, &connection).await?.map_or(0, |head| head.seq);
    let kinds: Vec<FactKind> = KINDS.into_iter().chain(MORE_KINDS).collect();
    let mut tally = Tally::new(question);
    // Leads first: opportunities ask what leads they were made of.
    for object in [Object::Lead, Object::Opportunity] {
        let wanted = Wanted {
            connection: &connection,
            object,
            kinds: &kinds,
            detailed: &DETAILED,
            until_seq,
            with_states: true,
        };
        let mut after: Option<String> = None;
        loop {
            let page = tale::page(db, &wanted, after.as_deref(), PAGE).await?;
            after = page.last().map(|row| row.id.clone());
            let is_last = page.len() < PAGE as usize;
            for row in page {
                tally.add(from_row(&connection, object, row)?);
            }
            if is_last {
                break;
            }
        }
    }
    Ok(tally.finish())
}

/// What to ask of a connection: its agreement's versions, what was attested, everything that is known by `now` or was
/// journalled later. `file`: the agreement where no version was ever active. `None`: `period` names no period.
///
/// # Errors
/// `Unavailable`, `Corrupt`.
pub async fn question(
    db: &Db,
    connection: &ConnectionName,
    own: bool,
    file: &Arc<Agreement>,
    (period, now): (&str, Timestamp),
) -> Result<Option<Question>> {
    let own = own.then_some(connection);
    let terms = terms(db, own, file).await?;
    let now = known_until(db, connection, now).await?;
    let Some(period) = Window::named(period, now, &terms.zone()) else { return Ok(None) };
    let attestations = attestations(db, own, &period).await?;
    let connection = connection.clone();
    Ok(Some(Question { connection, terms, period, now, by: None, attestations, names: HashMap::new() }))
}

/// The moment up to which everything is known: now, or the newest entry of the journal where that is
/// later, in a database whose time ran ahead of ours (the demo's does).
///
/// # Errors
/// `Unavailable`, `Corrupt`.
pub async fn known_until(db: &Db, connection: &ConnectionName, now: Timestamp) -> Result<Timestamp> {
    let Some(head) = journal::head(db, connection).await? else { return Ok(now) };
    let last = journal::recent(db, connection, head.seq - 1, 1).await?;
    Ok(last.first().map_or(now, |row| row.entry.seen_at.max(now)))
}

/// The versions of an agreement that were ever active; `file` where none was. `own`: the connection,
/// when it has an agreement of its own. A version that cannot be read any more is left out, loudly.
///
/// # Errors
/// `Unavailable`, `Corrupt`.
pub async fn terms(db: &Db, own: Option<&ConnectionName>, file: &Arc<Agreement>) -> Result<Terms> {
    let mut versions = Vec::new();
    for version in agreement::versions(db, own).await? {
        let Some(activated) = version.activated_at else { continue };
        if version.hash == *file.hash {
            versions.push((file.clone(), activated));
            continue;
        }
        let Some(row) = agreement::load(db, own, &version.hash).await? else { continue };
        let include = |name: &str| row.files.get(name).cloned().ok_or_else(|| "it was not kept".to_owned());
        match parse(&version.version, &row.text, &include) {
            Ok(parsed) => versions.push((Arc::new(parsed.agreement), activated)),
            Err(_) => {
                tracing::warn!(version = %version.version, "a former version of the agreement cannot be read; later ones measure its periods")
            }
        }
    }
    Ok(Terms::of(versions).unwrap_or_else(|| Terms::one(file.clone())))
}

/// How far back a trend looks: six quarters and some.
const TREND: Elapsed = Elapsed::from_secs(86_400 * 31 * 21);

/// What was attested for this period and for those that its trend looks back at.
///
/// # Errors
/// `Unavailable`.
pub async fn attestations(db: &Db, own: Option<&ConnectionName>, period: &Window) -> Result<Vec<Attestation>> {
    let answers = attestation::between(db, own, period.from - TREND, period.until).await?;
    let one = |row: AttestationRow| Attestation {
        commitment: row.commitment,
        period_start: row.period_from,
        answer: row.answer,
        by: row.by,
        at: row.at,
    };
    Ok(answers.into_iter().map(one).collect())
}

/// The part of a standing that measures need; reading only that is much quicker.
#[derive(Deserialize)]
struct State {
    fields: Fields,
    checks: Vec<Check>,
}

#[derive(Deserialize)]
struct Check {
    handoff: Arc<str>,
}

fn state(key: &RecordKey, json: &str) -> Result<State> {
    serde_json::from_str(json).map_err(|e| StoreError::Corrupt(format!("the standing of {key} cannot be read: {e}")))
}

/// What a record's fields are now, by its standing.
pub(super) fn latest_fields(key: &RecordKey, json: &str) -> Result<Fields> {
    Ok(state(key, json)?.fields)
}

pub(super) fn from_row(connection: &ConnectionName, object: Object, row: TaleRow) -> Result<Tale> {
    let key = RecordKey { connection: connection.clone(), object, id: RecordId::new(&row.id) };
    let entries = row.facts.into_iter().map(|(fact, seen_at)| Entry { fact, seen_at }).collect();
    let state = row.state.map(|json| state(&key, &json));
    let latest = state.transpose()?.filter(|state| state.fields.iter().next().is_some()).map(|state| Latest {
        fields: state.fields,
        unjudged: state.checks.into_iter().map(|check| check.handoff).collect(),
    });
    Ok(Tale { key, entries, latest })
}
