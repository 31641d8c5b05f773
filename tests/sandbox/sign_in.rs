//! Signing in with a browser: the page, the code, what is refused, and what a grant is worth later.

use crate::connectors::{connection, dictionary};
use crate::keeper::Keeper;
use crate::support::{Hand, ORGANIZATION, SECRET, sandbox};
use leadpact::crm::connection::{
    Connection, HubSpot as HubSpotSettings, HubSpotAuth, Platform, Salesforce as SalesforceSettings, SalesforceAuth,
};
use leadpact::crm::http::Http;
use leadpact::crm::hubspot::HubSpot;
use leadpact::crm::oauth::{BrowserSignIn, Pkce, callback_path};
use leadpact::crm::salesforce::Salesforce;
use leadpact::crm::token::Grant;
use leadpact::crm::{CrmError, SharedCrm};
use leadpact::record::{Elapsed, Timestamp};
use leadpact::sandbox::{CrmKind, Fault, FaultRule, HUBSPOT_CLIENT_ID, OauthApp};
use secrecy::{ExposeSecret, SecretString};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use url::Url;

pub const BOTH: [CrmKind; 2] = [CrmKind::HubSpot, CrmKind::Salesforce];
const MINUTE: i64 = 60_000;

/// A client whose clock is the sandbox's.
pub fn http(hand: &Hand) -> Http {
    let time = hand.time.clone();
    Http::new(Arc::new(move || Timestamp::from_millis(time.load(Ordering::SeqCst)))).unwrap()
}

pub fn app(hand: &Hand, crm: CrmKind) -> &OauthApp {
    hand.sandbox.oauth(crm).expect("both are there")
}

/// A connection that somebody signs in to with a browser.
pub fn by_browser(hand: &Hand, crm: CrmKind) -> Connection {
    let platform = match crm {
        CrmKind::HubSpot => Platform::HubSpot(HubSpotSettings {
            portal_id: Some(45_540_012),
            auth: HubSpotAuth::Browser {
                client_id: HUBSPOT_CLIENT_ID.into(),
                client_secret: SECRET.into(),
                login_url: hand.sandbox.base_url(),
            },
            webhook_secret: vec![SECRET.into()],
            lead_object: "contacts".into(),
        }),
        CrmKind::Salesforce => Platform::Salesforce(SalesforceSettings {
            organization_id: ORGANIZATION.into(),
            auth: SalesforceAuth::Browser { client_id: "id".into(), client_secret: Some("secret".into()) },
            login_url: None,
            path_secret: None,
            client_certificate: None,
        }),
    };
    connection(hand, crm, platform)
}

/// A connector as one replica has it.
pub fn replica(hand: &Hand, connection: &Connection, keeper: &Arc<Keeper>) -> SharedCrm {
    match connection.platform {
        Platform::HubSpot(_) => {
            Arc::new(HubSpot::new(connection.clone(), &dictionary(), http(hand)).keeping(keeper.clone()))
        }
        _ => Arc::new(Salesforce::new(connection, &dictionary(), http(hand)).unwrap().keeping(keeper.clone())),
    }
}

fn redirect_uri(connection: &Connection) -> String {
    format!("https://leadpact.acme.example{}", callback_path(&connection.name))
}

/// What the browser comes back with after somebody answered the page.
async fn answered(page: &Url, answer: &str) -> Vec<(String, String)> {
    let browser = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    let shown = browser.get(page.clone()).send().await.unwrap();
    assert_eq!(shown.status(), 200, "{}", shown.text().await.unwrap());
    let gone = browser.post(page.clone()).form(&[("answer", answer)]).send().await.unwrap();
    assert_eq!(gone.status(), 302);
    let target = Url::parse(gone.headers()["location"].to_str().unwrap()).unwrap();
    assert!(target.as_str().starts_with("https://leadpact.acme.example/connect/acme/callback?"), "{target}");
    target.query_pairs().into_owned().collect()
}

/// A code that somebody allowed, and the verifier that belongs to it.
async fn code(connection: &Connection) -> (String, SecretString) {
    let (pkce, sign_in) = (Pkce::new(), BrowserSignIn::of(connection).expect("by browser"));
    let back = answered(&sign_in.authorize_url(&redirect_uri(connection), "st/te+1", &pkce.challenge), "allow").await;
    assert_eq!(back[1], ("state".to_owned(), "st/te+1".to_owned()));
    (back[0].1.clone(), pkce.verifier)
}

