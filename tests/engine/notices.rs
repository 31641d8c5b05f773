//! Notices: to the right place, once, bundled, and on a record that was just looked at.

use crate::crm::{Call, later};
use crate::world::{World, agreement, changed, minute, person, text};
use leadpact::engine::switches::Acts;
use leadpact::notify::NotifyError;
use leadpact::record::{Elapsed, FactKind, Object, RecordId};
use leadpact::store::outbox;
use std::time::Duration;

const OWNER: &str = r#"{ at = "50%", notify = ["owner"] }"#;
const MANAGER: &str = r#"{ at = "50%", notify = ["manager"] }"#;

/// Half an hour after noon a reminder is due.
async fn remind(store: crate::world::Store, steps: &str, n: usize) -> World {
    let mut world = World::new(store, steps).await;
    let ids: Vec<String> = (0..n).map(|i| i.to_string()).collect();
    world.hand_over(&ids).await;
    world.at(30);
    world.turn().await;
    world
}

fn put_off() -> NotifyError {
    NotifyError::Later { message: "down".into(), after: Some(Duration::from_secs(60)) }
}

fn nobody() -> NotifyError {
    NotifyError::Nobody { message: "no such member".into() }
}

promise!(the_owner_is_told_once, |store| {
    let mut world = remind(store, OWNER, 1).await;
    world.settle().await;
    let sent = world.channels.sent();
    assert_eq!(sent.len(), 1);
    assert_eq!(sent[0].0, "@pat@acme.example");
    assert!(sent[0].1.text.contains("Zoë Ünal"), "{}", sent[0].1.text);
    assert_eq!(world.count("0", FactKind::Notified).await, 1);
    assert_eq!(world.crm.calls(), (1, 0), "the record was not seen for half an hour");
});

promise!(a_record_seen_within_a_minute_is_not_read_again, |store| {
    let mut world = remind(store, OWNER, 1).await;
    // Read by somebody's event a few seconds ago.
    world.receive(&[crate::world::said("0", minute(30), leadpact::crm::Says::ReadIt)]).await;
    world.turn().await;
    world.settle().await;
    assert_eq!((world.crm.calls().0, world.channels.places().len()), (1, 1));
});

promise!(a_lead_answered_meanwhile_reminds_nobody, |store| {
    let mut world = remind(store, OWNER, 1).await;
    world.crm.edit(Object::Lead, "0", minute(29), &[("status", text("Working"))]);
    world.settle().await;
    assert!(world.channels.places().is_empty());
    assert_eq!(world.count("0", FactKind::Notified).await, 0);
});

promise!(three_notices_go_one_by_one_and_four_as_one, |store| {
    let mut world = remind(store, OWNER, 3).await;
    world.settle().await;
    assert_eq!(world.channels.places().len(), 3);
    let ids: Vec<String> = (10..14).map(|i| i.to_string()).collect();
    world.hand_over(&ids).await;
    world.at(60);
    world.settle().await;
    assert_eq!(world.channels.places().len(), 4);
    for id in ids {
        assert_eq!(world.count(&id, FactKind::Notified).await, 1);
    }
});

promise!(where_nobody_is_the_partys_channel_is_told, |store| {
    let mut world = remind(store, OWNER, 1).await;
    world.channels.answer("@pat@acme.example", nobody());
    world.channels.answer("pat@acme.example", nobody());
    world.settle().await;
    assert_eq!(world.channels.places(), ["#field-sales"]);
    assert_eq!(world.count("0", FactKind::Notified).await, 1);
});

promise!(an_owner_without_an_address_is_replaced_by_the_partys_channel, |store| {
    let mut world = World::new(store, OWNER).await;
    world.crm.with(|s| s.people = vec![person("80", None, None, true)]);
    world.hand_over(&["0".to_owned()]).await;
    world.at(30);
    world.settle().await;
    assert_eq!(world.channels.places(), ["#field-sales"]);
});

promise!(an_owner_who_left_is_replaced_by_the_partys_channel, |store| {
    let mut world = World::new(store, OWNER).await;
    world.crm.with(|s| s.people = vec![person("80", Some("pat@acme.example"), None, false)]);
    world.hand_over(&["0".to_owned()]).await;
    world.at(30);
    world.settle().await;
    assert_eq!(world.channels.places(), ["#field-sales"]);
});

promise!(the_manager_is_the_crms_before_the_partys, |store| {
    let mut world = World::new(store, MANAGER).await;
    let boss = person("90", Some("boss@acme.example"), None, true);
    world.crm.with(|s| s.people = vec![person("80", Some("pat@acme.example"), Some("90"), true), boss]);
    world.hand_over(&["0".to_owned()]).await;
    world.at(30);
    world.settle().await;
    assert_eq!(world.channels.places(), ["@boss@acme.example"]);
});

promise!(without_one_in_the_crm_the_partys_manager_is_told, |store| {
    let mut world = remind(store, MANAGER, 1).await;
    world.settle().await;
    assert_eq!(world.channels.places(), ["manager@acme.example"]);
});

