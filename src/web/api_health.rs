//! `/api/v1/health`: how each connection fares by what is stored, and what was last found when
//! everything was checked; and having everything checked anew.

use super::deliveries::words;
use super::fitness::{self, Examined, Fares};
use super::routes::{Entry, get, post};
use super::{Web, answer};
use crate::engine::clock::real_now;
use crate::engine::doctor;
use crate::record::Timestamp;
use crate::store::role::Permission;
use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::Data;
use serde_json::{Value as Json, json};

pub(super) const ROUTES: &[Entry] = &[
    get("/api/v1/health", Permission::Look, |route| route.to(health)),
    post("/api/v1/health/check", Permission::Operate, |route| route.to(check)),
];

async fn health(web: Data<Web>) -> HttpResponse {
    match fitness::all(&web).await {
        Ok(all) => {
            let connections: Vec<Json> = all.iter().map(|fares| connection(&web, fares)).collect();
            HttpResponse::Ok().json(json!({
                "connections": connections,
                "checking_since": web.examined.going().map(time),
                "checked": web.examined.last().as_ref().map(examined),
            }))
        }
        Err(error) => answer::unavailable(&error),
    }
}

fn time(at: Timestamp) -> String {
    at.to_string()
}

fn examined(last: &Examined) -> Json {
    match &last.found {
        Ok(checks) => json!({ "at": time(last.at), "verdict": doctor::worst(checks), "checks": checks }),
        Err(error) => json!({ "at": time(last.at), "error": error }),
    }
}

fn connection(web: &Web, fares: &Fares) -> Json {
    let Fares { site, switches, vitals, inbox, outbox, usage, credential, .. } = fares;
    let now = web.engine.clock.now();
    let holder = fares.holder.as_ref().filter(|holder| holder.until > real_now());
    json!({
        "name": site.name(),
        "state": fares.state(now),
        "mode": fares.mode(),
        "crm": words::crm(site),
        "switchable": fares.is_switchable(),
        "paused_until": switches.pause(now).and_then(|row| row.until).map(time),
        "worked_by": holder.map(|holder| &holder.name),
        "last_event": vitals.last_delivery.map(time),
        "last_write": vitals.last_write.map(time),
        "oldest_waiting": vitals.oldest_waiting.map(time),
        "deliveries": { "waiting": inbox.received, "parked": inbox.parked },
        "effects": { "due": outbox.due, "sending": outbox.sending, "held": outbox.held, "parked": outbox.parked },
        "calls_of_the_day": usage.and_then(|u| u.day).map(|day| json!({ "used": day.used, "allowed": day.limit })),
        "signed_in": credential.as_ref().map(|row| json!({
            "by": row.signed_in_by, "at": time(row.signed_in_at), "granted": time(row.granted_at),
            "expires": row.expires_at.map(time),
        })),
    })
}

/// In the background, as the page begins it: the answer is found with `GET /api/v1/health`.
async fn check(web: Data<Web>) -> HttpResponse {
    let Some(examine) = &web.examine else {
        return answer::error(StatusCode::CONFLICT, "nobody checks from here: run `leadpact doctor`");
    };
    let began = web.examined.begin(examine);
    HttpResponse::Accepted().json(json!({ "began": began, "checking_since": web.examined.going().map(time) }))
}
