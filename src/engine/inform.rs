//! Every member of the teams is told once of a signed version that is in force, by whoever holds the
//! connection's lease. That somebody is to be told is stored before they are, so that a crash loses
//! nobody, and tells at most one of them twice.

use super::context::{Engine, Site};
use super::directory::Snapshot;
use super::switches::Switches;
use crate::agreement::Agreement;
use crate::crm::Person;
use crate::crm::connection::Roster;
use crate::notify::letter::Letter;
use crate::notify::version::{AboutVersion, Version};
use crate::notify::{Destination, NotifyError};
use crate::record::{Fact, FactKind, PartyName, Timestamp};
use crate::store::journal::{self, JournalEntry};
use crate::store::lease::Lease;
use crate::store::receipt::{self, Receipt};
use crate::store::signature::{self, Signature};
use crate::store::{Db, Priority, StoreError, agreement, cursor};
use serde_json::{Map, json};
use std::collections::{BTreeMap, HashSet};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// The cursor that holds the hash of the version that is active for a connection.
pub const ACTIVE: &str = "agreement.active";
/// The first wait after a channel that was down; doubled each time, up to an hour.
const WAIT: Duration = Duration::from_secs(60);
const LONGEST: Duration = Duration::from_secs(3600);

/// Notes who is to be told, and tells those whose moment has come.
///
/// # Errors
/// When the database is unavailable or the lease is lost.
pub async fn step(engine: &Engine, site: &Site, lease: &Lease, over: &CancellationToken) -> Result<(), StoreError> {
    let Some(signatures) = signed(engine, site).await? else { return Ok(()) };
    if !may_tell(engine, site).await? {
        return Ok(());
    }
    owe(engine, site, lease).await?;
    let about = about(engine, &site.agreement, &signatures);
    for receipt in receipt::of(&engine.db, site.name(), &site.agreement.hash).await? {
        let is_due = receipt.next_at.is_some_and(|at| at <= engine.clock.now());
        if is_due && !over.is_cancelled() {
            tell(engine, site, lease, &receipt, &about).await?;
        }
    }
    Ok(())
}

/// Whether people are told anything for this connection now.
pub(super) async fn may_tell(engine: &Engine, site: &Site) -> Result<bool, StoreError> {
    let switches = Switches::read(&engine.db, site.name()).await?;
    let speaks = switches.acts(site) || engine.notify_in_observe;
    Ok(speaks && switches.pause(engine.clock.now()).is_none())
}

/// The signatures under the site's version, where it is active and nobody's is missing: a draft that
/// is tried out is not sent around.
pub(super) async fn signed(engine: &Engine, site: &Site) -> Result<Option<Vec<Signature>>, StoreError> {
    let hash = &*site.agreement.hash;
    if cursor::get(&engine.db, site.name(), ACTIVE).await?.as_deref() != Some(hash) {
        return Ok(None);
    }
    let signatures = signature::of(&engine.db, hash).await?;
    let mut signers = site.agreement.parties.iter().filter(|p| p.signs.is_some()).peekable();
    let needs_some = signers.peek().is_some();
    let all = signers.all(|party| signatures.iter().any(|s| s.party == party.name));
    Ok((needs_some && all).then_some(signatures))
}

pub(super) fn about(engine: &Engine, agreement: &Agreement, signatures: &[Signature]) -> AboutVersion {
    AboutVersion {
        title: agreement.title.clone(),
        version: agreement.version.clone(),
        hash: agreement.hash.to_string(),
        summary: agreement.summary.clone(),
        effective: agreement.effective.map(|day| day.to_string()),
        review_by: agreement.review_by.map(|day| day.to_string()),
        signed: signatures.iter().map(one_line).collect(),
        link: engine.page("/agreement"),
    }
}

fn one_line(signature: &Signature) -> String {
    let Signature { name, title, party, on_behalf_of, .. } = signature;
    let behalf = on_behalf_of.as_ref().map(|named| format!(" on behalf of {named}")).unwrap_or_default();
    format!("{name}, {title}{behalf}, for {}", party.as_str().replace('_', " "))
}

/// Notes everybody of the teams who is not noted yet: new colleagues get it too.
async fn owe(engine: &Engine, site: &Site, lease: &Lease) -> Result<(), StoreError> {
    let people = site.directory.people(&engine.db, site.name(), &site.crm, &[]).await?;
    let known = receipt::of(&engine.db, site.name(), &site.agreement.hash).await?;
    let known: HashSet<_> = known.into_iter().map(|receipt| receipt.person).collect();
    let next_at = in_working_hours(&site.agreement, engine.clock.now());
    let owed = team(site, &people).into_iter().filter(|person| !known.contains(&person.id));
    let owed: Vec<Receipt> = owed.filter_map(|person| new_receipt(site, person, next_at)).collect();
    if owed.is_empty() {
        return Ok(());
    }
    let mut tx = engine.db.begin(Priority::Work).await?;
    lease.check(&mut tx).await?;
    agreement::lock(&mut tx, site.connection.agreement.is_some().then_some(site.name())).await?;
    for receipt in &owed {
        receipt::owe(&mut tx, receipt).await?;
    }
    tx.commit().await
}

