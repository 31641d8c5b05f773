//! The token of a connection that somebody signed in to: read from its keeper, renewed ahead of its
//! end by one caller of all replicas, and kept before it is used up. How a grant is asked for is in
//! `oauth.rs`. Real time throughout.

use super::CrmError;
use super::http::Http;
use super::oauth::BrowserSignIn;
use super::token::{Claim, Grant, Kept, SharedKeeper};
use super::token_endpoint::NoToken;
use crate::record::{Elapsed, Timestamp};
use secrecy::{ExposeSecret, SecretString};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::{Mutex as Turn, OwnedMutexGuard};
use tokio::time::sleep;

/// So long before its end a token is renewed, while it still works for whoever does not; but not before
/// five sixths of its life.
const AHEAD: Elapsed = Elapsed::from_secs(5 * 60);
/// A token that ends within a call's time is not sent any more.
const LAST: Elapsed = Elapsed::from_secs(20);
/// How often the keeper is asked whether somebody signed in anew meanwhile.
const LOOK: Elapsed = Elapsed::from_secs(60);
/// Between two looks whether another replica has renewed, and how many there are: somewhat more than a
/// claim lasts.
const POLL: Duration = Duration::from_millis(200);
const POLLS: usize = 125;
/// A renewed grant that cannot be stored: between two attempts, and how many there are.
const AGAIN: Duration = Duration::from_millis(250);
const ATTEMPTS: usize = 40;
/// So long a refused grant is not sent again, unless another one is kept by then.
const REST: Elapsed = Elapsed::from_secs(60);
/// So old a grant may be before it is renewed for its own sake: unused refresh tokens end, some after
/// 30 days.
const IDLE: Elapsed = Elapsed::from_secs(24 * 3600);

/// One connection's sign-in, shared by all its callers in this process.
pub(super) struct Session {
    shared: Arc<Shared>,
}

struct Shared {
    sign_in: BrowserSignIn,
    /// `None`: a command without a database.
    keeper: Option<SharedKeeper>,
    state: Mutex<State>,
    /// Held by whoever renews.
    turn: Arc<Turn<()>>,
}

#[derive(Default)]
struct State {
    /// The grant in use, and when the keeper was last asked.
    held: Option<(Grant, Timestamp)>,
    /// Renewed, but not stored yet.
    unkept: Option<(Claim, Grant)>,
    /// Why the version is not renewed until then.
    rest: Option<(i64, Timestamp, CrmError)>,
}

impl Session {
    pub fn new(sign_in: BrowserSignIn) -> Self {
        let (keeper, state, turn) = (None, Mutex::default(), Arc::default());
        Self { shared: Arc::new(Shared { sign_in, keeper, state, turn }) }
    }

    /// The same with somebody who keeps its grant.
    pub fn keeping(self, keeper: SharedKeeper) -> Self {
        let (sign_in, state, turn) = (self.shared.sign_in.clone(), Mutex::default(), Arc::default());
        Self { shared: Arc::new(Shared { sign_in, keeper: Some(keeper), state, turn }) }
    }

    /// The token to call with.
    ///
    /// # Errors
    /// [`CrmError::SignIn`] when somebody has to sign in, [`CrmError::Later`] when the token endpoint or
    /// the keeper does not answer.
    pub async fn token(&self, http: &Http) -> Result<SecretString, CrmError> {
        self.grant(http).await.map(|grant| grant.access_token)
    }

    /// As [`Session::token`], with all that is known of it.
    ///
    /// # Errors
    /// As [`Session::token`].
    pub async fn grant(&self, http: &Http) -> Result<Grant, CrmError> {
        let now = http.now();
        match self.shared.held() {
            Some((grant, looked)) if !grant.ends_by(now + LAST) => {
                let is_fresh = !grant.is_due(now) && now - looked < LOOK && !self.shared.has_unkept();
                match self.shared.turn.clone().try_lock_owned() {
                    // It still works: whoever has the turn looks after it, the others go on.
                    Ok(turn) if !is_fresh => self.look_after(http, turn, grant).await,
                    _ => Ok(grant),
                }
            }
            _ => {
                let turn = self.shared.turn.clone().lock_owned().await;
                match self.shared.held() {
                    Some((grant, _)) if !grant.ends_by(http.now() + LAST) => Ok(grant),
                    _ => self.obtain(http, turn, None, POLLS).await,
                }
            }
        }
    }

