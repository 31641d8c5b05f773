//! `/api/v1`: what the pages show, as JSON. Times are RFC 3339 in UTC; a fact's `detail` holds
//! moments as milliseconds since 1970, as the journal does.

use super::api_figures::counting;
use super::pages::record::kin::{Kin, kin};
use super::pages::risk::{self, Asked, Row, next_in_words};
use super::people::Names;
use super::record::{self, Found, Place};
use super::routes::{Entry, get};
use super::{Web, answer, api_disputes, connections, cursor};
use crate::agreement::standing::{Excluded, Run, Violation};
use crate::engine::orders::waiting;
use crate::record::{Actor, Ask, Order, RecordKey, Timestamp, Value};
use crate::report::outlook::left;
use crate::report::story;
use crate::report::words::sentence;
use crate::store::StoreError;
use crate::store::clock::ClockRow;
use crate::store::dispute::{self, DisputeRow};
use crate::store::journal::JournalRow;
use crate::store::role::Permission;
use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::{Data, Path, Query};
use serde_json::{Map, Value as Json, json};

/// Clocks in one answer, unless fewer or more are asked for.
const LIMIT: u32 = 100;
/// Each is told with what happens next, which takes its whole standing.
const MOST: u32 = 250;

pub(super) const ROUTES: &[Entry] = &[
    get("/api/v1/records/{connection}/{object}/{id}", Permission::Look, |route| route.to(record)),
    get("/api/v1/connections", Permission::Look, |route| route.to(connections::list)),
    get("/api/v1/clocks", Permission::Look, |route| route.to(clocks)),
    get("/api/v1/clocks/counts", Permission::Look, |route| route.to(counts)),
];

async fn record(web: Data<Web>, place: Path<Place>) -> HttpResponse {
    let told = async {
        let Some(found) = record::find(&web, &place).await? else { return Ok(None) };
        let around = Around::read(&web, &found).await?;
        Ok(Some(shown(&found, &around)))
    };
    match told.await {
        Ok(Some(told)) => HttpResponse::Ok().json(told),
        Ok(None) => answer::error(StatusCode::NOT_FOUND, "this record is not known"),
        Err(error) => answer::unavailable(&error),
    }
}

/// What is stored elsewhere about a record.
struct Around {
    kin: Vec<Kin>,
    orders: Vec<Order>,
    disputes: Vec<DisputeRow>,
    now: Timestamp,
}

impl Around {
    async fn read(web: &Web, found: &Found) -> Result<Self, StoreError> {
        let (db, key) = (&web.engine.db, &found.standing.key);
        Ok(Self {
            kin: kin(db, &found.standing).await?,
            orders: waiting(db, key).await?,
            disputes: dispute::of_record(db, key).await?,
            now: web.engine.clock.now(),
        })
    }
}

fn shown(found: &Found, around: &Around) -> Json {
    let (standing, now) = (&found.standing, around.now);
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
        "related": around.kin.iter().map(related).collect::<Vec<_>>(),
        "fields": fields(found),
        "clocks": standing.open_runs().map(|run| open_run(found, run, now)).collect::<Vec<_>>(),
        "violations": standing.violations.iter().map(violation).collect::<Vec<_>>(),
        "recycles": standing.recycles.iter().copied().map(time).collect::<Vec<_>>(),
        "earlier_owners": standing.earlier_owners,
        "excluded": standing.excluded.as_ref().filter(|order| order.until.is_none_or(|at| at > now)).map(excluded),
        "contested": standing.is_contested(),
        "orders": around.orders.iter().map(ordered).collect::<Vec<_>>(),
        "disputes": around.disputes.iter().map(api_disputes::row).collect::<Vec<_>>(),
        "timeline": timeline(found),
    })
}

fn related(kin: &Kin) -> Json {
    let RecordKey { connection, object, id } = &kin.key;
    json!({
        "record": { "connection": connection, "object": object, "id": id, "name": kin.name },
        "known": kin.page.is_some(),
    })
}

fn excluded(order: &Excluded) -> Json {
    json!({ "until": order.until.map(time), "by": order.by, "why": order.why })
}

/// An order that waits for its turn.
fn ordered(order: &Order) -> Json {
    let (what, until, why) = match &order.ask {
        Ask::Exclude { until, why } => ("exclude", until.map(time), why.as_str()),
        Ask::Include { why } => ("include", None, why.as_str()),
        Ask::Undo { why, .. } => ("undo", None, why.as_str()),
        Ask::Answer(reply) => (reply.answer.as_str(), None, ""),
        Ask::Erase => ("erase", None, ""),
    };
    json!({ "order": what, "by": order.by, "until": until, "why": why })
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

fn open_run(found: &Found, run: &Run, now: Timestamp) -> Json {
    let (site, standing) = (&found.site, &found.standing);
    let zone = site.agreement.zone_of(site.agreement.clock_named(&run.clock).map(|clock| &clock.party));
    let left = left(&site.agreement, run, now);
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
        "left": left.text,
        "used": left.used,
        "next": next_in_words(site, standing, run, &zone, now),
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
    found.in_words(|reader| {
        let told = |row: &JournalRow, withdrawn| fact(row, withdrawn, sentence(reader, &row.entry.fact));
        found.rows.iter().zip(withdrawn).map(|(row, withdrawn)| told(row, withdrawn)).collect()
    })
}

fn fact(row: &JournalRow, withdrawn: bool, what: String) -> Json {
    let fact = &row.entry.fact;
    json!({
        "kind": fact.kind,
        "what": what,
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
    let now = web.engine.clock.now();
    let told = async {
        let rows = risk::rows(&web.engine, &asked, after.as_ref(), now, limit).await?;
        let shown = risk::shown(&web.engine, &rows, now).await?;
        let next = rows.last().filter(|_| rows.len() == limit as usize).map(|row| cursor::write(&row.place()));
        let clocks: Vec<Json> = rows.iter().zip(&shown).map(|(row, shown)| open_clock(row, shown)).collect();
        Ok(json!({ "clocks": clocks, "next": next }))
    };
    match told.await {
        Ok(told) => HttpResponse::Ok().json(told),
        Err(error) => answer::unavailable(&error),
    }
}

/// A clock with what its page says beside it.
fn open_clock(row: &ClockRow, shown: &Row) -> Json {
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
        "owner_name": shown.owner_name,
        "url": shown.url,
        "held": shown.is_held,
        "left": shown.left,
        "used": shown.share,
        "next": shown.next,
    })
}

/// How many are open of each clock, and whose the most are.
async fn counts(web: Data<Web>) -> HttpResponse {
    let Some(groups) = web.risk.groups(&web).await else { return counting() };
    let connections = groups.owners.iter().map(|group| group.connection.clone()).collect();
    let names = match Names::load(&web.engine, connections).await {
        Ok(names) => names,
        Err(error) => return answer::unavailable(&error),
    };
    let clocks = groups.clocks.iter().map(|(name, of)| {
        json!({ "clock": name, "party": of.party, "open": of.open, "paused": of.paused, "breached": of.breached })
    });
    let owners = groups.owners.iter().map(|group| {
        json!({
            "connection": group.connection,
            "owner": group.owner,
            "owner_name": names.get(&group.connection, &group.owner),
            "clocks": group.runs,
        })
    });
    HttpResponse::Ok().json(json!({
        "clocks": clocks.collect::<Vec<_>>(),
        "owners": owners.collect::<Vec<_>>(),
        "held": groups.held,
    }))
}
