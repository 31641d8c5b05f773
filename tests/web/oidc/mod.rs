//! Single sign-on from outside, against a pretend identity provider: the way that works, and every way
//! that must not.

mod provider;
mod roles;

use crate::house::{House, account, at_work};
use leadpact::engine::oidc::{OidcSettings, Others};
use leadpact::record::{ConnectionName, Elapsed};
use leadpact::store::account::{self as accounts, Account};
use leadpact::store::role::Role;
use leadpact::store::{Priority, journal};
use provider::{CLIENT, Key, PUBLIC, Provider, SECRET, Sign};
use reqwest::{Method, Response};
use serde_json::{Value, json};
use std::sync::Mutex;
use url::Url;

/// A house and the provider that vouches for its people.
struct Scene {
    house: House,
    provider: Provider,
}

/// What came back, read whole.
#[derive(Debug)]
struct Page {
    status: u16,
    location: String,
    cookies: Vec<String>,
    text: String,
}

/// Keeps the cookies that it is given.
#[derive(Default)]
struct Browser(Mutex<Vec<(String, String)>>);

fn settings(provider: &Provider) -> OidcSettings {
    OidcSettings {
        issuer: provider.issuer.clone(),
        client_id: CLIENT.to_owned(),
        client_secret: SECRET.into(),
        scopes: vec!["email".to_owned(), "profile".to_owned()],
        name: "Acme <b>Accounts".to_owned(),
        role_claim: "groups".to_owned(),
        roles: Vec::new(),
        others: Others::Refuse,
    }
}

impl Browser {
    async fn get(&self, house: &House, path: &str) -> Page {
        let cookies = self.0.lock().unwrap().iter().map(|(n, v)| format!("{n}={v}")).collect::<Vec<_>>().join("; ");
        let response = house.as_nobody(Method::GET, path).header("Cookie", cookies).send().await.unwrap();
        let page = read(response).await;
        for cookie in &page.cookies {
            let (name, value) = cookie.split(';').next().unwrap().split_once('=').unwrap();
            let mut jar = self.0.lock().unwrap();
            jar.retain(|(n, _)| n != name);
            if !value.is_empty() {
                jar.push((name.to_owned(), value.to_owned()));
            }
        }
        page
    }
}