    /// A token instead of one that was not accepted. Whoever comes with one that somebody else has
    /// renewed already gets the new one.
    ///
    /// # Errors
    /// As [`Session::token`].
    pub async fn renewed(&self, http: &Http, stale: &SecretString) -> Result<SecretString, CrmError> {
        let turn = self.shared.turn.clone().lock_owned().await;
        match self.shared.held() {
            Some((grant, _)) if !grant.is(stale) => Ok(grant.access_token),
            _ => self.obtain(http, turn, Some(stale.clone()), POLLS).await.map(|grant| grant.access_token),
        }
    }

    /// Renews a grant that nobody renewed for a day.
    ///
    /// # Errors
    /// As [`Session::token`].
    pub async fn keep_alive(&self, http: &Http) -> Result<(), CrmError> {
        let turn = self.shared.turn.clone().lock_owned().await;
        let kept = self.shared.keeper()?.kept().await?.ok_or_else(|| self.shared.nobody())?;
        if http.now() - kept.grant.granted < IDLE {
            return Ok(());
        }
        self.obtain(http, turn, Some(kept.grant.access_token), POLLS).await.map(drop)
    }

    /// Looks after a token that still works: what fails can wait, unless nobody is signed in any more.
    async fn look_after(&self, http: &Http, turn: OwnedMutexGuard<()>, grant: Grant) -> Result<Grant, CrmError> {
        match self.obtain(http, turn, None, 1).await {
            Err(CrmError::Later { message, .. }) => {
                tracing::debug!(message, "the token is used a little longer");
                Ok(grant)
            }
            other => other,
        }
    }

