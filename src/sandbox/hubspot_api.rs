//! HubSpot's HTTP API over a [`World`]: which path means what, the token, rate headers, error
//! bodies. Reading and writing of objects stands in `hubspot_objects.rs`, search in `hubspot_search.rs`.

use super::call::{Answer, Call};
use super::oauth::OauthApp;
use super::vocabulary::HUBSPOT_DEAL_STAGES;
use super::world::World;
use super::{hubspot_associate as associate, hubspot_associations as associations, hubspot_oauth as oauth};
use super::{hubspot_objects as objects, hubspot_search, hubspot_setup as setup};
use serde_json::{Value as Json, json};
use std::borrow::Cow;

const CORRELATION: &str = "5b1f1e52-0c55-4a5e-9a77-2f3b6a1f0d01";
/// Since when the account has its people and pipelines.
const SET_UP: &str = "2026-01-05T09:00:00.000Z";

/// What a call is about, whichever form its path has.
pub struct Route<'a> {
    pub kind: &'static str,
    /// The object types and ids of the path, after the area: `contacts`, `70112233`.
    rest: Vec<Cow<'a, str>>,
}

/// Paths come as `/crm/{area}/{version}/…` or, of old, `/crm/{version}/{area}/…`.
pub fn route(call: &Call) -> Route<'_> {
    let segments = call.segments();
    match (call.method.as_str(), segments.first().map(|s| s.as_ref())) {
        ("GET", Some("account-info")) => return Route { kind: "hubspot.account", rest: Vec::new() },
        (method, Some("oauth")) => {
            let rest: Vec<&str> = segments.iter().skip(1).map(|s| s.as_ref()).collect();
            return Route { kind: oauth::kind(method, &rest), rest: Vec::new() };
        }
        _ => {}
    }
    let mut rest = segments.iter().skip(1).cloned();
    let (first, second) = (rest.next().unwrap_or_default(), rest.next().unwrap_or_default());
    let legacy = first.starts_with('v') && first[1..].bytes().all(|b| b.is_ascii_digit());
    let area = if legacy { second } else { first };
    let rest: Vec<Cow<'_, str>> = rest.collect();
    let shape: Vec<&str> = rest.iter().skip(1).map(|s| s.as_ref()).collect();
    let kind = match (call.method.as_str(), area.as_ref(), shape.as_slice()) {
        ("GET", "owners", _) if rest.first().is_some_and(|id| !id.is_empty()) => "hubspot.owner",
        ("GET", "owners", _) => "hubspot.owners",
        ("GET", "pipelines", []) => "hubspot.pipelines",
        ("GET", "pipelines", [_]) => "hubspot.pipeline",
        ("GET", "properties", _) => "hubspot.properties",
        ("POST", "properties", [] | ["groups"]) => "hubspot.property_create",
        ("POST", "associations", [_, "batch", "read"]) => "hubspot.associations_read",
        ("POST", "associations", [_, "batch", "create"]) => "hubspot.associations_create",
        ("GET", "objects", [_, "associations", _]) => "hubspot.associations_list",
        ("PUT", "objects", [_, "associations", _, _]) => "hubspot.associate",
        ("PUT", "objects", [_, "associations", "default", _, _]) => "hubspot.associate_default",
        ("POST", "objects", ["batch", "read"]) => "hubspot.batch_read",
        ("POST", "objects", ["batch", "update"]) => "hubspot.batch_update",
        ("POST", "objects", ["batch", "create"]) => "hubspot.batch_create",
        ("POST", "objects", ["batch", "archive"]) => "hubspot.batch_archive",
        ("POST", "objects", ["search"]) => "hubspot.search",
        ("POST", "objects", []) => "hubspot.create",
        ("GET", "objects", []) => "hubspot.list",
        ("GET", "objects", [_]) => "hubspot.get",
        ("PATCH", "objects", [_]) => "hubspot.update",
        ("DELETE", "objects", [_]) => "hubspot.delete",
        _ => "hubspot.unknown",
    };
    Route { kind, rest }
}

