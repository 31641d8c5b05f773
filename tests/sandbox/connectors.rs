//! leadpact's own connectors against the sandbox: what they send is understood, what they get is
//! understood by them.

use crate::support::{Hand, ORGANIZATION, Receiver, SECRET, TOKEN, sandbox, values};
use leadpact::agreement::model::Dictionary;
use leadpact::crm::connection::{
    Backfill, Connection, HubSpot as HubSpotSettings, HubSpotAuth, Platform, Salesforce as SalesforceSettings,
    SalesforceAuth, TouchBy, Touches,
};
use leadpact::crm::http::Http;
use leadpact::crm::hubspot::HubSpot;
use leadpact::crm::salesforce::Salesforce;
use leadpact::crm::{Crm, ItemResult, NewTask, RawDelivery, ReadRecord, Reads, Says, Write};
use leadpact::record::{ConnectionName, FieldName, FieldType, Object, OwnerId, RecordId, Timestamp, Value};
use leadpact::sandbox::{By, CrmKind, vocabulary};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

pub fn connection(hand: &Hand, crm: CrmKind, platform: Platform) -> Connection {
    let of = |object: Object, name: &str| {
        let table = vocabulary::fields(crm, name);
        table.iter().map(move |(logical, theirs)| ((object, FieldName::new(logical)), (*theirs).to_owned()))
    };
    let leads = of(Object::Lead, vocabulary::lead_object(crm));
    let fields = leads.chain(of(Object::Opportunity, vocabulary::opportunity_object(crm))).collect();
    let statuses = vocabulary::HUBSPOT_STATUSES.iter().map(|(name, v)| ((*name).to_owned(), vec![(*v).to_owned()]));
    let values = match crm {
        CrmKind::HubSpot => BTreeMap::from([((Object::Lead, FieldName::new("status")), statuses.collect())]),
        CrmKind::Salesforce => BTreeMap::new(),
    };
    Connection {
        name: ConnectionName::new("acme"),
        agreement: None,
        mode: None,
        base_url: hand.sandbox.base_url(),
        api_version: if crm == CrmKind::HubSpot { "2026-03" } else { "67.0" }.to_owned(),
        backfill: Backfill::default(),
        api_share: 0.5,
        fields,
        values,
        parties: BTreeMap::new(),
        touches: Touches {
            types: ["call", "email", "meeting", "task"].map(str::to_owned).to_vec(),
            by: TouchBy::Anyone,
            automation_users: Vec::new(),
        },
        platform,
    }
}

pub fn dictionary() -> Dictionary {
    use FieldType::{Number, Text, Time};
    let lead = [("status", Text), ("owner", Text), ("score", Number), ("touches", Number), ("last_touch", Time)];
    Dictionary { lead: BTreeMap::from(lead), opportunity: BTreeMap::from([("amount", Number), ("owner", Text)]) }
}

fn http() -> Http {
    Http::new(Arc::new(|| Timestamp::from_millis(0))).unwrap()
}

pub fn hubspot(hand: &Hand) -> HubSpot {
    let settings = HubSpotSettings {
        portal_id: Some(45_540_012),
        auth: HubSpotAuth::AccessToken(TOKEN.into()),
        webhook_secret: vec![SECRET.into()],
        lead_object: "contacts".into(),
    };
    HubSpot::new(connection(hand, CrmKind::HubSpot, Platform::HubSpot(settings)), &dictionary(), http())
}

pub fn salesforce(hand: &Hand) -> Salesforce {
    let auth = SalesforceAuth::ClientCredentials { client_id: "id".into(), client_secret: "secret".into() };
    let settings = SalesforceSettings {
        organization_id: ORGANIZATION.into(),
        auth,
        login_url: None,
        path_secret: None,
        client_certificate: None,
    };
    let connection = connection(hand, CrmKind::Salesforce, Platform::Salesforce(settings));
    Salesforce::new(&connection, &dictionary(), http()).unwrap()
}

fn value(reads: &Reads, name: &str) -> Value {
    let ReadRecord::Found { values, unreadable, .. } = &reads.records[0].1 else { panic!("{reads:?}") };
    assert_eq!(unreadable, &Vec::<String>::new());
    values.iter().find(|(n, _)| *n == FieldName::new(name)).unwrap_or_else(|| panic!("no {name}")).1.clone()
}

