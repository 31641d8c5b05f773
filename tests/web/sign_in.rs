//! Signing in to a CRM with a browser, against the sandbox's HubSpot: the way that works, and every way
//! that must not.

use crate::house::{agreement, connection, http, listener, salesforce};
use leadpact::crm::connection::{Connection, HubSpot as HubSpotSettings, HubSpotAuth, Platform};
use leadpact::crm::hubspot::HubSpot;
use leadpact::crm::{Crm, SharedCrm};
use leadpact::engine::clock::{Clock, real_now};
use leadpact::engine::context::Parts;
use leadpact::engine::credentials::Credentials;
use leadpact::engine::directory::Directory;
use leadpact::engine::ingest::Ingest;
use leadpact::engine::sign_in::{SignIns, issue};
use leadpact::engine::switches::Acts;
use leadpact::engine::{Engine, Site};
use leadpact::notify::{Notifiers, Templates};
use leadpact::record::{ConnectionName, Object};
use leadpact::sandbox::{HUBSPOT_CLIENT_ID, HubSpotOrg, Sandbox, SandboxOptions};
use leadpact::store::seal::{Keys, new_key};
use leadpact::store::{Db, OpenOptions, journal};
use leadpact::web::{Web, serve};
use reqwest::header::{HeaderMap, LOCATION, SET_COOKIE};
use secrecy::{ExposeSecret, SecretString};
use sqlx::{AssertSqlSafe, Connection as _};
use std::sync::{Arc, Mutex};
use tokio_util::sync::CancellationToken;
use url::Url;

const PORTAL: u64 = 45_540_012;
const ACME: &str = "acme-hubspot";
const BETA: &str = "beta-hubspot";

/// A daemon's web floor with two HubSpot connections to sign in to, and a Salesforce one without.
struct Town {
    sandbox: Sandbox,
    db: Db,
    url: String,
    credentials: Credentials,
    /// Where the daemon answers, with and without TLS before it.
    base: String,
    _folder: tempfile::TempDir,
}

#[derive(Clone)]
struct Page {
    status: u16,
    headers: HeaderMap,
    text: String,
}

impl Page {
    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    fn location(&self) -> Url {
        Url::parse(self.header(LOCATION.as_str()))
            .unwrap_or_else(|_| panic!("no redirect: {} {}", self.status, self.text))
    }

    /// The name and value of the cookie that it sets.
    fn cookie(&self) -> String {
        self.header(SET_COOKIE.as_str()).split(';').next().unwrap().to_owned()
    }
}

/// Keeps the one cookie that it was given.
#[derive(Default)]
struct Browser(Mutex<String>);

impl Browser {
    async fn send(&self, request: reqwest::RequestBuilder) -> Page {
        let cookie = self.0.lock().unwrap().clone();
        let response = request.header("Cookie", cookie).send().await.unwrap();
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let page = Page { status, headers, text: response.text().await.unwrap() };
        if page.headers.contains_key(SET_COOKIE) {
            *self.0.lock().unwrap() = page.cookie();
        }
        page
    }

    async fn get(&self, url: impl AsRef<str>) -> Page {
        self.send(client().get(url.as_ref())).await
    }

    async fn post(&self, url: &str, form: &[(&str, &str)]) -> Page {
        self.send(client().post(url).form(form)).await
    }
}

fn client() -> reqwest::Client {
    reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).build().unwrap()
}

fn hubspot(name: &str, crm: &str, portal: u64) -> Connection {
    let settings = HubSpotSettings {
        portal_id: Some(portal),
        auth: HubSpotAuth::Browser {
            client_id: HUBSPOT_CLIENT_ID.into(),
            client_secret: "shh".into(),
            login_url: crm.to_owned(),
        },
        webhook_secret: vec!["shh".into()],
        lead_object: "contacts".to_owned(),
    };
    let connection = connection(name, Platform::HubSpot(settings));
    Connection { base_url: crm.to_owned(), api_version: "2026-03".to_owned(), ..connection }
}

impl Town {
    async fn start() -> Self {
        Self::of_portal(PORTAL, None).await
    }

