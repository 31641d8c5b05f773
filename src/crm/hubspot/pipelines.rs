//! Which deal stages mean open, won or lost, by the pipelines' metadata; remembered for a day, since
//! administrators edit pipelines. Fetching happens in `read.rs` alone: events only look up.

use crate::record::{Elapsed, Timestamp};
use serde::Deserialize;
use std::collections::HashMap;
use std::sync::RwLock;

const KEPT: Elapsed = Elapsed::from_secs(24 * 3600);

/// The stages of all deal pipelines, by id; ids do not repeat among pipelines.
#[derive(Default)]
pub(super) struct Pipelines {
    known: RwLock<Known>,
}

#[derive(Default)]
struct Known {
    /// By the CRM's clock; `None` before the first fetch.
    at: Option<Timestamp>,
    status: HashMap<String, &'static str>,
}

/// The answer of the pipelines call.
#[derive(Deserialize)]
pub(super) struct Listing {
    results: Vec<Pipeline>,
}

#[derive(Deserialize)]
struct Pipeline {
    #[serde(default)]
    stages: Vec<Stage>,
}

#[derive(Deserialize)]
struct Stage {
    id: String,
    #[serde(default)]
    metadata: Metadata,
}

/// Strings in fact, whatever they mean; read as any JSON so that a typed value would do too.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Metadata {
    is_closed: serde_json::Value,
    probability: serde_json::Value,
}

impl Metadata {
    fn status(&self) -> &'static str {
        let probability = text(&self.probability).parse::<f64>().ok();
        let won = probability.is_some_and(|p| p >= 1.0);
        let closed = match text(&self.is_closed).as_str() {
            "true" => true,
            "false" => false,
            // Not told: the outermost probabilities belong to the closed stages.
            _ => won || probability == Some(0.0),
        };
        match (closed, won) {
            (false, _) => "open",
            (true, true) => "won",
            (true, false) => "lost",
        }
    }
}

fn text(json: &serde_json::Value) -> String {
    json.as_str().map_or_else(|| json.to_string(), str::to_lowercase)
}

impl Pipelines {
    /// `open`, `won` or `lost`; `None` for a stage that we have not seen.
    pub fn status_of(&self, stage: &str) -> Option<&'static str> {
        self.known.read().unwrap_or_else(|e| e.into_inner()).status.get(stage).copied()
    }

    /// The stages that are won or lost, in order.
    pub fn closed(&self) -> Vec<String> {
        let known = self.known.read().unwrap_or_else(|e| e.into_inner());
        let mut closed: Vec<String> =
            known.status.iter().filter(|(_, status)| **status != "open").map(|(stage, _)| stage.clone()).collect();
        closed.sort();
        closed
    }

    /// Fetched within a day before `now`.
    pub fn is_fresh(&self, now: Timestamp) -> bool {
        let at = self.known.read().unwrap_or_else(|e| e.into_inner()).at;
        at.is_some_and(|at| now - at < KEPT)
    }

    pub fn replace(&self, listing: Listing, at: Timestamp) {
        let stages = listing.results.into_iter().flat_map(|p| p.stages);
        let status = stages.map(|s| (s.id, s.metadata.status())).collect();
        *self.known.write().unwrap_or_else(|e| e.into_inner()) = Known { at: Some(at), status };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(metadata: serde_json::Value) -> &'static str {
        serde_json::from_value::<Metadata>(metadata).unwrap().status()
    }

    #[test]
    fn a_closed_stage_is_won_at_full_probability_and_lost_otherwise() {
        assert_eq!(status(serde_json::json!({"isClosed": "true", "probability": "1.0"})), "won");
        assert_eq!(status(serde_json::json!({"isClosed": "true", "probability": "0.0"})), "lost");
        assert_eq!(status(serde_json::json!({"isClosed": true, "probability": 1})), "won");
        assert_eq!(status(serde_json::json!({"isClosed": "false", "probability": "1.0"})), "open");
        assert_eq!(status(serde_json::json!({"probability": "0.0"})), "lost");
        assert_eq!(status(serde_json::json!({})), "open");
    }

    #[test]
    fn the_recorded_pipelines_are_read_and_grow_stale_after_a_day() {
        let file: serde_json::Value =
            serde_json::from_str(include_str!("../../../tests/fixtures/hubspot/pipelines-deals.json")).unwrap();
        let pipelines = Pipelines::default();
        let at = Timestamp::from_millis(1_767_603_600_000);
        assert!(!pipelines.is_fresh(at));
        pipelines.replace(serde_json::from_value(file["body"].clone()).unwrap(), at);
        assert_eq!(pipelines.status_of("closedwon"), Some("won"));
        assert_eq!(pipelines.status_of("appointmentscheduled"), Some("open"));
        assert_eq!(pipelines.status_of("unheard_of"), None);
        assert!(pipelines.is_fresh(at) && !pipelines.is_fresh(at + KEPT));
    }
}
