//! What people do about one record from a page or the API: dispute, undo, exclude, include, and which of
//! these there is to be done. The orders are those of the commands; here it is only asked whether there
//! is something to order.

use super::Web;
use super::record::{Found, Place, find};
use super::session::Visitor;
use crate::engine::dispute::{DisputeError, disputable, open};
use crate::engine::moment::to_come;
use crate::engine::orders::{Made, exclude, include, moves_of, submit};
use crate::record::{Fact, Order, Timestamp};
use crate::store::StoreError;
use crate::store::dispute::{self as disputes, DisputeRow, DisputeState};
use serde::Deserialize;

/// Why it was not done.
pub enum Refusal {
    /// The record is not known.
    Unknown,
    /// A sentence for whoever asked.
    Refused(String),
    Unavailable(StoreError),
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        Refusal::Unavailable(error)
    }
}

impl From<DisputeError> for Refusal {
    fn from(error: DisputeError) -> Self {
        match error {
            DisputeError::Store(error) => Refusal::Unavailable(error),
            DisputeError::Refused(why) => Refusal::Refused(capital(&why)),
        }
    }
}

/// What is asked for, as a form or a JSON object says it.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Asked {
    /// The disputed fact: its key and, where the same was told of several moments, its moment in
    /// milliseconds since 1970.
    #[serde(default)]
    pub fact: String,
    #[serde(default)]
    pub why: String,
    /// Exclude until then; for good where nothing is said.
    #[serde(default)]
    pub until: String,
    /// The move that is meant, by its key; the last one where nothing is said.
    #[serde(default)]
    pub effect: String,
}

/// What may be done about a record now. Leaving it alone always may.
pub struct Offers<'f> {
    /// What can be disputed and was not, in the order of the journal.
    pub facts: Vec<&'f Fact>,
    /// The last move, where it is known what was before it.
    pub undo: Option<Made>,
    /// It is left alone, so that it may be treated like any other again.
    pub include: bool,
}

/// # Errors
/// When the database cannot be read.
pub async fn offers<'f>(web: &Web, found: &'f Found) -> Result<Offers<'f>, StoreError> {
    let (db, standing) = (&web.engine.db, &found.standing);
    let disputed = disputes::of_record(db, &standing.key).await?;
    let is_settled = |fact: &Fact| {
        let same = |d: &&DisputeRow| d.fact_at == fact.at && d.fact_key == fact.key();
        disputed.iter().filter(same).any(|d| d.state != DisputeState::Withdrawn)
    };
    // Without steps nobody decides.
    let decided = !found.site.agreement.resolutions.is_empty();
    let facts = disputable(&found.rows).into_iter().filter(|fact| decided && !is_settled(fact));
    let undo = moves_of(db, &standing.key).await?.pop().filter(|made| !made.before.is_empty());
    let include = standing.excluded.is_some() || standing.is_contested();
    Ok(Offers { facts: facts.collect(), undo, include })
}

/// By which a fact is named when it is disputed: its key, and its moment where several have it.
pub fn named(fact: &Fact) -> String {
    format!("{}@{}", fact.key(), fact.at.as_millis())
}

/// Opens a dispute in the visitor's name.
///
/// # Errors
/// `Refused` where there is no such fact, or it was disputed before.
pub async fn dispute(web: &Web, visitor: &Visitor, place: &Place, asked: &Asked) -> Result<DisputeRow, Refusal> {
    let found = known(web, place).await?;
    let facts = disputable(&found.rows);
    let mut meant = facts.iter().filter(|fact| asked.fact == fact.key() || asked.fact == named(fact));
    let (Some(fact), None) = (meant.next(), meant.next()) else {
        let why = "Say which breach, rejection or violation is disputed: there is none like this, or more than one.";
        return Err(Refusal::Refused(why.to_owned()));
    };
    let (db, now) = (&web.engine.db, web.engine.clock.now());
    let words = (visitor.name(), said(&asked.why)?);
    Ok(open(db, &found.site.agreement, &found.standing.key, fact, words, now).await?)
}

/// Orders that the last move of the record be put back.
///
/// # Errors
/// `Refused` where there is no move, another one is the last by now, or nobody knows what was before it.
pub async fn undo(web: &Web, visitor: &Visitor, place: &Place, asked: &Asked) -> Result<(), Refusal> {
    let found = known(web, place).await?;
    let Some(made) = moves_of(&web.engine.db, &found.standing.key).await?.pop() else {
        return Err(Refusal::Refused("There is no move of ours that could be undone.".to_owned()));
    };
    if !asked.effect.is_empty() && made.effect.as_str() != asked.effect {
        return Err(Refusal::Refused("It was moved again meanwhile: look at its story first.".to_owned()));
    }
    if made.before.is_empty() {
        return Err(Refusal::Refused("What stood there before is not known any more.".to_owned()));
    }
    order(web, &found, made.undo(visitor.name(), said(&asked.why)?)).await
}

/// Orders that the record be left alone, until a moment or for good.
///
/// # Errors
/// `Refused` where the moment cannot be read or is over.
pub async fn leave_alone(
    web: &Web,
    visitor: &Visitor,
    place: &Place,
    asked: &Asked,
) -> Result<Option<Timestamp>, Refusal> {
    let found = known(web, place).await?;
    let (zone, now) = (found.site.agreement.zone(), web.engine.clock.now());
    let until = Some(asked.until.trim()).filter(|text| !text.is_empty());
    let until = until.map(|text| to_come(text, &zone, now)).transpose();
    let until = until.map_err(|why| Refusal::Refused(capital(&why)))?;
    let ask = exclude(&found.standing.key, until, visitor.name(), said(&asked.why)?);
    order(web, &found, ask).await?;
    Ok(until)
}

/// Orders that the record be treated like any other again.
///
/// # Errors
/// As all of these.
pub async fn go_on(web: &Web, visitor: &Visitor, place: &Place, asked: &Asked) -> Result<(), Refusal> {
    let found = known(web, place).await?;
    let ask = include(&found.standing.key, visitor.name(), asked.why.trim());
    order(web, &found, ask).await
}

async fn known(web: &Web, place: &Place) -> Result<Found, Refusal> {
    find(web, place).await?.ok_or(Refusal::Unknown)
}

async fn order(web: &Web, found: &Found, order: Order) -> Result<(), Refusal> {
    submit(&web.engine.db, found.site.name(), &[order], web.engine.clock.now()).await?;
    // Whoever works the connection looks at once.
    found.site.stirred.notify_one();
    Ok(())
}

/// What somebody gave as their reason; without one nobody understands later why it was done.
fn said(why: &str) -> Result<&str, Refusal> {
    const LONGEST: usize = 2000;
    match why.trim() {
        "" => Err(Refusal::Refused("Say why, for those who read the journal later.".to_owned())),
        text if text.len() > LONGEST => Err(Refusal::Refused("The reason is too long for the journal.".to_owned())),
        text => Ok(text),
    }
}

fn capital(sentence: &str) -> String {
    let mut letters = sentence.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}
