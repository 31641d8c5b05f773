//! `/healthz`: the process answers. `/readyz`: it can take deliveries, else why not.

use super::Web;
use actix_web::HttpResponse;
use actix_web::web::{self, Data, ServiceConfig};
use serde_json::json;
use std::time::Duration;

/// A database that takes longer to say so is not well.
const PATIENCE: Duration = Duration::from_secs(2);

pub fn routes(routes: &mut ServiceConfig) {
    routes.route("/healthz", web::get().to(healthz)).route("/readyz", web::get().to(readyz));
}

async fn healthz() -> HttpResponse {
    HttpResponse::Ok().content_type("text/plain; charset=utf-8").body("ok")
}

async fn readyz(web: Data<Web>) -> HttpResponse {
    let reasons = reasons(&web).await;
    let mut answer = if reasons.is_empty() { HttpResponse::Ok() } else { HttpResponse::ServiceUnavailable() };
    answer.json(json!({ "ready": reasons.is_empty(), "reasons": reasons }))
}

/// Why no deliveries should be sent here now.
async fn reasons(web: &Web) -> Vec<&'static str> {
    let mut reasons = Vec::new();
    if web.stopping.is_cancelled() {
        reasons.push("shutting down");
    }
    if !tokio::time::timeout(PATIENCE, web.engine.db.is_healthy()).await.unwrap_or(false) {
        reasons.push("the database does not answer");
    }
    if !web.ingest.is_well() {
        reasons.push("deliveries cannot be stored");
    }
    reasons
}
