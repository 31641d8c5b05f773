//! What comes from CRMs and what goes to them and to people, as the page and the API list it: what
//! is looked for, and each row in words. How it is laid out is theirs; what is stored is the store's.

pub mod body;
pub mod one;
pub mod words;

use super::cursor;
use super::{Web, people::Names};
use crate::engine::Site;
use crate::engine::replay::Thing;
use crate::engine::switches::Told;
use crate::record::{ConnectionName, EffectKey, RecordKey, Timestamp};
use crate::store::inbox::Kind;
use crate::store::outbox::Lane;
use crate::store::{StoreError, inbox_list, letter_list, lookup, outbox, standing};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

/// So many records may be meant by one name.
const NAMESAKES: u32 = 20;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Tab {
    #[default]
    Outbox,
    Inbox,
    Letters,
}

impl Tab {
    pub const ALL: [Tab; 3] = [Tab::Outbox, Tab::Inbox, Tab::Letters];

    pub fn as_str(self) -> &'static str {
        match self {
            Tab::Outbox => "outbox",
            Tab::Inbox => "inbox",
            Tab::Letters => "letters",
        }
    }

    /// The states that a row of it may be in, what waits for a person first.
    pub fn states(self) -> &'static [&'static str] {
        match self {
            Tab::Outbox => &outbox::STATES,
            Tab::Inbox => &inbox_list::STATES,
            Tab::Letters => &letter_list::STATES,
        }
    }

    /// The sorts of thing in it, as filters name them.
    pub fn sorts(self) -> &'static [&'static str] {
        match self {
            Tab::Outbox => &["read", "write", "notify", "task"],
            Tab::Inbox => &["delivery", "order", "event"],
            Tab::Letters => &[],
        }
    }
}

/// One thing, as an opaque word in an address.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Id {
    pub tab: Tab,
    pub connection: ConnectionName,
    pub key: String,
}

impl Id {
    pub fn word(&self) -> String {
        cursor::write(&(self.tab, &self.connection, &self.key))
    }

    /// The thing that the word names; `None` for one that we did not give out.
    pub fn read(word: &str) -> Option<Self> {
        let (tab, connection, key): (Tab, ConnectionName, String) = cursor::read(word)?;
        // PostgreSQL refuses to compare with such a key.
        (!key.contains('\0')).then_some(Self { tab, connection, key })
    }

    pub fn thing(&self) -> Thing {
        match self.tab {
            Tab::Outbox => Thing::Effect(EffectKey::new(&self.key)),
            Tab::Inbox => Thing::Row(self.key.clone()),
            Tab::Letters => Thing::Letter(self.key.clone()),
        }
    }
}

/// The journal that is told of what people decide about a connection's things.
pub fn chain(site: &Site) -> Told {
    (site.name().clone(), site.agreement.hash.to_string())
}

/// Workers look at once at what is there again.
pub fn wake(site: &Site) {
    site.issued.notify_one();
    site.stirred.notify_one();
}

/// What is looked for, as it stands in an address; what is empty is any.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default)]
pub struct Filter {
    pub tab: Tab,
    pub connection: String,
    pub state: String,
    pub sort: String,
    /// A record by its id in the CRM or its name.
    pub record: String,
    pub after: String,
}

