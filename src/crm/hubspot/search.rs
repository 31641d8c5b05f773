//! Finding records that nobody told us of: what was modified since a moment, by HubSpot's search and
//! its list of archived records, and what is open. A search ends at 10,000 records, so that each page
//! knows where the next one begins without it.

use super::HubSpot;
use super::api::ObjectType;
use super::read::Row;
use super::task::Paging;
use crate::crm::http::Answer;
use crate::crm::{CrmError, Event, Page, Position, Says, Sought};
use crate::record::field::well_known;
use crate::record::{Actor, Elapsed, Object, RecordId, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// Most records of a page, and of all pages of one query.
const PAGE: u64 = 200;
const MOST_FOUND: u64 = 10_000;
/// Most records of a page of the list of archived ones.
const ARCHIVED_PAGE: u64 = 100;
/// Five searches a second are allowed, and no header tells how many are left.
const SPACE: Duration = Duration::from_millis(220);
/// The list of archived records knows no order and no filter, so it is looked through this seldom.
const ARCHIVES: Elapsed = Elapsed::from_secs(3600);
/// Ids of records that were merged into this one, separated by semicolons.
const MERGED: &str = "hs_merged_object_ids";
const ID: &str = "hs_object_id";
/// Most stages that a filter may name, by the limit of 3,000 characters a search.
const MOST_STAGES: usize = 60;

/// Where a page begins.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Place {
    /// Modified at `from` (milliseconds) or later, by the time of it; so many of these are known.
    Window { from: i64, after: u64 },
    /// More were modified at one moment than a query finds: these, by their ids.
    Moment { at: i64, above: u64 },
    /// Archived records, from HubSpot's own place on.
    Archived { after: Option<String> },
    /// Open records, by their ids.
    Open { above: u64 },
}

/// When the archived records of each object were last looked through, by the CRM's clock.
#[derive(Default)]
pub(super) struct Archives(Mutex<BTreeMap<Object, Timestamp>>);

impl Archives {
    fn are_due(&self, object: Object, now: Timestamp) -> bool {
        let looked = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        looked.get(&object).is_none_or(|at| now - *at >= ARCHIVES)
    }

    fn looked(&self, object: Object, now: Timestamp) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(object, now);
    }
}

#[derive(Deserialize)]
struct Found {
    total: Option<u64>,
    #[serde(default)]
    results: Vec<Row>,
    paging: Option<Paging>,
}

impl Found {
    fn after(&self) -> Option<&str> {
        self.paging.as_ref()?.next.as_ref().map(|next| next.after.as_str())
    }
}

pub(super) async fn search(
    crm: &HubSpot,
    object: Object,
    sought: Sought,
    from: Option<&Position>,
) -> Result<Page, CrmError> {
    let place = match (from, sought) {
        (Some(position), _) => position.place()?,
        (None, Sought::Since(since)) => Place::Window { from: since.as_millis(), after: 0 },
        (None, Sought::Open) => Place::Open { above: 0 },
    };
    if from.is_some() {
        tokio::time::sleep(SPACE).await;
    }
    let search = Search { crm, object, of: crm.object_type(object) };
    match (place, sought) {
        (Place::Window { from, after }, _) => search.window(from, after).await,
        (Place::Moment { at, above }, _) => search.moment(at, above).await,
        (Place::Archived { after }, Sought::Since(since)) => search.archived(since, after.as_deref()).await,
        (Place::Archived { .. }, Sought::Open) => {
            Err(CrmError::Never { message: "archived records are not open".to_owned() })
        }
        (Place::Open { above }, _) => search.open(above).await,
    }
}

struct Search<'a> {
    crm: &'a HubSpot,
    object: Object,
    of: ObjectType,
}