    /// `told` is the public address, where a proxy stands before it.
    async fn of_portal(portal: u64, told: Option<&str>) -> Self {
        let org = HubSpotOrg {
            portal_id: PORTAL,
            token: "unused".into(),
            client_secret: "shh".into(),
            webhook_url: "http://127.0.0.1:9/".into(),
        };
        let listen = "127.0.0.1:0".parse().unwrap();
        let options = SandboxOptions { clock: Arc::new(real_now), hubspot: Some(org), salesforce: None, listen };
        let sandbox = Sandbox::start(options).await.unwrap();
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}", folder.path().join("test.db").display());
        let db = Db::open(&url, &OpenOptions::default()).await.unwrap();
        let credentials = Credentials::new(db.clone(), Keys::read(&[SecretString::from(new_key())]).unwrap());

        let agreement = agreement();
        let of = |name: &str| {
            let connection = hubspot(name, &sandbox.base_url(), portal);
            let crm = HubSpot::new(connection.clone(), &agreement.dictionary, http());
            let crm: SharedCrm = Arc::new(crm.keeping(credentials.keeper(&connection.name)));
            (connection, crm)
        };
        let site = |(connection, crm): (Connection, SharedCrm)| {
            let (directory, acts, agreement) = (Directory::default(), Acts::Never, agreement.clone());
            let (stirred, issued) = Default::default();
            Arc::new(Site { connection, crm, agreement, acts, directory, stirred, issued })
        };
        let sites = [of(ACME), of(BETA), salesforce(&agreement)].map(site).to_vec();
        let notifiers = Notifiers::new(Templates::load(None).unwrap(), None, None).unwrap();
        let parts = Parts { db: db.clone(), clock: Clock::real(), notifiers, notify_in_observe: false };
        let engine = Arc::new(Engine::new(parts, "test", sites));
        let ingest = Ingest::start(db.clone(), &engine.sites());
        let (public, admin) = (listener(), listener());
        let base = format!("http://{}", public.local_addr().unwrap());
        let told = told.unwrap_or(&base).to_owned();
        let mut web = Web::new(engine, ingest, &told, CancellationToken::new());
        web.sign_ins = Some(SignIns::new(credentials.clone(), http(), &told));
        tokio::spawn(serve(Arc::new(web), public, Some(admin), 1).unwrap().run());
        Self { sandbox, db, url, credentials, base, _folder: folder }
    }

    async fn ticket(&self, name: &str) -> String {
        let name = ConnectionName::new(name);
        issue(&self.db, &name, "dana", real_now()).await.unwrap().expose_secret().to_owned()
    }

    fn at(&self, name: &str) -> String {
        format!("{}/connect/{name}", self.base)
    }

    /// Opens a link, presses the button, and answers the CRM's page that follows.
    async fn begin(&self, browser: &Browser, name: &str) -> Url {
        let ticket = self.ticket(name).await;
        let page = browser.post(&self.at(name), &[("ticket", &ticket)]).await;
        assert_eq!(page.status, 303, "{}", page.text);
        page.location()
    }

    /// Presses a button on the CRM's page: where it sends the browser back to.
    async fn answer(&self, crm: &Url, answer: &str) -> String {
        let page = Browser::default().post(crm.as_str(), &[("answer", answer)]).await;
        assert_eq!(page.status, 302, "{}", page.text);
        page.location().to_string()
    }

    /// Until the CRM sends the browser back.
    async fn on_the_way_back(&self, browser: &Browser, name: &str) -> String {
        let crm = self.begin(browser, name).await;
        self.answer(&crm, "allow").await
    }

    async fn account(&self, name: &str) -> Option<String> {
        let kept = self.credentials.keeper(&ConnectionName::new(name)).kept().await.unwrap();
        kept.and_then(|kept| kept.grant.account)
    }

    /// That nothing was asked of the CRM, and nothing kept.
    async fn is_untouched(&self) -> bool {
        self.sandbox.calls("hubspot.token").is_empty()
            && self.account(ACME).await.is_none()
            && self.account(BETA).await.is_none()
    }

    async fn meddle(&self, sql: &str) {
        let mut hand = sqlx::SqliteConnection::connect(&self.url).await.unwrap();
        sqlx::query(AssertSqlSafe(sql.to_owned())).execute(&mut hand).await.unwrap();
    }
}

