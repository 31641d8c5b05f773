//! Much at once: few calls, few messages.

use crate::agreements::{swift, told};
use crate::house::{HubSpot, Salesforce, on_both, pause};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn leads_that_are_due_at_once_go_back_in_as_few_calls_as_the_crm_allows() {
    const LEADS: usize = 230;
    on_both(&swift("12s"), async |house| {
        house.start().await;
        house.stop_clocks();
        let leads: Vec<_> = (0..LEADS)
            .flat_map(|n| [HubSpot, Salesforce].map(|crm| (crm, n)))
            .map(|(crm, n)| (crm, house.lead(crm, &format!("Lead {n}"), "Qualified by teleprospecting")))
            .collect();
        house.let_clocks_go();
        house.until("all go back", async || leads.iter().all(|(crm, lead)| house.is_back(*crm, lead))).await;
        pause(1_000).await;
        let sizes = |crm| house.updates(crm).iter().map(Vec::len).collect::<Vec<_>>();
        assert_eq!(sizes(HubSpot), [100, 100, 30]);
        assert_eq!(sizes(Salesforce), [200, 30]);
        assert!(leads.iter().all(|(crm, lead)| house.moves(*crm, lead) == 1));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn forty_notices_for_one_person_are_one_message() {
    on_both(&told(), async |house| {
        house.start().await;
        house.stop_clocks();
        let leads: Vec<_> =
            (0..40).map(|n| house.lead(HubSpot, &format!("Lead {n}"), "Qualified by teleprospecting")).collect();
        house.let_clocks_go();
        house.until("Amy is told", async || !house.slack.all().is_empty()).await;
        for lead in &leads {
            house.until("all are told of", async || house.facts(HubSpot, lead, "notified").await.len() == 1).await;
        }
        pause(1_000).await;
        let messages = house.slack.messages("U-amy@acme.example");
        assert_eq!((messages.len(), house.slack.all().len()), (1, 1), "{messages:#?}");
        assert!(messages[0]["text"].as_str().unwrap().starts_with("40 leads need you"), "{messages:#?}");
    })
    .await;
}
