//! A report as JSON, whole or with some of its parts: what `leadpact report --format json` prints and the API answers.

use super::What;
use crate::report::figures::Report;
use serde_json::Value as Json;

/// The parts that one may ask for alone; everything else always stands in it.
const PARTS: [(&str, &[What]); 11] = [
    ("commitments", &[What::Scorecard]),
    ("clocks", &[What::Clocks]),
    ("recycles", &[What::Clocks]),
    ("neglected", &[What::Clocks]),
    ("acceptance", &[What::Acceptance]),
    ("rejections", &[What::Rejections]),
    ("violations", &[What::Violations]),
    ("delays", &[What::Delays]),
    ("waterfall", &[What::Waterfall]),
    ("by_campaign", &[What::Campaigns, What::Sources]),
    ("by_source", &[What::Campaigns, What::Sources]),
];

/// A report without the parts that were not asked for.
///
/// # Errors
/// What serde says; a report holds nothing that JSON could not.
pub fn json(report: &Report, asked: &[What]) -> serde_json::Result<Json> {
    let mut json = serde_json::to_value(report)?;
    if let Some(object) = json.as_object_mut() {
        let others = PARTS.iter().filter(|(_, tables)| !tables.iter().any(|table| asked.contains(table)));
        others.for_each(|(part, _)| {
            object.remove(*part);
        });
    }
    Ok(json)
}
