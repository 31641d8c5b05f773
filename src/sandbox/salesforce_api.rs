//! Salesforce's HTTP API over a [`World`]: which path means what, error bodies. Signing in stands in
//! `salesforce_oauth.rs`, saving records in `salesforce_save.rs`, queries in `salesforce_query.rs` and `soql.rs`.

use super::call::{Answer, Call};
use super::oauth::OauthApp;
use super::salesforce_query::Locators;
use super::world::World;
use super::{id, salesforce_composite as composite, salesforce_oauth as oauth, salesforce_query};
use super::{salesforce_save as save, salesforce_setup as setup, salesforce_whole as whole};
use serde_json::{Value as Json, json};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

/// Rows of a page unless a test makes pages small.
const PAGE: usize = 2000;

/// The state of the API of one organisation beside its records.
pub struct SalesforceApi {
    pub organization_id: String,
    pub app: OauthApp,
    calls: AtomicU64,
    pub page_size: AtomicUsize,
    pub locators: Locators,
}

/// What kind of call it is.
pub fn kind(call: &Call) -> &'static str {
    if let Some(kind) = oauth::kind(call) {
        return kind;
    }
    let segments = call.segments();
    let rest: Vec<&str> = segments.iter().skip(3).map(|s| s.as_ref()).collect();
    match (call.method.as_str(), rest.as_slice()) {
        ("GET", _) if call.path.starts_with("/id/") => "salesforce.identity",
        ("PATCH", ["composite", "sobjects"]) => "salesforce.collection_update",
        ("POST", ["composite"]) => "salesforce.composite",
        ("POST", ["composite", "sobjects"]) => "salesforce.collection_create",
        ("POST", ["composite", "sobjects", _]) => "salesforce.collection_read",
        ("DELETE", ["composite", "sobjects"]) => "salesforce.collection_delete",
        ("GET", ["query" | "queryAll"]) => "salesforce.query",
        ("GET", ["tooling", "query"]) => "salesforce.tooling_query",
        ("GET", ["query", _]) => "salesforce.query_more",
        ("GET", []) => "salesforce.resources",
        ("GET", ["sobjects"]) => "salesforce.describe_all",
        ("GET", ["sobjects", _, "describe"]) => "salesforce.describe",
        ("POST", ["tooling", "sobjects", "CustomField"]) => "salesforce.field_create",
        ("POST", ["sobjects", _]) => "salesforce.create",
        ("GET", ["sobjects", _, _]) => "salesforce.get",
        ("PATCH", ["sobjects", _, _]) => "salesforce.update",
        ("DELETE", ["sobjects", _, _]) => "salesforce.delete",
        ("GET", ["limits"]) => "salesforce.limits",
        _ => "salesforce.unknown",
    }
}

impl SalesforceApi {
    pub fn new(organization_id: &str, client_id: &str, client_secret: &str) -> Self {
        Self {
            organization_id: id::with_suffix(organization_id),
            app: OauthApp::new(client_id, client_secret),
            calls: AtomicU64::new(10_000),
            page_size: AtomicUsize::new(PAGE),
            locators: Locators::default(),
        }
    }

    pub fn answer(&self, world: &World, call: &Call) -> Answer {
        let kind = kind(call);
        if call.path.trim_end_matches('/') == "/services/data" {
            return Answer::json(
                200,
                &json!([{ "label": "Winter '27", "url": "/services/data/v67.0", "version": "67.0" }]),
            );
        }
        if oauth::kind(call).is_some() {
            return oauth::answer(world, self, kind, call);
        }
        if !call.bearer().is_some_and(|token| self.app.admits(token, world.now())) {
            return unauthorized();
        }
        let used = self.calls.fetch_add(1, Ordering::Relaxed);
        self.signed_in(world, kind, call).with("Sforce-Limit-Info", format!("api-usage={used}/100000"))
    }

    /// Answers a call of somebody whose token was looked at.
    pub fn signed_in(&self, world: &World, kind: &str, call: &Call) -> Answer {
        let segments = call.segments();
        let part = |i: usize| segments.get(i).map_or("", |s| s.as_ref());
        match kind {
            "salesforce.query" | "salesforce.tooling_query" => salesforce_query::first_page(self, world, call),
            "salesforce.query_more" => salesforce_query::next_page(self, part(2), part(4)),
            "salesforce.composite" => composite::answer(self, world, call),
            "salesforce.collection_update" => save::collection(world, call, true),
            "salesforce.collection_create" => save::collection(world, call, false),
            "salesforce.collection_read" => salesforce_query::collection(world, part(5), call),
            "salesforce.collection_delete" => save::delete_collection(world, call),
            "salesforce.resources" => setup::resources(&self.organization_id, call),
            "salesforce.describe" => setup::describe(world, part(4)),
            "salesforce.describe_all" => whole::describe_all(world, call),
            "salesforce.identity" => whole::identity(&self.organization_id, call),
            "salesforce.field_create" => setup::create_field(world, call),
            "salesforce.create" => save::create(world, part(4), call),
            "salesforce.update" => save::update(world, part(4), part(5), call),
            "salesforce.delete" => save::delete(world, part(4), part(5)),
            "salesforce.get" => salesforce_query::get(world, part(4), part(5), call),
            "salesforce.limits" => {
                Answer::json(200, &json!({ "DailyApiRequests": { "Max": 100_000, "Remaining": 90_000 } }))
            }
            _ => error(404, "NOT_FOUND", "The requested resource does not exist"),
        }
    }
}

/// A call refused: a list of one error.
pub fn error(status: u16, code: &str, message: &str) -> Answer {
    Answer::json(status, &json!([{ "message": message, "errorCode": code }]))
}

pub fn unauthorized() -> Answer {
    error(401, "INVALID_SESSION_ID", "Session expired or invalid")
}

/// Salesforce itself refuses by 403 when the day's calls are used up; a 429 comes from what stands
/// before it.
pub fn too_many(retry_after: Option<u64>) -> Answer {
    let answer = error(429, "TOO_MANY_REQUESTS", "Too many requests");
    match retry_after {
        Some(seconds) => answer.with("Retry-After", seconds.to_string()),
        None => answer,
    }
}

/// The objects that hold records, people and histories.
pub const OBJECTS: [&str; 8] =
    ["Lead", "Opportunity", "Task", "Event", "User", "Group", "LeadHistory", "OpportunityFieldHistory"];

/// The objects that the pretend organisation has, by any spelling.
pub fn object_named(name: &str) -> Option<&'static str> {
    OBJECTS.into_iter().chain(setup::PERMISSIONS).chain(setup::SETUP).find(|object| object.eq_ignore_ascii_case(name))
}

/// A field of such a name does not exist.
pub fn is_unknown_field(name: &str) -> bool {
    name.to_ascii_lowercase().starts_with("no_such")
}

/// The fields of a body, without its `attributes` and id.
pub fn fields(body: &Json) -> super::record::Values {
    let is_field = |name: &str| name != "attributes" && !name.eq_ignore_ascii_case("id");
    let pairs = body.as_object().into_iter().flatten();
    pairs.filter(|(name, _)| is_field(name)).map(|(name, value)| (name.clone(), value.clone())).collect()
}
