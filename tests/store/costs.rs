//! No list that people ask for walks a table, whatever it is filtered by, found or not: among many rows each
//! takes few steps of SQLite's machine, and of PostgreSQL's tables and indexes few rows are read. So it is with what
//! changes some of many effects.

use crate::lists::effect;
use crate::{Store, acme, at};
use leadpact::record::{Action, EffectKey, FactKind, Object};
use leadpact::store::clock::{self, ClockState, Filter, Shown};
use leadpact::store::inbox_list::{self, STATES as INBOX};
use leadpact::store::journal::{self, Sought};
use leadpact::store::tale::{self, Wanted};
use leadpact::store::{Db, OpenOptions, Priority, entries, lookup, outbox, standing, vitals};
use sqlx::Connection;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

const ROWS: u64 = 80_000;
/// Walking a table takes at least some steps for each row. The most that a list may look at, a stretch of the
/// journal, is a sixteenth of the rows.
const STEPS: u64 = ROWS * 2;
const LIMIT: u32 = 51;

/// Nearly all is of one owner, one clock, one party, one kind and one state.
async fn fill(store: &Store) {
    let many = format!("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {ROWS})");
    let rare = |usual: &str, rare: &str| format!("CASE WHEN i % 1000 = 0 THEN '{rare}' ELSE '{usual}' END");
    let effect = effect("l1", Action::Annotate);
    let (clock, kind, named) = (rare("Usual", "Rare"), rare("met", "breached"), rare("done", "would_have"));
    for sql in [
        format!(
            "INSERT INTO clock (connection, object, id, source, pass, run, party, owner, started, deadline, state, name) \
             {many} SELECT 'acme', 'lead', 'l' || i, {clock}, 1, 1, {}, {}, 1, i, 'open', 'Ada' FROM n",
            rare("field_sales", "marketing"),
            rare("7", "8")
        ),
        format!(
            "INSERT INTO standing (connection, object, id, wake_at, updated, stage, owner, party, name, state) \
             {many} SELECT 'acme', 'lead', 'l' || i, NULL, 1, 'mql', '7', NULL, 'Ada ' || i, '' FROM n"
        ),
        format!(
            "INSERT INTO journal (connection, seq, fact_key, kind, at, seen_at, object, id, pass, source, run, item, \
             actor, agreement, detail, salt, digest, hash) {many} SELECT 'acme', i, 'k', {kind}, i, i, 'lead', \
             'l' || i, 1, {clock}, 1, '', '\"leadpact\"', 'h', '{{}}', '', '', '' FROM n"
        ),
        "INSERT INTO journal_head (connection, seq, hash) VALUES ('acme', 80000, '')".to_owned(),
        format!(
            "INSERT INTO inbox (connection, id, kind, state, attempts, received_at, body) \
             {many} SELECT 'acme', 'id' || (1000000 + i), 'delivery', 'applied', 0, i, '[]' FROM n"
        ),
        format!(
            "INSERT INTO outbox (connection, effect_key, object, id, action, lane, state, not_before, attempts, \
             updated, effect) {many} SELECT 'acme', 'key' || i, 'lead', 'l' || i, 'notify', 'notify', {named}, i, 0, \
             i, REPLACE('{}', '{}', 'key' || i) FROM n",
            serde_json::to_string(&effect).unwrap(),
            effect.key.as_str()
        ),
    ] {
        store.meddle(&sql).await;
    }
    if matches!(store.db, Db::Postgres(_)) {
        store.meddle("ANALYZE").await;
    }
}

