//! What must not work: tokens that are wrong, answers of others, providers that fail, and too many.

use super::provider::{CLIENT, Key, PUBLIC, SECRET, Sign};
use super::{Browser, Scene, parameter, with};
use crate::house::at_work;
use leadpact::record::Elapsed;
use leadpact::store::role::Role;
use serde_json::json;
use std::sync::Mutex;

#[tokio::test]
async fn a_token_counts_only_whole_and_for_us_and_now() {
    let scene = Scene::start().await;
    scene.with_dana(Role::Admin).await;
    let now = at_work().as_millis() / 1000;
    let invalid = "answer is not valid";
    for (what, claims) in [
        ("the nonce of another sign-in", json!({ "nonce": "another" })),
        ("no nonce", json!({ "nonce": null })),
        ("for another application", json!({ "aud": "another" })),
        ("for others too", json!({ "aud": [CLIENT, "another"] })),
        ("made for another application", json!({ "azp": "another" })),
        ("by another issuer", json!({ "iss": "https://evil.example" })),
        ("expired", json!({ "exp": now })),
        ("from our future", json!({ "iat": now + 200 })),
        ("of long ago", json!({ "iat": now - 1000 })),
        ("of nobody", json!({ "sub": "" })),
    ] {
        scene.refuses(what, 403, claims, invalid).await;
    }
    for (what, sign) in [
        ("alg none", Sign::Nothing),
        ("HS256 with the public key", Sign::Hmac(PUBLIC.as_bytes().to_vec())),
        ("HS256 with our secret", Sign::Hmac(SECRET.as_bytes().to_vec())),
        ("an unknown key", Sign::With(Key::Ec)),
        ("an unknown key by a known name", Sign::As(Key::Ec, Key::Rsa)),
        ("altered after it was signed", Sign::Altered),
    ] {
        scene.provider.change(|state| state.sign = sign);
        scene.refuses(what, 403, json!({}), invalid).await;
    }
    scene.provider.change(|state| state.sign = Sign::With(Key::Rsa));
    assert_eq!(scene.sign_in(&Browser::default()).await.status, 303, "and rightly it works");
}

#[tokio::test]
async fn a_new_key_is_read_once_when_a_token_needs_it() {
    let scene = Scene::start().await;
    scene.with_dana(Role::Viewer).await;
    assert_eq!(scene.sign_in(&Browser::default()).await.status, 303);
    scene.provider.change(|state| (state.sign, state.publishes) = (Sign::With(Key::Ec), Key::Ec));
    assert_eq!(scene.sign_in(&Browser::default()).await.status, 303);
    assert_eq!(scene.sign_in(&Browser::default()).await.status, 303);
    assert_eq!(scene.provider.asked("/jwks"), 2);
    scene.house.clock.set(at_work() + Elapsed::from_secs(3601));
    scene.go(&Browser::default(), "/login/oidc").await;
    assert_eq!(scene.provider.asked("/jwks"), 3, "and hourly");
}

#[tokio::test]
async fn an_answer_counts_once_in_time_and_in_the_browser_that_asked() {
    let scene = Scene::start().await;
    scene.with_dana(Role::Viewer).await;
    let (ours, other) = (Browser::default(), Browser::default());
    let path = scene.back(&scene.go(&ours, "/login/oidc").await);
    scene.go(&other, "/login/oidc").await;
    for (browser, why) in [(&other, "begun elsewhere"), (&Browser::default(), "no cookie")] {
        let page = browser.get(&scene.house, &path).await;
        assert_eq!(page.status, 403, "{why}");
        assert!(page.text.contains("belongs to another browser"), "{}", page.text);
    }
    assert_eq!(scene.provider.asked("/token"), 0, "nothing was asked");
    for path in ["/login/oidc/callback", "/login/oidc/callback?state=x&code=y", &format!("{path}&state=again")] {
        assert_eq!(ours.get(&scene.house, path).await.status, 400, "{path}");
    }
    let cookies = Browser(Mutex::new(ours.0.lock().unwrap().clone()));
    assert_eq!(ours.get(&scene.house, &path).await.status, 303, "the guesses of others used nothing up");
    let again = cookies.get(&scene.house, &path).await;
    assert_eq!(again.status, 400, "a state works once: {}", again.text);

    let late = scene.back(&scene.go(&ours, "/login/oidc").await);
    scene.house.clock.set(at_work() + Elapsed::from_secs(600));
    assert_eq!(ours.get(&scene.house, &late).await.status, 400, "after ten minutes");
    assert_eq!(scene.provider.asked("/token"), 1);
}