/// Somebody signs in.
pub async fn grant(hand: &Hand, connection: &Connection) -> Result<Grant, CrmError> {
    let (code, verifier) = code(connection).await;
    let sign_in = BrowserSignIn::of(connection).expect("by browser");
    sign_in.exchange(&http(hand), &code, &verifier, &redirect_uri(connection)).await
}

/// A connection that somebody has signed in to, and who keeps it.
pub async fn signed_in(hand: &Hand, crm: CrmKind) -> (Connection, Arc<Keeper>) {
    let (connection, keeper) = (by_browser(hand, crm), Arc::<Keeper>::default());
    keeper.signed_in(grant(hand, &connection).await.unwrap());
    (connection, keeper)
}

fn message(error: CrmError) -> String {
    match error {
        CrmError::SignIn { message } => message,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn somebody_signs_in_and_leadpact_calls_in_their_name() {
    let hand = sandbox().await;
    for crm in BOTH {
        app(&hand, crm).change(|rules| rules.lifetime = Some(Elapsed::from_secs(1800)));
        let (connection, keeper) = signed_in(&hand, crm).await;
        let kept = keeper.now_kept().grant;
        let ends = (crm == CrmKind::HubSpot).then(|| hand_time(&hand) + Elapsed::from_secs(1800));
        assert_eq!((kept.expires, kept.granted), (ends, hand_time(&hand)), "Salesforce does not say when");
        let account = if crm == CrmKind::HubSpot { "45540012" } else { ORGANIZATION };
        assert_eq!(kept.account.as_deref(), Some(account));
        assert_eq!(kept.scopes, BrowserSignIn::of(&connection).unwrap().scopes());
        replica(&hand, &connection, &keeper).people().await.unwrap();
        assert_eq!(app(&hand, crm).granted().refreshed, 0);
    }
}

fn hand_time(hand: &Hand) -> Timestamp {
    Timestamp::from_millis(hand.time.load(Ordering::SeqCst))
}

#[tokio::test]
async fn a_code_works_once_with_its_own_verifier_and_address() {
    let hand = sandbox().await;
    for crm in BOTH {
        let connection = by_browser(&hand, crm);
        let sign_in = BrowserSignIn::of(&connection).unwrap();
        let (good, verifier) = code(&connection).await;
        let uri = redirect_uri(&connection);
        let exchange = async |code: &str, verifier: &SecretString, uri: &str| {
            sign_in.exchange(&http(&hand), code, verifier, uri).await.map(drop).map_err(message)
        };
        exchange(&good, &verifier, &uri).await.unwrap();
        let twice = exchange(&good, &verifier, &uri).await.unwrap_err();
        assert!(twice.contains("leadpact connect acme"), "{twice}");
        let (stolen, _) = code(&connection).await;
        assert!(exchange(&stolen, &Pkce::new().verifier, &uri).await.unwrap_err().contains("verifier"));
        let (other, verifier) = code(&connection).await;
        assert!(exchange(&other, &verifier, "https://evil.example/").await.is_err());
        let (late, verifier) = code(&connection).await;
        hand.pass(2 * MINUTE);
        assert!(exchange(&late, &verifier, &uri).await.unwrap_err().contains("took too long"));
        assert_eq!(app(&hand, crm).granted().exchanged, 1);
    }
}

#[tokio::test]
async fn whoever_declines_grants_nothing() {
    let hand = sandbox().await;
    let connection = by_browser(&hand, CrmKind::HubSpot);
    let page = BrowserSignIn::of(&connection).unwrap().authorize_url(&redirect_uri(&connection), "s", "c");
    let back = answered(&page, "deny").await;
    assert_eq!(back[0], ("error".to_owned(), "access_denied".to_owned()));
}

#[tokio::test]
async fn the_page_refuses_an_address_and_scopes_that_the_app_does_not_have() {
    let hand = sandbox().await;
    let connection = by_browser(&hand, CrmKind::HubSpot);
    let page = BrowserSignIn::of(&connection).unwrap().authorize_url(&redirect_uri(&connection), "s", "c");
    app(&hand, CrmKind::HubSpot).change(|rules| rules.scopes = vec!["oauth".to_owned()]);
    let shown = reqwest::get(page.clone()).await.unwrap();
    assert_eq!((shown.status().as_u16(), shown.text().await.unwrap().contains("scopes do not match")), (400, true));
    app(&hand, CrmKind::HubSpot).change(|rules| {
        rules.scopes.clear();
        rules.redirect_uri = Some("https://other.example/".to_owned());
    });
    assert_eq!(reqwest::get(page).await.unwrap().status(), 400);
}

#[tokio::test]
async fn a_sign_in_to_another_account_is_refused_and_says_which_setting_is_meant() {
    let hand = sandbox().await;
    let mut connection = by_browser(&hand, CrmKind::HubSpot);
    let Platform::HubSpot(own) = &mut connection.platform else { panic!() };
    own.portal_id = Some(7);
    let said = message(grant(&hand, &connection).await.unwrap_err());
    assert!(said.contains("account 45540012, and `portal_id` says 7: nothing was kept"), "{said}");
    let mut connection = by_browser(&hand, CrmKind::Salesforce);
    let Platform::Salesforce(own) = &mut connection.platform else { panic!() };
    own.organization_id = "00D5g00000AtTkREAV".to_owned();
    let said = message(grant(&hand, &connection).await.unwrap_err());
    assert!(said.contains("`organization_id` says 00D5g00000AtTkREAV"), "{said}");
}

#[tokio::test]
async fn before_anybody_has_signed_in_the_command_for_it_is_named() {
    let hand = sandbox().await;
    for crm in BOTH {
        let connection = by_browser(&hand, crm);
        let keeper = Arc::<Keeper>::default();
        let crm = replica(&hand, &connection, &keeper);
        let said = message(crm.people().await.unwrap_err());
        assert!(said.contains("nobody has signed in yet: leadpact connect acme"), "{said}");
        keeper.signed_in(grant(&hand, &connection).await.unwrap());
        crm.people().await.unwrap();
    }
    assert!(hand.sandbox.calls("hubspot.token").len() == 1, "the token endpoint was not bothered before");
}

#[tokio::test]
async fn a_token_is_renewed_before_it_ends_and_every_refresh_token_is_kept() {
    let hand = sandbox().await;
    app(&hand, CrmKind::HubSpot).change(|rules| rules.lifetime = Some(Elapsed::from_secs(1800)));
    let (connection, keeper) = signed_in(&hand, CrmKind::HubSpot).await;
    let crm = replica(&hand, &connection, &keeper);
    for round in 1..=4 {
        crm.people().await.unwrap();
        hand.pass(26 * MINUTE);
        crm.people().await.unwrap();
        assert_eq!(app(&hand, CrmKind::HubSpot).granted().refreshed, round);
        assert_eq!(keeper.now_kept().version, i64::from(round) + 1);
    }
    assert!(hand.sandbox.calls("hubspot.*").iter().all(|call| call.status != Some(401)), "no token ended in use");
    assert_eq!(app(&hand, CrmKind::HubSpot).granted().revoked, 0);
}

#[tokio::test]
async fn a_token_of_a_short_life_is_not_renewed_at_every_call() {
    let hand = sandbox().await;
    app(&hand, CrmKind::HubSpot).change(|rules| rules.lifetime = Some(Elapsed::from_secs(120)));
    let (connection, keeper) = signed_in(&hand, CrmKind::HubSpot).await;
    let crm = replica(&hand, &connection, &keeper);
    hand.pass(90_000);
    crm.people().await.unwrap();
    assert_eq!(app(&hand, CrmKind::HubSpot).granted().refreshed, 0);
    hand.pass(15_000);
    crm.people().await.unwrap();
    crm.people().await.unwrap();
    assert_eq!(app(&hand, CrmKind::HubSpot).granted().refreshed, 1);
}

#[tokio::test]
async fn what_was_revoked_is_asked_for_once_a_minute_and_a_new_sign_in_helps_at_once() {
    let hand = sandbox().await;
    for crm in BOTH {
        let kind = if crm == CrmKind::HubSpot { "hubspot.token" } else { "salesforce.token" };
        let (connection, keeper) = signed_in(&hand, crm).await;
        let connector = replica(&hand, &connection, &keeper);
        app(&hand, crm).revoke_all();
        for _ in 0..5 {
            let said = message(connector.people().await.unwrap_err());
            assert!(said.contains("Sign in again: leadpact connect acme"), "{said}");
        }
        assert_eq!(hand.sandbox.calls(kind).len(), 2, "the code, and one refresh");
        hand.pass(2 * MINUTE);
        connector.people().await.unwrap_err();
        assert_eq!(hand.sandbox.calls(kind).len(), 3);
        keeper.signed_in(grant(&hand, &connection).await.unwrap());
        connector.people().await.unwrap();
    }
}

#[tokio::test]
async fn a_token_endpoint_that_is_limited_or_down_is_left_alone_for_a_while() {
    let hand = sandbox().await;
    let (connection, keeper) = signed_in(&hand, CrmKind::Salesforce).await;
    let crm = replica(&hand, &connection, &keeper);
    hand.sandbox.revoke_tokens();
    hand.sandbox.fail(FaultRule::once("salesforce.token", Fault::TooManyRequests { retry_after: Some(30) }));
    for _ in 0..3 {
        let error = crm.people().await.unwrap_err();
        assert!(matches!(error, CrmError::Later { after: Some(after), .. } if after.as_secs() == 30), "{error:?}");
    }
    assert_eq!(hand.sandbox.calls("salesforce.token").len(), 2);
    hand.pass(31_000);
    hand.sandbox.fail(FaultRule::once("salesforce.token", Fault::BadGateway));
    assert!(matches!(crm.people().await.unwrap_err(), CrmError::Later { .. }));
    hand.pass(MINUTE);
    crm.people().await.unwrap();
    assert!(!keeper.is_claimed(), "claims were given back");
}

#[tokio::test]
async fn a_grant_that_nobody_used_for_a_day_is_renewed_for_its_own_sake() {
    let hand = sandbox().await;
    for crm in BOTH {
        let (connection, keeper) = signed_in(&hand, crm).await;
        let connector = replica(&hand, &connection, &keeper);
        hand.pass(23 * 60 * MINUTE);
        connector.keep_signed_in().await.unwrap();
        assert_eq!(app(&hand, crm).granted().refreshed, 0);
        hand.pass(2 * 60 * MINUTE);
        connector.keep_signed_in().await.unwrap();
        connector.keep_signed_in().await.unwrap();
        assert_eq!(app(&hand, crm).granted().refreshed, 1);
    }
}

/// Everything that could be shown of a sign-in, good and bad.
#[tokio::test]
async fn no_token_code_or_secret_shows_in_errors_debug_output_or_the_log_of_calls() {
    let hand = sandbox().await;
    let mut shown = String::new();
    let mut secrets = vec![SECRET.to_owned()];
    for crm in BOTH {
        let (connection, keeper) = signed_in(&hand, crm).await;
        let (code, verifier) = code(&connection).await;
        let (grant, sign_in) = (keeper.now_kept().grant, BrowserSignIn::of(&connection).unwrap());
        secrets.extend([code.clone(), verifier.expose_secret().to_owned()]);
        secrets.push(grant.access_token.expose_secret().to_owned());
        secrets.push(grant.refresh_token.as_ref().unwrap().expose_secret().to_owned());
        let wrong = sign_in.exchange(&http(&hand), &code, &Pkce::new().verifier, "https://x.example").await;
        app(&hand, crm).revoke_all();
        let revoked = replica(&hand, &connection, &keeper).people().await.unwrap_err();
        shown +=
            &format!("{connection:?} {sign_in:?} {grant:?} {:?} {wrong:?} {revoked} {revoked:?}", keeper.now_kept());
    }
    for call in hand.sandbox.calls("*") {
        shown += &format!("{call:?}");
    }
    for secret in secrets {
        assert!(!shown.contains(&secret), "{secret} in {shown}");
    }
}

#[tokio::test]
async fn no_redirect_carries_a_refresh_token_away() {
    let hand = sandbox().await;
    let (connection, keeper) = signed_in(&hand, CrmKind::HubSpot).await;
    // A page that redirects stands where the token endpoint should be.
    let receiver = crate::support::Receiver::default();
    receiver.answers.lock().unwrap().push_back((307, ""));
    let elsewhere = Connection { base_url: receiver.start(), ..connection };
    let mut grant = keeper.now_kept().grant;
    grant.expires = Some(hand_time(&hand));
    keeper.signed_in(grant);
    let error = replica(&hand, &elsewhere, &keeper).people().await.unwrap_err();
    assert!(matches!(error, CrmError::SignIn { .. }), "{error:?}");
    assert_eq!(receiver.taken().len(), 1);
}
