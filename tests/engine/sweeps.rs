//! The sweep over what was modified: webhooks get lost, deadlines must not.

use crate::crm::{Call, later, never};
use crate::world::{RECYCLE, World, acme, lead, minute, said, text};
use leadpact::crm::usage::Allowance;
use leadpact::crm::{Says, Sought, Usage};
use leadpact::engine::clock::real_now;
use leadpact::engine::reconcile::{self, OVERLAP, Swept};
use leadpact::record::{FactKind, Object, RecordId, Timestamp, Value};
use leadpact::store::{Priority, cursor, journal, standing};
use tokio_util::sync::CancellationToken;

const TWO_DAYS: i64 = 48 * 60;

async fn sweep(world: &World) -> Swept {
    reconcile::sweep(&world.engine, &world.site, &world.lease, &CancellationToken::new()).await.unwrap()
}

/// A world whose CRM can be searched, watched from noon on.
async fn watched(store: crate::world::Store) -> World {
    let world = World::new(store, RECYCLE).await;
    world.crm.with(|s| s.searchable = true);
    assert_eq!(sweep(&world).await, Swept::Through);
    assert_eq!(world.crm.with(|s| s.searches.len()), 0, "what was before is the first import's");
    world
}

promise!(a_new_connection_is_not_looked_back_upon_whoever_notes_first_that_it_is_worked, |store| {
    let world = World::new(store, RECYCLE).await;
    world.crm.with(|s| s.searchable = true);
    world.crm.edit(Object::Lead, "before", minute(-5), &[("name", text("Ada")), ("status", text("TQL"))]);
    reconcile::begin(&world.engine, &world.site, &world.lease).await.unwrap();
    let mut tx = world.engine.db.begin(Priority::Work).await.unwrap();
    cursor::set(&mut tx, &acme(), "alive", &real_now().as_millis().to_string()).await.unwrap();
    tx.commit().await.unwrap();
    world.at(1);
    assert_eq!(sweep(&world).await, Swept::Through);
    let known = standing::load_one(&world.engine.db, &lead("before")).await.unwrap();
    assert_eq!(known, None, "what was before is the first import's");
});

fn names(n: std::ops::Range<usize>) -> Vec<String> {
    n.map(|n| format!("{n}")).collect()
}

async fn at_of(world: &World, id: &str, kind: FactKind) -> Timestamp {
    let rows = journal::of_record(&world.engine.db, &lead(id)).await.unwrap();
    rows.iter().find(|row| row.entry.fact.kind == kind).unwrap_or_else(|| panic!("{kind:?} of {id}")).entry.fact.at
}

/// So many leads known and owed; then nobody tells us anything for two days, in which a tenth of them was
/// touched in time, some new ones came, and one each was deleted and merged.
async fn two_silent_days(world: &mut World, leads: usize) {
    let ids = names(0..leads);
    world.hand_over(&ids).await;
    for id in names(0..leads / 10) {
        world.crm.edit(
            Object::Lead,
            &id,
            minute(30),
            &[("touches", Value::Number(1.0)), ("last_touch", Value::Time(minute(30)))],
        );
    }
    let handed =
        [("name", text("Ida")), ("status", text("TQL")), ("owner", text("80")), ("touches", Value::Number(0.0))];
    for id in names(leads..leads + 10) {
        world.crm.edit(Object::Lead, &id, minute(TWO_DAYS - 20), &handed);
        // Something else was changed later: the history alone tells since when it is owed.
        world.crm.edit(Object::Lead, &id, minute(TWO_DAYS - 5), &[("company", text("Acme"))]);
    }
    world.crm.with(|s| {
        s.records.remove(&(Object::Lead, RecordId::new("700")));
        s.records.remove(&(Object::Lead, RecordId::new("701")));
        s.ended.push(said("700", minute(100), Says::Deleted));
        s.ended.push(said("701", minute(100), Says::Merged { into: RecordId::new("702") }));
    });
    world.at(TWO_DAYS);
}

