//! What a description says about a CRM: how its webhooks are checked and read, which requests it takes
//! and where things stand in its answers. Reading the TOML is done in the files beside this one.

mod authentication;
mod objects;
mod parse;
mod request;

pub use authentication::{Authentication, Grant, OAuth2};
pub use parse::{SHIPPED, parse, shipped};

use super::path::Path;
use super::template::{JsonTemplate, Template};
use super::times::Times;
use crate::crm::connection::{SignatureEncoding, ValueNames};
use crate::record::{FieldName, Object};
use jiff::tz::TimeZone;
use reqwest::Method;
use std::collections::{BTreeMap, BTreeSet};

/// A CRM, described. Holds no secrets and nothing of a connection.
#[derive(Clone, Debug)]
pub struct Description {
    /// What people call the CRM.
    pub name: String,
    /// Where its API is, unless the connection says otherwise; without a slash at its end.
    pub base_url: Option<String>,
    pub times: Times,
    pub authentication: Authentication,
    pub webhook: Webhook,
    pub lead: Option<Record>,
    pub opportunity: Option<Record>,
    pub task: Option<Task>,
    pub people: Option<People>,
    /// What else can own a record.
    pub queues: Option<People>,
    pub whoami: Option<Whoami>,
    pub errors: Errors,
    pub allowance: Allowance,
}

impl Description {
    /// The same for a site whose wall clock is this zone's.
    pub fn in_zone(&mut self, zone: TimeZone) {
        self.webhook.times.zone = zone.clone();
        self.times.zone = zone;
    }

    pub fn record(&self, object: Object) -> Option<&Record> {
        match object {
            Object::Lead => self.lead.as_ref(),
            Object::Opportunity => self.opportunity.as_ref(),
        }
    }
}

/// How the CRM shows that a webhook is its own; the secrets are the connection's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scheme {
    StandardWebhooks,
    HmacSha256 { header: String, encoding: SignatureEncoding, prefix: String },
    Basic,
    Token { header: String, prefix: String },
}

/// Where things stand in a webhook.
#[derive(Clone, Debug)]
pub struct Webhook {
    pub scheme: Scheme,
    /// A list of events; without it the body is one event, or a list of them.
    pub events: Option<Path>,
    pub id: Path,
    pub object: Option<Path>,
    pub objects: BTreeMap<String, Object>,
    pub action: Option<Path>,
    pub actions: BTreeMap<String, Action>,
    pub time: Option<Path>,
    pub times: Times,
    pub by: Option<Path>,
    pub fields: Option<Path>,
    pub into: Option<Path>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    Changed,
    Deleted,
    Restored,
    Merged,
}

/// A lead or an opportunity: what it is called, and the requests for it.
#[derive(Clone, Debug)]
pub struct Record {
    /// What the CRM calls the object, for `{type}`.
    pub type_name: String,
    pub id: Path,
    pub modified: Path,
    /// Set on a record that is there and deleted.
    pub gone: Option<Path>,
    /// Where a person opens it.
    pub web: Option<Template>,
    pub fields: BTreeMap<FieldName, String>,
    pub values: BTreeMap<FieldName, Vec<ValueNames>>,
    /// Logical names (and `id`) of what travels as a number though it is text to us.
    pub numbers: BTreeSet<String>,
    pub status: Option<StatusRule>,
    pub read: Read,
    pub read_many: Option<ReadMany>,
    /// What was modified, each asked after the one before.
    pub search: Vec<Search>,
    /// What is open; without one everything that `search` finds counts as open.
    pub open: Vec<Listing>,
    pub deleted: Vec<Deleted>,
    pub update: Option<Update>,
}

/// An opportunity's status where no field is one: `won`, `lost`, else `open`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatusRule {
    pub from: Path,
    /// In lower case.
    pub won: Vec<String>,
    pub lost: Vec<String>,
}

