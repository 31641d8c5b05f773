//! `/records/{connection}/{object}/{id}`: where one record stands, what is ahead, and its story as a
//! picture and as a list. What people do about it is in `acts`, the list's lines in `lines`, the lead or the
//! opportunities that belong to it in `kin`.

mod acts;
pub mod kin;
mod lines;

use super::super::Web;
use super::super::record::{self as records, Found, Place, url};
use super::super::record_acts::{named, offers};
use super::super::routes::{Entry, get};
use super::super::session::Visitor;
use super::risk::next_in_words;
use super::{Nav, html, tell, unavailable};
use crate::agreement::standing::{Gone, Run, Violation, ViolationKind};
use crate::engine::orders::waiting;
use crate::record::{Ask, Elapsed, Fact, Object, Order, OwnerId, RecordKey, Timestamp};
use crate::report::lanes::{Frame, lanes};
use crate::report::outlook::left;
use crate::report::story::{Reader, story};
use crate::report::words::sentence;
use crate::store::StoreError;
use crate::store::dispute::{self, DisputeRow};
use crate::store::role::Permission;
use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::{Data, Path, Query};
use askama::Template;
use jiff::tz::TimeZone;
use kin::{Kin, kin};
use lines::{Shown, shown};
use serde::Deserialize;

pub(super) const ROUTES: &[Entry] =
    &[get("/records/{connection}/{object}/{id}", Permission::Look, |route| route.to(record))];
pub(super) const ACTS: [Entry; 4] = acts::ROUTES;

/// So wide is the picture, in CSS pixels; on a phone it is moved sideways within its frame.
const WIDE: f64 = 1120.0;
/// What of the story the picture shows.
const VIEWS: [(&str, &str, i64); 3] =
    [("week", "Last 7 days", 7), ("day", "Last 24 hours", 1), ("month", "Last 30 days", 30)];