/// A version becomes active at midnight; nobody is woken for that.
pub(super) fn in_working_hours(agreement: &Agreement, now: Timestamp) -> Timestamp {
    agreement.calendar.map_or(now, |i| agreement.calendars[i].calendar.next_open(now))
}

fn new_receipt(site: &Site, person: &Person, next_at: Timestamp) -> Option<Receipt> {
    Some(Receipt {
        connection: site.name().clone(),
        agreement: site.agreement.hash.to_string(),
        person: person.id.clone(),
        name: person.name.clone(),
        email: person.email.clone()?,
        next_at: Some(next_at),
        attempts: 0,
        informed_at: None,
        confirmed_at: None,
        how: None,
    })
}

/// The members of the parties, where the configuration names them for every party that receives
/// records; else nobody knows who belongs to whom, and all active people of the CRM are meant.
fn team<'a>(site: &Site, people: &'a Snapshot) -> Vec<&'a Person> {
    let automation = &site.connection.touches.automation_users;
    let reachable = |p: &&Person| p.active && !p.queue && p.email.is_some() && !automation.contains(&p.id);
    let receivers = receivers(&site.agreement);
    let listed = |party: &PartyName| matches!(site.connection.parties.get(party), Some(Roster::Members(_)));
    if receivers.is_empty() || !receivers.iter().all(|party| listed(party)) {
        return people.all().filter(reachable).collect();
    }
    let members = site.connection.parties.values().filter_map(|roster| match roster {
        Roster::Members(members) => Some(members),
        _ => None,
    });
    let found = members.flatten().filter_map(|member| people.find(member)).filter(reachable);
    found.map(|person| (&person.id, person)).collect::<BTreeMap<_, _>>().into_values().collect()
}

fn receivers(agreement: &Agreement) -> HashSet<&PartyName> {
    let handoffs = agreement.handoffs.iter().map(|handoff| &handoff.to);
    handoffs.chain(agreement.recycling.as_ref().map(|recycling| &recycling.to)).collect()
}

/// Tells one person, and stores how that went.
async fn tell(
    engine: &Engine,
    site: &Site,
    lease: &Lease,
    receipt: &Receipt,
    about: &AboutVersion,
) -> Result<(), StoreError> {
    let to = Destination::SlackMember { email: receipt.email.clone() };
    if !engine.notifiers.reaches(&to) {
        return Ok(());
    }
    let key = format!("{}/agreement/{}/{}", site.name(), receipt.agreement, receipt.person);
    let letter = Letter::Agreement(Version { name: Some(receipt.name.clone()), about: about.clone() });
    let answer = engine.notifiers.send_letter(&to, &key, &letter).await;
    engine.metrics.call(site.name(), "notify", if answer.is_ok() { "ok" } else { "failed" });
    let now = engine.clock.now();
    let mut tx = engine.db.begin(Priority::Work).await?;
    lease.check(&mut tx).await?;
    match answer {
        Ok(how) => {
            receipt::informed(&mut tx, receipt, &how, now).await?;
            journal::append(&mut tx, site.name(), &[entry(FactKind::Informed, receipt, now)]).await?;
        }
        Err(NotifyError::Later { message, after }) => {
            let wait = after.unwrap_or(WAIT.saturating_mul(1 << receipt.attempts.min(6)).min(LONGEST));
            let again = now + engine.clock.to_engine(wait);
            receipt::failed(&mut tx, receipt, &message, Some(again)).await?;
        }
        Err(NotifyError::Nobody { message } | NotifyError::Never { message }) => {
            tracing::warn!(connection = %site.name(), person = %receipt.person, "not told of the agreement: {message}");
            receipt::failed(&mut tx, receipt, &message, None).await?;
        }
    }
    tx.commit().await
}

/// Notes that somebody confirmed having read the version. Answers whether they had not before.
///
/// # Errors
/// When the database is unavailable.
pub async fn confirm(db: &Db, receipt: &Receipt, now: Timestamp) -> Result<bool, StoreError> {
    let mut tx = db.begin(Priority::Work).await?;
    let is_new = receipt::confirm(&mut tx, receipt, now).await?;
    if is_new {
        journal::append(&mut tx, &receipt.connection, &[entry(FactKind::Confirmed, receipt, now)]).await?;
    }
    tx.commit().await?;
    Ok(is_new)
}

/// What the journal says of a receipt: [`FactKind::Informed`] or [`FactKind::Confirmed`].
fn entry(kind: FactKind, receipt: &Receipt, now: Timestamp) -> JournalEntry {
    let detail = Map::from_iter([("name".to_owned(), json!(receipt.name))]);
    let mut fact = Fact::of_no_record(kind, now, receipt.person.as_str(), detail);
    fact.owner = Some(receipt.person.clone());
    JournalEntry { record: None, fact, seen_at: now, agreement: receipt.agreement.clone() }
}
