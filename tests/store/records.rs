//! Standings, open runs and history.

use crate::{Store, acme, at, lead, other};
use leadpact::record::{Actor, Change, FieldName, Object, RecordKey, Value, What};
use leadpact::store::clock::{self, ClockRow, ClockState};
use leadpact::store::history;
use leadpact::store::standing::{self, StandingRow};

fn row(id: &str, wake: Option<i64>, state: &str) -> StandingRow {
    StandingRow {
        key: lead(id),
        stage: Some("mql".into()),
        owner: Some("7020".into()),
        party: None,
        name: "Ada\0Lovelace".into(),
        wake_at: wake.map(at),
        state: state.into(),
        updated: at(1),
    }
}

async fn save(store: &Store, rows: &[StandingRow]) {
    let mut tx = store.begin().await;
    standing::save(&mut tx, rows).await.unwrap();
    tx.commit().await.unwrap();
}

promise!(standings_are_replaced_and_the_last_of_two_counts, |store| {
    save(&store, &[row("1", None, "a"), row("2", Some(5), "b"), row("1", None, "c")]).await;
    save(&store, &[row("2", None, "d")]).await;
    let opportunity = RecordKey { object: Object::Opportunity, ..lead("1") };
    let mut tx = store.begin().await;
    let found = standing::load(&mut tx, &[lead("1"), lead("2"), lead("3"), opportunity]).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(found.len(), 2);
    assert_eq!((found[&lead("1")].as_str(), found[&lead("2")].as_str()), ("c", "d"));
    assert_eq!(standing::load_one(&store.db, &lead("2")).await.unwrap().as_deref(), Some("d"));
    assert_eq!(standing::load_one(&store.db, &lead("3")).await.unwrap(), None);
    assert_eq!(standing::count_all(&store.db, &acme()).await.unwrap(), 2);
});

promise!(a_thousand_standings_are_saved_and_loaded_at_once, |store| {
    let rows: Vec<StandingRow> = (0..1000).map(|n| row(&n.to_string(), Some(n), &format!("{{\"n\":{n}}}"))).collect();
    save(&store, &rows).await;
    let keys: Vec<RecordKey> = rows.iter().map(|row| row.key.clone()).collect();
    let mut tx = store.begin().await;
    let found = standing::load(&mut tx, &keys).await.unwrap();
    assert!(rows.iter().all(|row| found[&row.key] == row.state) && found.len() == 1000);
});

promise!(what_is_due_comes_by_its_moment_and_nothing_else, |store| {
    let rows = [row("1", Some(30), "c"), row("2", Some(10), "a"), row("3", None, "-"), row("4", Some(20), "b")];
    save(&store, &rows).await;
    let due = async |now, limit| {
        let rows = standing::due(&store.db, &acme(), at(now), limit).await.unwrap();
        rows.into_iter().map(|(_, state)| state).collect::<String>()
    };
    assert_eq!(due(9, 10).await, "");
    assert_eq!(due(20, 10).await, "ab");
    assert_eq!(due(99, 10).await, "abc");
    assert_eq!(due(99, 2).await, "ab");
    assert_eq!(standing::earliest_wake(&store.db, &acme()).await.unwrap(), Some(at(10)));
    assert_eq!(standing::earliest_wake(&store.db, &other()).await.unwrap(), None);
});