fn with_parameter(url: &str, name: &str, value: Option<&str>) -> String {
    let mut url = Url::parse(url).unwrap();
    let others: Vec<(String, String)> =
        url.query_pairs().filter(|(n, _)| n != name).map(|(n, v)| (n.into(), v.into())).collect();
    url.query_pairs_mut().clear().extend_pairs(others);
    if let Some(value) = value {
        url.query_pairs_mut().append_pair(name, value);
    }
    url.to_string()
}

#[tokio::test]
async fn from_a_link_to_the_first_read_of_a_record() {
    let town = Town::start().await;
    let browser = Browser::default();
    let ticket = town.ticket(ACME).await;
    let link = format!("{}?ticket={ticket}", town.at(ACME));
    for _ in 0..3 {
        // Whoever only looks at an address, as filters of mail do, uses nothing up.
        let page = browser.get(&link).await;
        assert_eq!(page.status, 200, "{}", page.text);
        for said in [
            "45540012",
            ACME,
            "Sign in to HubSpot",
            "Acme sales and marketing agreement",
            "2027 first half",
            "crm.objects.contacts.read",
        ] {
            assert!(page.text.contains(said), "{said}: {}", page.text);
        }
        let crm = town.sandbox.base_url();
        let policy = page.header("content-security-policy");
        assert!(policy.starts_with("default-src 'none'; style-src 'self';"), "{policy}");
        assert!(policy.contains(&format!("form-action 'self' https: {crm};")), "{policy}");
        assert_eq!(page.header("referrer-policy"), "no-referrer");
        assert_eq!(page.header("cache-control"), "no-store");
        assert!(page.cookie().is_empty());
    }
    let onward = browser.post(&town.at(ACME), &[("ticket", &ticket)]).await;
    assert_eq!((onward.status, onward.header("cache-control")), (303, "no-store"));
    let cookie = onward.header("set-cookie");
    assert!(cookie.starts_with("leadpact-connect=") && !cookie.contains("Secure"), "no TLS, no prefix: {cookie}");
    for said in ["HttpOnly", "SameSite=Lax", "Path=/", "Max-Age=900"] {
        assert!(cookie.contains(said), "{cookie}");
    }
    let crm = onward.location();
    assert!(town.is_untouched().await);

    let back = town.answer(&crm, "allow").await;
    let page = browser.get(&back).await;
    assert_eq!(page.status, 200, "{}", page.text);
    assert!(page.text.contains("HubSpot is connected") && page.text.contains("leadpact doctor acme-hubspot"));
    assert!(page.header("set-cookie").contains("Max-Age=0"), "the cookie is taken back");
    assert_eq!(town.account(ACME).await.as_deref(), Some("45540012"));
    assert_eq!(town.account(BETA).await, None);
    let journal = journal::recent(&town.db, &ConnectionName::new(ACME), 0, 10).await.unwrap();
    let told = &journal[0].entry.fact;
    assert_eq!(
        (&*told.item, &told.detail["to"], &told.detail["by"]),
        ("sign-in", &"account 45540012".into(), &"dana".into())
    );

    let connection = hubspot(ACME, &town.sandbox.base_url(), PORTAL);
    let crm = HubSpot::new(connection, &agreement().dictionary, http());
    let crm = crm.keeping(town.credentials.keeper(&ConnectionName::new(ACME)));
    let reads = crm.read(Object::Lead, &["1".into()]).await;
    assert!(reads.is_ok(), "{reads:?}");

    let again = browser.get(&back).await;
    assert_eq!(again.status, 400, "a state counts once: {}", again.text);
    assert_eq!(town.sandbox.calls("hubspot.token").len(), 1);
}

#[tokio::test]
async fn behind_tls_the_cookie_is_of_this_host_alone() {
    let town = Town::of_portal(PORTAL, Some("https://leadpact.acme.example/sub/")).await;
    let ticket = town.ticket(ACME).await;
    let page = Browser::default().post(&town.at(ACME), &[("ticket", &ticket)]).await;
    let cookie = page.header("set-cookie");
    assert!(cookie.starts_with("__Host-leadpact-connect="), "{cookie}");
    assert!(cookie.contains("Secure") && cookie.contains("Path=/") && !cookie.contains("Domain"), "{cookie}");
    let redirect = page.location().query_pairs().find(|(name, _)| name == "redirect_uri").unwrap().1.into_owned();
    assert_eq!(redirect, "https://leadpact.acme.example/sub/connect/acme-hubspot/callback");
    let asked = Browser::default().get(format!("{}?ticket={}", town.at(ACME), town.ticket(ACME).await)).await;
    assert!(asked.text.contains("action=\"/sub/connect/acme-hubspot\"") && asked.text.contains("/sub/assets/style."));
}

