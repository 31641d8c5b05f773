//! `/api/v1/attestations`: promises that no CRM records with what was said of them; and saying whether one
//! was kept in a period, as `leadpact attest` does.

use super::Web;
use super::api_control::{Refused, answered, site};
use super::attest::{Promise, Unsaid, Word, may_attest, promises, say};
use super::routes::{Entry, get, post};
use super::session::Visitor;
use crate::engine::Site;
use crate::store::attestation::AttestationRow;
use crate::store::role::Permission;
use actix_web::HttpResponse;
use actix_web::web::{Data, Json as Sent, Query};
use serde::Deserialize;
use serde_json::{Value as Json, json};
use std::sync::Arc;

pub(super) const ROUTES: &[Entry] = &[
    get("/api/v1/attestations", Permission::Look, |route| route.to(list)),
    post("/api/v1/attestations", Permission::Attest, |route| route.to(answer)),
];

#[derive(Deserialize)]
struct Asked {
    connection: Option<String>,
    #[serde(default)]
    waiting: bool,
}

async fn list(web: Data<Web>, visitor: Visitor, asked: Query<Asked>) -> HttpResponse {
    let done = async {
        let of = asked.connection.as_deref().filter(|name| !name.is_empty());
        of.map(|name| site(&web, name)).transpose()?;
        let all = promises(&web, of).await?;
        let wanted = all.iter().filter(|promise| !asked.waiting || promise.answer.is_none());
        Ok(json!({ "promises": wanted.map(|promise| told(&visitor, promise)).collect::<Vec<_>>() }))
    };
    answered(done.await)
}

fn told(visitor: &Visitor, promise: &Promise) -> Json {
    json!({
        "connections": promise.scope.connections,
        "commitment": promise.name,
        "period": promise.window.to_string(),
        "from": promise.window.from.to_string(),
        "until": promise.window.until.to_string(),
        "is_over": promise.is_over,
        "by": promise.by,
        "to": promise.to,
        "credit": promise.credit,
        "answer": promise.answer.as_ref().map(shown),
        "may_attest": may_attest(visitor, &promise.by),
    })
}

#[derive(Deserialize)]
struct Attestation {
    connection: Option<String>,
    commitment: String,
    period: Option<String>,
    answer: bool,
    note: Option<String>,
}

async fn answer(web: Data<Web>, visitor: Visitor, sent: Sent<Attestation>) -> HttpResponse {
    answered(try_answer(&web, &visitor, &sent).await)
}

async fn try_answer(web: &Web, visitor: &Visitor, sent: &Attestation) -> Result<Json, Refused> {
    let site = meant(web, sent.connection.as_deref())?;
    let word = Word {
        commitment: &sent.commitment,
        period: sent.period.as_deref(),
        is_kept: sent.answer,
        note: sent.note.as_deref(),
    };
    let said = say(web, visitor, &site, word).await.map_err(|unsaid| match unsaid {
        Unsaid::Impossible(why) => Refused::Conflict(why),
        Unsaid::NotTheirs(why) => Refused::Forbidden(why),
        Unsaid::Unavailable(error) => Refused::Unavailable(error),
    })?;
    let mut told = shown(&said.answer);
    told["replaces"] = said.earlier.as_ref().map_or(Json::Null, shown);
    Ok(told)
}

fn shown(row: &AttestationRow) -> Json {
    json!({
        "commitment": row.commitment,
        "period": row.period,
        "answer": row.answer,
        "by": row.by,
        "note": row.note,
        "at": row.at.to_string(),
    })
}

/// A connection under the agreement that is meant.
fn meant(web: &Web, named: Option<&str>) -> Result<Arc<Site>, Refused> {
    if let Some(site) = named.map(|name| site(web, name)).transpose()?.filter(|s| s.connection.agreement.is_some()) {
        return Ok(site);
    }
    let missing = || Refused::Field("connection", "is needed: every connection has an agreement of its own".to_owned());
    web.engine.sites().into_iter().find(|s| s.connection.agreement.is_none()).ok_or_else(missing)
}
