//! HubSpot's token endpoint: what is sent to it in either form of its path, and what its recorded
//! answers mean.

use crate::fake::{Fake, Given, connection, dictionary, given};
use async_trait::async_trait;
use leadpact::crm::connection::{Connection, HubSpotAuth, Platform};
use leadpact::crm::http::Http;
use leadpact::crm::hubspot::HubSpot;
use leadpact::crm::oauth::{BrowserSignIn, Pkce};
use leadpact::crm::token::{Claim, Grant, Kept, TokenKeeper};
use leadpact::crm::{Crm, CrmError};
use leadpact::record::{Elapsed, Timestamp};
use secrecy::ExposeSecret;
use serde_json::Value as Json;
use std::sync::{Arc, Mutex};
use std::time::Duration;

fn oauth() -> Json {
    serde_json::from_str(include_str!("../fixtures/hubspot/oauth.json")).unwrap()
}

fn recorded(name: &str) -> Given {
    given(oauth()[name]["status"].as_u64().unwrap() as u16, &oauth()[name]["body"])
}

/// One kept grant, always free to claim.
struct Single(Mutex<Kept>);

#[async_trait]
impl TokenKeeper for Single {
    async fn kept(&self) -> Result<Option<Kept>, CrmError> {
        Ok(Some(self.0.lock().unwrap().clone()))
    }

    async fn claim(&self, version: i64) -> Result<Option<Claim>, CrmError> {
        Ok(Some(Claim { version, token: "claim".to_owned() }))
    }

    async fn keep(&self, claim: &Claim, grant: &Grant) -> Result<bool, CrmError> {
        *self.0.lock().unwrap() = Kept { version: claim.version + 1, grant: grant.clone() };
        Ok(true)
    }

    async fn release(&self, _: &Claim) -> Result<(), CrmError> {
        Ok(())
    }
}

/// A keeper of a token that has just ended.
fn ended() -> Arc<Single> {
    let grant = Grant {
        access_token: "old".into(),
        refresh_token: Some("na1-test-refresh-1".into()),
        expires: Some(Timestamp::from_millis(1)),
        granted: Timestamp::from_millis(0),
        account: Some("45540012".to_owned()),
        scopes: Vec::new(),
    };
    Arc::new(Single(Mutex::new(Kept { version: 1, grant })))
}

fn by_browser(url: &str, version: &str) -> Connection {
    let mut connection = connection(url);
    connection.api_version = version.to_owned();
    let Platform::HubSpot(own) = &mut connection.platform else { panic!() };
    own.auth = HubSpotAuth::Browser {
        client_id: "00000000-test-client".into(),
        client_secret: "11111111-test-secret".into(),
        login_url: "https://app.hubspot.com".to_owned(),
    };
    connection
}

fn http() -> Http {
    Http::with_timeout(Arc::new(|| Timestamp::from_millis(1)), Duration::from_millis(500)).unwrap()
}

/// Calls once with a token that has ended; what came of it, and what was seen and kept.
async fn called(version: &str, answers: impl IntoIterator<Item = Given>) -> (Result<(), CrmError>, Fake, Kept) {
    let (fake, keeper) = (Fake::start(answers).await, ended());
    let crm = HubSpot::new(by_browser(&fake.url, version), &dictionary(), http()).keeping(keeper.clone());
    let outcome = crm.people().await.map(drop);
    let kept = keeper.0.lock().unwrap().clone();
    (outcome, fake, kept)
}