async fn read(response: Response) -> Page {
    let headers = |name: &str| {
        let all = response.headers().get_all(name).iter();
        all.map(|value| value.to_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let (status, location, cookies) = (response.status().as_u16(), headers("location").concat(), headers("set-cookie"));
    Page { status, location, cookies, text: response.text().await.unwrap() }
}

impl Scene {
    async fn start() -> Self {
        Self::with(|_| {}).await
    }

    async fn with(change: impl FnOnce(&mut OidcSettings)) -> Self {
        let provider = Provider::start(at_work());
        let mut settings = settings(&provider);
        change(&mut settings);
        Self { house: House::with_oidc(settings, None).await, provider }
    }

    async fn add(&self, account: &Account) {
        let mut tx = self.house.db.begin(Priority::Work).await.unwrap();
        assert!(accounts::add(&mut tx, account).await.unwrap());
        tx.commit().await.unwrap();
    }

    /// Whose address the provider knows.
    async fn with_dana(&self, role: Role) -> Account {
        let dana = Account { login: "dana@acme.example".to_owned(), ..account(role, "Dana of old") };
        self.add(&dana).await;
        dana
    }

    async fn account(&self, login: &str) -> Option<Account> {
        accounts::find(&self.house.db, login).await.unwrap()
    }

    /// From our link to the provider's page.
    async fn go(&self, browser: &Browser, path: &str) -> Url {
        let page = browser.get(&self.house, path).await;
        assert_eq!(page.status, 303, "{}", page.text);
        Url::parse(&page.location).unwrap()
    }

    /// The path by which the provider sends the browser back.
    fn back(&self, page: &Url) -> String {
        let code = self.provider.sign_in(page);
        with(&format!("/login/oidc/callback?state={}", parameter(page, "state")), "code", &code)
    }

    /// All of it.
    async fn sign_in(&self, browser: &Browser) -> Page {
        let page = self.go(browser, "/login/oidc").await;
        browser.get(&self.house, &self.back(&page)).await
    }

    /// Nobody is let in where the provider says this.
    async fn refuses(&self, what: &str, status: u16, claims: Value, expected: &str) {
        self.provider.change(|state| state.claims = claims);
        let browser = Browser::default();
        let page = self.sign_in(&browser).await;
        assert_eq!(page.status, status, "{what}: {}", page.text);
        assert!(page.text.contains(expected), "{what}: {}", page.text);
        assert_eq!(browser.get(&self.house, "/").await.status, 303, "{what}: not signed in");
        assert!(!page.cookies.iter().any(|cookie| cookie.starts_with("leadpact=")), "{what}");
        for secret in ["eyJ", "access token", SECRET, "code 0"] {
            assert!(!page.text.contains(secret), "{what}: {secret} shows");
        }
    }

    async fn settings_in_journal(&self) -> Vec<String> {
        let entries = journal::recent(&self.house.db, &ConnectionName::new("acme-hubspot"), 0, 100).await.unwrap();
        entries.iter().map(|entry| format!("{:?}", entry.entry.fact.detail)).collect()
    }
}

fn parameter(url: &Url, name: &str) -> String {
    let found = url.query_pairs().find(|(n, _)| n == name);
    found.map(|(_, value)| value.into_owned()).unwrap_or_else(|| panic!("no {name} in {url}"))
}

fn with(path: &str, name: &str, value: &str) -> String {
    let value: String = url::form_urlencoded::byte_serialize(value.as_bytes()).collect();
    format!("{path}&{name}={value}")
}

async fn from_the_button_to_the_page(scene: &Scene) {
    scene.with_dana(Role::Operator).await;
    let browser = Browser::default();
    let login = browser.get(&scene.house, "/login?next=%2Faccount%3Fx%3D1").await;
    assert!(login.text.contains("Sign in with Acme &#60;b&#62;Accounts"), "{}", login.text);
    assert!(login.text.contains(r#"href="/login/oidc?next=%2Faccount%3Fx%3D1""#), "{}", login.text);

    let page = scene.go(&browser, "/login/oidc?next=%2Faccount%3Fx%3D1").await;
    assert!(page.as_str().starts_with(&format!("{}/authorize?", scene.provider.issuer)), "{page}");
    let redirect = format!("http://{}/login/oidc/callback", scene.house.admin);
    assert_eq!(parameter(&page, "redirect_uri"), redirect);
    assert_eq!(
        (parameter(&page, "response_type"), parameter(&page, "scope")),
        ("code".into(), "openid email profile".into())
    );
    assert_ne!(parameter(&page, "state"), parameter(&page, "nonce"));

    let back = browser.get(&scene.house, &scene.back(&page)).await;
    assert_eq!((back.status, back.location.as_str()), (303, "/account?x=1"), "{}", back.text);
    let spent = back.cookies.iter().find(|cookie| cookie.starts_with("leadpact-oidc=;")).expect("taken back");
    assert!(spent.contains("Max-Age=0"), "{spent}");
    let session = back.cookies.iter().find(|cookie| cookie.starts_with("leadpact=")).expect("a session");
    assert!(session.contains("HttpOnly") && session.contains("SameSite=Lax"), "{session}");
    let shown = browser.get(&scene.house, "/account").await;
    assert!(shown.text.contains("Dana of old") && shown.text.contains("operator"), "{}", shown.text);
    let told = scene.settings_in_journal().await;
    assert!(told.iter().any(|note| note.contains("Dana of old signs in with Acme")), "{told:?}");

    // The second time nothing is bound, and the address plays no part.
    scene.provider.change(|state| state.claims = json!({ "email": "moved@elsewhere.example" }));
    assert_eq!(scene.sign_in(&Browser::default()).await.status, 303);
    assert_eq!(scene.settings_in_journal().await.len(), told.len());
    assert_eq!((scene.provider.asked("/jwks"), scene.provider.asked("/token")), (1, 2), "it is read once");
}

#[tokio::test]
async fn somebody_with_an_account_signs_in_on_sqlite() {
    from_the_button_to_the_page(&Scene::start().await).await;
}

#[tokio::test]
async fn somebody_with_an_account_signs_in_on_postgres() {
    let provider = Provider::start(at_work());
    if let Some(house) = House::with_oidc_on_postgres(settings(&provider)).await {
        from_the_button_to_the_page(&Scene { house, provider }).await;
    }
}

#[tokio::test]
async fn behind_https_the_cookies_are_of_this_host_alone() {
    let provider = Provider::start(at_work());
    let house = House::with_oidc(settings(&provider), Some("https://pages.acme.example")).await;
    let scene = Scene { house, provider };
    scene.with_dana(Role::Viewer).await;
    let browser = Browser::default();
    let begun = browser.get(&scene.house, "/login/oidc").await;
    let cookie = &begun.cookies[0];
    for part in ["__Host-leadpact-oidc=", "; Secure", "; HttpOnly", "; SameSite=Lax", "; Path=/", "; Max-Age=600"] {
        assert!(cookie.contains(part), "{cookie}");
    }
    let page = Url::parse(&begun.location).unwrap();
    assert_eq!(parameter(&page, "redirect_uri"), "https://pages.acme.example/login/oidc/callback");
    let back = browser.get(&scene.house, &scene.back(&page)).await;
    assert_eq!((back.status, back.location.as_str()), (303, "/"));
}

#[tokio::test]
async fn without_a_provider_there_is_no_button_and_nothing_behind_it() {
    let house = House::start().await;
    let browser = Browser::default();
    assert!(!browser.get(&house, "/login").await.text.contains("/login/oidc"));
    for path in ["/login/oidc", "/login/oidc/callback?state=x&code=y"] {
        assert_eq!(browser.get(&house, path).await.status, 404, "{path}");
    }
}

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
