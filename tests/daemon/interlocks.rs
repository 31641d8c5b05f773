//! Observing: everything but the writes, and told only where that is wanted. What people switch from
//! a second process, beside the running daemon: pause, arm, and what the breaker holds.

use crate::agreements::{follow_up, swift};
use crate::daemon::run;
use crate::house::{House, HubSpot, Salesforce, on_both, pause};

async fn observe(house: &House, notify: bool) {
    house.configure("leadpact.toml", house.port, |text| {
        let text = text.replace("\"enforce\"", "\"observe\"");
        text.replace("[notify.slack]", &format!("[notify]\nnotify_in_observe = {notify}\n\n[notify.slack]"))
    });
    house.start().await;
    let leads = [HubSpot, Salesforce].map(|crm| (crm, house.lead(crm, "Ada Stone", "Qualified by teleprospecting")));
    for (crm, lead) in &leads {
        let recycle = async || {
            let would_have = house.facts(*crm, lead, "would_have").await;
            would_have.iter().any(|fact| fact["detail"]["action"] == "recycle")
        };
        house.until("it is told what would be done", recycle).await;
    }
    pause(1_000).await;
    for (crm, lead) in &leads {
        assert_eq!(house.updates(*crm), Vec::<Vec<String>>::new());
        assert_eq!(house.field(*crm, lead, "owner"), house.people.amy(*crm));
        let counts =
            (house.facts(*crm, lead, "would_have").await.len(), house.facts(*crm, lead, "notified").await.len());
        assert_eq!(counts, if notify { (1, 2) } else { (3, 0) });
        assert_eq!(house.facts(*crm, lead, "recycled").await.len(), 0);
        assert_eq!(house.record("hubspot", "lead", &leads[0].1).await["pass"], 1);
    }
    let wanted = if notify { 2 } else { 0 };
    assert_eq!((house.slack.all().len(), house.smtp.mails().len()), (wanted, wanted));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_observes_writes_nothing_and_tells_nobody() {
    on_both(&follow_up(), async |house| observe(house, false).await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_observes_may_tell_people_and_still_writes_nothing() {
    on_both(&follow_up(), async |house| observe(house, true).await).await;
}

/// Runs a command beside the daemon and answers what it said.
fn command(house: &House, arguments: &[&str]) -> String {
    let done = run(arguments, &house.file("leadpact.toml"));
    let said = format!("{}{}", String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr));
    assert!(done.status.success(), "{arguments:?}: {said}");
    said
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn too_many_at_once_are_held_and_leave_when_a_second_process_releases_them() {
    const LEADS: usize = 8;
    let agreement = swift("6s").replace("count = 10000", "count = 5");
    on_both(&agreement, async |house| {
        house.start().await;
        house.stop_clocks();
        let leads: Vec<String> =
            (0..LEADS).map(|n| house.lead(HubSpot, &format!("Lead {n}"), "Qualified by teleprospecting")).collect();
        house.let_clocks_go();
        for lead in &leads {
            house.until("it is held", async || !house.facts(HubSpot, lead, "held").await.is_empty()).await;
        }
        house.until("the receivers hear of it", async || house.slack.messages("#tele").len() == 1).await;
        pause(1_500).await;
        assert!(house.updates(HubSpot).is_empty(), "{:?}", house.updates(HubSpot));
        let shown = command(house, &["release", "hubspot", "--list"]);
        assert!(shown.contains("8 held moves") && shown.contains("Amy Ng") && shown.contains("Lead 3"), "{shown}");
        command(house, &["release", "hubspot", "--only", "lead", &leads[0], "--discard", "--yes"]);
        let said = command(house, &["release", "hubspot", "--yes", "--why", "looked at"]);
        assert!(said.contains("7 moves let go") && said.contains("counts afresh"), "{said}");
        house.until("they leave", async || leads[1..].iter().all(|lead| house.is_back(HubSpot, lead))).await;
        assert_eq!(house.field(HubSpot, &leads[0], "owner"), house.people.amy(HubSpot));
        assert_eq!(house.slack.messages("#tele").len(), 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_process_pauses_and_arms_a_running_daemon() {
    on_both(&swift("3s"), async |house| {
        house.configure("leadpact.toml", house.port, |text| text.replacen("mode           = \"enforce\"\n", "", 1));
        house.start().await;
        let missed = house.lead(HubSpot, "Ada Stone", "Qualified by teleprospecting");
        house
            .until("it would have gone back", async || !house.facts(HubSpot, &missed, "would_have").await.is_empty())
            .await;
        command(house, &["pause", "--all", "--why", "a rehearsal"]);
        let said = command(house, &["arm", "hubspot", "--include-overdue", "--yes"]);
        assert!(said.contains("1 record would move") && said.contains("Amy Ng"), "{said}");
        pause(2_500).await;
        assert!(house.updates(HubSpot).is_empty(), "paused, it writes nothing");
        command(house, &["resume", "--all"]);
        house.until("it goes back", async || house.is_back(HubSpot, &missed)).await;
        let refused = run(&["arm", "salesforce", "--yes"], &house.file("leadpact.toml"));
        let said = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert!(!refused.status.success() && said.contains("the file goes before arming"), "{said}");
        command(house, &["away", "hubspot", "tess@acme.example", "--until", "3d"]);
        assert!(command(house, &["away", "hubspot", "--list"]).contains("Tess Hall"));
    })
    .await;
}
