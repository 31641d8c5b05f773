//! Signing in with a browser, from the ticket that a command prints to the grant that is kept: what
//! must fit before anything is asked of the CRM or stored. The pages are in `web/connect.rs`, the
//! CRMs' part in `crm/oauth.rs`.
//!
//! A ticket says who may begin; it becomes a state when somebody goes on to the CRM. The state comes
//! back with the CRM's code, and counts only in the browser that took it there. Both are random, work
//! once, and only their digests are kept.

use super::context::Site;
use super::credentials::{CredentialError, Credentials};
use crate::crm::http::Http;
use crate::crm::oauth::{BrowserSignIn, Pkce, callback_path};
use crate::crm::{Connection, CrmError};
use crate::record::{ConnectionName, Elapsed, Timestamp};
use crate::store::seal::{Place, SealError};
use crate::store::sign_in::{self, State, Ticket};
use crate::store::{Db, Priority, StoreError};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};
use url::Url;

/// How long a ticket works.
pub const TICKET_LASTS: Elapsed = Elapsed::from_secs(15 * 60);
/// How long somebody may take in the CRM.
pub const STATE_LASTS: Elapsed = Elapsed::from_secs(15 * 60);

/// Why a sign-in does not go on. Nothing was stored.
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    /// Mistyped, used before, or so old that it was deleted.
    #[error("it is not known here")]
    Unknown,
    #[error("it has expired")]
    Expired,
    #[error("it is for another connection")]
    OtherConnection,
    /// Or in none that keeps cookies.
    #[error("it was begun in another browser")]
    OtherBrowser,
    /// The CRM does not answer, or refuses; the message says which.
    #[error(transparent)]
    Crm(#[from] CrmError),
    #[error(transparent)]
    Credential(#[from] CredentialError),
}

impl From<StoreError> for Refused {
    fn from(error: StoreError) -> Self {
        Refused::Credential(error.into())
    }
}

impl From<SealError> for Refused {
    fn from(error: SealError) -> Self {
        Refused::Credential(error.into())
    }
}

/// Where the browser goes next.
pub struct Onward {
    /// The CRM's page; holds the state.
    pub url: Url,
    /// The cookie that ties the sign-in to this browser.
    pub browser: SecretString,
}

/// What came back from the CRM, checked: the sign-in is used up.
pub struct Returned {
    verifier: SecretString,
    asked_by: String,
}

/// Makes a ticket: whoever has it may begin one sign-in of the connection within [`TICKET_LASTS`].
///
/// # Errors
/// When the database is unavailable.
pub async fn issue(db: &Db, connection: &ConnectionName, by: &str, now: Timestamp) -> Result<SecretString, StoreError> {
    let secret = secret();
    let ticket = Ticket {
        digest: digest(secret.expose_secret()),
        connection: connection.clone(),
        asked_by: by.to_owned(),
        expires_at: now + TICKET_LASTS,
    };
    let mut tx = db.begin(Priority::Work).await?;
    sign_in::add_ticket(&mut tx, &ticket, now).await?;
    tx.commit().await?;
    Ok(secret)
}

/// The sign-ins of a house, seen from its public address.
pub struct SignIns {
    credentials: Credentials,
    http: Http,
    /// Without a slash at its end.
    public_base: String,
}

impl SignIns {
    /// `public_url` is what the CRMs know us by.
    pub fn new(credentials: Credentials, http: Http, public_url: &str) -> Self {
        Self { credentials, http, public_base: public_url.trim_end_matches('/').to_owned() }
    }

    /// Whether the ticket would do, leaving it as it is.
    ///
    /// # Errors
    /// Why it would not.
    pub async fn look(&self, connection: &Connection, ticket: &str, now: Timestamp) -> Result<(), Refused> {
        let found = sign_in::look_at_ticket(self.credentials.db(), &digest(ticket)).await?;
        fits(found.as_ref().map(|t| (&t.connection, t.expires_at)), &connection.name, now)
    }

    /// Turns a ticket into a sign-in of this browser, on its way to the CRM.
    ///
    /// # Errors
    /// Why not; the ticket works on where it was a good one.
    pub async fn go_on(
        &self,
        connection: &Connection,
        crm: &BrowserSignIn,
        ticket: &str,
        now: Timestamp,
    ) -> Result<Onward, Refused> {
        let (state, browser, pkce) = (secret(), secret(), Pkce::new());
        let url = crm.authorize_url(&self.redirect_uri(connection), state.expose_secret(), &pkce.challenge);
        let digest_of_state = digest(state.expose_secret());
        let verifier = pkce.verifier.expose_secret().as_bytes();
        let verifier = self.credentials.keys().seal(place(&connection.name, &digest_of_state), verifier)?;
        let mut tx = self.credentials.db().begin(Priority::Work).await?;
        let taken = sign_in::take_ticket(&mut tx, &digest(ticket)).await?;
        fits(taken.as_ref().map(|t| (&t.connection, t.expires_at)), &connection.name, now)?;
        let state = State {
            digest: digest_of_state,
            connection: connection.name.clone(),
            asked_by: taken.map(|t| t.asked_by).unwrap_or_default(),
            expires_at: now + STATE_LASTS,
            browser: digest(browser.expose_secret()),
            verifier,
        };
        sign_in::add_state(&mut tx, &state, now).await?;
        tx.commit().await?;
        Ok(Onward { url, browser })
    }

    /// Takes the state that the CRM sent back, in the browser with this cookie. From then on it is used
    /// up, whatever the CRM said with it.
    ///
    /// # Errors
    /// Why it does not count; the sign-in of whoever it belongs to goes on.
    pub async fn come_back(
        &self,
        connection: &Connection,
        state: &str,
        browser: Option<&str>,
        now: Timestamp,
    ) -> Result<Returned, Refused> {
        let mut tx = self.credentials.db().begin(Priority::Work).await?;
        let taken = sign_in::take_state(&mut tx, &digest(state)).await?;
        fits(taken.as_ref().map(|s| (&s.connection, s.expires_at)), &connection.name, now)?;
        let taken = taken.ok_or(Refused::Unknown)?;
        if browser.map(digest).as_ref() != Some(&taken.browser) {
            return Err(Refused::OtherBrowser);
        }
        let verifier = self.credentials.keys().open(place(&connection.name, &taken.digest), &taken.verifier)?;
        let verifier = String::from_utf8(verifier).map_err(|_| SealError::Altered)?;
        tx.commit().await?;
        Ok(Returned { verifier: SecretString::from(verifier), asked_by: taken.asked_by })
    }

    /// Exchanges the CRM's code and keeps what it grants. Answers whose account it is. `at` is the
    /// moment for the journal.
    ///
    /// # Errors
    /// When the CRM refuses or does not answer, or the account is not the configured one, or it cannot
    /// be kept.
    pub async fn complete(
        &self,
        site: &Site,
        crm: &BrowserSignIn,
        returned: &Returned,
        code: &str,
        at: Timestamp,
    ) -> Result<Option<String>, Refused> {
        let redirect_uri = self.redirect_uri(&site.connection);
        let grant = crm.exchange(&self.http, code, &returned.verifier, &redirect_uri).await?;
        let chain = (site.name().clone(), site.agreement.hash.to_string());
        self.credentials.store(&chain, &grant, &returned.asked_by, at).await?;
        tracing::info!(connection = %site.name(), by = returned.asked_by, "somebody signed in with a browser");
        Ok(grant.account)
    }

    fn redirect_uri(&self, connection: &Connection) -> String {
        format!("{}{}", self.public_base, callback_path(&connection.name))
    }
}

/// Whether a ticket or state is there, is for this connection, and has not expired.
fn fits(
    found: Option<(&ConnectionName, Timestamp)>,
    connection: &ConnectionName,
    now: Timestamp,
) -> Result<(), Refused> {
    match found {
        None => Err(Refused::Unknown),
        Some((of, _)) if of != connection => Err(Refused::OtherConnection),
        Some((_, expires)) if expires <= now => Err(Refused::Expired),
        Some(_) => Ok(()),
    }
}

fn place<'a>(connection: &'a ConnectionName, state: &'a str) -> Place<'a> {
    Place { table: "sign_in", connection, version: state }
}

/// 256 random bits, fit for an address and for a cookie.
fn secret() -> SecretString {
    SecretString::from(URL_SAFE_NO_PAD.encode(rand::random::<[u8; 32]>()))
}

fn digest(secret: &str) -> String {
    hex::encode(Sha256::digest(secret))
}
