//! What a review pack is made of, gathered from the tables: measures, open clocks, disputes,
//! attestations, what is held, and why opportunities were lost. Nothing is decided or sent here.

use crate::agreement::Agreement;
use crate::agreement::model::{Ending, Review};
use crate::crm::{Connection, SharedCrm};
use crate::engine::attestation::attested_by;
use crate::engine::measure;
use crate::record::{Elapsed, Fact, FactKind, FieldName, Fields, Object, OwnerId, PartyName, RecordKey, Timestamp};
use crate::report::pack::{Item, Pack};
use crate::report::story::{Told, withdrawn};
use crate::report::tale::Attestation;
use crate::report::tally::Question;
use crate::report::window::Window;
use crate::store::tale::{self, TaleRow, Wanted};
use crate::store::{Db, StoreError, clock, dispute, journal, outbox, person, standing};
use serde::Deserialize;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// Open clocks that are listed; the others are counted.
const LISTED: u32 = 20;
const PAGE: u32 = 500;

/// Which pack.
pub struct Asked<'a> {
    pub db: &'a Db,
    pub agreement: &'a Arc<Agreement>,
    pub connection: &'a Connection,
    /// For links.
    pub crm: &'a SharedCrm,
    /// Other connections share the agreement, so that the pack names its own.
    pub is_shared: bool,
    pub review: &'a Review,
    pub period: Window,
    pub now: Timestamp,
}

impl Asked<'_> {
    /// The scope of what is kept by agreement.
    fn own(&self) -> Option<&crate::record::ConnectionName> {
        self.connection.agreement.is_some().then_some(&self.connection.name)
    }

    fn url(&self, key: &RecordKey) -> Option<String> {
        self.crm.record_url(key.object, &key.id)
    }

    fn shown(&self, at: Timestamp, party: Option<&PartyName>) -> String {
        at.in_zone(&self.agreement.zone_of(party))
    }
}

/// Gathers the pack.
///
/// # Errors
/// When the database is unavailable, or what it holds cannot be read.
pub async fn gather<'a>(asked: &Asked<'a>) -> Result<Pack<'a>, StoreError> {
    let (db, name) = (asked.db, &asked.connection.name);
    let people = person::load_all(db, name).await?;
    let names = person::called(&people);
    let attestations = measure::attestations(db, asked.own(), &asked.period).await?;
    let unattested = unattested(asked, &attestations);
    let question = Question {
        connection: name.clone(),
        terms: measure::terms(db, asked.own(), asked.agreement).await?,
        period: asked.period,
        now: asked.now,
        by: None,
        attestations,
        names: names.clone(),
    };
    let open = clock::count_open(db, name, None).await?;
    let risk = risk(asked, &names).await?;
    Ok(Pack {
        agreement: asked.agreement,
        review: &asked.review.name,
        topics: &asked.review.topics,
        connection: asked.is_shared.then(|| name.to_string()),
        report: measure::measure(db, question).await?,
        more_at_risk: open.runs.saturating_sub(risk.len() as u64),
        risk,
        lost_for: lost_for(asked).await?,
        disputes: disputes(asked).await?,
        unattested,
        held: held(asked).await?,
    })
}

/// The clocks that run out first, or have already.
async fn risk(asked: &Asked<'_>, names: &HashMap<OwnerId, String>) -> Result<Vec<Item>, StoreError> {
    let rows = clock::open_soonest(asked.db, Some(&asked.connection.name), None, LISTED).await?;
    let item = |row: clock::ClockRow| {
        let owner = row.owner.as_ref().map(|id| names.get(id).cloned().unwrap_or_else(|| id.to_string()));
        let due = match row.deadline {
            Some(at) if at <= asked.now => format!("overdue since {}", asked.shown(at, row.party.as_ref())),
            Some(at) => format!("due {}", asked.shown(at, row.party.as_ref())),
            None => "without a deadline yet".to_owned(),
        };
        let paused = if row.state == clock::ClockState::Paused { ", paused" } else { "" };
        let name = if row.name.trim().is_empty() { row.record.id.to_string() } else { row.name.clone() };
        let text = format!("{}, {due}{paused}, {}", row.source, owner.as_deref().unwrap_or("nobody's"));
        Item { name: Some(name), url: asked.url(&row.record), text }
    };
    Ok(rows.into_iter().map(item).collect())
}

async fn disputes(asked: &Asked<'_>) -> Result<Vec<Item>, StoreError> {
    let mut items = Vec::new();
    for row in dispute::undecided(asked.db, &asked.connection.name).await? {
        let until = match row.step_due {
            Some(due) => format!("step {}, until {}", row.step, asked.shown(due, row.party.as_ref())),
            None => "every step is over and nobody decided".to_owned(),
        };
        let what = row.kind.as_str().replace('_', " ");
        let text = format!("{what}, {}: {} ({}); {until}", row.source, row.why, row.by);
        let json = standing::load_one(asked.db, &row.record).await?;
        let name = json.and_then(|json| serde_json::from_str::<crate::agreement::Standing>(&json).ok());
        let name = name.map(|s| s.name().to_owned()).filter(|name| !name.trim().is_empty());
        let name = name.unwrap_or_else(|| row.record.id.to_string());
        items.push(Item { name: Some(name), url: asked.url(&row.record), text });
    }
    Ok(items)
}

