//! What Salesforce's statuses and error codes mean for us: try later, never, read back, sign in.
//! The code decides, not the status: a limit is a 403, a lock a 400 or hidden in a 200.

use crate::crm::http::Answer;
use crate::crm::{CrmError, ItemResult};
use serde::Deserialize;
use std::time::Duration;

/// The daily limit counts over a rolling day: soon enough to notice, seldom enough not to add to it.
const LIMIT_PAUSE: Duration = Duration::from_secs(15 * 60);
/// Most characters of a message that we keep.
const LONGEST: usize = 300;

/// One error of an answer. Collections say `statusCode`, all others `errorCode`.
#[derive(Clone, Debug, Deserialize)]
pub struct ApiError {
    #[serde(rename = "errorCode", alias = "statusCode", default)]
    pub code: String,
    #[serde(default)]
    pub message: String,
    #[serde(default)]
    pub fields: Vec<String>,
}

/// The result of one record of a collection.
#[derive(Debug, Deserialize)]
pub struct SaveResult {
    pub id: Option<String>,
    pub success: bool,
    #[serde(default)]
    pub errors: Vec<ApiError>,
}

impl ApiError {
    fn text(&self) -> String {
        let fields = if self.fields.is_empty() { String::new() } else { format!(" [{}]", self.fields.join(", ")) };
        short(&format!("{}: {}{fields}", self.code, self.message))
    }

    fn is_lock(&self) -> bool {
        // A trigger that meets a lock reports its own code and the lock's inside the message.
        self.code == "UNABLE_TO_LOCK_ROW" || self.message.contains("UNABLE_TO_LOCK_ROW")
    }
}

/// At most 300 characters: messages come from outside.
pub fn short(text: &str) -> String {
    text.chars().take(LONGEST).collect()
}

/// The errors of an answer's body; none where it is not Salesforce's list (HTML, an object).
pub fn list(answer: &Answer) -> Vec<ApiError> {
    serde_json::from_slice(&answer.body).unwrap_or_default()
}

/// The answer if it is a success.
///
/// # Errors
/// What its status and codes mean.
pub fn check(answer: Answer) -> Result<Answer, CrmError> {
    if answer.is_success() { Ok(answer) } else { Err(of(&answer)) }
}

/// What an answer that is no success means for the whole call.
pub fn of(answer: &Answer) -> CrmError {
    let errors = list(answer);
    let message = errors.first().map_or_else(|| format!("status {}", answer.status), ApiError::text);
    let has = |code: &str| errors.iter().any(|e| e.code == code);
    match answer.status {
        401 => CrmError::SignIn { message },
        _ if has("REQUEST_LIMIT_EXCEEDED") => {
            CrmError::Later { message, after: Some(answer.retry_after().unwrap_or(LIMIT_PAUSE)) }
        }
        _ if errors.iter().any(ApiError::is_lock) || has("INVALID_QUERY_LOCATOR") => {
            CrmError::Later { message, after: None }
        }
        420 | 429 => CrmError::Later { message, after: answer.retry_after() },
        408 | 500.. => CrmError::Doubt { message },
        _ => CrmError::Never { message },
    }
}

/// Whether the answer says that this object does not exist here or is not shown to us.
pub fn is_hidden(answer: &Answer) -> bool {
    let hidden = |e: &ApiError| {
        matches!(e.code.as_str(), "INVALID_TYPE" | "INSUFFICIENT_ACCESS" | "INSUFFICIENT_ACCESS_OR_READONLY")
            || e.message.contains("is not supported")
    };
    answer.status == 404 || (matches!(answer.status, 400 | 403) && list(answer).iter().any(hidden))
}

/// How a record of a collection ended that was not saved. Of several errors the most final counts.
pub fn of_item(errors: &[ApiError]) -> ItemResult {
    let message = match errors.first() {
        Some(_) => short(&errors.iter().map(ApiError::text).collect::<Vec<_>>().join("; ")),
        None => "not saved, without a reason".to_owned(),
    };
    if errors.iter().any(is_gone) {
        return ItemResult::Gone { message };
    }
    if !errors.is_empty() && errors.iter().all(is_passing) {
        let limited = errors.iter().any(|e| e.code == "REQUEST_LIMIT_EXCEEDED");
        return ItemResult::Later { message, after: limited.then_some(LIMIT_PAUSE) };
    }
    ItemResult::Refused { message }
}