#[tokio::test]
async fn sqlite_walks_no_table_for_what_a_loop_asks() {
    let store = Store::sqlite().await;
    let leadpact::store::Db::Sqlite(sqlite) = &store.db else { panic!("this is SQLite") };
    for (sql, index) in [
        (
            "SELECT state FROM standing WHERE connection = 'a' AND wake_at <= 1 ORDER BY wake_at, object, id",
            "standing_wake",
        ),
        (
            "SELECT wake_at FROM standing WHERE connection = 'a' AND wake_at IS NOT NULL ORDER BY wake_at",
            "standing_wake",
        ),
        (
            "SELECT s.state FROM (VALUES ('a', 'b', 'c'), ('a', 'b', 'd')) AS v CROSS JOIN standing AS s \
             WHERE s.connection = v.column1 AND s.object = v.column2 AND s.id = v.column3",
            "connection=? AND object=? AND id=?",
        ),
        ("SELECT body FROM inbox WHERE connection = 'a' AND state = 'received' ORDER BY id", "inbox_received"),
        (
            "SELECT effect FROM outbox WHERE connection = 'a' AND state = 'sending' ORDER BY effect_key",
            "outbox_sending",
        ),
        (
            "SELECT effect FROM outbox WHERE connection = 'a' AND lane = 'read' AND state = 'due' \
             AND not_before <= 1 ORDER BY not_before, effect_key",
            "outbox_due",
        ),
        (
            "UPDATE outbox SET payload = v.column2 FROM (VALUES ('a', 'b'), ('c', 'd')) AS v \
             WHERE connection = 'a' AND effect_key = v.column1 AND state = 'due'",
            "connection=? AND effect_key=?",
        ),
        (
            "SELECT object, id, body FROM history WHERE connection = 'a' AND (object, id) > ('b', 'c') \
             ORDER BY connection, object, id, at, digest",
            "connection=? AND (object,id)>(?,?)",
        ),
    ] {
        let sql = sqlx::AssertSqlSafe(format!("EXPLAIN QUERY PLAN {sql} -- LIMIT"));
        let plan: Vec<(i64, i64, i64, String)> = sqlx::query_as(sql).fetch_all(sqlite.readers()).await.unwrap();
        let steps = plan.into_iter().map(|(.., step)| step).collect::<Vec<_>>().join("; ");
        let walks = ["SCAN s", "SCAN inbox", "SCAN outbox", "TEMP B-TREE"].iter().any(|walk| steps.contains(walk));
        assert!(steps.contains(index) && !walks, "{index}: {steps}");
    }
}

fn run(id: &str, source: &str, deadline: Option<i64>, owner: &str) -> ClockRow {
    ClockRow {
        record: lead(id),
        source: source.into(),
        pass: 1,
        run: 2,
        party: Some("field_sales".into()),
        owner: Some(owner.into()),
        started: at(1),
        deadline: deadline.map(at),
        state: ClockState::Open,
        name: "Ada".into(),
    }
}

promise!(open_runs_are_listed_soonest_first_page_by_page, |store| {
    let elsewhere = ClockRow { record: RecordKey { connection: other(), ..lead("9") }, ..run("9", "z", Some(15), "1") };
    let mut tx = store.begin().await;
    clock::replace(&mut tx, &lead("1"), &[run("1", "old", Some(1), "1")]).await.unwrap();
    let paused = ClockRow { state: ClockState::Paused, ..run("1", "b", None, "1") };
    clock::replace(&mut tx, &lead("1"), &[run("1", "a", Some(20), "1"), paused.clone()]).await.unwrap();
    clock::replace(&mut tx, &lead("2"), &[run("2", "a", Some(10), "2")]).await.unwrap();
    clock::replace(&mut tx, &elsewhere.record, std::slice::from_ref(&elsewhere)).await.unwrap();
    tx.commit().await.unwrap();

    let mut seen = Vec::new();
    let mut after = None;
    loop {
        let page = clock::open_soonest(&store.db, None, after.as_ref(), 1).await.unwrap();
        let Some(row) = page.into_iter().next() else { break };
        after = Some(row.place());
        seen.push(row);
    }
    let wanted = [run("2", "a", Some(10), "2"), elsewhere, run("1", "a", Some(20), "1"), paused];
    assert_eq!(seen, wanted);
    let of_one = clock::open_soonest(&store.db, Some(&acme()), Some(&wanted[0].place()), 9).await.unwrap();
    assert_eq!(of_one, wanted[2..]);
    assert_eq!(clock::of_record(&store.db, &lead("1")).await.unwrap(), wanted[2..]);

    let all = clock::count_open(&store.db, &acme(), None).await.unwrap();
    let of_owner = clock::count_open(&store.db, &acme(), Some(&"1".into())).await.unwrap();
    assert_eq!((all.runs, all.leads, of_owner.runs, of_owner.leads), (3, 2, 2, 1));
});