    /// Goes on to its end though the caller may be gone: a refresh token that was sent may be used up,
    /// and what came for it has to be kept.
    async fn obtain(
        &self,
        http: &Http,
        turn: OwnedMutexGuard<()>,
        stale: Option<SecretString>,
        polls: usize,
    ) -> Result<Grant, CrmError> {
        let (shared, http) = (self.shared.clone(), http.clone());
        let work = tokio::spawn(async move {
            let grant = shared.obtain(&http, stale.as_ref(), polls).await;
            drop(turn);
            grant
        });
        work.await.unwrap_or_else(|_| Err(later("the renewal of the sign-in was broken off")))
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn held(&self) -> Option<(Grant, Timestamp)> {
        self.state().held.clone()
    }

    fn has_unkept(&self) -> bool {
        self.state().unkept.is_some()
    }

    fn hold(&self, grant: &Grant, now: Timestamp) {
        self.state().held = Some((grant.clone(), now));
    }

    fn keeper(&self) -> Result<&SharedKeeper, CrmError> {
        self.keeper.as_ref().ok_or_else(|| {
            self.sign_in.endpoint.sign_in("nobody has signed in yet, or the database that keeps it cannot be opened")
        })
    }

    fn nobody(&self) -> CrmError {
        self.state().held = None;
        self.sign_in.sign_in_again("nobody has signed in yet")
    }

    /// A grant that works and whose token is not the stale one: kept by now, or renewed here.
    async fn obtain(&self, http: &Http, stale: Option<&SecretString>, polls: usize) -> Result<Grant, CrmError> {
        let keeper = self.keeper()?;
        if let Some(grant) = self.keep_at_last(keeper, http).await {
            return Ok(grant);
        }
        for poll in 1..=polls {
            let Some(kept) = keeper.kept().await? else { return Err(self.nobody()) };
            let now = http.now();
            let is_stale = stale.is_some_and(|stale| kept.grant.is(stale));
            if !is_stale && !kept.grant.is_due(now) {
                self.hold(&kept.grant, now);
                return Ok(kept.grant);
            }
            if let Some(error) = self.resting(kept.version, now) {
                return Err(error);
            }
            match keeper.claim(kept.version).await? {
                Some(claim) => return self.renew(keeper, http, &kept, claim).await,
                None if poll < polls => sleep(POLL).await,
                None => {}
            }
        }
        Err(later("another replica is renewing the sign-in"))
    }

    async fn renew(&self, keeper: &SharedKeeper, http: &Http, kept: &Kept, claim: Claim) -> Result<Grant, CrmError> {
        match self.sign_in.refresh(http, &kept.grant).await {
            Ok(grant) => self.keep(keeper, http, claim, grant).await,
            Err(refused) => {
                if let Err(error) = keeper.release(&claim).await {
                    tracing::debug!(%error, "the claim ends by itself");
                }
                self.refused(keeper, http, kept, refused).await
            }
        }
    }

    /// Stores what was renewed; the old refresh token may be used up, so that this is tried for long.
    async fn keep(&self, keeper: &SharedKeeper, http: &Http, claim: Claim, grant: Grant) -> Result<Grant, CrmError> {
        for attempt in 1..=ATTEMPTS {
            match keeper.keep(&claim, &grant).await {
                Ok(true) => {
                    self.hold(&grant, http.now());
                    return Ok(grant);
                }
                Ok(false) => return self.kept_by_another(keeper, http).await,
                Err(error) if attempt == ATTEMPTS => tracing::error!(
                    connection = %self.sign_in.endpoint.connection, %error,
                    "the renewed sign-in cannot be stored: if leadpact stops now, somebody has to sign in again"
                ),
                Err(_) => sleep(AGAIN).await,
            }
        }
        self.hold(&grant, http.now());
        self.state().unkept = Some((claim, grant.clone()));
        Ok(grant)
    }

    /// Stores what could not be stored when it was renewed; what to go on with meanwhile.
    async fn keep_at_last(&self, keeper: &SharedKeeper, http: &Http) -> Option<Grant> {
        let (claim, grant) = self.state().unkept.clone()?;
        match keeper.keep(&claim, &grant).await {
            Ok(_) => self.state().unkept = None,
            Err(error) => tracing::debug!(%error, "the renewed sign-in is still not stored"),
        }
        // What is stored now is read next; until then what we have works.
        let works = self.has_unkept() && !grant.ends_by(http.now() + LAST);
        works.then_some(grant)
    }

    async fn kept_by_another(&self, keeper: &SharedKeeper, http: &Http) -> Result<Grant, CrmError> {
        let kept = keeper.kept().await?.ok_or_else(|| self.nobody())?;
        self.hold(&kept.grant, http.now());
        Ok(kept.grant)
    }

    /// Somebody else may have renewed after all; else the version rests.
    async fn refused(
        &self,
        keeper: &SharedKeeper,
        http: &Http,
        kept: &Kept,
        refused: NoToken,
    ) -> Result<Grant, CrmError> {
        if refused.is_over {
            let now_kept = keeper.kept().await?;
            if let Some(other) = now_kept.filter(|other| !other.grant.is(&kept.grant.access_token)) {
                self.hold(&other.grant, http.now());
                return Ok(other.grant);
            }
        }
        let length = match &refused.error {
            CrmError::Later { after, .. } => after.map_or(Elapsed::ZERO, elapsed),
            _ => REST,
        };
        self.state().rest = Some((kept.version, http.now() + length, refused.error.clone()));
        Err(refused.error)
    }

    fn resting(&self, version: i64, now: Timestamp) -> Option<CrmError> {
        let state = self.state();
        let (_, _, error) = state.rest.as_ref().filter(|(of, until, _)| *of == version && now < *until)?;
        Some(error.clone())
    }
}

impl Grant {
    fn ends_by(&self, moment: Timestamp) -> bool {
        self.expires.is_some_and(|end| end <= moment)
    }

    /// Whether it is to be renewed by now.
    fn is_due(&self, now: Timestamp) -> bool {
        self.expires.is_some_and(|end| {
            let sixth = Elapsed::from_millis((end - self.granted).as_millis() / 6);
            end - sixth.min(AHEAD) <= now
        })
    }

    fn is(&self, token: &SecretString) -> bool {
        self.access_token.expose_secret() == token.expose_secret()
    }
}

fn elapsed(length: Duration) -> Elapsed {
    Elapsed::from_millis(i64::try_from(length.as_millis()).unwrap_or(i64::MAX))
}

fn later(message: &str) -> CrmError {
    CrmError::Later { message: message.to_owned(), after: None }
}
