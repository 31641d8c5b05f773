//! Finding records that nobody told us of: what was modified or deleted since a moment, and what is
//! open. A page's place is ours, not only the CRM's: where records may move between two pages, the next
//! one begins at the last moment, or with the last record of the one before.

use super::DescribedCrm;
use super::api::Page as Answered;
use super::description::{Deleted, Listing, Order, Paging, Record, Search};
use super::path::Path;
use super::template::Placeholder;
use crate::crm::{CrmError, Event, Page, Position, Says, Sought};
use crate::record::{Actor, Object, RecordId, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

/// The guard against searches that never end is far above any CRM that is read a record a request.
const MOST_PAGES: u32 = 20_000;
/// What a CRM that cannot be asked for open records is asked for instead: all since 1970.
const EVER: Timestamp = Timestamp::from_millis(0);

/// Which list of the description.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Kind {
    Modified,
    Deleted,
    Open,
}

/// Where a page begins.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Place {
    kind: Kind,
    /// Of several lists of a kind.
    nth: usize,
    /// What is sought, and from where this page looks: later, where a list is sorted.
    from: Timestamp,
    since: Timestamp,
    /// The CRM's own place in the list: a cursor, an address, an offset.
    next: Option<String>,
    /// The last record of the page before, where its place in the list is all that is known of it.
    last: Option<String>,
    /// So many pages were asked for.
    pages: u32,
}

impl Place {
    fn first(kind: Kind, since: Timestamp) -> Self {
        Self { kind, nth: 0, from: since, since, next: None, last: None, pages: 0 }
    }
}

pub(super) async fn search(
    crm: &DescribedCrm,
    object: Object,
    sought: Sought,
    from: Option<&Position>,
) -> Result<Page, CrmError> {
    let Some(record) = crm.api.description().record(object) else {
        // The CRM has no such records.
        return Ok(Page { at: crm.api.http.now(), found: vec![], ended: vec![], total: None, next: None });
    };
    let place = match (from, sought) {
        (Some(position), _) => position.place()?,
        (None, Sought::Open) if !record.open.is_empty() => Place::first(Kind::Open, EVER),
        (None, Sought::Open) => Place::first(Kind::Modified, EVER),
        (None, Sought::Since(since)) => Place::first(Kind::Modified, since),
    };
    if place.pages >= MOST_PAGES {
        return Err(CrmError::Never { message: format!("the search does not end after {MOST_PAGES} pages") });
    }
    let sought = Seeking { crm, object, record, with_deleted: matches!(sought, Sought::Since(_)) };
    sought.page(&place).await
}

struct Seeking<'a> {
    crm: &'a DescribedCrm,
    object: Object,
    record: &'a Record,
    with_deleted: bool,
}