fn owners() -> [Given; 2] {
    [given(200, r#"{"results": []}"#), given(200, r#"{"results": []}"#)]
}

#[tokio::test]
async fn a_renewal_is_sent_as_documented_and_the_new_refresh_token_is_kept() {
    let answers = [recorded("refresh_ok")].into_iter().chain(owners());
    let (outcome, fake, kept) = called("2026-03", answers).await;
    outcome.unwrap();
    let sent = &fake.seen()[0];
    assert_eq!(sent.line, "POST /oauth/2026-03/token", "nothing in the query");
    assert_eq!(sent.form, sorted(oauth()["refresh_request"]["body"].as_str().unwrap()), "all of it in the body");
    assert_eq!(sent.authorization, "", "no token is shown to the token endpoint");
    assert_eq!(fake.seen()[1].authorization, "Bearer CTESTACCESS0001");
    assert_eq!(kept.grant.refresh_token.unwrap().expose_secret(), "na1-test-refresh-2");
    assert_eq!(kept.grant.expires, Some(Timestamp::from_millis(1) + Elapsed::from_secs(1800)));
    assert_eq!(kept.grant.scopes, ["crm.objects.contacts.read", "crm.objects.deals.write"]);
}

fn sorted(form: &str) -> Vec<String> {
    let mut parts: Vec<String> = form.split('&').map(str::to_owned).collect();
    parts.sort();
    parts
}

#[tokio::test]
async fn older_connections_ask_the_one_older_form_that_takes_everything_in_the_body() {
    let (outcome, fake, _) = called("v3", [recorded("refresh_ok")].into_iter().chain(owners())).await;
    outcome.unwrap();
    assert_eq!(fake.lines()[0], "POST /oauth/v3/token");
}

#[tokio::test]
async fn a_revoked_grant_asks_for_a_person_and_a_wrong_client_for_settings() {
    let said = |outcome: Result<(), CrmError>| match outcome {
        Err(CrmError::SignIn { message }) => message,
        other => panic!("{other:?}"),
    };
    let (outcome, _, kept) = called("2026-03", [recorded("refresh_revoked")]).await;
    let message = said(outcome);
    assert!(message.contains("uninstalled"), "{message}");
    assert!(message.contains("Sign in again: leadpact connect acme-hubspot"), "{message}");
    assert_eq!(kept.version, 1, "what is kept stays, in case it was a mistake");
    let (outcome, ..) = called("2026-03", [recorded("bad_client")]).await;
    let message = said(outcome);
    assert!(message.contains("no app has this client_id") && !message.contains("leadpact connect"), "{message}");
}

#[tokio::test]
async fn a_limited_or_broken_token_endpoint_is_asked_later() {
    for (answer, seconds) in [(given(429, "{}").with("Retry-After", "7"), 7), (given(502, "<html>"), 10)] {
        let (outcome, ..) = called("2026-03", [answer]).await;
        let Err(CrmError::Later { after: Some(after), .. }) = outcome else { panic!("{outcome:?}") };
        assert_eq!(after.as_secs(), seconds);
    }
    let mut silent = recorded("refresh_ok");
    silent.delay = Duration::from_secs(2);
    let (outcome, ..) = called("2026-03", [silent]).await;
    assert!(matches!(outcome, Err(CrmError::Later { .. })), "{outcome:?}");
}

#[tokio::test]
async fn a_renewal_for_another_account_is_never_kept() {
    let mut body = oauth()["refresh_ok"]["body"].clone();
    body["hub_id"] = 7.into();
    let (outcome, _, kept) = called("2026-03", [given(200, body)]).await;
    let Err(CrmError::SignIn { message }) = outcome else { panic!("{outcome:?}") };
    assert!(message.contains("account 7, and `portal_id` says 45540012"), "{message}");
    assert_eq!(kept.version, 1);
}

#[tokio::test]
async fn an_answer_without_an_account_or_a_refresh_token_is_not_kept() {
    for missing in ["hub_id", "refresh_token"] {
        let mut body = oauth()["refresh_ok"]["body"].clone();
        body.as_object_mut().unwrap().remove(missing);
        let fake = Fake::start([given(200, body)]).await;
        let sign_in = BrowserSignIn::of(&by_browser(&fake.url, "2026-03")).unwrap();
        let outcome = sign_in.exchange(&http(), "code", &Pkce::new().verifier, "https://a.example/").await;
        assert!(matches!(outcome, Err(CrmError::SignIn { .. })), "{missing}: {outcome:?}");
    }
}

#[tokio::test]
async fn a_token_that_is_refused_before_its_time_is_renewed_and_the_call_repeated_once() {
    let keeper = ended();
    keeper.0.lock().unwrap().grant.expires = None;
    let refused = || given(401, r#"{"message": "expired", "category": "EXPIRED_AUTHENTICATION"}"#);
    let answers = [refused(), recorded("refresh_ok")].into_iter().chain(owners());
    let fake = Fake::start(answers).await;
    let crm = HubSpot::new(by_browser(&fake.url, "2026-03"), &dictionary(), http()).keeping(keeper);
    crm.people().await.unwrap();
    let tokens: Vec<String> = fake.seen().into_iter().map(|seen| seen.authorization).collect();
    assert_eq!(tokens[..3], ["Bearer old", "", "Bearer CTESTACCESS0001"]);
}

#[test]
fn the_page_is_asked_with_state_challenge_and_scopes() {
    let sign_in = BrowserSignIn::of(&by_browser("https://api.hubapi.com", "2026-03")).unwrap();
    let url = sign_in.authorize_url("https://leadpact.acme.example/connect/acme-hubspot/callback", "a&b", "challenge");
    let asked = |name: &str| url.query_pairs().find(|(n, _)| n == name).map(|(_, v)| v.into_owned()).unwrap();
    assert!(url.as_str().starts_with("https://app.hubspot.com/oauth/authorize?"), "{url}");
    assert_eq!(asked("client_id"), "00000000-test-client");
    assert_eq!(asked("redirect_uri"), "https://leadpact.acme.example/connect/acme-hubspot/callback");
    assert_eq!((asked("state"), asked("code_challenge")), ("a&b".to_owned(), "challenge".to_owned()));
    assert_eq!(asked("code_challenge_method"), "S256");
    assert!(asked("scope").contains("crm.objects.contacts.read crm.objects.contacts.write "), "{url}");
    assert!(!url.as_str().contains("secret"), "{url}");
}
