//! `/templates`: every message as it would be sent, Slack and mail side by side, about a real record;
//! and a test of it to an address that the agreement itself names, or to one's own.

mod slack;
pub mod test;

pub use test::Pace;

use super::{Nav, html, tell, unavailable};
use crate::agreement::Standing;
use crate::engine::{Site, preview};
use crate::notify::{Item, Message, NOTICES, NotifyError, Rendered, SHIPPED, TemplateError, sample_item};
use crate::record::effect::Notice;
use crate::record::{Object, RecordId, RecordKey};
use crate::store::role::Permission;
use crate::store::{StoreError, clock, standing};
use crate::web::Web;
use crate::web::routes::{Entry, get, post};
use crate::web::session::Visitor;
use actix_web::HttpResponse;
use actix_web::http::{StatusCode, header};
use actix_web::web::{Data, Query};
use askama::Template;
use serde::Deserialize;
use slack::Block;
use std::sync::Arc;
use test::Place;

pub(super) const ROUTES: &[Entry] = &[
    get("/templates", Permission::Look, |route| route.to(show)),
    get("/templates/mail.html", Permission::Look, |route| route.to(mail)),
    post("/templates/test", Permission::Operate, |route| route.to(test::send)),
];

/// The page may frame the mail, and nothing else.
const PAGE: &str = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; connect-src 'self'; \
     form-action 'self'; frame-ancestors 'none'; base-uri 'none'; frame-src 'self'";
/// A mail carries its styles. In its frame nothing runs, is loaded or leads anywhere.
const MAIL: &str = "default-src 'none'; style-src 'unsafe-inline'; form-action 'none'; base-uri 'none'; \
     frame-ancestors 'self'; sandbox";
/// What letters are told of; they speak of no record.
pub const LETTERS: [&str; 5] = ["dispute", "attestation", "journal", "agreement", "renewal"];

/// Which message about which record. Empty texts: the first, and one that is at work now.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Which {
    #[serde(default)]
    pub template: String,
    #[serde(default)]
    pub connection: String,
    #[serde(default)]
    pub object: String,
    #[serde(default)]
    pub id: String,
}

/// A message, ready to be looked at.
pub struct Preview {
    pub template: String,
    pub rendered: Rendered,
    /// Why an operator's template was not used.
    pub error: Option<TemplateError>,
    /// The record that it speaks of.
    pub about: About,
}

pub enum About {
    Record {
        key: RecordKey,
        name: String,
    },
    /// It speaks of no record.
    Letter,
    /// There is no record yet.
    MadeUp,
}

/// Why there is nothing to look at.
pub enum Unseen {
    Store(StoreError),
    /// A sentence.
    Why(String),
}

impl From<StoreError> for Unseen {
    fn from(error: StoreError) -> Self {
        Unseen::Store(error)
    }
}

impl From<NotifyError> for Unseen {
    fn from(error: NotifyError) -> Self {
        Unseen::Why(format!("It cannot be made: {error}."))
    }
}

impl Which {
    fn notice(&self) -> Option<Notice> {
        let wanted = if self.template.is_empty() { "reminder" } else { &self.template };
        NOTICES.into_iter().find(|notice| notice.as_str() == wanted)
    }

    /// The message as it would be sent now.
    pub async fn preview(&self, web: &Web) -> Result<Preview, Unseen> {
        let Some(notice) = self.notice() else { return self.letter(web) };
        let (item, about) = match self.standing(web).await? {
            Some((site, standing)) => {
                let item = preview::item(&web.engine, &site, &standing, notice).await?;
                let name = Some(standing.name().to_owned()).filter(|name| !name.is_empty());
                let name = name.unwrap_or_else(|| standing.key.id.to_string());
                (item, About::Record { key: standing.key, name })
            }
            None => (sample_item(notice), About::MadeUp),
        };
        let (rendered, error) = web.engine.notifiers.preview(&message(item))?;
        Ok(Preview { template: notice.as_str().to_owned(), rendered, error, about })
    }

    fn letter(&self, web: &Web) -> Result<Preview, Unseen> {
        match web.engine.notifiers.preview_letter(&self.template) {
            None => Err(Unseen::Why("No message has this template.".to_owned())),
            Some(made) => {
                let (rendered, error) = made?;
                Ok(Preview { template: self.template.clone(), rendered, error, about: About::Letter })
            }
        }
    }

    /// The record that was chosen, else the one whose deadline is the soonest.
    async fn standing(&self, web: &Web) -> Result<Option<(Arc<Site>, Standing)>, Unseen> {
        let key = match self.key(web)? {
            Some(key) => key,
            None => match clock::open_soonest(&web.engine.db, None, None, 1).await?.pop() {
                Some(row) => row.record,
                None => return Ok(None),
            },
        };
        let unknown = || Unseen::Why(format!("Nothing is known of the {} {}.", key.object, key.id));
        let site = web.engine.site(key.connection.as_str()).ok_or_else(unknown)?;
        let json = standing::load_one(&web.engine.db, &key).await?.ok_or_else(unknown)?;
        let standing = serde_json::from_str(&json)
            .map_err(|error| StoreError::Corrupt(format!("the standing of {key} cannot be read: {error}")))?;
        Ok(Some((site, standing)))
    }

