//! Lists for people: what waits comes first, every filter finds what it names, pages join.

use crate::{acme, at, lead, other};
use leadpact::record::effect::Notice;
use leadpact::record::{Action, Actor, Effect, EffectKey, Fact, FactKind, OwnerId, Recipient};
use leadpact::store::inbox::{self, Kind, NewDelivery};
use leadpact::store::journal::{self, JournalEntry, Sought};
use leadpact::store::letter::{self, LetterRow, LetterState};
use leadpact::store::outbox::{self, Lane, Wanted};
use leadpact::store::{inbox_list, letter_list, lookup, standing};

pub fn effect(id: &str, action: Action) -> Effect {
    Effect {
        key: EffectKey::new(format!("acme/lead/{id}/1/c/1/s/{}", action.as_str())),
        record: lead(id),
        action,
        source: "c".into(),
        pass: 1,
        run: 1,
        step: "s".into(),
        at: at(1),
        not_before: at(1),
        deadline: None,
    }
}

fn ids(rows: &[outbox::Listed]) -> Vec<&str> {
    rows.iter().map(|row| row.row.effect.record.id.as_str()).collect()
}

promise!(the_outbox_is_listed_page_by_page_what_waits_first, |store| {
    let notice = || Action::Notify { to: Recipient::Owner, notice: Notice::Breach };
    let mut tx = store.begin().await;
    for (id, moment) in [("1", 10), ("2", 20), ("3", 20), ("4", 30)] {
        outbox::add(&mut tx, &[effect(id, notice())], at(moment)).await.unwrap();
    }
    outbox::add(&mut tx, &[effect("5", Action::Read)], at(40)).await.unwrap();
    outbox::park(&mut tx, &acme(), &effect("1", notice()).key, "refused", at(11)).await.unwrap();
    tx.commit().await.unwrap();
    let wanted = Wanted { connections: vec![other(), acme()], ..Wanted::default() };
    let (mut seen, mut after) = (Vec::new(), None);
    loop {
        let page = outbox::page(&store.db, &wanted, after.as_ref(), 2).await.unwrap();
        after = page.last().map(outbox::Listed::place);
        seen.extend(page.iter().map(|row| row.row.effect.record.id.to_string()));
        if page.len() < 2 {
            break;
        }
    }
    assert_eq!(seen, ["1", "5", "4", "3", "2"]);
    let lanes = Wanted { lanes: vec![Lane::Notify], states: vec!["due"], ..wanted.clone() };
    assert_eq!(ids(&outbox::page(&store.db, &lanes, None, 9).await.unwrap()), ["4", "3", "2"]);
    let records = Some(vec![lead("3"), lead("9")]);
    let his = Wanted { records, ..wanted.clone() };
    assert_eq!(ids(&outbox::page(&store.db, &his, None, 9).await.unwrap()), ["3"]);
    let (n, keys) = outbox::parked_between(&store.db, &acme(), at(11), at(12), 5).await.unwrap();
    assert_eq!((n, keys.len()), (1, 1));
    assert!(standing::names(&store.db, &[lead("3")]).await.unwrap().is_empty());
    assert_eq!(lookup::records(&store.db, &[acme()], "3", 5).await.unwrap().len(), 2);
});

promise!(the_inbox_is_listed_by_state_and_kind, |store| {
    let row = |kind, moment| NewDelivery {
        connection: acme(),
        delivery_id: None,
        kind,
        body: "[]".into(),
        received_at: at(moment),
    };
    let mut tx = store.begin().await;
    inbox::insert_all(&mut tx, &[row(Kind::Delivery, 1_000), row(Kind::Order, 2_000)]).await.unwrap();
    let parked = inbox::put_aside(&mut tx, &row(Kind::Event, 500), "unreadable").await.unwrap();
    tx.commit().await.unwrap();
    let wanted = inbox_list::Wanted { connections: vec![acme(), other()], state: None, kind: None };
    let page = inbox_list::list(&store.db, &wanted, None, 2).await.unwrap();
    assert_eq!((page[0].row.id.as_str(), page[1].row.kind), (parked.as_str(), Kind::Order));
    let rest = inbox_list::list(&store.db, &wanted, Some(&page[1].place()), 2).await.unwrap();
    assert_eq!((rest.len(), rest[0].row.kind), (1, Kind::Delivery));
    let events = inbox_list::Wanted { kind: Some(Kind::Event), ..wanted };
    assert_eq!(inbox_list::list(&store.db, &events, None, 9).await.unwrap().len(), 1);
    assert_eq!(inbox_list::parked_between(&store.db, &acme(), at(0), at(999), 5).await.unwrap().0, 1);
    let mut tx = store.begin().await;
    assert!(inbox_list::give_up(&mut tx, &acme(), &parked, "nobody needs it").await.unwrap());
    assert!(!inbox_list::unpark(&mut tx, &acme(), &parked).await.unwrap());
    tx.commit().await.unwrap();
});