promise!(a_record_without_open_runs_leaves_the_list, |store| {
    let mut tx = store.begin().await;
    clock::replace(&mut tx, &lead("1"), &[run("1", "a", Some(20), "1")]).await.unwrap();
    clock::replace(&mut tx, &lead("1"), &[]).await.unwrap();
    tx.commit().await.unwrap();
    assert!(clock::open_soonest(&store.db, None, None, 9).await.unwrap().is_empty());
});

fn change(ms: i64, status: &str) -> Change {
    let values = vec![(FieldName::new("status"), Value::text(status))];
    Change { at: at(ms), what: What::Fields(values), by: Actor::Person("7020".into()) }
}

promise!(equal_changes_are_one_and_come_back_by_time, |store| {
    let changes = [
        (lead("1"), change(20, "late")),
        (lead("1"), change(10, "early")),
        (lead("1"), change(10, "early")),
        (lead("2"), change(5, "elsewhere")),
    ];
    for _ in 0..2 {
        let mut tx = store.begin().await;
        history::add(&mut tx, &changes).await.unwrap();
        tx.commit().await.unwrap();
    }
    let mut tx = store.begin().await;
    let loaded = history::load(&mut tx, &lead("1")).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(loaded, [change(10, "early"), change(20, "late")]);
    assert_eq!(history::of_record(&store.db, &lead("2")).await.unwrap(), [change(5, "elsewhere")]);
});

promise!(old_changes_are_deleted_a_few_at_a_time, |store| {
    let changes: Vec<_> = (0..1000).map(|n| (lead("1"), change(n, "same"))).collect();
    let mut tx = store.begin().await;
    history::add(&mut tx, &changes).await.unwrap();
    assert_eq!(history::delete_before(&mut tx, &acme(), at(990), 600).await.unwrap(), 600);
    assert_eq!(history::delete_before(&mut tx, &acme(), at(990), 600).await.unwrap(), 390);
    assert_eq!(history::load(&mut tx, &lead("1")).await.unwrap().len(), 10);
});

/// Records of both kinds with so many changes each, in the order of pages.
async fn remember(store: &Store, counts: &[(Object, &str, i64)]) {
    let mut tx = store.begin().await;
    for (object, id, changes) in counts {
        let key = RecordKey { object: *object, ..lead(id) };
        let of = |n| (key.clone(), Change { at: at(n), what: What::Fields(vec![]), by: Actor::Unknown });
        let all: Vec<_> = (0..*changes).map(of).collect();
        history::add(&mut tx, &all).await.unwrap();
    }
    let elsewhere = RecordKey { connection: other(), ..lead("1") };
    let change = Change { at: at(1), what: What::Deleted, by: Actor::Unknown };
    history::add(&mut tx, &[(elsewhere, change)]).await.unwrap();
    tx.commit().await.unwrap();
}

promise!(history_comes_by_whole_records_a_page_at_a_time, |store| {
    let counts = [
        (Object::Lead, "1", 3),
        (Object::Lead, "10", 1),
        (Object::Lead, "2", 9),
        (Object::Lead, "3", 1),
        (Object::Opportunity, "1", 2),
        (Object::Opportunity, "2", 4),
    ];
    remember(&store, &counts).await;
    assert_eq!(history::count_all(&store.db, &acme()).await.unwrap(), 20);
    assert_eq!(history::latest(&store.db, &acme()).await.unwrap(), Some(at(8)));
    assert_eq!(history::latest(&store.db, &"unknown".into()).await.unwrap(), None);
    for limit in [1, 2, 3, 4, 5, 9, 10, 19, 20, 21, 100] {
        let (mut found, mut last) = (Vec::new(), None);
        loop {
            let page = history::page(&store.db, &acme(), last.as_ref(), limit).await.unwrap();
            let Some(record) = page.last() else { break };
            last = Some(record.key.clone());
            let changes: usize = page.iter().map(history::Stored::len).sum();
            assert!(changes <= limit as usize || page.len() == 1, "{changes} of at most {limit}");
            for record in page {
                let changes = record.changes().unwrap();
                assert!(changes.is_sorted_by_key(|c| c.at));
                found.push((record.key.object, record.key.id.as_str().to_owned(), changes.len() as i64));
            }
        }
        let expected: Vec<_> = counts.iter().map(|(object, id, n)| (*object, (*id).to_owned(), *n)).collect();
        assert_eq!(found, expected, "limit {limit}");
    }
});
