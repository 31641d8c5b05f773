//! One app's sign-ins in a pretend CRM: codes with PKCE, refresh tokens that work once, tokens that
//! end. Each CRM's paths and answers are in `hubspot_oauth.rs` and `salesforce_oauth.rs`.

use super::call::{Answer, Call};
use crate::record::{Elapsed, Timestamp};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// How long a code waits to be exchanged.
const CODE_LIFE: Elapsed = Elapsed::from_secs(60);

/// How an app is set up; tests change it while the sandbox runs.
#[derive(Clone, Debug)]
pub struct Rules {
    /// The one address that browsers are sent back to; any while it is missing.
    pub redirect_uri: Option<String>,
    /// Each refresh token works once, and a second use revokes all that was granted with it.
    pub rotates: bool,
    /// How long access tokens live; for ever when missing.
    pub lifetime: Option<Elapsed>,
    /// The public key (PEM) that assertions are verified with; without one there is no JWT flow.
    pub certificate: Option<String>,
    /// The only users that assertions may speak for; each is admitted by the app's policies.
    pub approved: Vec<String>,
    /// Whom assertions have to be for.
    pub audience: String,
    /// The scopes that the app asks for; a page that asks for others is refused. Any while it is empty.
    pub scopes: Vec<String>,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            redirect_uri: None,
            rotates: true,
            lifetime: None,
            certificate: None,
            approved: Vec::new(),
            audience: "https://login.salesforce.com".to_owned(),
            scopes: Vec::new(),
        }
    }
}

/// What became of the app's tokens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Granted {
    /// Codes exchanged.
    pub exchanged: u32,
    /// Access tokens renewed with a refresh token.
    pub refreshed: u32,
    /// Grants revoked because a refresh token came twice.
    pub revoked: u32,
}

/// The app that leadpact signs in through.
pub struct OauthApp {
    pub client_id: String,
    pub client_secret: String,
    rules: Mutex<Rules>,
    book: Mutex<Book>,
}

#[derive(Default)]
struct Book {
    number: u64,
    codes: BTreeMap<String, Code>,
    refresh: BTreeMap<String, Refresh>,
    access: BTreeMap<String, Access>,
    granted: Granted,
}

struct Code {
    redirect_uri: String,
    challenge: Option<String>,
    scopes: Vec<String>,
    until: Timestamp,
}

struct Refresh {
    grant: u64,
    is_used: bool,
    scopes: Vec<String>,
}

struct Access {
    grant: Option<u64>,
    until: Option<Timestamp>,
}

/// Tokens handed out.
pub(super) struct Tokens {
    pub access: String,
    pub refresh: Option<String>,
    pub lifetime: Option<Elapsed>,
    pub scopes: Vec<String>,
}

/// Why none are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refused {
    UnknownClient,
    WrongSecret,
    Code,
    Redirect,
    Verifier,
    Refresh,
    GrantType,
}

/// The fields of a form.
pub(super) struct Form(Vec<(String, String)>);

impl Form {
    pub fn of(call: &Call) -> Self {
        Self(url::form_urlencoded::parse(&call.body).into_owned().collect())
    }

