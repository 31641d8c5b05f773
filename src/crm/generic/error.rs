//! What a described CRM's refusals mean for us: by status, as usual or as the description says.
//! Texts of errors are only shown, never decided upon.

use super::description::{Description, Meaning};
use super::path::scalar;
use crate::crm::http::Answer;
use crate::crm::{CrmError, ItemResult};
use crate::record::Timestamp;
use serde_json::Value as Json;
use std::time::Duration;

const LIMITED: Duration = Duration::from_secs(10);
const LOCKED: Duration = Duration::from_secs(2);
const LONGEST: Duration = Duration::from_secs(24 * 3600);
const LONGEST_MESSAGE: usize = 300;

/// Why a request about one record failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Failure {
    /// The record is not there, or not visible to us.
    Gone {
        message: String,
        /// By the CRM's clock.
        at: Timestamp,
    },
    Other(CrmError),
}

impl From<CrmError> for Failure {
    fn from(error: CrmError) -> Self {
        Failure::Other(error)
    }
}

impl From<Failure> for CrmError {
    /// For requests that are about no record: nothing is at that address.
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Gone { message, .. } => CrmError::Never { message },
            Failure::Other(error) => error,
        }
    }
}

impl Failure {
    /// The sooner of these must be heeded: without credentials, or pressed too hard, the CRM answers
    /// nothing else either.
    fn rank(&self) -> u8 {
        match self {
            Failure::Other(CrmError::SignIn { .. }) => 0,
            Failure::Other(CrmError::Later { .. }) => 1,
            Failure::Other(CrmError::Doubt { .. }) => 2,
            Failure::Other(CrmError::Never { .. }) => 3,
            Failure::Gone { .. } => 4,
        }
    }

    pub fn worst(failures: impl IntoIterator<Item = Failure>) -> Option<Failure> {
        failures.into_iter().min_by_key(Failure::rank)
    }

    /// No sense in sending more now.
    pub fn stops(&self) -> bool {
        self.rank() < 3
    }

    pub fn is_doubt(&self) -> bool {
        matches!(self, Failure::Other(CrmError::Doubt { .. }))
    }

    /// What became of one item of several.
    pub fn item(self) -> ItemResult {
        match self {
            Failure::Gone { message, .. } => ItemResult::Gone { message },
            Failure::Other(CrmError::Never { message }) => ItemResult::Refused { message },
            Failure::Other(CrmError::Later { message, after }) => ItemResult::Later { message, after },
            Failure::Other(CrmError::SignIn { message } | CrmError::Doubt { message }) => {
                ItemResult::Later { message, after: None }
            }
        }
    }
}

/// The JSON of a success; an empty body is null.
pub(super) fn accept(description: &Description, answer: &Answer) -> Result<Json, Failure> {
    if !answer.is_success() {
        return Err(failure(description, answer));
    }
    if answer.body.iter().all(u8::is_ascii_whitespace) {
        return Ok(Json::Null);
    }
    let json: Json = answer.json()?;
    let said = description.errors.success.as_ref().and_then(|path| path.find(&json));
    match said {
        Some(Json::Bool(false)) => {
            let message = describe(description, answer.status, Some(&json));
            Err(Failure::Other(CrmError::Never { message }))
        }
        _ => Ok(json),
    }
}

fn failure(description: &Description, answer: &Answer) -> Failure {
    let json = serde_json::from_slice(&answer.body).ok();
    let message = describe(description, answer.status, json.as_ref());
    let meaning = description.errors.meaning.get(&answer.status).copied();
    match meaning.unwrap_or_else(|| usual(answer.status)) {
        Meaning::Later => CrmError::Later { message, after: Some(wait(description, answer)) }.into(),
        Meaning::Doubt => CrmError::Doubt { message }.into(),
        Meaning::Never => CrmError::Never { message }.into(),
        Meaning::Gone => Failure::Gone { message, at: answer.at },
        Meaning::SignIn => CrmError::SignIn { message }.into(),
    }
}

fn usual(status: u16) -> Meaning {
    match status {
        401 => Meaning::SignIn,
        404 | 410 => Meaning::Gone,
        408 | 423 | 425 | 429 => Meaning::Later,
        500.. => Meaning::Doubt,
        // Redirects included: following one could carry the credentials to a stranger.
        _ => Meaning::Never,
    }
}

fn wait(description: &Description, answer: &Answer) -> Duration {
    let seconds = || answer.header(description.errors.wait.as_deref()?)?.trim().parse().ok().map(Duration::from_secs);
    let least = if answer.status == 429 { LIMITED } else { LOCKED };
    answer.retry_after().or_else(seconds).unwrap_or(least).min(LONGEST)
}

fn describe(description: &Description, status: u16, body: Option<&Json>) -> String {
    let text = || scalar(description.errors.message.as_ref()?.find(body?)?);
    match text().filter(|text| !text.trim().is_empty()) {
        Some(text) => {
            let short: String = text.chars().filter(|c| !c.is_control()).take(LONGEST_MESSAGE).collect();
            format!("{} answered {status}: {short}", description.name)
        }
        None => format!("{} answered {status}", description.name),
    }
}
