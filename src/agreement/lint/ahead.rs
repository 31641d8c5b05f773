//! What an agreement says and this version reads and checks, but does not act on. Nobody should
//! believe a promise kept that nothing keeps.

use crate::agreement::Agreement;

/// Each part in a sentence.
pub fn ahead(agreement: &Agreement) -> Vec<String> {
    let parts = [
        (agreement.reviews.len(), "review", "not sent"),
        (agreement.resolutions.len(), "conflict-resolution step", "not followed"),
    ];
    parts
        .iter()
        .filter(|(count, ..)| *count > 0)
        .map(|(count, what, how)| format!("{count} {what}{}: {how} yet.", if *count == 1 { "" } else { "s" }))
        .collect()
}
