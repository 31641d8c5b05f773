//! `POST /api/v1/attestations`: whether a promise that no CRM records was kept in a period, as
//! `leadpact attest` says it.

use super::Web;
use super::api_control::{Refused, answered, site};
use super::attest::{Unsaid, Word, say};
use super::routes::{Entry, post};
use super::session::Visitor;
use crate::engine::Site;
use crate::store::attestation::AttestationRow;
use crate::store::role::Permission;
use actix_web::HttpResponse;
use actix_web::web::{Data, Json as Sent};
use serde::Deserialize;
use serde_json::{Value as Json, json};
use std::sync::Arc;

pub(super) const ROUTES: &[Entry] = &[post("/api/v1/attestations", Permission::Attest, |route| route.to(answer))];

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