    fn key(&self, web: &Web) -> Result<Option<RecordKey>, Unseen> {
        let id = self.id.trim();
        if id.is_empty() {
            return Ok(None);
        }
        let site = web.engine.site(&self.connection).ok_or_else(|| Unseen::Why("Choose a connection.".to_owned()))?;
        let object = Object::parse(&self.object).filter(|_| !id.contains('\0'));
        let object = object.ok_or_else(|| Unseen::Why("Choose a lead or an opportunity.".to_owned()))?;
        Ok(Some(RecordKey { connection: site.name().clone(), object, id: RecordId::new(id) }))
    }

    /// `template=…&connection=…`
    fn query(&self) -> String {
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        let Self { template, connection, object, id } = self;
        query.extend_pairs([("template", template), ("connection", connection), ("object", object), ("id", id)]);
        query.finish()
    }
}

fn message(item: Item) -> Message {
    let to = crate::notify::Destination::SlackChannel(String::new());
    Message { key: "preview".to_owned(), to, items: vec![item] }
}

#[derive(Template)]
#[template(path = "templates.html")]
struct Page {
    nav: Nav,
    choices: Vec<Choice>,
    which: Which,
    connections: Vec<String>,
    shown: Option<Shown>,
    problem: Option<String>,
    places: Vec<Place>,
    may_test: bool,
    said: Option<test::Said>,
}

/// A template in the list.
struct Choice {
    name: &'static str,
    label: String,
    is_here: bool,
    is_own: bool,
}

struct Shown {
    subject: String,
    text: String,
    mail: String,
    blocks: Vec<Block>,
    json: String,
    error: Option<String>,
    own: Vec<String>,
    about: Option<(String, String)>,
    is_letter: bool,
}

async fn show(web: Data<Web>, visitor: Visitor, which: Query<Which>) -> HttpResponse {
    page(&web, &visitor, &which, (StatusCode::OK, None)).await
}

/// The page, with what came of a test above it.
async fn page(
    web: &Web,
    visitor: &Visitor,
    which: &Which,
    (status, said): (StatusCode, Option<test::Said>),
) -> HttpResponse {
    let (preview, problem) = match which.preview(web).await {
        Ok(preview) => (Some(preview), None),
        Err(Unseen::Why(why)) => (None, Some(why)),
        Err(Unseen::Store(error)) => return unavailable(&error),
    };
    let here = preview.as_ref().map_or("", |preview| preview.template.as_str());
    let page = Page {
        nav: Nav::at("/templates", visitor),
        choices: NOTICES.iter().map(|notice| notice.as_str()).chain(LETTERS).map(|n| choice(web, n, here)).collect(),
        connections: web.engine.sites().iter().map(|site| site.name().to_string()).collect(),
        shown: preview.map(|preview| shown(web, which, preview)),
        which: which.clone(),
        problem,
        places: test::places(web, visitor),
        may_test: visitor.may(Permission::Operate),
        said,
    };
    let mut answer = html(status, &page);
    answer.headers_mut().insert(header::CONTENT_SECURITY_POLICY, header::HeaderValue::from_static(PAGE));
    answer
}

fn choice(web: &Web, name: &'static str, here: &str) -> Choice {
    let label = test::sentence_case(name);
    Choice { name, label, is_here: name == here, is_own: !own(web, name).is_empty() }
}

/// The operator's files for this message.
pub fn own(web: &Web, name: &str) -> Vec<String> {
    let files = SHIPPED.iter().filter(|(file, _)| file.split('.').next() == Some(name));
    files.filter_map(|(file, _)| Some(web.engine.notifiers.overridden(file)?.display().to_string())).collect()
}

fn shown(web: &Web, which: &Which, preview: Preview) -> Shown {
    let Preview { template, rendered, error, about } = preview;
    Shown {
        own: own(web, &template),
        mail: format!("/templates/mail.html?{}", which.query()),
        blocks: slack::blocks(&rendered.blocks),
        json: serde_json::to_string_pretty(&rendered.blocks).unwrap_or_default(),
        subject: rendered.subject,
        text: rendered.text,
        error: error.map(|error| error.to_string()),
        is_letter: matches!(about, About::Letter),
        about: match about {
            About::Record { key, name } => Some((super::record::path(&key), name)),
            About::Letter | About::MadeUp => None,
        },
    }
}

/// The mail's HTML alone, for the frame.
async fn mail(web: Data<Web>, visitor: Visitor, which: Query<Which>) -> HttpResponse {
    match which.preview(&web).await {
        Ok(preview) => HttpResponse::Ok()
            .content_type("text/html; charset=utf-8")
            .insert_header((header::CONTENT_SECURITY_POLICY, MAIL))
            .insert_header((header::X_FRAME_OPTIONS, "SAMEORIGIN"))
            .body(preview.rendered.html),
        Err(Unseen::Why(why)) => tell(&visitor, StatusCode::NOT_FOUND, "There is no such message", &why),
        Err(Unseen::Store(error)) => unavailable(&error),
    }
}
