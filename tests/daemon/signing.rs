//! Signing beside a running daemon: what is signed and in effect is enforced without a restart, and
//! every member of the teams is told of it once.

use crate::agreements::{swift, to_be_signed};
use crate::daemon::{Daemon, free_port, run};
use crate::house::{Engine, House, HubSpot, Salesforce, on_both, pause};
use leadpact::agreement::parse::parse;
use leadpact::sandbox::CrmKind;

const LATER: &str = "Qualified by teleprospecting";

fn hash(agreement: &str) -> String {
    let parsed = parse("agreement.toml", agreement, &|_| Err("no files".to_owned()));
    parsed.unwrap_or_else(|report| panic!("{}", report.render(false))).agreement.hash.to_string()
}

/// `(succeeded, what was printed)`
fn agreement(house: &House, arguments: &[&str]) -> (bool, String) {
    let all: Vec<&str> = std::iter::once("agreement").chain(arguments.iter().copied()).collect();
    let done = run(&all, &house.file("leadpact.toml"));
    let said = String::from_utf8_lossy(&done.stdout).into_owned() + &String::from_utf8_lossy(&done.stderr);
    (done.status.success(), said)
}

fn sign(house: &House, party: &str) {
    let (succeeded, said) = agreement(house, &["sign", "--party", party, "--yes"]);
    assert!(succeeded, "{said}");
}

fn require_signatures(house: &House) {
    house.configure("leadpact.toml", house.port, |text| text.replace("require_signatures = false", ""));
}

/// Both connections were switched so often.
async fn switched(house: &House, times: usize) {
    let switch = "this connection is under this version from now on";
    house.until("the connections are switched", async || house.log().matches(switch).count() >= 2 * times).await;
}

async fn goes_back(house: &House, crm: CrmKind, name: &str) -> String {
    let lead = house.lead(crm, name, LATER);
    house.until("the lead goes back", async || house.is_back(crm, &lead)).await;
    lead
}

