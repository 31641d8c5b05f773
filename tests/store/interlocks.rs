//! Switches, absences, and recycles as a crowd: counted, held, ruled about, put off.

use crate::{Store, acme, at, lead, other};
use leadpact::record::{Action, Effect, EffectKey, Outcome, OwnerId, RecordId, RecordKey};
use leadpact::store::absence::{self, AbsenceRow};
use leadpact::store::outbox::{self, Lane, Ruling};
use leadpact::store::standing::{self, StandingRow};
use leadpact::store::switch::{self, Switch, SwitchRow};

fn row(connection: bool, switch: Switch, on: bool, ms: i64) -> SwitchRow {
    SwitchRow {
        connection: connection.then(acme),
        switch,
        on,
        until: on.then(|| at(ms + 5)),
        by: "Dana".into(),
        why: "a\0b".into(),
        at: at(ms),
    }
}

promise!(a_connection_sees_its_own_switches_and_those_of_all, |store| {
    let mut tx = store.begin().await;
    assert!(!switch::lock(&mut tx, &acme(), Switch::Breaker).await.unwrap());
    switch::set(&mut tx, &row(true, Switch::Paused, true, 1)).await.unwrap();
    switch::set(&mut tx, &row(true, Switch::Paused, false, 2)).await.unwrap();
    switch::set(&mut tx, &row(false, Switch::Paused, true, 3)).await.unwrap();
    switch::set(&mut tx, &row(true, Switch::Breaker, true, 4)).await.unwrap();
    assert!(switch::lock(&mut tx, &acme(), Switch::Breaker).await.unwrap());
    assert!(!switch::lock(&mut tx, &acme(), Switch::Paused).await.unwrap());
    tx.commit().await.unwrap();
    let clean = |row: SwitchRow| SwitchRow { why: "a\u{fffd}b".into(), ..row };
    let everywhere = clean(row(false, Switch::Paused, true, 3));
    let own = [clean(row(true, Switch::Breaker, true, 4)), clean(row(true, Switch::Paused, false, 2))];
    let all = [std::slice::from_ref(&everywhere), &own].concat();
    assert_eq!(switch::load(&store.db, &acme()).await.unwrap(), all);
    assert_eq!(switch::load(&store.db, &other()).await.unwrap(), [everywhere]);
});

promise!(an_absence_ends_at_its_time_or_earlier, |store| {
    let absent =
        |owner: &str, until| AbsenceRow { owner: owner.into(), until: at(until), by: "Dana".into(), at: at(1) };
    let mut tx = store.begin().await;
    for one in [absent("7", 10), absent("8", 20), absent("7", 30)] {
        absence::set(&mut tx, &acme(), &one).await.unwrap();
    }
    tx.commit().await.unwrap();
    assert_eq!(absence::at(&store.db, &acme(), at(19)).await.unwrap(), [absent("7", 30), absent("8", 20)]);
    assert_eq!(absence::at(&store.db, &acme(), at(20)).await.unwrap(), [absent("7", 30)]);
    assert!(absence::at(&store.db, &other(), at(1)).await.unwrap().is_empty());
    let mut tx = store.begin().await;
    assert!(absence::remove(&mut tx, &acme(), &"7".into()).await.unwrap());
    assert!(!absence::remove(&mut tx, &acme(), &"7".into()).await.unwrap());
    tx.commit().await.unwrap();
    assert!(absence::at(&store.db, &acme(), at(1)).await.unwrap().len() == 1);
});

fn key(n: i64) -> EffectKey {
    EffectKey::new(format!("k{n:03}"))
}

fn record(n: i64) -> RecordKey {
    RecordKey { id: RecordId::new(n.to_string()), ..lead("") }
}

fn recycle(n: i64, not_before: i64) -> Effect {
    Effect {
        key: key(n),
        record: record(n),
        action: Action::Recycle { to: "tele".into(), set: Vec::new() },
        source: "follow up".into(),
        pass: 1,
        run: 1,
        step: "due".into(),
        at: at(1),
        not_before: at(not_before),
        deadline: Some(at(1)),
    }
}