fn is_gone(error: &ApiError) -> bool {
    matches!(error.code.as_str(), "ENTITY_IS_DELETED" | "NOT_FOUND" | "CANNOT_UPDATE_CONVERTED_LEAD")
}

fn is_passing(error: &ApiError) -> bool {
    const PASSING: [&str; 4] =
        ["REQUEST_LIMIT_EXCEEDED", "SERVER_UNAVAILABLE", "ALL_OR_NONE_OPERATION_ROLLED_BACK", "PROCESSING_HALTED"];
    error.is_lock() || PASSING.contains(&error.code.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::Timestamp;
    use reqwest::header::HeaderMap;

    fn answer(status: u16, body: &str) -> Answer {
        Answer { status, headers: HeaderMap::new(), at: Timestamp::default(), body: body.as_bytes().to_vec() }
    }

    fn kind(error: &CrmError) -> &'static str {
        match error {
            CrmError::Later { after: Some(_), .. } => "long pause",
            CrmError::Later { after: None, .. } => "retry",
            CrmError::Doubt { .. } => "doubt",
            CrmError::Never { .. } => "never",
            CrmError::SignIn { .. } => "sign in",
        }
    }

    #[test]
    fn every_documented_error_says_what_to_do_next() {
        let file: serde_json::Value =
            serde_json::from_str(include_str!("../../../tests/fixtures/salesforce/rest-errors.json")).unwrap();
        for case in file["cases"].as_array().unwrap() {
            let status = u16::try_from(case["status"].as_u64().unwrap()).unwrap();
            let body = case["body_text"].as_str().map_or_else(|| case["body"].to_string(), str::to_owned);
            let action = case["action"].as_str().unwrap();
            let expected = match status {
                401 => "sign in",
                403 if action.starts_with("stop calling") => "long pause",
                400 if action.starts_with("retry") => "retry",
                500.. => "doubt",
                _ => "never",
            };
            assert_eq!(kind(&of(&answer(status, &body))), expected, "{case}");
        }
    }

    #[test]
    fn too_many_requests_wait_as_long_as_the_answer_says() {
        let mut limited = answer(429, "[]");
        limited.headers.insert("retry-after", "30".parse().unwrap());
        let CrmError::Later { after, .. } = of(&limited) else { panic!() };
        assert_eq!(after, Some(Duration::from_secs(30)));
    }

    #[test]
    fn a_partial_failure_is_judged_item_by_item() {
        let file: serde_json::Value =
            serde_json::from_str(include_str!("../../../tests/fixtures/salesforce/rest-collections-partial.json"))
                .unwrap();
        let results: Vec<SaveResult> = serde_json::from_value(file["body"].clone()).unwrap();
        assert!(results[0].success);
        assert!(matches!(of_item(&results[1].errors), ItemResult::Gone { .. }));
        assert!(matches!(of_item(&results[2].errors), ItemResult::Refused { .. }));
        let ItemResult::Refused { message } = of_item(&results[3].errors) else { panic!() };
        assert!(message.contains("Loss reason is required") && message.contains("Loss_Reason__c"), "{message}");
        assert!(matches!(of_item(&results[4].errors), ItemResult::Later { after: None, .. }));
    }

    #[test]
    fn a_lock_inside_a_triggers_message_is_a_lock() {
        let errors: Vec<ApiError> = serde_json::from_str(
            r#"[{"statusCode":"CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY","message":"Trigger: UNABLE_TO_LOCK_ROW, …"}]"#,
        )
        .unwrap();
        assert!(matches!(of_item(&errors), ItemResult::Later { .. }));
    }

    #[test]
    fn a_duplicate_that_a_rule_blocks_is_refused_with_its_message() {
        let results: Vec<SaveResult> = serde_json::from_str(
            r#"[{"success":false,"errors":[{"statusCode":"DUPLICATES_DETECTED","message":"Use one of these records?",
            "fields":[],"duplicateResut":{"allowSave":false,"duplicateRule":"Leads"}}]}]"#,
        )
        .unwrap();
        let ItemResult::Refused { message } = of_item(&results[0].errors) else { panic!() };
        assert_eq!(message, "DUPLICATES_DETECTED: Use one of these records?");
    }

    #[test]
    fn an_item_that_failed_without_a_reason_is_refused() {
        assert!(matches!(of_item(&[]), ItemResult::Refused { .. }));
    }
}
