//! The outbox: an effect is stored once, begun once, and ends once.

use crate::{Store, acme, at, lead, other};
use leadpact::record::{Action, Effect, EffectKey, Outcome, Recipient, effect::Notice};
use leadpact::store::outbox::{self, Lane};

fn key(n: i64) -> EffectKey {
    EffectKey::new(format!("acme/lead/1/1/accept/1/step/{n}"))
}

fn effect(n: i64, not_before: i64, action: Action) -> Effect {
    Effect {
        key: key(n),
        record: lead("1"),
        action,
        source: "accept".into(),
        pass: 1,
        run: 1,
        step: "due".into(),
        at: at(1),
        not_before: at(not_before),
        deadline: Some(at(9)),
    }
}

fn move_to_field(n: i64, not_before: i64) -> Effect {
    effect(n, not_before, Action::Reassign { to: "field_sales".into() })
}

async fn add(store: &Store, effects: &[Effect]) -> Vec<EffectKey> {
    let mut tx = store.begin().await;
    let new = outbox::add(&mut tx, effects, at(100)).await.unwrap();
    tx.commit().await.unwrap();
    new
}

async fn due(store: &Store, lane: Lane, now: i64) -> Vec<EffectKey> {
    let rows = outbox::due(&store.db, &acme(), lane, at(now), 2_000).await.unwrap();
    rows.into_iter().map(|row| row.effect.key).collect()
}

async fn begin_sending(store: &Store, keys: &[EffectKey]) -> usize {
    let intents: Vec<_> = keys.iter().map(|key| (key.clone(), format!("{{\"owner\":\"{key}\"}}"))).collect();
    let mut tx = store.begin().await;
    let taken = outbox::mark_sending(&mut tx, &acme(), &intents, at(101)).await.unwrap();
    tx.commit().await.unwrap();
    taken.len()
}

async fn settle(store: &Store, n: i64, outcome: Outcome) -> bool {
    let mut tx = store.begin().await;
    let ended = outbox::settle(&mut tx, &acme(), &[(key(n), outcome)], at(102)).await.unwrap();
    tx.commit().await.unwrap();
    ended.contains(&key(n))
}

promise!(the_same_intent_is_stored_once, |store| {
    assert_eq!(add(&store, &[move_to_field(1, 5), move_to_field(1, 5), move_to_field(2, 3)]).await.len(), 2);
    assert_eq!(add(&store, &[move_to_field(2, 99), move_to_field(3, 4)]).await, [key(3)]);
    assert_eq!(due(&store, Lane::Write, 4).await, [key(2), key(3)]);
    let rows = outbox::due(&store.db, &acme(), Lane::Write, at(9), 1).await.unwrap();
    assert_eq!(rows[0].effect, move_to_field(2, 3));
});

promise!(each_lane_is_taken_by_itself, |store| {
    let to = Recipient::Owner;
    let effects = [
        effect(1, 40, Action::Read),
        effect(2, 30, Action::Notify { to, notice: Notice::Reminder }),
        effect(3, 20, Action::Task { title: "Call".into() }),
        effect(4, 50, Action::Annotate),
    ];
    add(&store, &effects).await;
    for (lane, n) in [(Lane::Read, 1), (Lane::Notify, 2), (Lane::Task, 3), (Lane::Write, 4)] {
        assert_eq!(due(&store, lane, 99).await, [key(n)], "{lane:?}");
    }
    assert_eq!(outbox::earliest(&store.db, &acme()).await.unwrap(), Some(at(20)));
    assert_eq!(outbox::earliest(&store.db, &other()).await.unwrap(), None);
});

promise!(the_intent_is_kept_and_only_what_is_due_is_begun, |store| {
    let effects: Vec<Effect> = (0..1000).map(|n| move_to_field(n, 5)).collect();
    add(&store, &effects).await;
    let keys: Vec<EffectKey> = (0..1000).map(key).collect();
    assert_eq!(begin_sending(&store, &keys).await, 1000);
    assert_eq!(begin_sending(&store, &keys).await, 0);
    let doubtful = outbox::sending(&store.db, &acme()).await.unwrap();
    assert_eq!(doubtful.len(), 1000);
    assert!(doubtful.iter().all(|row| row.attempts == 1));
    assert!(doubtful.iter().all(|row| row.payload == Some(format!("{{\"owner\":\"{}\"}}", row.effect.key))));
    assert!(due(&store, Lane::Write, 99).await.is_empty());
});

