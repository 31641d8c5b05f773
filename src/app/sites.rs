//! A connection at work is made here: its connector, and its agreement.

use crate::agreement::Agreement;
use crate::agreement::model::Dictionary;
use crate::crm::connection::{Connection, Platform};
use crate::crm::generic::Generic;
use crate::crm::http::Http;
use crate::crm::hubspot::HubSpot;
use crate::crm::salesforce::Salesforce;
use crate::crm::{CrmError, SharedCrm};
use crate::engine::clock::real_now;
use crate::engine::context::Site;
use crate::engine::credentials::Credentials;
use crate::engine::directory::Directory;
use crate::engine::switches::Acts;
use crate::record::Object;
use anyhow::{Context, Result};
use std::sync::Arc;

/// A connection under an agreement. `before` is the one whose place it takes, if there is one:
/// whoever wakes that wakes this too.
///
/// # Errors
/// When the connector cannot work as it is configured.
pub fn site(
    connection: &Connection,
    agreement: Arc<Agreement>,
    may_act: bool,
    before: Option<&Site>,
    credentials: &Credentials,
) -> Result<Arc<Site>> {
    let crm = connector(connection, &agreement, Some(credentials))
        .with_context(|| format!("connection `{}`", connection.name))?;
    let acts = Acts::of(connection.mode, may_act);
    match acts {
        Acts::Always => {}
        Acts::Never => tracing::info!(
            connection = %connection.name,
            "observing: what would be done is journalled, nothing is written"
        ),
        Acts::WhenArmed => tracing::info!(
            connection = %connection.name,
            "observing until somebody arms it: `leadpact arm {}`", connection.name
        ),
    }
    Ok(Arc::new(Site {
        connection: connection.clone(),
        crm,
        agreement,
        acts,
        directory: Directory::default(),
        stirred: before.map(|site| site.stirred.clone()).unwrap_or_default(),
        issued: before.map(|site| site.issued.clone()).unwrap_or_default(),
    }))
}

/// The CRM that a connection speaks to. Without credentials a connection that somebody signs in to with
/// a browser says that nobody has.
///
/// # Errors
/// When its settings cannot work.
pub fn connector(
    connection: &Connection,
    agreement: &Agreement,
    credentials: Option<&Credentials>,
) -> std::result::Result<SharedCrm, CrmError> {
    let of_both = |object| agreement.stages.iter().any(|stage| stage.of == object);
    let follows_links = of_both(Object::Lead) && of_both(Object::Opportunity);
    made(connection, &agreement.dictionary, follows_links, credentials)
}

/// The same for any dictionary: an agreement that cannot be read does not keep its CRM from being looked at.
///
/// # Errors
/// As [`connector`].
pub fn connector_reading(
    connection: &Connection,
    dictionary: &Dictionary,
    credentials: Option<&Credentials>,
) -> std::result::Result<SharedCrm, CrmError> {
    made(connection, dictionary, false, credentials)
}

fn made(
    connection: &Connection,
    dictionary: &Dictionary,
    follows_links: bool,
    credentials: Option<&Credentials>,
) -> std::result::Result<SharedCrm, CrmError> {
    let http = Http::new(Arc::new(real_now))?;
    let keeper = credentials.map(|all| all.keeper(&connection.name));
    Ok(match connection.platform {
        Platform::HubSpot(_) => {
            let crm = HubSpot::new(connection.clone(), dictionary, http).following_links(follows_links);
            Arc::new(match keeper {
                Some(keeper) => crm.keeping(keeper),
                None => crm,
            })
        }
        Platform::Salesforce(_) => {
            let crm = Salesforce::new(connection, dictionary, http)?;
            Arc::new(match keeper {
                Some(keeper) => crm.keeping(keeper),
                None => crm,
            })
        }
        Platform::Generic(_) => Arc::new(Generic::new(connection.clone(), dictionary, http)),
    })
}