async fn judged_by(house: &House, crm: CrmKind, lead: &str, hash: &str) {
    let timeline = house.timeline(crate::house::connection(crm), "lead", lead).await;
    assert!(!timeline.is_empty());
    assert!(timeline.iter().all(|fact| fact["agreement"] == hash), "{timeline:#?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_draft_observes_until_both_have_signed_and_then_acts_without_a_restart() {
    let text = to_be_signed(&swift("1s"));
    on_both(&text, async |house| {
        require_signatures(house);
        house.start().await;
        for party in ["", "marketing"] {
            if !party.is_empty() {
                sign(house, party);
                pause(4_000).await;
            }
            let lead = house.lead(HubSpot, "Ada Stone", LATER);
            let would = async || !house.facts(HubSpot, &lead, "would_have").await.is_empty();
            house.until("it is noted what would be done", would).await;
            assert_eq!(house.moves(HubSpot, &lead), 0);
        }
        sign(house, "field_sales");
        let slides = house.file("agreement.html");
        let (succeeded, said) = agreement(house, &["render", "--out", slides.to_str().expect("text")]);
        assert!(succeeded && said.contains("signed by") && slides.exists(), "{said}");
        switched(house, 1).await;
        for crm in [HubSpot, Salesforce] {
            let lead = goes_back(house, crm, "Bo Lind").await;
            judged_by(house, crm, &lead, &hash(&text)).await;
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_changed_file_is_a_draft_until_it_is_signed_and_the_old_version_goes_on() {
    let old = to_be_signed(&swift("1s"));
    let next = to_be_signed(&swift("1h").replace("\"test\"", "\"next\""));
    on_both(&old, async |house| {
        require_signatures(house);
        ["marketing", "field_sales"].iter().for_each(|party| sign(house, party));
        house.start().await;
        goes_back(house, HubSpot, "Ada Stone").await;

        std::fs::write(house.file("agreement.toml"), next.replace("reached(\"sal\")", "reached(\"sale\")")).unwrap();
        house.with_daemon(|daemon| daemon.hang_up());
        house.until("the mistake is told", async || house.log().contains("nothing changes")).await;
        assert!(house.log().contains("did you mean"), "{}", house.log());
        goes_back(house, HubSpot, "Bo Lind").await;

        std::fs::write(house.file("agreement.toml"), &next).unwrap();
        house.with_daemon(|daemon| daemon.hang_up());
        house.until("the draft is told", async || house.log().contains("version `test` goes on")).await;
        let lead = goes_back(house, Salesforce, "Cy Moor").await;
        judged_by(house, Salesforce, &lead, &hash(&old)).await;

        sign(house, "marketing");
        pause(3_000).await;
        goes_back(house, HubSpot, "Di Hart").await;
        sign(house, "field_sales");
        switched(house, 1).await;
        for crm in [HubSpot, Salesforce] {
            let lead = house.lead(crm, "Eva Quist", LATER);
            house.until("the clock runs", async || !house.facts(crm, &lead, "clock_started").await.is_empty()).await;
            pause(2_000).await;
            assert_eq!(house.moves(crm, &lead), 0);
            judged_by(house, crm, &lead, &hash(&next)).await;
        }

        // Somebody starts the daemon on the old file: the new version stays.
        std::fs::write(house.file("agreement.toml"), &old).unwrap();
        house.with_daemon(Daemon::kill);
        house.start().await;
        let lead = house.lead(HubSpot, "Flo Berg", LATER);
        house.until("the clock runs", async || !house.facts(HubSpot, &lead, "clock_started").await.is_empty()).await;
        judged_by(house, HubSpot, &lead, &hash(&next)).await;
        assert!(house.log().contains("was superseded"), "{}", house.log());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_signed_version_waits_for_its_effective_day() {
    let old = to_be_signed(&swift("1s"));
    let next = to_be_signed(&swift("1h")).replace("\"test\"", "\"next\"").replace("2026-01-05", "2126-01-05");
    let house = House::open(Engine::Sqlite, &old).await.unwrap();
    require_signatures(&house);
    ["marketing", "field_sales"].iter().for_each(|party| sign(&house, party));
    house.start().await;
    std::fs::write(house.file("agreement.toml"), &next).unwrap();
    for party in ["marketing", "field_sales"] {
        let (_, said) = agreement(&house, &["sign", "--party", party, "--yes"]);
        assert_eq!(said.contains("Complete. It is in effect from 2126-01-05"), party == "field_sales", "{said}");
    }
    house.with_daemon(|daemon| daemon.hang_up());
    house.until("the draft is told", async || house.log().contains("version `test` goes on")).await;
    goes_back(&house, HubSpot, "Ada Stone").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn replicas_with_different_files_enforce_what_is_signed_and_not_what_was_offered_last() {
    let old = to_be_signed(&swift("1s"));
    let next = to_be_signed(&swift("1h").replace("\"test\"", "\"next\""));
    let Some(house) = House::open(Engine::Postgres, &old).await else { return };
    require_signatures(&house);
    ["marketing", "field_sales"].iter().for_each(|party| sign(&house, party));
    house.start().await;
    let port = free_port();
    std::fs::write(house.file("next.toml"), &next).unwrap();
    house.configure("second.toml", port, |text| {
        text.replace("require_signatures = false", "").replace("\"agreement.toml\"", "\"next.toml\"")
    });
    let second = Daemon::start(&house.file("second.toml"), &house.file("second.log"));
    house.until("the second one tells of its draft", async || second.log().contains("version `test` goes on")).await;
    let lead = goes_back(&house, HubSpot, "Ada Stone").await;
    judged_by(&house, HubSpot, &lead, &hash(&old)).await;

    let next_file = house.file("next.toml");
    for party in ["marketing", "field_sales"] {
        let file = next_file.display().to_string();
        let (succeeded, said) = agreement(&house, &["sign", "--party", party, "--agreement", &file, "--yes"]);
        assert!(succeeded, "{said}");
    }
    switched(&house, 1).await;
    let switch = "this connection is under this version from now on";
    house.until("the second one switches too", async || second.log().matches(switch).count() == 2).await;
    let lead = house.lead(HubSpot, "Bo Lind", LATER);
    house.until("the clock runs", async || !house.facts(HubSpot, &lead, "clock_started").await.is_empty()).await;
    judged_by(&house, HubSpot, &lead, &hash(&next)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_member_of_the_teams_is_told_once_and_may_confirm() {
    on_both(&to_be_signed(&swift("1h")), async |house| {
        require_signatures(house);
        house.start().await;
        pause(1_000).await;
        assert!(house.slack.all().is_empty(), "a draft is not sent around");
        ["marketing", "field_sales"].iter().for_each(|party| sign(house, party));
        let team = ["amy", "tess", "theo"].map(|name| format!("U-{name}@acme.example"));
        let told = async || team.iter().all(|member| !house.slack.messages(member).is_empty());
        house.until("everybody is told", told).await;
        let noted = async || agreement(house, &["receipts"]).1.contains("3 of the teams, 3 told, 0 confirmed");
        house.until("it is noted that they were", noted).await;

        let worked = || house.log().matches("working this connection").count();
        let before = worked();
        house.with_daemon(Daemon::kill);
        house.start().await;
        house.until("the connections are worked again", async || worked() == before + 2).await;
        pause(1_000).await;
        for member in &team {
            let messages = house.slack.messages(member);
            assert_eq!(messages.len(), 1, "{member}");
            let says = messages[0]["text"].as_str().unwrap();
            assert!(says.contains("Lee Okafor, VP Sales, for field sales"), "{says}");
        }

        let (_, said) = agreement(house, &["confirm", "--person", "Amy@acme.example"]);
        assert!(said.contains("Amy Ng <amy@acme.example> confirmed: version test"), "{said}");
        let (succeeded, said) = agreement(house, &["confirm", "--person", "nobody@acme.example"]);
        assert!(!succeeded && said.contains("is not among those"), "{said}");
        let (_, after) = agreement(house, &["receipts"]);
        assert!(after.contains("3 told, 1 confirmed"), "{after}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_may_not_sign_is_told_why_and_nothing_is_signed() {
    let house = House::open(Engine::Sqlite, &to_be_signed(&swift("1h"))).await.unwrap();
    require_signatures(&house);
    let refused = |arguments: &[&str], says: &str| {
        let (succeeded, said) = agreement(&house, arguments);
        assert!(!succeeded && said.contains(says), "{said}");
    };
    refused(&["sign", "--party", "teleprospecting", "--yes"], "marketing and field_sales do");
    refused(&["sign", "--party", "marketing", "--name", "Kim Cho", "--yes"], "--on-behalf");
    refused(&["sign", "--party", "marketing", "--name", "Kim Cho", "--on-behalf", "--yes"], "--title");
    refused(&["sign", "--party", "marketing"], "--yes");
    refused(&["sign", "--party", "marketing", "--agreement", "nowhere.toml", "--yes"], "nowhere.toml");

    let check = || String::from_utf8_lossy(&run(&["check"], &house.file("leadpact.toml")).stdout).into_owned();
    assert!(check().contains("marketing and field_sales did not sign this version yet"), "{}", check());
    assert!(!house.file("leadpact.db").exists(), "looking makes no database");

    let behalf = ["--party", "marketing", "--name", "Kim Cho", "--title", "COO", "--on-behalf", "--yes"];
    let (_, said) = agreement(&house, &[&["sign"], &behalf[..]].concat());
    assert!(said.contains("Signed.") && said.contains("is not signed by field_sales"), "{said}");
    let (succeeded, said) = agreement(&house, &["sign", "--party", "marketing", "--yes"]);
    assert!(succeeded && said.contains("nothing changed"), "{said}");
    assert!(check().contains("field_sales did not sign this version yet"), "{}", check());

    let (_, listed) = agreement(&house, &["signatures"]);
    for part in
        ["hubspot, salesforce:", "Kim Cho, COO on behalf of Dana Reyes", "missing    field_sales", "is not signed"]
    {
        assert!(listed.contains(part), "`{part}` is missing:\n{listed}");
    }
    sign(&house, "field_sales");
    assert!(!check().contains("Signatures:"), "{}", check());
    assert!(agreement(&house, &["signatures"]).1.contains("ready for a running daemon"));
}
