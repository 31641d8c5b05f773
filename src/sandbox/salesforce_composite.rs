//! Salesforce's composite: several calls in one, each answered as if it had come alone.

use super::call::{Answer, Call};
use super::salesforce_api::{SalesforceApi, error, kind};
use super::world::{World, text_of};
use serde_json::{Value as Json, json};

/// Subrequests of a composite, and those of them that may be queries or collections.
const MOST_PARTS: usize = 25;
const MOST_HEAVY: usize = 5;
const HEAVY: [&str; 2] = ["salesforce.query", "salesforce.collection"];

/// Up to 25 calls in one, of them up to five queries or collections, each answered for itself.
pub fn answer(api: &SalesforceApi, world: &World, call: &Call) -> Answer {
    let body = call.json().unwrap_or_default();
    let asked: Vec<Call> = body["compositeRequest"].as_array().into_iter().flatten().map(|r| part(call, r)).collect();
    let heavy = asked.iter().filter(|part| HEAVY.iter().any(|start| kind(part).starts_with(start))).count();
    if asked.is_empty() || asked.len() > MOST_PARTS || heavy > MOST_HEAVY {
        return error(400, "LIMIT_EXCEEDED", "the composite has too many subrequests, or none");
    }
    if body["allOrNone"] == true {
        return error(400, "INVALID_INPUT", "a pretend organisation rolls no composite back");
    }
    let names = body["compositeRequest"].as_array().into_iter().flatten().map(|asked| &asked["referenceId"]);
    let told = asked.iter().zip(names).map(|(part, name)| {
        let answer = api.signed_in(world, kind(part), part);
        let body: Json = serde_json::from_slice(&answer.body).unwrap_or_default();
        json!({ "body": body, "httpHeaders": {}, "httpStatusCode": answer.status, "referenceId": name })
    });
    Answer::json(200, &json!({ "compositeResponse": told.collect::<Vec<_>>() }))
}

/// A subrequest as a call, with the token and the faults of the whole.
fn part(whole: &Call, asked: &Json) -> Call {
    let url = asked["url"].as_str().unwrap_or_default();
    let (path, query) = url.split_once('?').unwrap_or((url, ""));
    let own = asked["httpHeaders"].as_object().into_iter().flatten();
    let own = own.map(|(name, value)| (name.to_ascii_lowercase(), text_of(value)));
    Call {
        method: asked["method"].as_str().unwrap_or_default().to_owned(),
        path: path.to_owned(),
        query: query.to_owned(),
        headers: own.chain(whole.headers.iter().cloned()).collect(),
        body: asked["body"].to_string().into_bytes(),
        refused: whole.refused.clone(),
        locked: whole.locked.clone(),
    }
}
