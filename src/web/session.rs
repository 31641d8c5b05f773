//! Who a request comes from: the cookie of a session or the token of a program, looked up in the
//! store. What they may do is decided in `guard`.

use super::Web;
use super::csrf;
use crate::record::{Elapsed, Timestamp};
use crate::store::account::SignsFor;
use crate::store::role::{Permission, Role};
use crate::store::secret::Secret;
use crate::store::session::{self, SignedIn};
use crate::store::{Db, Priority, StoreError, api_token};
use actix_web::cookie::time::Duration;
use actix_web::cookie::{Cookie, SameSite};
use actix_web::dev::Payload;
use actix_web::http::header;
use actix_web::{FromRequest, HttpMessage, HttpRequest, error};
use std::future::{Ready, ready};

/// A session's use is noted at most so often.
const NOTED: Elapsed = Elapsed::from_secs(300);

/// Who asks. Handlers take it as an argument; the guard has made sure that they may.
#[derive(Clone, Debug)]
pub struct Visitor {
    name: String,
    role: Role,
    signs_for: Option<SignsFor>,
    way: Way,
}

/// How they were known.
#[derive(Clone, Debug)]
enum Way {
    Session { account: String, login: String, secret: Secret },
    Token,
}

impl Visitor {
    /// What stands in the journal for what they do: the account's name, or the API token's.
    pub fn name(&self) -> &str {
        &self.name
    }

    pub fn role(&self) -> Role {
        self.role
    }

    pub fn may(&self, permission: Permission) -> bool {
        self.role.may(permission)
    }

    /// For which party they sign, if their account says so.
    pub fn signs_for(&self) -> Option<&SignsFor> {
        self.signs_for.as_ref()
    }

    /// What forms of this session carry in the field `csrf`; empty for a program, which needs none.
    pub fn csrf(&self) -> String {
        self.session().map(csrf::token).unwrap_or_default()
    }

    /// `None` for a program with a token.
    pub fn session(&self) -> Option<&Secret> {
        match &self.way {
            Way::Session { secret, .. } => Some(secret),
            Way::Token => None,
        }
    }

    /// Id and login of a person's account.
    pub fn account(&self) -> Option<(&str, &str)> {
        match &self.way {
            Way::Session { account, login, .. } => Some((account, login)),
            Way::Token => None,
        }
    }

    fn of_session(found: SignedIn, secret: Secret) -> Self {
        let SignedIn { account, login, name, role, signs_for, .. } = found;
        Self { name, role, signs_for, way: Way::Session { account, login, secret } }
    }
}

impl FromRequest for Visitor {
    type Error = actix_web::Error;
    type Future = Ready<Result<Self, Self::Error>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let known = request.extensions().get::<Visitor>().cloned();
        ready(known.ok_or_else(|| error::ErrorInternalServerError("this address is not behind the guard")))
    }
}

/// Who sends this request; a token goes before a cookie. `None`: nobody that we know.
///
/// # Errors
/// When the database is unavailable.
pub async fn identify(web: &Web, request: &HttpRequest) -> Result<Option<Visitor>, StoreError> {
    let (db, now) = (&web.engine.db, web.clock.now());
    if let Some(header) = request.headers().get(header::AUTHORIZATION) {
        let Some(secret) = header.to_str().ok().and_then(bearer) else { return Ok(None) };
        let token = api_token::find(db, &secret, now).await?;
        return Ok(token.map(|t| Visitor { name: t.name, role: t.scope, signs_for: None, way: Way::Token }));
    }
    let Some(secret) = cookie(web, request) else { return Ok(None) };
    let Some(found) = session::find(db, &secret, now).await? else { return Ok(None) };
    if now - found.seen_at > NOTED {
        tokio::spawn(note(db.clone(), secret.clone(), now));
    }
    Ok(Some(Visitor::of_session(found, secret)))
}

fn bearer(header: &str) -> Option<Secret> {
    let (scheme, word) = header.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| Secret::brought(word.trim()))
}

/// Beside the request: nobody waits for the database's writer to look at a page.
async fn note(db: Db, secret: Secret, now: Timestamp) {
    let done = async {
        let mut tx = db.begin(Priority::Work).await?;
        session::seen(&mut tx, &secret, now).await?;
        tx.commit().await
    };
    if let Err(error) = done.await {
        tracing::warn!("the use of a session was not noted: {error}");
    }
}

/// Behind https the name makes browsers refuse a cookie that came in any other way.
fn cookie_name(web: &Web) -> &'static str {
    if web.is_behind_https() { "__Host-leadpact" } else { "leadpact" }
}

/// The token of the session's cookie.
pub fn cookie(web: &Web, request: &HttpRequest) -> Option<Secret> {
    request.cookie(cookie_name(web)).map(|cookie| Secret::brought(cookie.value()))
}

/// The cookie that keeps a session in a browser for so long.
pub fn keep(web: &Web, secret: &Secret, lasts: Elapsed) -> Cookie<'static> {
    made(web, secret.expose().to_owned(), Duration::milliseconds(lasts.as_millis()))
}

/// The cookie that forgets it.
pub fn forget(web: &Web) -> Cookie<'static> {
    made(web, String::new(), Duration::ZERO)
}

fn made(web: &Web, value: String, age: Duration) -> Cookie<'static> {
    Cookie::build(cookie_name(web), value)
        .path("/")
        .http_only(true)
        .secure(web.is_behind_https())
        .same_site(SameSite::Lax)
        .max_age(age)
        .finish()
}