impl Search<'_> {
    async fn window(&self, from: i64, after: u64) -> Result<Page, CrmError> {
        let modified = self.of.modified_property();
        let filters = json!([filter(modified, "GTE", &from.to_string())]);
        let (answer, found) = self.ask(filters, modified, after).await?;
        let next = match found.after().map(|after| after.parse::<u64>()) {
            None => self.archives(answer.at),
            Some(Ok(after)) if after + PAGE <= MOST_FOUND => Some(Place::Window { from, after }),
            Some(_) => Some(self.beyond(from, &found)?),
        };
        self.page(&answer, &found, next)
    }

    /// The query ends before the records do: a new one begins at the last one's moment.
    fn beyond(&self, from: i64, found: &Found) -> Result<Place, CrmError> {
        let last = found.results.last().and_then(|row| self.modified(row)).map(Timestamp::as_millis);
        match last {
            Some(last) if last > from => Ok(Place::Window { from: last, after: 0 }),
            Some(last) => Ok(Place::Moment { at: last, above: 0 }),
            None => Err(CrmError::Never { message: "a record was found without its modification time".to_owned() }),
        }
    }

    async fn moment(&self, at: i64, above: u64) -> Result<Page, CrmError> {
        let modified = self.of.modified_property();
        let filters = json!([filter(modified, "EQ", &at.to_string()), filter(ID, "GT", &above.to_string())]);
        let (answer, found) = self.ask(filters, ID, 0).await?;
        let next = match last_id(&found) {
            Some(above) if found.after().is_some() => Place::Moment { at, above },
            _ => Place::Window { from: at + 1, after: 0 },
        };
        self.page(&answer, &found, Some(next))
    }

    async fn open(&self, above: u64) -> Result<Page, CrmError> {
        let mut filters = vec![filter(ID, "GT", &above.to_string())];
        filters.extend(self.is_open().await?);
        let (answer, found) = self.ask(Json::Array(filters), ID, 0).await?;
        let next = last_id(&found).filter(|_| found.after().is_some()).map(|above| Place::Open { above });
        self.page(&answer, &found, next)
    }

    /// Leads that have a status at all, deals whose stage is not closed.
    async fn is_open(&self) -> Result<Option<Json>, CrmError> {
        if self.object == Object::Lead {
            let status = self.crm.fields.by_name(Object::Lead, well_known().status);
            return Ok(status.map(|f| json!({ "propertyName": f.crm_name, "operator": "HAS_PROPERTY" })));
        }
        if !self.crm.pipelines.is_fresh(self.crm.api.http.now()) {
            super::read::know_stages(self.crm, &["any"], self.crm.api.http.now()).await?;
        }
        let closed = self.crm.pipelines.closed();
        let can_be_named = !closed.is_empty() && closed.len() <= MOST_STAGES;
        let filter = || json!({ "propertyName": super::read::DEAL_STAGE, "operator": "NOT_IN", "values": closed });
        Ok(can_be_named.then(filter))
    }

    async fn ask(&self, filters: Json, sort: &str, after: u64) -> Result<(Answer, Found), CrmError> {
        let mut body = json!({
            "filterGroups": [{ "filters": filters }],
            "sorts": [{ "propertyName": sort, "direction": "ASCENDING" }],
            "properties": [self.of.modified_property(), MERGED],
            "limit": PAGE,
        });
        if after > 0 {
            body["after"] = after.to_string().into();
        }
        let answer = self.crm.api.post(&self.crm.api.objects(&format!("{}/search", self.of.path())), &body).await?;
        let found = answer.json()?;
        Ok((answer, found))
    }

    fn archives(&self, now: Timestamp) -> Option<Place> {
        self.crm.archives.are_due(self.object, now).then_some(Place::Archived { after: None })
    }

    /// An hour further back than what is sought, since they are looked through once an hour.
    async fn archived(&self, since: Timestamp, after: Option<&str>) -> Result<Page, CrmError> {
        let path = format!("{}?archived=true&limit={ARCHIVED_PAGE}", self.of.path());
        let mut url = self.crm.api.objects(&path);
        if let Some(after) = after {
            url.extend(["&after=", &crate::crm::http::encoded(after)]);
        }
        let answer = self.crm.api.get(&url).await?;
        let found: Found = answer.json()?;
        let next = found.after().map(|after| Place::Archived { after: Some(after.to_owned()) });
        if next.is_none() {
            self.crm.archives.looked(self.object, answer.at);
        }
        let when = |row: &Row| Timestamp::parse(row.archived_at.as_deref()?);
        let lately = |row: &Row| when(row).filter(|at| *at >= since - ARCHIVES);
        let ended = found.results.iter().filter_map(|row| Some(self.event(&row.id, lately(row)?, Says::Deleted)));
        let next = next.map(|place| Position::of(&place)).transpose()?;
        Ok(Page { at: answer.at, found: Vec::new(), ended: ended.collect(), total: None, next })
    }

    fn page(&self, answer: &Answer, found: &Found, next: Option<Place>) -> Result<Page, CrmError> {
        let ended = found.results.iter().flat_map(|row| self.merged_into(row, answer.at)).collect();
        Ok(Page {
            at: answer.at,
            found: found.results.iter().map(|row| RecordId::new(&row.id)).collect(),
            ended,
            total: found.total,
            next: next.map(|place| Position::of(&place)).transpose()?,
        })
    }

    /// When they were is not told; the survivor was modified by it, then or before.
    fn merged_into(&self, row: &Row, at: Timestamp) -> Vec<Event> {
        let at = self.modified(row).unwrap_or(at);
        let losers = row.text(MERGED).unwrap_or_default().split(';').map(str::trim);
        let losers = losers.filter(|id| !id.is_empty() && *id != row.id);
        losers.map(|id| self.event(id, at, Says::Merged { into: RecordId::new(&row.id) })).collect()
    }

    fn event(&self, id: &str, at: Timestamp, says: Says) -> Event {
        Event { object: self.object, id: RecordId::new(id), at, by: Actor::Unknown, says }
    }

    fn modified(&self, row: &Row) -> Option<Timestamp> {
        row.time(self.of.modified_property()).or_else(|| row.updated())
    }
}

fn filter(property: &str, operator: &str, value: &str) -> Json {
    json!({ "propertyName": property, "operator": operator, "value": value })
}

/// The greatest id of a page that is sorted by it.
fn last_id(found: &Found) -> Option<u64> {
    found.results.last().and_then(|row| row.id.parse().ok())
}