fn clocks() -> Vec<(&'static str, Filter)> {
    let all = Filter::default();
    let (owner, party) = (|id: &str| Some(id.into()), |name: &str| Some(name.into()));
    let (usual, rare) = (Some("Usual".to_owned()), Some("Rare".to_owned()));
    let paused = Some(Shown::In(ClockState::Paused));
    vec![
        ("all", all.clone()),
        ("paused", Filter { state: paused, ..all.clone() }),
        ("owner", Filter { owner: owner("7"), ..all.clone() }),
        ("owner, paused", Filter { owner: owner("7"), state: paused, ..all.clone() }),
        ("party", Filter { party: party("field_sales"), ..all.clone() }),
        ("party, a clock", Filter { party: party("field_sales"), clock: usual.clone(), ..all.clone() }),
        ("clock", Filter { clock: usual, ..all.clone() }),
        ("clock, paused", Filter { clock: rare, state: paused, ..all.clone() }),
        ("due between", Filter { from: Some(at(30_000)), until: Some(at(30_010)), ..all.clone() }),
        ("held", Filter { state: Some(Shown::Held), ..all }),
    ]
}

fn facts() -> Vec<(&'static str, Sought)> {
    let (met, breached) = (Some(FactKind::Met), Some(FactKind::Breached));
    let actor = |name: &str| Some(format!("\"{name}\""));
    let (usual, rare) = (Some("Usual".to_owned()), Some("Rare".to_owned()));
    vec![
        ("all", Sought::default()),
        ("kind", Sought { kind: met, ..Sought::default() }),
        ("a rare kind", Sought { kind: breached, ..Sought::default() }),
        ("a kind of which there is none", Sought { kind: Some(FactKind::Rejected), ..Sought::default() }),
        ("who did nearly all", Sought { actor: actor("leadpact"), ..Sought::default() }),
        ("who did nothing", Sought { actor: actor("automation"), ..Sought::default() }),
        ("a rare kind by who did nearly all", Sought { actor: actor("leadpact"), kind: breached, ..Sought::default() }),
        ("clock", Sought { source: usual.clone(), ..Sought::default() }),
        ("a rare clock", Sought { source: rare.clone(), ..Sought::default() }),
        ("a kind that a clock seldom has", Sought { kind: breached, source: usual, ..Sought::default() }),
        ("a kind that a clock never has", Sought { kind: met, source: rare, ..Sought::default() }),
        ("days", Sought { until: Some(at(20_000)), first: Some(10_000), since: Some(at(10_000)), ..Sought::default() }),
    ]
}

fn some() -> Vec<EffectKey> {
    (1..=150).map(|n| EffectKey::new(format!("key{}", n * 500))).collect()
}

/// Changes some of many effects.
async fn change(db: &Db, mut took: impl FnMut(&str)) {
    let (connection, now) = (&acme(), at(i64::MAX / 2));
    let mut tx = db.begin(Priority::Work).await.unwrap();
    took("beginning");
    outbox::withdraw(&mut tx, connection, &some(), now).await.unwrap();
    took("withdrawing some");
    outbox::reissue(&mut tx, connection, &some(), now).await.unwrap();
    took("issuing some again");
    outbox::hold_these(&mut tx, connection, &some(), now).await.unwrap();
    took("holding some");
    outbox::hold(&mut tx, connection, now, LIMIT).await.unwrap();
    took("holding what is due");
    outbox::untried(&mut tx, connection, &some(), now, "", now).await.unwrap();
    took("putting some back");
    tx.rollback().await.unwrap();
}

