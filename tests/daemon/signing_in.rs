//! Signing in with a browser, with the real binary: from the link that `connect` prints to a lead that is
//! read and written with what was granted, and what the other commands say of it.

use crate::agreements::follow_up;
use crate::daemon::{leadpact, run};
use crate::house::{Engine, House, HubSpot, on_both};
use leadpact::sandbox::{CrmKind, HUBSPOT_CLIENT_ID};
use leadpact::store::seal::{Keys, new_key};
use reqwest::Response;
use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Stdio};

/// The house's configuration with HubSpot signed in to by a browser.
fn by_browser(text: String, crm: &str, keys: &[&str]) -> String {
    let keys = keys.iter().map(|key| format!("\"{key}\"")).collect::<Vec<_>>().join(", ");
    let sign_in = format!(
        "sign_in = \"browser\"\nclient_id = \"{HUBSPOT_CLIENT_ID}\"\nclient_secret = \"client-secret-of-the-app\"\n\
         login_url = \"{crm}\"\n"
    );
    let text = text.replacen("access_token   = \"pat-na1-pretend\"\n", &sign_in, 1);
    text.replacen("[store]\n", &format!("[store]\ncredential_key = [{keys}]\n"), 1)
}

fn configure(house: &House, keys: &[&str]) {
    let crm = house.sandbox.base_url();
    house.configure("leadpact.toml", house.port, |text| by_browser(text, &crm, keys));
}

fn said(house: &House, arguments: &[&str]) -> (Option<i32>, String) {
    let output = run(arguments, &house.file("leadpact.toml"));
    let said = [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    (output.status.code(), said.concat())
}

/// A command that goes on while its output is read.
struct Running {
    child: Child,
    lines: BufReader<std::process::ChildStdout>,
    text: String,
}

impl Running {
    fn start(house: &House, arguments: &[&str]) -> Self {
        let mut command = leadpact(arguments, &house.file("leadpact.toml"));
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().expect("the binary starts");
        let lines = BufReader::new(child.stdout.take().expect("it is piped"));
        Self { child, lines, text: String::new() }
    }

    /// The link that it prints.
    fn link(&mut self) -> String {
        loop {
            let mut line = String::new();
            assert!(self.lines.read_line(&mut line).expect("text") > 0, "no link: {}", self.text);
            self.text.push_str(&line);
            if line.contains("?ticket=") {
                return line.trim().to_owned();
            }
        }
    }

    fn ended(mut self) -> (Option<i32>, String) {
        self.lines.read_to_string(&mut self.text).expect("text");
        (self.child.wait().expect("it ends").code(), self.text)
    }
}

fn client() -> reqwest::Client {
    reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).build().expect("a client")
}

fn location(response: &Response) -> String {
    response.headers()["location"].to_str().expect("text").to_owned()
}

