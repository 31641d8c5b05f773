//! `/records/{connection}/{object}/{id}`: where one record stands, and its story.

use super::super::Web;
use super::super::record::{self as records, Found, Place, url};
use super::super::routes::{Entry, get};
use super::super::session::Visitor;
use super::{Nav, html, tell, unavailable};
use crate::agreement::standing::{Gone, Run, Violation, ViolationKind};
use crate::record::{OwnerId, RecordKey, Timestamp};
use crate::report::story::{Line, Reader, story};
use crate::store::role::Permission;
use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::{Data, Path};
use askama::Template;
use jiff::tz::TimeZone;

pub(super) const ROUTES: &[Entry] =
    &[get("/records/{connection}/{object}/{id}", Permission::Look, |route| route.to(record))];

#[derive(Template)]
#[template(path = "record.html")]
struct Page {
    nav: Nav,
    name: String,
    connection: String,
    object: &'static str,
    id: String,
    url: Option<String>,
    stage: String,
    owner: String,
    party: String,
    pass: String,
    gone: Option<String>,
    recycles: usize,
    clocks: Vec<Clock>,
    violations: Vec<String>,
    lines: Vec<Shown>,
}

struct Clock {
    name: String,
    deadline: String,
    left: String,
    state: &'static str,
}

/// A line of the story with its times as text.
struct Shown {
    at: String,
    /// Where it was learned of more than a minute later.
    seen_at: Option<String>,
    line: Line,
}

/// The address of a record's page, each part escaped.
pub fn path(key: &RecordKey) -> String {
    let mut url = url::Url::parse("http://host").expect("a constant address");
    if let Ok(mut parts) = url.path_segments_mut() {
        parts.extend(["records", key.connection.as_str(), key.object.as_str(), key.id.as_str()]);
    }
    url.path().to_owned()
}

pub async fn record(web: Data<Web>, visitor: Visitor, place: Path<Place>) -> HttpResponse {
    match records::find(&web, &place).await {
        Ok(Some(found)) => html(StatusCode::OK, &page(&found, &visitor, web.engine.clock.now())),
        Ok(None) => {
            let text = "leadpact has heard nothing of it yet: it is known from its first webhook or read on.";
            tell(&visitor, StatusCode::NOT_FOUND, "This record is not known", text)
        }
        Err(error) => unavailable(&error),
    }
}

fn page(found: &Found, visitor: &Visitor, now: Timestamp) -> Page {
    let standing = &found.standing;
    let agreement = &found.site.agreement;
    let zone = agreement.zone();
    let name_of = |id: &OwnerId| found.names.get(&standing.key.connection, id).map(str::to_owned);
    let stage = standing.stage.as_ref().and_then(|name| agreement.stages.iter().find(|s| s.name == *name));
    let reader = Reader { agreement, zone: &zone, name_of: &name_of };
    Page {
        nav: Nav::at("/risk", visitor),
        name: standing.name().to_owned(),
        connection: standing.key.connection.to_string(),
        object: standing.key.object.as_str(),
        id: standing.key.id.to_string(),
        url: url(&found.site, &standing.key),
        stage: stage.map_or_else(|| "none".to_owned(), |s| format!("{} ({})", s.term, s.name)),
        owner: standing.owner().map_or_else(|| "nobody".to_owned(), |id| name_of(&id).unwrap_or(id.to_string())),
        party: standing.party.as_ref().map_or_else(|| "none".to_owned(), |party| party.as_str().replace('_', " ")),
        pass: format!("{} ({})", standing.pass, standing.pass_kind.as_str()),
        gone: standing.gone.as_ref().map(gone),
        recycles: standing.recycles.len(),
        clocks: standing.open_runs().map(|run| clock(found, run, &zone, now)).collect(),
        violations: standing.violations.iter().map(|v| violation(v, &zone)).collect(),
        lines: story(&reader, &found.told()).into_iter().map(|line| shown(line, &zone)).collect(),
    }
}

fn gone(gone: &Gone) -> String {
    match gone {
        Gone::Deleted => "deleted in the CRM".to_owned(),
        Gone::MergedInto(id) => format!("merged into {id}"),
    }
}

fn clock(found: &Found, run: &Run, zone: &TimeZone, now: Timestamp) -> Clock {
    let state = records::state(run);
    Clock {
        name: run.clock.to_string(),
        deadline: run.deadline.in_zone(zone),
        left: crate::report::outlook::left(&found.site.agreement, run, now).text,
        state: state.as_str(),
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

fn shown(line: Line, zone: &TimeZone) -> Shown {
    const AT_ONCE_MS: i64 = 60_000;
    let is_late = (line.seen_at - line.at).as_millis() > AT_ONCE_MS;
    let exact = |at: Timestamp| at.to_jiff().to_zoned(zone.clone()).strftime("%Y-%m-%d %H:%M:%S %Z").to_string();
    Shown { at: exact(line.at), seen_at: is_late.then(|| exact(line.seen_at)), line }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{ConnectionName, Object, RecordId};

    #[test]
    fn an_id_cannot_leave_its_part_of_the_path() {
        let (connection, object) = (ConnectionName::new("acme"), Object::Lead);
        let of = |id: &str| path(&RecordKey { connection: connection.clone(), object, id: RecordId::new(id) });
        assert_eq!(of("7001"), "/records/acme/lead/7001");
        assert_eq!(of("a/b?c#d\"<"), "/records/acme/lead/a%2Fb%3Fc%23d%22%3C");
    }
}