    pub fn get(&self, name: &str) -> &str {
        self.0.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str()).unwrap_or_default()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl OauthApp {
    pub(super) fn new(client_id: &str, client_secret: &str) -> Self {
        let (client_id, client_secret) = (client_id.to_owned(), client_secret.to_owned());
        Self { client_id, client_secret, rules: Mutex::default(), book: Mutex::default() }
    }

    pub fn rules(&self) -> Rules {
        lock(&self.rules).clone()
    }

    pub fn change(&self, change: impl FnOnce(&mut Rules)) {
        change(&mut lock(&self.rules));
    }

    pub fn granted(&self) -> Granted {
        lock(&self.book).granted
    }

    /// Every access token given out so far is void; refresh tokens still work.
    pub fn end_sessions(&self) {
        lock(&self.book).access.clear();
    }

    /// The app was uninstalled, or its grants revoked: no token works any more.
    pub fn revoke_all(&self) {
        let mut book = lock(&self.book);
        book.access.clear();
        book.refresh.clear();
    }

    /// An access token that works now.
    pub(super) fn admits(&self, token: &str, now: Timestamp) -> bool {
        let book = lock(&self.book);
        book.access.get(token).is_some_and(|access| access.until.is_none_or(|until| now < until))
    }

    /// A token for a flow without refresh tokens.
    pub(super) fn issue(&self, access: impl FnOnce(u64) -> String, now: Timestamp) -> Tokens {
        let lifetime = self.rules().lifetime;
        let mut book = lock(&self.book);
        let (access, scopes) = (access(book.next()), Vec::new());
        book.access.insert(access.clone(), Access { grant: None, until: lifetime.map(|life| now + life) });
        Tokens { access, refresh: None, lifetime, scopes }
    }

    pub(super) fn client(&self, form: &Form, needs_secret: bool) -> Result<(), Refused> {
        match (form.get("client_id") == self.client_id, form.get("client_secret")) {
            (false, _) => Err(Refused::UnknownClient),
            (true, "") if !needs_secret => Ok(()),
            (true, secret) if secret == self.client_secret => Ok(()),
            (true, _) => Err(Refused::WrongSecret),
        }
    }

    /// A person's grant: for a code, or for what was granted before.
    pub(super) fn grant(
        &self,
        form: &Form,
        name: impl Fn(&str, u64) -> String,
        now: Timestamp,
    ) -> Result<Tokens, Refused> {
        let rules = self.rules();
        let mut book = lock(&self.book);
        let (grant, scopes) = match form.get("grant_type") {
            "authorization_code" => (book.next(), book.exchange(form, now)?),
            "refresh_token" => book.refresh(form.get("refresh_token"), rules.rotates)?,
            _ => return Err(Refused::GrantType),
        };
        let number = book.next();
        let access = name("access", number);
        book.access.insert(access.clone(), Access { grant: Some(grant), until: rules.lifetime.map(|life| now + life) });
        let is_new = form.get("grant_type") == "authorization_code" || rules.rotates;
        let refresh = is_new.then(|| {
            let refresh = name("refresh", number);
            book.refresh.insert(refresh.clone(), Refresh { grant, is_used: false, scopes: scopes.clone() });
            refresh
        });
        Ok(Tokens { access, refresh, lifetime: rules.lifetime, scopes })
    }

    /// Ends what a token belongs to.
    pub(super) fn revoke(&self, token: &str) {
        let mut book = lock(&self.book);
        let of_refresh = book.refresh.get(token).map(|refresh| refresh.grant);
        let grant = of_refresh.or_else(|| book.access.get(token).and_then(|access| access.grant));
        book.access.remove(token);
        if let Some(grant) = grant {
            book.end(grant);
        }
    }

    /// The page that asks a person (GET), and what follows from the answer (POST).
    pub(super) fn authorize(&self, call: &Call, now: Timestamp) -> Answer {
        let rules = self.rules();
        let asked = |name| call.parameter(name).unwrap_or_default();
        let redirect_uri = asked("redirect_uri");
        let scopes: Vec<String> = asked("scope").split_whitespace().map(str::to_owned).collect();
        let same = |a: &[String], b: &[String]| a.len() == b.len() && a.iter().all(|scope| b.contains(scope));
        let wrong = match () {
            () if asked("client_id") != self.client_id => "no app has this client id",
            // HubSpot documents no such parameter.
            () if asked("response_type") != "code" && call.path.starts_with("/services/") => {
                "response_type must be code"
            }
            () if rules.redirect_uri.as_ref().is_some_and(|known| *known != redirect_uri) => {
                "the redirect URL does not match the app's"
            }
            () if !rules.scopes.is_empty() && !same(&scopes, &rules.scopes) => "the scopes do not match the app's",
            () if !matches!(asked("code_challenge_method").as_str(), "" | "S256") => "only S256 is supported",
            () => "",
        };
        let target = url::Url::parse(&redirect_uri);
        let (Ok(mut target), "") = (target, wrong) else {
            let why = if wrong.is_empty() { "the redirect URL is none" } else { wrong };
            return page(400, &format!("<h1>Cannot sign in</h1><p>{why}</p>"));
        };
        if call.method != "POST" {
            return page(200, &consent(&scopes));
        }
        let state = asked("state");
        let answer = match Form::of(call).get("answer") {
            "allow" => ("code", self.code(&redirect_uri, call.parameter("code_challenge"), scopes, now)),
            _ => ("error", "access_denied".to_owned()),
        };
        target.query_pairs_mut().append_pair(answer.0, &answer.1).append_pair("state", &state);
        Answer::empty(302).with("Location", target)
    }

    fn code(&self, redirect_uri: &str, challenge: Option<String>, scopes: Vec<String>, now: Timestamp) -> String {
        let mut book = lock(&self.book);
        let code = format!("code-{}", book.next());
        let (redirect_uri, until) = (redirect_uri.to_owned(), now + CODE_LIFE);
        book.codes.insert(code.clone(), Code { redirect_uri, challenge, scopes, until });
        code
    }
}

impl Book {
    fn next(&mut self) -> u64 {
        self.number += 1;
        self.number
    }

    fn exchange(&mut self, form: &Form, now: Timestamp) -> Result<Vec<String>, Refused> {
        // Whatever comes of it, a code works once.
        let code = self.codes.remove(form.get("code")).filter(|code| now < code.until).ok_or(Refused::Code)?;
        if code.redirect_uri != form.get("redirect_uri") {
            return Err(Refused::Redirect);
        }
        let verified = URL_SAFE_NO_PAD.encode(Sha256::digest(form.get("code_verifier")));
        if code.challenge.is_some_and(|challenge| challenge != verified) {
            return Err(Refused::Verifier);
        }
        self.granted.exchanged += 1;
        Ok(code.scopes)
    }

    fn refresh(&mut self, token: &str, rotates: bool) -> Result<(u64, Vec<String>), Refused> {
        let Some(refresh) = self.refresh.get_mut(token) else { return Err(Refused::Refresh) };
        let (grant, scopes) = (refresh.grant, refresh.scopes.clone());
        if rotates && refresh.is_used {
            self.end(grant);
            self.granted.revoked += 1;
            return Err(Refused::Refresh);
        }
        refresh.is_used = true;
        self.granted.refreshed += 1;
        Ok((grant, scopes))
    }

    fn end(&mut self, grant: u64) {
        self.refresh.retain(|_, refresh| refresh.grant != grant);
        self.access.retain(|_, access| access.grant != Some(grant));
    }
}

fn consent(scopes: &[String]) -> String {
    let scopes: String = scopes.iter().map(|scope| format!("<li>{}</li>", escaped(scope))).collect();
    format!(
        "<h1>Let leadpact in?</h1><p>It asks for:</p><ul>{scopes}</ul><form method=\"post\">\
         <button name=\"answer\" value=\"allow\">Allow</button> \
         <button name=\"answer\" value=\"deny\">Deny</button></form>"
    )
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

fn page(status: u16, body: &str) -> Answer {
    let html =
        format!("<!DOCTYPE html><html lang=\"en\"><head><title>Sign in</title></head><body>{body}</body></html>");
    Answer { status, headers: Vec::new(), content_type: "text/html; charset=utf-8", body: html.into_bytes() }
}