#[tokio::test]
async fn afterwards_nobody_is_sent_elsewhere() {
    let scene = Scene::start().await;
    scene.with_dana(Role::Viewer).await;
    for next in ["https%3A%2F%2Fevil.example", "%2F%2Fevil.example", "%2F%5Cevil.example", "%2Fa%0D%0AX%3A+y"] {
        let browser = Browser::default();
        let page = scene.go(&browser, &format!("/login/oidc?next={next}")).await;
        assert_eq!(browser.get(&scene.house, &scene.back(&page)).await.location, "/", "{next}");
    }
}

#[tokio::test]
async fn a_session_that_somebody_slipped_in_does_not_become_theirs() {
    let scene = Scene::start().await;
    scene.with_dana(Role::Viewer).await;
    let planted = scene.house.person(Role::Viewer).await;
    let browser = Browser::default();
    browser.0.lock().unwrap().push(("leadpact".to_owned(), planted.secret.expose().to_owned()));
    assert_eq!(scene.sign_in(&browser).await.status, 303);
    assert!(browser.get(&scene.house, "/account").await.text.contains("Dana of old"));
    assert_eq!(scene.house.get_as(&planted, "/").await.status(), 303, "the one before has ended");
}

#[tokio::test]
async fn what_the_provider_refuses_is_said_in_its_own_words() {
    let scene = Scene::start().await;
    let browser = Browser::default();
    let page = scene.go(&browser, "/login/oidc").await;
    let path = format!("/login/oidc/callback?state={}&error=access_denied", parameter(&page, "state"));
    let page = browser.get(&scene.house, &with(&path, "error_description", "<script>no</script>")).await;
    assert_eq!(page.status, 403);
    assert!(page.text.contains("access_denied: &#60;script&#62;no"), "{}", page.text);
    assert_eq!(browser.get(&scene.house, &path).await.status, 400, "it is used up");

    let page = scene.go(&browser, "/login/oidc").await;
    let page = browser.get(&scene.house, &with(&scene.back(&page), "iss", "https://evil.example")).await;
    assert_eq!((page.status, scene.provider.asked("/token")), (403, 0), "another issuer's answer");

    for (status, body, expected) in [
        (400, r#"{"error":"invalid_grant"}"#, (403, "invalid_grant")),
        (200, r#"{"access_token":"eyJhbGciOi","token_type":"Bearer"}"#, (403, "answer is not valid")),
        (200, r#"{"id_token":"eyJhbGciOi"}"#, (403, "answer is not valid")),
        (302, "", (502, "does not answer")),
    ] {
        scene.provider.change(|state| state.refuses = Some((status, body)));
        scene.refuses(body, expected.0, json!({}), expected.1).await;
    }
}

#[tokio::test]
async fn while_the_provider_is_down_accounts_of_our_own_work() {
    let scene = Scene::start().await;
    scene.provider.change(|state| state.is_down = true);
    let browser = Browser::default();
    for _ in 0..3 {
        let page = browser.get(&scene.house, "/login/oidc").await;
        assert_eq!(page.status, 502);
        assert!(page.text.contains("Whoever has a password can sign in with it"), "{}", page.text);
    }
    assert_eq!(scene.provider.asked("/.well-known/openid-configuration"), 1, "it is left alone for a while");
    assert_eq!(browser.get(&scene.house, "/login").await.status, 200);
    scene.provider.change(|state| state.is_down = false);
    scene.house.clock.set(at_work() + Elapsed::from_secs(5));
    scene.go(&browser, "/login/oidc").await;
    scene.provider.change(|state| state.is_down = true);
    scene.house.clock.set(at_work() + Elapsed::from_secs(4000));
    scene.go(&browser, "/login/oidc").await;
}

#[tokio::test]
async fn nothing_goes_to_addresses_without_https() {
    let scene = Scene::start().await;
    scene.provider.change(|state| state.token_endpoint = Some("http://login.acme.example/token".to_owned()));
    let page = Browser::default().get(&scene.house, "/login/oidc").await;
    assert_eq!(page.status, 403, "{}", page.text);
}

#[tokio::test]
async fn one_address_cannot_begin_without_end() {
    let scene = Scene::start().await;
    let browser = Browser::default();
    for _ in 0..leadpact::store::oidc::MOST_OF_ADDRESS {
        scene.go(&browser, "/login/oidc").await;
    }
    let page = browser.get(&scene.house, "/login/oidc").await;
    assert!(page.status == 429 && page.text.contains("Too many sign-ins"), "{}", page.text);
    scene.house.clock.set(at_work() + Elapsed::from_secs(600));
    scene.go(&browser, "/login/oidc").await;
}
