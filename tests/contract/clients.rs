//! The official clients against the sandbox. What they do and expect stands in `node/*.mjs`.

use crate::node;
use crate::support::{CLIENT, ORGANIZATION, Receiver, SECRET, TOKEN, sandbox_now};
use leadpact::sandbox::{By, CrmKind, Values};
use std::time::Duration;

#[tokio::test]
async fn the_sandbox_answers_hubspots_official_client() {
    let sandbox = sandbox_now().await;
    let amy = sandbox.hubspot().add_member("Amy Ng", "amy@acme.example", None, false);
    sandbox.hubspot().add_member("Ben Castillo", "ben@acme.example", None, false);
    let gone = sandbox.hubspot().add_member("Gus Olden", "gus@acme.example", None, false);
    sandbox.hubspot().set_active(&gone, false);
    let app = sandbox.oauth(CrmKind::HubSpot).unwrap();
    node::run("hubspot.mjs", &[&sandbox.base_url(), TOKEN, &amy, &gone, &app.client_id, &app.client_secret]).await;
    let unknown = sandbox.calls("hubspot.unknown");
    assert!(unknown.is_empty(), "the sandbox does not know {unknown:?}");
}

#[tokio::test]
async fn hubspots_own_check_believes_the_sandboxs_webhooks() {
    let sandbox = sandbox_now().await;
    let receiver = Receiver::default();
    let signed_as = "https://leadpact.acme.example/webhooks/hubspot?of=acme";
    sandbox.set_webhook_url(CrmKind::HubSpot, &receiver.start(), Some(signed_as));
    let values = Values::from([("firstname".to_owned(), "Zoë".into()), ("hs_lead_status".to_owned(), "OPEN".into())]);
    sandbox.hubspot().create("contacts", values, By::Form);
    assert!(sandbox.settled(Duration::from_secs(10)).await);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("webhook.json");
    std::fs::write(&file, receiver.taken()[0].to_string()).unwrap();
    node::run("signature.mjs", &[signed_as, SECRET, file.to_str().unwrap()]).await;
}

#[tokio::test]
async fn the_sandbox_answers_jsforce() {
    let sandbox = sandbox_now().await;
    let amy = sandbox.salesforce().add_member("Amy Ng", "amy@acme.example", None, false);
    sandbox.salesforce().add_member("Ben Castillo", "ben@acme.example", None, false);
    sandbox.set_page_size(10);
    node::run("salesforce.mjs", &[&sandbox.base_url(), CLIENT.0, CLIENT.1, ORGANIZATION, &amy]).await;
    let unknown = sandbox.calls("salesforce.unknown");
    assert!(unknown.is_empty(), "the sandbox does not know {unknown:?}");
}
