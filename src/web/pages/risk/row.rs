//! One line of the list: an open clock with what is left of its time and what happens next.

use super::super::super::people::Names;
use super::super::super::record::url;
use super::super::record::path;
use crate::agreement::Standing;
use crate::engine::{Engine, Site};
use crate::record::{ConnectionName, EffectKey, OwnerId, RecordKey, Timestamp};
use crate::report::outlook::{self, Left};
use crate::store::clock::{ClockRow, ClockState};
use crate::store::{StoreError, outbox, standing};
use jiff::tz::TimeZone;
use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

pub struct Row {
    pub connection: String,
    pub object: &'static str,
    pub name: String,
    pub story: String,
    /// Where it is opened in the CRM.
    pub url: Option<String>,
    pub stage: String,
    pub clock: String,
    pub party: String,
    pub owner: String,
    pub deadline: String,
    pub left: String,
    /// Of a hundred.
    pub used: u32,
    pub is_late: bool,
    pub next: String,
    pub state: &'static str,
}

/// What the lines need beside the rows.
struct Known {
    names: Names,
    standings: HashMap<RecordKey, Standing>,
    held: HashSet<(ConnectionName, EffectKey)>,
}

/// The rows as they are shown.
///
/// # Errors
/// When the database cannot be read.
pub async fn shown(engine: &Engine, rows: &[ClockRow], now: Timestamp) -> Result<Vec<Row>, StoreError> {
    let known = Known::load(engine, rows).await?;
    Ok(rows.iter().map(|row| known.row(engine, row, now)).collect())
}

impl Known {
    async fn load(engine: &Engine, rows: &[ClockRow]) -> Result<Self, StoreError> {
        let connections: BTreeSet<ConnectionName> = rows.iter().map(|row| row.record.connection.clone()).collect();
        let keys: Vec<RecordKey> =
            rows.iter().map(|row| row.record.clone()).collect::<HashSet<_>>().into_iter().collect();
        let states = standing::load_many(&engine.db, &keys).await?;
        // A standing that cannot be read is the inbox's trouble; the list goes on without it.
        let read = |(key, json): (RecordKey, String)| Some((key, serde_json::from_str(&json).ok()?));
        let standings: HashMap<RecordKey, Standing> = states.into_iter().filter_map(read).collect();
        let mut held = HashSet::new();
        for connection in &connections {
            let of = standings.values().filter(|s| s.key.connection == *connection);
            let issued: Vec<EffectKey> = of.flat_map(issued).cloned().collect();
            let found = outbox::held_of(&engine.db, connection, &issued).await?;
            held.extend(found.into_iter().map(|key| (connection.clone(), key)));
        }
        Ok(Self { names: Names::load(engine, connections).await?, standings, held })
    }

    fn row(&self, engine: &Engine, row: &ClockRow, now: Timestamp) -> Row {
        let key = &row.record;
        let site = engine.site(key.connection.as_str());
        let zone = site.as_ref().map_or(TimeZone::UTC, |site| site.agreement.zone_of(row.party.as_ref()));
        let name = |owner: &OwnerId| self.names.get(&key.connection, owner).unwrap_or(owner.as_str()).to_owned();
        let standing = self.standings.get(key);
        let left = self.left(site.as_ref(), row, now);
        let is_held = standing.is_some_and(|s| issued(s).any(|e| self.is_held(&key.connection, e)));
        Row {
            connection: key.connection.to_string(),
            object: key.object.as_str(),
            name: row.name.clone(),
            story: path(key),
            stage: site.as_ref().zip(standing).map(|(site, s)| stage(site, s)).unwrap_or_default(),
            clock: row.source.clone(),
            party: row.party.as_ref().map(|party| party.as_str().replace('_', " ")).unwrap_or_default(),
            owner: row.owner.as_ref().map_or_else(|| "nobody".to_owned(), name),
            deadline: row.deadline.map_or_else(|| "unknown".to_owned(), |at| at.in_zone(&zone)),
            used: (left.used * 100.0).round() as u32,
            is_late: left.is_late,
            left: left.text,
            next: self.next(site.as_ref(), row, &zone, now),
            state: if is_held { "held" } else { row.state.as_str() },
            url: site.and_then(|site| url(&site, key)),
        }
    }

    fn is_held(&self, connection: &ConnectionName, effect: &EffectKey) -> bool {
        !self.held.is_empty() && self.held.contains(&(connection.clone(), effect.clone()))
    }

    fn left(&self, site: Option<&Arc<Site>>, row: &ClockRow, now: Timestamp) -> Left {
        let run = self.standings.get(&row.record).and_then(|s| s.run(&row.source, row.run));
        if let (Some(site), Some(run)) = (site, run) {
            return outlook::left(&site.agreement, run, now);
        }
        let text = match (row.state, row.deadline) {
            (ClockState::Paused, _) => "stands still".to_owned(),
            (_, None) => String::new(),
            (_, Some(at)) if at >= now => (at - now).to_string(),
            (_, Some(at)) => format!("{} late", now - at),
        };
        let is_late = row.state != ClockState::Paused && row.deadline.is_some_and(|at| at < now);
        Left { text, used: f64::from(u8::from(is_late)), is_late }
    }

    fn next(&self, site: Option<&Arc<Site>>, row: &ClockRow, zone: &TimeZone, now: Timestamp) -> String {
        let Some((site, standing)) = site.zip(self.standings.get(&row.record)) else { return String::new() };
        let Some(run) = standing.run(&row.source, row.run) else { return String::new() };
        next_in_words(site, standing, run, zone, now)
    }
}

/// What happens next to a run, with what holds it up.
pub fn next_in_words(
    site: &Site,
    standing: &Standing,
    run: &crate::agreement::standing::Run,
    zone: &TimeZone,
    now: Timestamp,
) -> String {
    let ahead = outlook::ahead(&site.agreement, run);
    let line = match (run.paused, ahead.is_empty()) {
        (Some(_), _) => "nothing while it is paused".to_owned(),
        (None, true) if run.steps.iter().any(|step| !step.issued.is_empty()) => "what was due is on its way".to_owned(),
        (None, true) => "nothing more by itself".to_owned(),
        (None, false) => outlook::line(&ahead, zone, now),
    };
    let moves = ahead.iter().any(|next| next.moves);
    match standing.excluded.as_ref().filter(|_| moves) {
        Some(order) => format!("{line}. Left alone by order of {}: nothing takes it away", order.by),
        None => line,
    }
}

fn issued(standing: &Standing) -> impl Iterator<Item = &EffectKey> {
    standing.open_runs().flat_map(|run| run.steps.iter().flat_map(|step| step.issued.iter()))
}

fn stage(site: &Site, standing: &Standing) -> String {
    let Some(name) = &standing.stage else { return String::new() };
    let known = site.agreement.stages.iter().find(|s| s.name == *name);
    known.map_or_else(|| name.to_string(), |stage| stage.term.clone())
}
