//! How both sides meet, as one worker: disputes climb, attestations are asked for, reviews and the
//! journal's newest hash go out, and the letters about them are sent. Each has its file.

use super::context::{Engine, Site};
use super::dispute::Disputes;
use super::{attestation, head, letters, review};
use crate::store::StoreError;
use crate::store::lease::Lease;

/// What the worker remembers between its steps.
#[derive(Debug, Default)]
pub struct Meetings {
    disputes: Disputes,
}

impl Meetings {
    /// Does what is due. Answers how much moved; 0: look again in a second.
    ///
    /// # Errors
    /// When the database is unavailable or the lease is lost.
    pub async fn step(&mut self, engine: &Engine, site: &Site, lease: &Lease) -> Result<usize, StoreError> {
        let disputed = self.disputes.step(engine, site, lease).await?;
        let reminded = attestation::step(engine, site, lease).await?;
        let reviewed = review::step(engine, site, lease).await?;
        let mailed = head::step(engine, site, lease).await?;
        // Letters that cannot leave wait by themselves: they do not make this worker turn at once.
        letters::step(engine, site, lease).await?;
        Ok(disputed + reminded + reviewed + mailed)
    }
}
