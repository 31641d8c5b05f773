//! The web server of the sandbox: takes calls, keeps them, applies faults, sets the CRM's `Date`, and
//! serves `/_sandbox/…`, by which another process controls it. Answers come from the APIs.

use super::call::{Answer, Call, http_date};
use super::faults::{Fault, FaultRule, Faults, RecordedCall, length};
use super::hubspot_api::{self, HubSpotApi};
use super::oauth::Form;
use super::record::Values;
use super::salesforce_api::{self, SalesforceApi};
use super::webhooks::{Mischief, Webhooks};
use super::world::{Clock, World};
use super::{By, CrmKind, Organisation};
use actix_web::dev::ServerHandle;
use actix_web::http::StatusCode;
use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};
use anyhow::Context;
use serde_json::{Value as Json, json};
use std::net::SocketAddr;
use std::sync::{Arc, PoisonError};

const MOST_BYTES: usize = 16 * 1024 * 1024;

/// All that a call may need.
pub(crate) struct Shared {
    pub clock: Clock,
    pub faults: Faults,
    pub hubspot: Option<Organisation<HubSpotApi>>,
    pub salesforce: Option<Organisation<SalesforceApi>>,
}

/// Begins to listen; the server runs on the current runtime.
pub(super) fn start(shared: Arc<Shared>, listen: SocketAddr) -> anyhow::Result<(SocketAddr, ServerHandle)> {
    let data = web::Data::from(shared);
    let server = HttpServer::new(move || {
        App::new().app_data(data.clone()).app_data(web::PayloadConfig::new(MOST_BYTES)).default_service(web::to(handle))
    })
    .workers(1)
    .disable_signals()
    .bind(listen)
    .with_context(|| format!("cannot listen at {listen}"))?;
    let address = server.addrs().first().copied().context("the sandbox has no address")?;
    let server = server.run();
    let handle = server.handle();
    tokio::spawn(server);
    Ok((address, handle))
}

async fn handle(request: HttpRequest, body: web::Bytes, shared: web::Data<Shared>) -> HttpResponse {
    let call = call_of(&request, &body);
    let answer = match call.path.starts_with("/_sandbox/") {
        true => shared.control(&call),
        false => shared.serve(call).await,
    };
    let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = HttpResponse::build(status);
    response.insert_header(("Date", http_date((shared.clock)()))).insert_header(("Content-Type", answer.content_type));
    for header in answer.headers {
        response.insert_header(header);
    }
    response.body(answer.body)
}

fn call_of(request: &HttpRequest, body: &[u8]) -> Call {
    let text = |value: &actix_web::http::header::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    let headers = request.headers().iter().map(|(name, value)| (name.as_str().to_owned(), text(value)));
    Call {
        method: request.method().as_str().to_owned(),
        path: request.path().to_owned(),
        query: request.query_string().to_owned(),
        headers: headers.collect(),
        body: body.to_vec(),
        refused: Vec::new(),
        locked: Vec::new(),
    }
}

impl Shared {
    pub fn webhooks(&self, crm: CrmKind) -> Option<&Arc<Webhooks>> {
        match crm {
            CrmKind::HubSpot => self.hubspot.as_ref().map(|org| &org.webhooks),
            CrmKind::Salesforce => self.salesforce.as_ref().map(|org| &org.webhooks),
        }
    }

    pub fn all_webhooks(&self) -> impl Iterator<Item = &Arc<Webhooks>> {
        [CrmKind::HubSpot, CrmKind::Salesforce].into_iter().filter_map(|crm| self.webhooks(crm))
    }

    fn world(&self, crm: CrmKind) -> Option<&Arc<World>> {
        match crm {
            CrmKind::HubSpot => self.hubspot.as_ref().map(|org| &org.world),
            CrmKind::Salesforce => self.salesforce.as_ref().map(|org| &org.world),
        }
    }

    async fn serve(&self, call: Call) -> Answer {
        let crm = crm_of(&call.path);
        let kind = match crm {
            CrmKind::Salesforce => salesforce_api::kind(&call),
            CrmKind::HubSpot => hubspot_api::route(&call).kind,
        };
        let number = self.faults.record(recorded(kind, &call));
        let answer = match self.faults.take(kind) {
            None => self.answer(crm, &call),
            Some(fault) => self.fail(crm, call, fault).await,
        };
        // A token is no business of the log.
        let body: &[u8] = if matches!(kind, "hubspot.token" | "salesforce.token") { &[] } else { &answer.body };
        self.faults.answered(number, answer.status, body);
        answer
    }

    fn answer(&self, crm: CrmKind, call: &Call) -> Answer {
        match (crm, &self.hubspot, &self.salesforce) {
            (CrmKind::HubSpot, Some(org), _) => hubspot_api::answer(&org.world, &org.api, call),
            (CrmKind::Salesforce, _, Some(org)) => org.api.answer(&org.world, call),
            _ => Answer::empty(404),
        }
    }

    async fn fail(&self, crm: CrmKind, mut call: Call, fault: Fault) -> Answer {
        match fault {
            Fault::TooManyRequests { retry_after } => match crm {
                CrmKind::HubSpot => hubspot_api::too_many(retry_after),
                CrmKind::Salesforce => salesforce_api::too_many(retry_after),
            },
            Fault::Unauthorized => match crm {
                CrmKind::HubSpot => hubspot_api::unauthorized(),
                CrmKind::Salesforce => salesforce_api::unauthorized(),
            },
            Fault::ServerError => refusal(crm, 500, "internal error"),
            Fault::BadGateway => Answer::bad_gateway(),
            Fault::Hang { seconds } => {
                tokio::time::sleep(length(seconds)).await;
                refusal(crm, 503, "unavailable")
            }
            Fault::Slow { seconds } => {
                tokio::time::sleep(length(seconds)).await;
                self.answer(crm, &call)
            }
            Fault::ApplyThenHang { seconds } => {
                let answer = self.answer(crm, &call);
                tokio::time::sleep(length(seconds)).await;
                answer
            }
            Fault::ApplyThenFail => {
                self.answer(crm, &call);
                Answer::bad_gateway()
            }
            Fault::Refuse { ids } => {
                call.refused = ids;
                self.answer(crm, &call)
            }
            Fault::Lock { ids } => {
                call.locked = ids;
                self.answer(crm, &call)
            }
        }
    }

