//! Privacy deletions: not one column of one table holds anything of the person any more, whatever comes
//! before, with or after them, and the journal's chain still holds.

use crate::world::{World, acme, changed, lead, minute, said, text};
use leadpact::agreement::standing::Gone;
use leadpact::crm::Says;
use leadpact::engine::letters;
use leadpact::engine::orders::submit;
use leadpact::notify::Rendered;
use leadpact::record::{Ask, FactKind, Object, Order, RecordId, Value};
use leadpact::store::Priority;
use leadpact::store::inbox::{self, Kind, NewDelivery};
use leadpact::store::journal;

const NAME: &str = "Canary O'Hara & Söhne";
const MAIL: &str = "canary@lead.example";
const PHONE: &str = "+49 555 0001111";
const STEPS: &str = r#"{ at = "50%", notify = ["owner"] }, { at = "due", recycle = true }"#;

/// Every column of every table as text.
async fn dump(world: &World) -> String {
    crate::dump::all(world.url()).await
}

fn canaries(dump: &str) -> Vec<&str> {
    let canaries = ["Canary", "canary@", "555 0001111"];
    canaries.into_iter().filter(|canary| dump.contains(canary)).collect()
}

fn values() -> Vec<(&'static str, Value)> {
    vec![
        ("name", text(NAME)),
        ("email", text(MAIL)),
        ("budget", text(PHONE)),
        ("status", text("TQL")),
        ("owner", text("80")),
        ("touches", Value::Number(0.0)),
    ]
}

/// Two leads of one delivery, told, reminded of, written and recycled.
async fn lived(store: crate::world::Store) -> World {
    let mut world = World::new(store, STEPS).await;
    for id in ["70110001", "701100012"] {
        world.crm.edit(Object::Lead, id, minute(0), &values());
    }
    let other: Vec<(&str, Value)> =
        values().into_iter().filter(|(name, _)| *name == "owner" || *name == "status").collect();
    world.crm.edit(
        Object::Lead,
        "701100012",
        minute(0),
        &[("name", text("Somebody Else")), ("email", text("e@e.example")), ("budget", text(""))],
    );
    world.receive(&[changed("70110001", minute(0), &values()), changed("701100012", minute(0), &other)]).await;
    world.settle().await;
    world.at(31);
    world.settle().await;
    world.at(61);
    world.settle().await;
    assert_eq!(world.count("70110001", FactKind::Recycled).await, 1);
    assert_eq!(canaries(&dump(&world).await).len(), 3, "it is all over the place before");
    world
}

async fn erased(world: &World) {
    let dump = dump(world).await;
    assert_eq!(canaries(&dump), Vec::<&str>::new(), "{dump}");
    assert_eq!(world.standing("70110001").await.gone, Some(Gone::Erased));
    assert_eq!(world.count("70110001", FactKind::Erased).await, 1);
    let verified = journal::verify(&world.engine.db, &acme()).await.unwrap();
    assert!(verified.fault.is_none(), "{verified:?}");
}

promise!(nothing_of_the_person_is_left_and_the_chain_holds, |store| {
    let world = lived(store).await;
    world.receive(&[said("70110001", minute(61), Says::Erased), said("70110001", minute(61), Says::Deleted)]).await;
    world.turn().await;
    erased(&world).await;
    assert_eq!(world.standing("701100012").await.name(), "Somebody Else", "the other lead is as it was");
    assert!(world.history("701100012").await > 0);
});

promise!(open_clocks_are_cancelled_and_nothing_leaves_any_more, |store| {
    let mut world = World::new(store, STEPS).await;
    world.crm.edit(Object::Lead, "70110001", minute(0), &values());
    world.receive(&[changed("70110001", minute(0), &values())]).await;
    world.settle().await;
    world.at(29);
    world.receive(&[said("70110001", minute(29), Says::Erased)]).await;
    world.at(61);
    world.settle().await;
    assert_eq!(world.count("70110001", FactKind::Cancelled).await, 1);
    assert_eq!(world.count("70110001", FactKind::Breached).await, 0);
    assert!(world.crm.times_written().is_empty());
    erased(&world).await;
});

