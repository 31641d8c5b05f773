//! Two replicas on one PostgreSQL: both take deliveries, one works a connection, and the other takes
//! over when it dies.

use crate::agreements::swift;
use crate::daemon::{Daemon, free_port};
use crate::house::{Engine, House, HubSpot, Salesforce, pause};
use leadpact::engine::clock::monotonic_now;
use std::time::Duration;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_replicas_connections_are_taken_over_within_ten_seconds() {
    let Some(house) = House::open(Engine::Postgres, &swift("3s")).await else { return };
    house.start().await;
    let port = free_port();
    house.configure("second.toml", port, |text| text);
    let mut second = Daemon::start(&house.file("second.toml"), &house.file("second.log"));
    house
        .until("the second one is ready", async || {
            house.get(port, "/readyz").await.is_some_and(|(status, _)| status == 200)
        })
        .await;
    let working = |log: &str, connection: &str| {
        log.lines().filter(|l| l.contains("working this connection") && l.contains(connection)).count()
    };
    let all_worked = |logs: [&str; 2]| {
        [HubSpot, Salesforce].map(|crm| {
            let name = crate::house::connection(crm);
            logs.iter().map(|log| working(log, name)).sum::<usize>()
        })
    };
    house.until("both are worked", async || all_worked([&house.log(), &second.log()]) == [1, 1]).await;

    let mut leads = Vec::new();
    for (n, to) in [house.port, port].into_iter().cycle().take(10).enumerate() {
        let base = format!("http://127.0.0.1:{to}/webhooks");
        let signed_as = format!("http://127.0.0.1:{}/webhooks/hubspot", house.port);
        house.sandbox.set_webhook_url(HubSpot, &format!("{base}/hubspot"), Some(&signed_as));
        house.sandbox.set_webhook_url(Salesforce, &format!("{base}/salesforce/{}", crate::house::SECRET), None);
        for crm in [HubSpot, Salesforce] {
            leads.push((crm, house.lead(crm, &format!("Lead {n}"), "Qualified by teleprospecting")));
        }
        assert!(house.sandbox.settled(Duration::from_secs(10)).await, "both take deliveries");
    }
    assert_eq!(house.sandbox.tally(HubSpot).failed_attempts, 0);
    assert_eq!(all_worked([&house.log(), &second.log()]), [1, 1], "each connection has one worker");

    let first_works = working(&house.log(), "hubspot") == 1;
    let survivor = if first_works {
        house.with_daemon(Daemon::kill);
        port
    } else {
        second.kill();
        house.port
    };
    let (killed, base) = (monotonic_now(), format!("http://127.0.0.1:{survivor}/webhooks"));
    let signed_as = format!("http://127.0.0.1:{}/webhooks/hubspot", house.port);
    house.sandbox.set_webhook_url(HubSpot, &format!("{base}/hubspot"), Some(&signed_as));
    house.sandbox.set_webhook_url(Salesforce, &format!("{base}/salesforce/{}", crate::house::SECRET), None);
    let log = || if first_works { second.log() } else { house.log() };
    house.until("the other takes over", async || working(&log(), "hubspot") == 1).await;
    assert!(killed.elapsed() < Duration::from_secs(10), "it took {:?}", killed.elapsed());
    for (crm, lead) in &leads {
        house.until("every lead goes back", async || house.is_back(*crm, lead)).await;
    }
    pause(1_500).await;
    for (crm, lead) in &leads {
        assert_eq!((house.moves(*crm, lead), house.writes(*crm, lead)), (1, 1), "{crm:?}");
    }
}
