//! Promises that no CRM records: a person's answer for a period, and the one reminder before its end.
//! What a missing answer means is measured elsewhere.

use super::context::{Engine, Site};
use super::letters;
use super::reach;
use crate::agreement::calendar::Calendar;
use crate::agreement::model::{Commitment, Measure, Period, Span};
use crate::agreement::{Agreement, span};
use crate::notify::letter::{self, Letter};
use crate::record::{Actor, ConnectionName, Elapsed, Fact, FactKind, Timestamp};
use crate::report::window::Window;
use crate::store::attestation::{self, AttestationRow};
use crate::store::journal::{self, JournalEntry};
use crate::store::lease::Lease;
use crate::store::{Db, Priority, StoreError, cursor};
use serde_json::json;

/// Open days before the period's end at which the promising party is reminded.
const BEFORE: i32 = 5;

/// The period that a commitment is attested for; `None` where it is measured.
pub fn attested_by(commitment: &Commitment) -> Option<Period> {
    match commitment.measure {
        Measure::Attested(period) => Some(period),
        _ => None,
    }
}

/// Why something cannot be attested, in a sentence.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct CannotAttest(String);

fn cannot<T>(why: String) -> Result<T, CannotAttest> {
    Err(CannotAttest(why))
}

/// The commitments that people attest, each with its period.
pub fn attested(agreement: &Agreement) -> Vec<(&Commitment, Period)> {
    agreement.commitments.iter().filter_map(|c| Some((c, attested_by(c)?))).collect()
}

/// The attested commitment of this name, however it is capitalised.
///
/// # Errors
/// Where there is none, or leadpact measures it.
pub fn commitment<'a>(agreement: &'a Agreement, name: &str) -> Result<(&'a Commitment, Period), CannotAttest> {
    let attested = attested(agreement);
    if let Some(found) = attested.iter().find(|(c, _)| c.name.eq_ignore_ascii_case(name.trim())) {
        return Ok(*found);
    }
    if agreement.commitments.iter().any(|c| c.name.eq_ignore_ascii_case(name.trim())) {
        return cannot(format!("`{name}` is measured by leadpact: nobody attests it"));
    }
    let known: Vec<&str> = attested.iter().map(|(c, _)| c.name.as_str()).collect();
    cannot(match known[..] {
        [] => "the agreement has no commitment that is attested (measure = { attested = \"monthly\" })".to_owned(),
        _ => format!("no commitment is called `{name}`; attested are: {}", known.join(", ")),
    })
}

/// The period that is meant, by its text; without one the period that runs now.
///
/// # Errors
/// A text that names no such period, or one that has not begun.
pub fn window(
    agreement: &Agreement,
    period: Period,
    text: Option<&str>,
    now: Timestamp,
) -> Result<Window, CannotAttest> {
    let zone = agreement.zone();
    let Some(text) = text else { return Ok(Window::containing(period, now, &zone)) };
    let like = match period {
        Period::Week => "2027-W09",
        Period::Month => "2027-03",
        Period::Quarter => "2027-Q1",
    };
    match Window::parse(text, &zone).filter(|window| window.period == period) {
        None => cannot(format!("`{text}` is no period of this commitment: write it like {like}")),
        Some(window) if window.from > now => cannot(format!("{window} has not begun")),
        Some(window) => Ok(window),
    }
}

/// Keeps an answer and journals it in every connection that the agreement governs. An earlier answer
/// for the period is replaced; both are journalled.
///
/// # Errors
/// When the database is unavailable.
pub async fn attest(
    db: &Db,
    agreement: &Agreement,
    scope: Option<&ConnectionName>,
    governed: &[ConnectionName],
    answer: &AttestationRow,
) -> Result<(), StoreError> {
    let by = agreement.commitments.iter().find(|c| c.name == answer.commitment).map(|c| c.by.clone());
    let detail = json!({
        "period": answer.period,
        "answer": if answer.answer { "yes" } else { "no" },
        "by": answer.by,
        "note": answer.note,
    });
    let fact = Fact {
        kind: FactKind::Attested,
        at: answer.at,
        pass: 0,
        source: answer.commitment.as_str().into(),
        run: 0,
        item: answer.period.as_str().into(),
        party: by,
        owner: None,
        stage: None,
        by: Actor::Unknown,
        detail: detail.as_object().cloned().unwrap_or_default(),
    };
    let agreement = agreement.hash.to_string();
    let entry = JournalEntry { record: None, fact, seen_at: answer.at, agreement };
    let mut tx = db.begin(Priority::Work).await?;
    attestation::save(&mut tx, scope, answer).await?;
    // Always in this order, so that two who attest at once do not wait for each other.
    let mut governed: Vec<&ConnectionName> = governed.iter().collect();
    governed.sort();
    for connection in governed {
        journal::append(&mut tx, connection, std::slice::from_ref(&entry)).await?;
    }
    tx.commit().await
}

