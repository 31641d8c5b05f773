//! `/journal`: every fact, the newest first, searched and filtered; the walk along the hash chain. The
//! same entries as CSV are written in `journal_csv`.

use super::super::Web;
use super::super::audit::{Walked, Walking};
use super::super::journal::{Filter, Question, Told, Trouble, question};
use super::super::journal_csv;
use super::super::routes::{Entry, get, post};
use super::super::session::Visitor;
use super::record::path;
use super::{Nav, html, tell, unavailable};
use crate::record::{FactKind, Timestamp};
use crate::store::role::Permission;
use actix_web::HttpResponse;
use actix_web::http::{StatusCode, header};
use actix_web::web::{Data, Form, Query};
use askama::Template;
use jiff::tz::TimeZone;
use serde::Deserialize;
use url::form_urlencoded::Serializer;

pub(super) const ROUTES: &[Entry] = &[
    get("/journal", Permission::Look, |route| route.to(entries)),
    get("/journal.csv", Permission::Look, |route| route.to(download)),
    post("/journal/verify", Permission::Look, |route| route.to(verify)),
];

const ROWS: u32 = 100;
/// Of a hash or a version so much is shown.
const SHORT: usize = 12;

#[derive(Template)]
#[template(path = "journal.html")]
struct Page {
    nav: Nav,
    filter: Filter,
    connection: String,
    connections: Vec<String>,
    kinds: Vec<(&'static str, String)>,
    clocks: Vec<String>,
    rows: Vec<Row>,
    /// The address of the next page.
    next: Option<String>,
    csv: String,
    here: String,
    zone: String,
    walk: Walk,
}

struct Row {
    seq: i64,
    at: String,
    /// Where it was learned of more than a minute later.
    seen_at: Option<String>,
    text: String,
    record: Option<(String, String)>,
    who: String,
    erased: bool,
    agreement: String,
    hash: String,
}

/// What is known of the chain.
struct Walk {
    going: Option<Walking>,
    /// It is another connection's.
    elsewhere: bool,
    last: Option<Last>,
}

struct Last {
    at: String,
    holds: bool,
    text: String,
    head: Option<String>,
}

async fn entries(web: Data<Web>, visitor: Visitor, filter: Query<Filter>) -> HttpResponse {
    match page(&web, &visitor, filter.into_inner()).await {
        Ok(Some(page)) => html(StatusCode::OK, &page),
        Ok(None) => {
            let text = "Connect a CRM first: leadpact init writes the configuration, leadpact doctor looks at it.";
            tell(&visitor, StatusCode::OK, "There is no connection yet", text)
        }
        Err(trouble) => troubled(&visitor, &trouble),
    }
}

fn troubled(visitor: &Visitor, trouble: &Trouble) -> HttpResponse {
    match trouble {
        Trouble::Store(error) => unavailable(error),
        Trouble::Unclear(why) => {
            let text = format!("The address says something that no list here knows: {why}. Begin again at the menu.");
            tell(visitor, StatusCode::BAD_REQUEST, "No such list", &text)
        }
    }
}

async fn page(web: &Web, visitor: &Visitor, filter: Filter) -> Result<Option<Page>, Trouble> {
    let before = match filter.before.as_str() {
        "" => None,
        text => Some(text.parse().map_err(|_| Trouble::Unclear("`before` is not what a page before said"))?),
    };
    let Some(question) = question(web, &filter).await? else { return Ok(None) };
    let found = question.ask(web, before, ROWS).await?;
    let agreement = &question.site.agreement;
    let zone = agreement.zone();
    let connection = question.site.name().to_string();
    let handoffs = agreement.handoffs.iter().map(|handoff| handoff.name.to_string());
    let mut clocks: Vec<String> = agreement.clocks.iter().map(|c| c.name.to_string()).chain(handoffs).collect();
    clocks.sort();
    clocks.dedup();
    let mut kinds: Vec<_> = FactKind::ALL.iter().map(|k| (k.as_str(), k.as_str().replace('_', " "))).collect();
    kinds.sort();
    Ok(Some(Page {
        nav: Nav::at("/journal", visitor),
        connections: web.engine.sites().iter().map(|site| site.name().to_string()).collect(),
        kinds,
        clocks,
        rows: found.told.iter().map(|told| row(told, &zone)).collect(),
        next: found.before.map(|seq| address("/journal", &Filter { before: seq.to_string(), ..filter.clone() })),
        csv: address("/journal.csv", &Filter { before: String::new(), ..filter.clone() }),
        here: address("/journal", &filter),
        zone: zone.iana_name().unwrap_or("UTC").to_owned(),
        walk: walk(web, &question, &zone),
        connection,
        filter,
    }))
}

fn address(path: &str, filter: &Filter) -> String {
    let mut query = Serializer::new(String::new());
    let Filter { connection, kind, record, who, clock, from, until, before } = filter;
    let fields = [
        ("connection", connection),
        ("kind", kind),
        ("record", record),
        ("who", who),
        ("clock", clock),
        ("from", from),
        ("until", until),
        ("before", before),
    ];
    for (name, value) in fields.iter().filter(|(_, value)| !value.is_empty()) {
        query.append_pair(name, value);
    }
    format!("{path}?{}", query.finish())
}

fn exact(at: Timestamp, zone: &TimeZone) -> String {
    at.to_jiff().to_zoned(zone.clone()).strftime("%Y-%m-%d %H:%M:%S").to_string()
}

fn short(text: &str) -> String {
    text.chars().take(SHORT).collect()
}

fn row(told: &Told, zone: &TimeZone) -> Row {
    const AT_ONCE_MS: i64 = 60_000;
    let (row, entry) = (&told.row, &told.row.entry);
    let is_late = (entry.seen_at - entry.fact.at).as_millis() > AT_ONCE_MS;
    Row {
        seq: row.seq,
        at: exact(entry.fact.at, zone),
        seen_at: is_late.then(|| exact(entry.seen_at, zone)),
        text: told.text.clone(),
        record: entry.record.as_ref().map(|key| (path(key), told.record_name.clone().unwrap_or_default())),
        who: told.who.clone(),
        erased: row.erased,
        agreement: short(&entry.agreement),
        hash: short(&row.hash),
    }
}

fn walk(web: &Web, question: &Question, zone: &TimeZone) -> Walk {
    let name = question.site.name();
    let going = web.audits.walking();
    Walk {
        elsewhere: going.as_ref().is_some_and(|walking| walking.connection != *name),
        going,
        last: web.audits.last(name).map(|walked| last(&walked, zone)),
    }
}

fn last(walked: &Walked, zone: &TimeZone) -> Last {
    let at = walked.at.in_zone(zone);
    match &walked.found {
        Err(why) => Last { at, holds: false, text: format!("It could not be verified: {why}."), head: None },
        Ok(found) => {
            let entries = if found.entries == 1 { "1 entry".to_owned() } else { format!("{} entries", found.entries) };
            let (holds, text) = match (found.first_bad, found.fault) {
                (Some(seq), Some(fault)) => {
                    (false, format!("Entry {seq} {}; before it {entries} hold.", fault.in_words()))
                }
                _ if found.entries == 0 => (true, "The journal is empty.".to_owned()),
                _ => (true, format!("The chain holds: {entries}, {} erased.", found.erased)),
            };
            Last { at, holds, text, head: (found.head.seq > 0).then(|| found.head.to_string()) }
        }
    }
}

#[derive(Deserialize)]
struct Which {
    connection: String,
}

async fn verify(web: Data<Web>, visitor: Visitor, which: Form<Which>) -> HttpResponse {
    let Some(site) = web.engine.site(&which.connection) else {
        return tell(&visitor, StatusCode::NOT_FOUND, "There is no such connection", "Begin again at the menu.");
    };
    web.audits.begin(web.engine.db.clone(), site.name().clone(), web.clock.clone());
    let to = address("/journal", &Filter { connection: site.name().to_string(), ..Filter::default() });
    HttpResponse::SeeOther().insert_header((header::LOCATION, to)).finish()
}

async fn download(web: Data<Web>, visitor: Visitor, filter: Query<Filter>) -> HttpResponse {
    match question(&web, &filter).await {
        Ok(Some(question)) => journal_csv::download(web, question),
        Ok(None) => HttpResponse::NoContent().finish(),
        Err(trouble) => troubled(&visitor, &trouble),
    }
}
