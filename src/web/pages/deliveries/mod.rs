//! `/deliveries`: what goes out, what comes in, and letters; what waits for a person first. One thing
//! is shown in `one`, what people do about it is in `act`.

mod act;
mod one;

use super::super::Web;
use super::super::deliveries::{self, Filter, Found, Shown, Tab, Trouble, words};
use super::super::routes::{Entry, get, post};
use super::super::session::Visitor;
use super::record::path;
use super::{Nav, html, tell, unavailable};
use crate::record::Timestamp;
use crate::store::role::Permission;
use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::{Data, Query};
use askama::Template;
use jiff::tz::TimeZone;
use serde::Deserialize;
use std::borrow::Cow;
use url::form_urlencoded::Serializer;

pub(super) const ROUTES: &[Entry] = &[
    get("/deliveries", Permission::Look, |route| route.to(all)),
    get("/deliveries/window", Permission::Operate, |route| route.to(act::window)),
    post("/deliveries/window", Permission::Operate, |route| route.to(act::replay_window)),
    get("/deliveries/{id}", Permission::Look, |route| route.to(one::one)),
    post("/deliveries/{id}/replay", Permission::Operate, |route| route.to(act::replay)),
    post("/deliveries/{id}/drop", Permission::Operate, |route| route.to(act::give_up)),
];

const ROWS: u32 = 50;

/// What was done before this page was shown, as it stands in the address.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Done {
    done: String,
    n: u64,
}

impl Done {
    /// Only what we can have done is said.
    pub(super) fn said(&self) -> Option<String> {
        Some(match self.done.as_str() {
            "replayed" => "It is tried again: an effect leaves once it was confirmed on a fresh read.".to_owned(),
            "dropped" => "It is given up for good.".to_owned(),
            "window" if self.n == 1 => "1 thing is tried again.".to_owned(),
            "window" => format!("{} things are tried again.", self.n),
            "nothing" => "Nothing was changed: it does not wait for anybody any more.".to_owned(),
            _ => return None,
        })
    }
}

#[derive(Template)]
#[template(path = "deliveries.html")]
struct Page {
    nav: Nav,
    said: Option<String>,
    may_operate: bool,
    filter: Filter,
    tabs: Vec<TabLink>,
    connections: Vec<String>,
    rows: Vec<Row>,
    /// The address of the next page.
    next: Option<String>,
    is_filtered: bool,
    zone: String,
}

struct TabLink {
    label: &'static str,
    href: String,
    is_here: bool,
}

/// A row with its times and addresses as text.
pub(super) struct Row {
    pub shown: Shown,
    pub link: String,
    pub record: Option<String>,
    pub at: String,
    pub next: Option<String>,
    pub state: String,
}

/// The zone in which times are told: the connection's agreement's.
pub(super) fn zone_of(web: &Web, connection: &str) -> TimeZone {
    let sites = web.engine.sites();
    let site = sites.iter().find(|site| site.name().as_str() == connection).or(sites.first());
    site.map_or(TimeZone::UTC, |site| site.agreement.zone())
}

pub(super) fn told(at: Timestamp, zone: &TimeZone) -> String {
    at.to_jiff().to_zoned(zone.clone()).strftime("%Y-%m-%d %H:%M:%S").to_string()
}

pub(super) fn row(web: &Web, shown: Shown) -> Row {
    let zone = zone_of(web, shown.connection.as_str());
    Row {
        link: format!("/deliveries/{}", shown.id),
        record: shown.record.as_ref().map(path),
        at: told(shown.at, &zone),
        next: shown.next.map(|at| told(at, &zone)),
        state: words::state(&shown.state).to_owned(),
        shown,
    }
}

/// The address of the list under this filter.
pub(super) fn address(filter: &Filter) -> String {
    let mut query = Serializer::new(String::new());
    let fields = [
        ("tab", Cow::from(filter.tab.as_str())),
        ("connection", Cow::from(&filter.connection)),
        ("state", Cow::from(&filter.state)),
        ("sort", Cow::from(&filter.sort)),
        ("record", Cow::from(&filter.record)),
        ("after", Cow::from(&filter.after)),
    ];
    for (name, value) in fields.iter().filter(|(_, value)| !value.is_empty()) {
        query.append_pair(name, value);
    }
    format!("/deliveries?{}", query.finish())
}

async fn all(web: Data<Web>, visitor: Visitor, filter: Query<Filter>, done: Query<Done>) -> HttpResponse {
    match deliveries::list(&web, &filter, ROWS).await {
        Ok(found) => html(StatusCode::OK, &page(&web, &visitor, filter.into_inner(), found, &done)),
        Err(trouble) => troubled(&visitor, &trouble),
    }
}

pub(super) fn troubled(visitor: &Visitor, trouble: &Trouble) -> HttpResponse {
    match trouble {
        Trouble::Store(error) => unavailable(error),
        Trouble::Unclear(why) => {
            let text = format!("The address says something that no list here knows: {why}. Begin again at the menu.");
            tell(visitor, StatusCode::BAD_REQUEST, "No such list", &text)
        }
    }
}

fn page(web: &Web, visitor: &Visitor, filter: Filter, found: Found, done: &Done) -> Page {
    let of = |tab: Tab| TabLink {
        label: match tab {
            Tab::Outbox => "Going out",
            Tab::Inbox => "Coming in",
            Tab::Letters => "Letters",
        },
        href: address(&Filter { tab, connection: filter.connection.clone(), ..Filter::default() }),
        is_here: tab == filter.tab,
    };
    let Filter { state, sort, record, after, .. } = &filter;
    Page {
        nav: Nav::at("/deliveries", visitor),
        said: done.said(),
        may_operate: visitor.may(Permission::Operate),
        tabs: Tab::ALL.map(of).into(),
        connections: web.engine.sites().iter().map(|site| site.name().to_string()).collect(),
        next: found.next.map(|after| address(&Filter { after, ..filter.clone() })),
        rows: found.rows.into_iter().map(|shown| row(web, shown)).collect(),
        is_filtered: [state, sort, record, after, &filter.connection].iter().any(|text| !text.is_empty()),
        zone: zone_of(web, &filter.connection).iana_name().unwrap_or("UTC").to_owned(),
        filter,
    }
}