/// Leads of 7, but for the last, which is nobody's and unknown; each due at its number.
async fn leads(store: &Store, n: i64) {
    let known = (0..n - 1).map(|n| StandingRow {
        key: record(n),
        stage: None,
        owner: Some("7".into()),
        party: Some("field_sales".into()),
        name: format!("Lead {n}"),
        wake_at: None,
        state: "{}".into(),
        updated: at(1),
    });
    let mut tx = store.begin().await;
    standing::save(&mut tx, &known.collect::<Vec<_>>()).await.unwrap();
    outbox::add(&mut tx, &(0..n).map(|n| recycle(n, n)).collect::<Vec<_>>(), at(100)).await.unwrap();
    let other = Effect { key: key(900), action: Action::Annotate, ..recycle(0, 0) };
    outbox::add(&mut tx, &[other], at(100)).await.unwrap();
    tx.commit().await.unwrap();
}

fn sorted(mut counts: Vec<outbox::OfOwner>) -> Vec<(String, u64)> {
    counts.sort();
    counts.into_iter().map(|(owner, n)| (owner.map(|o| o.to_string()).unwrap_or_default(), n)).collect()
}

promise!(recycles_are_counted_by_owner_when_due_and_when_made, |store| {
    leads(&store, 5).await;
    let name = acme();
    let due = |now| outbox::recycles_due(&store.db, &name, at(now));
    assert_eq!(sorted(due(2).await.unwrap()), [("7".into(), 3)]);
    assert_eq!(sorted(due(9).await.unwrap()), [(String::new(), 1), ("7".into(), 4)]);
    let mut tx = store.begin().await;
    let owners = [(key(0), Some(OwnerId::new("7"))), (key(1), Some(OwnerId::new("8"))), (key(4), None)];
    outbox::taken_from(&mut tx, &acme(), &owners).await.unwrap();
    let intents: Vec<_> = [0, 1, 4].map(|n| (key(n), "{}".to_owned())).into();
    outbox::mark_sending(&mut tx, &acme(), &intents, at(200)).await.unwrap();
    let done = Outcome::Done { at: at(1), since: at(1), values: Vec::new(), note: None };
    outbox::settle(&mut tx, &acme(), &[(key(0), done.clone()), (key(4), done)], at(300)).await.unwrap();
    tx.commit().await.unwrap();
    let made = |since| outbox::recycles_made(&store.db, &name, at(since), false);
    assert_eq!(sorted(made(299).await.unwrap()), [(String::new(), 1), ("7".into(), 1), ("8".into(), 1)]);
    assert_eq!(sorted(made(300).await.unwrap()), [("8".into(), 1)], "what is on its way counts");
    let moments = outbox::recycle_moments(&store.db, &acme(), at(299), at(400)).await.unwrap();
    assert_eq!(moments, [at(300), at(300), at(400)]);
    assert_eq!(sorted(due(9).await.unwrap()), [("7".into(), 2)]);
});

