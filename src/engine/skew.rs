//! Whether the CRM's clock and ours agree. Deadlines are the CRM's times, and what is due is due by ours:
//! where these are too far apart, nothing is done on the connection until they agree again.

use super::clock::Clock;
use super::context::{Engine, Site};
use crate::record::Elapsed;

/// So far apart they may be.
pub const APART: Elapsed = Elapsed::from_secs(5 * 60);

/// How far the CRM's clock is ahead of ours by its last answer, where that is too far. A clock that runs
/// faster than the wall's, as the demo's does, is compared with nothing.
pub fn too_far(engine: &Engine, site: &Site) -> Option<Elapsed> {
    site.crm.ahead().filter(|ahead| is_compared(&engine.clock) && (*ahead > APART || *ahead < negative(APART)))
}

/// Whether its last answer told that they agree. An answer that named no time tells nothing.
pub fn agree(engine: &Engine, site: &Site) -> bool {
    !is_compared(&engine.clock) || site.crm.ahead().is_some_and(|_| too_far(engine, site).is_none())
}

fn is_compared(clock: &Clock) -> bool {
    clock.is_as_fast_as_the_wall()
}

fn negative(elapsed: Elapsed) -> Elapsed {
    Elapsed::from_millis(-elapsed.as_millis())
}

/// `12m ahead of this machine's`.
pub fn in_words(ahead: Elapsed) -> String {
    match ahead < Elapsed::ZERO {
        true => format!("{} behind this machine's", negative(ahead)),
        false => format!("{ahead} ahead of this machine's"),
    }
}
