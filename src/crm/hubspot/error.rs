//! What HubSpot's refusals mean for us: of a whole call by its status, of one item of a batch by its
//! category. Message texts differ between endpoints and are only shown, never decided upon.

use crate::crm::http::Answer;
use crate::crm::{CrmError, ItemResult};
use serde::Deserialize;
use serde_json::Value as Json;
use std::time::Duration;

/// The rolling window of the ordinary limit.
const WINDOW: Duration = Duration::from_secs(10);
/// The daily limit ends at midnight of the account's zone, which we don't know.
const DAILY: Duration = Duration::from_secs(3600);
const LOCKED: Duration = Duration::from_secs(2);
const MIGRATING: Duration = Duration::from_secs(60);
const LONGEST: Duration = Duration::from_secs(24 * 3600);
const LONGEST_MESSAGE: usize = 300;

/// The body of a refusal; all of it may be missing, and it may be HTML instead.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Refused {
    message: Option<String>,
    category: Option<String>,
    policy_name: Option<String>,
    errors: Vec<Reason>,
}

/// What a refusal says besides: which scopes are lacking, which properties are wrong or required.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Reason {
    message: Option<String>,
    context: Json,
}

impl Reason {
    /// Texts of a context's lists that tell of that.
    fn named(&self, what: &[&str]) -> Vec<&str> {
        let of = self.context.as_object().into_iter().flatten();
        let of = of.filter(|(name, _)| what.iter().any(|w| name.to_lowercase().contains(w)));
        let texts = of.flat_map(|(_, value)| match value {
            Json::Array(all) => all.iter().filter_map(Json::as_str).collect(),
            other => other.as_str().into_iter().collect::<Vec<_>>(),
        });
        texts.collect()
    }
}

/// A message with the properties that its reasons name and it does not, and their own messages.
fn explained(message: &str, reasons: &[Reason]) -> String {
    let mut said = message.to_owned();
    let properties = reasons.iter().flat_map(|r| r.named(&["propert"]));
    for more in reasons.iter().filter_map(|r| r.message.as_deref()).chain(properties) {
        if !said.contains(more) {
            said = format!("{said}; {more}");
        }
    }
    said
}

/// One entry of `errors` in a batch answer.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct ItemError {
    pub category: Option<String>,
    pub message: Option<String>,
    pub context: ItemContext,
    pub errors: Vec<Reason>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct ItemContext {
    pub ids: Vec<String>,
    pub object_write_trace_id: Vec<String>,
}

/// Lets a success pass.
pub(super) fn accept(answer: Answer) -> Result<Answer, CrmError> {
    if answer.is_success() { Ok(answer) } else { Err(call_error(&answer)) }
}

fn call_error(answer: &Answer) -> CrmError {
    let body: Refused = serde_json::from_slice(&answer.body).unwrap_or_default();
    let message = describe(answer.status, &body);
    let later = |least: Duration| {
        let after = answer.retry_after().unwrap_or(least).clamp(least, LONGEST);
        CrmError::Later { message: message.clone(), after: Some(after) }
    };
    match answer.status {
        401 => CrmError::SignIn { message },
        408 | 423 => later(LOCKED),
        429 if body.policy_name.as_deref() == Some("DAILY") => later(DAILY),
        429 => CrmError::Later { message, after: Some(answer.retry_after().unwrap_or(WINDOW).min(LONGEST)) },
        477 => CrmError::Later { message, after: Some(answer.retry_after().unwrap_or(MIGRATING).min(LONGEST)) },
        500.. => CrmError::Doubt { message },
        // Redirects included: following one could carry the token to a stranger.
        _ => CrmError::Never { message },
    }
}

fn describe(status: u16, body: &Refused) -> String {
    let category = body.category.as_deref().map(|c| format!(" {c}")).unwrap_or_default();
    let lacking: Vec<&str> = body.errors.iter().flat_map(|e| e.named(&["scope"])).collect();
    let scopes = if lacking.is_empty() { String::new() } else { format!(" (needs {})", lacking.join(" or ")) };
    match &body.message {
        Some(message) => format!(
            "HubSpot answered {status}{category}: {}",
            shortened(&format!("{}{scopes}", explained(message, &body.errors)))
        ),
        None => format!("HubSpot answered {status}{category}{}", shortened(&scopes)),
    }
}

fn shortened(message: &str) -> String {
    message.chars().take(LONGEST_MESSAGE).collect()
}

impl ItemError {
    pub fn is_not_found(&self) -> bool {
        self.category.as_deref() == Some("OBJECT_NOT_FOUND")
    }

