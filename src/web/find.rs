//! Records by the beginning of their name or by their id in the CRM, as the page and the API find them:
//! what an index serves. Values of other fields, such as e-mail addresses, are not looked through.

use super::Web;
use crate::crm::salesforce::id::normalise;
use crate::record::ConnectionName;
use crate::store::StoreError;
use crate::store::standing::{Hit, named, with_id};

/// So many are told at once.
pub const SHOWN: usize = 50;
/// Nobody's name begins with more.
const LONGEST: usize = 200;

/// What is looked for, as somebody typed it, without what is around it.
pub fn typed(text: &str) -> String {
    text.trim().chars().filter(|c| *c != '\0').take(LONGEST).collect()
}

/// What was found.
pub enum Found {
    /// It is the id of this record and of no other.
    One(Hit),
    /// By id, then by name; `more`: there are further ones, which are not told.
    Some { hits: Vec<Hit>, more: bool },
}

/// The records that are meant; nothing is meant by an empty text.
///
/// # Errors
/// When the database cannot be read.
pub async fn find(web: &Web, q: &str) -> Result<Found, StoreError> {
    if q.is_empty() {
        return Ok(Found::Some { hits: Vec::new(), more: false });
    }
    let db = &web.engine.db;
    let connections: Vec<ConnectionName> = web.engine.sites().iter().map(|site| site.name().clone()).collect();
    let mut hits = with_id(db, &connections, q).await?;
    // Salesforce shows ids of 15 characters; stored are 18.
    if let Some(long) = normalise(q).filter(|long| long != q) {
        hits.extend(with_id(db, &connections, &long).await?);
    }
    if hits.len() == 1 {
        return Ok(Found::One(hits.remove(0)));
    }
    hits.extend(named(db, q, SHOWN as u32 + 1).await?);
    let more = hits.len() > SHOWN;
    hits.truncate(SHOWN);
    Ok(Found::Some { hits, more })
}
