//! What no webhook told: the sweep finds it, and the first import what was there before.

use crate::agreements::follow_up;
use crate::daemon::run;
use crate::house::{House, HubSpot, Salesforce, on_both};

fn command(house: &House, arguments: &[&str]) -> String {
    let done = run(arguments, &house.file("leadpact.toml"));
    let said = format!("{}{}", String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr));
    assert!(done.status.success(), "{arguments:?}: {said}");
    said
}

/// The CRMs tell nobody anything, and are asked every second.
fn deaf(house: &House) {
    for crm in [HubSpot, Salesforce] {
        house.sandbox.set_webhook_url(crm, "", None);
    }
    house.configure("leadpact.toml", house.port, |text| {
        text.replacen("[server]", "[schedule]\nreconcile = \"* * * * * *\"\n\n[server]", 1)
    });
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_any_webhook_a_lead_goes_back_in_time_and_one_that_was_answered_stays() {
    on_both(&follow_up(), async |house| {
        deaf(house);
        house.start().await;
        house
            .until("both connections are watched", async || house.log().matches("working this connection").count() == 2)
            .await;
        crate::house::pause(500).await;
        for crm in [HubSpot, Salesforce] {
            let late = house.lead(crm, "Ada Stone", "Qualified by teleprospecting");
            let answered = house.lead(crm, "Ben Reed", "Qualified by teleprospecting");
            house.amy_sets(crm, &answered, &[("status", "Working")]);
            house.until("the late one is back", async || house.is_back(crm, &late)).await;
            assert_eq!((house.moves(crm, &late), house.moves(crm, &answered)), (1, 0));
            let started = house.facts(crm, &late, "clock_started").await;
            assert_eq!(started.len(), 1, "{started:?}");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_import_works_alone_and_beside_the_daemon_and_moves_nothing() {
    on_both(&follow_up(), async |house| {
        deaf(house);
        for crm in [HubSpot, Salesforce] {
            house.lead(crm, "Ada Stone", "Qualified by teleprospecting");
        }
        crate::house::pause(5_000).await;
        let said = command(house, &["backfill", "hubspot"]);
        assert!(said.contains("Imported 1 record.\n"), "{said}");
        assert!(
            said.contains("1 record overdue already: listed, not acted upon.\n  lead ") && said.contains("Ada Stone"),
            "{said}"
        );
        assert!(command(house, &["backfill", "hubspot"]).contains("was imported before"));
        house.start().await;
        let again = command(house, &["backfill", "hubspot", "--again"]);
        assert!(again.contains("Imported 0 records; 1 record known before"), "{again}");
        // The daemon holds this lease: it does the work.
        let said = command(house, &["backfill", "salesforce"]);
        assert!(said.contains("Imported 1 record.\n"), "{said}");
        crate::house::pause(2_000).await;
        for crm in [HubSpot, Salesforce] {
            assert_eq!(house.updates(crm), Vec::<Vec<String>>::new());
        }
    })
    .await;
}
