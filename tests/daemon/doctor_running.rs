//! What `leadpact doctor` tells of a house that runs: who works it, what comes by webhook and what
//! does not, whether the public address leads to it, and whether the installed package still fits.

use crate::agreements::follow_up;
use crate::daemon::run;
use crate::house::{Engine, House, HubSpot, pause};
use actix_web::{App, HttpResponse, HttpServer, web};
use leadpact::crm::http::Http;
use leadpact::engine::clock::real_now;
use leadpact::engine::doctor::{Check, Verdict, reached};
use leadpact::record::{ConnectionName, Elapsed};
use leadpact::sandbox::CrmKind;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

fn doctor(house: &House, file: &str, arguments: &[&str]) -> String {
    let output = run(&[&["doctor"], arguments].concat(), &house.file(file));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

async fn house() -> House {
    House::open(Engine::Sqlite, &follow_up()).await.expect("SQLite is always there")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn changes_that_only_the_sweep_found_are_named_with_the_subscription_that_is_missing() {
    let house = house().await;
    house.sandbox.set_webhook_url(CrmKind::HubSpot, "", None);
    house.start().await;
    let says = async |text: &str| doctor(&house, "leadpact.toml", &["hubspot"]).contains(text);
    house.until("it is watched", async || says("hubspot: sweep: all that was modified").await).await;
    let told = doctor(&house, "leadpact.toml", &["hubspot"]);
    assert!(told.contains("ok    hubspot: worker: a daemon is at work"), "{told}");
    assert!(told.contains("ok    hubspot: mode: enforces, by the configuration"), "{told}");
    assert!(told.contains("warn  hubspot: events: the CRM has sent none"), "{told}");

    let lead = house.lead(HubSpot, "Ada Lovelace", "Open");
    for status in ["Working", "Open", "Working", "Open"] {
        pause(20).await;
        house.amy_sets(HubSpot, &lead, &[("status", status)]);
    }
    house.take_daemon().kill();
    house.start().await;
    house.until("the sweep found it", async || says("learnt by the sweep, none by webhook").await).await;
    let told = doctor(&house, "leadpact.toml", &["hubspot"]);
    let line = told.lines().find(|line| line.contains("none by webhook")).unwrap();
    assert!(line.starts_with("warn  hubspot: subscription to lead status: "), "{line}");
    assert!(line.contains("changes of hs_lead_status in the last 7 days"), "{line}");
    assert!(line.contains("/webhooks/hubspot") && line.contains("leadpact init hubspot hubspot"), "{line}");
    house.take_daemon().kill();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn changes_that_came_by_webhook_are_counted_as_such_and_a_pause_shows_with_its_reason() {
    let house = house().await;
    house.start().await;
    let says = async |text: &str| doctor(&house, "leadpact.toml", &["hubspot"]).contains(text);
    // What happened before is the first import's business.
    house.until("it is watched", async || says("hubspot: sweep: all that was modified").await).await;
    let lead = house.lead(HubSpot, "Ada Lovelace", "Open");
    house.amy_sets(HubSpot, &lead, &[("status", "Working")]);
    house.until("it came", async || says("ok    hubspot: subscriptions: ").await).await;
    let told = doctor(&house, "leadpact.toml", &["hubspot"]);
    assert!(
        told.contains("came by webhook") && told.contains("ok    hubspot: events: the CRM last sent some "),
        "{told}"
    );
    assert!(run(&["pause", "hubspot", "--why", "audit"], &house.file("leadpact.toml")).status.success());
    let told = doctor(&house, "leadpact.toml", &["hubspot"]);
    let line =
        told.lines().find(|line| line.starts_with("warn  hubspot: mode: paused")).unwrap_or_else(|| panic!("{told}"));
    assert!(line.contains("audit") && line.contains("leadpact resume"), "{line}");
    house.take_daemon().kill();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_clock_is_told_even_where_the_credentials_are_refused() {
    let house = house().await;
    house.set_clocks(real_now() + Elapsed::from_secs(600));
    for (file, right, wrong) in [
        ("hubspot", "\"pat-na1-pretend\"", "\"old\""),
        ("salesforce", "client_secret   = \"secret\"", "client_secret = \"old\""),
    ] {
        house.configure("broken.toml", house.port, |text| text.replacen(right, wrong, 1));
        let told = doctor(&house, "broken.toml", &[file]);
        assert!(told.contains(&format!("fail  {file}: credentials: ")), "{told}");
        assert!(told.contains(&format!("fail  {file}: clock: this machine is ")), "{told}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_package_of_an_older_agreement_is_held_against_what_the_agreement_needs_now() {
    let house = house().await;
    let public = |text: String| {
        let mine = format!("public_url   = \"http://127.0.0.1:{}\"", house.port);
        assert!(text.contains(&mine));
        text.replacen(&mine, "public_url = \"https://leadpact.invalid\"", 1)
    };
    house.configure("public.toml", house.port, public);
    let folder = house.file("package");
    let folder = folder.to_str().unwrap();
    let made = run(&["init", "hubspot", "hubspot", "--out", folder], &house.file("public.toml"));
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let told = doctor(&house, "public.toml", &["hubspot", "--package", folder]);
    assert!(told.contains("ok    hubspot: package: "), "{told}");

    house.configure("public.toml", house.port, |text| public(text).replacen("\"hs_lead_status\"", "\"lifecycle\"", 1));
    let told = doctor(&house, "public.toml", &["hubspot", "--package", folder]);
    let lines: Vec<&str> = told.lines().filter(|line| line.contains("hubspot: package: ")).collect();
    assert!(
        lines[0].starts_with("fail") && lines[0].contains("subscription contact object.propertyChange lifecycle"),
        "{told}"
    );
    assert!(lines[1].starts_with("warn") && lines[1].contains("propertyChange hs_lead_status"), "{told}");

    // Generated again beside an edited file: what the manifest says is installed, that file does not ask for.
    let webhooks = house.file("package").join("src/app/webhooks/webhooks-hsmeta.json");
    let edited = std::fs::read_to_string(&webhooks)
        .unwrap()
        .replace("\"maxConcurrentRequests\": 10", "\"maxConcurrentRequests\": 9");
    std::fs::write(&webhooks, edited).unwrap();
    let again = run(&["init", "hubspot", "hubspot", "--out", folder, "--yes"], &house.file("public.toml"));
    let again = String::from_utf8_lossy(&again.stdout).into_owned();
    assert!(again.contains("kept OUT OF DATE") && again.contains("with `--overwrite`"), "{again}");
    let told = doctor(&house, "public.toml", &["hubspot", "--package", folder]);
    let line = told.lines().find(|line| line.contains("hubspot: package: ")).unwrap();
    assert!(
        line.starts_with("warn") && line.contains("webhooks-hsmeta.json") && line.contains("--overwrite"),
        "{told}"
    );
    run(&["init", "hubspot", "hubspot", "--out", folder, "--yes", "--overwrite"], &house.file("public.toml"));
    let told = doctor(&house, "public.toml", &["hubspot", "--package", folder]);
    assert!(told.contains("ok    hubspot: package: "), "{told}");

    let told = doctor(&house, "public.toml", &["hubspot", "--package", "nowhere"]);
    assert!(told.contains("fail  hubspot: package: nowhere holds no package"), "{told}");
}

/// Asks this address as doctor does.
async fn ask(base: &str, listen: SocketAddr, name: &str) -> Vec<Check> {
    let http = Http::with_timeout(Arc::new(real_now), Duration::from_secs(3)).unwrap();
    reached(&http, base, listen, &[&ConnectionName::new(name)]).await
}

/// A server that answers everything like this.
fn answers(status: u16, body: &'static str) -> SocketAddr {
    let server = HttpServer::new(move || {
        App::new().default_service(web::to(move || async move {
            HttpResponse::build(actix_web::http::StatusCode::from_u16(status).unwrap()).body(body)
        }))
    });
    let server = server.workers(1).disable_signals().bind("127.0.0.1:0").unwrap();
    let address = server.addrs()[0];
    tokio::spawn(server.run());
    address
}

fn one(checks: &[Check], verdict: Verdict, found: &str) {
    let is = |check: &&Check| check.verdict == verdict && check.found.contains(found);
    assert!(checks.iter().any(|check| is(&check)), "no {verdict:?} with {found:?} in {checks:#?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_public_address_is_followed_to_the_daemon_and_whoever_else_answers_is_named() {
    let house = house().await;
    house.start().await;
    let here: SocketAddr = format!("127.0.0.1:{}", house.port).parse().unwrap();
    let checks = ask(&format!("http://{here}"), here, "hubspot").await;
    one(&checks, Verdict::Ok, "a daemon that is well");
    one(&checks, Verdict::Ok, "refuses what is not signed");
    one(&ask(&format!("http://{here}"), here, "other").await, Verdict::Fail, "does not know this connection");
    house.take_daemon().kill();

    let nobody = here;
    let gateway = format!("http://{}", answers(502, "Bad Gateway"));
    one(&ask(&format!("http://{nobody}"), nobody, "hubspot").await, Verdict::Warn, "no daemon runs at");
    one(&ask(&gateway, nobody, "hubspot").await, Verdict::Warn, "no daemon runs at");
    let somebody = answers(200, "ok");
    one(&ask(&gateway, somebody, "hubspot").await, Verdict::Fail, "a proxy answers 502, though a daemon runs");
    let page = format!("http://{}", answers(200, "<html>Welcome</html>"));
    one(&ask(&page, somebody, "hubspot").await, Verdict::Fail, "answered 200 by something else");
    // It is well, yet takes what nobody signed: that is not us.
    one(
        &ask(&format!("http://{somebody}"), somebody, "hubspot").await,
        Verdict::Fail,
        "unsigned message is answered 200",
    );
}