promise!(a_channel_that_is_down_is_tried_again_and_never_given_up, |store| {
    let mut world = remind(store, OWNER, 1).await;
    for _ in 0..15 {
        world.channels.answer("@pat@acme.example", put_off());
    }
    for i in 0..15 {
        world.clock.set(minute(30) + Elapsed::from_secs(61 * i));
        world.step().await.unwrap();
    }
    assert_eq!(world.channels.tried(), 15, "and not before its time");
    assert!(world.parked().await.is_empty());
    world.clock.set(minute(50));
    world.settle().await;
    assert_eq!(world.channels.places(), ["@pat@acme.example"]);
});

promise!(a_channel_that_is_down_is_tried_once_a_round, |store| {
    let steps = r#"{ at = "50%", notify = ["owner", "slack:#a", "slack:#b", "email:x@acme.example"] }"#;
    let mut world = remind(store, steps, 1).await;
    world.channels.answer("#a", put_off());
    world.step().await.unwrap();
    assert_eq!(world.channels.places(), ["x@acme.example"], "mail goes on");
    assert_eq!(world.channels.tried(), 2);
    world.at(32);
    world.settle().await;
    assert_eq!(world.channels.places().len(), 4);
});

promise!(what_is_refused_for_good_is_parked, |store| {
    let mut world = remind(store, OWNER, 1).await;
    world.channels.answer("@pat@acme.example", NotifyError::Never { message: "blocked".into() });
    world.channels.answer("pat@acme.example", NotifyError::Never { message: "blocked".into() });
    world.settle().await;
    assert_eq!(world.parked().await.len(), 1);
    assert_eq!(world.count("0", FactKind::Parked).await, 1);
});

promise!(while_the_crm_rests_who_was_seen_lately_is_told, |store| {
    let mut world = remind(store, OWNER, 2).await;
    world.receive(&[crate::world::said("0", minute(30), leadpact::crm::Says::ReadIt)]).await;
    world.turn().await;
    world.crm.with(|s| s.read_calls.extend([Call::Fine, Call::Fails(later(Some(3600)))]));
    world.step().await.unwrap();
    assert_eq!(world.channels.places().len(), 1);
    assert_eq!(world.count("0", FactKind::Notified).await, 1);
    world.step().await.unwrap();
    assert_eq!(world.crm.calls().0, 2);
    assert_eq!(world.open_effects().await.due, 1, "the other waits for the CRM");
});

promise!(what_the_crm_does_not_tell_waits_a_little, |store| {
    let mut world = remind(store, OWNER, 1).await;
    world.crm.with(|s| s.untold.insert(RecordId::new("0")));
    for _ in 0..5 {
        world.step().await.unwrap();
    }
    assert_eq!(world.crm.calls().0, 1);
    let next = outbox::earliest(&world.engine.db, world.site.name()).await.unwrap();
    assert_eq!(next, Some(minute(30) + Elapsed::from_secs(5)));
});

promise!(observing_tells_nobody_unless_asked_to, |store| {
    let mut world = remind(store, OWNER, 1).await;
    world.site.acts = Acts::Never;
    world.settle().await;
    assert!(world.channels.places().is_empty());
    assert_eq!(world.count("0", FactKind::WouldHave).await, 1);
});

promise!(observing_tells_when_asked_to, |store| {
    let mut world = remind(store, OWNER, 1).await;
    world.site.acts = Acts::Never;
    world.engine.notify_in_observe = true;
    world.settle().await;
    assert_eq!(world.channels.places(), ["@pat@acme.example"]);
});

promise!(after_a_crash_a_notice_is_sent_at_most_once_more, |store| {
    let mut world = remind(store, OWNER, 1).await;
    // Sent, and killed before that was noted.
    let row = outbox::due(&world.engine.db, world.site.name(), outbox::Lane::Notify, minute(30), 1).await.unwrap();
    let mut tx = world.engine.db.begin(leadpact::store::Priority::Work).await.unwrap();
    let key = row[0].effect.key.clone();
    outbox::mark_sending(&mut tx, world.site.name(), &[(key, "null".into())], minute(30)).await.unwrap();
    tx.commit().await.unwrap();
    world.crash().await;
    assert!(world.step().await.unwrap() > 0, "waiting would tell nothing");
    assert_eq!(world.channels.places().len(), 1);
    world.settle().await;
    assert_eq!(world.channels.places().len(), 1);
});

promise!(the_former_owner_and_the_receivers_channel_hear_of_a_move, |store| {
    let db = store.db.clone();
    let mut terms = agreement(crate::world::RECYCLE, "");
    terms.recycling.as_mut().unwrap().quiet = false;
    let mut world = World::over(db, terms, "first").await;
    world.hand_over(&["0".to_owned()]).await;
    world.at(61);
    world.settle().await;
    let mut places = world.channels.places();
    places.sort();
    assert_eq!(places, ["#teleprospecting", "@pat@acme.example"]);
    // A late echo tells nobody again.
    world.receive(&[changed("0", minute(61), &[("owner", text("70"))])]).await;
    world.settle().await;
    assert_eq!(world.channels.places().len(), 2);
});
