//! Who may sign in to a running daemon: accounts and tokens are made and ended from a second process,
//! and that holds at once.

use crate::agreements::follow_up;
use crate::daemon::{leadpact, run};
use crate::house::{Engine, House, on_both};
use std::io::Write;
use std::process::{Output, Stdio};

const PASSWORD: &str = "correct horse battery";

fn said(done: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr))
}

/// Runs a command beside the daemon and answers what it printed.
fn command(house: &House, arguments: &[&str]) -> String {
    let done = run(arguments, &house.file("leadpact.toml"));
    assert!(done.status.success(), "{arguments:?}: {}", said(&done));
    said(&done)
}

/// The same with something on its standard input.
fn told(house: &House, arguments: &[&str], input: &str) -> Output {
    let mut command = leadpact(arguments, &house.file("leadpact.toml"));
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // A command that refuses before it reads has closed its end already.
    let _ = writeln!(child.stdin.take().unwrap(), "{input}");
    child.wait_with_output().unwrap()
}

struct Browser {
    base: String,
    client: reqwest::Client,
}

impl Browser {
    fn at(house: &House) -> Self {
        let client = reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none());
        Self { base: format!("http://127.0.0.1:{}", house.port), client: client.build().unwrap() }
    }

    /// The cookie of a new session, where the password opens one.
    async fn sign_in(&self, login: &str, password: &str) -> Option<String> {
        let form = [("login", login), ("password", password)];
        let answer = self.client.post(format!("{}/login", self.base)).form(&form).send().await.unwrap();
        let cookie = answer.headers().get("set-cookie")?.to_str().unwrap().split(';').next();
        cookie.map(str::to_owned)
    }

    async fn status(&self, path: &str, header: (&str, &str)) -> u16 {
        let request = self.client.get(format!("{}{path}", self.base)).header(header.0, header.1);
        request.send().await.unwrap().status().as_u16()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_account_made_beside_the_daemon_signs_in_and_is_ended_at_once() {
    on_both(&follow_up(), async |house| {
        house.start().await;
        assert!(command(house, &["user", "list"]).contains("Nobody can sign in yet"));
        let add = ["user", "add", "Pat@Acme.example", "--name", "Pat Person", "--role", "operator", "--password-stdin"];
        assert!(said(&told(house, &add, "too short")).contains("at least 12 characters"));
        let added = told(house, &add, PASSWORD);
        assert!(added.status.success() && said(&added).contains("is operator from now on"), "{}", said(&added));
        assert!(!told(house, &add, PASSWORD).status.success(), "the login is taken");

        let browser = Browser::at(house);
        assert_eq!(browser.sign_in("pat@acme.example", "something else").await, None);
        let cookie = browser.sign_in("pat@acme.example", PASSWORD).await.expect("a session");
        assert_eq!(browser.status("/", ("Cookie", &cookie)).await, 200);
        assert!(command(house, &["user", "sessions", "pat@acme.example"]).contains("from 127.0.0.1"));

        assert!(command(house, &["user", "revoke", "pat@acme.example"]).contains("Ended 1 session"));
        assert_eq!(browser.status("/", ("Cookie", &cookie)).await, 303);
        let cookie = browser.sign_in("pat@acme.example", PASSWORD).await.expect("a session");
        command(house, &["user", "disable", "pat@acme.example"]);
        assert_eq!(browser.status("/", ("Cookie", &cookie)).await, 303);
        assert_eq!(browser.sign_in("pat@acme.example", PASSWORD).await, None);
        command(house, &["user", "enable", "pat@acme.example"]);
        command(house, &["user", "role", "pat@acme.example", "viewer"]);
        assert!(command(house, &["user", "list"]).contains("viewer    Pat Person"));

        let link = command(house, &["user", "password", "pat@acme.example", "--link"]);
        let link = link.split_whitespace().last().unwrap();
        assert_eq!(browser.sign_in("pat@acme.example", PASSWORD).await, None, "the old one ended");
        let form = [("password", "another long password"), ("again", "another long password")];
        assert_eq!(browser.client.post(link).form(&form).send().await.unwrap().status(), 303, "{link}");
        assert!(browser.sign_in("pat@acme.example", "another long password").await.is_some());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_is_shown_once_and_works_until_it_is_taken_back() {
    on_both(&follow_up(), async |house| {
        house.start().await;
        let made = run(&["token", "add", "reports", "--scope", "read", "--days", "30"], &house.file("leadpact.toml"));
        let token = String::from_utf8(made.stdout).unwrap().trim().to_owned();
        assert!(token.starts_with("leadpact_") && !token.contains(char::is_whitespace), "{token}");
        let listed = command(house, &["token", "list"]);
        assert!(listed.contains("reports") && listed.contains("read") && !listed.contains(&token), "{listed}");
        let (browser, header) = (Browser::at(house), format!("Bearer {token}"));
        assert_eq!(browser.status("/api/v1/clocks", ("Authorization", &header)).await, 200);
        command(house, &["token", "revoke", "reports"]);
        assert_eq!(browser.status("/api/v1/clocks", ("Authorization", &header)).await, 401);
        let again = run(&["token", "revoke", "reports"], &house.file("leadpact.toml"));
        assert_eq!(again.status.code(), Some(1));
        assert!(command(house, &["audit", "verify"]).contains("hubspot"));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_is_added_wrongly_is_told_why() {
    let house = House::open(Engine::Sqlite, &follow_up()).await.unwrap();
    let add = |more: &[&str]| {
        let arguments = [&["user", "add", "sam@acme.example", "--name", "Sam", "--link"], more].concat();
        run(&arguments, &house.file("leadpact.toml"))
    };
    let title = ["--title", "CMO", "--party"];
    for (more, why) in [
        (["--role", "owner"].as_slice(), "the roles are viewer, operator, signer, admin"),
        (&[&["--role", "viewer"], title.as_slice(), &["marketing"]].concat(), "a viewer does not sign"),
        (&[&["--role", "signer"], title.as_slice(), &["nobody"]].concat(), "no party that signs is called `nobody`"),
    ] {
        let done = add(more);
        assert!(!done.status.success() && said(&done).contains(why), "{more:?}: {}", said(&done));
    }
    let terminal = run(&["user", "add", "sam@acme.example", "--name", "Sam"], &house.file("leadpact.toml"));
    assert!(said(&terminal).contains("--password-stdin or --link"), "{}", said(&terminal));
    let unknown = run(&["user", "disable", "sam@acme.example"], &house.file("leadpact.toml"));
    assert!(said(&unknown).contains("there is no account of sam@acme.example"), "{}", said(&unknown));
}
