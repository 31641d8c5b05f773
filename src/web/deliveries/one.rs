//! One effect, delivery or letter with its body and all that became of it, as the page and the API
//! show it.

use super::body::{Laid, laid};
use super::{Called, Id, Shown, Tab, words};
use crate::agreement::Standing;
use crate::engine::preview;
use crate::notify::{Destination, Message, Rendered};
use crate::record::{Action, Effect, FactKind, OwnerId, RecordKey, Timestamp};
use crate::report::story::Reader;
use crate::report::words::sentence;
use crate::store::{StoreError, inbox_list, journal, letter_list, outbox, standing};
use crate::web::Web;

/// So many things that a delivery says are listed.
const SAID: usize = 100;

/// Something that was said, or happened.
pub struct Line {
    pub at: Timestamp,
    /// The record and what it is called, where it is about one.
    pub record: Option<(RecordKey, String)>,
    pub text: String,
}

/// A body, without what lets somebody in.
pub struct Body {
    pub title: &'static str,
    /// What must be known of it.
    pub note: &'static str,
    pub laid: Laid,
}

impl Body {
    fn of(title: &'static str, text: &str) -> Self {
        Self { title, note: "", laid: laid(text) }
    }
}

/// What is known of one thing, each kind in its way.
pub struct Known {
    pub shown: Shown,
    /// What a delivery says, by record.
    pub says: Vec<Line>,
    /// Of that, what is not listed.
    pub says_more: usize,
    /// Why a delivery cannot be read.
    pub unread: Option<String>,
    pub bodies: Vec<Body>,
    /// What became of it, by the journal.
    pub course: Vec<Line>,
}

/// What is known of it; `None`: it is not there any more.
///
/// # Errors
/// When the database cannot be read.
pub async fn known(web: &Web, id: &Id) -> Result<Option<Known>, StoreError> {
    match id.tab {
        Tab::Outbox => effect(web, id).await,
        Tab::Inbox => received(web, id).await,
        Tab::Letters => letter(web, id).await,
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
        at: row.entry.seen_at,
        record: None,
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
                let line = |one: &words::Stated| Line {
                    at: one.at,
                    record: Some((one.record.clone(), called.record(&one.record).to_owned())),
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