    /// `POST|GET|DELETE /_sandbox/faults`, `GET /_sandbox/calls?kind=…`,
    /// `POST /_sandbox/mischief/{crm}`, `POST /_sandbox/records/{crm}/{object}` (a form fills it in),
    /// `GET|PATCH /_sandbox/records/{crm}/{object}/{id}` (`?by=` an owner's id).
    fn control(&self, call: &Call) -> Answer {
        let segments = call.segments();
        let parts: Vec<&str> = segments.iter().skip(1).map(|s| s.as_ref()).collect();
        match (call.method.as_str(), parts.as_slice()) {
            ("POST", ["faults"]) => self.order_faults(call),
            ("GET", ["faults"]) => Answer::json(200, &json!(self.faults.in_force())),
            ("DELETE", ["faults"]) => {
                self.faults.clear();
                Answer::empty(204)
            }
            ("GET", ["calls"]) => {
                let kind = call.parameter("kind").unwrap_or_else(|| "*".to_owned());
                Answer::json(200, &json!(self.faults.calls(&kind)))
            }
            ("DELETE", ["calls"]) => {
                self.faults.forget_calls();
                Answer::empty(204)
            }
            ("POST", ["mischief", crm]) => self.order_mischief(crm, call),
            (_, ["records", crm, rest @ ..]) => match crm_named(crm).and_then(|crm| self.world(crm)) {
                Some(world) => records(world, rest, call),
                None => Answer::empty(404),
            },
            _ => Answer::empty(404),
        }
    }

    /// One rule, or a list of rules.
    fn order_faults(&self, call: &Call) -> Answer {
        let rules = match call.json() {
            Some(Json::Array(rules)) => rules,
            Some(rule) => vec![rule],
            None => return Answer::empty(400),
        };
        let rules: Result<Vec<FaultRule>, _> = rules.into_iter().map(serde_json::from_value).collect();
        match rules {
            Ok(rules) => rules.into_iter().for_each(|rule| self.faults.add(rule)),
            Err(problem) => return Answer::json(400, &json!({ "error": problem.to_string() })),
        }
        Answer::empty(204)
    }

    fn order_mischief(&self, crm: &str, call: &Call) -> Answer {
        let mischief: Option<Mischief> = serde_json::from_slice(&call.body).ok();
        match (crm_named(crm).and_then(|crm| self.webhooks(crm)), mischief) {
            (Some(webhooks), Some(mischief)) => {
                *webhooks.mischief.lock().unwrap_or_else(PoisonError::into_inner) = mischief;
                Answer::empty(204)
            }
            _ => Answer::empty(400),
        }
    }
}

fn records(world: &World, rest: &[&str], call: &Call) -> Answer {
    let by = call.parameter("by").map_or(By::Form, By::Person);
    let values: Values = serde_json::from_slice(&call.body).unwrap_or_default();
    match (call.method.as_str(), rest) {
        ("POST", [object]) => Answer::json(201, &json!({ "id": world.create(object, values, by) })),
        ("PATCH", [object, id]) => match world.change(object, id, values, by) {
            Ok(at) => Answer::json(200, &json!({ "modified": at })),
            Err(why) => Answer::json(404, &json!({ "error": why.to_string() })),
        },
        ("GET", [object, id]) => match world.get(object, id) {
            Some(record) => Answer::json(200, &json!(record.properties)),
            None => Answer::empty(404),
        },
        _ => Answer::empty(404),
    }
}

fn crm_named(name: &str) -> Option<CrmKind> {
    match name {
        "hubspot" => Some(CrmKind::HubSpot),
        "salesforce" => Some(CrmKind::Salesforce),
        _ => None,
    }
}

/// Salesforce's data and sign-in, and its identities; all else is HubSpot's.
fn crm_of(path: &str) -> CrmKind {
    match path.starts_with("/services/") || path.starts_with("/id/") {
        true => CrmKind::Salesforce,
        false => CrmKind::HubSpot,
    }
}

fn refusal(crm: CrmKind, status: u16, message: &str) -> Answer {
    match crm {
        CrmKind::HubSpot => hubspot_api::error(status, "INTERNAL_ERROR", message),
        CrmKind::Salesforce => salesforce_api::error(status, "SERVER_UNAVAILABLE", message),
    }
}

/// The call without what would sign somebody in.
fn recorded(kind: &'static str, call: &Call) -> RecordedCall {
    let query = if call.query.is_empty() { String::new() } else { format!("?{}", call.query) };
    let headers = call.headers.iter().filter(|(name, _)| name != "authorization").cloned().collect();
    let body = match kind {
        "hubspot.token" | "salesforce.token" => format!("grant_type={}", Form::of(call).get("grant_type")),
        "hubspot.token_info" | "hubspot.token_revoke" | "salesforce.token_revoke" => String::new(),
        _ => String::from_utf8_lossy(&call.body).into_owned(),
    };
    RecordedCall {
        kind,
        method: call.method.clone(),
        path: format!("{}{query}", call.path),
        headers,
        body,
        status: None,
        answer: String::new(),
    }
}
