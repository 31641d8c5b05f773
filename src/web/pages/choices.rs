//! What pages of figures have in common: the choice of connection and period at their top, of when the figures are, and
//! what is said where there are none.

use super::super::Web;
use super::super::asked::{Asked, Unasked};
use super::super::figures::Figures;
use super::super::session::Visitor;
use super::{tell, unavailable};
use crate::engine::Site;
use crate::record::Timestamp;
use crate::report::figures::Report;
use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use jiff::tz::TimeZone;
use std::sync::Arc;
use std::time::Duration;

/// A page shows a little later what is counted that quickly; else it says that it is being counted.
pub const PATIENCE: Duration = Duration::from_millis(50);

const PERIODS: [(&str, &str); 6] = [
    ("week", "This week"),
    ("month", "This month"),
    ("quarter", "This quarter"),
    ("last-week", "Last week"),
    ("last-month", "Last month"),
    ("last-quarter", "Last quarter"),
];

/// One choice of several.
pub struct Choice {
    pub value: String,
    pub label: String,
    pub is_chosen: bool,
}

impl Choice {
    pub fn new(value: &str, label: &str, chosen: &str) -> Self {
        Self { value: value.to_owned(), label: label.to_owned(), is_chosen: value == chosen }
    }
}

/// The choices at a page's top.
pub struct Choices {
    /// Empty where there is but one.
    pub connections: Vec<Choice>,
    pub periods: Vec<Choice>,
}

impl Choices {
    pub fn of(web: &Web, asked: &Asked, site: &Site) -> Self {
        let names: Vec<String> = web.engine.sites().iter().map(|s| s.name().to_string()).collect();
        let chosen = site.name().as_str();
        let connections = names.iter().filter(|_| names.len() > 1).map(|name| Choice::new(name, name, chosen));
        let period = asked.period();
        let mut periods: Vec<Choice> = PERIODS.iter().map(|(value, label)| Choice::new(value, label, period)).collect();
        if !periods.iter().any(|choice| choice.is_chosen) {
            periods.push(Choice::new(period, period, period));
        }
        Self { connections: connections.collect(), periods }
    }
}

/// A page's figures, with what is said about them.
pub struct Shown {
    /// `None`: they are being counted for the first time.
    pub report: Option<Arc<Report>>,
    /// `12:03 EST`, or with the day where it is another.
    pub as_of: String,
}

impl Shown {
    pub fn of(figures: Figures, zone: &TimeZone, now: Timestamp) -> Self {
        match figures {
            Figures::Counting => Self { report: None, as_of: String::new() },
            Figures::Made(report) => Self { as_of: as_of(report.now, now, zone), report: Some(report) },
        }
    }
}

/// Of when figures are, as short as it can be said.
pub fn as_of(at: Timestamp, now: Timestamp, zone: &TimeZone) -> String {
    let local = |at: Timestamp| at.to_jiff().to_zoned(zone.clone());
    let format = if local(at).date() == local(now).date() { "%H:%M %Z" } else { "%Y-%m-%d %H:%M %Z" };
    local(at).strftime(format).to_string()
}

/// The part of an address after `?`, each value escaped; empty ones are left out.
pub fn query(parts: &[(&str, &str)]) -> String {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    parts.iter().filter(|(_, value)| !value.is_empty()).for_each(|(name, value)| {
        query.append_pair(name, value);
    });
    query.finish()
}

/// A path with a query, if there is any.
pub fn address(path: &str, parts: &[(&str, &str)]) -> String {
    let query = query(parts);
    if query.is_empty() { path.to_owned() } else { format!("{path}?{query}") }
}

/// Why there is nothing to show, as a page.
pub fn refuse(visitor: &Visitor, why: &Unasked) -> HttpResponse {
    match why {
        Unasked::Unavailable(error) => unavailable(error),
        Unasked::Nothing => tell(
            visitor,
            StatusCode::OK,
            "Nothing is connected yet",
            "Name a CRM under [connections] in the configuration and start leadpact again; `leadpact connect` helps.",
        ),
        Unasked::NoSuchConnection => tell(visitor, StatusCode::NOT_FOUND, "There is no such connection", why.text()),
        _ => tell(visitor, StatusCode::BAD_REQUEST, "This cannot be shown", why.text()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_of_today_bear_the_hour_and_others_the_day() {
        let zone = TimeZone::get("America/New_York").expect("a zone");
        let at = |text: &str| Timestamp::parse(text).expect(text);
        assert_eq!(as_of(at("2027-01-05T17:03:00Z"), at("2027-01-05T18:00:00Z"), &zone), "12:03 EST");
        assert_eq!(as_of(at("2027-01-05T17:03:00Z"), at("2027-01-06T12:00:00Z"), &zone), "2027-01-05 12:03 EST");
    }

    #[test]
    fn an_address_holds_whatever_a_crm_calls_something() {
        let parts = [("by", "campaign"), ("value", "a&b=\"<c>"), ("connection", "")];
        assert_eq!(address("/waterfall", &parts), "/waterfall?by=campaign&value=a%26b%3D%22%3Cc%3E");
        assert_eq!(address("/", &[("period", "")]), "/");
    }
}