promise!(after_two_days_without_webhooks_one_sweep_of_5_000_leads_makes_the_mirror_exact, |store| {
    let mut world = watched(store).await;
    two_silent_days(&mut world, 5_000).await;
    assert_eq!(sweep(&world).await, Swept::Through);
    is_exact(&world, 5_000).await;
    // What is due is now decided upon: nothing is held against who answered in time.
    world.turn().await;
    for id in names(0..500) {
        assert_eq!(world.count(&id, FactKind::Breached).await, 0, "{id}");
    }
    assert_eq!(world.count("500", FactKind::Breached).await, 1);
});

promise!(no_lead_that_was_touched_while_nobody_told_us_is_recycled, |store| {
    let mut world = watched(store).await;
    two_silent_days(&mut world, 1_000).await;
    sweep(&world).await;
    world.settle().await;
    let written = world.crm.times_written();
    assert_eq!(written.len(), 1_000 - 100 - 2, "{}", written.len());
    assert!(written.values().all(|times| *times == 1));
    assert!((0..100).all(|id| !written.contains_key(&id.to_string())), "a touched lead was taken away");
    assert!((700..702).all(|id| !written.contains_key(&id.to_string())), "a record that is gone was written");
});

/// What we know is what the CRM has, and when things happened is by its time.
async fn is_exact(world: &World, leads: usize) {
    let crm = world.crm.with(|s| s.records.clone());
    for ((_, id), record) in &crm {
        let standing = world.standing(id.as_str()).await;
        for (name, value) in &record.values {
            assert_eq!(standing.fields.get(*name), value, "{name} of {id}");
        }
    }
    assert_eq!(world.count("700", FactKind::Deleted).await, 1);
    assert_eq!(world.count("701", FactKind::Merged).await, 1);
    // The clock runs since the lead was handed over, not since we heard of it.
    assert_eq!(at_of(world, &leads.to_string(), FactKind::ClockStarted).await, minute(TWO_DAYS - 20));
    let run = world.standing(&leads.to_string()).await.open_runs().next().cloned().unwrap();
    assert_eq!(run.deadline, minute(TWO_DAYS + 40));
    // Answered within the hour, by the CRM's time; nothing was ever said to the contrary.
    assert_eq!(at_of(world, "0", FactKind::Met).await, minute(30));
    assert_eq!(world.count("0", FactKind::Breached).await, 0);
}

promise!(a_sweep_that_was_interrupted_goes_on_where_it_stopped, |store| {
    let mut world = watched(store).await;
    world.at(60);
    for id in names(0..250) {
        world.crm.edit(Object::Lead, &id, minute(30), &[("status", text("MQL"))]);
    }
    world.crm.with(|s| s.search_calls.extend([Call::Fine, Call::Fails(later(Some(7)))]));
    let Swept::PutOff { after, .. } = sweep(&world).await else { panic!("it was to be put off") };
    assert_eq!(after.as_secs(), 7);
    world.at(61);
    world.crash().await;
    assert_eq!(sweep(&world).await, Swept::Through);
    // Not before the moment from which on it is watched.
    let since = Sought::Since(minute(0));
    let places = [0, 100, 100, 200].map(|from| (since, from));
    assert_eq!(world.crm.with(|s| s.searches.clone()), places);
    // The next one looks back to before the beginning of this one, not to its end.
    world.at(120);
    sweep(&world).await;
    assert_eq!(world.crm.with(|s| s.searches[4]), (Sought::Since(minute(60) - OVERLAP), 0));
});

promise!(what_is_known_is_read_again_without_a_trace_and_its_history_is_not_asked_for, |store| {
    let mut world = watched(store).await;
    world.hand_over(&["1".to_owned()]).await;
    world.at(5);
    sweep(&world).await;
    let (facts, entries) = (world.facts("1").await, world.history("1").await);
    world.at(10);
    sweep(&world).await;
    assert_eq!(world.crm.with(|s| s.searches.len()), 2);
    assert_eq!(world.facts("1").await, facts);
    assert!(world.history("1").await <= entries + 1);
    assert_eq!(world.crm.with(|s| s.histories.clone()), Vec::<RecordId>::new());
});