/// Asks for every list, and tells what each took since the one before it.
async fn ask(db: &Db, mut took: impl FnMut(&str)) {
    let connections = [acme()];
    for (name, filter) in clocks() {
        let rows = clock::list(db, &connections, &filter, None, LIMIT).await.unwrap();
        took(&format!("clocks: {name}"));
        let Some(last) = rows.last().map(clock::ClockRow::place) else { continue };
        clock::list(db, &connections, &filter, Some(&last), LIMIT).await.unwrap();
        took(&format!("clocks: {name}, the next page"));
    }
    for (name, sought) in facts() {
        let before = sought.until.map(|until| until.as_millis());
        journal::list(db, &acme(), &sought, before, LIMIT).await.unwrap();
        took(&format!("journal: {name}"));
    }
    for state in INBOX.map(Some).into_iter().chain([None]) {
        let wanted = inbox_list::Wanted { connections: connections.to_vec(), state, kind: None };
        inbox_list::list(db, &wanted, None, LIMIT).await.unwrap();
        took(&format!("inbox: {state:?}"));
    }
    outbox::would_have(db, &acme(), None, LIMIT).await.unwrap();
    took("outbox: moves that would have been made");
    outbox::counts(db, &acme()).await.unwrap();
    took("outbox: what waits, counted");
    outbox::held_of(db, &acme(), &some()).await.unwrap();
    took("outbox: which of some are held");
    for state in outbox::STATES {
        let (connections, lanes, records) = (connections.to_vec(), Vec::new(), None);
        let wanted = outbox::Wanted { connections, states: vec![state], lanes, records };
        outbox::page(db, &wanted, None, LIMIT).await.unwrap();
        took(&format!("outbox: {state}"));
    }
    let ids: Vec<String> = (1..=100).map(|n| format!("l{}", n * 700)).collect();
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    let (connection, kinds) = (&acme(), &[FactKind::Met]);
    let wanted =
        Wanted { connection, object: Object::Lead, kinds, detailed: kinds, until_seq: i64::MAX, with_states: true };
    tale::of_records(db, &wanted, &ids).await.unwrap();
    took("tales of some records");
    let before = entries::Before { at: at(i64::MAX / 2), id: String::new() };
    entries::newest(db, &acme(), Object::Lead, &["mql", ""], (at(0), &before), LIMIT).await.unwrap();
    took("entries to a stage");
    vitals::deliveries(db, &acme(), at(i64::MAX / 2), LIMIT).await.unwrap();
    took("deliveries since then");
    lookup::records(db, &connections, "Ada 17", 5).await.unwrap();
    took("records of a name");
    standing::named(db, "Ada 17", LIMIT).await.unwrap();
    took("records by a beginning");
}

promise!(no_list_walks_a_table, |store| {
    fill(&store).await;
    let options = OpenOptions { max_connections: 1, ..OpenOptions::default() };
    let db = Db::open(&store.url, &options).await.unwrap();
    match &db {
        Db::Sqlite(sqlite) => {
            let steps = Arc::new(AtomicU64::new(0));
            let counting = steps.clone();
            for hands in [sqlite.readers(), sqlite.writer()] {
                let (mut hand, counting) = (hands.acquire().await.unwrap(), counting.clone());
                let counted = move || counting.fetch_add(50, Ordering::SeqCst) < u64::MAX;
                hand.lock_handle().await.unwrap().set_progress_handler(50, counted);
            }
            let took = |what: &str| {
                let steps = steps.swap(0, Ordering::SeqCst);
                assert!(steps < STEPS, "{what} took {steps} steps among {ROWS} rows");
            };
            ask(&db, &took).await;
            change(&db, &took).await;
            clock::count_states(&db).await.unwrap();
            assert!(steps.load(Ordering::SeqCst) > STEPS, "what walks is seen to walk");
        }
        Db::Postgres(_) => {
            let (mut lists, before) = (0, read_rows(&store.url).await);
            ask(&db, |_| lists += 1).await;
            change(&db, |_| lists += 1).await;
            // What a connection read is told when it ends.
            db.close().await;
            let read = read_rows(&store.url).await - before;
            assert!(read < ROWS, "{read} rows were read for {lists} lists among {ROWS} rows");
        }
    }
});

/// How many rows PostgreSQL read so far, of tables from their beginning and of indexes.
async fn read_rows(url: &str) -> u64 {
    let mut hand = sqlx::PgConnection::connect(url).await.unwrap();
    const SQL: &str = "SELECT (SELECT COALESCE(SUM(seq_tup_read), 0) FROM pg_stat_user_tables)::BIGINT \
         + (SELECT COALESCE(SUM(idx_tup_read), 0) FROM pg_stat_user_indexes)::BIGINT";
    let (rows,): (i64,) = sqlx::query_as(SQL).fetch_one(&mut hand).await.unwrap();
    u64::try_from(rows).unwrap()
}
