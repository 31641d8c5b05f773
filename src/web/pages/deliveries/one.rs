//! `/deliveries/{id}`: one effect, delivery or letter, with its body and all that became of it.

use super::super::super::Web;
use super::super::super::deliveries::body::{Laid, laid};
use super::super::super::deliveries::{Called, Id, Shown, Tab, words};
use super::super::super::session::Visitor;
use super::super::record::path;
use super::super::{Nav, html, tell, unavailable};
use super::{Done, Row, row, told, zone_of};
use crate::agreement::Standing;
use crate::engine::preview;
use crate::notify::{Destination, Message, Rendered};
use crate::record::{Action, Effect, FactKind, OwnerId};
use crate::report::story::Reader;
use crate::report::words::sentence;
use crate::store::role::Permission;
use crate::store::{StoreError, inbox_list, journal, letter_list, outbox, standing};
use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::{Data, Path, Query};
use askama::Template;

/// So many things that a delivery says are listed.
const SAID: usize = 100;

#[derive(Template)]
#[template(path = "delivery.html")]
struct Page {
    nav: Nav,
    said: Option<String>,
    row: Row,
    tab: Tab,
    may_operate: bool,
    may_drop: bool,
    crm_link: Option<String>,
    /// What a delivery says, by record.
    says: Vec<Line>,
    says_more: usize,
    unread: Option<String>,
    bodies: Vec<Body>,
    /// What became of it, by the journal.
    course: Vec<Line>,
    zone: String,
}

struct Line {
    at: String,
    name: String,
    link: Option<String>,
    text: String,
}

struct Body {
    title: &'static str,
    /// What must be known of it.
    note: &'static str,
    laid: Laid,
}

impl Body {
    fn of(title: &'static str, text: &str) -> Self {
        Self { title, note: "", laid: laid(text) }
    }
}

/// What is known of one thing, each kind in its way.
struct Known {
    shown: Shown,
    says: Vec<Line>,
    says_more: usize,
    unread: Option<String>,
    bodies: Vec<Body>,
    course: Vec<Line>,
}

pub(super) async fn one(web: Data<Web>, visitor: Visitor, word: Path<String>, done: Query<Done>) -> HttpResponse {
    let Some(id) = Id::read(&word) else { return missing(&visitor) };
    let known = match id.tab {
        Tab::Outbox => effect(&web, &id).await,
        Tab::Inbox => received(&web, &id).await,
        Tab::Letters => letter(&web, &id).await,
    };
    match known {
        Ok(Some(known)) => html(StatusCode::OK, &page(&web, &visitor, &id, known, &done)),
        Ok(None) => missing(&visitor),
        Err(error) => unavailable(&error),
    }
}

pub(super) fn missing(visitor: &Visitor) -> HttpResponse {
    let text = "It may have been deleted by age: what ended is kept for as long as the configuration says.";
    tell(visitor, StatusCode::NOT_FOUND, "This is not there any more", text)
}

fn page(web: &Web, visitor: &Visitor, id: &Id, known: Known, done: &Done) -> Page {
    let zone = zone_of(web, id.connection.as_str());
    let site = web.engine.site(id.connection.as_str());
    let record = known.shown.record.as_ref();
    Page {
        nav: Nav::at("/deliveries", visitor),
        said: done.said(),
        tab: id.tab,
        may_operate: visitor.may(Permission::Operate) && known.shown.waits,
        may_drop: id.tab != Tab::Letters,
        crm_link: site.zip(record).and_then(|(site, key)| super::super::super::record::url(&site, key)),
        says: known.says,
        says_more: known.says_more,
        unread: known.unread,
        bodies: known.bodies,
        course: known.course,
        zone: zone.iana_name().unwrap_or("UTC").to_owned(),
        row: row(web, known.shown),
    }
}

async fn effect(web: &Web, id: &Id) -> Result<Option<Known>, StoreError> {
    let key = crate::record::EffectKey::new(&id.key);
    let Some(listed) = outbox::one(&web.engine.db, &id.connection, &key).await? else { return Ok(None) };
    let effect = &listed.row.effect;
    let asked = serde_json::to_string(&effect.action).unwrap_or_default();
    let mut bodies = vec![Body::of("What was decided", &asked)];
    if let Some(says) = says(web, &listed).await? {
        bodies.insert(0, says);
    }
    if let Some(payload) = listed.row.payload.as_ref().filter(|payload| *payload != "null") {
        bodies.insert(0, Body::of("What was sent, or was about to be", payload));
    }
    let course = course(web, effect).await?;
    let shown = words::effects(web, std::slice::from_ref(&listed)).await?.pop();
    Ok(shown.map(|shown| Known { shown, says: Vec::new(), says_more: 0, unread: None, bodies, course }))
}

