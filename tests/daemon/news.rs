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
    send_batch(house, connection, &json!([event])).await;
}

async fn send_batch(house: &House, connection: &str, events: &Json) {
    let url = format!("http://127.0.0.1:{}/webhooks/{connection}", house.port);
    let (body, now) = (events.to_string(), real_now().as_millis().to_string());
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

/// The lead goes back three seconds after the deadline. Salesforce counts whole seconds, so that its breach may be a
/// second before HubSpot's; both are to be seen before either lead goes back.
fn patient() -> String {
    follow_up().replace(r#"at = "+1s", recycle"#, r#"at = "+3s", recycle"#)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_touch_that_only_the_last_read_shows_spares_the_lead() {
    on_both(&patient(), async |house| {
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
        pause(5_500).await;
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
    on_both(&patient(), async |house| {
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

/// Three leads in one outbound message of that organisation.
fn outbound(organisation: &str, leads: &[String; 3]) -> String {
    let one = |(n, lead): (usize, &String)| {
        format!(
            "<Notification><Id>04l5g00000Not0{n}AAB</Id><sObject xsi:type=\"sf:Lead\" \
             xmlns:sf=\"urn:sobject.enterprise.soap.sforce.com\"><sf:Id>{lead}</sf:Id></sObject></Notification>"
        )
    };
    let all: String = leads.iter().enumerate().map(one).collect();
    format!(
        "<soapenv:Envelope xmlns:soapenv=\"http://schemas.xmlsoap.org/soap/envelope/\" \
         xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\"><soapenv:Body>\
         <notifications xmlns=\"http://soap.sforce.com/2005/09/outbound\">\
         <OrganizationId>{organisation}</OrganizationId>{all}</notifications></soapenv:Body></soapenv:Envelope>"
    )
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_a_batch_that_mixes_accounts_ours_counts_and_the_rest_does_nothing() {
    on_both(&follow_up(), async |house| {
        for crm in [HubSpot, Salesforce] {
            house.sandbox.set_webhook_url(crm, "", None);
        }
        house.start().await;
        let leads = ["Ada Stone", "Ida Berg"].map(|name| house.lead(HubSpot, name, "Qualified by teleprospecting"));
        let ours = leads.each_ref().map(|lead| events(house, lead).remove(0));
        // The same records are somebody else's in another account, where they are deleted; one is not ours at all.
        let foreign = |event: &Json, id: u64, kind: &str| {
            let mut event = event.clone();
            event["portalId"] = json!(PORTAL + 1);
            event["objectId"] = json!(id);
            event["occurredAt"] = json!(real_now().as_millis());
            event["subscriptionType"] = json!(kind);
            event
        };
        let ids = leads.each_ref().map(|lead| lead.parse::<u64>().expect("a number"));
        let batch = json!([
            foreign(&ours[0], ids[0], "contact.deletion"),
            ours[0],
            foreign(&ours[0], 999_000_111, "contact.creation"),
            foreign(&ours[1], ids[1], "contact.privacyDeletion"),
            ours[1],
        ]);
        send_batch(house, "hubspot", &batch).await;
        for lead in &leads {
            house.until("ours counts", async || !house.facts(HubSpot, lead, "clock_started").await.is_empty()).await;
        }
        pause(500).await;
        for (lead, kind) in leads.iter().zip(["deleted", "erased"]) {
            assert!(house.facts(HubSpot, lead, kind).await.is_empty(), "a stranger {kind} {lead}");
        }
        assert!(house.record("hubspot", "lead", "999000111").await.is_null(), "a stranger's record is kept");

        let theirs = ["One Two", "Three Four", "Five Six"].map(|name| house.lead(Salesforce, name, "Working"));
        let answered = async |organisation: &str| {
            let url = format!("http://127.0.0.1:{}/webhooks/salesforce/{SECRET}", house.port);
            let request = reqwest::Client::new().post(url).header("Content-Type", "text/xml; charset=utf-8");
            let answer = request.body(outbound(organisation, &theirs)).send().await.expect("an answer");
            (answer.status().as_u16(), answer.text().await.expect("text"))
        };
        let (status, text) = answered("00D5g000004XyZbEAK").await;
        assert!(status == 401 && !text.contains("<Ack>true</Ack>"), "{status} {text}");
        pause(500).await;
        for lead in &theirs {
            assert!(house.record("salesforce", "lead", lead).await.is_null(), "a stranger's message had {lead} read");
        }
        let (status, text) = answered("00D5g000004XyZaEAK").await;
        assert!(status == 200 && text.contains("<Ack>true</Ack>"), "{status} {text}");
        for lead in &theirs {
            let is_known = async || !house.record("salesforce", "lead", lead).await.is_null();
            house.until("each of our own is read", is_known).await;
        }

        let metrics = reqwest::get(format!("http://127.0.0.1:{}/metrics", house.port)).await.expect("an answer");
        let metrics = metrics.text().await.expect("text");
        for line in [
            r#"leadpact_webhook_events_dropped_total{connection="hubspot",reason="other portal"} 3"#,
            r#"leadpact_webhook_requests_total{connection="salesforce",result="bad_signature"} 1"#,
        ] {
            assert!(metrics.contains(line), "{line}\n{metrics}");
        }
    })
    .await;
}