/// Reads, writes, and makes a task twice in doubt, whichever CRM it is.
async fn work_with(crm: &dyn Crm, lead: &str, amy: &str, ben: &str) {
    let id = RecordId::new(lead);
    let reads = crm.read(Object::Lead, std::slice::from_ref(&id)).await.unwrap();
    assert_eq!(value(&reads, "owner"), Value::text(amy));
    assert_eq!(value(&reads, "status"), Value::text("Accepted"));
    let values = [("owner", ben), ("status", "Qualified by marketing")];
    let values = values.map(|(name, v)| (FieldName::new(name), Value::text(v))).to_vec();
    let results = crm.write(Object::Lead, &[Write { id: id.clone(), values }]).await.unwrap();
    assert!(matches!(results[..], [ItemResult::Done { .. }]), "{results:?}");
    let reads = crm.read(Object::Lead, std::slice::from_ref(&id)).await.unwrap();
    assert_eq!(value(&reads, "owner"), Value::text(ben));
    assert_eq!(value(&reads, "status"), Value::text("Qualified by marketing"));
    let task = NewTask {
        object: Object::Lead,
        record: id,
        owner: Some(OwnerId::new(ben)),
        title: "Accept or reject".into(),
        body: "Please".into(),
        due: Timestamp::from_millis(crate::support::MORNING),
        done: false,
        key: "key-1".into(),
    };
    assert_eq!(crm.find_tasks(std::slice::from_ref(&task)).await.unwrap(), [None]);
    let made = crm.create_tasks(std::slice::from_ref(&task)).await.unwrap();
    let ItemResult::Done { note: Some(made), .. } = &made[0] else { panic!("{made:?}") };
    assert_eq!(crm.find_tasks(&[task]).await.unwrap(), [Some(made.clone())]);
    let people = crm.people().await.unwrap();
    assert!(people.iter().any(|p| p.id.as_str() == amy && p.name == "Amy Ng" && p.active), "{people:?}");
}

#[tokio::test]
async fn the_hubspot_connector_works_with_the_sandbox() {
    let hand = sandbox().await;
    let world = hand.sandbox.hubspot();
    let amy = world.add_member("Amy Ng", "amy@acme.example", None, false);
    let ben = world.add_member("Ben Castillo", "ben@acme.example", None, false);
    let lead =
        world.create("contacts", values(&[("hubspot_owner_id", &amy), ("hs_lead_status", "ACCEPTED")]), By::Form);
    work_with(&hubspot(&hand), &lead, &amy, &ben).await;
}

#[tokio::test]
async fn the_salesforce_connector_works_with_the_sandbox() {
    let hand = sandbox().await;
    let world = hand.sandbox.salesforce();
    let amy = world.add_member("Amy Ng", "amy@acme.example", None, false);
    let ben = world.add_member("Teleprospecting queue", "", None, true);
    let lead = world.create("Lead", values(&[("OwnerId", &amy), ("Status", "Accepted")]), By::Form);
    let crm = salesforce(&hand);
    work_with(&crm, &lead, &amy, &ben).await;
    hand.sandbox.revoke_tokens();
    assert_eq!(crm.people().await.unwrap().len(), 2, "a void token is renewed");
}

fn delivery(received: &crate::support::Received, url: &str) -> RawDelivery {
    let headers = received.headers.clone();
    RawDelivery {
        method: "POST".into(),
        url: url.into(),
        path_secret: None,
        headers,
        body: received.body.clone().into(),
    }
}

#[tokio::test]
async fn the_connectors_believe_and_understand_the_sandboxs_webhooks() {
    let hand = sandbox().await;
    let receiver = Receiver::default();
    let url = receiver.start();
    hand.sandbox.set_webhook_url(CrmKind::HubSpot, &url, Some("https://leadpact.acme.example/webhooks/acme"));
    let contact = hand.sandbox.hubspot().create("contacts", values(&[("hs_lead_status", "OPEN")]), By::Form);
    let deal = hand.sandbox.hubspot().create("deals", values(&[]), By::Form);
    hand.sandbox.hubspot().associate(("deals", &deal), ("contacts", &contact), 3, By::Form);
    assert!(hand.sandbox.settled(Duration::from_secs(10)).await);
    let real = Timestamp::from_millis(UNIX_EPOCH.elapsed().unwrap().as_millis() as i64);
    let crm = hubspot(&hand);
    let raw = delivery(&receiver.taken()[0], "https://leadpact.acme.example/webhooks/acme");
    let read = crm.events(&crm.verify(raw, real).unwrap()).unwrap();
    assert_eq!(read.dropped, Vec::<&str>::new());
    let says = |field: &str, value: &str| Says::Changed(vec![(FieldName::new(field), Value::text(value))]);
    assert!(read.events.iter().any(|e| e.id.as_str() == contact && e.says == says("status", "Open")), "{read:?}");
    assert!(read.events.iter().any(|e| e.id.as_str() == contact && e.says == says("opportunity", &deal)), "{read:?}");

    hand.sandbox.set_webhook_url(CrmKind::HubSpot, "", None);
    hand.sandbox.set_webhook_url(CrmKind::Salesforce, &url, None);
    let lead = hand.sandbox.salesforce().create("Lead", values(&[("Status", "Open")]), By::Form);
    assert!(hand.sandbox.settled(Duration::from_secs(10)).await);
    let crm = salesforce(&hand);
    let last = receiver.taken().pop().unwrap();
    let read =
        crm.events(&crm.verify(delivery(&last, "https://leadpact.acme.example/webhooks/sf"), real).unwrap()).unwrap();
    assert_eq!(read.events.len(), 1);
    assert_eq!((read.events[0].id.as_str(), &read.events[0].says), (lead.as_str(), &Says::ReadIt));
}
