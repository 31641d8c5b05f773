//! What came of an answer that was just taken, waited for a little, so that whoever gave it can be told.
//! What an answer does is decided elsewhere.

use super::Web;
use crate::engine::answers::{self, Became, Taken};
use std::time::Duration;

const LOOK: Duration = Duration::from_millis(250);

/// `Pending` where it is not known within that time.
pub(super) async fn outcome(web: &Web, taken: &Taken, patience: Duration) -> Became {
    tokio::time::timeout(patience, known(web, taken)).await.unwrap_or(Became::Pending)
}

async fn known(web: &Web, taken: &Taken) -> Became {
    loop {
        match answers::became(&web.engine.db, taken).await {
            Ok(Became::Pending) => tokio::time::sleep(LOOK).await,
            Ok(became) => return became,
            Err(error) => {
                tracing::warn!("what became of an answer is not known: {error}");
                return Became::Pending;
            }
        }
    }
}