/// Whether this connection speaks for its agreement: of those that share one, the first by name, so
/// that a party is not reminded by each of them.
fn speaks(engine: &Engine, site: &Site) -> bool {
    let shares = |other: &Site| other.connection.agreement.is_none();
    site.connection.agreement.is_some()
        || engine.sites().iter().filter(|other| shares(other)).all(|other| site.name() <= other.name())
}

/// Reminds the parties of what nobody attested yet. Answers how many reminders were issued.
///
/// # Errors
/// When the database is unavailable or the lease is lost.
pub async fn step(engine: &Engine, site: &Site, lease: &Lease) -> Result<usize, StoreError> {
    if !speaks(engine, site) {
        return Ok(0);
    }
    let (now, zone) = (engine.clock.now(), site.agreement.zone());
    let mut reminded = 0;
    for (commitment, period) in attested(&site.agreement) {
        let window = Window::containing(period, now, &zone);
        if now < remind_at(&site.agreement, commitment, &window) || now < site.agreement.effective_at {
            continue;
        }
        reminded += usize::from(remind(engine, site, lease, commitment, &window).await?);
    }
    Ok(reminded)
}

/// When the party is reminded: in its own calendar, else in the agreement's.
pub fn remind_at(agreement: &Agreement, commitment: &Commitment, window: &Window) -> Timestamp {
    let own = agreement.party(&commitment.by).and_then(|p| p.calendar).or(agreement.calendar);
    let calendar: Option<&Calendar> = own.map(|i| &agreement.calendars[i].calendar);
    // The end is the next period's first midnight, whose day does not count.
    span::before(calendar, window.until, Span::OpenDays(BEFORE))
}

async fn remind(
    engine: &Engine,
    site: &Site,
    lease: &Lease,
    commitment: &Commitment,
    window: &Window,
) -> Result<bool, StoreError> {
    let (name, period) = (format!("attest/{}", commitment.name), window.to_string());
    if cursor::get(&engine.db, site.name(), &name).await?.as_deref() == Some(&period) {
        return Ok(false);
    }
    let own = site.connection.agreement.is_some().then(|| site.name());
    let answered = attestation::get(&engine.db, own, &commitment.name, &period).await?.is_some();
    let (now, words) = (engine.clock.now(), |party: &crate::record::PartyName| party.as_str().replace('_', " "));
    let zone = site.agreement.zone_of(Some(&commitment.by));
    let asks = Letter::Attestation(letter::Attestation {
        commitment: commitment.name.clone(),
        period: period.clone(),
        by: words(&commitment.by),
        to: words(&commitment.to),
        deadline: (window.until - Elapsed::from_secs(60)).in_zone(&zone),
        credit: commitment.credit.clone(),
    });
    let channels = reach::channels(&site.agreement, Some(&commitment.by));
    let tells = letters::tells(engine, site, now).await?;
    let mut tx = engine.db.begin(Priority::Work).await?;
    lease.check(&mut tx).await?;
    for (n, to) in channels.into_iter().enumerate().filter(|_| !answered) {
        match engine.notifiers.letter(&format!("{name}/{period}/{n}"), &asks) {
            Ok(says) => letters::issue(&mut tx, site.name(), &vec![to], &says, tells, now).await?,
            Err(error) => tracing::error!(commitment = commitment.name, "cannot be asked for: {error}"),
        }
    }
    cursor::set(&mut tx, site.name(), &name, &period).await?;
    tx.commit().await?;
    Ok(!answered)
}
