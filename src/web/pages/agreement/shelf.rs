//! The versions of one scope as the pages of the agreement need them: what is known of each, and what
//! its text says. A version is read from the database once; its hash vouches for it from then on.

use crate::agreement::Agreement;
use crate::agreement::parse::Parsed;
use crate::engine::versions::{self, Known, Scope};
use crate::record::Timestamp;
use crate::store::{StoreError, agreement};
use crate::web::Web;
use jiff::tz::TimeZone;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

/// So many versions are kept as they were read.
const KEPT: usize = 16;

/// Versions that were read, by hash.
#[derive(Default)]
pub struct Papers(Mutex<VecDeque<Arc<Parsed>>>);

impl Papers {
    fn find(&self, hash: &str) -> Option<Arc<Parsed>> {
        let papers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        papers.iter().find(|paper| *paper.agreement.hash == *hash).cloned()
    }

    fn keep(&self, paper: Arc<Parsed>) {
        let mut papers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        papers.push_front(paper);
        papers.truncate(KEPT);
    }
}

/// The versions of one scope.
pub struct Shelf {
    pub scope: Scope,
    /// What its connections are judged by now.
    pub enforced: Arc<Agreement>,
    /// The newest offer first.
    pub known: Vec<Known>,
    pub zone: TimeZone,
    pub now: Timestamp,
}

/// All scopes of the connections at work.
pub fn scopes(web: &Web) -> Vec<Scope> {
    let sites = web.engine.sites();
    Scope::all(sites.iter().map(|site| &site.connection))
}

impl Shelf {
    /// The scope that governs this connection; without a name the first one. `None`: there is none.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn find(web: &Web, of: Option<&str>) -> Result<Option<Self>, StoreError> {
        let of = of.filter(|name| !name.is_empty());
        let holds = |scope: &Scope| of.is_none_or(|name| scope.connections.iter().any(|c| c.as_str() == name));
        let Some(scope) = scopes(web).into_iter().find(holds) else { return Ok(None) };
        let Some(site) = scope.connections.first().and_then(|name| web.engine.site(name.as_str())) else {
            return Ok(None);
        };
        let known = versions::known(&web.engine.db, scope.own.as_ref()).await?;
        let (enforced, zone) = (site.agreement.clone(), site.agreement.zone());
        // Versions become active by the engine's time.
        Ok(Some(Self { scope, enforced, known, zone, now: web.engine.clock.now() }))
    }

    /// The scope's name in addresses: its first connection.
    pub fn of(&self) -> &str {
        self.scope.connections.first().map_or("", |name| name.as_str())
    }

    pub fn active(&self) -> Option<&Known> {
        self.known.iter().find(|known| known.is_active())
    }

    pub fn version(&self, hash: &str) -> Option<&Known> {
        self.known.iter().find(|known| known.version.hash == hash)
    }

    /// The text of a version, as it was signed. `None`: it is not there, or cannot be read any more.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn paper(&self, web: &Web, hash: &str) -> Result<Option<Arc<Parsed>>, StoreError> {
        if let Some(paper) = web.papers.find(hash) {
            return Ok(Some(paper));
        }
        let Some(row) = agreement::load(&web.engine.db, self.scope.own.as_ref(), hash).await? else { return Ok(None) };
        match versions::parse_stored(&row) {
            Ok(paper) if *paper.agreement.hash == *hash => {
                let paper = Arc::new(paper);
                web.papers.keep(paper.clone());
                Ok(Some(paper))
            }
            Ok(_) => {
                tracing::error!(hash, "a version in the database is not the text that was signed");
                Ok(None)
            }
            Err(report) => {
                tracing::error!(hash, "a version in the database cannot be read: {}", report.render(false));
                Ok(None)
            }
        }
    }
}
