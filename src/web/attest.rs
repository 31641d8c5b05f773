//! Somebody's word about a promise that no CRM records, from a page or the API: who may give it, and for
//! which connections it counts. What is kept of it is the engine's.

use super::Web;
use super::session::Visitor;
use crate::agreement::model::Commitment;
use crate::engine::Site;
use crate::engine::attestation::{attest, commitment, window};
use crate::record::{ConnectionName, PartyName};
use crate::store::StoreError;
use crate::store::attestation::{self, AttestationRow};
use crate::store::role::Permission;

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
