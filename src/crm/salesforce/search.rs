//! Finding records that nobody told us of, by keys instead of query locators, which expire: each page
//! is a query of its own that begins behind the last row of the one before it. Deleted and merged
//! records are found too (`queryAll`), and what people did about records that did not change.

use super::api::{self, Api, quoted};
use super::touches::Policy;
use super::{id, read};
use crate::crm::fields::FieldMap;
use crate::crm::{CrmError, Event, Page, Position, Says, Sought};
use crate::record::{Actor, Object, RecordId, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use std::collections::BTreeSet;

/// Rows of a page: ten reads' worth at most.
const PAGE: usize = 1_000;

/// Where a page begins.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Place {
    /// Behind this row of the object itself or of its activities, by modification time and id.
    Modified { of: Table, at: Timestamp, id: String },
    /// Open records behind this id.
    Open { id: String },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Table {
    Records,
    Tasks,
    Events,
}

pub async fn search(
    api: &Api,
    map: &FieldMap,
    policy: &Policy,
    object: Object,
    sought: Sought,
    from: Option<&Position>,
) -> Result<Page, CrmError> {
    let search = Search { api, map, policy, object };
    let place = match (from, sought) {
        (Some(position), _) => position.place()?,
        (None, Sought::Since(since)) => Place::Modified { of: Table::Records, at: since, id: String::new() },
        (None, Sought::Open) => Place::Open { id: String::new() },
    };
    match (place, sought) {
        (Place::Open { id }, _) => search.open(&id).await,
        (Place::Modified { of: Table::Records, at, id }, Sought::Since(since)) => search.records(at, &id, since).await,
        (Place::Modified { of, at, id }, Sought::Since(since)) => search.activities(of, at, &id, since).await,
        (Place::Modified { .. }, Sought::Open) => {
            Err(CrmError::Never { message: "what was modified need not be open".to_owned() })
        }
    }
}

struct Search<'a> {
    api: &'a Api,
    map: &'a FieldMap,
    policy: &'a Policy,
    object: Object,
}

impl Search<'_> {
    async fn open(&self, above: &str) -> Result<Page, CrmError> {
        let open = match self.object {
            Object::Lead => "IsConverted = false",
            Object::Opportunity => "IsClosed = false",
        };
        let behind = if above.is_empty() { String::new() } else { format!(" AND Id > {}", quoted(above)) };
        let table = read::type_name(self.object);
        let total = match above.is_empty() {
            true => Some(self.api.count(&format!("SELECT COUNT() FROM {table} WHERE {open}")).await?),
            false => None,
        };
        let rows =
            self.api.query(&format!("SELECT Id FROM {table} WHERE {open}{behind} ORDER BY Id LIMIT {PAGE}")).await?;
        let found: Vec<RecordId> = rows.rows.iter().filter_map(|row| Some(id::record(api::text(row, "Id")?))).collect();
        let last = found.last().filter(|_| rows.rows.len() == PAGE);
        let next = last.map(|last| Position::of(&Place::Open { id: last.as_str().to_owned() })).transpose()?;
        Ok(Page { at: rows.at, found, ended: Vec::new(), total, next })
    }

    async fn records(&self, at: Timestamp, above: &str, since: Timestamp) -> Result<Page, CrmError> {
        let master = if self.object == Object::Lead { ",MasterRecordId" } else { "" };
        let table = read::type_name(self.object);
        let select = format!("SELECT Id,SystemModstamp,IsDeleted{master} FROM {table}");
        let rows = self.api.query_all(&page_of(&select, at, above)).await?;
        let (mut found, mut ended) = (Vec::new(), Vec::new());
        for row in &rows.rows {
            match self.ended(row, rows.at) {
                Some(event) => ended.push(event),
                None => found.extend(api::text(row, "Id").map(id::record)),
            }
        }
        let next = self.behind(Table::Records, &rows.rows, since);
        Ok(Page { at: rows.at, found, ended, total: None, next: next.map(|n| Position::of(&n)).transpose()? })
    }

    /// How a row tells that its record is gone: for good, or into the one that it was merged with.
    fn ended(&self, row: &Json, at: Timestamp) -> Option<Event> {
        if api::field(row, "IsDeleted").as_bool() != Some(true) {
            return None;
        }
        let says = match api::text(row, "MasterRecordId") {
            Some(master) => Says::Merged { into: id::record(master) },
            None => Says::Deleted,
        };
        let at = api::time(row, "SystemModstamp").unwrap_or(at);
        let id = id::record(api::text(row, "Id")?);
        Some(Event { object: self.object, id, at, by: Actor::Unknown, says })
    }

    /// The records that tasks or events of this page are about. Deleted ones count too: a count that
    /// was too high is corrected.
    async fn activities(&self, of: Table, at: Timestamp, above: &str, since: Timestamp) -> Result<Page, CrmError> {
        let (table, column) = (of.name(self.object), relation(self.object));
        let select = format!("SELECT Id,{column},SystemModstamp FROM {table}");
        let rows = self.api.query_all_if_visible(&page_of(&select, at, above)).await?;
        let Some(rows) = rows else {
            let next = self.table_behind(of).map(|of| Place::Modified { of, at: since, id: String::new() });
            let next = next.map(|place| Position::of(&place)).transpose()?;
            return Ok(Page { at: self.api.now(), found: Vec::new(), ended: Vec::new(), total: None, next });
        };
        let about = rows.rows.iter().filter_map(|row| api::text(row, column));
        let ours = about.filter(|id| id.starts_with(id::prefix(self.object))).map(id::or_as_is);
        let found: BTreeSet<String> = ours.collect();
        let next = self.behind(of, &rows.rows, since);
        Ok(Page {
            at: rows.at,
            found: found.into_iter().map(RecordId::new).collect(),
            ended: Vec::new(),
            total: None,
            next: next.map(|place| Position::of(&place)).transpose()?,
        })
    }

    /// After a full page the next one of the same table, else the next table from its beginning.
    fn behind(&self, of: Table, rows: &[Json], since: Timestamp) -> Option<Place> {
        let last = rows.last().filter(|_| rows.len() >= PAGE);
        let key = last.and_then(|row| Some((api::time(row, "SystemModstamp")?, api::text(row, "Id")?)));
        match key {
            Some((at, id)) => Some(Place::Modified { of, at, id: id::or_as_is(id) }),
            None => self.table_behind(of).map(|of| Place::Modified { of, at: since, id: String::new() }),
        }
    }

    fn table_behind(&self, of: Table) -> Option<Table> {
        let (tasks, meetings) = self.policy.looks_at(self.map, self.object);
        match of {
            Table::Records if tasks => Some(Table::Tasks),
            Table::Records | Table::Tasks if meetings && of != Table::Events => Some(Table::Events),
            _ => None,
        }
    }
}

impl Table {
    fn name(self, object: Object) -> &'static str {
        match self {
            Table::Records => read::type_name(object),
            Table::Tasks => "Task",
            Table::Events => "Event",
        }
    }
}

/// The activities of a lead name it as who, those of an opportunity as what.
fn relation(object: Object) -> &'static str {
    match object {
        Object::Lead => "WhoId",
        Object::Opportunity => "WhatId",
    }
}

/// By modification time and id, behind this row.
fn page_of(select: &str, at: Timestamp, above: &str) -> String {
    let from = match above.is_empty() {
        true => format!("SystemModstamp >= {at}"),
        false => format!("(SystemModstamp > {at} OR (SystemModstamp = {at} AND Id > {}))", quoted(above)),
    };
    format!("{select} WHERE {from} ORDER BY SystemModstamp, Id LIMIT {PAGE}")
}
