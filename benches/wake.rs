//! One wake with nothing due, and with 500 due, among many open clocks on SQLite: its cost must
//! follow what is due. Run: `cargo bench --bench wake [-- 10000000]`. Prints medians.

use leadpact::agreement::parse::parse;
use leadpact::agreement::{Input, Standing, decide};
use leadpact::engine::clock::monotonic_now;
use leadpact::record::field::well_known;
use leadpact::record::{Actor, Change, ConnectionName, Elapsed, Object, RecordId, RecordKey, Timestamp, Value, What};
use leadpact::store::standing::{self, StandingRow};
use leadpact::store::{Db, OpenOptions, Priority};

const ROWS: usize = 10_000;

fn main() {
    let most = std::env::args().skip(1).find_map(|a| a.parse().ok()).unwrap_or(1_000_000);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime starts");
    runtime.block_on(async {
        for open in [most / 10, most] {
            measure(open).await;
        }
    });
}

async fn measure(open: usize) {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let url = format!("sqlite://{}/bench.db", folder.path().display());
    let db = Db::open(&url, &OpenOptions::default()).await.expect("the database opens");
    let name = ConnectionName::new("acme");
    let now = Timestamp::from_millis(1_800_000_000_000);
    let state = serde_json::to_string(&open_standing(&name, now)).expect("a standing can be written");
    fill(&db, &name, now, open, &state).await;

    let none = median(9, async || {
        assert!(standing::due(&db, &name, now, 500).await.expect("due can be asked").is_empty());
        standing::earliest_wake(&db, &name).await.expect("the earliest can be asked");
    })
    .await;
    // Every clock's moment is spread over the future: so many are due that much later.
    let later = now + Elapsed::from_millis(500);
    let due = median(9, async || {
        let due = standing::due(&db, &name, later, 500).await.expect("due can be asked");
        assert_eq!(due.len(), 500);
    })
    .await;
    println!("{open:>10} open clocks: nothing due {none:?}, 500 due {due:?}");
}

async fn fill(db: &Db, name: &ConnectionName, now: Timestamp, open: usize, state: &str) {
    for start in (0..open).step_by(ROWS) {
        let rows: Vec<StandingRow> =
            (start..(start + ROWS).min(open)).map(|i| row(name, now, i, open, state)).collect();
        let mut tx = db.begin(Priority::Work).await.expect("a transaction begins");
        standing::save(&mut tx, &rows).await.expect("rows are stored");
        tx.commit().await.expect("rows are committed");
    }
}

/// Ids in one order, moments in another, as in life.
fn row(name: &ConnectionName, now: Timestamp, i: usize, open: usize, state: &str) -> StandingRow {
    let scattered = (i as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15) % open as u64;
    StandingRow {
        key: RecordKey {
            connection: name.clone(),
            object: Object::Lead,
            id: RecordId::new(format!("{scattered:012}-{i}")),
        },
        stage: None,
        owner: None,
        party: None,
        name: "Zoë Ünal".to_owned(),
        wake_at: Some(now + Elapsed::from_millis(i as i64 + 1)),
        state: state.to_owned(),
        updated: now,
    }
}

/// A lead with an open clock of the example agreement.
fn open_standing(name: &ConnectionName, now: Timestamp) -> Standing {
    let text = include_str!("../config/agreement.toml");
    let parsed = parse("agreement.toml", text, &|file| Err(format!("{file} is not here"))).expect("the example parses");
    let key = RecordKey { connection: name.clone(), object: Object::Lead, id: RecordId::new("70112233") };
    let w = well_known();
    let values = vec![
        (w.status, Value::text("Qualified by marketing")),
        (w.owner, Value::text("7020")),
        (w.name, Value::text("Zoë Ünal")),
        (w.email, Value::text("zoe@example.com")),
    ];
    let change = Change { at: now, what: What::Fields(values), by: Actor::Unknown };
    decide(&parsed.agreement, Standing::new(key), Input::Changed(change), now).standing
}

/// The middle of so many timings.
async fn median(times: usize, mut work: impl AsyncFnMut()) -> std::time::Duration {
    let mut taken = Vec::with_capacity(times);
    for _ in 0..times {
        let began = monotonic_now();
        work().await;
        taken.push(began.elapsed());
    }
    taken.sort();
    taken[times / 2]
}
