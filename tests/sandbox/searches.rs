//! Finding what nobody told of, by leadpact's own connectors: all pages, deletions, merges, histories.

use crate::connectors::{hubspot, salesforce};
use crate::support::{MORNING, sandbox, values};
use leadpact::crm::{Crm, Event, Says, Sought};
use leadpact::record::{Actor, FieldName, Object, OwnerId, RecordId, Timestamp, Value};
use leadpact::sandbox::By;
use std::collections::BTreeSet;

/// Everything on all pages, and how many there were.
async fn all(crm: &dyn Crm, object: Object, sought: Sought) -> (BTreeSet<String>, Vec<Event>, usize) {
    let (mut found, mut ended, mut pages, mut next) = (BTreeSet::new(), Vec::new(), 0, None);
    loop {
        let page = crm.search(object, sought, next.as_ref()).await.unwrap();
        pages += 1;
        found.extend(page.found.iter().map(RecordId::to_string));
        ended.extend(page.ended);
        next = match page.next {
            Some(next) => Some(next),
            None => return (found, ended, pages),
        };
    }
}

fn since(after_morning: i64) -> Sought {
    Sought::Since(Timestamp::from_millis(MORNING + after_morning))
}

fn says(events: &[Event], id: &str) -> Vec<Says> {
    events.iter().filter(|e| e.id.as_str() == id).map(|e| e.says.clone()).collect()
}

#[tokio::test]
async fn hubspots_modified_archived_and_merged_records_are_found() {
    let hand = sandbox().await;
    let (world, crm) = (hand.sandbox.hubspot(), hubspot(&hand));
    let old = world.create("contacts", values(&[("hs_lead_status", "OPEN")]), By::Form);
    let no_lead = world.create("contacts", values(&[]), By::Form);
    hand.pass(60_000);
    let mut new: Vec<String> =
        (0..450).map(|_| world.create("contacts", values(&[("hs_lead_status", "OPEN")]), By::Form)).collect();
    let (gone, loser) = (new.pop().unwrap(), new.pop().unwrap());
    world.delete("contacts", &gone, By::Form).unwrap();
    world.merge("contacts", &loser, &new[0], By::Form).unwrap();
    let (found, ended, pages) = all(&crm, Object::Lead, since(60_000)).await;
    assert_eq!(found, new.iter().cloned().collect());
    assert_eq!(says(&ended, &gone), [Says::Deleted]);
    assert!(says(&ended, &loser).contains(&Says::Merged { into: RecordId::new(&new[0]) }), "{ended:?}");
    assert_eq!(pages, 4, "three of searches and the archived ones");
    let (open, ..) = all(&crm, Object::Lead, Sought::Open).await;
    assert!(open.contains(&old) && open.contains(&new[5]) && !open.contains(&no_lead) && !open.contains(&gone));
    // Within the hour the archived ones are not listed again.
    assert_eq!(all(&crm, Object::Lead, since(60_000)).await.2, 3);
    let usage = crm.usage().unwrap();
    assert_eq!(usage.day.map(|d| (d.used, d.limit)), Some((1_000, 625_000)));
}

#[tokio::test]
async fn hubspots_open_deals_are_those_whose_stage_is_not_closed() {
    let hand = sandbox().await;
    let (world, crm) = (hand.sandbox.hubspot(), hubspot(&hand));
    let deal = |stage: &str| world.create("deals", values(&[("dealname", "Deal"), ("dealstage", stage)]), By::Form);
    let open = deal("appointmentscheduled");
    deal("closedwon");
    deal("closedlost");
    assert_eq!(all(&crm, Object::Opportunity, Sought::Open).await.0, BTreeSet::from([open]));
}

