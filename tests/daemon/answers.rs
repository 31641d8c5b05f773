//! A salesperson answers from Slack: the whole daemon, from the reminder's button to the record in the
//! CRM.

use crate::agreements::accepted;
use crate::house::{House, HubSpot, Salesforce, on_both, pause};
use hmac::{Hmac, KeyInit, Mac};
use leadpact::engine::clock::real_now;
use leadpact::sandbox::CrmKind;
use serde_json::{Value as Json, json};
use sha2::Sha256;
use std::sync::atomic::{AtomicU32, Ordering};

const SIGNED_WITH: &str = "slack-signs-with-this";
const AMY: &str = "U-amy@acme.example";

async fn open(house: &House) {
    house.configure("leadpact.toml", house.port, |text| {
        text.replace("token    = \"xoxb", &format!("signing_secret = \"{SIGNED_WITH}\"\ntoken    = \"xoxb"))
    });
    house.start().await;
}

/// The message that reminds Amy of this lead.
async fn reminder(house: &House, lead: &str) -> Json {
    let of = || house.slack.messages(AMY).into_iter().find(|m| m["blocks"].to_string().contains(lead));
    house.until("Amy is reminded", async || of().is_some()).await;
    of().expect("just seen")
}

fn element<'m>(message: &'m Json, action: &str) -> &'m Json {
    let blocks = message["blocks"].as_array().expect("blocks");
    let actions = blocks.iter().find(|b| b["type"] == "actions").unwrap_or_else(|| panic!("no buttons: {message}"));
    let elements = actions["elements"].as_array().expect("elements");
    elements.iter().find(|e| e["action_id"] == action).unwrap_or_else(|| panic!("no {action}: {actions}"))
}

/// Presses something in Slack, which signs it and sends it here. No two clicks are the same to Slack.
async fn press(house: &House, message: &Json, action: Json) -> u16 {
    static CLICKS: AtomicU32 = AtomicU32::new(0);
    let trigger = CLICKS.fetch_add(1, Ordering::Relaxed).to_string();
    let hooks = format!("{}/actions", house.slack.base_url().trim_end_matches("/api"));
    let payload = json!({ "type": "block_actions", "trigger_id": trigger, "user": { "id": AMY }, "team": { "id": "T-acme" },
        "response_url": hooks, "message": { "blocks": message["blocks"], "text": "x" }, "actions": [action] });
    let body =
        url::form_urlencoded::Serializer::new(String::new()).append_pair("payload", &payload.to_string()).finish();
    let at = real_now().as_millis() / 1000;
    let mut mac = Hmac::<Sha256>::new_from_slice(SIGNED_WITH.as_bytes()).expect("any key");
    mac.update(format!("v0:{at}:{body}").as_bytes());
    let request = reqwest::Client::new().post(format!("http://127.0.0.1:{}/slack/actions", house.port));
    let request = request.header("X-Slack-Request-Timestamp", at.to_string());
    let request = request.header("X-Slack-Signature", format!("v0={}", hex::encode(mac.finalize().into_bytes())));
    let request = request.header("Content-Type", "application/x-www-form-urlencoded");
    request.body(body).send().await.expect("an answer").status().as_u16()
}

fn is_noted(house: &House, crm: CrmKind, text: &str) -> bool {
    let (object, status, done) = match crm {
        HubSpot => ("tasks", "hs_task_status", "COMPLETED"),
        Salesforce => ("Task", "Status", "Completed"),
    };
    house.world(crm).all(object).iter().any(|task| task.name() == text && task.text(status) == done)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn accepting_in_slack_lands_in_the_crm_once_and_keeps_the_promise() {
    on_both(&accepted(), async |house| {
        open(house).await;
        for crm in [HubSpot, Salesforce] {
            let name = if crm == HubSpot { "Ada Stone" } else { "Bo Reed" };
            let lead = house.lead(crm, name, "Qualified by teleprospecting");
            let message = reminder(house, name).await;
            let accept = element(&message, "accept").clone();
            let (one, two) = tokio::join!(press(house, &message, accept.clone()), press(house, &message, accept));
            assert_eq!((one, two), (200, 200));
            house.until("it stands in the CRM", async || house.field(crm, &lead, "status") == "Working").await;
            house.until("it is journalled", async || !house.facts(crm, &lead, "met").await.is_empty()).await;
            house.until("it is noted", async || is_noted(house, crm, "Accepted by Amy Ng via Slack")).await;
            assert_eq!(house.writes(crm, &lead), 1);
            assert_eq!(house.facts(crm, &lead, "replied").await.len(), 1);
            let says =
                |m: &Json| m["replace_original"] == true && m.to_string().contains("Accepted by Amy Ng via Slack.\"");
            house.until("the message says so", async || house.slack.all().iter().any(says)).await;
            // Whoever pressed twice reads nothing else.
            pause(1500).await;
            assert!(house.slack.all().last().is_some_and(says), "{:?}", house.slack.all().last());
            assert!(!house.slack.all().iter().any(|m| m.to_string().contains("was not changed")));
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rejecting_in_slack_writes_the_agreed_reason() {
    on_both(&accepted(), async |house| {
        open(house).await;
        for crm in [HubSpot, Salesforce] {
            let name = if crm == HubSpot { "Ada Stone" } else { "Bo Reed" };
            let lead = house.lead(crm, name, "Qualified by teleprospecting");
            let message = reminder(house, name).await;
            let reason = element(&message, "reject")["options"][0].clone();
            let chosen = json!({ "action_id": "reject", "selected_option": reason });
            assert_eq!(press(house, &message, chosen).await, 200);
            house.until("it is rejected", async || !house.facts(crm, &lead, "rejected").await.is_empty()).await;
            assert_eq!(house.field(crm, &lead, "status"), "Rejected");
            assert_eq!(house.field(crm, &lead, "reject_reason"), "no budget");
            assert_eq!(house.facts(crm, &lead, "violation_opened").await.len(), 0);
        }
    })
    .await;
}
