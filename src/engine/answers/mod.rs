//! Salespeople answer where they are: from a button in Slack or a link in an e-mail. Here a ticket is
//! looked at, who it is and whether they may is found out, and what they say becomes an order in the
//! inbox. What the order does is the core's; what a button looks like is `notify`'s.

pub mod issue;
pub mod preferences;
pub mod right;

use super::context::{Engine, Site};
use super::switches::Switches;
use crate::agreement::standing::{Given, GivenState};
use crate::agreement::{Standing, answer};
use crate::record::{Answer, Ask, ConnectionName, Elapsed, Object, Order, OwnerId, RecordId, RecordKey, Reply};
use crate::store::answer::{self as tickets, Purpose, Ticket};
use crate::store::inbox::{self, Insertion, Kind, NewDelivery};
use crate::store::secret::Secret;
use crate::store::{Db, Priority, StoreError, person, standing};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::sync::Arc;

/// A ticket is good for so long at most; it ends with its run before that.
pub const LASTS: Elapsed = Elapsed::from_secs(7 * 86_400);

/// Where answers are taken, as far as the daemon was told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answering {
    /// What links in e-mails begin with, without a slash at its end.
    pub public_base: String,
    /// Slack signs its calls to us: buttons can be shown there.
    pub in_slack: bool,
}

/// To what a ticket is an answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct About {
    pub object: Object,
    pub id: RecordId,
    pub clock: Arc<str>,
    pub pass: u32,
    pub run: u32,
    /// The key of the notice that it came with.
    pub effect: String,
    /// The one answer that it gives; `None`: any that the run can be given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer: Option<String>,
}

/// A ticket with its place: what a word that somebody brought stands for.
#[derive(Clone)]
pub struct Shown {
    pub site: Arc<Site>,
    pub word: Secret,
    pub ticket: Ticket,
}

/// What somebody says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Choice {
    Accept,
    /// By the mark of an agreed reason: see [`mark`].
    Reject(String),
    OnIt,
    Snooze,
}

impl Choice {
    /// Whether nothing is left to say after it.
    pub fn decides(&self) -> bool {
        matches!(self, Choice::Accept | Choice::Reject(_))
    }
}

/// How it came.
#[derive(Clone, Copy, Debug)]
pub struct Said<'a> {
    /// The address of who says it.
    pub email: &'a str,
    /// In words: `Slack`, `e-mail`.
    pub via: &'a str,
    /// The same delivery is taken once.
    pub delivery: &'a str,
}

/// What was taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Taken {
    /// Names the answer, to ask what came of it.
    pub id: String,
    pub record: RecordKey,
    pub name: String,
    /// `Accepted by Ben Castillo via Slack`
    pub words: String,
    /// Why it is not written yet, as a sentence: it waits until that is over.
    pub waits: Option<String>,
}

/// Why nothing was taken, in words for whoever asked.
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    #[error("This is no button or link of ours.")]
    Unknown,
    #[error("This is too old to be answered. Open the record in the CRM.")]
    Expired,
    #[error("This was used already; it works once.")]
    Used,
    /// What happened since.
    #[error("{0}")]
    Overtaken(String),
    #[error("{0}")]
    NotYours(String),
    /// Nothing is written here.
    #[error("{0}")]
    NotHere(String),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What became of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Became {
    /// Not applied, or on its way to the CRM.
    Pending,
    Done,
    Failed(String),
}

impl Became {
    fn of(state: &GivenState) -> Self {
        match state {
            GivenState::Pending => Became::Pending,
            GivenState::Done => Became::Done,
            GivenState::Failed(why) => Became::Failed(why.clone()),
        }
    }
}

/// The mark by which a button names an agreed reason: reasons may be longer than Slack's values.
pub fn mark(reason: &str) -> String {
    hex::encode(&Sha256::digest(reason.as_bytes())[..6])
}

/// A ticket's word as it stands in buttons and addresses: `acme-hubspot.R4nd0m`.
pub fn written(connection: &ConnectionName, word: &Secret) -> String {
    format!("{connection}.{}", word.expose())
}

/// The ticket that a written word stands for, whatever its state.
///
/// # Errors
/// `Unknown`, `Store`.
pub async fn look(engine: &Engine, written: &str) -> Result<Shown, Refused> {
    const LONGEST: usize = 200;
    let (name, word) = written.rsplit_once('.').filter(|_| written.len() <= LONGEST).ok_or(Refused::Unknown)?;
    let site = engine.site(name).ok_or(Refused::Unknown)?;
    let word = Secret::brought(word);
    let ticket = tickets::find(&engine.db, site.name(), &word).await?.ok_or(Refused::Unknown)?;
    Ok(Shown { site, word, ticket })
}

/// What a shown ticket can be answered with now.
#[derive(Clone, Debug)]
pub struct Open {
    pub about: About,
    pub key: RecordKey,
    pub standing: Standing,
    pub offered: answer::Offered,
}

