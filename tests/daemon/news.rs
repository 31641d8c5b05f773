//! News in any order and any number, and news that no webhook brings.

use crate::agreements::{follow_up, watched};
use crate::house::{House, HubSpot, PORTAL, SECRET, Salesforce, on_both, pause};
use leadpact::engine::clock::real_now;
use leadpact::sandbox::record::PropertyChange;
use leadpact::sandbox::{By, Mischief, hubspot_signature};
use rand::SeedableRng;
use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use serde_json::{Value as Json, json};

/// Two connections to the same HubSpot account.
fn twice_the_same(text: String) -> String {
    let parts: Vec<&str> = text.split("[[connection]]").collect();
    let again = parts[1].replace("\"hubspot\"\ncrm ", "\"again\"\ncrm ");
    assert_ne!(again, parts[1]);
    format!("{}[[connection]]{}[[connection]]{again}", parts[0], parts[1])
}

/// A lead's life within four seconds: accepted late, passed on, given away, contacted, worked on.
async fn live(house: &House) -> String {
    let lead = house.lead(HubSpot, "Ada Stone", "Qualified by marketing");
    let [tess, _] = &house.people.tele;
    pause(1_300).await;
    house.amy_sets(HubSpot, &lead, &[("status", "Accepted")]);
    pause(200).await;
    house.amy_sets(HubSpot, &lead, &[("status", "Qualified by teleprospecting")]);
    pause(400).await;
    house.amy_sets(HubSpot, &lead, &[("owner", tess)]);
    pause(1_300).await;
    house.amy_sets(HubSpot, &lead, &[("touches", "1")]);
    pause(200).await;
    house.amy_sets(HubSpot, &lead, &[("status", "Working")]);
    lead
}

/// What HubSpot would send about a record's past, an event a request.
fn events(house: &House, lead: &str) -> Vec<Json> {
    let record = house.world(HubSpot).get("contacts", lead).unwrap();
    let id: u64 = lead.parse().unwrap();
    let event = |number: usize, at: i64, what: Json| {
        let mut event = json!({
            "eventId": 3_100_450_000_u64 + number as u64, "subscriptionId": 310_001, "portalId": PORTAL,
            "appId": 880_101, "occurredAt": at, "attemptNumber": 0, "objectId": id,
            "changeSource": "CRM_UI", "sourceId": "userId:9912",
        });
        event.as_object_mut().unwrap().extend(what.as_object().unwrap().clone());
        event
    };
    let created = json!({ "subscriptionType": "contact.creation", "changeFlag": "NEW" });
    let changed = |change: &PropertyChange| {
        json!({
            "subscriptionType": "contact.propertyChange",
            "propertyName": change.property, "propertyValue": change.value,
        })
    };
    let changes = record.history.iter().enumerate().map(|(n, c)| event(n + 1, c.at.as_millis(), changed(c)));
    std::iter::once(event(0, record.created.as_millis(), created)).chain(changes).collect()
}

async fn send(house: &House, connection: &str, event: &Json) {
    let url = format!("http://127.0.0.1:{}/webhooks/{connection}", house.port);
    let (body, now) = (json!([event]).to_string(), real_now().as_millis().to_string());
    let request = reqwest::Client::new()
        .post(&url)
        .header("X-HubSpot-Signature-v3", hubspot_signature(SECRET, &url, &body, &now))
        .header("X-HubSpot-Request-Timestamp", &now)
        .body(body);
    let status = request.send().await.unwrap().status();
    assert!(status.is_success(), "{status}");
}

