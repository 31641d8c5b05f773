//! Promises that no CRM records, for a page and the API: which are asked for, who may give their word, and
//! for which connections it counts. What is kept of it is the engine's.

use super::Web;
use super::pages::agreement::scopes;
use super::session::Visitor;
use crate::agreement::model::Commitment;
use crate::engine::Site;
use crate::engine::attestation::{attest, attested, commitment, window};
use crate::engine::versions::Scope;
use crate::record::{ConnectionName, PartyName};
use crate::report::window::Window;
use crate::store::StoreError;
use crate::store::attestation::{self, AttestationRow};
use crate::store::role::Permission;
use jiff::tz::TimeZone;

/// What somebody says.
pub struct Word<'a> {
    pub commitment: &'a str,
    /// Without one the period that runs now.
    pub period: Option<&'a str>,
    pub is_kept: bool,
    pub note: Option<&'a str>,
}

/// An answer that was stored, with the one that it took the place of.
pub struct Said {
    pub answer: AttestationRow,
    pub earlier: Option<AttestationRow>,
}

/// Why nothing was stored, in a sentence where it is theirs to mend.
pub enum Unsaid {
    Impossible(String),
    NotTheirs(String),
    Unavailable(StoreError),
}

impl From<StoreError> for Unsaid {
    fn from(error: StoreError) -> Self {
        Unsaid::Unavailable(error)
    }
}

/// A promise for a period, with what was said of it.
pub struct Promise {
    pub scope: Scope,
    pub zone: TimeZone,
    pub name: String,
    pub by: PartyName,
    pub to: PartyName,
    /// What follows if it is missed.
    pub credit: Option<String>,
    pub window: Window,
    pub is_over: bool,
    pub answer: Option<AttestationRow>,
}

/// All promises for the period that runs and the one before it, of every agreement at work or of the one
/// that governs this connection; those that wait for an answer first.
///
/// # Errors
/// When the database cannot be read.
pub async fn promises(web: &Web, of: Option<&str>) -> Result<Vec<Promise>, StoreError> {
    let governs = |scope: &Scope| of.is_none_or(|name| scope.connections.iter().any(|c| c.as_str() == name));
    let mut promises = Vec::new();
    for scope in scopes(web).into_iter().filter(governs) {
        promises.extend(promises_of(web, &scope).await?);
    }
    promises.sort_by_key(|promise| promise.answer.is_some());
    Ok(promises)
}

async fn promises_of(web: &Web, scope: &Scope) -> Result<Vec<Promise>, StoreError> {
    let site = scope.connections.first().and_then(|name| web.engine.site(name.as_str()));
    let Some(agreement) = site.map(|site| site.agreement.clone()) else { return Ok(Vec::new()) };
    let (now, zone) = (web.engine.clock.now(), agreement.zone());
    let mut promises = Vec::new();
    for (commitment, period) in attested(&agreement) {
        let running = Window::containing(period, now, &zone);
        let began = |window: &Window| window.until > agreement.effective_at;
        for window in [running.before(&zone), running].into_iter().filter(began) {
            let (own, period) = (scope.own.as_ref(), window.to_string());
            promises.push(Promise {
                scope: scope.clone(),
                zone: zone.clone(),
                name: commitment.name.clone(),
                by: commitment.by.clone(),
                to: commitment.to.clone(),
                credit: commitment.credit.clone(),
                window,
                is_over: window.is_over(now),
                answer: attestation::get(&web.engine.db, own, &commitment.name, &period).await?,
            });
        }
    }
    Ok(promises)
}

/// Whether this visitor may say how a promise of this party was kept: operators for everybody, signers
/// for the party that they sign for.
pub fn may_attest(visitor: &Visitor, party: &PartyName) -> bool {
    let is_theirs = visitor.signs_for().is_some_and(|signs| signs.party == *party);
    visitor.may(Permission::Operate) || (visitor.may(Permission::Sign) && is_theirs)
}

/// Stores what the visitor says, for all connections under the agreement of this one.
///
/// # Errors
/// `Impossible`: nobody attests this commitment, or not for this period; `NotTheirs`.
pub async fn say(web: &Web, visitor: &Visitor, site: &Site, word: Word<'_>) -> Result<Said, Unsaid> {
    let (agreement, now) = (&site.agreement, web.engine.clock.now());
    let impossible = |why: crate::engine::attestation::CannotAttest| Unsaid::Impossible(why.to_string());
    let (commitment, period) = commitment(agreement, word.commitment).map_err(impossible)?;
    if !may_attest(visitor, &commitment.by) {
        return Err(Unsaid::NotTheirs(not_theirs(visitor, commitment)));
    }
    let window = window(agreement, period, word.period, now).map_err(impossible)?;
    let answer = AttestationRow {
        commitment: commitment.name.clone(),
        period: window.to_string(),
        period_from: window.from,
        answer: word.is_kept,
        by: visitor.name().to_owned(),
        note: word.note.map(str::trim).filter(|note| !note.is_empty()).map(str::to_owned),
        at: now,
    };
    let (own, governed) = governed(web, site);
    let earlier = attestation::get(&web.engine.db, own.as_ref(), &answer.commitment, &answer.period).await?;
    attest(&web.engine.db, agreement, own.as_ref(), &governed, &answer).await?;
    governed.iter().for_each(|name| web.measured.outdate(name));
    Ok(Said { answer, earlier })
}

fn not_theirs(visitor: &Visitor, commitment: &Commitment) -> String {
    let words = |party: &PartyName| party.as_str().replace('_', " ");
    let theirs = match visitor.signs_for() {
        Some(signs) => format!("you sign for {}", words(&signs.party)),
        None => "you sign for no party".to_owned(),
    };
    format!("This is a promise of {}, and {theirs}. An operator may answer for everybody.", words(&commitment.by))
}

/// Whose answer it is: the connection with an agreement of its own, else all that share one.
fn governed(web: &Web, site: &Site) -> (Option<ConnectionName>, Vec<ConnectionName>) {
    if site.connection.agreement.is_some() {
        return (Some(site.name().clone()), vec![site.name().clone()]);
    }
    let sites = web.engine.sites();
    let shared = sites.iter().filter(|s| s.connection.agreement.is_none());
    (None, shared.map(|s| s.name().clone()).collect())
}
