//! People's orders: applied in their turn like what a CRM tells, carried out like any other write.

use crate::world::{RECYCLE, World, acme, lead, minute, text};
use leadpact::engine::orders::{Made, moves_between, moves_of, submit};
use leadpact::record::{Ask, FactKind, Object, Order, RecordId, Timestamp, Value};
use leadpact::store::Priority;
use leadpact::store::inbox::{self, Kind, NewDelivery};

fn ids(n: usize) -> Vec<String> {
    (0..n).map(|i| format!("{i:03}")).collect()
}

async fn order(world: &World, id: &str, ask: Ask) {
    let order = Order { object: Object::Lead, id: RecordId::new(id), by: "Dana".into(), ask };
    submit(&world.engine.db, &acme(), &[order], world.clock.now()).await.unwrap();
}

async fn undo(world: &World, made: Made) {
    let ask = Ask::Undo { effect: made.effect, values: made.before, why: "too soon".into() };
    order(world, made.record.id.as_str(), ask).await;
}

fn seen(world: &World, id: &str) -> (String, String) {
    let value = |name| world.crm.value(Object::Lead, id, name).as_text().unwrap_or_default().to_owned();
    (value("owner"), value("status"))
}

fn pair(owner: &str, status: &str) -> (String, String) {
    (owner.to_owned(), status.to_owned())
}

promise!(an_excluded_lead_is_left_alone_until_it_is_included, |store| {
    let mut world = World::new(store, RECYCLE).await;
    world.hand_over(&ids(2)).await;
    let exclude = |until: Option<Timestamp>| Ask::Exclude { until, why: "a friend".into() };
    order(&world, "000", exclude(Some(minute(120)))).await;
    order(&world, "001", exclude(None)).await;
    world.at(61);
    world.settle().await;
    assert_eq!((seen(&world, "000").0.as_str(), seen(&world, "001").0.as_str()), ("80", "80"));
    assert_eq!((world.count("000", FactKind::Excluded).await, world.count("000", FactKind::Breached).await), (1, 1));
    world.at(121);
    world.settle().await;
    assert_eq!((world.count("000", FactKind::Recycled).await, seen(&world, "001").0.as_str()), (1, "80"));
    order(&world, "001", Ask::Include { why: String::new() }).await;
    world.settle().await;
    assert_eq!(world.count("001", FactKind::Included).await, 1);
});

promise!(an_undone_move_leaves_the_lead_as_it_was_before, |store| {
    let mut world = World::new(store, RECYCLE).await;
    world.hand_over(&ids(1)).await;
    world.at(61);
    world.settle().await;
    assert_eq!(seen(&world, "000"), pair("70", "MQL"));
    world.at(62);
    let made = moves_of(&world.engine.db, &lead("000")).await.unwrap().pop().unwrap();
    assert_eq!(
        (made.kind, made.from.clone(), made.to.clone()),
        (FactKind::Recycled, Some("80".into()), Some("70".into()))
    );
    undo(&world, made.clone()).await;
    world.settle().await;
    assert_eq!(seen(&world, "000"), pair("80", "TQL"));
    assert_eq!(world.count("000", FactKind::Undone).await, 1);
    assert_eq!(moves_of(&world.engine.db, &lead("000")).await.unwrap(), []);
    // Asked for again there is nothing to put back.
    let writes = world.crm.calls().1;
    undo(&world, made).await;
    world.settle().await;
    assert_eq!((world.crm.calls().1, world.count("000", FactKind::Undone).await), (writes, 1));
});

promise!(an_hours_moves_are_undone_but_for_what_somebody_changed_since, |store| {
    let mut world = World::new(store, RECYCLE).await;
    world.hand_over(&ids(3)).await;
    world.at(61);
    world.settle().await;
    world.at(70);
    world.crm.edit(Object::Lead, "002", minute(70), &[("owner", text("71")), ("touches", Value::Number(3.0))]);
    let (db, name) = (world.engine.db.clone(), acme());
    let between = |from, to| moves_between(&db, &name, minute(from), minute(to));
    assert_eq!(between(0, 61).await.unwrap(), []);
    let made = between(61, 71).await.unwrap();
    assert_eq!(made.len(), 3);
    for one in made {
        undo(&world, one).await;
    }
    world.settle().await;
    assert_eq!([seen(&world, "000"), seen(&world, "001")], [pair("80", "TQL"), pair("80", "TQL")]);
    assert_eq!(seen(&world, "002").0, "71");
    assert_eq!((world.count("001", FactKind::Undone).await, world.count("002", FactKind::Undone).await), (1, 0));
});

promise!(an_order_that_cannot_be_read_is_parked_and_seen, |store| {
    let mut world = World::new(store, RECYCLE).await;
    let row = |body: &str| NewDelivery {
        connection: acme(),
        delivery_id: None,
        kind: Kind::Order,
        body: body.to_owned(),
        received_at: world.clock.now(),
    };
    let rows = [row("{\"object\":\"lead\"}"), row("not JSON")];
    let mut tx = world.engine.db.begin(Priority::Ingest).await.unwrap();
    inbox::insert_all(&mut tx, &rows).await.unwrap();
    tx.commit().await.unwrap();
    order(&world, "000", Ask::Exclude { until: None, why: String::new() }).await;
    world.settle().await;
    let parked = world.parked_deliveries().await;
    assert_eq!(parked.len(), 2);
    assert!(parked.iter().all(|row| row.error.as_deref().unwrap().starts_with("the order cannot be read")));
    assert_eq!(world.count("000", FactKind::Excluded).await, 1, "the others are applied");
});
