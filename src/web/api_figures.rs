//! `/api/v1/scorecard`, `/waterfall` and `/campaigns`: what `leadpact report --format json` prints, of one connection or
//! of each in turn; campaigns as CSV, too. While the first figures are counted, the answer is 202 and says when to ask again.

use super::asked::{Asked, Unasked};
use super::figures::Figures;
use super::pages::campaigns;
use super::pages::waterfall::list::{self, Behind, Wanted};
use super::routes::{Entry, get};
use super::{Web, answer, cursor, record};
use crate::engine::Site;
use crate::engine::reached::Reached;
use crate::report::layout::{What, json};
use crate::store::role::Permission;
use actix_web::HttpResponse;
use actix_web::http::{StatusCode, header};
use actix_web::web::{Data, Query};
use serde::Deserialize;
use serde_json::{Value as Json, json as object};
use std::sync::Arc;
use std::time::Duration;

/// Records in one answer, unless fewer are asked for.
const MOST: usize = 100;
/// Programs wait a little rather than ask again.
const PATIENCE: Duration = Duration::from_secs(5);
/// Seconds after which to ask again.
const AGAIN: &str = "3";

pub(super) const ROUTES: &[Entry] = &[
    get("/api/v1/scorecard", Permission::Look, |route| route.to(scorecard)),
    get("/api/v1/waterfall", Permission::Look, |route| route.to(waterfall)),
    get("/api/v1/waterfall/stage", Permission::Look, |route| route.to(stage)),
    get("/api/v1/campaigns", Permission::Look, |route| route.to(campaigns)),
    get("/api/v1/campaigns.csv", Permission::Look, |route| route.to(campaigns_csv)),
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
        Ok(None) => counting(),
        Err(why) => refused(&why),
    }
}

/// What is asked for is being counted for the first time.
pub(super) fn counting() -> HttpResponse {
    HttpResponse::Accepted()
        .insert_header((header::RETRY_AFTER, AGAIN))
        .json(object!({ "counting": true, "hint": "ask again after the seconds in Retry-After" }))
}

/// The table of the page, as its download has it.
async fn campaigns_csv(web: Data<Web>, wanted: Query<campaigns::Wanted>) -> HttpResponse {
    match campaigns::csv_of(&web, &wanted).await {
        Ok(Some(file)) => campaigns::served(file),
        Ok(None) => counting(),
        Err(why) => refused(&why),
    }
}

fn refused(why: &Unasked) -> HttpResponse {
    match why {
        Unasked::Unavailable(error) => answer::unavailable(error),
        Unasked::NoSuchConnection => answer::error(StatusCode::NOT_FOUND, "no connection is called so"),
        Unasked::Nothing => answer::error(StatusCode::NOT_FOUND, "no connection is configured yet"),
        wrong => answer::error(StatusCode::BAD_REQUEST, wrong.text()),
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

#[derive(Deserialize)]
struct Limit {
    limit: Option<usize>,
}

/// The records behind a bar.
async fn stage(web: Data<Web>, wanted: Query<Wanted>, limit: Query<Limit>) -> HttpResponse {
    let Ok(before) = wanted.before() else {
        return answer::refused(StatusCode::BAD_REQUEST, "`after` is not what an answer's `next` said", Some("after"));
    };
    match list::behind(&web, &wanted, before, limit.limit.unwrap_or(MOST)).await {
        Ok(Some(behind)) => HttpResponse::Ok().json(told(&behind)),
        Ok(None) => answer::error(StatusCode::NOT_FOUND, "the agreement of that period has no such stage"),
        Err(why) => refused(&why),
    }
}

fn told(behind: &Behind) -> Json {
    object!({
        "connection": behind.site.name(),
        "period": behind.window,
        "stage": behind.agreement.stages[behind.stage].name,
        "records": behind.found.rows.iter().map(|row| reached(behind, row)).collect::<Vec<_>>(),
        "note": behind.note,
        "next": behind.found.next.as_ref().map(cursor::write),
    })
}

fn reached(behind: &Behind, row: &Reached) -> Json {
    let key = &row.key;
    object!({
        "record": { "connection": key.connection, "object": key.object, "id": key.id, "name": row.name },
        "url": record::url(&behind.site, key),
        "at": row.at.to_string(),
        "pass_kind": row.kind,
        "party": row.party,
        "owner": row.owner,
        "owner_name": row.owner.as_ref().and_then(|id| behind.names.get(&key.connection, id)),
    })
}