promise!(a_crm_without_history_is_swept_all_the_same, |store| {
    let mut world = watched(store).await;
    world.hand_over(&["1".to_owned()]).await;
    world.crm.edit(Object::Lead, "1", minute(40), &[("status", text("Working"))]);
    world.crm.with(|s| s.past.clear());
    world.at(TWO_DAYS);
    sweep(&world).await;
    // Known by the time of its last modification, which was before the deadline.
    assert_eq!(world.standing("1").await.stage.unwrap().as_str(), "sal");
    assert!(at_of(&world, "1", FactKind::Met).await <= minute(40));
    assert_eq!(world.count("1", FactKind::Breached).await, 0);
});

promise!(an_object_that_is_not_shown_to_us_keeps_no_other_from_being_swept, |store| {
    let world = watched(store).await;
    world.at(60);
    let deal = [("name", text("Deal")), ("status", text("open"))];
    world.crm.edit(Object::Opportunity, "7", minute(30), &deal);
    world.crm.with(|s| s.search_calls.push_back(Call::Fails(never())));
    assert_eq!(sweep(&world).await, Swept::Through);
    assert_eq!(world.crm.with(|s| s.reads.clone()), [[RecordId::new("7")]]);
    // Leads are looked for from the same moment on the next time.
    sweep(&world).await;
    assert_eq!(world.crm.with(|s| s.searches[1]), (Sought::Since(minute(0)), 0));
});

promise!(sweeps_rest_beyond_their_share_of_the_days_calls_and_writes_go_on, |store| {
    let mut world = watched(store).await;
    world.hand_over(&["1".to_owned()]).await;
    let used = |used| Some(Usage { at: minute(61), day: Some(Allowance { used, limit: 100 }), window: None });
    world.crm.with(|s| s.usage = used(51));
    world.at(61);
    let Swept::PutOff { why, .. } = sweep(&world).await else { panic!("it was to rest") };
    assert!(why.contains("51 %"), "{why}");
    assert_eq!(world.crm.with(|s| s.searches.len()), 0);
    world.settle().await;
    assert_eq!(world.crm.times_written().len(), 1);
    world.crm.with(|s| s.usage = used(50));
    assert_eq!(sweep(&world).await, Swept::Through);
    // What was told long ago is not believed for ever: the next answer tells how it stands.
    world.crm.with(|s| s.usage = used(99));
    world.at(61 + 15);
    assert_eq!(sweep(&world).await, Swept::Through);
});

promise!(a_page_that_cannot_be_kept_is_taken_in_again, |store| {
    let mut world = watched(store).await;
    world.at(60);
    for id in names(0..3) {
        world.crm.edit(Object::Lead, &id, minute(30), &[("status", text("TQL"))]);
    }
    world.crm.with(|s| s.read_calls.push_back(Call::Fails(later(None))));
    assert!(matches!(sweep(&world).await, Swept::PutOff { .. }));
    assert_eq!(sweep(&world).await, Swept::Through);
    assert_eq!(world.count("2", FactKind::ClockStarted).await, 1);
    // Another process took over: nothing is written under the lease that was lost.
    let stale = world.lease.clone();
    world.crash().await;
    let swept = reconcile::sweep(&world.engine, &world.site, &stale, &CancellationToken::new()).await;
    assert!(matches!(swept, Err(leadpact::store::StoreError::LostLease(name)) if name == acme().as_str()));
});

promise!(what_the_index_of_a_search_shows_minutes_late_is_found_by_the_next_sweep, |store| {
    let world = watched(store).await;
    world.at(60);
    sweep(&world).await;
    world.crm.edit(Object::Lead, "1", minute(58), &[("status", text("TQL"))]);
    world.at(75);
    sweep(&world).await;
    assert_eq!(world.standing("1").await.stage.unwrap().as_str(), "tql");
});
