//! What is written onto records: missing fields, rejections without a reason, tasks.

use crate::agreements::{with_reasons, with_requirement, with_task};
use crate::house::{House, HubSpot, Salesforce, connection, on_both, pause, values};
use leadpact::sandbox::{By, CrmKind, vocabulary};
use serde_json::Value as Json;

/// A new open opportunity of Amy's with neither amount nor close date.
fn opportunity(house: &House, crm: CrmKind) -> String {
    let stage = match crm {
        HubSpot => "appointmentscheduled",
        Salesforce => "Prospecting",
    };
    let object = vocabulary::opportunity_object(crm);
    let fields = [("name", "Stone renewal"), ("stage_name", stage), ("owner", house.people.amy(crm))];
    house.world(crm).create(object, values(crm, object, &fields), By::Person(house.people.amy(crm).to_owned()))
}

fn shown(house: &House, crm: CrmKind, id: &str) -> (String, String) {
    let field = |name| house.world(crm).field(vocabulary::opportunity_object(crm), id, name);
    (field("flag"), field("violation"))
}

fn fill(house: &House, crm: CrmKind, id: &str, name: &'static str, value: Json) {
    let object = vocabulary::opportunity_object(crm);
    let values = [(vocabulary::property(crm, object, name).to_owned(), value)].into();
    house.world(crm).change(object, id, values, By::Person(house.people.amy(crm).to_owned())).unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_opportunity_without_amount_and_close_date_carries_that_until_they_are_filled_in() {
    on_both(&with_requirement(), async |house| {
        house.start().await;
        let deals = [HubSpot, Salesforce].map(|crm| (crm, opportunity(house, crm)));
        let mend = async |(crm, deal): &(CrmKind, String)| {
            let missing = "amount, close_date missing since ";
            house.until("it is flagged", async || shown(house, *crm, deal).1.starts_with(missing)).await;
            let (flag, text) = shown(house, *crm, deal);
            assert_eq!(flag, "true");
            // Salesforce knows whole seconds: what is filled in within the deadline's came in time.
            pause(1_100).await;
            assert!(text.ends_with(": Value and timeframe of an opportunity"), "{text}");
            fill(house, *crm, deal, "amount", if *crm == HubSpot { "12500".into() } else { 12_500.into() });
            let missing = "close_date missing since ";
            house.until("the amount is missed no more", async || shown(house, *crm, deal).1.starts_with(missing)).await;
            fill(house, *crm, deal, "close_date", "2027-03-31".into());
            house
                .until("nothing is missed", async || shown(house, *crm, deal) == ("false".into(), String::new()))
                .await;
        };
        tokio::join!(mend(&deals[0]), mend(&deals[1]));
        pause(1_000).await;
        for (crm, deal) in &deals {
            let told = house.timeline(connection(*crm), "opportunity", deal).await;
            let count = |kind: &str| told.iter().filter(|fact| fact["kind"] == kind).count();
            let counts = ["breached", "violation_opened", "violation_closed", "met_late", "unflagged"].map(count);
            assert_eq!(counts, [1; 5], "{told:#?}");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_opportunity_filled_in_before_the_deadline_is_never_written_to() {
    on_both(&with_requirement(), async |house| {
        house.start().await;
        let deals = [HubSpot, Salesforce].map(|crm| (crm, opportunity(house, crm)));
        for (crm, deal) in &deals {
            fill(house, *crm, deal, "amount", if *crm == HubSpot { "12500".into() } else { 12_500.into() });
            fill(house, *crm, deal, "close_date", "2027-03-31".into());
        }
        pause(4_000).await;
        for (crm, deal) in &deals {
            assert_eq!(house.updates(*crm), Vec::<Vec<String>>::new());
            let told = house.timeline(connection(*crm), "opportunity", deal).await;
            assert!(told.iter().any(|fact| fact["kind"] == "met"), "{told:#?}");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rejection_counts_with_an_agreed_reason_and_is_a_violation_without() {
    on_both(&with_reasons(), async |house| {
        house.start().await;
        let both = async |crm| {
            let [good, bad] = ["Ada Stone", "Bo Field"].map(|name| house.lead(crm, name, "Qualified by marketing"));
            pause(500).await;
            house.amy_sets(crm, &good, &[("status", "Rejected"), ("reject_reason", "Student")]);
            house.amy_sets(crm, &bad, &[("status", "Rejected"), ("reject_reason", "did not like the name")]);
            let said = "rejected without an agreed reason";
            house.until("it is flagged", async || house.field(crm, &bad, "violation").starts_with(said)).await;
            assert_eq!(house.field(crm, &bad, "flag"), "true");
            assert_eq!(house.facts(crm, &bad, "rejected").await.len(), 0);
            assert_eq!(house.facts(crm, &bad, "violation_opened").await.len(), 1);
            house.until("it is met", async || house.facts(crm, &good, "met").await.len() == 1).await;
            assert_eq!(house.facts(crm, &good, "rejected").await.len(), 1);
            assert_eq!(house.facts(crm, &good, "violation_opened").await.len(), 0);
            assert_eq!(house.writes(crm, &good), 0);
            house.amy_sets(crm, &bad, &[("reject_reason", "duplicate")]);
            house.until("the flag goes", async || house.field(crm, &bad, "violation").is_empty()).await;
            assert_eq!(house.field(crm, &bad, "flag"), "false");
            house.until("it is rejected", async || house.facts(crm, &bad, "rejected").await.len() == 1).await;
        };
        tokio::join!(both(HubSpot), both(Salesforce));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_task_is_made_once_for_the_owner() {
    on_both(&with_task(), async |house| {
        house.start().await;
        let leads =
            [HubSpot, Salesforce].map(|crm| (crm, house.lead(crm, "Ada Stone", "Qualified by teleprospecting")));
        for (crm, lead) in &leads {
            house.until("a task is made", async || house.facts(*crm, lead, "task_created").await.len() == 1).await;
        }
        pause(1_500).await;
        for (crm, lead) in &leads {
            let object = if *crm == HubSpot { "tasks" } else { "Task" };
            let tasks = house.world(*crm).all(object);
            assert_eq!(tasks.len(), 1, "{tasks:?}");
            assert_eq!(tasks[0].name(), "Call Ada Stone");
            let owner = if *crm == HubSpot { "hubspot_owner_id" } else { "OwnerId" };
            assert_eq!(tasks[0].text(owner), house.people.amy(*crm));
            match crm {
                HubSpot => {
                    assert_eq!(house.world(HubSpot).associated("tasks", &tasks[0].id, "contacts")[0].to.1, *lead)
                }
                Salesforce => assert_eq!(tasks[0].text("WhoId"), *lead),
            }
            // Our own task is nobody's touch.
            assert_eq!(house.facts(*crm, lead, "met_late").await.len(), 0);
        }
    })
    .await;
}