promise!(letters_that_failed_come_first_and_are_sent_once_more, |store| {
    let new = |key: &str| LetterRow {
        key: key.into(),
        destinations: "[]".into(),
        body: "{}".into(),
        state: LetterState::Due,
        attempts: 0,
    };
    let failed = letter::Outcome { state: LetterState::Failed, attempts: 1, not_before: at(1), note: Some("no") };
    let mut tx = store.begin().await;
    letter::add(&mut tx, &acme(), &new("a"), at(1), at(1)).await.unwrap();
    letter::add(&mut tx, &acme(), &new("b"), at(1), at(2)).await.unwrap();
    letter::settle(&mut tx, &acme(), "a", LetterState::Due, &failed).await.unwrap();
    tx.commit().await.unwrap();
    let page = letter_list::list(&store.db, &[acme()], None, None, 1).await.unwrap();
    assert_eq!(page[0].key, "a");
    let rest = letter_list::list(&store.db, &[acme()], None, Some(&page[0].place()), 5).await.unwrap();
    assert_eq!((rest.len(), rest[0].key.as_str()), (1, "b"));
    let mut tx = store.begin().await;
    assert!(letter_list::unpark(&mut tx, &acme(), "a", at(9)).await.unwrap());
    tx.commit().await.unwrap();
});

promise!(the_journal_is_looked_through_from_its_end, |store| {
    let amy = Actor::Person(OwnerId::new("7"));
    let entry = |id: &str, kind, by: &Actor, seen| {
        let mut fact = Fact::of_no_record(kind, at(seen), "", serde_json::Map::new());
        (fact.by, fact.source) = (by.clone(), "c".into());
        JournalEntry { record: Some(lead(id)), fact, seen_at: at(seen), agreement: "h".into() }
    };
    let all = [
        entry("1", FactKind::Met, &amy, 10),
        entry("2", FactKind::Met, &Actor::Leadpact, 20),
        entry("1", FactKind::Breached, &amy, 30),
    ];
    let mut tx = store.begin().await;
    journal::append(&mut tx, &acme(), &all).await.unwrap();
    tx.commit().await.unwrap();
    let found = async |sought: Sought| {
        let page = journal::list(&store.db, &acme(), &sought, None, 9).await.unwrap();
        assert_eq!(page.before, None);
        page.rows.iter().map(|row| row.seq).collect::<Vec<_>>()
    };
    let actor = Some(serde_json::to_string(&amy).unwrap());
    let source = Some("c".to_owned());
    let sought = Sought { kind: Some(FactKind::Met), actor: actor.clone(), source, ..Sought::default() };
    assert_eq!(found(sought).await, [1]);
    assert_eq!(found(Sought { records: Some(vec![lead("1"), lead("2")]), actor, ..Sought::default() }).await, [3, 1]);
    assert_eq!(found(Sought { since: Some(at(20)), until: Some(at(30)), ..Sought::default() }).await, [2]);
    assert_eq!(journal::seq_at(&store.db, &acme(), at(20)).await.unwrap(), 2);
    assert_eq!(journal::seq_at(&store.db, &acme(), at(99)).await.unwrap(), 4);
    let first = journal::list(&store.db, &acme(), &Sought::default(), None, 2).await.unwrap();
    assert_eq!((first.rows.len(), first.before), (2, Some(2)));
});