/// Whether the ticket still opens anything, and what.
///
/// # Errors
/// Every [`Refused`] but `NotYours`.
pub async fn open(engine: &Engine, shown: &Shown, purpose: Purpose) -> Result<Open, Refused> {
    let Shown { site, ticket, .. } = shown;
    if ticket.purpose != purpose {
        return Err(Refused::Unknown);
    }
    if ticket.used_at.is_some() {
        return Err(Refused::Used);
    }
    let about: About = serde_json::from_str(&ticket.about).map_err(|_| Refused::Unknown)?;
    let key = RecordKey { connection: site.name().clone(), object: about.object, id: about.id.clone() };
    let standing = load(&engine.db, &key).await?.ok_or(Refused::Unknown)?;
    let run = standing.run(&about.clock, about.run).filter(|r| standing.pass == about.pass && r.is_open());
    let offered = run.map(|run| answer::offered(&site.agreement, &standing, run));
    match offered.filter(|_| standing.gone.is_none()) {
        _ if ticket.expires_at <= engine.clock.now() => Err(Refused::Expired),
        Some(offered) => Ok(Open { about, key, standing, offered }),
        None => Err(Refused::Overtaken(right::what_happened(site, &standing, &about))),
    }
}

async fn load(db: &Db, key: &RecordKey) -> Result<Option<Standing>, StoreError> {
    let Some(json) = standing::load_one(db, key).await? else { return Ok(None) };
    serde_json::from_str(&json).map(Some).map_err(|e| StoreError::Corrupt(format!("the standing of {key}: {e}")))
}

/// Takes an answer: once this returns `Ok` it is in the inbox and survives a power cut. Whoever says again what
/// they said, as by pressing twice, is told of the first: nothing is stored for the second.
///
/// # Errors
/// Why not; nothing was stored then.
pub async fn take(engine: &Engine, shown: &Shown, choice: &Choice, said: Said<'_>) -> Result<Taken, Refused> {
    match take_anew(engine, shown, choice, said).await {
        Err(Refused::Overtaken(why)) => {
            said_before(engine, shown, choice, said.email).await?.ok_or(Refused::Overtaken(why))
        }
        taken => taken,
    }
}

/// The same answer of the same person to the same run, unless it came to nothing.
async fn said_before(engine: &Engine, shown: &Shown, choice: &Choice, email: &str) -> Result<Option<Taken>, Refused> {
    let site = &shown.site;
    let about: About = serde_json::from_str(&shown.ticket.about).map_err(|_| Refused::Unknown)?;
    let key = RecordKey { connection: site.name().clone(), object: about.object, id: about.id };
    let Some(standing) = load(&engine.db, &key).await? else { return Ok(None) };
    let people = person::load_all(&engine.db, site.name()).await?;
    let is_theirs = |id: &OwnerId| {
        people.iter().any(|p| p.id == *id && p.email.as_deref().is_some_and(|e| e.eq_ignore_ascii_case(email)))
    };
    let same = |given: &&Given| {
        let reply = &given.reply;
        let of_run = (&reply.clock, reply.pass, reply.run) == (&about.clock, about.pass, about.run);
        of_run && is_same(choice, &reply.answer) && reply.person.as_ref().is_some_and(is_theirs)
    };
    let stands = |given: &&Given| !matches!(given.state, GivenState::Failed(_));
    let given = standing.answers.iter().filter(stands).find(same);
    Ok(given.map(|given| Taken {
        id: given.reply.id.clone(),
        record: key.clone(),
        name: standing.name().to_owned(),
        words: answer::in_words(&given.reply.answer, &given.by, &given.reply.via),
        waits: None,
    }))
}

/// Only of what decides: a second "I'm on it" promises nothing further, and its giver is to know.
fn is_same(choice: &Choice, answer: &Answer) -> bool {
    match (choice, answer) {
        (Choice::Accept, Answer::Accept) => true,
        (Choice::Reject(marked), Answer::Reject { reason }) => mark(reason) == *marked,
        _ => false,
    }
}

async fn take_anew(engine: &Engine, shown: &Shown, choice: &Choice, said: Said<'_>) -> Result<Taken, Refused> {
    let purpose = if shown.ticket.purpose == Purpose::Link { Purpose::Link } else { Purpose::Button };
    let open = open(engine, shown, purpose).await?;
    let site = &shown.site;
    let answer = chosen(&open, choice)?;
    let people = person::load_all(&engine.db, site.name()).await?;
    let who = right::who_may(site, &people, &open, said.email)?;
    let reply = Reply {
        id: id_of(said.delivery),
        answer,
        clock: open.about.clock.clone(),
        pass: open.about.pass,
        run: open.about.run,
        person: who.person.clone(),
        via: said.via.to_owned(),
        owner: open.standing.owner(),
        takes: who.takes,
    };
    if let Some(why) = answer::hindrance(&site.agreement, &open.standing, &reply) {
        return Err(Refused::Overtaken(format!("{} was not changed: {why}.", open.standing.name())));
    }
    let waits = standstill(engine, site, open.standing.name()).await?;
    let taken = Taken {
        id: reply.id.clone(),
        record: open.key.clone(),
        name: open.standing.name().to_owned(),
        words: answer::in_words(&reply.answer, &who.name, said.via),
        waits,
    };
    let ask = Ask::Answer(reply);
    store(engine, shown, Order { object: open.key.object, id: open.key.id, by: who.name, ask }, said.delivery).await?;
    site.stirred.notify_one();
    Ok(taken)
}