/// What happened, when, and to which run of which clock. Not the stage, party and owner beside it:
/// they are those that were known when the fact was first told.
async fn story(house: &House, connection: &str, lead: &str) -> Vec<String> {
    let told = house.timeline(connection, "lead", lead).await;
    let text = |fact: Json| {
        let parts = ["at", "kind", "pass", "clock", "run", "item"];
        parts.map(|part| fact[part].to_string()).join(" ")
    };
    let mut told: Vec<String> = told.into_iter().map(text).collect();
    told.sort();
    told
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn webhooks_that_come_five_times_and_in_any_order_tell_the_same_story() {
    on_both(&watched(), async |house| {
        house.configure("leadpact.toml", house.port, twice_the_same);
        house.sandbox.set_webhook_url(HubSpot, "", None);
        house.start().await;
        let lead = live(house).await;
        let events = events(house, &lead);
        for event in &events {
            send(house, "hubspot", event).await;
        }
        let mut again: Vec<&Json> = std::iter::repeat_n(&events, 5).flatten().collect();
        again.shuffle(&mut StdRng::seed_from_u64(5));
        for event in again {
            send(house, "again", event).await;
        }
        let ended = |story: &[String]| story.iter().filter(|fact| fact.contains("\"met")).count() == 3;
        house.until("the story is told", async || ended(&story(house, "hubspot", &lead).await)).await;
        house.until("it is told again", async || ended(&story(house, "again", &lead).await)).await;
        pause(2_000).await;
        let (once, often) = (story(house, "hubspot", &lead).await, story(house, "again", &lead).await);
        assert_eq!(once, often);
        let kinds = ["breached", "met_late", "met", "transferred"];
        let count = |kind: &str| once.iter().filter(|fact| fact.contains(&format!("\"{kind}\""))).count();
        assert_eq!(kinds.map(count), [2, 2, 1, 1], "{once:#?}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lead_goes_back_once_however_often_the_crm_says_everything() {
    on_both(&follow_up(), async |house| {
        let mischief = Mischief { duplicate: true, shuffle: true, delay_ms: 150, drop_every: 0 };
        house.sandbox.set_mischief(HubSpot, mischief.clone());
        house.sandbox.set_mischief(Salesforce, mischief);
        house.start().await;
        let leads =
            [HubSpot, Salesforce].map(|crm| (crm, house.lead(crm, "Ada Stone", "Qualified by teleprospecting")));
        for (crm, lead) in &leads {
            house.until("the lead goes back", async || house.is_back(*crm, lead)).await;
        }
        pause(1_500).await;
        for (crm, lead) in &leads {
            assert_eq!((house.moves(*crm, lead), house.writes(*crm, lead)), (1, 1));
            assert_eq!(house.facts(*crm, lead, "recycled").await.len(), 1);
            assert_eq!(house.facts(*crm, lead, "pass_began").await.len(), 2);
        }
        assert_eq!(house.slack.messages("#sales").len(), 2);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_touch_that_only_the_last_read_shows_spares_the_lead() {
    on_both(&follow_up(), async |house| {
        house.start().await;
        let leads =
            [HubSpot, Salesforce].map(|crm| (crm, house.lead(crm, "Ada Stone", "Qualified by teleprospecting")));
        for (crm, lead) in &leads {
            house.until("the clock is breached", async || !house.facts(*crm, lead, "breached").await.is_empty()).await;
            house.sandbox.set_webhook_url(*crm, "", None);
        }
        house.amy_sets(HubSpot, &leads[0].1, &[("touches", "1")]);
        let amy = house.people.amy(Salesforce);
        let call = [
            ("WhoId", leads[1].1.as_str()),
            ("OwnerId", amy),
            ("Status", "Completed"),
            ("Subject", "Call"),
            ("TaskSubtype", "Call"),
        ];
        let call = call.map(|(name, value)| (name.to_owned(), Json::from(value))).into();
        house.world(Salesforce).create("Task", call, By::Person(amy.to_owned()));
        pause(3_500).await;
        for (crm, lead) in &leads {
            assert_eq!(house.updates(*crm), Vec::<Vec<String>>::new());
            assert_eq!(house.field(*crm, lead, "owner"), house.people.amy(*crm));
            assert_eq!(house.facts(*crm, lead, "spared").await.len(), 1, "{crm:?}");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_that_only_the_last_read_shows_keeps_the_lead_where_it_is() {
    on_both(&follow_up(), async |house| {
        house.start().await;
        let leads =
            [HubSpot, Salesforce].map(|crm| (crm, house.lead(crm, "Ada Stone", "Qualified by teleprospecting")));
        for (crm, lead) in &leads {
            house.until("the clock is breached", async || !house.facts(*crm, lead, "breached").await.is_empty()).await;
            house.sandbox.set_webhook_url(*crm, "", None);
            house.amy_sets(*crm, lead, &[("status", "Working")]);
        }
        for (crm, lead) in &leads {
            house.until("the answer is seen", async || !house.facts(*crm, lead, "met").await.is_empty()).await;
        }
        pause(1_500).await;
        for (crm, lead) in &leads {
            assert_eq!(house.updates(*crm), Vec::<Vec<String>>::new());
            assert_eq!(house.field(*crm, lead, "status"), "Working");
            // It may have come in time: who was not seen to be late is not blamed.
            assert_eq!(house.facts(*crm, lead, "breached").await.len(), 0);
        }
    })
    .await;
}
