//! What stands on which page: the cover, the terms, the handoffs, what each side promises, how they talk, and where they
//! sign. Content only; whether it fits is found out by `layout`.

mod cover;
mod handoffs;
mod meetings;
mod promises;
mod rules;
mod signatures;
mod terms;

use super::Signed;
use super::layout::Draft;
use crate::agreement::Agreement;

/// Where a part stands that has no page of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum On {
    Handoffs,
    Promises,
    Meetings,
}

/// How the pages share what is to be said.
#[derive(Debug, Clone, Copy)]
pub(super) struct Arrangement {
    /// Pictures beside the words of each clock.
    pub pictures: bool,
    /// Recycling, nurture and freeze days.
    pub neglected: On,
    pub mandatory: On,
}

/// The places that are tried: first what belongs to the handoffs stands with them, then it makes room.
pub(super) const PLACES: [Arrangement; 4] = [
    Arrangement { pictures: true, neglected: On::Handoffs, mandatory: On::Handoffs },
    Arrangement { pictures: true, neglected: On::Meetings, mandatory: On::Promises },
    Arrangement { pictures: true, neglected: On::Handoffs, mandatory: On::Meetings },
    Arrangement { pictures: true, neglected: On::Meetings, mandatory: On::Meetings },
];

/// Five slides and the page to sign; a slide fewer where nothing is promised over a period.
pub(super) fn drafts(agreement: &Agreement, signed: &[Signed], arrangement: Arrangement) -> Vec<Draft> {
    let mut drafts = vec![cover::cover(agreement), terms::terms(agreement), handoffs::handoffs(agreement, arrangement)];
    drafts.extend(promises::promises(agreement, arrangement));
    drafts.extend([meetings::meetings(agreement, arrangement), signatures::signatures(agreement, signed)]);
    drafts
}
