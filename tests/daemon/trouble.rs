//! A CRM that limits, fails, hangs, or does what it says it did not do: every lead moves once.

use crate::agreements::swift;
use crate::house::{House, HubSpot, Salesforce, on_both, pause};
use leadpact::sandbox::{CrmKind, Fault, FaultRule};

fn update(crm: CrmKind) -> &'static str {
    match crm {
        HubSpot => "hubspot.batch_update",
        Salesforce => "salesforce.collection_update",
    }
}

/// Three leads whose next write meets this fault. Answers how often each was sent to the CRM.
async fn three_leads(house: &House, crm: CrmKind, fault: Fault) -> usize {
    house.stop_clocks();
    let leads = ["Ada Stone", "Bo Field", "Cy Wood"].map(|n| house.lead(crm, n, "Qualified by teleprospecting"));
    house.let_clocks_go();
    house.sandbox.fail(FaultRule::once(update(crm), fault.clone()));
    for lead in &leads {
        house.until(&format!("a lead goes back in spite of {fault:?}"), async || house.is_back(crm, lead)).await;
        house.until("it is journalled", async || house.facts(crm, lead, "recycled").await.len() == 1).await;
    }
    pause(500).await;
    for lead in &leads {
        assert_eq!(house.moves(crm, lead), 1, "{fault:?}");
        assert_eq!(house.facts(crm, lead, "recycled").await.len(), 1, "{fault:?}");
        assert_eq!(house.facts(crm, lead, "parked").await.len(), 0, "{fault:?}");
    }
    let sent = leads.map(|lead| house.writes(crm, &lead));
    assert_eq!(sent, [sent[0]; 3], "{fault:?}");
    sent[0]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_crm_that_limits_or_fails_gets_the_write_again_and_does_it_once() {
    on_both(&swift("2s"), async |house| {
        house.start().await;
        let all = async |crm| {
            let limit = Fault::TooManyRequests { retry_after: Some(1) };
            assert_eq!(three_leads(house, crm, limit).await, 2);
            assert_eq!(three_leads(house, crm, Fault::ServerError).await, 2);
            assert_eq!(three_leads(house, crm, Fault::ApplyThenFail).await, 1, "what was done is not sent again");
        };
        tokio::join!(all(HubSpot), all(Salesforce));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_crm_that_hangs_is_asked_what_it_did_before_it_is_told_again() {
    on_both(&swift("2s"), async |house| {
        house.start().await;
        let late = Fault::ApplyThenHang { seconds: 12.0 };
        let never = Fault::Hang { seconds: 12.0 };
        let (hubspot, salesforce) = match house.engine {
            crate::house::Engine::Sqlite => (never, late),
            crate::house::Engine::Postgres => (late, never),
        };
        let sends = |fault: &Fault| if matches!(fault, Fault::Hang { .. }) { 2 } else { 1 };
        let wanted = (sends(&hubspot), sends(&salesforce));
        let made = tokio::join!(three_leads(house, HubSpot, hubspot), three_leads(house, Salesforce, salesforce));
        assert_eq!(made, wanted);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_record_that_the_crm_refuses_is_parked_and_the_others_move() {
    on_both(&swift("2s"), async |house| {
        house.start().await;
        let refuse = async |crm| {
            house.stop_clocks();
            let leads =
                ["Ada Stone", "Bo Field", "Cy Wood"].map(|n| house.lead(crm, n, "Qualified by teleprospecting"));
            house.let_clocks_go();
            house.sandbox.fail(FaultRule::always(update(crm), Fault::Refuse { ids: vec![leads[1].clone()] }));
            for lead in [&leads[0], &leads[2]] {
                house.until("the others go back", async || house.is_back(crm, lead)).await;
            }
            house.until("it is parked", async || house.facts(crm, &leads[1], "parked").await.len() == 1).await;
            pause(1_500).await;
            assert_eq!([0, 1, 2].map(|i| house.moves(crm, &leads[i])), [1, 0, 1]);
            assert_eq!([0, 1, 2].map(|i| house.writes(crm, &leads[i])), [1, 1, 1]);
        };
        tokio::join!(refuse(HubSpot), refuse(Salesforce));
    })
    .await;
}
