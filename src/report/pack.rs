//! The review pack: what both sides look at when they meet, in parts. What is measured is `tally`'s;
//! how the parts are laid out is in `pack/`.

mod html;
mod parts;

pub use html::html;

use super::figures::Report;
use crate::agreement::Agreement;
use std::fmt::Write;

/// Everything that a pack is made of. Texts may come from a CRM.
#[derive(Clone, Debug)]
pub struct Pack<'a> {
    pub agreement: &'a Agreement,
    /// The review's name.
    pub review: &'a str,
    /// What is to be spoken about.
    pub topics: &'a [String],
    /// Named where several connections share the agreement, since each has its own pack.
    pub connection: Option<String>,
    /// The period that ended; commitments of longer periods show the one that runs.
    pub report: Report,
    /// Open clocks by deadline, the first of them.
    pub risk: Vec<Item>,
    /// How many there are beside them.
    pub more_at_risk: u64,
    /// Why opportunities were lost, with how many were; empty where nobody gave a reason.
    pub lost_for: Vec<(String, u64)>,
    pub disputes: Vec<Item>,
    pub unattested: Vec<Item>,
    pub held: Vec<Item>,
}

/// One line, with what it speaks of before it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Item {
    pub name: Option<String>,
    /// Into the CRM.
    pub url: Option<String>,
    pub text: String,
}

impl Item {
    pub fn says(text: impl Into<String>) -> Self {
        Self { text: text.into(), ..Self::default() }
    }

    fn line(&self) -> String {
        match &self.name {
            Some(name) => format!("{name}: {}", self.text),
            None => self.text.clone(),
        }
    }
}

/// A part of the pack under its heading.
#[derive(Clone, Debug)]
pub struct Part {
    pub heading: String,
    pub items: Vec<Item>,
    /// Said where there are no items.
    pub empty: &'static str,
    /// Charts beside the items.
    pub charts: Vec<crate::chart::Bars>,
}

impl Pack<'_> {
    pub fn title(&self) -> String {
        let of = self.connection.as_ref().map(|name| format!(" of {name}")).unwrap_or_default();
        format!("{}{of}, {}", self.review, self.report.period)
    }

    /// `2027-03-08 to 2027-03-14, America/New_York`
    pub fn span(&self) -> String {
        let zone = self.agreement.zone();
        let last = zone.to_datetime(self.report.until.to_jiff()).date().yesterday();
        let last = last.map(|day| day.to_string()).unwrap_or_default();
        let so_far = if self.report.is_open { ", so far" } else { "" };
        format!("{} to {last}{so_far}, {}", self.report.period.first, zone.iana_name().unwrap_or("UTC"))
    }

    /// All parts in reading order.
    pub fn parts(&self) -> Vec<Part> {
        parts::of(self)
    }

    /// For a terminal, or the plain side of a mail.
    pub fn text(&self) -> String {
        let mut text =
            format!("{}\n{}: {} ({})\n", self.title(), self.span(), self.agreement.title, self.agreement.version);
        for part in self.parts() {
            let heading = printable(&part.heading);
            // Writing to a String cannot fail.
            let _ = write!(text, "\n{heading}\n{}\n", "-".repeat(heading.chars().count()));
            if part.items.is_empty() {
                let _ = writeln!(text, "{}", part.empty);
            }
            for item in &part.items {
                let _ = writeln!(text, "- {}", printable(&item.line()));
                if let Some(url) = item.url.as_deref().and_then(web_address) {
                    let _ = writeln!(text, "  {url}");
                }
            }
        }
        text
    }
}

/// One line that cannot move a terminal's cursor or turn the reading direction.
fn printable(text: &str) -> String {
    let turns = |c: &char| matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let plain = |c: char| if c.is_control() || matches!(c, '\u{2028}' | '\u{2029}') { ' ' } else { c };
    text.chars().filter(|c| !turns(c)).map(plain).collect()
}

/// An address that may stand behind a link.
fn web_address(text: &str) -> Option<String> {
    let url = url::Url::parse(text.trim()).ok()?;
    matches!(url.scheme(), "http" | "https").then(|| url.to_string())
}
