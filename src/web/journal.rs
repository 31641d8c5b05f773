//! The journal as page, CSV and API list it: what is looked for, and each entry in words. How it is
//! laid out is theirs.

use super::Web;
use super::deliveries::Called;
use super::people::Names;
use crate::engine::Site;
use crate::record::{Actor, ConnectionName, FactKind, OwnerId, RecordKey, Timestamp};
use crate::report::story::Reader;
use crate::report::words::sentence;
use crate::store::journal::{self, JournalRow, Sought};
use crate::store::{StoreError, lookup};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::sync::Arc;

/// So many records may be meant by one name.
const NAMESAKES: u32 = 20;
/// The clocks of replicas and of whoever runs a command may differ so much, which the search for the first entry of a
/// day allows for.
const SKEW_MS: i64 = 3_600_000;

/// What is looked for, as it stands in an address; what is empty is any.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default)]
pub struct Filter {
    /// Empty: the first one. Each connection has a journal of its own.
    pub connection: String,
    pub kind: String,
    /// A record by its id in the CRM or its name.
    pub record: String,
    /// Who did it: an owner by name or id, `leadpact` or `automation`.
    pub who: String,
    /// A clock, requirement or handoff.
    pub clock: String,
    /// Days in the agreement's zone, both included.
    pub from: String,
    pub until: String,
    pub before: String,
}

impl Filter {
    /// Whether anything narrows the list.
    pub fn narrows(&self) -> bool {
        [&self.kind, &self.record, &self.who, &self.clock, &self.from, &self.until].iter().any(|t| !t.is_empty())
    }
}

/// Why nothing can be listed.
pub enum Trouble {
    Unclear(&'static str),
    Store(StoreError),
}

impl From<StoreError> for Trouble {
    fn from(error: StoreError) -> Self {
        Trouble::Store(error)
    }
}

/// An entry in words.
#[derive(Clone, Debug)]
pub struct Told {
    pub row: JournalRow,
    pub text: String,
    /// Who did it, in words; empty where nobody knows.
    pub who: String,
    pub record_name: Option<String>,
}

/// A question to one connection's journal, ready to be asked page by page.
pub struct Question {
    pub site: Arc<Site>,
    sought: Sought,
    /// Nobody is called so: nothing is found.
    nobody: bool,
}

/// Entries, and before which the next page begins.
pub struct Found {
    pub told: Vec<Told>,
    pub before: Option<i64>,
}

/// What a filter asks.
///
/// # Errors
/// A filter that is none of ours; a database that does not answer.
pub async fn question(web: &Web, filter: &Filter) -> Result<Option<Question>, Trouble> {
    let sites = web.engine.sites();
    let site = match filter.connection.as_str() {
        "" => sites.into_iter().next(),
        name => Some(web.engine.site(name).ok_or(Trouble::Unclear("there is no such connection"))?),
    };
    let Some(site) = site else { return Ok(None) };
    let (db, name) = (&web.engine.db, site.name());
    let zone = site.agreement.zone();
    let mut sought = Sought {
        kind: match filter.kind.as_str() {
            "" => None,
            kind => Some(FactKind::parse(kind).ok_or(Trouble::Unclear("there is no such kind"))?),
        },
        source: Some(filter.clock.clone()).filter(|clock| !clock.is_empty() && !clock.contains('\0')),
        since: day(&filter.from, &zone, false)?,
        until: day(&filter.until, &zone, true)?,
        ..Sought::default()
    };
    if !filter.record.trim().is_empty() {
        sought.records = Some(lookup::records(db, std::slice::from_ref(name), &filter.record, NAMESAKES).await?);
    }
    if let Some(since) = sought.since {
        let early = Timestamp::from_millis(since.as_millis().saturating_sub(SKEW_MS));
        sought.first = Some(journal::seq_at(db, name, early).await?);
    }
    let mut nobody = false;
    if !filter.who.trim().is_empty() {
        sought.actor = actor(web, name, filter.who.trim()).await?;
        nobody = sought.actor.is_none();
    }
    Ok(Some(Question { site, sought, nobody }))
}

/// The first moment of a day, or of the day after it.
fn day(text: &str, zone: &TimeZone, after: bool) -> Result<Option<Timestamp>, Trouble> {
    if text.is_empty() {
        return Ok(None);
    }
    let unclear = || Trouble::Unclear("a day is written like 2027-01-05");
    let date: Date = text.parse().map_err(|_| unclear())?;
    let date = if after { date.tomorrow().map_err(|_| unclear())? } else { date };
    let start = date.to_zoned(zone.clone()).map_err(|_| unclear())?;
    Ok(Some(Timestamp::from_jiff(start.timestamp())))
}

/// Who is meant, as the journal has them. `None`: nobody is called so.
async fn actor(web: &Web, connection: &ConnectionName, text: &str) -> Result<Option<String>, StoreError> {
    let who = match text.to_lowercase().as_str() {
        "leadpact" => Some(Actor::Leadpact),
        "automation" => Some(Actor::Automation),
        _ => {
            let names = Names::load(&web.engine, BTreeSet::from([connection.clone()])).await?;
            names.find(connection, text).map(Actor::Person)
        }
    };
    Ok(who.and_then(|who| serde_json::to_string(&who).ok()))
}

impl Question {
    /// The next entries before one, the newest first.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn ask(&self, web: &Web, before: Option<i64>, limit: u32) -> Result<Found, StoreError> {
        if self.nobody {
            return Ok(Found { told: Vec::new(), before: None });
        }
        let before = match (before, self.sought.until) {
            (None, Some(until)) => {
                let late = Timestamp::from_millis(until.as_millis().saturating_add(SKEW_MS));
                Some(journal::seq_at(&web.engine.db, self.site.name(), late).await?)
            }
            (known, _) => known,
        };
        let page = journal::list(&web.engine.db, self.site.name(), &self.sought, before, limit).await?;
        Ok(Found { told: self.tell(web, page.rows).await?, before: page.before })
    }

    async fn tell(&self, web: &Web, rows: Vec<JournalRow>) -> Result<Vec<Told>, StoreError> {
        let (agreement, name) = (&self.site.agreement, self.site.name());
        let records: Vec<RecordKey> = rows.iter().filter_map(|row| row.entry.record.clone()).collect();
        let mut called = Called::of(web, records).await?;
        called.owners = Names::load(&web.engine, BTreeSet::from([name.clone()])).await?;
        let zone = agreement.zone();
        let name_of = |id: &OwnerId| called.owners.get(name, id).map(str::to_owned);
        let reader = Reader { agreement, zone: &zone, name_of: &name_of };
        let told = |row: JournalRow| Told {
            text: sentence(&reader, &row.entry.fact),
            who: who(&row, &name_of),
            record_name: row.entry.record.as_ref().map(|key| called.record(key).to_owned()),
            row,
        };
        Ok(rows.into_iter().map(told).collect())
    }
}

/// Who did it: what people ordered or signed names them in its detail.
fn who(row: &JournalRow, name_of: &dyn Fn(&OwnerId) -> Option<String>) -> String {
    let fact = &row.entry.fact;
    if let Some(by) = fact.detail.get("by").and_then(serde_json::Value::as_str).filter(|by| !by.is_empty()) {
        return by.to_owned();
    }
    match &fact.by {
        Actor::Unknown => String::new(),
        Actor::Person(id) => name_of(id).unwrap_or_else(|| id.to_string()),
        Actor::Automation => "an automation".to_owned(),
        Actor::Leadpact => "leadpact".to_owned(),
    }
}