#[derive(Template)]
#[template(path = "record.html")]
struct Page {
    nav: Nav,
    path: String,
    name: String,
    connection: String,
    object: &'static str,
    id: String,
    url: Option<String>,
    stage: String,
    owner: String,
    party: String,
    pass: String,
    recycles: usize,
    earlier: String,
    /// What must be read: class and sentence.
    notes: Vec<(&'static str, String)>,
    /// What the others are to it, in a word; and the others.
    kin_is: &'static str,
    kin: Vec<Kin>,
    clocks: Vec<Clock>,
    violations: Vec<String>,
    disputes: Vec<(String, &'static str)>,
    picture: Option<String>,
    views: Vec<View>,
    lines: Vec<Shown>,
    acts: Option<Acts>,
    zone: String,
}

struct Clock {
    name: String,
    deadline: String,
    left: String,
    used: u32,
    is_late: bool,
    next: String,
    state: &'static str,
}

struct View {
    label: &'static str,
    address: String,
    /// Where the page is asked for again; with a place in it, whoever reads would be taken there each time.
    live: String,
    is_here: bool,
}

/// What may be done, with what each will do.
struct Acts {
    /// Key and moment, sentence.
    facts: Vec<(String, String)>,
    /// The move that would be undone: key, sentence.
    undo: Option<(String, String)>,
    is_excluded: bool,
}

#[derive(Deserialize)]
struct Asked {
    done: Option<String>,
    show: Option<String>,
}

/// The address of a record's page, each part escaped.
pub fn path(key: &RecordKey) -> String {
    path_of(key.connection.as_str(), key.object.as_str(), key.id.as_str())
}

fn path_of(connection: &str, object: &str, id: &str) -> String {
    let mut url = url::Url::parse("http://host").expect("a constant address");
    if let Ok(mut parts) = url.path_segments_mut() {
        parts.extend(["records", connection, object, id]);
    }
    url.path().to_owned()
}

fn unknown(visitor: &Visitor) -> HttpResponse {
    let text = "leadpact has heard nothing of it yet: it is known from its first webhook or read on.";
    tell(visitor, StatusCode::NOT_FOUND, "This record is not known", text)
}

async fn record(web: Data<Web>, visitor: Visitor, place: Path<Place>, asked: Query<Asked>) -> HttpResponse {
    let found = match records::find(&web, &place).await {
        Ok(Some(found)) => found,
        Ok(None) => return unknown(&visitor),
        Err(error) => return unavailable(&error),
    };
    match page(&web, &found, &visitor, &asked).await {
        Ok(page) => html(StatusCode::OK, &page),
        Err(error) => unavailable(&error),
    }
}

async fn page(web: &Web, found: &Found, visitor: &Visitor, asked: &Asked) -> Result<Page, StoreError> {
    let (db, now) = (&web.engine.db, web.engine.clock.now());
    let (standing, agreement) = (&found.standing, &found.site.agreement);
    let zone = agreement.zone();
    let name_of = |id: &OwnerId| found.names.get(&standing.key.connection, id).map(str::to_owned);
    let called = |id: &OwnerId| name_of(id).unwrap_or_else(|| id.to_string());
    let reader = Reader { agreement, zone: &zone, name_of: &name_of };
    let stage = standing.stage.as_ref().and_then(|name| agreement.stages.iter().find(|s| s.name == *name));
    let disputes = dispute::of_record(db, &standing.key).await?;
    let told = found.told();
    let since = asked.show.as_deref().and_then(|show| VIEWS.iter().find(|view| view.0 == show));
    let frame = Frame { since: since.map(|(_, _, days)| now - Elapsed::from_secs(days * 86_400)), now };
    let acts = if visitor.may(Permission::Operate) { Some(acts(web, found, &reader).await?) } else { None };
    Ok(Page {
        nav: Nav::at("/risk", visitor),
        path: path(&standing.key),
        name: standing.name().to_owned(),
        connection: standing.key.connection.to_string(),
        object: standing.key.object.as_str(),
        id: standing.key.id.to_string(),
        url: url(&found.site, &standing.key),
        stage: stage.map_or_else(|| "none".to_owned(), |s| format!("{} ({})", s.term, s.name)),
        owner: standing.owner().map_or_else(|| "nobody".to_owned(), |id| called(&id)),
        party: standing.party.as_ref().map_or_else(|| "none".to_owned(), |party| party.as_str().replace('_', " ")),
        pass: format!("{} ({})", standing.pass, standing.pass_kind.as_str()),
        recycles: standing.recycles.len(),
        earlier: standing.earlier_owners.iter().map(called).collect::<Vec<_>>().join(", "),
        notes: notes(found, asked, &waiting(db, &standing.key).await?, &zone, now),
        kin_is: match standing.key.object {
            Object::Lead => "opportunity",
            Object::Opportunity => "lead",
        },
        kin: kin(db, standing).await?,
        clocks: standing.open_runs().map(|run| clock(found, run, now)).collect(),
        violations: standing.violations.iter().map(|v| violation(v, &zone)).collect(),
        disputes: disputes.iter().map(|d| (disputed(d, &zone), d.state.as_str())).collect(),
        picture: lanes(&reader, &standing.key, &told, frame).map(|picture| picture.svg(WIDE)),
        views: views(&path(&standing.key), since.map(|view| view.0)),
        lines: story(&reader, &told).into_iter().map(|line| shown(line, &found.rows, &zone)).collect(),
        acts,
        zone: zone.iana_name().unwrap_or("UTC").to_owned(),
    })
}

fn views(path: &str, here: Option<&str>) -> Vec<View> {
    let all = View { label: "All", address: format!("{path}#story"), live: path.to_owned(), is_here: here.is_none() };
    let view = |(name, label, _): &(&'static str, &'static str, i64)| View {
        label,
        address: format!("{path}?show={name}#story"),
        live: format!("{path}?show={name}"),
        is_here: here == Some(*name),
    };
    let [week, day, month] = VIEWS.each_ref().map(view);
    vec![all, month, week, day]
}

/// Everything that must be known before the rest is read.
fn notes(
    found: &Found,
    asked: &Asked,
    waiting: &[Order],
    zone: &TimeZone,
    now: Timestamp,
) -> Vec<(&'static str, String)> {
    let standing = &found.standing;
    let mut notes: Vec<(&'static str, String)> = Vec::new();
    notes.extend(asked.done.as_deref().and_then(acts::said).map(|text| ("good", text.to_owned())));
    notes.extend(standing.gone.as_ref().map(|gone| ("bad", format!("This record is {}.", self::gone(gone)))));
    notes.extend(waiting.iter().map(|order| ("wait", ordered(order, zone))));
    if let Some(order) = standing.excluded.as_ref().filter(|order| order.until.is_none_or(|until| until > now)) {
        let until = order.until.map_or_else(|| "for good".to_owned(), |at| format!("until {}", at.in_zone(zone)));
        let why = if order.why.is_empty() { String::new() } else { format!(": {}", order.why) };
        notes.push(("wait", format!("leadpact leaves it alone {until}, asked by {}{why}", order.by)));
    }
    if standing.is_contested() {
        let text = "Something else keeps changing back what leadpact does, so it is let be until somebody includes it.";
        notes.push(("wait", text.to_owned()));
    }
    notes
}

fn ordered(order: &Order, zone: &TimeZone) -> String {
    let what = match &order.ask {
        Ask::Exclude { until: Some(until), .. } => format!("leave it alone until {}", until.in_zone(zone)),
        Ask::Exclude { until: None, .. } => "leave it alone for good".to_owned(),
        Ask::Include { .. } => "treat it like any other again".to_owned(),
        Ask::Undo { .. } => "put its last move back".to_owned(),
        Ask::Answer(reply) => crate::agreement::answer::in_words(&reply.answer, &order.by, &reply.via),
        Ask::Erase => "erase all that is kept of its person".to_owned(),
    };
    format!("An order of {} waits in the inbox: {what}. It is applied in its turn.", order.by)
}

fn gone(gone: &Gone) -> String {
    match gone {
        Gone::Deleted => "deleted in the CRM".to_owned(),
        Gone::MergedInto(id) => format!("merged into {id}"),
        Gone::Erased => "erased: nothing is kept of the person".to_owned(),
    }
}

fn clock(found: &Found, run: &Run, now: Timestamp) -> Clock {
    let (site, standing) = (&found.site, &found.standing);
    let party = site.agreement.clock_named(&run.clock).map(|clock| &clock.party);
    let zone = site.agreement.zone_of(party);
    let left = left(&site.agreement, run, now);
    Clock {
        name: run.clock.to_string(),
        deadline: run.deadline.in_zone(&zone),
        left: left.text,
        used: (left.used * 100.0).round() as u32,
        is_late: left.is_late,
        next: next_in_words(site, standing, run, &zone, now),
        state: records::state(run).as_str(),
    }
}

fn violation(violation: &Violation, zone: &TimeZone) -> String {
    let since = violation.since.in_zone(zone);
    let (what, source) = (violation.what.join(", "), &violation.source);
    match violation.kind {
        ViolationKind::Missing => format!("{what} missing since {since}: {source}"),
        ViolationKind::Definition => format!("Definition of {source} not met at {since}: {what}"),
        ViolationKind::Rejection => format!("Rejected without an agreed reason since {since}: {source}"),
        ViolationKind::Conversion => format!("Converted without an opportunity at {since}"),
    }
}

fn disputed(row: &DisputeRow, zone: &TimeZone) -> String {
    let what = row.kind.as_str().replace('_', " ");
    let at = row.fact_at.in_zone(zone);
    let due = row.step_due.map(|due| format!(" To be decided by {}.", due.in_zone(zone))).unwrap_or_default();
    let verdict = match (&row.decided_by, &row.verdict) {
        (Some(by), Some(why)) => format!(" Decided by {by}: {why}."),
        (Some(by), None) => format!(" Decided by {by}."),
        _ => String::new(),
    };
    format!("{} ({what}, {at}), by {}: {}.{due}{verdict}", row.source, row.by, row.why.trim_end_matches('.'))
}

async fn acts(web: &Web, found: &Found, reader: &Reader<'_>) -> Result<Acts, StoreError> {
    let offers = offers(web, found).await?;
    let told = |fact: &Fact| format!("{}: {}", fact.at.in_zone(reader.zone), sentence(reader, fact));
    let called = |id: &Option<OwnerId>| {
        id.as_ref().map_or_else(|| "nobody".to_owned(), |id| (reader.name_of)(id).unwrap_or_else(|| id.to_string()))
    };
    let undo = offers.undo.map(|made| {
        let (at, what) = (made.at.in_zone(reader.zone), made.kind.as_str());
        let text = format!("{what} at {at} from {} to {} ({})", called(&made.from), called(&made.to), made.source);
        (made.effect.to_string(), text)
    });
    let facts = offers.facts.into_iter().map(|fact| (named(fact), told(fact)));
    Ok(Acts { facts: facts.collect(), undo, is_excluded: offers.include })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{ConnectionName, RecordId};

    #[test]
    fn an_id_cannot_leave_its_part_of_the_path() {
        let (connection, object) = (ConnectionName::new("acme"), Object::Lead);
        let of = |id: &str| path(&RecordKey { connection: connection.clone(), object, id: RecordId::new(id) });
        assert_eq!(of("7001"), "/records/acme/lead/7001");
        assert_eq!(of("a/b?c#d\"<"), "/records/acme/lead/a%2Fb%3Fc%23d%22%3C");
    }
}