#[tokio::test]
async fn salesforces_modified_deleted_and_merged_records_and_activities_are_found() {
    let hand = sandbox().await;
    let (world, crm) = (hand.sandbox.salesforce(), salesforce(&hand));
    hand.sandbox.set_page_size(200);
    let old = world.create("Lead", values(&[("Status", "Open")]), By::Form);
    let untouched = world.create("Lead", values(&[("Status", "Open")]), By::Form);
    let won = world.create("Opportunity", values(&[("Name", "Won"), ("StageName", "Closed Won")]), By::Form);
    let open = world.create("Opportunity", values(&[("Name", "Open"), ("StageName", "Proposal")]), By::Form);
    hand.pass(60_000);
    let mut new: Vec<String> =
        (0..1_203).map(|_| world.create("Lead", values(&[("Status", "Open")]), By::Form)).collect();
    let (gone, loser) = (new.pop().unwrap(), new.pop().unwrap());
    world.delete("Lead", &gone, By::Form).unwrap();
    world.merge("Lead", &loser, &new[0], By::Form).unwrap();
    world.create("Task", values(&[("WhoId", &old), ("Status", "Completed")]), By::Form);
    // Salesforce's times are whole seconds.
    let (found, ended, pages) = all(&crm, Object::Lead, since(59_000)).await;
    let mut expected: BTreeSet<String> = new.iter().cloned().collect();
    expected.insert(old.clone());
    assert_eq!(found, expected, "the lead that a task is about did not change itself");
    assert!(!found.contains(&untouched));
    assert_eq!(says(&ended, &gone), [Says::Deleted]);
    assert_eq!(says(&ended, &loser), [Says::Merged { into: RecordId::new(&new[0]) }]);
    assert_eq!(pages, 4, "two of leads, one of tasks, one of events");
    assert_eq!(all(&crm, Object::Opportunity, Sought::Open).await.0, BTreeSet::from([open]));
    assert!(world.get("Opportunity", &won).is_some());
    let page = crm.search(Object::Lead, Sought::Open, None).await.unwrap();
    assert_eq!((page.total, page.found.len()), (Some(1_203), 1_000));
    assert_eq!(all(&crm, Object::Lead, Sought::Open).await.0.len(), 1_203);
    assert!(crm.usage().unwrap().day.is_some_and(|d| d.limit == 100_000 && d.used >= 10_000));
}

/// A change by Amy a minute after another one, from then on.
async fn tells_history(crm: &dyn Crm, lead: &str, amy: &str, began: i64) {
    let id = RecordId::new(lead);
    let told = crm.histories(Object::Lead, &[(id.clone(), Timestamp::from_millis(began + 1))]).await.unwrap();
    let accepted = vec![(FieldName::new("status"), Value::text("Accepted"))];
    let expected = Event {
        object: Object::Lead,
        id: id.clone(),
        at: Timestamp::from_millis(began + 60_000),
        by: Actor::Person(OwnerId::new(amy)),
        says: Says::Changed(accepted),
    };
    assert_eq!(told, [expected]);
    let all = crm.histories(Object::Lead, &[(id, Timestamp::MIN)]).await.unwrap();
    assert!(all.iter().any(|e| e.at == Timestamp::from_millis(began)), "{all:?}");
}

#[tokio::test]
async fn the_history_of_both_crms_tells_when_and_who() {
    let hand = sandbox().await;
    let (hubs, force) = (hand.sandbox.hubspot(), hand.sandbox.salesforce());
    let amy = |world: &leadpact::sandbox::World| world.add_member("Amy Ng", "amy@acme.example", None, false);
    let (hub_amy, force_amy) = (amy(hubs), amy(force));
    let contact =
        hubs.create("contacts", values(&[("hs_lead_status", "OPEN"), ("hubspot_owner_id", &hub_amy)]), By::Form);
    let lead = force.create("Lead", values(&[("Status", "Open"), ("OwnerId", &force_amy)]), By::Form);
    hand.pass(60_000);
    hubs.change("contacts", &contact, values(&[("hs_lead_status", "ACCEPTED")]), By::Person(hub_amy.clone())).unwrap();
    force.change("Lead", &lead, values(&[("Status", "Accepted")]), By::Person(force_amy.clone())).unwrap();
    tells_history(&hubspot(&hand), &contact, &hub_amy, MORNING).await;
    tells_history(&salesforce(&hand), &lead, &force_amy, MORNING - MORNING % 1_000).await;
}