/// Why what is said now is written later only; an answer where nothing is ever written is not taken.
async fn standstill(engine: &Engine, site: &Site, name: &str) -> Result<Option<String>, Refused> {
    let switches = Switches::read(&engine.db, site.name()).await?;
    if !switches.acts(site) {
        let text =
            format!("{name} was not changed: leadpact only observes here and writes nothing. Open it in the CRM.");
        return Err(Refused::NotHere(text));
    }
    let by = |name: &str| if name.is_empty() { String::new() } else { format!(" by {name}") };
    Ok(if let Some(paused) = switches.pause(engine.clock.now()) {
        Some(format!("It is written once leadpact goes on, which is paused{}.", by(&paused.by)))
    } else if switches.signed_out().is_some() {
        Some("It is written once leadpact is signed in to the CRM again.".to_owned())
    } else if switches.clocks_apart().is_some() {
        Some("It is written once leadpact's clock and the CRM's agree again.".to_owned())
    } else {
        None
    })
}

/// The order with what it is known by, and the ticket's use, in one transaction.
async fn store(engine: &Engine, shown: &Shown, order: Order, delivery: &str) -> Result<(), Refused> {
    let now = engine.clock.now();
    let body = serde_json::to_string(&order).map_err(|e| StoreError::Refused(e.to_string()))?;
    let connection = shown.site.name().clone();
    let delivery_id = Some(format!("answer/{delivery}"));
    let row = NewDelivery { connection, delivery_id, kind: Kind::Order, body, received_at: now };
    let mut tx = engine.db.begin(Priority::Ingest).await?;
    if shown.ticket.purpose == Purpose::Link && !tickets::take(&mut tx, shown.site.name(), &shown.word, now).await? {
        tx.rollback().await?;
        return Err(Refused::Used);
    }
    // The same click again is acknowledged and changes nothing.
    let stored = inbox::insert_all(&mut tx, &[row]).await?;
    tx.commit().await?;
    tracing::debug!(repeated = stored.contains(&Insertion::Repeated), "an answer was taken");
    Ok(())
}

fn id_of(delivery: &str) -> String {
    hex::encode(&Sha256::digest(delivery.as_bytes())[..12])
}

fn chosen(open: &Open, choice: &Choice) -> Result<Answer, Refused> {
    let name = match choice {
        Choice::Accept => Answer::Accept.as_str(),
        Choice::Reject(_) => "reject",
        Choice::OnIt => Answer::OnIt.as_str(),
        Choice::Snooze => Answer::Snooze.as_str(),
    };
    if open.about.answer.as_deref().is_some_and(|only| only != name) {
        return Err(Refused::Unknown);
    }
    Ok(match choice {
        Choice::Accept => Answer::Accept,
        Choice::OnIt => Answer::OnIt,
        Choice::Snooze => Answer::Snooze,
        Choice::Reject(marked) => {
            let reason = open.offered.reasons.iter().find(|reason| mark(reason) == *marked);
            let none = || Refused::Overtaken("It cannot be rejected for this reason any more.".to_owned());
            Answer::Reject { reason: reason.cloned().ok_or_else(none)? }
        }
    })
}

/// What became of an answer so far.
///
/// # Errors
/// When the database cannot be read.
pub async fn became(db: &Db, taken: &Taken) -> Result<Became, StoreError> {
    let standing = load(db, &taken.record).await?;
    let given = standing.and_then(|s| s.answers.into_iter().find(|g| g.reply.id == taken.id));
    Ok(given.map_or(Became::Pending, |given| Became::of(&given.state)))
}

/// What a link that was used said, in words, and what became of it. `None`: it was not applied yet, or
/// is forgotten.
///
/// # Errors
/// When the database cannot be read.
pub async fn said_by(engine: &Engine, shown: &Shown) -> Result<Option<(String, Became)>, Refused> {
    let about: About = serde_json::from_str(&shown.ticket.about).map_err(|_| Refused::Unknown)?;
    let key = RecordKey { connection: shown.site.name().clone(), object: about.object, id: about.id };
    let Some(standing) = load(&engine.db, &key).await? else { return Ok(None) };
    let id = id_of(&shown.word.hash());
    let given = standing.answers.iter().find(|g| g.reply.id == id);
    Ok(given.map(|given| {
        let words = answer::in_words(&given.reply.answer, &given.by, &given.reply.via);
        (format!("{}: {words}", standing.name()), Became::of(&given.state))
    }))
}

/// Whose an id is among the people of a CRM.
fn same(id: &OwnerId, text: &str, email: Option<&str>) -> bool {
    id.as_str() == text || email.is_some_and(|email| email.eq_ignore_ascii_case(text))
}
