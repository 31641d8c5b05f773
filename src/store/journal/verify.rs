//! The walk along a connection's chain: from the first entry to the head, a page at a time, up to the
//! first that is not as it was written. Nothing is changed, and nothing is held locked.

use super::{Head, Link, head, links_after};
use crate::record::ConnectionName;
use crate::store::{Db, Result};

const PAGE: u32 = 1_000;

/// What a walk along the chain found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    /// Entries that hold, up to the first that does not.
    pub entries: u64,
    /// Those of them whose values were deleted.
    pub erased: u64,
    /// The last entry that holds; 0 and no hash before the first.
    pub head: Head,
    /// The first entry that is altered, missing or misplaced.
    pub first_bad: Option<i64>,
    /// What is wrong with it.
    pub fault: Option<Fault>,
}

/// How a chain can be broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It does not follow from the entry before it, or its values are not those that were written.
    Altered,
    /// It is not there, though later ones or the head say that it was.
    Missing,
    /// It stands behind the head: nobody appended it.
    Stray,
    /// The chain holds, but here it is not the one whose head was noted.
    Rewritten,
    /// The chain holds, but ends before the head that was noted.
    Cut,
}

impl Fault {
    /// What is wrong with the entry, as the end of a sentence that begins with it.
    pub fn in_words(self) -> &'static str {
        match self {
            Fault::Altered => "is not as it was written, or was put in another's place",
            Fault::Missing => "is missing",
            Fault::Stray => "was put behind the end by another hand",
            Fault::Rewritten => "is another than the one that was noted: the chain was written anew",
            Fault::Cut => "and those after it were cut off: the chain ends before the head that was noted",
        }
    }
}

/// Walks the whole chain. It may run beside the daemon: what is appended meanwhile is not walked.
///
/// # Errors
/// `Unavailable`. An altered entry is no error but `first_bad`.
pub async fn verify(db: &Db, connection: &ConnectionName) -> Result<Verified> {
    walk(db, connection, None, &mut |_, _| {}).await
}

/// Walks the whole chain, which must contain the entry that was `noted` elsewhere. `progress` hears of
/// each page how many entries were walked, and of how many.
///
/// # Errors
/// As [`verify`].
pub async fn walk(
    db: &Db,
    connection: &ConnectionName,
    noted: Option<&Head>,
    progress: &mut (dyn FnMut(u64, u64) + Send),
) -> Result<Verified> {
    let end = head(db, connection).await?.unwrap_or(Head { seq: 0, hash: String::new() });
    let mut found =
        Verified { entries: 0, erased: 0, head: Head { seq: 0, hash: String::new() }, first_bad: None, fault: None };
    while found.head.seq < end.seq {
        let page = links_after(db, connection, found.head.seq, PAGE).await?;
        if page.first().is_none_or(|link| link.seq > end.seq) {
            return Ok(found.but(found.head.seq + 1, Fault::Missing));
        }
        for link in page.iter().take_while(|link| link.seq <= end.seq) {
            if let Some(fault) = fault(connection, &found.head, link, noted)? {
                return Ok(found.but(found.head.seq + 1, fault));
            }
            found.entries += 1;
            found.erased += u64::from(link.detail.is_none());
            found.head = Head { seq: link.seq, hash: link.hash.clone() };
        }
        progress(found.entries, u64::try_from(end.seq).unwrap_or_default());
    }
    if found.head.hash != end.hash {
        return Ok(found.but(end.seq.max(1), Fault::Altered));
    }
    if let Some(stray) = stray(db, connection, end.seq).await? {
        return Ok(found.but(stray, Fault::Stray));
    }
    match noted {
        Some(noted) if noted.seq > end.seq => Ok(found.but(end.seq + 1, Fault::Cut)),
        _ => Ok(found),
    }
}

/// What is wrong with a link that should follow `last`.
fn fault(connection: &ConnectionName, last: &Head, link: &Link, noted: Option<&Head>) -> Result<Option<Fault>> {
    if link.seq != last.seq + 1 {
        return Ok(Some(Fault::Missing));
    }
    if link.hash != link.chained(connection, &last.hash)? || !link.detail_holds() {
        return Ok(Some(Fault::Altered));
    }
    let other = noted.is_some_and(|noted| noted.seq == link.seq && noted.hash != link.hash);
    Ok(other.then_some(Fault::Rewritten))
}

/// An entry behind the end that no head knows of. One that the daemon appended meanwhile has moved the
/// head with it, which is why the head is read again, and later.
async fn stray(db: &Db, connection: &ConnectionName, end: i64) -> Result<Option<i64>> {
    let Some(link) = links_after(db, connection, end, 1).await?.into_iter().next() else { return Ok(None) };
    let now = head(db, connection).await?.map_or(0, |head| head.seq);
    Ok((now < link.seq).then_some(link.seq))
}

impl Verified {
    fn but(&self, seq: i64, fault: Fault) -> Self {
        Self { first_bad: Some(seq), fault: Some(fault), ..self.clone() }
    }
}
