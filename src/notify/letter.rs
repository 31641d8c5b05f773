//! Messages that are about no record but the agreement itself. What they say is made by templates;
//! to whom and when, is decided elsewhere.

use super::templates::{TemplateError, Templates};
use super::{Destination, Rendered, render, text};
use minijinja::{Value, context};
use serde_json::json;

/// Texts longer than this are cut.
const LONGEST: usize = 1_500;
/// Slack's limits of a header and of a section, in characters.
const HEADER: usize = 150;
const SECTION: usize = 2_900;

/// Which template, without its ending.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LetterKind {
    /// To the members of the teams: a version is in force.
    Agreement,
    /// To the signatories: it was to be reviewed.
    Renewal,
}

impl LetterKind {
    pub const ALL: [LetterKind; 2] = [LetterKind::Agreement, LetterKind::Renewal];

    fn template(self) -> &'static str {
        match self {
            LetterKind::Agreement => "agreement",
            LetterKind::Renewal => "renewal",
        }
    }
}

/// What letters can say about a version.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AboutVersion {
    pub title: String,
    pub version: String,
    pub hash: String,
    pub summary: String,
    /// Days, as texts.
    pub effective: Option<String>,
    pub review_by: Option<String>,
    /// `Dana Reyes, Chief Marketing Officer, for marketing`
    pub signed: Vec<String>,
}

/// One letter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Letter {
    /// The same letter has the same key.
    pub key: String,
    pub kind: LetterKind,
    pub to: Destination,
    /// Whom it speaks to.
    pub name: Option<String>,
    pub about: AboutVersion,
}

/// The letter in every form that a channel may want.
///
/// # Errors
/// Where a template fails on it.
pub fn write(templates: &Templates, letter: &Letter) -> Result<Rendered, TemplateError> {
    let name = letter.kind.template();
    let context = words(letter);
    let plain = format!("{name}.txt");
    let (subject, body) = render::split(templates, &plain, &templates.fill(&plain, context.clone())?)?;
    let html = templates.fill(&format!("{name}.html"), context)?;
    let blocks = json!([
        { "type": "header", "text": { "type": "plain_text", "text": text::cut(&subject, HEADER) } },
        { "type": "section", "text": { "type": "mrkdwn", "text": text::slack(body.trim(), SECTION) } },
    ]);
    Ok(Rendered { key: letter.key.clone(), subject, text: body, html, blocks })
}

fn words(letter: &Letter) -> Value {
    let about = &letter.about;
    context! {
        name => letter.name.as_deref().map(line),
        title => line(&about.title),
        version => line(&about.version),
        hash => line(&about.hash),
        summary => line(&about.summary),
        effective => &about.effective,
        review_by => &about.review_by,
        signed => about.signed.iter().map(|one| line(one)).collect::<Vec<_>>(),
    }
}

fn line(said: &str) -> String {
    text::cut(&text::line(said), LONGEST)
}

/// A made-up letter that says everything, or as little as may be.
pub(super) fn sample(kind: LetterKind, bare: bool) -> Letter {
    let some = |day: &str| (!bare).then(|| day.to_owned());
    Letter {
        key: "sample".to_owned(),
        kind,
        to: Destination::SlackChannel("#sample".to_owned()),
        name: some("Ann Bee"),
        about: AboutVersion {
            title: "Acme sales and marketing agreement".to_owned(),
            version: "2027 first half".to_owned(),
            hash: "0".repeat(64),
            summary: some("One pipeline.").unwrap_or_default(),
            effective: some("2027-01-04"),
            review_by: some("2027-06-30"),
            signed: some("Dana Reyes, Chief Marketing Officer, for marketing").into_iter().collect(),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_letter_cannot_be_left_through_the_names_in_it() {
        let mut letter = sample(LetterKind::Agreement, false);
        letter.about.title = "<b>A & B</b>\r\nBcc: x@example.com".to_owned();
        letter.name = Some("<!channel>".to_owned());
        let said = write(Templates::shipped(), &letter).unwrap();
        assert_eq!(said.subject, "In force: <b>A & B</b> Bcc: x@example.com — 2027 first half");
        assert!(said.html.contains("&lt;b&gt;A &amp; B&lt;") && !said.html.contains("<b>"), "{}", said.html);
        let blocks = said.blocks.to_string();
        assert!(blocks.contains("&lt;!channel&gt;") && !blocks.contains("<!channel>"), "{blocks}");
    }

    #[test]
    fn a_letter_names_version_hash_and_signatures() {
        for kind in LetterKind::ALL {
            let said = write(Templates::shipped(), &sample(kind, false)).unwrap();
            for part in ["2027 first half", &"0".repeat(64), "Dana Reyes, Chief Marketing Officer", "2027-06-30"] {
                assert!(said.text.contains(part) && said.html.contains(part), "{kind:?} lacks {part}: {}", said.text);
            }
        }
    }
}
