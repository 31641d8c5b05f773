//! Single sign-on from outside, against a pretend identity provider: the way that works, and every way
//! that must not.

mod attacks;
mod provider;
mod roles;

use crate::house::{House, Person, account, at_work};
use leadpact::engine::oidc::{OidcSettings, Others};
use leadpact::record::{ConnectionName, Elapsed};
use leadpact::store::account::{self as accounts, Account};
use leadpact::store::role::Role;
use leadpact::store::secret::Secret;
use leadpact::store::session::{self, From};
use leadpact::store::{Priority, journal};
use provider::{CLIENT, Provider, SECRET};
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
        session: Elapsed::from_secs(3600),
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

    /// However they came in.
    async fn session_of(&self, account: &Account) -> Person {
        let secret = Secret::fresh("");
        let mut tx = self.house.db.begin(Priority::Work).await.unwrap();
        session::begin(&mut tx, &secret, &account.id, From::default(), at_work()).await.unwrap();
        tx.commit().await.unwrap();
        Person::of(account.clone(), secret)
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

/// Whoever loses a group at the provider is out then: each sign-in asks for the role anew.
#[tokio::test]
async fn a_session_ends_when_the_provider_is_to_be_asked_again_however_much_it_is_used() {
    let scene = Scene::with(|settings| settings.session = Elapsed::from_secs(7_200)).await;
    scene.with_dana(Role::Operator).await;
    let (browser, began) = (Browser::default(), scene.house.clock.now());
    let back = scene.sign_in(&browser).await;
    let cookie = back.cookies.iter().find(|cookie| cookie.starts_with("leadpact=")).expect("a session");
    assert!(cookie.contains("Max-Age=7200"), "{cookie}");
    for (seconds, status) in [(3_600, 200), (7_199, 200), (7_200, 303)] {
        scene.house.clock.set(began + Elapsed::from_secs(seconds));
        assert_eq!(browser.get(&scene.house, "/account").await.status, status, "after {seconds} s");
        // Of a password nobody else decides.
        assert_eq!(scene.house.get("/account").await.status(), 200);
    }
}

#[tokio::test]
async fn who_signed_out_is_shown_the_way_out_of_the_provider_too() {
    let scene = Scene::start().await;
    let out = |scene: &Scene| format!("{}/logout?x=1", scene.provider.issuer);
    scene.provider.change(|state| state.sign_out = Some("http://accounts.acme.example/out".to_owned()));
    let dana = scene.with_dana(Role::Operator).await;
    // Before anybody is bound to the account, there is nobody to sign out there.
    let session = scene.session_of(&dana).await;
    assert_eq!(read(scene.house.post_as(&session, "/logout", &[]).await).await.location, "/login");
    assert_eq!(scene.sign_in(&Browser::default()).await.status, 303);
    let session = scene.session_of(&dana).await;
    let away = read(scene.house.post_as(&session, "/logout", &[]).await).await;
    assert_eq!((away.status, away.location.as_str()), (303, "/login/oidc/out"));
    assert_eq!(scene.house.get_as(&session, "/account").await.status(), 303, "signed out here");
    let page = Browser::default().get(&scene.house, &away.location).await;
    assert!(page.text.contains("You are signed out") && !page.text.contains("accounts.acme.example"), "in the clear");

    // What is no address keeps nobody from signing in.
    let scene = Scene::start().await;
    scene.provider.change(|state| state.sign_out = Some("nowhere".to_owned()));
    scene.with_dana(Role::Operator).await;
    assert_eq!(scene.sign_in(&Browser::default()).await.status, 303);

    let scene = Scene::start().await;
    let elsewhere = out(&scene);
    scene.provider.change(|state| state.sign_out = Some(elsewhere));
    let page = Browser::default().get(&scene.house, "/login/oidc/out").await;
    let from = page.text.split("href=\"").find(|rest| rest.starts_with(&out(&scene)));
    let link = from.expect("a link").split('"').next().unwrap().replace("&#38;", "&");
    let url = Url::parse(&link).unwrap();
    assert_eq!((parameter(&url, "x"), parameter(&url, "client_id")), ("1".to_owned(), CLIENT.to_owned()));
    let back = format!("http://{}/login", scene.house.admin);
    assert_eq!(parameter(&url, "post_logout_redirect_uri"), back);
    assert!(!link.contains("id_token_hint"), "no token is kept");
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