    /// The error is about this input: by the trace id that we gave it, else by the record's id.
    pub fn concerns(&self, trace: &str, id: Option<&str>) -> bool {
        match self.context.object_write_trace_id.is_empty() {
            false => self.context.object_write_trace_id.iter().any(|t| t == trace),
            true => id.is_some_and(|id| self.context.ids.iter().any(|i| i == id)),
        }
    }

    pub fn result(&self) -> ItemResult {
        let category = self.category.as_deref().unwrap_or("ERROR");
        let message = explained(self.message.as_deref().unwrap_or("no message"), &self.errors);
        let message = format!("{category}: {}", shortened(&message));
        match category {
            "OBJECT_NOT_FOUND" => ItemResult::Gone { message },
            "RATE_LIMITS" | "RATE_LIMIT" => ItemResult::Later { message, after: Some(WINDOW) },
            "LOCKED" | "INTERNAL_ERROR" | "SERVICE_UNAVAILABLE" => ItemResult::Later { message, after: Some(LOCKED) },
            _ => ItemResult::Refused { message },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::Timestamp;

    fn answer(case: &serde_json::Value) -> Answer {
        let headers = case["headers"].as_object().into_iter().flatten();
        let headers = headers.map(|(n, v)| (n.parse().unwrap(), v.as_str().unwrap().parse().unwrap())).collect();
        let body = match case["body_text"].as_str() {
            Some(text) => text.as_bytes().to_vec(),
            None => serde_json::to_vec(&case["body"]).unwrap(),
        };
        let status = case["status"].as_u64().unwrap() as u16;
        Answer { status, headers, at: Timestamp::from_millis(0), body }
    }

    fn kind(error: &CrmError) -> String {
        match error {
            CrmError::Later { after, .. } => format!("later {:?}", after.unwrap()),
            CrmError::Doubt { .. } => "doubt".to_owned(),
            CrmError::Never { .. } => "never".to_owned(),
            CrmError::SignIn { .. } => "sign in".to_owned(),
        }
    }

    #[test]
    fn every_recorded_error_says_what_to_do_next() {
        let file: serde_json::Value =
            serde_json::from_str(include_str!("../../../tests/fixtures/hubspot/errors.json")).unwrap();
        let kinds: Vec<String> = file["cases"]
            .as_array()
            .unwrap()
            .iter()
            .map(|case| format!("{} {}", case["status"], kind(&call_error(&answer(case)))))
            .collect();
        let expected = [
            "400 never",
            "400 never",
            "400 never",
            "401 sign in",
            "401 sign in",
            "403 never",
            "404 never",
            "409 never",
            "423 later 2s",
            "477 later 3600s",
            "502 doubt",
            "521 doubt",
        ];
        assert_eq!(kinds, expected);
    }

    #[test]
    fn a_property_that_an_administrators_rule_requires_is_named() {
        let file: serde_json::Value =
            serde_json::from_str(include_str!("../../../tests/fixtures/hubspot/errors.json")).unwrap();
        let CrmError::Never { message } = call_error(&answer(&file["cases"][2])) else { panic!() };
        assert!(message.contains("hs_lead_name is required"), "{message}");
        let bare = serde_json::json!({"category": "VALIDATION_ERROR", "message": "Not valid", "errors": [
            {"context": {"propertyName": ["closedate"]}}, {"context": "{missingScopes=[a]}"}]});
        let item: ItemError = serde_json::from_value(bare).unwrap();
        assert_eq!(item.result(), ItemResult::Refused { message: "VALIDATION_ERROR: Not valid; closedate".to_owned() });
    }

    #[test]
    fn the_daily_limit_waits_longer_than_the_rolling_one() {
        for (file, expected) in [
            (include_str!("../../../tests/fixtures/hubspot/error-429-daily.json"), "later 3600s"),
            (include_str!("../../../tests/fixtures/hubspot/error-429-ten-secondly.json"), "later 10s"),
            (include_str!("../../../tests/fixtures/hubspot/error-429-search-secondly.json"), "later 10s"),
        ] {
            assert_eq!(kind(&call_error(&answer(&serde_json::from_str(file).unwrap()))), expected);
        }
    }

    #[test]
    fn a_named_waiting_time_is_kept_and_a_redirect_is_never_followed() {
        let limited = serde_json::json!({"status": 429, "headers": {"Retry-After": "3"}, "body": {}});
        assert_eq!(kind(&call_error(&answer(&limited))), "later 3s");
        let locked = serde_json::json!({"status": 423, "headers": {"Retry-After": "0"}, "body": {}});
        assert_eq!(kind(&call_error(&answer(&locked))), "later 2s");
        let moved = serde_json::json!({"status": 302, "body_text": ""});
        assert_eq!(kind(&call_error(&answer(&moved))), "never");
    }
}
