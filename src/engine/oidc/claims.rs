//! Claims that no standard names: in them the provider says what somebody is at the company.

use openidconnect::AdditionalClaims;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Most values of a role claim that are read.
const MOST: usize = 2_000;

/// Whatever a token or an answer holds beside the standard claims.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub(super) struct More {
    #[serde(flatten)]
    all: Map<String, Value>,
}

impl AdditionalClaims for More {}

impl More {
    /// The values of a claim, a text or several; `None` where it is not there. A name with dots is
    /// looked for as it is, then as the way through tables.
    pub(super) fn values(&self, claim: &str) -> Option<Vec<String>> {
        let found = self.all.get(claim).or_else(|| self.inside(claim))?;
        let texts = match found {
            Value::String(text) => vec![text.clone()],
            Value::Array(list) => list.iter().filter_map(Value::as_str).take(MOST).map(str::to_owned).collect(),
            _ => Vec::new(),
        };
        Some(texts)
    }

    fn inside(&self, claim: &str) -> Option<&Value> {
        let (first, rest) = claim.split_once('.')?;
        rest.split('.').try_fold(self.all.get(first)?, |value, key| value.get(key))
    }
}