#[tokio::test]
async fn an_answer_counts_with_its_own_state_alone() {
    let town = Town::start().await;
    let browser = Browser::default();
    let back = town.on_the_way_back(&browser, ACME).await;
    let other = town.on_the_way_back(&Browser::default(), ACME).await;
    let state = |url: &str| Url::parse(url).unwrap().query_pairs().find(|(n, _)| n == "state").unwrap().1.into_owned();
    for (what, url) in [
        ("no state", with_parameter(&back, "state", None)),
        ("an empty one", with_parameter(&back, "state", Some(""))),
        ("a wrong one", with_parameter(&back, "state", Some("AAAA"))),
        ("a ticket for a state", with_parameter(&back, "state", Some(&town.ticket(ACME).await))),
        ("two of them", format!("{back}&state={}", state(&back))),
        ("nothing at all", format!("{}/callback", town.at(ACME))),
    ] {
        let page = browser.get(&url).await;
        assert_eq!(page.status, 400, "{what}: {}", page.text);
        assert!(page.text.contains("This sign-in is not open") && page.text.contains("leadpact connect"), "{what}");
        assert!(town.is_untouched().await, "{what}");
    }
    let page = browser.get(with_parameter(&back, "state", Some(&state(&other)))).await;
    assert_eq!(page.status, 403, "another browser's state: {}", page.text);
    assert!(town.is_untouched().await);
    assert_eq!(browser.get(&back).await.status, 200, "its own still counts");
}

#[tokio::test]
async fn an_answer_counts_in_the_browser_that_asked_alone() {
    let town = Town::start().await;
    let (one, two) = (Browser::default(), Browser::default());
    let first = town.on_the_way_back(&one, ACME).await;
    let second = town.on_the_way_back(&two, ACME).await;
    for (what, browser, url) in
        [("no cookie", &Browser::default(), &first), ("swapped", &two, &first), ("swapped back", &one, &second)]
    {
        let page = browser.get(url).await;
        assert_eq!(page.status, 403, "{what}: {}", page.text);
        assert!(page.text.contains("in another browser"), "{what}: {}", page.text);
        assert!(page.cookie().is_empty(), "its own sign-in may go on: {what}");
        assert!(town.is_untouched().await, "{what}");
    }
    assert_eq!(two.get(&second).await.status, 200);
}

#[tokio::test]
async fn an_answer_counts_for_its_connection_and_in_time_alone() {
    let town = Town::start().await;
    let browser = Browser::default();
    let back = town.on_the_way_back(&browser, ACME).await;
    let page = browser.get(back.replace(ACME, BETA)).await;
    assert_eq!(page.status, 400, "{}", page.text);
    assert!(page.text.contains("for another connection") && town.is_untouched().await, "{}", page.text);
    town.meddle("UPDATE sign_in SET connection = 'beta-hubspot'").await;
    let page = browser.get(back.replace(ACME, BETA)).await;
    assert_eq!(page.status, 500, "the verifier is bound to its connection: {}", page.text);
    assert!(town.is_untouched().await);
    town.meddle("UPDATE sign_in SET connection = 'acme-hubspot', expires_at = 1").await;
    let page = browser.get(&back).await;
    assert_eq!(page.status, 400, "{}", page.text);
    assert!(page.text.contains("took too long") && town.is_untouched().await, "{}", page.text);
}

