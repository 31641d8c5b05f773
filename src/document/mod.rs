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
mod words;

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
    let mut first = None;
    for arrangement in pages::ARRANGEMENTS {
        match layout::lay_out(agreement, pages::drafts(agreement, signed, arrangement)) {
            Ok(document) => return Ok(document),
            // The last arrangement has the most room, but the first has everything where people look for it.
            Err(overflow) => first = Some(first.unwrap_or(overflow)),
        }
    }
    Err(first.expect("there is an arrangement"))
}