/// What somebody does in a browser with that link; answers the last page, and all addresses on the way.
async fn sign_in(link: &str) -> (u16, String, Vec<String>) {
    let (at, ticket) = link.split_once("?ticket=").expect("a link");
    let form = [("ticket", ticket)];
    let onward = client().post(at).form(&form).send().await.expect("an answer");
    let cookie = onward.headers()["set-cookie"].to_str().expect("text").split(';').next().expect("one").to_owned();
    let crm = location(&onward);
    let allowed = client().post(&crm).form(&[("answer", "allow")]).send().await.expect("an answer");
    let back = location(&allowed);
    let page = client().get(&back).header("Cookie", cookie).send().await.expect("an answer");
    (page.status().as_u16(), page.text().await.expect("text"), vec![link.to_owned(), crm, back])
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn from_the_link_that_connect_prints_to_a_lead_that_is_read() {
    on_both(&follow_up(), async |house| {
        let key = new_key();
        configure(house, &[&key]);
        for object in ["contacts", "deals"] {
            house.sandbox.hubspot().schema().drop_column(object, "leadpact_violation");
        }
        house.start().await;
        let (code, list) = said(house, &["credentials"]);
        assert!(code == Some(1) && list.contains("hubspot: nobody has signed in"), "{list}");
        let (code, text) = said(house, &["doctor", "hubspot"]);
        assert!(code == Some(2) && text.contains("nobody has signed in yet"), "{text}");
        assert!(text.contains("leadpact connect hubspot") && !text.contains("copy the access token"), "{text}");

        let mut connect = Running::start(house, &["connect", "hubspot", "--yes"]);
        let link = connect.link();
        let (status, page, addresses) = sign_in(&link).await;
        assert_eq!(status, 200, "{page}");
        let (code, text) = tokio::task::spawn_blocking(move || connect.ended()).await.expect("it ends");
        assert_eq!(code, Some(0), "{text}");
        assert!(text.contains("Signed in.") && text.contains("  created   property leadpact_violation"), "{text}");

        // The daemon that ran all the time reads and writes with what was granted.
        let lead = house.lead(HubSpot, "Ada Stone", "Qualified by teleprospecting");
        house.until("the lead is known", async || !house.facts(HubSpot, &lead, "clock_started").await.is_empty()).await;
        house.until("it was read", async || !house.sandbox.calls("hubspot.batch_read").is_empty()).await;
        assert_eq!(house.sandbox.oauth(CrmKind::HubSpot).expect("an app").granted().exchanged, 1);

        let (code, list) = said(house, &["credentials"]);
        assert!(code == Some(0) && list.contains("hubspot: account 45540012, since"), "{list}");
        let (_, text) = said(house, &["doctor", "hubspot"]);
        assert!(text.contains("ok    hubspot: sign-in: account 45540012, since"), "{text}");
        let log = house.log();
        assert!(log.contains("somebody signed in with a browser"), "{log}");
        for secret in addresses
            .iter()
            .flat_map(|url| url::Url::parse(url).expect("an address").query_pairs().into_owned().collect::<Vec<_>>())
        {
            let is_secret = ["ticket", "state", "code", "code_challenge"].contains(&&*secret.0);
            assert!(!is_secret || !log.contains(&secret.1), "{} is in the log", secret.0);
        }
        assert!(!log.contains("na1-pretend-") && !list.contains("na1-pretend-"), "no token is shown");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sign_in_is_rotated_to_a_new_key_and_forgotten() {
    let house = House::open(Engine::Sqlite, &follow_up()).await.expect("SQLite is always there");
    let (old, new) = (new_key(), new_key());
    configure(&house, &[&old]);
    house.start().await;
    let (code, text) = said(&house, &["connect", "hubspot", "--no-wait"]);
    assert_eq!(code, Some(0), "{text}");
    let link = text.lines().find(|line| line.contains("?ticket=")).expect("a link").trim();
    assert_eq!(sign_in(link).await.0, 200);

    configure(&house, &[&new]);
    let (code, list) = said(&house, &["credentials"]);
    assert!(code == Some(1) && list.contains("cannot be used") && list.contains("credential_key"), "{list}");
    assert_eq!(said(&house, &["credentials", "rotate"]).0, Some(1), "no key opens it");
    configure(&house, &[&new, &old]);
    let (code, text) = said(&house, &["credentials", "rotate"]);
    assert!(code == Some(0) && text.contains("Encrypted with the first key now: hubspot."), "{text}");
    configure(&house, &[&new]);
    assert_eq!(said(&house, &["credentials"]).0, Some(0));

    let (code, text) = said(&house, &["credentials", "forget", "hubspot"]);
    assert!(code == Some(1) && text.contains("say --yes"), "{text}");
    let (code, text) = said(&house, &["credentials", "forget", "hubspot", "--yes", "--why", "it leaked"]);
    assert_eq!(code, Some(0), "{text}");
    assert_eq!(said(&house, &["credentials"]).0, Some(1));
    assert_eq!(said(&house, &["credentials", "forget", "hubspot", "--yes"]).0, Some(1));
    let (_, text) = said(&house, &["audit", "verify"]);
    assert!(text.contains("hubspot"), "the journal is whole: {text}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_the_grant_was_revoked_plain_connect_says_so_and_offers_a_new_link() {
    let house = House::open(Engine::Sqlite, &follow_up()).await.expect("SQLite is always there");
    configure(&house, &[&new_key()]);
    house.start().await;
    let (_, text) = said(&house, &["connect", "hubspot", "--no-wait"]);
    let link = text.lines().find(|line| line.contains("?ticket=")).expect("a link").trim();
    assert_eq!(sign_in(link).await.0, 200);
    let (code, text) = said(&house, &["connect", "hubspot", "--yes"]);
    assert!(code == Some(0) && !text.contains("?ticket="), "the grant does: {text}");

    house.sandbox.oauth(CrmKind::HubSpot).expect("an app").revoke_all();
    let mut connect = Running::start(&house, &["connect", "hubspot", "--yes"]);
    let link = connect.link();
    assert!(connect.text.contains("The CRM refuses what was granted before"), "{}", connect.text);
    assert!(connect.text.contains("invalid_grant"), "it says why: {}", connect.text);
    assert_eq!(sign_in(&link).await.0, 200);
    let (code, text) = tokio::task::spawn_blocking(move || connect.ended()).await.expect("it ends");
    assert!(code == Some(0) && text.contains("Signed in."), "{text}");
    assert_eq!(said(&house, &["connect", "hubspot", "--yes"]).0, Some(0), "and it does again");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_key_nobody_can_sign_in_and_it_is_said_where() {
    let house = House::open(Engine::Sqlite, &follow_up()).await.expect("SQLite is always there");
    configure(&house, &["dG9vIHNob3J0"]);
    let (code, text) = said(&house, &["check"]);
    assert!(
        code != Some(0) && text.contains("has 9 bytes, not 32") && text.contains("leadpact credentials key"),
        "{text}"
    );
    let crm = house.sandbox.base_url();
    let without = |text| by_browser(text, &crm, &[]).replacen("credential_key = []\n", "", 1);
    house.configure("leadpact.toml", house.port, without);
    let (code, text) = said(&house, &["check"]);
    assert!(code != Some(0) && text.contains("there is no key to keep the tokens safe with"), "{text}");
    assert!(text.contains("sign_in = \"browser\""), "the place is shown: {text}");
    let key = Command::new(env!("CARGO_BIN_EXE_leadpact")).args(["credentials", "key"]).output().expect("it starts");
    let key = String::from_utf8(key.stdout).expect("text");
    assert!(Keys::read(&[key.trim().into()]).is_ok(), "{key}");
}
