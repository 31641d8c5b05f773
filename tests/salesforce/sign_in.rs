//! Salesforce's token endpoint: the assertion that is sent, where it is sent, and what each documented
//! refusal makes leadpact say.

use super::{Fake, Reply, Seen, connection, dictionary, json, reply, rows, serve};
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode};
use leadpact::crm::connection::{Platform, Salesforce as Settings, SalesforceAuth};
use leadpact::crm::http::Http;
use leadpact::crm::oauth::BrowserSignIn;
use leadpact::crm::salesforce::Salesforce;
use leadpact::crm::salesforce::jwt::RsaKey;
use leadpact::crm::{Connection, Crm, CrmError};
use leadpact::record::Timestamp;
use serde_json::Value as Json;
use std::sync::Arc;
use std::time::Duration;

const KEY: &str = include_str!("../fixtures/salesforce/jwt-key.pem");
const PUBLIC_KEY: &str = include_str!("../fixtures/salesforce/jwt-key-public.pem");
const CONSUMER_KEY: &str = "3MVG9.fictional.consumer.key";

fn oauth() -> Json {
    serde_json::from_str(include_str!("../fixtures/salesforce/oauth.json")).unwrap()
}

fn jwt() -> SalesforceAuth {
    SalesforceAuth::Jwt {
        client_id: CONSUMER_KEY.into(),
        private_key: RsaKey::parse(KEY).unwrap(),
        username: "integration@acme.example".to_owned(),
    }
}

fn signing_in_by(base_url: &str, auth: SalesforceAuth) -> Connection {
    let mut connection = connection(base_url);
    let Platform::Salesforce(settings) = &mut connection.platform else { panic!() };
    settings.auth = auth;
    connection
}

fn settings(connection: &mut Connection) -> &mut Settings {
    let Platform::Salesforce(settings) = &mut connection.platform else { panic!() };
    settings
}

/// With a clock that goes as the server's does.
fn client(connection: &Connection) -> Salesforce {
    let clock = Arc::new(|| Timestamp::parse(super::NOON).unwrap());
    Salesforce::new(connection, &dictionary(), Http::with_timeout(clock, Duration::from_millis(800)).unwrap()).unwrap()
}

/// Grants as recorded and knows no records.
fn granting() -> (Fake, String) {
    serve(|seen| match seen.path.as_str() {
        "/services/oauth2/token" => reply(200, &oauth()["token_ok"]["body"]),
        _ => rows(json!([])),
    })
}

fn form(seen: &Seen, name: &str) -> String {
    let found = url::form_urlencoded::parse(seen.body.as_bytes()).into_owned().find(|(n, _)| n == name);
    found.map(|(_, value)| value).unwrap_or_else(|| panic!("no {name} in {}", seen.body))
}

/// The claims of the assertion that was sent, its signature verified.
fn claims(seen: &Seen) -> Json {
    let key = DecodingKey::from_rsa_pem(PUBLIC_KEY.as_bytes()).unwrap();
    let mut validation = Validation::new(Algorithm::RS256);
    (validation.validate_exp, validation.validate_aud) = (false, false);
    decode::<Json>(&form(seen, "assertion"), &key, &validation).unwrap().claims
}

#[actix_web::test]
async fn an_assertion_says_what_is_documented_and_lives_no_longer_than_it_may() {
    let (fake, url) = granting();
    client(&signing_in_by(&url, jwt())).people().await.unwrap();
    let sent = &fake.requests()[0];
    let documented = oauth()["jwt_request_body"].as_str().unwrap().split("&assertion=").next().unwrap().to_owned();
    assert!(sent.body.starts_with(&documented), "{}", sent.body);
    let claims = claims(sent);
    for name in ["iss", "sub", "aud"] {
        assert_eq!(claims[name], oauth()["jwt_claims"][name], "{name}");
    }
    let noon = Timestamp::parse(super::NOON).unwrap().as_millis() / 1000;
    let life = claims["exp"].as_i64().unwrap() - noon;
    assert!((60..=180).contains(&life), "{life} seconds");
    assert_eq!(fake.requests()[1].token(), "00D5g000004XyZa!AQEAQ.fictional.token");
}

