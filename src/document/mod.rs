//! Floor 2: the agreement as people read and sign it, on at most five slides and a signature page. `pages` writes the
//! content as neutral blocks, `layout` finds a place for each or says what is too long, and `html` and `pptx` print the
//! same pages. How a chart looks is decided in `chart`, what an agreement means in `agreement`.

mod block;
mod hours;
pub mod html;
mod layout;
mod measure;
mod pages;
pub mod pptx;
pub mod words;

pub use block::{Block, Grid, Run, Text};
pub use layout::{Column, Document, Kind, Overflow, Page, Placed};

use crate::agreement::Agreement;
use crate::record::{PartyName, Timestamp};

/// A signature that was given on this version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signed {
    pub party: PartyName,
    pub name: String,
    pub title: String,
    pub signed_at: Timestamp,
}

/// The agreement on its pages. Nothing is cut and nothing is set smaller than 10.5 points.
///
/// # Errors
/// [`Overflow`] when a page cannot hold what belongs on it.
pub fn document(agreement: &Agreement, signed: &[Signed]) -> Result<Document, Overflow> {
    // Pictures go only where nothing fits with them.
    arranged(agreement, signed, true).or_else(|_| arranged(agreement, signed, false))
}

/// The arrangement that can be read best; of equals the first. What does not fit is told of the first one, where
/// everything stands where people look for it.
fn arranged(agreement: &Agreement, signed: &[Signed], pictures: bool) -> Result<Document, Overflow> {
    let mut best: Result<Document, Option<Overflow>> = Err(None);
    // Without commitments there is no page of promises.
    let is_there =
        |places: &pages::Arrangement| places.mandatory != pages::On::Promises || !agreement.commitments.is_empty();
    for places in pages::PLACES.into_iter().filter(is_there) {
        let arrangement = pages::Arrangement { pictures, ..places };
        best = match (best, layout::lay_out(agreement, pages::drafts(agreement, signed, arrangement))) {
            (Ok(best), Ok(other)) if other.least_size() > best.least_size() => Ok(other),
            (Ok(best), _) => Ok(best),
            (Err(_), Ok(other)) => Ok(other),
            (Err(first), Err(overflow)) => Err(first.or(Some(overflow))),
        };
    }
    best.map_err(|first| first.expect("there is an arrangement"))
}