promise!(an_ordinary_deletion_may_come_before_or_after, |store| {
    let mut world = lived(store).await;
    world.receive(&[said("70110001", minute(61), Says::Deleted)]).await;
    world.turn().await;
    assert_eq!(world.standing("70110001").await.gone, Some(Gone::Deleted));
    world.receive(&[said("70110001", minute(61), Says::Erased)]).await;
    world.turn().await;
    erased(&world).await;
    world.receive(&[said("70110001", minute(62), Says::Deleted), said("70110001", minute(62), Says::Erased)]).await;
    world.at(63);
    world.settle().await;
    erased(&world).await;
});

promise!(a_late_webhook_brings_nothing_back, |store| {
    let mut world = lived(store).await;
    world.receive(&[said("70110001", minute(61), Says::Erased)]).await;
    world.turn().await;
    let late =
        [changed("70110001", minute(1), &values()), changed("701100012", minute(62), &[("status", text("Working"))])];
    world.receive(&late).await;
    world.receive(&[said("70110001", minute(70), Says::Restored), said("70110001", minute(71), Says::ReadIt)]).await;
    world.at(72);
    world.settle().await;
    erased(&world).await;
    assert_eq!(world.standing("701100012").await.stage.unwrap().as_str(), "sal", "what else was told counts");
});

promise!(what_was_received_and_waits_is_applied_but_for_the_erased_record, |store| {
    let world = lived(store).await;
    let both =
        [changed("70110001", minute(61), &values()), changed("701100012", minute(61), &[("status", text("Working"))])];
    // Applied in a later turn than the erasure: set aside by hand, as a person would replay it.
    let body = serde_json::to_string(&both).unwrap();
    let row = NewDelivery {
        connection: acme(),
        delivery_id: Some("d1".into()),
        kind: Kind::Delivery,
        body,
        received_at: minute(62),
    };
    let mut tx = world.engine.db.begin(Priority::Ingest).await.unwrap();
    let id = inbox::insert(&mut tx, &row).await.unwrap();
    inbox::park(&mut tx, &acme(), &id, "a fault").await.unwrap();
    tx.commit().await.unwrap();
    world.receive(&[said("70110001", minute(62), Says::Erased)]).await;
    world.turn().await;
    erased(&world).await;
    let parked = world.parked_deliveries().await;
    assert_eq!(parked.len(), 1, "{parked:?}");
    assert!(parked[0].body.contains("701100012"), "{parked:?}");
});

promise!(whoever_was_merged_into_it_is_the_same_person, |store| {
    let mut world = lived(store).await;
    world.crm.edit(Object::Lead, "500", minute(61), &values());
    world.receive(&[said("70110001", minute(62), Says::Merged { into: RecordId::new("500") })]).await;
    world.at(63);
    world.settle().await;
    world.receive(&[said("500", minute(64), Says::Erased)]).await;
    world.at(65);
    world.settle().await;
    erased(&world).await;
});

promise!(a_person_can_order_it_for_a_crm_that_has_no_event_for_it, |store| {
    let mut world = lived(store).await;
    let order = Order { object: Object::Lead, id: RecordId::new("70110001"), by: "Dana".into(), ask: Ask::Erase };
    submit(&world.engine.db, &acme(), &[order], minute(62)).await.unwrap();
    world.at(63);
    world.settle().await;
    erased(&world).await;
    let told = journal::of_record(&world.engine.db, &lead("70110001")).await.unwrap();
    let last = told.iter().rfind(|row| row.entry.fact.kind == FactKind::Erased).unwrap();
    assert_eq!(last.entry.fact.detail["by"], "Dana");
});

promise!(letters_lose_the_name, |store| {
    let world = lived(store).await;
    let mut tx = world.engine.db.begin(Priority::Work).await.unwrap();
    let says = Rendered { key: "pack".into(), text: format!("At risk: {NAME}"), ..crate::dump::rendered() };
    letters::issue(&mut tx, &acme(), &Vec::new(), &says, true, minute(61)).await.unwrap();
    tx.commit().await.unwrap();
    world.receive(&[said("70110001", minute(61), Says::Erased)]).await;
    world.turn().await;
    erased(&world).await;
    assert!(dump(&world).await.contains("At risk: (erased)"));
});
