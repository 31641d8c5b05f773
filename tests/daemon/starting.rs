//! Starting, stopping, and the commands beside `serve`.

use crate::agreements::{follow_up, swift};
use crate::daemon::{Daemon, run};
use crate::house::{Engine, House, HubSpot, Salesforce, on_both, pause};
use std::net::TcpStream;
use std::time::Duration;

fn is_open(port: u16) -> bool {
    TcpStream::connect(("127.0.0.1", port)).is_ok()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_is_asked_to_stop_ends_well_and_goes_on_where_it_was() {
    on_both(&swift("4s"), async |house| {
        house.start().await;
        let leads =
            [HubSpot, Salesforce].map(|crm| (crm, house.lead(crm, "Ada Stone", "Qualified by teleprospecting")));
        for (crm, lead) in &leads {
            house.until("the clock runs", async || !house.facts(*crm, lead, "clock_started").await.is_empty()).await;
        }
        let mut daemon = house.take_daemon();
        daemon.terminate();
        let status = daemon.ended(Duration::from_secs(5)).await;
        assert_eq!(status.code(), Some(0), "{}", daemon.log());
        assert!(!is_open(house.port));
        house.start().await;
        for (crm, lead) in &leads {
            house.until("the lead goes back", async || house.is_back(*crm, lead)).await;
        }
        pause(1_000).await;
        for (crm, lead) in &leads {
            assert_eq!((house.moves(*crm, lead), house.writes(*crm, lead)), (1, 1));
        }
    })
    .await;
}

/// `serve` must refuse and say where: all of these stand in what it prints.
fn refused(house: &House, says: &[&str]) {
    let ended = run(&["serve"], &house.file("leadpact.toml"));
    let said = String::from_utf8_lossy(&ended.stderr);
    assert_eq!(ended.status.code(), Some(1), "{said}");
    for one in says {
        assert!(said.contains(one), "`{one}` is missing:\n{said}");
    }
    assert!(!is_open(house.port), "nothing may be started");
}

/// The number of the line that begins so.
fn line(text: &str, begin: &str) -> usize {
    1 + text.lines().position(|l| l.trim_start().starts_with(begin)).expect("the line is there")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_is_told_nonsense_says_where_and_starts_nothing() {
    let house = House::open(Engine::Sqlite, &follow_up()).await.unwrap();
    let good = std::fs::read_to_string(house.file("leadpact.toml")).unwrap();

    house.configure("leadpact.toml", house.port, |text| text.replace("portal_id      =", "portal          ="));
    refused(&house, &[&format!("leadpact.toml:{}", line(&good, "portal_id")), "portal_id"]);

    house.configure("leadpact.toml", house.port, |text| text.replace("\"pat-na1-pretend\"", "\"${NO_SUCH_TOKEN}\""));
    refused(&house, &[&format!("leadpact.toml:{}", line(&good, "access_token")), "NO_SUCH_TOKEN"]);

    house.configure("leadpact.toml", house.port, |text| text);
    let agreement = follow_up().replace("reached(\"sal\")", "reached(\"sale\")");
    std::fs::write(house.file("agreement.toml"), &agreement).unwrap();
    refused(&house, &[&format!("agreement.toml:{}", line(&agreement, "until")), "sale", "sal"]);

    // Wrong in both files: both are told at once.
    house.configure("leadpact.toml", house.port, |text| text.replace("portal_id      =", "portal          ="));
    refused(&house, &["leadpact.toml:", &format!("agreement.toml:{}", line(&agreement, "until"))]);

    std::fs::write(house.file("agreement.toml"), follow_up()).unwrap();
    house.configure("leadpact.toml", house.port, |text| text.replace(&house.store, "sqlite:///no/such/folder/x.db"));
    refused(&house, &["/no/such/folder"]);
    assert!(!house.file("leadpact.db").exists());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_leads_story_is_explained_with_what_was_seen() {
    on_both(&follow_up(), async |house| {
        house.start().await;
        let lead = house.lead(HubSpot, "Ada Stone", "Qualified by teleprospecting");
        house.until("the lead goes back", async || !house.facts(HubSpot, &lead, "recycled").await.is_empty()).await;
        // Beside the running daemon, as an operator would.
        let told = run(&["explain", "hubspot", "lead", &lead], &house.file("leadpact.toml"));
        let text = String::from_utf8_lossy(&told.stdout);
        assert!(told.status.success(), "{}", String::from_utf8_lossy(&told.stderr));
        for part in [
            "Handed over: Teleprospecting to field sales",
            "First follow-up started",
            "Breached: First follow-up",
            "✗ ",
            "Told #sales",
            "Recycled from Amy Ng to ",
        ] {
            assert!(text.contains(part), "`{part}` is missing:\n{text}");
        }
        let unknown = run(&["explain", "hubspot", "lead", "1"], &house.file("leadpact.toml"));
        assert_eq!(unknown.status.code(), Some(1));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_health_check_succeeds_only_while_the_daemon_answers() {
    let house = House::open(Engine::Sqlite, &follow_up()).await.unwrap();
    let config = house.file("leadpact.toml");
    assert_eq!(run(&["healthcheck"], &config).status.code(), Some(1));
    house.start().await;
    assert_eq!(run(&["healthcheck"], &config).status.code(), Some(0));
    assert_eq!(run(&["check"], &config).status.code(), Some(0));
    house.with_daemon(Daemon::kill);
    assert_eq!(run(&["healthcheck"], &config).status.code(), Some(1));
}
