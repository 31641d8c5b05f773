//! `/api/v1/needs`: what waits for somebody in a connection, as the first page lists it.

use super::api_control::{Refused, answered, site};
use super::api_figures::counting;
use super::pages::front::needs::{Need, needs};
use super::routes::{Entry, get};
use super::session::Visitor;
use super::{Web, answer};
use crate::store::role::Permission;
use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::{Data, Query};
use serde::Deserialize;
use serde_json::{Value as Json, json};

pub(super) const ROUTES: &[Entry] = &[get("/api/v1/needs", Permission::Look, |route| route.to(list))];

#[derive(Deserialize)]
struct Asked {
    #[serde(default)]
    connection: String,
}

async fn list(web: Data<Web>, visitor: Visitor, asked: Query<Asked>) -> HttpResponse {
    let found = match asked.connection.as_str() {
        "" => web.engine.sites().first().cloned(),
        name => match site(&web, name) {
            Ok(site) => Some(site),
            Err(refused) => return answered(Err(refused)),
        },
    };
    let Some(site) = found else {
        return answer::error(StatusCode::NOT_FOUND, "no connection is configured yet");
    };
    // What is held and given up is among it by its number, which is not left out for being counted.
    let Some(counts) = web.tally.counts(&web).await else { return counting() };
    let all = needs(&web, &visitor, &site, Some(&counts)).await.map_err(Refused::from);
    answered(all.map(|all| json!({ "connection": site.name(), "needs": all.iter().map(told).collect::<Vec<_>>() })))
}

/// Where a person sees to it; what is attested on the first page itself has a list of its own.
fn page(need: &Need) -> Option<&str> {
    let listed = need.attest.as_ref().map(|_| "/disputes/attest");
    need.link.as_ref().map(|link| link.href.as_str()).or(listed)
}

fn told(need: &Need) -> Json {
    json!({
        "kind": need.word,
        "what": need.what,
        "why": need.why,
        "page": page(need),
        "attest": need.attest.as_ref().map(|one| json!({
            "commitment": one.commitment, "period": one.period, "may_attest": one.is_allowed,
        })),
    })
}