promise!(what_is_held_stays_until_somebody_rules, |store| {
    leads(&store, 6).await;
    let mut tx = store.begin().await;
    assert_eq!(outbox::hold(&mut tx, &acme(), at(3), 3).await.unwrap().len(), 3);
    assert_eq!(outbox::hold(&mut tx, &acme(), at(3), 3).await.unwrap().len(), 1);
    assert!(outbox::any_held(&mut tx, &acme()).await.unwrap());
    tx.commit().await.unwrap();
    let held = outbox::held(&store.db, &acme()).await.unwrap();
    assert_eq!(held.iter().map(|h| h.name.as_str()).collect::<Vec<_>>(), ["Lead 0", "Lead 1", "Lead 2", "Lead 3"]);
    assert_eq!((held[0].owner.clone(), held[0].party.clone()), (Some("7".into()), Some("field_sales".into())));
    let counts = outbox::counts(&store.db, &acme()).await.unwrap();
    assert_eq!((counts.due, counts.held), (3, 4));
    let mut tx = store.begin().await;
    let gone = outbox::withdraw(&mut tx, &acme(), &[key(3)], at(4)).await.unwrap();
    assert_eq!(gone.len(), 1, "an answer takes it back");
    let released = outbox::rule(&mut tx, &acme(), Some(&[key(0), key(5)]), &Ruling::Released, at(5)).await.unwrap();
    assert_eq!(released.into_iter().map(|e| e.key).collect::<Vec<_>>(), [key(0)]);
    let given_up = Ruling::Discarded("discarded by Dana: no".into());
    assert_eq!(outbox::rule(&mut tx, &acme(), None, &given_up, at(5)).await.unwrap().len(), 2);
    assert!(!outbox::any_held(&mut tx, &acme()).await.unwrap());
    assert!(
        outbox::hold(&mut tx, &acme(), at(3), 9).await.unwrap().is_empty(),
        "what was ruled about is not held again"
    );
    tx.commit().await.unwrap();
    let due = outbox::due(&store.db, &acme(), Lane::Write, at(3), 9).await.unwrap();
    let first = due.iter().find(|row| row.effect.key == key(0)).unwrap();
    assert_eq!(first.ruling, Some(Ruling::Released));
    let discarded = outbox::discarded(&store.db, &acme(), 9).await.unwrap();
    assert_eq!(discarded.iter().map(|r| r.effect.key.clone()).collect::<Vec<_>>(), [key(1), key(2)]);
    assert_eq!(discarded[0].ruling, Some(given_up));
});

promise!(what_would_have_been_done_can_be_done_after_all, |store| {
    leads(&store, 3).await;
    let mut tx = store.begin().await;
    let ends: Vec<_> = [0, 900].map(|n| (key(n), Outcome::WouldHave)).into();
    outbox::settle(&mut tx, &acme(), &ends, at(200)).await.unwrap();
    tx.commit().await.unwrap();
    let missed = outbox::would_have(&store.db, &acme(), None, 1).await.unwrap();
    assert_eq!(missed.iter().map(|m| m.effect.key.clone()).collect::<Vec<_>>(), [key(0)]);
    assert_eq!(outbox::would_have(&store.db, &acme(), Some(&missed[0].place()), 1).await.unwrap(), []);
    let mut tx = store.begin().await;
    assert_eq!(outbox::reissue(&mut tx, &acme(), &[key(0), key(1)], at(300)).await.unwrap(), 1);
    outbox::put_off(&mut tx, &acme(), &[(key(1), at(500)), (key(2), at(600))], "pace", at(300)).await.unwrap();
    tx.commit().await.unwrap();
    let due = outbox::due(&store.db, &acme(), Lane::Write, at(550), 9).await.unwrap();
    assert_eq!(due.into_iter().map(|r| r.effect.key).collect::<Vec<_>>(), [key(0), key(1)]);
});

promise!(moves_that_were_put_off_are_listed_each_once_by_when_they_were_to_be_made, |store| {
    leads(&store, 3).await;
    let mut tx = store.begin().await;
    // To one moment, later than each effect says.
    outbox::put_off(&mut tx, &acme(), &[0, 1, 2].map(|n| (key(n), at(700))), "a freeze", at(150)).await.unwrap();
    let ends: Vec<_> = [0, 1, 2].map(|n| (key(n), Outcome::WouldHave)).into();
    outbox::settle(&mut tx, &acme(), &ends, at(800)).await.unwrap();
    tx.commit().await.unwrap();
    let (mut seen, mut after) = (Vec::new(), None);
    while let [one] = &outbox::would_have(&store.db, &acme(), after.as_ref(), 1).await.unwrap()[..] {
        after = Some(one.place());
        seen.push(one.effect.key.clone());
        assert!(seen.len() < 4, "{seen:?}");
    }
    assert_eq!(seen, [key(0), key(1), key(2)]);
});

promise!(owners_are_found_for_many_records_at_once, |store| {
    leads(&store, 3).await;
    let found = standing::owners(&store.db, &[record(0), record(2), record(7)]).await.unwrap();
    assert_eq!(found.into_iter().collect::<Vec<_>>(), [(record(0), OwnerId::new("7"))]);
});
