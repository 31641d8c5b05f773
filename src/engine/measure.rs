//! Reports over all records of a connection: streams what the journal and the standings know, page
//! by page, through the tally. What is counted, and how, is `report`'s.

use crate::agreement::Agreement;
use crate::agreement::parse::parse;
use crate::record::{ConnectionName, FactKind, Fields, Object, RecordId, RecordKey};
use crate::report::figures::Report;
use crate::report::tale::{Entry, Latest, Tale};
use crate::report::tally::{Question, Tally};
use crate::report::terms::Terms;
use crate::store::tale::{TaleRow, Wanted};
use crate::store::{Db, Result, StoreError, agreement, journal, person, tale};
use serde::Deserialize;
use std::sync::Arc;

/// Records in one page.
const PAGE: u32 = 500;

/// The facts that measures look at.
const KINDS: [FactKind; 25] = [
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
const MORE_KINDS: [FactKind; 2] = [FactKind::Assigned, FactKind::Upheld];

/// Those of which the details matter: deadlines, what an import lists, reasons, what is disputed.
const DETAILED: [FactKind; 6] = [
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
        question.names = people.into_iter().map(|p| (p.id, p.name)).collect();
    }
    let until_seq = journal::head(db, &connection).await?.map_or(0, |head| head.seq);
    let kinds: Vec<FactKind> = KINDS.into_iter().chain(MORE_KINDS).collect();
    let mut tally = Tally::new(question);
    // Leads first: opportunities ask what leads they were made of.
    for object in [Object::Lead, Object::Opportunity] {
        let wanted = Wanted { connection: &connection, object, kinds: &kinds, detailed: &DETAILED, until_seq };
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

/// The versions of an agreement that were ever active; `file` where none was. `own`: the connection,
/// when it has an agreement of its own. A version that cannot be read any more is left out, loudly.
///
/// # Errors
/// `Unavailable`.
pub async fn terms(
    db: &Db,
    own: Option<&ConnectionName>,
    file: &Arc<Agreement>,
    include: &(dyn Fn(&str) -> std::result::Result<String, String> + Sync),
) -> Result<Terms> {
    let mut versions = Vec::new();
    for row in agreement::versions(db, own).await? {
        let Some(activated) = row.activated_at else { continue };
        if row.hash == *file.hash {
            versions.push((file.clone(), activated));
            continue;
        }
        match parse(&row.version, &row.text, include) {
            Ok(parsed) => versions.push((Arc::new(parsed.agreement), activated)),
            Err(_) => {
                tracing::warn!(version = %row.version, "a former version of the agreement cannot be read; later ones measure its periods")
            }
        }
    }
    Ok(Terms::of(versions).unwrap_or_else(|| Terms::one(file.clone())))
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

fn from_row(connection: &ConnectionName, object: Object, row: TaleRow) -> Result<Tale> {
    let key = RecordKey { connection: connection.clone(), object, id: RecordId::new(&row.id) };
    let entries = row.facts.into_iter().map(|(fact, seen_at)| Entry { fact, seen_at }).collect();
    let state = row.state.map(|json| {
        serde_json::from_str::<State>(&json)
            .map_err(|e| StoreError::Corrupt(format!("the standing of {key} cannot be read: {e}")))
    });
    let latest = state.transpose()?.filter(|state| state.fields.iter().next().is_some()).map(|state| Latest {
        fields: state.fields,
        unjudged: state.checks.into_iter().map(|check| check.handoff).collect(),
    });
    Ok(Tale { key, entries, latest })
}
