//! `/api/v1/scorecard`, `/waterfall` and `/campaigns`: what `leadpact report --format json` prints, of one connection or
//! of each in turn. While the first figures are counted, the answer is 202 and says when to ask again.

use super::Web;
use super::answer;
use super::asked::{Asked, Unasked};
use super::figures::Figures;
use super::routes::{Entry, get};
use crate::engine::Site;
use crate::report::layout::{What, json};
use crate::store::role::Permission;
use actix_web::HttpResponse;
use actix_web::http::{StatusCode, header};
use actix_web::web::{Data, Query};
use serde_json::{Value as Json, json as object};
use std::sync::Arc;
use std::time::Duration;

/// Programs wait a little rather than ask again.
const PATIENCE: Duration = Duration::from_secs(5);
/// Seconds after which to ask again.
const AGAIN: &str = "3";

pub(super) const ROUTES: &[Entry] = &[
    get("/api/v1/scorecard", Permission::Look, |route| route.to(scorecard)),
    get("/api/v1/waterfall", Permission::Look, |route| route.to(waterfall)),
    get("/api/v1/campaigns", Permission::Look, |route| route.to(campaigns)),
];

async fn scorecard(web: Data<Web>, asked: Query<Asked>) -> HttpResponse {
    answered(&web, &asked, &[What::Scorecard]).await
}

async fn waterfall(web: Data<Web>, asked: Query<Asked>) -> HttpResponse {
    answered(&web, &asked, &[What::Waterfall]).await
}

async fn campaigns(web: Data<Web>, asked: Query<Asked>) -> HttpResponse {
    answered(&web, &asked, &[What::Campaigns, What::Sources]).await
}

async fn answered(web: &Web, asked: &Asked, parts: &[What]) -> HttpResponse {
    match reports(web, asked, parts).await {
        Ok(Some(reports)) => HttpResponse::Ok().json(reports),
        Ok(None) => HttpResponse::Accepted()
            .insert_header((header::RETRY_AFTER, AGAIN))
            .json(object!({ "counting": true, "hint": "ask again after the seconds in Retry-After" })),
        Err(Unasked::Unavailable(error)) => answer::unavailable(&error),
        Err(Unasked::NoSuchConnection) => answer::error(StatusCode::NOT_FOUND, "no connection is called so"),
        Err(wrong) => answer::error(StatusCode::BAD_REQUEST, wrong.text()),
    }
}

/// `None` while one of them is counted for the first time.
async fn reports(web: &Web, asked: &Asked, parts: &[What]) -> Result<Option<Vec<Json>>, Unasked> {
    let sites: Vec<Arc<Site>> = if asked.connection.is_empty() { web.engine.sites() } else { vec![asked.site(web)?] };
    let by = if parts.contains(&What::Waterfall) { asked.dimension()? } else { None };
    let mut reports = Vec::new();
    for site in sites {
        let Figures::Made(report) = asked.figures(web, &site, by, PATIENCE).await? else { return Ok(None) };
        // Plain values, which JSON can always hold.
        reports.push(json(&report, parts).unwrap_or_default());
    }
    Ok(Some(reports))
}
