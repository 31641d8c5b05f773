//! Observing: everything but the writes, and told only where that is wanted.

use crate::agreements::follow_up;
use crate::house::{House, HubSpot, Salesforce, on_both, pause};

async fn observe(house: &House, notify: bool) {
    house.configure("leadpact.toml", house.port, |text| {
        let text = text.replace("\"enforce\"", "\"observe\"");
        text.replace("[notify.slack]", &format!("[notify]\nnotify_in_observe = {notify}\n\n[notify.slack]"))
    });
    house.start().await;
    let leads = [HubSpot, Salesforce].map(|crm| (crm, house.lead(crm, "Ada Stone", "Qualified by teleprospecting")));
    for (crm, lead) in &leads {
        let recycle = async || {
            let would_have = house.facts(*crm, lead, "would_have").await;
            would_have.iter().any(|fact| fact["detail"]["action"] == "recycle")
        };
        house.until("it is told what would be done", recycle).await;
    }
    pause(1_000).await;
    for (crm, lead) in &leads {
        assert_eq!(house.updates(*crm), Vec::<Vec<String>>::new());
        assert_eq!(house.field(*crm, lead, "owner"), house.people.amy(*crm));
        let counts =
            (house.facts(*crm, lead, "would_have").await.len(), house.facts(*crm, lead, "notified").await.len());
        assert_eq!(counts, if notify { (1, 2) } else { (3, 0) });
        assert_eq!(house.facts(*crm, lead, "recycled").await.len(), 0);
        assert_eq!(house.record("hubspot", "lead", &leads[0].1).await["pass"], 1);
    }
    let wanted = if notify { 2 } else { 0 };
    assert_eq!((house.slack.all().len(), house.smtp.mails().len()), (wanted, wanted));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_observes_writes_nothing_and_tells_nobody() {
    on_both(&follow_up(), async |house| observe(house, false).await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_observes_may_tell_people_and_still_writes_nothing() {
    on_both(&follow_up(), async |house| observe(house, true).await).await;
}
