//! Messages that no step on a record asks for: a dispute to decide, a promise to attest, the
//! journal's hash, and any other text in sections. Whom they go to is decided elsewhere.

use super::render::{record_context, split};
use super::templates::{TemplateError, Templates};
use super::version::{self, Version};
use super::{RecordItem, Rendered, letter_blocks, text, words};
use crate::chart::text::escape;
use minijinja::{Value, context};

/// What people write, in characters at most.
const REASON: usize = 1_000;

/// One message by template.
#[derive(Clone, Debug, PartialEq)]
pub enum Letter {
    Dispute(Dispute),
    Attestation(Attestation),
    Journal(Journal),
    /// To the members of the teams: a version of the agreement is in force.
    Agreement(Version),
    /// To the signatories: it was to be reviewed.
    Renewal(Version),
}

/// A fact is disputed, and whoever reads this is asked to decide. Times are texts in the reader's zone.
#[derive(Clone, Debug, PartialEq)]
pub struct Dispute {
    pub id: String,
    pub record: RecordItem,
    /// The disputed fact as a sentence.
    pub fact: String,
    /// When it happened.
    pub at: String,
    /// Who is blamed, where the fact says so.
    pub party: Option<String>,
    pub by: String,
    pub why: String,
    pub step: u32,
    pub steps: u32,
    /// By when to decide.
    pub deadline: String,
    /// What happens if nobody does: `it goes to the manager.`
    pub next: String,
}

/// Somebody must say whether a promise was kept, since no CRM knows.
#[derive(Clone, Debug, PartialEq)]
pub struct Attestation {
    pub commitment: String,
    /// `2027-03`
    pub period: String,
    /// Who promised, and to whom.
    pub by: String,
    pub to: String,
    /// By when.
    pub deadline: String,
    pub credit: Option<String>,
}

/// The newest link of a connection's journal, to be kept where nobody can alter it.
#[derive(Clone, Debug, PartialEq)]
pub struct Journal {
    pub connection: String,
    pub seq: i64,
    pub hash: String,
    pub at: String,
}

impl Letter {
    /// The template's file name without its ending.
    pub fn template(&self) -> &'static str {
        match self {
            Letter::Dispute(_) => "dispute",
            Letter::Attestation(_) => "attestation",
            Letter::Journal(_) => "journal",
            Letter::Agreement(_) => "agreement",
            Letter::Renewal(_) => "renewal",
        }
    }

    fn context(&self) -> Value {
        match self {
            Letter::Dispute(d) => context! {
                id => &d.id,
                record => record_context(&d.record),
                fact => &d.fact,
                at => &d.at,
                party => &d.party,
                by => &d.by,
                why => &d.why,
                step => d.step,
                steps => d.steps,
                deadline => &d.deadline,
                next => &d.next,
            },
            Letter::Attestation(a) => context! {
                commitment => &a.commitment,
                period => &a.period,
                by => &a.by,
                to => &a.to,
                deadline => &a.deadline,
                credit => &a.credit,
            },
            Letter::Journal(j) => context! {
                connection => &j.connection,
                seq => j.seq,
                hash => &j.hash,
                at => &j.at,
            },
            Letter::Agreement(version) | Letter::Renewal(version) => version.context(),
        }
    }

    /// With every text made one line of a sane length, and links web addresses or none.
    fn cleaned(&self) -> Letter {
        let line = |text: &str| words::short(text);
        match self {
            Letter::Dispute(d) => Letter::Dispute(Dispute {
                id: line(&d.id),
                record: words::cleaned_record(&d.record),
                fact: reason(&d.fact),
                at: line(&d.at),
                party: d.party.as_deref().map(line),
                by: line(&d.by),
                why: reason(&d.why),
                deadline: line(&d.deadline),
                next: line(&d.next),
                ..*d
            }),
            Letter::Attestation(a) => Letter::Attestation(Attestation {
                commitment: line(&a.commitment),
                period: line(&a.period),
                by: line(&a.by),
                to: line(&a.to),
                deadline: line(&a.deadline),
                credit: a.credit.as_deref().map(reason),
            }),
            Letter::Journal(j) => Letter::Journal(j.clone()),
            Letter::Agreement(version) => Letter::Agreement(version.cleaned()),
            Letter::Renewal(version) => Letter::Renewal(version.cleaned()),
        }
    }

    /// In every form that a channel may want, under this key.
    pub(super) fn render(&self, templates: &Templates, key: &str) -> Result<Rendered, TemplateError> {
        let cleaned = self.cleaned();
        let (subject, text, html) = cleaned.words(templates)?;
        let blocks = letter_blocks::of(&cleaned, &subject, &text);
        Ok(Rendered { key: key.to_owned(), subject, text, html, blocks })
    }

    fn words(&self, templates: &Templates) -> Result<(String, String, String), TemplateError> {
        let plain = format!("{}.txt", self.template());
        let (subject, text) = split(templates, &plain, &templates.fill(&plain, self.context())?)?;
        let html = templates.fill(&format!("{}.html", self.template()), self.context())?;
        Ok((subject, text, html))
    }
}

