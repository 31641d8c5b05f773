//! What a page or an answer of figures is asked for by its address: connection, period, split. One reading for pages,
//! CSV and API, so that a link means the same in each.

use super::Web;
use super::figures::{Figures, Of};
use crate::engine::{Site, measure};
use crate::report::figures::Dimension;
use crate::report::window::Window;
use crate::store::StoreError;
use serde::Deserialize;
use std::sync::Arc;
use std::time::Duration;

/// The period of a page that names none.
pub const USUAL: &str = "month";

/// The part of an address after `?`; what a form leaves empty was not asked for.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Asked {
    #[serde(default)]
    pub connection: String,
    #[serde(default)]
    pub period: String,
    #[serde(default)]
    pub by: String,
}

/// Why there is nothing to show.
pub enum Unasked {
    NoSuchConnection,
    NoSuchPeriod,
    NoSuchSplit,
    /// No connection is configured.
    Nothing,
    Unavailable(StoreError),
}

impl Unasked {
    /// What whoever asked is told.
    pub fn text(&self) -> &'static str {
        match self {
            Unasked::NoSuchConnection => "No connection is called so.",
            Unasked::NoSuchPeriod => {
                "`period` is week, month or quarter, last-week, last-month or last-quarter, or a name such as 2027-W05, \
                 2027-03 or 2027-Q1."
            }
            Unasked::NoSuchSplit => "`by` is source, campaign, party or owner.",
            Unasked::Nothing => "No connection is configured yet.",
            Unasked::Unavailable(_) => "The database does not answer.",
        }
    }
}

impl From<StoreError> for Unasked {
    fn from(error: StoreError) -> Self {
        Unasked::Unavailable(error)
    }
}

impl Asked {
    /// The period as it was asked for, or the usual one.
    pub fn period(&self) -> &str {
        if self.period.is_empty() { USUAL } else { &self.period }
    }

    /// The connection that is meant: the first, where none is named.
    ///
    /// # Errors
    /// `NoSuchConnection`, `Nothing`.
    pub fn site(&self, web: &Web) -> Result<Arc<Site>, Unasked> {
        if self.connection.is_empty() {
            return web.engine.sites().first().cloned().ok_or(Unasked::Nothing);
        }
        web.engine.site(&self.connection).ok_or(Unasked::NoSuchConnection)
    }

    /// What the waterfall is split by.
    ///
    /// # Errors
    /// `NoSuchSplit`.
    pub fn dimension(&self) -> Result<Option<Dimension>, Unasked> {
        match self.by.as_str() {
            "" => Ok(None),
            "source" => Ok(Some(Dimension::Source)),
            "campaign" => Ok(Some(Dimension::Campaign)),
            "party" => Ok(Some(Dimension::Party)),
            "owner" => Ok(Some(Dimension::Owner)),
            _ => Err(Unasked::NoSuchSplit),
        }
    }

    /// The newest figures, for which nobody waits longer than `patience`.
    ///
    /// # Errors
    /// `NoSuchPeriod`, `Unavailable`.
    pub async fn figures(
        &self,
        web: &Web,
        site: &Arc<Site>,
        by: Option<Dimension>,
        patience: Duration,
    ) -> Result<Figures, Unasked> {
        let (db, zone) = (&web.engine.db, site.agreement.zone());
        let now = measure::known_until(db, site.name(), web.engine.clock.now()).await?;
        let period = Window::named(self.period(), now, &zone).ok_or(Unasked::NoSuchPeriod)?;
        Ok(web.measured.look(&Of { db, site, period, by, now }, patience).await)
    }
}
