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

/// What a page may leave to another to make room.
#[derive(Debug, Clone, Copy)]
pub(super) struct Arrangement {
    /// Pictures beside the words of each clock.
    pub pictures: bool,
    /// Recycling and mandatory fields stand with the handoffs, else with the communication plan.
    pub rules_with_handoffs: bool,
}

/// Tried in this order.
pub(super) const ARRANGEMENTS: [Arrangement; 4] = [
    Arrangement { pictures: true, rules_with_handoffs: true },
    Arrangement { pictures: true, rules_with_handoffs: false },
    Arrangement { pictures: false, rules_with_handoffs: true },
    Arrangement { pictures: false, rules_with_handoffs: false },
];

/// Five slides and the page to sign.
pub(super) fn drafts(agreement: &Agreement, signed: &[Signed], arrangement: Arrangement) -> Vec<Draft> {
    vec![
        cover::cover(agreement),
        terms::terms(agreement),
        handoffs::handoffs(agreement, arrangement),
        promises::promises(agreement),
        meetings::meetings(agreement, arrangement),
        signatures::signatures(agreement, signed),
    ]
}