impl StatusRule {
    pub fn of(&self, value: &str) -> &'static str {
        let value = value.trim().to_lowercase();
        if self.won.contains(&value) {
            "won"
        } else if self.lost.contains(&value) {
            "lost"
        } else {
            "open"
        }
    }
}

/// A request to be filled in.
#[derive(Clone, Debug)]
pub struct Request {
    pub method: Method,
    /// Begins with a slash.
    pub path: Template,
    pub query: Vec<(Template, JsonTemplate)>,
    pub body: Option<JsonTemplate>,
}

/// One record by its id.
#[derive(Clone, Debug)]
pub struct Read {
    pub request: Request,
    pub item: Option<Path>,
}

/// Several records by their ids.
#[derive(Clone, Debug)]
pub struct ReadMany {
    pub request: Request,
    pub batch: usize,
    pub items: Option<Path>,
}

/// Whatever was modified since a moment.
#[derive(Clone, Debug)]
pub struct Search {
    pub list: Listing,
    pub order: Order,
}

/// How a search is sorted by the time of modification, as far as it is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    Unknown,
    /// The CRM cannot ask for "since": it is read until it is older.
    NewestFirst,
    /// Each page begins at the last moment of the one before, so that nothing slips by between them.
    OldestFirst,
}

/// What was deleted since a moment.
#[derive(Clone, Debug)]
pub struct Deleted {
    pub list: Listing,
    pub id: Path,
    /// When it was; else the time of the answer counts.
    pub time: Option<Path>,
}

#[derive(Clone, Debug)]
pub struct Update {
    pub request: Request,
    /// Where the record stands in the answer, if it does.
    pub item: Option<Path>,
}

/// A request that answers in pages.
#[derive(Clone, Debug)]
pub struct Listing {
    pub request: Request,
    pub items: Option<Path>,
    pub paging: Paging,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Paging {
    Single,
    /// Where the answer names the value of the next `{cursor}`.
    Cursor(Path),
    /// Where the answer names the next page's address.
    Link(Path),
    /// The header `Link` names it, as `rel="next"`.
    LinkHeader,
    /// `{offset}` grows by so many, or `{number}` by one, until a page has fewer.
    Offset(u32),
}

#[derive(Clone, Debug)]
pub struct Task {
    /// The CRM shows a task's text as HTML.
    pub html: bool,
    pub create: Request,
    /// Where the new task's id stands.
    pub created_id: Option<Path>,
    /// Without it a task whose making is in doubt could be made twice.
    pub find: FindTask,
}

#[derive(Clone, Debug)]
pub struct FindTask {
    pub list: Listing,
    pub id: Path,
    pub text: Path,
}

/// A list of owners.
#[derive(Clone, Debug)]
pub struct People {
    pub list: Listing,
    pub id: Path,
    pub name: Option<Path>,
    pub email: Option<Path>,
    pub active: Option<Path>,
    pub manager: Option<Path>,
}

/// Whom the CRM takes us for.
#[derive(Clone, Debug)]
pub struct Whoami {
    pub request: Request,
    /// The account's or organisation's id; else the user's.
    pub id: Path,
    /// An owner id.
    pub user: Option<Path>,
}

/// Which statuses mean what, besides what they usually do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Errors {
    pub meaning: BTreeMap<u16, Meaning>,
    /// Where an error's text stands.
    pub message: Option<Path>,
    /// Where an answer says that it was a success.
    pub success: Option<Path>,
    /// A header with seconds to wait, where there is no `Retry-After`.
    pub wait: Option<String>,
}

/// The headers that tell how many calls are left.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Allowance {
    pub day: Option<CallsLeft>,
    /// Of so many seconds.
    pub window: Option<(CallsLeft, u32)>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallsLeft {
    /// A header's name.
    pub limit: String,
    /// A header's name.
    pub left: String,
}

/// What to do about an answer that is no success.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Meaning {
    Later,
    Doubt,
    Never,
    Gone,
    SignIn,
}