/// One account as its API knows it.
pub struct HubSpotApi {
    /// The fixed token of an app with static authentication.
    pub token: String,
    pub portal_id: u64,
    /// An app that people sign in through.
    pub app: OauthApp,
}

/// Kinds of call that bring a token rather than need one.
const SIGNING_IN: [&str; 3] = ["hubspot.authorize", "hubspot.token", "hubspot.token_revoke"];

/// Answers a call; the token is checked before anything else.
pub fn answer(world: &World, api: &HubSpotApi, call: &Call) -> Answer {
    let route = route(call);
    if SIGNING_IN.contains(&route.kind) {
        return oauth::answer(world, api, route.kind, call);
    }
    let is_known = |token: &str| token == api.token || api.app.admits(token, world.now());
    if !call.bearer().is_some_and(is_known) {
        return unauthorized();
    }
    let object = |i: usize| objects::canonical(route.rest.get(i).map_or("", |s| s.as_ref()));
    let id = route.rest.get(1).map_or("", |s| s.as_ref());
    let answer = match route.kind {
        "hubspot.owners" => owners(world, call),
        "hubspot.owner" => one_owner(world, object(0), call),
        "hubspot.pipeline" => one_pipeline(id),
        "hubspot.pipelines" => Answer::json(200, &pipelines()),
        "hubspot.account" => setup::account(world, api.portal_id),
        "hubspot.token_info" => setup::token_info(world, api.portal_id),
        "hubspot.properties" | "hubspot.property_create" => {
            let rest: Vec<&str> = route.rest.iter().skip(1).map(|s| s.as_ref()).collect();
            setup::properties(world, object(0), &rest, call)
        }
        "hubspot.associations_read" => associations::read(world, object(0), object(1), call),
        "hubspot.associations_create" => associate::batch(world, object(0), object(1), call),
        "hubspot.associations_list" => associate::list(world, (object(0), id), object(3)),
        "hubspot.associate" => {
            let to = route.rest.get(4).map_or("", |s| s.as_ref());
            associate::one(world, (object(0), id), (object(3), to), call)
        }
        "hubspot.associate_default" => {
            let to = route.rest.get(5).map_or("", |s| s.as_ref());
            associate::by_default(world, (object(0), id), (object(4), to))
        }
        "hubspot.batch_read" => objects::batch_read(world, object(0), call),
        "hubspot.batch_update" => objects::batch_update(world, object(0), call),
        "hubspot.batch_create" => objects::batch_create(world, object(0), call),
        "hubspot.batch_archive" => objects::batch_archive(world, object(0), call),
        "hubspot.search" => return hubspot_search::search(world, object(0), call),
        "hubspot.list" => hubspot_search::list(world, object(0), call),
        "hubspot.create" => objects::create(world, object(0), call),
        "hubspot.get" => objects::get(world, object(0), id, call),
        "hubspot.update" => objects::update(world, object(0), id, call),
        "hubspot.delete" => objects::delete(world, object(0), id),
        _ => error(404, "OBJECT_NOT_FOUND", "resource not found"),
    };
    with_rate_headers(answer)
}

fn with_rate_headers(answer: Answer) -> Answer {
    answer
        .with("X-HubSpot-RateLimit-Max", "190")
        .with("X-HubSpot-RateLimit-Remaining", "189")
        .with("X-HubSpot-RateLimit-Interval-Milliseconds", "10000")
        .with("X-HubSpot-RateLimit-Daily", "625000")
        .with("X-HubSpot-RateLimit-Daily-Remaining", "624000")
}

/// A whole call refused.
pub fn error(status: u16, category: &str, message: &str) -> Answer {
    let body = json!({
        "status": "error", "message": message, "correlationId": CORRELATION, "category": category,
    });
    Answer::json(status, &body)
}

pub fn unauthorized() -> Answer {
    let message = "Authentication credentials not found. This API supports OAuth 2.0 authentication.";
    error(401, "INVALID_AUTHENTICATION", message)
}