/// Why nothing can be listed.
pub enum Trouble {
    /// The filter is none of ours, with what is wrong with it.
    Unclear(&'static str),
    Store(StoreError),
}

impl From<StoreError> for Trouble {
    fn from(error: StoreError) -> Self {
        Trouble::Store(error)
    }
}

/// A row in words.
#[derive(Clone, Debug, PartialEq)]
pub struct Shown {
    pub id: String,
    pub connection: ConnectionName,
    /// As the table has it.
    pub state: String,
    /// `write`, `notify`, `delivery`, `letter` and the like.
    pub sort: &'static str,
    pub what: String,
    pub to: String,
    /// The record that it is about, where it is one.
    pub record: Option<RecordKey>,
    pub record_name: Option<String>,
    /// When it was received, or came into its state.
    pub at: Timestamp,
    pub attempts: u32,
    /// Not before then, where it waits.
    pub next: Option<Timestamp>,
    /// The last error, or how it ended.
    pub said: Option<String>,
    /// A person has to decide about it.
    pub waits: bool,
}

/// A page of the list, and where the next one begins.
#[derive(Debug, Default)]
pub struct Found {
    pub rows: Vec<Shown>,
    pub next: Option<String>,
}

/// The next rows of what is looked for.
///
/// # Errors
/// A filter that is none of ours; a database that does not answer.
pub async fn list(web: &Web, filter: &Filter, limit: u32) -> Result<Found, Trouble> {
    let sites: Vec<Arc<Site>> = web.engine.sites();
    let wanted = |site: &&Arc<Site>| filter.connection.is_empty() || site.name().as_str() == filter.connection;
    let sites: Vec<Arc<Site>> = sites.iter().filter(wanted).cloned().collect();
    let connections: Vec<ConnectionName> = sites.iter().map(|site| site.name().clone()).collect();
    let state = one_of(Tab::states, filter.tab, &filter.state, "there is no such state")?;
    let sort = one_of(Tab::sorts, filter.tab, &filter.sort, "there is no such kind")?;
    let (Some(state), Some(sort)) = (state, sort) else { return Ok(Found::default()) };
    match filter.tab {
        Tab::Outbox => effects(web, filter, connections, (state, sort), limit).await,
        Tab::Inbox => {
            let kind = match sort {
                Some("delivery") => Some(Kind::Delivery),
                Some("order") => Some(Kind::Order),
                Some("event") => Some(Kind::Event),
                _ => None,
            };
            let wanted = inbox_list::Wanted { connections, state, kind };
            let after: Option<inbox_list::Place> = place(&filter.after)?;
            let mut rows = inbox_list::list(&web.engine.db, &wanted, after.as_ref(), limit + 1).await?;
            let next = cut(&mut rows, limit, |row| cursor::write(&row.place()));
            Ok(Found { rows: words::rows(web, &rows).await?, next })
        }
        Tab::Letters => {
            let after: Option<letter_list::Place> = place(&filter.after)?;
            let mut rows = letter_list::list(&web.engine.db, &connections, state, after.as_ref(), limit + 1).await?;
            let next = cut(&mut rows, limit, |row| cursor::write(&row.place()));
            Ok(Found { rows: rows.iter().map(words::letter).collect(), next })
        }
    }
}

async fn effects(
    web: &Web,
    filter: &Filter,
    connections: Vec<ConnectionName>,
    (state, sort): (Option<&'static str>, Option<&'static str>),
    limit: u32,
) -> Result<Found, Trouble> {
    let db = &web.engine.db;
    let records = match filter.record.trim() {
        "" => None,
        text => Some(lookup::records(db, &connections, text, NAMESAKES).await?),
    };
    let lanes = sort.and_then(Lane::parse).into_iter().collect();
    let wanted = outbox::Wanted { connections, states: state.into_iter().collect(), lanes, records };
    let after: Option<outbox::Place> = place(&filter.after)?;
    let mut rows = outbox::page(db, &wanted, after.as_ref(), limit + 1).await?;
    let next = cut(&mut rows, limit, |row| cursor::write(&row.place()));
    Ok(Found { rows: words::effects(web, &rows).await?, next })
}

/// The word of a list that a filter names: `Some(None)` where it names none, `None` for the word of
/// another list, which nothing in this one has.
fn one_of(
    words: fn(Tab) -> &'static [&'static str],
    tab: Tab,
    text: &str,
    otherwise: &'static str,
) -> Result<Option<Option<&'static str>>, Trouble> {
    let find = |tab: Tab| words(tab).iter().find(|word| **word == text).copied();
    match (text, find(tab)) {
        ("", _) => Ok(Some(None)),
        (_, Some(word)) => Ok(Some(Some(word))),
        _ if Tab::ALL.into_iter().any(|tab| find(tab).is_some()) => Ok(None),
        _ => Err(Trouble::Unclear(otherwise)),
    }
}

fn place<T: DeserializeOwned>(word: &str) -> Result<Option<T>, Trouble> {
    match word {
        "" => Ok(None),
        word => cursor::read(word).map(Some).ok_or(Trouble::Unclear("`after` is not what a page before said")),
    }
}

/// Takes off the row that only shows that there is more; answers where the next page begins.
fn cut<T>(rows: &mut Vec<T>, limit: u32, place: impl Fn(&T) -> String) -> Option<String> {
    let more = rows.len() > limit as usize;
    rows.truncate(limit as usize);
    rows.last().filter(|_| more).map(place)
}

/// What owners and records are called.
pub struct Called {
    pub owners: Names,
    pub records: HashMap<RecordKey, String>,
}

impl Called {
    /// # Errors
    /// When the database cannot be read.
    pub async fn of(web: &Web, records: Vec<RecordKey>) -> Result<Self, StoreError> {
        let connections: BTreeSet<ConnectionName> = records.iter().map(|key| key.connection.clone()).collect();
        let distinct: Vec<RecordKey> = records.into_iter().collect::<BTreeSet<_>>().into_iter().collect();
        let records = standing::names(&web.engine.db, &distinct).await?;
        Ok(Self { owners: Names::load(&web.engine, connections).await?, records })
    }

    /// A record's name; its id where it has none.
    pub fn record<'a>(&'a self, key: &'a RecordKey) -> &'a str {
        let name = self.records.get(key).map(|name| name.trim()).filter(|name| !name.is_empty());
        name.unwrap_or(key.id.as_str())
    }
}
