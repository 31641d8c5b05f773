//! HubSpot's webhook bodies and their signature (version 3, and version 1 beside it, as HubSpot
//! sends both). Sending is done in `webhooks.rs`.

use super::event::{By, Happened, WorldEvent};
use super::hubspot_objects::source;
use super::webhooks::{APP_ID, Notice, Prepared, Target};
use super::world::{World, text_of};
use crate::record::Timestamp;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value as Json, json};
use sha2::{Digest, Sha256};

/// The escapes that are undone before an address is signed, and no others.
const UNDONE: [(&str, &str); 12] = [
    ("%3A", ":"),
    ("%2F", "/"),
    ("%3F", "?"),
    ("%40", "@"),
    ("%21", "!"),
    ("%24", "$"),
    ("%27", "'"),
    ("%28", "("),
    ("%29", ")"),
    ("%2A", "*"),
    ("%2C", ","),
    ("%3B", ";"),
];

/// How an object is called in subscriptions, and its type id where it goes by `object`.
fn kind_of(object: &str) -> Option<(&'static str, Option<&'static str>)> {
    match object {
        "contacts" => Some(("contact", None)),
        "deals" => Some(("deal", None)),
        "0-136" => Some(("object", Some("0-136"))),
        _ => None,
    }
}

/// The event that HubSpot would send; `None` for objects that nobody subscribed to.
pub fn event(world: &World, event: &WorldEvent, portal_id: u64, number: u64) -> Option<Json> {
    let (kind, type_id) = kind_of(&event.object)?;
    let (what, mut body) = match &event.what {
        Happened::Created => ("creation", json!({ "objectId": number_of(&event.id), "changeFlag": "NEW" })),
        Happened::Deleted => ("deletion", json!({ "objectId": number_of(&event.id), "changeFlag": "DELETED" })),
        Happened::Changed { property, value, .. } => (
            "propertyChange",
            json!({
                "objectId": number_of(&event.id), "propertyName": property, "propertyValue": text_of(value),
            }),
        ),
        Happened::Merged { into } => (
            "merge",
            json!({
                "objectId": number_of(into), "primaryObjectId": number_of(into), "newObjectId": number_of(into),
                "mergedObjectIds": [number_of(&event.id)], "numberOfPropertiesMoved": 0,
            }),
        ),
        Happened::Associated { to_object, to_id, type_id, removed } => {
            ("associationChange", association(event, (to_object, to_id), *type_id, *removed)?)
        }
    };
    if let (Some(type_id), true) = (type_id, what != "associationChange") {
        body["objectTypeId"] = json!(type_id);
    }
    body["eventId"] = json!(number);
    body["subscriptionId"] = json!(subscription(&event.object, what));
    body["portalId"] = json!(portal_id);
    body["appId"] = json!(APP_ID);
    body["occurredAt"] = json!(event.at.as_millis());
    body["subscriptionType"] = json!(format!("{kind}.{what}"));
    sign_source(world, &event.by, &mut body);
    Some(body)
}

fn sign_source(world: &World, by: &By, body: &mut Json) {
    let (change, id) = source(by);
    body["changeSource"] = json!(change);
    let id = match by {
        // Webhooks name a person by the user's number, not by the owner's.
        By::Person(owner) => world.member(owner).map_or(id, |member| format!("userId:{}", member.user_id)),
        _ => id,
    };
    if !id.is_empty() {
        body["sourceId"] = json!(id);
    }
}

fn association(event: &WorldEvent, to: (&str, &str), type_id: u32, removed: bool) -> Option<Json> {
    let (from_kind, from_type) = kind_of(&event.object)?;
    let (to_kind, to_type) = kind_of(to.0)?;
    let mut body = json!({
        "fromObjectId": number_of(&event.id), "toObjectId": number_of(to.1),
        "associationRemoved": removed, "isPrimaryAssociation": false,
    });
    if from_type.is_some() {
        body["fromObjectTypeId"] = json!(type_id_of(&event.object));
        body["toObjectTypeId"] = json!(to_type.unwrap_or_else(|| type_id_of(to.0)));
        body["associationTypeId"] = json!(type_id);
        body["associationCategory"] = json!("HUBSPOT_DEFINED");
    } else {
        let name = |kind: &str| if kind == "object" { "LEAD".to_owned() } else { kind.to_uppercase() };
        body["associationType"] = json!(format!("{}_TO_{}", name(from_kind), name(to_kind)));
    }
    Some(body)
}

fn type_id_of(object: &str) -> &'static str {
    match object {
        "contacts" => "0-1",
        "deals" => "0-3",
        _ => "0-136",
    }
}

/// Ids are numbers in webhooks.
fn number_of(id: &str) -> Json {
    id.parse::<u64>().map_or_else(|_| json!(id), |number| json!(number))
}

/// The same number for the same kind of event.
fn subscription(object: &str, what: &str) -> u64 {
    let sum: u64 = object.bytes().chain(what.bytes()).map(u64::from).sum();
    310_000 + sum
}

/// The signed request of a batch.
pub fn request(batch: &[Notice], target: &Target, attempt: u32, now: Timestamp) -> Prepared {
    let events: Vec<Json> = batch.iter().filter_map(|notice| with_attempt(notice, attempt)).collect();
    let body = Json::Array(events).to_string();
    let url = target.signed_as.as_deref().unwrap_or(&target.url);
    let timestamp = now.as_millis().to_string();
    let headers = vec![
        ("Content-Type", "application/json".to_owned()),
        ("X-HubSpot-Signature-v3", signature(&target.secret, url, &body, &timestamp)),
        ("X-HubSpot-Request-Timestamp", timestamp),
        ("X-HubSpot-Signature", hex::encode(Sha256::digest(format!("{}{body}", target.secret)))),
        ("X-HubSpot-Signature-Version", "v1".to_owned()),
    ];
    Prepared { headers, body }
}

fn with_attempt(notice: &Notice, attempt: u32) -> Option<Json> {
    let Notice::HubSpot(event) = notice else { return None };
    let mut event = event.clone();
    event["attemptNumber"] = json!(attempt);
    Some(event)
}

/// Version 3: base64 of HMAC-SHA-256 over method, address, body and timestamp.
pub fn signature(secret: &str, url: &str, body: &str, timestamp: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("HMAC takes keys of any length");
    for part in ["POST", &undone(url), body, timestamp] {
        mac.update(part.as_bytes());
    }
    STANDARD.encode(mac.finalize().into_bytes())
}

/// One pass from left to right, so that `%253A` stays `%3A`.
fn undone(url: &str) -> String {
    let mut text = String::with_capacity(url.len());
    let mut rest = url;
    while let Some(c) = rest.chars().next() {
        match UNDONE.iter().find(|(escape, _)| rest.starts_with(escape)) {
            Some((escape, plain)) => {
                text.push_str(plain);
                rest = &rest[escape.len()..];
            }
            None => {
                text.push(c);
                rest = &rest[c.len_utf8()..];
            }
        }
    }
    text
}