/// What a notice says. None is kept: each is said anew when it leaves, and so it is here.
async fn says(web: &Web, listed: &outbox::Listed) -> Result<Option<Body>, StoreError> {
    let effect = &listed.row.effect;
    let Some(site) = web.engine.site(effect.record.connection.as_str()) else { return Ok(None) };
    if !matches!(effect.action, Action::Notify { .. }) {
        return Ok(None);
    }
    let Some(state) = standing::load_one(&web.engine.db, &effect.record).await? else { return Ok(None) };
    let Ok(record) = serde_json::from_str::<Standing>(&state) else { return Ok(None) };
    let is_over = listed.state == "done";
    let at = if is_over { listed.updated } else { web.engine.clock.now() };
    let item = preview::of_effect(&web.engine, &site, &record, effect, at).await?;
    // No channel reads this: what it says is the same in all of them.
    let to = Destination::SlackChannel(String::new());
    let message = Message { key: effect.key.to_string(), to, items: vec![item] };
    let Ok((rendered, _)) = web.engine.notifiers.preview(&message) else { return Ok(None) };
    let text = format!("{}\n\n{}", rendered.subject, rendered.text);
    let note = match is_over {
        true => {
            "Made of the record as it stands now, for the moment when it was sent. Several at once went as one message."
        }
        false => {
            "Made of the record as it stands now; it is made anew when it leaves, with buttons or links to answer."
        }
    };
    Ok(Some(Body { note, ..Body::of("What it says", &text) }))
}

/// What the journal tells of this effect: each time it was given up, tried again, done.
async fn course(web: &Web, effect: &Effect) -> Result<Vec<Line>, StoreError> {
    let Some(site) = web.engine.site(effect.record.connection.as_str()) else { return Ok(Vec::new()) };
    let called = Called::of(web, vec![effect.record.clone()]).await?;
    let zone = site.agreement.zone();
    let name_of = |owner: &OwnerId| called.owners.get(&effect.record.connection, owner).map(str::to_owned);
    let reader = Reader { agreement: &site.agreement, zone: &zone, name_of: &name_of };
    let rows = journal::of_record(&web.engine.db, &effect.record).await?;
    let of = rows.iter().filter(|row| *row.entry.fact.item == *effect.key.as_str());
    let line = |row: &journal::JournalRow| Line {
        at: told(row.entry.seen_at, &zone),
        name: String::new(),
        link: None,
        text: sentence(&reader, &row.entry.fact),
    };
    Ok(of.filter(|row| row.entry.fact.kind != FactKind::Withdrawn).map(line).collect())
}

async fn received(web: &Web, id: &Id) -> Result<Option<Known>, StoreError> {
    let Some(listed) = inbox_list::one(&web.engine.db, &id.connection, &id.key).await? else { return Ok(None) };
    let (mut says, mut says_more, mut unread) = (Vec::new(), 0, None);
    if let Some(site) = web.engine.site(id.connection.as_str()) {
        match words::says(&site, &listed.row) {
            Ok(mut all) => {
                says_more = all.len().saturating_sub(SAID);
                all.truncate(SAID);
                let called = Called::of(web, all.iter().map(|one| one.record.clone()).collect()).await?;
                let zone = site.agreement.zone();
                let line = |one: &words::Stated| Line {
                    at: told(one.at, &zone),
                    name: called.record(&one.record).to_owned(),
                    link: Some(path(&one.record)),
                    text: one.text.clone(),
                };
                says = all.iter().map(line).collect();
            }
            Err(error) => unread = Some(error),
        }
    }
    let bodies = vec![Body::of("As it was received", &listed.row.body)];
    let shown = words::rows(web, std::slice::from_ref(&listed)).await?.pop();
    Ok(shown.map(|shown| Known { shown, says, says_more, unread, bodies, course: Vec::new() }))
}

async fn letter(web: &Web, id: &Id) -> Result<Option<Known>, StoreError> {
    let Some(listed) = letter_list::one(&web.engine.db, &id.connection, &id.key).await? else { return Ok(None) };
    let bodies = match serde_json::from_str::<Rendered>(&listed.body) {
        Ok(says) => vec![Body::of("What it says", &format!("{}\n\n{}", says.subject, says.text))],
        Err(_) => vec![Body::of("As it is stored", &listed.body)],
    };
    let shown = words::letter(&listed);
    Ok(Some(Known { shown, says: Vec::new(), says_more: 0, unread: None, bodies, course: Vec::new() }))
}
