//! What the agreement is for: a lead that is left alone goes back by itself, one that is answered is
//! left in peace.

use crate::agreements::follow_up;
use crate::house::{HubSpot, Salesforce, on_both, pause};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lead_left_alone_goes_back_to_teleprospecting_once_and_is_told_of_once() {
    on_both(&follow_up(), async |house| {
        house.start().await;
        for crm in [HubSpot, Salesforce] {
            let before = (house.slack.messages("#sales").len(), house.smtp.mails().len());
            let lead = house.lead(crm, "Ada Stone", "Qualified by teleprospecting");
            house.until("the lead goes back", async || house.is_back(crm, &lead)).await;
            house.until("it is journalled", async || !house.facts(crm, &lead, "recycled").await.is_empty()).await;
            // Room for what must not happen.
            pause(1_500).await;
            assert_eq!(house.moves(crm, &lead), 1);
            assert_eq!(house.writes(crm, &lead), 1);
            for (kind, count) in [("recycled", 1), ("breached", 1), ("notified", 2), ("parked", 0), ("spared", 0)] {
                assert_eq!(house.facts(crm, &lead, kind).await.len(), count, "{kind} in {crm:?}");
            }
            let told = house.slack.messages("#sales");
            assert_eq!(told.len() - before.0, 1, "{told:?}");
            assert!(told[before.0]["text"].as_str().unwrap().contains("Ada Stone"), "{told:?}");
            let mails = house.smtp.mails();
            assert_eq!(mails.len() - before.1, 1);
            assert_eq!(mails[before.1].to, ["boss@acme.example"]);
            assert_eq!(mails[before.1].from, "sla@acme.example");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lead_answered_in_time_is_left_alone() {
    on_both(&follow_up(), async |house| {
        house.start().await;
        let leads =
            [HubSpot, Salesforce].map(|crm| (crm, house.lead(crm, "Ada Stone", "Qualified by teleprospecting")));
        pause(700).await;
        for (crm, lead) in &leads {
            house.amy_sets(*crm, lead, &[("status", "Working")]);
        }
        pause(4_500).await;
        for (crm, lead) in &leads {
            assert_eq!(house.facts(*crm, lead, "met").await.len(), 1);
            assert_eq!(house.facts(*crm, lead, "breached").await.len(), 0);
            assert!(house.updates(*crm).is_empty(), "{:?}", house.updates(*crm));
            assert_eq!(house.field(*crm, lead, "owner"), house.people.amy(*crm));
        }
        assert!(house.slack.all().is_empty());
        assert!(house.smtp.mails().is_empty());
    })
    .await;
}
