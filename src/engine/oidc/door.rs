//! The way to the identity provider and back. A sign-in is known by its state, works once, within ten
//! minutes, and in the browser that began it alone. Nonce and PKCE verifier follow from that browser's
//! cookie and the state, so that the database holds nothing that could be used.

use super::admission::{self, Journals, Refusal};
use super::provider::{Proof, Provider, ProviderError};
use crate::record::{Elapsed, Timestamp};
use crate::store::account::Account;
use crate::store::oidc::{self, UnderWay};
use crate::store::secret::Secret;
use crate::store::{Db, Priority, StoreError};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use secrecy::SecretString;
use sha2::Sha256;
use url::Url;

/// How long somebody may take at the provider.
pub const LASTS: Elapsed = Elapsed::from_secs(600);

/// Why a sign-in does not go on.
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    /// Mistyped, used before, or so old that it was deleted.
    #[error("it is not known here")]
    Unknown,
    #[error("it has expired")]
    Expired,
    /// Or in none that keeps cookies.
    #[error("it was begun in another browser")]
    OtherBrowser,
    #[error("too many sign-ins are under way")]
    TooMany,
    #[error(transparent)]
    Provider(#[from] ProviderError),
    /// The provider vouches for them, and yet.
    #[error("somebody is not let in: {0:?}")]
    NotLetIn(Refusal),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Where the browser goes next.
pub struct Onward {
    /// The provider's page; holds the state.
    pub url: Url,
    /// The cookie that ties the sign-in to this browser.
    pub browser: Secret,
}

/// What came back from the provider, checked: the sign-in is used up.
pub struct Returned {
    proof: Proof,
    /// The page to go to.
    pub next: String,
}

/// The sign-ins of a house.
pub struct Door {
    provider: Provider,
    db: Db,
}

impl Door {
    pub fn new(provider: Provider, db: Db) -> Self {
        Self { provider, db }
    }

    /// What people call the provider.
    pub fn name(&self) -> &str {
        &self.provider.settings().name
    }

    pub fn issuer(&self) -> &str {
        &self.provider.settings().issuer
    }

    /// How long a session lasts until the provider is asked again.
    pub fn session(&self) -> Elapsed {
        self.provider.settings().session
    }

    /// Where a browser signs out at the provider; `None` where it offers that nowhere or is not to be had.
    pub async fn sign_out_url(&self, now: Timestamp) -> Option<Url> {
        let found = self.provider.sign_out_url(now).await;
        found.inspect_err(|error| tracing::warn!("where one signs out is not known: {error}")).ok().flatten()
    }

    /// Begins a sign-in of somebody at this address.
    ///
    /// # Errors
    /// When the provider cannot be read, or too many sign-ins are under way.
    pub async fn begin(&self, next: &str, address: &str, now: Timestamp) -> Result<Onward, Refused> {
        let (state, browser) = (Secret::fresh(""), Secret::fresh(""));
        let url = self.provider.authorize_url(state.expose(), &proof(&browser, &state), now).await?;
        let sign_in = UnderWay {
            state: state.hash(),
            browser: browser.hash(),
            next: next.to_owned(),
            address: address.to_owned(),
            expires_at: now + LASTS,
        };
        let mut tx = self.db.begin(Priority::Work).await?;
        let begun = oidc::begin(&mut tx, &sign_in, now).await?;
        tx.commit().await?;
        if begun { Ok(Onward { url, browser }) } else { Err(Refused::TooMany) }
    }

    /// Takes the state that the provider sent back, in the browser with this cookie. From then on it is
    /// used up, whatever came with it.
    ///
    /// # Errors
    /// Why it does not count; the sign-in of whoever it belongs to goes on.
    pub async fn come_back(
        &self,
        state: &Secret,
        browser: Option<&Secret>,
        now: Timestamp,
    ) -> Result<Returned, Refused> {
        // Looked at first: guesses write nothing.
        let found = oidc::look(&self.db, &state.hash()).await?.ok_or(Refused::Unknown)?;
        let browser = browser.filter(|browser| browser.hash() == found.browser).ok_or(Refused::OtherBrowser)?;
        let mut tx = self.db.begin(Priority::Work).await?;
        let is_ours = oidc::take(&mut tx, &found.state).await?;
        tx.commit().await?;
        match is_ours {
            false => Err(Refused::Unknown),
            true if found.expires_at <= now => Err(Refused::Expired),
            true => Ok(Returned { proof: proof(browser, state), next: found.next }),
        }
    }

    /// Exchanges the code and lets whoever it is in.
    ///
    /// # Errors
    /// When the provider cannot be used or believed, or the person does not come in.
    pub async fn complete(
        &self,
        returned: &Returned,
        code: &str,
        journals: Journals<'_>,
        now: Timestamp,
    ) -> Result<Account, Refused> {
        let person = self.provider.person(code, &returned.proof, now).await?;
        let admitted = admission::admit(&self.db, self.provider.settings(), &person, journals, now).await?;
        admitted.map_err(Refused::NotLetIn)
    }
}

fn proof(browser: &Secret, state: &Secret) -> Proof {
    let of = |what: &[u8]| {
        let key = browser.expose().as_bytes();
        let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("a key may be of any length");
        mac.update(what);
        mac.update(state.expose().as_bytes());
        SecretString::from(URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes()))
    };
    Proof { nonce: of(b"oidc nonce "), verifier: of(b"oidc verifier ") }
}