promise!(an_effect_ends_once_and_as_its_outcome_says, |store| {
    add(&store, &(0..4).map(|n| move_to_field(n, 5)).collect::<Vec<_>>()).await;
    begin_sending(&store, &[key(0)]).await;
    let done = Outcome::Done { at: at(9), since: at(8), values: Vec::new(), note: Some("x".into()) };
    assert!(settle(&store, 0, done.clone()).await);
    assert!(!settle(&store, 0, Outcome::WouldHave).await);
    assert!(settle(&store, 1, Outcome::WouldHave).await);
    assert!(settle(&store, 2, Outcome::Dropped { reason: "answered".into() }).await);
    let mut tx = store.begin().await;
    assert!(outbox::park(&mut tx, &acme(), &key(3), "refused for good", at(103)).await.unwrap());
    tx.commit().await.unwrap();
    for (n, state) in [(0, "done"), (1, "would_have"), (2, "dropped"), (3, "parked")] {
        let (found, row) = outbox::get(&store.db, &acme(), &key(n)).await.unwrap().unwrap();
        assert_eq!(found, state);
        assert!(row.outcome.is_some());
    }
    let (_, row) = outbox::get(&store.db, &acme(), &key(0)).await.unwrap().unwrap();
    assert_eq!(serde_json::from_str::<Outcome>(&row.outcome.unwrap()).unwrap(), done);
    assert!(add(&store, &[move_to_field(0, 5)]).await.is_empty(), "what is done is not done again");
});

promise!(a_failed_try_waits_and_keeps_its_intent, |store| {
    add(&store, &[move_to_field(1, 5)]).await;
    begin_sending(&store, &[key(1)]).await;
    let mut tx = store.begin().await;
    assert!(outbox::again(&mut tx, &acme(), &key(1), at(50), "429", at(10)).await.unwrap());
    tx.commit().await.unwrap();
    assert!(due(&store, Lane::Write, 49).await.is_empty());
    let row = outbox::due(&store.db, &acme(), Lane::Write, at(50), 9).await.unwrap().remove(0);
    assert_eq!((row.attempts, row.outcome.as_deref(), row.not_before), (1, Some("429"), at(50)));
    assert!(row.payload.is_some());
});

promise!(only_what_is_not_begun_is_withdrawn_and_it_can_be_decided_again, |store| {
    add(&store, &[move_to_field(1, 5), move_to_field(2, 5)]).await;
    begin_sending(&store, &[key(2)]).await;
    let mut tx = store.begin().await;
    let gone = outbox::withdraw(&mut tx, &acme(), &[key(1), key(2), key(3)], at(6)).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(gone.into_iter().collect::<Vec<_>>(), [key(1)]);
    assert!(due(&store, Lane::Write, 99).await.is_empty());
    assert!(!settle(&store, 1, Outcome::WouldHave).await);
    assert_eq!(add(&store, &[move_to_field(1, 7), move_to_field(2, 7)]).await, [key(1)]);
    assert_eq!(due(&store, Lane::Write, 7).await, [key(1)]);
});

promise!(a_person_replays_what_was_parked, |store| {
    add(&store, &[move_to_field(1, 5), move_to_field(2, 5), move_to_field(3, 5)]).await;
    begin_sending(&store, &[key(1), key(2)]).await;
    let mut tx = store.begin().await;
    outbox::park(&mut tx, &acme(), &key(1), "no", at(10)).await.unwrap();
    tx.commit().await.unwrap();
    let parked = outbox::parked(&store.db, 9).await.unwrap();
    assert_eq!(parked.iter().map(|row| &row.effect.key).collect::<Vec<_>>(), [&key(1)]);
    let counts = outbox::counts(&store.db, &acme()).await.unwrap();
    assert_eq!((counts.due, counts.sending, counts.parked), (1, 1, 1));
    let mut tx = store.begin().await;
    assert!(outbox::replay(&mut tx, &acme(), &key(1), at(20)).await.unwrap());
    assert!(!outbox::replay(&mut tx, &acme(), &key(2), at(20)).await.unwrap());
    tx.commit().await.unwrap();
    assert_eq!(due(&store, Lane::Write, 20).await, [key(3), key(1)]);
});

promise!(what_ended_long_ago_is_let_go_of_and_what_waits_stays, |store| {
    let all: Vec<Effect> = (1..=4).map(|n| move_to_field(n, 5)).collect();
    add(&store, &all).await;
    begin_sending(&store, &[key(1), key(2)]).await;
    let dropped = || Outcome::Dropped { reason: "excluded".to_owned() };
    assert!(settle(&store, 1, dropped()).await);
    assert!(settle(&store, 3, Outcome::Parked { error: "refused".to_owned() }).await);
    let mut tx = store.begin().await;
    assert_eq!(outbox::delete_before(&mut tx, &acme(), at(102), 10).await.unwrap(), 0, "it ended at that moment");
    assert_eq!(outbox::delete_before(&mut tx, &other(), at(500), 10).await.unwrap(), 0);
    assert_eq!(outbox::delete_before(&mut tx, &acme(), at(500), 10).await.unwrap(), 1);
    tx.commit().await.unwrap();
    let counts = outbox::counts(&store.db, &acme()).await.unwrap();
    assert_eq!((counts.due, counts.sending, counts.parked), (1, 1, 1));
});
