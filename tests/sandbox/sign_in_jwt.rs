//! The JWT bearer flow: what is signed is verified as Salesforce does, and each refusal says what to do.

use crate::connectors::{connection, dictionary};
use crate::sign_in::{app, http};
use crate::support::{Hand, ORGANIZATION, sandbox};
use leadpact::crm::connection::{Connection, Platform, Salesforce as Settings, SalesforceAuth};
use leadpact::crm::http::Http;
use leadpact::crm::salesforce::Salesforce;
use leadpact::crm::salesforce::jwt::RsaKey;
use leadpact::crm::{Crm, CrmError};
use leadpact::record::Timestamp;
use leadpact::sandbox::CrmKind;
use std::sync::Arc;
use std::sync::atomic::Ordering;

const KEY: &str = include_str!("../fixtures/salesforce/jwt-key.pem");
const PUBLIC_KEY: &str = include_str!("../fixtures/salesforce/jwt-key-public.pem");
const USER: &str = "integration@acme.example";

/// A connection that signs assertions, to an app that takes them.
fn by_jwt(hand: &Hand) -> Connection {
    app(hand, CrmKind::Salesforce).change(|rules| {
        rules.certificate = Some(PUBLIC_KEY.to_owned());
        rules.approved = vec![USER.to_owned()];
    });
    let settings = Settings {
        organization_id: ORGANIZATION.into(),
        auth: SalesforceAuth::Jwt {
            client_id: "id".into(),
            private_key: RsaKey::parse(KEY).unwrap(),
            username: USER.to_owned(),
        },
        login_url: None,
        path_secret: None,
        client_certificate: None,
    };
    connection(hand, CrmKind::Salesforce, Platform::Salesforce(settings))
}

fn crm(connection: &Connection, http: Http) -> Salesforce {
    Salesforce::new(connection, &dictionary(), http).unwrap()
}

async fn refusal(connection: &Connection, http: Http) -> String {
    match crm(connection, http).people().await.unwrap_err() {
        CrmError::SignIn { message } => message,
        other => panic!("{other:?}"),
    }
}

/// A clock that is ahead of the sandbox's by so many seconds.
fn off(hand: &Hand, seconds: i64) -> Http {
    let time = hand.time.clone();
    Http::new(Arc::new(move || Timestamp::from_millis(time.load(Ordering::SeqCst) + seconds * 1000))).unwrap()
}

#[tokio::test]
async fn a_signed_assertion_opens_the_organization_and_is_made_anew_when_the_session_ends() {
    let hand = sandbox().await;
    let crm = crm(&by_jwt(&hand), http(&hand));
    crm.people().await.unwrap();
    hand.sandbox.revoke_tokens();
    hand.pass(3_600_000);
    let (a, b) = tokio::join!(crm.people(), crm.people());
    assert!(a.is_ok() && b.is_ok());
    assert_eq!(hand.sandbox.calls("salesforce.token").len(), 2);
}

#[tokio::test]
async fn a_user_who_is_not_pre_authorised_is_told_apart_from_a_wrong_audience() {
    let hand = sandbox().await;
    let connection = by_jwt(&hand);
    app(&hand, CrmKind::Salesforce).change(|rules| rules.approved.clear());
    let said = refusal(&connection, http(&hand)).await;
    assert!(said.contains("the app is not pre-authorised for that user"), "{said}");
    app(&hand, CrmKind::Salesforce).change(|rules| rules.audience = "https://test.salesforce.com".to_owned());
    let said = refusal(&connection, http(&hand)).await;
    assert!(said.contains("set login_url to https://test.salesforce.com for a sandbox"), "{said}");
}

#[tokio::test]
async fn a_certificate_that_is_not_the_keys_is_suspected() {
    let hand = sandbox().await;
    let connection = by_jwt(&hand);
    app(&hand, CrmKind::Salesforce).change(|rules| rules.certificate = None);
    let said = refusal(&connection, http(&hand)).await;
    assert!(said.contains("another certificate than the private key's"), "{said}");
}

#[tokio::test]
async fn a_clock_that_is_off_is_named_first_of_all() {
    let hand = sandbox().await;
    // A `Date` counts whole seconds.
    hand.pass(-(crate::support::MORNING % 1000));
    let connection = by_jwt(&hand);
    let said = refusal(&connection, off(&hand, -300)).await;
    assert!(said.contains("this machine's clock is 5m behind Salesforce's"), "{said}");
    let said = refusal(&connection, off(&hand, 300)).await;
    assert!(said.contains("clock is 5m ahead of Salesforce's"), "{said}");
    crm(&connection, off(&hand, 45)).people().await.expect("less than a minute does no harm");
    app(&hand, CrmKind::Salesforce).change(|rules| rules.approved.clear());
    let said = refusal(&connection, off(&hand, 45)).await;
    assert!(!said.contains("clock is"), "{said}");
}
