//! The first import: silent, at the true times, and resumable.

use crate::crm::{Call, later};
use crate::world::{RECYCLE, World, acme, minute, text};
use leadpact::crm::connection::Backfill;
use leadpact::engine::backfill::{self, Asked, Import, Stepped};
use leadpact::record::{FactKind, Object, Value};

async fn imported(world: &World) -> Import {
    while backfill::step(&world.engine, &world.site, &world.lease).await.unwrap() == Stepped::Went {}
    backfill::state(&world.engine.db, &acme()).await.unwrap().unwrap()
}

async fn ask(world: &World, again: bool) -> Asked {
    backfill::ask(&world.engine.db, &acme(), "sam", again, world.clock.now()).await.unwrap()
}

/// One lead overdue since long ago, one that is owed in half an hour, one whose beginning no history
/// tells, and an opportunity.
async fn a_house_with_a_past(store: crate::world::Store) -> World {
    let world = World::new(store, RECYCLE).await;
    let owed = [("name", text("Zoë")), ("status", text("TQL")), ("owner", text("80")), ("touches", Value::Number(0.0))];
    world.crm.edit(Object::Lead, "undated", minute(-600), &owed);
    world.crm.with(|s| {
        s.searchable = true;
        s.past.clear();
    });
    world.crm.edit(Object::Lead, "late", minute(-500), &owed);
    world.crm.edit(Object::Lead, "owed", minute(-30), &owed);
    world.crm.edit(Object::Opportunity, "deal", minute(-30), &[("name", text("Deal"))]);
    world
}

promise!(an_import_starts_clocks_at_their_true_times_and_fires_nothing_that_is_overdue, |store| {
    let mut world = a_house_with_a_past(store).await;
    assert_eq!(ask(&world, false).await, Asked::Stands);
    let import = imported(&world).await;
    assert_eq!((import.imported, import.known, import.total), (4, 0, 4));
    assert_eq!((import.overdue, import.undated), (1, 1));
    assert_eq!((import.named[0].id.as_str(), import.named[0].deadline), ("late", minute(-440)));
    world.settle().await;
    assert_eq!(world.crm.calls().1, 0, "an import moves nobody's lead");
    let run = world.standing("owed").await.open_runs().next().cloned().unwrap();
    assert_eq!(run.deadline, minute(30));
    // What falls due later fires as ever.
    world.at(31);
    world.settle().await;
    assert_eq!(world.crm.times_written().into_keys().collect::<Vec<_>>(), ["owed"]);
    world.at(3_000);
    world.settle().await;
    assert_eq!(world.crm.times_written().len(), 1);
});

promise!(clocks_count_from_the_import_where_that_is_asked_for, |store| {
    let mut world = a_house_with_a_past(store).await;
    world.site.connection.backfill = Backfill::FromImport;
    ask(&world, false).await;
    let import = imported(&world).await;
    assert_eq!((import.imported, import.overdue, import.undated), (4, 0, 0));
    for id in ["late", "undated", "owed"] {
        let run = world.standing(id).await.open_runs().next().cloned().unwrap();
        assert_eq!((run.deadline, run.silent), (minute(60), false), "{id}");
        assert_eq!(world.count(id, FactKind::DefinitionFailed).await, 0);
    }
    world.settle().await;
    assert_eq!(world.crm.calls().1, 0);
    world.at(61);
    world.settle().await;
    assert_eq!(world.crm.times_written().len(), 3);
});

promise!(an_import_goes_on_where_it_stopped_and_is_not_repeated_unless_asked, |store| {
    let mut world = World::new(store, RECYCLE).await;
    for id in 0..250 {
        world.crm.edit(Object::Lead, &id.to_string(), minute(-10), &[("status", text("MQL"))]);
    }
    world.crm.with(|s| {
        s.searchable = true;
        s.search_calls.extend([Call::Fine, Call::Fails(later(Some(9)))]);
    });
    ask(&world, false).await;
    let put_off = imported(&world).await;
    assert_eq!((put_off.imported, put_off.ended), (100, None));
    assert!(put_off.waits.unwrap().contains("busy"));
    world.crash().await;
    assert_eq!(ask(&world, false).await, Asked::Stands);
    let import = imported(&world).await;
    assert_eq!((import.imported, import.total), (250, 250));
    assert!(import.ended.is_some() && import.waits.is_none());
    assert_eq!(world.crm.with(|s| s.searches.iter().map(|(_, from)| *from).collect::<Vec<_>>()), [0, 100, 100, 200]);
    assert_eq!(ask(&world, false).await, Asked::Ended(import));
    assert_eq!(ask(&world, true).await, Asked::Stands);
    let again = imported(&world).await;
    assert_eq!((again.imported, again.known), (0, 250));
});

promise!(a_record_that_is_worked_already_is_only_read_by_an_import, |store| {
    let mut world = World::new(store, RECYCLE).await;
    world.crm.with(|s| s.searchable = true);
    world.hand_over(&["1".to_owned()]).await;
    world.at(61);
    ask(&world, false).await;
    let import = imported(&world).await;
    assert_eq!((import.imported, import.known), (0, 1));
    assert_eq!(world.count("1", FactKind::Imported).await, 0);
    world.settle().await;
    assert_eq!(world.crm.times_written().len(), 1, "it is due, and an import is no excuse");
});

promise!(sweeps_begin_where_the_import_did, |store| {
    let world = a_house_with_a_past(store).await;
    ask(&world, false).await;
    imported(&world).await;
    world.crm.with(|s| s.searches.clear());
    world.at(30);
    world.crm.edit(Object::Lead, "owed", minute(20), &[("status", text("Working"))]);
    let over = tokio_util::sync::CancellationToken::new();
    leadpact::engine::reconcile::sweep(&world.engine, &world.site, &world.lease, &over).await.unwrap();
    assert_eq!(world.standing("owed").await.stage.unwrap().as_str(), "sal");
});
