//! `/api/v1/people/…`: whom the CRM knows as owners, and who of them takes no records for a while, as
//! `leadpact away` and `back` say.

use super::api_control::{Refused, answered, site, to_come};
use super::deliveries::chain;
use super::routes::{Entry, delete, get, put};
use super::session::Visitor;
use super::{Web, cursor};
use crate::engine::Site;
use crate::engine::absences::{self, By};
use crate::record::OwnerId;
use crate::store::absence::{self, AbsenceRow};
use crate::store::person::{self, PersonRow};
use crate::store::role::Permission;
use actix_web::HttpResponse;
use actix_web::web::{Data, Json as Sent, Path, Query};
use serde::Deserialize;
use serde_json::{Value as Json, json};
use std::collections::HashMap;

/// People in one answer, unless fewer or more are asked for.
const LIMIT: usize = 100;

pub(super) const ROUTES: &[Entry] = &[
    get("/api/v1/people/{connection}", Permission::Look, |route| route.to(list)),
    put("/api/v1/people/{connection}/{owner}/absence", Permission::Operate, |route| route.to(away)),
    delete("/api/v1/people/{connection}/{owner}/absence", Permission::Operate, |route| route.to(back)),
];

#[derive(Deserialize)]
struct Paging {
    after: Option<String>,
    limit: Option<usize>,
}

#[derive(Deserialize)]
struct Away {
    until: String,
    #[serde(default)]
    why: String,
}

async fn list(web: Data<Web>, name: Path<String>, paging: Query<Paging>) -> HttpResponse {
    let done = async {
        let (site, db) = (site(&web, &name)?, &web.engine.db);
        let mut people = person::load_all(db, site.name()).await?;
        people.sort_by(|a, b| a.id.cmp(&b.id));
        let after = cursor::asked::<OwnerId>(paging.after.as_deref()).map_err(|_| unclear())?;
        let from = after.map_or(0, |after| people.partition_point(|p| p.id <= after));
        let limit = paging.limit.unwrap_or(LIMIT);
        let away = absence::at(db, site.name(), web.engine.clock.now()).await?;
        let away: HashMap<&OwnerId, &AbsenceRow> = away.iter().map(|row| (&row.owner, row)).collect();
        let rest = &people[from..];
        let next = rest
            .get(..limit)
            .filter(|_| rest.len() > limit)
            .and_then(|page| page.last())
            .map(|row| cursor::write(&row.id));
        let shown = rest.iter().take(limit).map(|row| shown(row, away.get(&row.id).copied()));
        Ok(json!({ "people": shown.collect::<Vec<_>>(), "next": next }))
    };
    answered(done.await)
}

fn unclear() -> Refused {
    Refused::Field("after", "is not what an answer's `next` said".to_owned())
}

fn shown(row: &PersonRow, away: Option<&AbsenceRow>) -> Json {
    json!({
        "owner": row.id,
        "name": row.name,
        "email": row.email,
        "manager": row.manager,
        "active": row.active,
        "queue": row.queue,
        "absence": away.map(absence),
    })
}

fn absence(row: &AbsenceRow) -> Json {
    json!({ "until": row.until.to_string(), "by": row.by, "at": row.at.to_string() })
}

/// Who is meant, and what they are called in the journal.
async fn owner(web: &Web, site: &Site, typed: &str) -> Result<(OwnerId, String), Refused> {
    let db = &web.engine.db;
    let found = absences::owner_named(db, site.name(), &site.connection.owner_id(typed)).await?;
    let owner = found.ok_or_else(|| Refused::NotFound("the CRM told us of no such owner".to_owned()))?;
    let people = person::load_all(db, site.name()).await?;
    let known = people.iter().find(|row| row.id == owner);
    let called = known.map_or_else(|| owner.to_string(), |row| format!("{} ({owner})", row.name));
    Ok((owner, called))
}

async fn away(web: Data<Web>, visitor: Visitor, place: Path<(String, String)>, sent: Sent<Away>) -> HttpResponse {
    let done = async {
        let site = site(&web, &place.0)?;
        let at = web.engine.clock.now();
        let until = to_come("until", &sent.until, at)?;
        let (owner, called) = owner(&web, &site, &place.1).await?;
        let by = By { name: visitor.name(), why: &sent.why, at };
        let zone = site.agreement.zone();
        absences::away(&web.engine.db, &chain(&site), &owner, until, (&called, &zone), by).await?;
        let row = AbsenceRow { owner: owner.clone(), until, by: by.name.to_owned(), at };
        Ok(json!({ "owner": owner, "absence": absence(&row) }))
    };
    answered(done.await)
}

async fn back(web: Data<Web>, visitor: Visitor, place: Path<(String, String)>) -> HttpResponse {
    let done = async {
        let site = site(&web, &place.0)?;
        let (owner, called) = owner(&web, &site, &place.1).await?;
        let by = By { name: visitor.name(), why: "", at: web.engine.clock.now() };
        let was_away = absences::back(&web.engine.db, &chain(&site), &owner, &called, by).await?;
        Ok(json!({ "owner": owner, "absence": Json::Null, "was_away": was_away }))
    };
    answered(done.await)
}