/// What nobody attested, of the periods that the pack's period lies in or ends.
fn unattested(asked: &Asked<'_>, answers: &[Attestation]) -> Vec<Item> {
    let (zone, last) = (asked.agreement.zone(), asked.period.until - Elapsed::from_millis(1));
    let attested = asked.agreement.commitments.iter().filter_map(|c| Some((c, attested_by(c)?)));
    let silent = attested.filter_map(|(commitment, period)| {
        let window = Window::containing(period, last, &zone);
        let name = window.to_string();
        if answers.iter().any(|a| a.commitment == commitment.name && a.period_start == window.from) {
            return None;
        }
        let by = commitment.by.as_str().replace('_', " ");
        let how = if window.is_over(asked.now) { "missed" } else { "still possible until its end" };
        Some(Item { name: Some(commitment.name.clone()), url: None, text: format!("{name}, by {by}: {how}") })
    });
    silent.collect()
}

async fn held(asked: &Asked<'_>) -> Result<Vec<Item>, StoreError> {
    let all = outbox::held(asked.db, &asked.connection.name).await?;
    let more = all.len().saturating_sub(LISTED as usize);
    let item = |held: &outbox::WaitingMove| {
        let record = &held.effect.record;
        let name = if held.name.trim().is_empty() { record.id.to_string() } else { held.name.clone() };
        let since = asked.shown(held.since, held.party.as_ref());
        let text = format!("{} for {}, since {since}", held.effect.action.as_str(), held.effect.source);
        Item { name: Some(name), url: asked.url(record), text }
    };
    let mut items: Vec<Item> = all.iter().take(LISTED as usize).map(item).collect();
    if more > 0 {
        items.push(Item::says(format!("and {more} more")));
    }
    Ok(items)
}

/// Why opportunities were lost in the period, the most frequent reason first.
async fn lost_for(asked: &Asked<'_>) -> Result<Vec<(String, u64)>, StoreError> {
    const REASON: &str = "loss_reason";
    let lost = |s: &&crate::agreement::model::Stage| s.ends == Some(Ending::Lost) && s.of == Object::Opportunity;
    let stages: Vec<&str> = asked.agreement.stages.iter().filter(lost).map(|s| s.name.as_str()).collect();
    let mut reasons: BTreeMap<String, u64> = BTreeMap::new();
    if stages.is_empty() || !asked.agreement.dictionary.opportunity.contains_key(REASON) {
        return Ok(Vec::new());
    }
    let name = &asked.connection.name;
    let until_seq = journal::head(asked.db, name).await?.map_or(0, |head| head.seq);
    let kinds = [FactKind::StageEntered, FactKind::Withdrawn];
    let wanted = Wanted {
        connection: name,
        object: Object::Opportunity,
        kinds: &kinds,
        detailed: &[],
        until_seq,
        with_states: true,
    };
    let mut after: Option<String> = None;
    loop {
        let page = tale::page(asked.db, &wanted, after.as_deref(), PAGE).await?;
        after = page.last().map(|row| row.id.clone());
        for row in page.iter().filter(|row| was_lost(row, &stages, &asked.period)) {
            *reasons.entry(reason(row, FieldName::new(REASON))).or_default() += 1;
        }
        if page.len() < PAGE as usize {
            break;
        }
    }
    let mut reasons: Vec<(String, u64)> = reasons.into_iter().collect();
    reasons.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    Ok(reasons)
}

fn was_lost(row: &TaleRow, stages: &[&str], period: &Window) -> bool {
    let told: Vec<Told<'_>> = row.facts.iter().map(|(fact, seen_at)| Told { fact, seen_at: *seen_at }).collect();
    let struck = withdrawn(&told);
    let is_lost = |fact: &Fact| fact.stage.as_ref().is_some_and(|stage| stages.contains(&stage.as_str()));
    told.iter().zip(struck).any(|(told, struck)| {
        !struck && told.fact.kind == FactKind::StageEntered && is_lost(told.fact) && period.contains(told.fact.at)
    })
}

/// The part of a standing that is looked at.
#[derive(Deserialize)]
struct State {
    fields: Fields,
}

/// Empty where nobody gave one, or it was erased.
fn reason(row: &TaleRow, field: FieldName) -> String {
    let state: Option<State> = row.state.as_deref().and_then(|json| serde_json::from_str(json).ok());
    let text = state.and_then(|s| s.fields.get(field).as_text().map(|text| text.trim().to_owned()));
    text.unwrap_or_default()
}
