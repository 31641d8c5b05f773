//! A deal and its lead: each learns of the other by reads alone.

use crate::world::{RECYCLE, Store, World, lead, minute, text};
use leadpact::crm::{Event, Says};
use leadpact::record::field::well_known;
use leadpact::record::{Actor, Object, RecordId, Value};

fn deal(world: &World, leads: &str) {
    world.crm.edit(Object::Opportunity, "7", minute(5), &[("name", text("A deal")), ("lead[]", text(leads))]);
}

async fn told_of_the_deal(world: &mut World) {
    let id = RecordId::new("7");
    let event = Event { object: Object::Opportunity, id, at: minute(5), by: Actor::Unknown, says: Says::ReadIt };
    world.at(6);
    world.receive(&[event]).await;
    world.settle().await;
}

async fn world(store: Store) -> World {
    let mut world = World::new(store, RECYCLE).await;
    world.hand_over(&["000".to_owned()]).await;
    world.crm.edit(Object::Lead, "000", minute(5), &[("opportunity[]", text(";7;"))]);
    world
}

promise!(a_deal_that_lists_a_lead_makes_the_lead_be_read, |store| {
    let mut world = world(store).await;
    deal(&world, ";000;999;");
    told_of_the_deal(&mut world).await;
    assert_eq!(world.standing("000").await.fields.get(well_known().opportunity), &Value::text("7"));
    let reads = world.crm.with(|s| s.reads.clone());
    let of = |id: &str| reads.iter().flatten().filter(|r| r.as_str() == id).count();
    assert_eq!((of("000"), of("999")), (1, 0), "a contact that is no lead of ours is left alone");
    let unknown = leadpact::store::standing::load_one(&world.engine.db, &lead("999")).await.unwrap();
    assert_eq!(unknown, None);
});

promise!(a_lead_that_knows_its_deal_is_not_read_for_it, |store| {
    let mut world = world(store).await;
    world.at(6);
    world.receive(&[crate::world::said("000", minute(5), Says::ReadIt)]).await;
    world.settle().await;
    world.crm.with(|s| s.reads.clear());
    deal(&world, ";000;");
    told_of_the_deal(&mut world).await;
    let reads = world.crm.with(|s| s.reads.clone());
    assert_eq!(reads, [vec![RecordId::new("7")]]);
});