fn reason(text: &str) -> String {
    let enough = text.char_indices().nth(4 * REASON).map_or(text, |(end, _)| &text[..end]);
    text::cut(&text::line(enough), REASON)
}

/// A text in sections that is laid out already, such as a review pack: plain text, a whole HTML
/// page, and for Slack each section's heading and lines.
#[derive(Clone, Debug, PartialEq)]
pub struct Paper {
    pub subject: String,
    pub text: String,
    pub html: String,
    pub sections: Vec<Section>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Section {
    pub heading: String,
    pub lines: Vec<Line>,
}

/// A line with a link in front of it, or without.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Line {
    pub link: Option<(String, String)>,
    pub text: String,
}

impl Paper {
    /// A few plain paragraphs under a heading.
    pub fn plain(subject: String, heading: String, paragraphs: Vec<String>) -> Self {
        let text = format!("{heading}\n\n{}\n", paragraphs.join("\n\n"));
        let said = std::iter::once(&heading).chain(&paragraphs);
        let html = said.map(|p| format!("<p>{}</p>\n", escape(p))).collect();
        let lines = paragraphs.into_iter().map(|text| Line { link: None, text }).collect();
        Self { subject, text, html, sections: vec![Section { heading, lines }] }
    }

    /// In every form that a channel may want, under this key. Its HTML is taken as it is: whoever
    /// made it has escaped what came from a CRM.
    pub fn rendered(self, key: &str) -> Rendered {
        let blocks = letter_blocks::of_paper(&self);
        let subject = text::cut(&text::line(&self.subject), super::render::SUBJECT);
        Rendered { key: key.to_owned(), subject, text: self.text, html: self.html, blocks }
    }
}

/// Every letter with all that it can say, and with as little as it may: templates are tried on them.
pub(super) fn samples() -> Vec<Letter> {
    let full = Dispute {
        id: "0197f3a0-0000-7000-8000-000000000000".to_owned(),
        record: super::sample::item(crate::record::effect::Notice::Breach).record,
        fact: "Breached: Accept or reject was not done by 2027-01-05 09:00 EST".to_owned(),
        at: "2027-01-05 09:00 EST".to_owned(),
        party: Some("teleprospecting".to_owned()),
        by: "Ann Bee".to_owned(),
        why: "The lead had no phone number.".to_owned(),
        step: 1,
        steps: 3,
        deadline: "2027-01-06 09:00 EST".to_owned(),
        next: "it goes to the manager.".to_owned(),
    };
    let bare = Dispute {
        record: super::sample::bare(crate::record::effect::Notice::Breach).record,
        party: None,
        ..full.clone()
    };
    let promise = Attestation {
        commitment: "New product briefing published before launch".to_owned(),
        period: "2027-03".to_owned(),
        by: "marketing".to_owned(),
        to: "field sales".to_owned(),
        deadline: "2027-03-31 24:00 EDT".to_owned(),
        credit: Some("One more briefing next month.".to_owned()),
    };
    let bare_promise = Attestation { credit: None, ..promise.clone() };
    let head = Journal {
        connection: "acme".to_owned(),
        seq: 4711,
        hash: "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08".to_owned(),
        at: "2027-01-05 09:00 EST".to_owned(),
    };
    let mut all = vec![
        Letter::Dispute(full),
        Letter::Dispute(bare),
        Letter::Attestation(promise),
        Letter::Attestation(bare_promise),
        Letter::Journal(head),
    ];
    all.extend(version::samples().into_iter().flat_map(|v| [Letter::Agreement(v.clone()), Letter::Renewal(v)]));
    all
}

/// Whether these templates can make every letter.
pub(super) fn tried(templates: &Templates) -> Result<(), TemplateError> {
    samples().iter().try_for_each(|letter| letter.words(templates).map(|_| ()))
}

#[cfg(test)]
#[path = "letter_tests.rs"]
mod tests;