#[actix_web::test]
async fn an_assertion_is_for_production_unless_the_address_or_the_settings_say_sandbox() {
    let (fake, url) = granting();
    let audience = async |base_url: &str, login_url: Option<String>| {
        let mut connection = signing_in_by(base_url, jwt());
        settings(&mut connection).login_url = login_url;
        // Nobody answers at the sandbox's address, but the assertion has gone out by then.
        drop(client(&connection).people().await);
        claims(fake.requests().iter().rfind(|seen| seen.path.ends_with("/token")).unwrap())["aud"].clone()
    };
    assert_eq!(audience(&url, None).await, "https://login.salesforce.com");
    let sandbox = "https://acme--uat.sandbox.my.salesforce.invalid";
    assert_eq!(audience(sandbox, Some(url.clone())).await, "https://test.salesforce.com");
}

#[actix_web::test]
async fn a_login_url_is_asked_instead_of_the_organizations_domain() {
    let (login, login_url) = granting();
    let (api, url) = granting();
    let mut connection = signing_in_by(&url, jwt());
    settings(&mut connection).login_url = Some(login_url);
    client(&connection).people().await.unwrap();
    assert_eq!(login.count(|seen| seen.path.ends_with("/token")), 1);
    assert_eq!(api.count(|seen| seen.path.ends_with("/token")), 0, "records go where base_url says");
}

/// Every documented refusal, with what an administrator is to do.
#[actix_web::test]
async fn every_documented_refusal_says_its_cause_and_what_to_do() {
    let credentials = || SalesforceAuth::ClientCredentials { client_id: "id".into(), client_secret: "s".into() };
    let expected = [
        (jwt(), "the app is not pre-authorised for that user"),
        (jwt(), "set login_url to https://test.salesforce.com for a sandbox"),
        (jwt(), "compare this machine's clock with the real time"),
        (credentials(), "client_id or client_secret is not this app's"),
        (credentials(), "at the organization's own domain only"),
    ];
    let errors = oauth()["errors"].as_array().unwrap().clone();
    assert_eq!(errors.len(), expected.len());
    for (error, (auth, advice)) in errors.into_iter().zip(expected) {
        let description = error["body"]["error_description"].as_str().unwrap().to_owned();
        let (_, url) = serve(move |_| reply(400, &error["body"]));
        let outcome = client(&signing_in_by(&url, auth)).people().await;
        let Err(CrmError::SignIn { message }) = outcome else { panic!("{outcome:?}") };
        assert!(message.contains(&description) && message.contains(advice), "{message}");
        assert!(!message.contains("leadpact connect"), "nobody can sign in here: {message}");
    }
}

#[actix_web::test]
async fn limits_and_outages_of_the_token_endpoint_pass_by_themselves() {
    for (status, body) in [(429, json!({})), (500, json!([])), (400, json!({ "error": "rate_limit_exceeded" }))] {
        let (_, url) = serve(move |_| Reply { retry_after: Some("9"), ..reply(status, &body) });
        let outcome = client(&signing_in_by(&url, jwt())).people().await;
        assert!(
            matches!(outcome, Err(CrmError::Later { after: Some(after), .. }) if after.as_secs() == 9),
            "{status}: {outcome:?}"
        );
    }
}

#[actix_web::test]
async fn an_answer_that_cannot_be_read_is_never_shown() {
    let (_, url) = serve(|_| reply(200, &json!({ "access_tokens": "canary-7f3a" })));
    let error = client(&signing_in_by(&url, jwt())).people().await.unwrap_err();
    assert!(matches!(error, CrmError::SignIn { .. }) && !error.to_string().contains("canary"), "{error}");
}

#[test]
fn the_page_is_the_organizations_own_with_state_and_challenge() {
    let auth = SalesforceAuth::Browser { client_id: "id".into(), client_secret: None };
    let connection = signing_in_by("https://acme.my.salesforce.com", auth);
    let sign_in = BrowserSignIn::of(&connection).unwrap();
    let url = sign_in.authorize_url("https://leadpact.acme.example/connect/acme/callback", "state", "challenge");
    assert!(url.as_str().starts_with("https://acme.my.salesforce.com/services/oauth2/authorize?response_type=code&"));
    assert!(url.as_str().contains("&scope=api+refresh_token&state=state&code_challenge=challenge&"), "{url}");
}
