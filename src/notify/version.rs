//! What letters about a version of the agreement say: to the members of the teams, that it is in
//! force; to the signatories, that it was to be reviewed.

use super::text;
use minijinja::{Value, context};

/// Texts longer than this are cut.
const LONGEST: usize = 1_500;

/// A version of the agreement, in texts.
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
    /// The page where it can be read, where people have one.
    pub link: Option<String>,
}

/// A letter about it to somebody.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Version {
    /// Whom it speaks to.
    pub name: Option<String>,
    pub about: AboutVersion,
}

impl Version {
    pub(super) fn context(&self) -> Value {
        let about = &self.about;
        context! {
            name => &self.name,
            title => &about.title,
            version => &about.version,
            hash => &about.hash,
            summary => &about.summary,
            effective => &about.effective,
            review_by => &about.review_by,
            signed => &about.signed,
            link => &about.link,
        }
    }

    /// With every text made one line of a sane length.
    pub(super) fn cleaned(&self) -> Self {
        let about = &self.about;
        let some = |day: &Option<String>| day.as_deref().map(line);
        Self {
            name: some(&self.name),
            about: AboutVersion {
                title: line(&about.title),
                version: line(&about.version),
                hash: line(&about.hash),
                summary: line(&about.summary),
                effective: some(&about.effective),
                review_by: some(&about.review_by),
                signed: about.signed.iter().map(|one| line(one)).collect(),
                link: about.link.as_deref().and_then(text::web_address),
            },
        }
    }
}

fn line(said: &str) -> String {
    text::cut(&text::line(said), LONGEST)
}

/// One that says everything, and one that says as little as may be.
pub(super) fn samples() -> [Version; 2] {
    let full = AboutVersion {
        title: "Acme sales and marketing agreement".to_owned(),
        version: "2027 first half".to_owned(),
        hash: "0".repeat(64),
        summary: "One pipeline.".to_owned(),
        effective: Some("2027-01-04".to_owned()),
        review_by: Some("2027-06-30".to_owned()),
        signed: vec!["Dana Reyes, Chief Marketing Officer, for marketing".to_owned()],
        link: Some("https://leadpact.acme.example/agreement".to_owned()),
    };
    let bare = AboutVersion {
        summary: String::new(),
        effective: None,
        review_by: None,
        signed: Vec::new(),
        link: None,
        ..full.clone()
    };
    [Version { name: Some("Ann Bee".to_owned()), about: full }, Version { name: None, about: bare }]
}
