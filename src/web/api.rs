//! `/api/v1`: what the pages show, as JSON. Times are RFC 3339 in UTC; a fact's `detail` holds
//! moments as milliseconds since 1970, as the journal does.

use super::pages::risk::{self, Asked};
use super::record::{self, Found, Place};
use super::routes::{Entry, get};
use super::{Web, answer, connections, cursor};
use crate::agreement::standing::{Run, Violation};
use crate::record::{Actor, RecordKey, Timestamp, Value};
use crate::report::story;
use crate::store::clock::ClockRow;
use crate::store::journal::JournalRow;
use crate::store::role::Permission;
use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::{Data, Path, Query};
use serde_json::{Map, Value as Json, json};

/// Clocks in one answer, unless fewer or more are asked for.
const LIMIT: u32 = 100;
const MOST: u32 = 500;

pub(super) const ROUTES: &[Entry] = &[
    get("/api/v1/records/{connection}/{object}/{id}", Permission::Look, |route| route.to(record)),
    get("/api/v1/connections", Permission::Look, |route| route.to(connections::list)),
    get("/api/v1/clocks", Permission::Look, |route| route.to(clocks)),
];

async fn record(web: Data<Web>, place: Path<Place>) -> HttpResponse {
    match record::find(&web, &place).await {
        Ok(Some(found)) => HttpResponse::Ok().json(shown(&found)),
        Ok(None) => answer::error(StatusCode::NOT_FOUND, "this record is not known"),
        Err(error) => answer::unavailable(&error),
    }
}

fn shown(found: &Found) -> Json {
    let standing = &found.standing;
    let owner = standing.owner();
    let owner_name = owner.as_ref().and_then(|id| found.names.get(&standing.key.connection, id));
    json!({
        "record": {
            "connection": standing.key.connection,
            "object": standing.key.object,
            "id": standing.key.id,
            "name": standing.name(),
            "url": record::url(&found.site, &standing.key),
        },
        "stage": standing.stage,
        "owner": owner,
        "owner_name": owner_name,
        "party": standing.party,
        "pass": standing.pass,
        "pass_kind": standing.pass_kind,
        "handoff": standing.handoff,
        "gone": standing.gone,
        "fields": fields(found),
        "clocks": standing.open_runs().map(|run| open_run(found, run)).collect::<Vec<_>>(),
        "violations": standing.violations.iter().map(violation).collect::<Vec<_>>(),
        "recycles": standing.recycles.iter().copied().map(time).collect::<Vec<_>>(),
        "earlier_owners": standing.earlier_owners,
        "timeline": timeline(found),
    })
}

fn time(at: Timestamp) -> String {
    at.to_string()
}

fn fields(found: &Found) -> Map<String, Json> {
    let plain = |value: &Value| match value {
        Value::Date(date) => Json::from(date.to_string()),
        Value::Time(at) => Json::from(time(*at)),
        other => json!(other),
    };
    found.standing.fields.iter().map(|field| (field.name.to_string(), plain(&field.value))).collect()
}

fn open_run(found: &Found, run: &Run) -> Json {
    json!({
        "clock": run.clock,
        "run": run.number,
        "party": found.site.agreement.clock_named(&run.clock).map(|clock| &clock.party),
        "state": record::state(run).as_str(),
        "started": time(run.started),
        "deadline": time(run.deadline),
        "breached": run.breached.map(time),
        "paused": run.paused.map(time),
        "silent": run.silent,
    })
}

fn violation(violation: &Violation) -> Json {
    json!({
        "kind": violation.kind,
        "source": violation.source,
        "since": time(violation.since),
        "party": violation.party,
        "what": violation.what,
        "flagged": violation.flagged,
    })
}

fn timeline(found: &Found) -> Vec<Json> {
    let withdrawn = story::withdrawn(&found.told());
    found.rows.iter().zip(withdrawn).map(|(row, withdrawn)| fact(row, withdrawn)).collect()
}

fn fact(row: &JournalRow, withdrawn: bool) -> Json {
    let fact = &row.entry.fact;
    json!({
        "kind": fact.kind,
        "at": time(fact.at),
        "seen_at": time(row.entry.seen_at),
        "pass": fact.pass,
        "clock": fact.source,
        "run": fact.run,
        "item": fact.item,
        "party": fact.party,
        "owner": fact.owner,
        "stage": fact.stage,
        "by": by(&fact.by),
        "detail": fact.detail,
        "erased": row.erased,
        "withdrawn": withdrawn,
        "agreement": row.entry.agreement,
        "seq": row.seq,
    })
}

/// `unknown`, `automation`, `leadpact`, or `person:` and the owner id.
fn by(actor: &Actor) -> String {
    match actor {
        Actor::Unknown => "unknown".to_owned(),
        Actor::Person(id) => format!("person:{id}"),
        Actor::Automation => "automation".to_owned(),
        Actor::Leadpact => "leadpact".to_owned(),
    }
}

async fn clocks(web: Data<Web>, asked: Query<Asked>) -> HttpResponse {
    let Ok(after) = cursor::asked(asked.after.as_deref()) else {
        return answer::refused(StatusCode::BAD_REQUEST, "`after` is not what an answer's `next` said", Some("after"));
    };
    if let Some(refusal) = answer::no_such_connection(&web, &asked.connection) {
        return refusal;
    }
    if let Err(why) = asked.check(&web.engine) {
        return answer::error(StatusCode::BAD_REQUEST, &why);
    }
    let limit = asked.limit.unwrap_or(LIMIT).clamp(1, MOST);
    match risk::rows(&web.engine, &asked, after.as_ref(), web.engine.clock.now(), limit).await {
        Ok(rows) => {
            let next = rows.last().filter(|_| rows.len() == limit as usize).map(|row| cursor::write(&row.place()));
            HttpResponse::Ok().json(json!({ "clocks": rows.iter().map(open_clock).collect::<Vec<_>>(), "next": next }))
        }
        Err(error) => answer::unavailable(&error),
    }
}

fn open_clock(row: &ClockRow) -> Json {
    let RecordKey { connection, object, id } = &row.record;
    json!({
        "record": { "connection": connection, "object": object, "id": id, "name": row.name },
        "clock": row.source,
        "pass": row.pass,
        "run": row.run,
        "party": row.party,
        "owner": row.owner,
        "state": row.state.as_str(),
        "started": time(row.started),
        "deadline": row.deadline.map(time),
    })
}