impl Seeking<'_> {
    async fn page(&self, place: &Place) -> Result<Page, CrmError> {
        match place.kind {
            Kind::Modified => match self.record.search.get(place.nth) {
                Some(search) => self.modified(search, place).await,
                None => Err(self.crm.not_described(self.object, "search")),
            },
            Kind::Open => match self.record.open.get(place.nth) {
                Some(list) => self.open(list, place).await,
                None => Err(self.crm.not_described(self.object, "open")),
            },
            Kind::Deleted => match self.record.deleted.get(place.nth) {
                Some(deleted) => self.deleted(deleted, place).await,
                None => Err(self.crm.not_described(self.object, "deleted")),
            },
        }
    }

    async fn modified(&self, search: &Search, place: &Place) -> Result<Page, CrmError> {
        let answered = self.ask(&search.list, place).await?;
        let (items, is_past) = match search.order {
            Order::NewestFirst => self.until_older(&answered.items, place.since),
            Order::OldestFirst | Order::Unknown => (answered.items.as_slice(), false),
        };
        let found = self.ids(items, &self.record.id);
        let next = match search.order {
            _ if is_past => None,
            Order::OldestFirst => self.beyond_moment(&answered, place)?,
            Order::NewestFirst | Order::Unknown => self.onward(&search.list, &self.record.id, &answered, place),
        };
        self.told(place, answered.at, found, Vec::new(), next)
    }

    async fn open(&self, list: &Listing, place: &Place) -> Result<Page, CrmError> {
        let answered = self.ask(list, place).await?;
        let found = self.ids(&answered.items, &self.record.id);
        let next = self.onward(list, &self.record.id, &answered, place);
        self.told(place, answered.at, found, Vec::new(), next)
    }

    async fn deleted(&self, deleted: &Deleted, place: &Place) -> Result<Page, CrmError> {
        let answered = match self.ask(&deleted.list, place).await {
            Ok(answered) => answered,
            // Not everybody may see what was deleted, and what was modified is known by now.
            Err(CrmError::Never { message }) => {
                tracing::warn!(object = %self.object, "what was deleted is not told to us: {message}");
                let at = self.crm.api.http.now();
                return self.told(place, at, Vec::new(), Vec::new(), None);
            }
            Err(error) => return Err(error),
        };
        let times = &self.crm.api.description().times;
        let event = |item: &Json| {
            let at = deleted.time.as_ref().and_then(|path| times.read(path.find(item)?)).unwrap_or(answered.at);
            let id = RecordId::new(deleted.id.id(item)?);
            (at >= place.from).then_some(Event { object: self.object, id, at, by: Actor::Unknown, says: Says::Deleted })
        };
        let ended = answered.items.iter().filter_map(event).collect();
        let next = self.onward(&deleted.list, &deleted.id, &answered, place);
        self.told(place, answered.at, Vec::new(), ended, next)
    }

    /// One page. Where an offset tells the place, it begins with the last record of the page before; if
    /// that is not there, records moved up meanwhile, and the list is begun anew.
    async fn ask(&self, list: &Listing, place: &Place) -> Result<Answered, CrmError> {
        let times = &self.crm.api.description().times;
        let given = || self.crm.given(self.object).with(Placeholder::Since, times.write_bound(place.since));
        let offset = place.next.as_deref().and_then(|next| next.parse::<u64>().ok());
        let (Some(last), Some(offset)) = (place.last.as_deref().filter(|_| anchors(list)), offset) else {
            return Ok(self.crm.api.page(list, given(), place.next.as_deref()).await?);
        };
        let before = offset.saturating_sub(1).to_string();
        let answered = self.crm.api.page(list, given(), Some(&before)).await?;
        let is_there = answered.items.iter().any(|item| self.id_of(place, item).as_deref() == Some(last));
        if is_there {
            return Ok(answered);
        }
        tracing::debug!(object = %self.object, "records moved between two pages: the list is begun anew");
        Ok(self.crm.api.page(list, given(), None).await?)
    }

    fn id_of(&self, place: &Place, item: &Json) -> Option<String> {
        match place.kind {
            Kind::Deleted => self.record.deleted.get(place.nth)?.id.id(item),
            Kind::Modified | Kind::Open => self.record.id.id(item),
        }
    }

    fn ids(&self, items: &[Json], path: &Path) -> Vec<RecordId> {
        let ids: Vec<RecordId> = items.iter().filter_map(|item| path.id(item)).map(RecordId::new).collect();
        let without = items.len() - ids.len();
        if without > 0 {
            tracing::warn!(object = %self.object, without, "items of a search have no id where the description says");
        }
        ids
    }

    fn modified_at(&self, item: &Json) -> Option<Timestamp> {
        self.crm.api.description().times.read(self.record.modified.find(item)?)
    }

    /// The items until the first that is older, and whether there was one.
    fn until_older<'i>(&self, items: &'i [Json], since: Timestamp) -> (&'i [Json], bool) {
        let older = items.iter().position(|item| self.modified_at(item).is_some_and(|at| at < since));
        (&items[..older.unwrap_or(items.len())], older.is_some())
    }

    /// The next page of the same list.
    fn onward(&self, list: &Listing, id: &Path, answered: &Answered, place: &Place) -> Option<Place> {
        let next = answered.next.clone()?;
        let last = answered.items.iter().rev().find_map(|item| id.id(item)).filter(|_| anchors(list));
        Some(Place { next: Some(next), last, ..place.clone() })
    }

    /// The next page of what is sorted: from the last moment on, or further within it.
    fn beyond_moment(&self, answered: &Answered, place: &Place) -> Result<Option<Place>, CrmError> {
        let search = &self.record.search[place.nth];
        let Some(onward) = self.onward(&search.list, &self.record.id, answered, place) else { return Ok(None) };
        let times: Option<Vec<Timestamp>> = answered.items.iter().map(|item| self.modified_at(item)).collect();
        let sorted = times.filter(|times| times.is_sorted());
        let Some(last) = sorted.as_ref().and_then(|times| times.last()) else {
            let message = "the search is said to be `oldest_first`, and its records are not sorted by `modified`";
            return Err(CrmError::Never { message: message.to_owned() });
        };
        let written = |at: Timestamp| self.crm.api.description().times.write(at);
        let is_later = *last > place.since && written(*last) != written(place.since);
        Ok(Some(if is_later { Place { since: *last, next: None, last: None, ..place.clone() } } else { onward }))
    }

    /// What a page told, and where the next one is: in the same list or in the one after it.
    fn told(
        &self,
        place: &Place,
        at: Timestamp,
        found: Vec<RecordId>,
        ended: Vec<Event>,
        next: Option<Place>,
    ) -> Result<Page, CrmError> {
        let next = next.or_else(|| self.list_after(place));
        let next = next.map(|next| Position::of(&Place { pages: place.pages + 1, ..next })).transpose()?;
        Ok(Page { at, found, ended, total: None, next })
    }

    /// The first page of the list that comes after this one.
    fn list_after(&self, place: &Place) -> Option<Place> {
        let lists = match place.kind {
            Kind::Modified => self.record.search.len(),
            Kind::Open => self.record.open.len(),
            Kind::Deleted => self.record.deleted.len(),
        };
        if place.nth + 1 < lists {
            return Some(Place { nth: place.nth + 1, ..Place::first(place.kind, place.from) });
        }
        let deleted = place.kind == Kind::Modified && self.with_deleted && !self.record.deleted.is_empty();
        deleted.then(|| Place::first(Kind::Deleted, place.from))
    }
}

/// The page before can be shown to end where this one begins.
fn anchors(list: &Listing) -> bool {
    matches!(list.paging, Paging::Offset(page) if page > 1) && list.request.uses(Placeholder::Offset)
}