#[tokio::test]
async fn a_link_works_once_in_time_and_for_its_connection() {
    let town = Town::start().await;
    let browser = Browser::default();
    let refused = async |ticket: &str, name: &str, says: &str| {
        let looked = browser.get(format!("{}?ticket={ticket}", town.at(name))).await;
        let pressed = browser.post(&town.at(name), &[("ticket", ticket)]).await;
        for page in [looked, pressed] {
            assert_eq!(page.status, 403, "{}", page.text);
            assert!(page.text.contains(says) && !page.text.contains("<form"), "{says}: {}", page.text);
            assert!(page.cookie().is_empty());
        }
    };
    refused("AAAA", ACME, "does not work any more").await;
    let ticket = town.ticket(ACME).await;
    refused(&ticket, BETA, "for another connection").await;
    let used = town.ticket(ACME).await;
    assert_eq!(browser.post(&town.at(ACME), &[("ticket", &used)]).await.status, 303);
    refused(&used, ACME, "does not work any more").await;
    town.meddle("UPDATE sign_in SET expires_at = 1").await;
    refused(&ticket, ACME, "has expired").await;
    assert!(town.is_untouched().await);
    for strange in ["", "ticket=a&ticket=b", "something=else"] {
        let request = client().post(town.at(ACME)).header("Content-Type", "application/x-www-form-urlencoded");
        assert_eq!(browser.send(request.body(strange)).await.status, 403, "{strange}");
    }
    assert_eq!(browser.send(client().post(town.at(ACME)).body("no form")).await.status, 403);
}

#[tokio::test]
async fn whoever_signs_in_to_another_account_connects_nothing() {
    let town = Town::of_portal(777, None).await;
    let browser = Browser::default();
    let back = town.on_the_way_back(&browser, ACME).await;
    let page = browser.get(&back).await;
    assert_eq!(page.status, 403, "{}", page.text);
    assert!(page.text.contains("was not connected") && page.text.contains("45540012"), "{}", page.text);
    assert_eq!(town.account(ACME).await, None);
    assert!(journal::recent(&town.db, &ConnectionName::new(ACME), 0, 10).await.unwrap().is_empty());
    assert_eq!(browser.get(&back).await.status, 400, "and the state is used up");
}

#[tokio::test]
async fn who_declines_is_told_so_and_nothing_was_asked() {
    let town = Town::start().await;
    let browser = Browser::default();
    let crm = town.begin(&browser, ACME).await;
    let back = town.answer(&crm, "deny").await;
    let hostile = with_parameter(&back, "error_description", Some("<script>alert(1)</script>"));
    let stranger = browser.get(with_parameter(&hostile, "state", Some("AAAA"))).await;
    assert_eq!(stranger.status, 400);
    assert!(!stranger.text.contains("alert"), "what comes without a state is not shown: {}", stranger.text);
    let page = browser.get(&hostile).await;
    assert_eq!(page.status, 400, "{}", page.text);
    assert!(page.text.contains("was declined") && !page.text.contains("<script"), "{}", page.text);
    assert!(page.text.contains("&#60;script&#62;"), "{}", page.text);
    assert!(town.is_untouched().await);
    assert_eq!(browser.get(&back).await.status, 400, "and the state is used up");
}

#[tokio::test]
async fn a_crm_that_does_not_answer_is_said_to() {
    let town = Town::start().await;
    let browser = Browser::default();
    let back = town.on_the_way_back(&browser, ACME).await;
    let page = browser.get(with_parameter(&back, "code", Some("code-of-nobody"))).await;
    assert_eq!(page.status, 403, "{}", page.text);
    assert!(page.text.contains("was not connected") && town.account(ACME).await.is_none(), "{}", page.text);
}

#[tokio::test]
async fn addresses_without_a_link_tell_how_to_get_one() {
    let town = Town::start().await;
    let browser = Browser::default();
    for (name, status, says) in [
        (ACME, 200, "leadpact connect acme-hubspot"),
        ("acme-salesforce", 404, "with the credentials of its configuration"),
        ("nobody", 404, "no connection of this name"),
        ("%3Cscript%3E", 404, "no connection of this name"),
    ] {
        let page = browser.get(town.at(name)).await;
        assert_eq!(page.status, status, "{name}: {}", page.text);
        assert!(page.text.contains(says) && !page.text.contains("<script"), "{name}: {}", page.text);
        assert!(page.header("content-security-policy").contains("form-action 'none';"));
    }
    for name in ["acme-salesforce", "nobody"] {
        assert_eq!(browser.get(format!("{}/callback?code=a&state=b", town.at(name))).await.status, 404);
        assert_eq!(browser.post(&town.at(name), &[("ticket", "a")]).await.status, 404);
    }
    let style = browser.get(format!("{}{}", town.base, leadpact::web::assets::url("style.css"))).await;
    assert_eq!((style.status, style.header("content-type")), (200, "text/css; charset=utf-8"));
    assert_eq!(browser.get(format!("{}/", town.base)).await.status, 404, "pages stay inside");
}
