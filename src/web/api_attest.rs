//! `POST /api/v1/attestations`: whether a promise that no CRM records was kept in a period, as
//! `leadpact attest` says it.

use super::Web;
use super::api_control::{Refused, answered, site};
use super::routes::{Entry, post};
use super::session::Visitor;
use crate::engine::Site;
use crate::engine::attestation::{attest, commitment, window};
use crate::record::ConnectionName;
use crate::store::attestation::{self, AttestationRow};
use crate::store::role::Permission;
use actix_web::HttpResponse;
use actix_web::web::{Data, Json as Sent};
use serde::Deserialize;
use serde_json::{Value as Json, json};
use std::sync::Arc;

pub(super) const ROUTES: &[Entry] = &[post("/api/v1/attestations", Permission::Operate, |route| route.to(answer))];

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
    let (site, governed) = scope(web, sent.connection.as_deref())?;
    let (agreement, now) = (&site.agreement, web.engine.clock.now());
    let (commitment, period) =
        commitment(agreement, &sent.commitment).map_err(|why| Refused::Conflict(why.to_string()))?;
    let window =
        window(agreement, period, sent.period.as_deref(), now).map_err(|why| Refused::Conflict(why.to_string()))?;
    let own = site.connection.agreement.is_some().then(|| site.name());
    let row = AttestationRow {
        commitment: commitment.name.clone(),
        period: window.to_string(),
        period_from: window.from,
        answer: sent.answer,
        by: visitor.name().to_owned(),
        note: sent.note.clone(),
        at: now,
    };
    let earlier = attestation::get(&web.engine.db, own, &row.commitment, &row.period).await?;
    attest(&web.engine.db, agreement, own, &governed, &row).await?;
    let mut told = shown(&row);
    told["replaces"] = earlier.as_ref().map_or(Json::Null, shown);
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

/// A connection of the agreement that is meant, and all that it governs.
fn scope(web: &Web, named: Option<&str>) -> Result<(Arc<Site>, Vec<ConnectionName>), Refused> {
    if let Some(site) = named.map(|name| site(web, name)).transpose()?.filter(|s| s.connection.agreement.is_some()) {
        let governed = vec![site.name().clone()];
        return Ok((site, governed));
    }
    let shared: Vec<Arc<Site>> = web.engine.sites().into_iter().filter(|s| s.connection.agreement.is_none()).collect();
    let governed = shared.iter().map(|site| site.name().clone()).collect();
    let missing = || Refused::Field("connection", "is needed: every connection has an agreement of its own".to_owned());
    Ok((shared.into_iter().next().ok_or_else(missing)?, governed))
}