/// The ten-second limit is reached.
pub fn too_many(retry_after: Option<u64>) -> Answer {
    let body = json!({
        "status": "error",
        "message": "You have reached your ten_secondly_rolling limit.",
        "errorType": "RATE_LIMIT",
        "correlationId": CORRELATION,
        "policyName": "TEN_SECONDLY_ROLLING",
        "requestId": "0f6e3b6a-5f0e-4f7e-8a9b-1c2d3e4f5a6b",
    });
    let answer = Answer::json(429, &body).with("X-HubSpot-RateLimit-Remaining", "0");
    match retry_after {
        Some(seconds) => answer.with("Retry-After", seconds.to_string()),
        None => answer,
    }
}

fn owners(world: &World, call: &Call) -> Answer {
    let archived = call.parameter("archived").as_deref() == Some("true");
    let limit = call.parameter("limit").and_then(|l| l.parse().ok()).unwrap_or(100_usize).clamp(1, 500);
    let from = call.parameter("after").and_then(|a| a.parse().ok()).unwrap_or(0_usize);
    let email = call.parameter("email");
    let wanted = |m: &super::world::Member| {
        m.active != archived && email.as_ref().is_none_or(|email| m.email.eq_ignore_ascii_case(email))
    };
    let members: Vec<_> = world.members().into_iter().filter(wanted).collect();
    let results: Vec<Json> = members.iter().skip(from).take(limit).map(owner).collect();
    let mut body = json!({ "results": results });
    if from + limit < members.len() {
        let after = (from + limit).to_string();
        body["paging"] = json!({ "next": { "after": after, "link": format!("?after={after}") } });
    }
    Answer::json(200, &body)
}

/// By the owner's id, or by the user's where `idProperty=userId` says so.
fn one_owner(world: &World, id: &str, call: &Call) -> Answer {
    let archived = call.parameter("archived").as_deref() == Some("true");
    let by_user = call.parameter("idProperty").as_deref() == Some("userId");
    let is_it = |m: &super::world::Member| if by_user { m.user_id.to_string() == id } else { m.id == id };
    match world.members().iter().find(|m| is_it(m) && m.active != archived) {
        Some(member) => Answer::json(200, &owner(member)),
        None => error(404, "OBJECT_NOT_FOUND", "No owner has this id"),
    }
}

fn owner(member: &super::world::Member) -> Json {
    json!({
        "id": member.id,
        "email": member.email,
        "type": if member.queue { "QUEUE" } else { "PERSON" },
        "firstName": member.first,
        "lastName": member.last,
        "userId": member.active.then_some(member.user_id),
        "userIdIncludingInactive": member.user_id,
        "createdAt": SET_UP,
        "updatedAt": SET_UP,
        "archived": !member.active,
        "teams": [],
    })
}

fn one_pipeline(id: &str) -> Answer {
    let all = pipelines();
    match all["results"].as_array().into_iter().flatten().find(|pipeline| pipeline["id"] == id) {
        Some(pipeline) => Answer::json(200, pipeline),
        None => error(404, "OBJECT_NOT_FOUND", "No pipeline has this id"),
    }
}

/// One deal pipeline; its metadata are strings, as HubSpot sends them.
fn pipelines() -> Json {
    let at = SET_UP;
    let stage = |(order, (id, label, closed, won)): (usize, &(&str, &str, bool, bool))| {
        let probability = match (closed, won) {
            (_, true) => "1.0",
            (true, _) => "0.0",
            _ => "0.4",
        };
        json!({
            "id": id, "label": label, "displayOrder": order, "archived": false, "createdAt": at, "updatedAt": at,
            "metadata": { "isClosed": closed.to_string(), "probability": probability },
        })
    };
    let stages: Vec<Json> = HUBSPOT_DEAL_STAGES.iter().enumerate().map(stage).collect();
    json!({ "results": [{
        "id": "default", "label": "Sales pipeline", "displayOrder": 0, "archived": false,
        "createdAt": at, "updatedAt": at, "stages": stages,
    }] })
}
