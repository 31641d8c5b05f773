//! Stores leads as the engine does, by the store's own functions: standings, clocks, history, the journal in
//! the order of time, the outbox with how each effect ended, deliveries, disputes, letters and people.

use crate::lead::{self, Lived, chance, live, now};
use leadpact::agreement::{Agreement, Standing};
use leadpact::record::{
    Change, ConnectionName, Effect, Elapsed, Fact, FactKind, Outcome, OwnerId, RecordKey, Timestamp,
};
use leadpact::store::clock::{ClockRow, ClockState};
use leadpact::store::dispute::{DisputeRow, DisputeState};
use leadpact::store::inbox::{Kind, NewDelivery};
use leadpact::store::journal::JournalEntry;
use leadpact::store::letter::{self, LetterRow, LetterState};
use leadpact::store::person::{self, PersonRow};
use leadpact::store::standing::StandingRow;
use leadpact::store::{Db, OpenOptions, Priority, Tx, clock, dispute, history, inbox, journal, outbox, standing};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use tokio::sync::mpsc;

/// Leads of one transaction.
const CHUNK: u64 = 5_000;
const DISPUTES: u64 = 5_000;
const LETTERS: u64 = 5_000;
/// So many moves are held by the breaker.
const HELD: usize = 200;

/// Fills a new file.
pub async fn seed(file: &str, leads: usize) {
    let db = Db::open(&format!("sqlite://{file}"), &OpenOptions::default()).await.expect("the database opens");
    let agreement = crate::house::agreement();
    people(&db).await;
    let of = leads as u64;
    let (made, mut chunks) = mpsc::channel(2);
    let making = agreement.clone();
    // Deciding and storing take turns on two cores.
    std::thread::spawn(move || {
        for from in (0..of).step_by(CHUNK as usize) {
            let chunk: Vec<Lived> = (from..(from + CHUNK).min(of)).map(|n| live(&making, n, of)).collect();
            if made.blocking_send((from, chunk)).is_err() {
                return;
            }
        }
    });
    let mut seeding = Seeding { agreement, told: BTreeMap::new(), held: 0, n: 0 };
    while let Some((from, chunk)) = chunks.recv().await {
        let mut tx = db.begin(Priority::Work).await.expect("a transaction begins");
        seeding.store(&mut tx, chunk).await;
        receive(&mut tx, from, of).await;
        seeding.tell(&mut tx, lead::began(from, of)).await;
        tx.commit().await.expect("leads are stored");
        apply(&db, from).await;
        if from % (CHUNK * 20) == 0 {
            eprintln!("{from} of {of} leads");
        }
    }
    let mut tx = db.begin(Priority::Work).await.expect("a transaction begins");
    seeding.tell(&mut tx, Timestamp::MAX).await;
    disputes(&mut tx, of).await;
    letters(&mut tx).await;
    tx.commit().await.expect("the rest is stored");
    db.close().await;
}

struct Seeding {
    agreement: Arc<Agreement>,
    /// Facts that come later than the leads that were made so far.
    told: BTreeMap<(Timestamp, u64), (RecordKey, Fact)>,
    held: usize,
    n: u64,
}

impl Seeding {
    async fn store(&mut self, tx: &mut Tx, chunk: Vec<Lived>) {
        let rows: Vec<StandingRow> = chunk.iter().map(|lived| row(&lived.standing)).collect();
        standing::save(tx, &rows).await.expect("standings are stored");
        let mut past: Vec<(RecordKey, Change)> = Vec::new();
        let mut effects: HashMap<ConnectionName, Vec<(Effect, Option<Outcome>)>> = HashMap::new();
        for lived in chunk {
            let key = lived.standing.key.clone();
            clock::replace(tx, &key, &self.runs(&lived.standing)).await.expect("clocks are stored");
            past.extend(lived.history.into_iter().map(|change| (key.clone(), change)));
            for fact in lived.facts {
                self.n += 1;
                self.told.insert((fact.at, self.n), (key.clone(), fact));
            }
            effects.entry(key.connection.clone()).or_default().extend(lived.effects);
        }
        history::add(tx, &past).await.expect("history is stored");
        for (connection, effects) in effects {
            self.issue(tx, &connection, effects).await;
        }
    }

    fn runs(&self, standing: &Standing) -> Vec<ClockRow> {
        let row = |run: &leadpact::agreement::standing::Run| ClockRow {
            record: standing.key.clone(),
            source: run.clock.to_string(),
            pass: standing.pass,
            run: run.number,
            party: self.agreement.clock_named(&run.clock).map(|clock| clock.party.clone()),
            owner: standing.owner(),
            started: run.started,
            deadline: Some(run.deadline),
            state: match (run.paused, run.breached) {
                (Some(_), _) => ClockState::Paused,
                (None, Some(_)) => ClockState::Breached,
                (None, None) => ClockState::Open,
            },
            name: standing.name().to_owned(),
        };
        standing.open_runs().map(row).collect()
    }

    /// In days, so that the moments of the outbox are spread as in life.
    async fn issue(&mut self, tx: &mut Tx, name: &ConnectionName, effects: Vec<(Effect, Option<Outcome>)>) {
        let mut days: BTreeMap<i64, Vec<(Effect, Option<Outcome>)>> = BTreeMap::new();
        for effect in effects {
            days.entry(effect.0.not_before.as_millis() / 600_000).or_default().push(effect);
        }
        for (day, effects) in days {
            let at = Timestamp::from_millis(day * 600_000);
            let all: Vec<Effect> = effects.iter().map(|(effect, _)| effect.clone()).collect();
            outbox::add(tx, &all, at).await.expect("effects are stored");
            let (held, ended): (Vec<_>, Vec<_>) = effects.into_iter().partition(|(_, outcome)| outcome.is_none());
            let ended: Vec<_> = ended.into_iter().filter_map(|(effect, o)| Some((effect.key, o?))).collect();
            outbox::settle(tx, name, &ended, at).await.expect("effects end");
            let moves: Vec<_> = held.into_iter().filter(|(e, _)| e.action.moves()).map(|(e, _)| e.key).collect();
            let moves = &moves[..moves.len().min(HELD - self.held)];
            self.held += moves.len();
            outbox::hold_these(tx, name, moves, at).await.expect("moves are held");
        }
    }

    /// Journals what happened before then.
    async fn tell(&mut self, tx: &mut Tx, before: Timestamp) {
        let later = self.told.split_off(&(before, 0));
        let mut entries: HashMap<ConnectionName, Vec<JournalEntry>> = HashMap::new();
        for ((seen_at, _), (key, fact)) in std::mem::replace(&mut self.told, later) {
            let of = entries.entry(key.connection.clone()).or_default();
            of.push(JournalEntry { record: Some(key), fact, seen_at, agreement: self.agreement.hash.to_string() });
        }
        for (connection, entries) in entries {
            journal::append(tx, &connection, &entries).await.expect("facts are journalled");
        }
    }
}

fn row(standing: &Standing) -> StandingRow {
    StandingRow {
        key: standing.key.clone(),
        stage: standing.stage.clone(),
        owner: standing.owner(),
        party: standing.party.clone(),
        name: standing.name().to_owned(),
        wake_at: standing.wake_at,
        state: serde_json::to_string(standing).expect("a standing can be written"),
        updated: now(),
    }
}

async fn people(db: &Db) {
    let mut tx = db.begin(Priority::Work).await.expect("a transaction begins");
    for connection in lead::CONNECTIONS {
        let row = |n: u64| PersonRow {
            id: OwnerId::new(lead::owner_id(n)),
            user: None,
            name: format!("Owner {n}"),
            email: Some(format!("owner{n}@acme.example")),
            manager: (!n.is_multiple_of(10)).then(|| OwnerId::new(lead::owner_id(n - n % 10))),
            active: true,
            queue: false,
        };
        let rows: Vec<PersonRow> = (0..lead::OWNERS).map(row).collect();
        person::save_all(&mut tx, &ConnectionName::new(connection), &rows).await.expect("people are stored");
    }
    tx.commit().await.expect("people are stored");
}

/// What CRMs sent of the leads of a chunk: two of five deliveries are still kept.
async fn receive(tx: &mut Tx, from: u64, of: u64) {
    let row = |n: u64| NewDelivery {
        connection: lead::key(n).connection,
        delivery_id: (n % 10 == 9).then(|| format!("msg_{n}")),
        kind: if n.is_multiple_of(1000) { Kind::Order } else { Kind::Delivery },
        body: body(n),
        received_at: lead::began(n, of),
    };
    let rows: Vec<NewDelivery> = (from..(from + CHUNK).min(of)).filter(|n| chance(*n, 40) % 5 < 2).map(row).collect();
    inbox::insert_all(tx, &rows).await.expect("deliveries are stored");
}

/// All that waits is applied, but for the first of each connection, which is given up.
async fn apply(db: &Db, from: u64) {
    for connection in lead::CONNECTIONS {
        let name = ConnectionName::new(connection);
        let Some(mark) = inbox::mark(db, &name).await.expect("deliveries are looked for") else { continue };
        let waiting = inbox::received(db, &name, &mark, CHUNK as u32).await.expect("deliveries are read");
        let ids: Vec<&str> = waiting.iter().map(|row| row.id.as_str()).collect();
        let mut tx = db.begin(Priority::Work).await.expect("a transaction begins");
        inbox::applied(&mut tx, &name, &ids[1..]).await.expect("deliveries are applied");
        inbox::park(&mut tx, &name, ids[0], &format!("unreadable, chunk {from}")).await.expect("one is given up");
        tx.commit().await.expect("deliveries are applied");
    }
}

fn body(n: u64) -> String {
    format!(
        r#"[{{"eventId":{n},"subscriptionId":310002,"portalId":45540012,"appId":880101,"occurredAt":1767603600980,"subscriptionType":"contact.propertyChange","attemptNumber":0,"objectId":{},"changeSource":"CRM_UI","propertyName":"hs_lead_status","propertyValue":"OPEN","sourceId":"userId:9912"}}]"#,
        70_000_000_000 + n * 7
    )
}

async fn disputes(tx: &mut Tx, of: u64) {
    for n in 0..DISPUTES.min(of) {
        let (key, opened_at) = (lead::key(chance(n, 30) % of), lead::began(n, DISPUTES));
        let open = DisputeRow {
            id: format!("00000000-0000-7000-8000-{n:012}"),
            record: key,
            fact_key: format!("1/First follow-up/1/breached/{n}"),
            fact_at: opened_at,
            kind: FactKind::Breached,
            source: "First follow-up".to_owned(),
            party: Some("field_sales".into()),
            owner: Some(lead::owner(n, true)),
            opened_at,
            by: format!("Owner {}", n % lead::OWNERS),
            why: "I was on the phone with them".to_owned(),
            step: 1,
            told_step: 1,
            step_due: Some(opened_at + Elapsed::from_secs(86_400)),
            state: DisputeState::Open,
            decided_at: None,
            decided_by: None,
            verdict: None,
        };
        dispute::open(tx, &open).await.expect("a dispute is stored");
        if n % 20 != 0 {
            let state = if n % 3 == 0 { DisputeState::Upheld } else { DisputeState::Dismissed };
            let (at, by) = (Some(opened_at + Elapsed::from_secs(7_200)), Some("Dana Reyes".to_owned()));
            let is = DisputeRow { state, decided_at: at, decided_by: by, step_due: None, ..open.clone() };
            dispute::advance(tx, &open, &is).await.expect("a dispute is decided");
        }
    }
}

async fn letters(tx: &mut Tx) {
    let name = ConnectionName::new(lead::CONNECTIONS[0]);
    for n in 0..LETTERS {
        let row = LetterRow {
            key: format!("dispute/{n}"),
            destinations: "[]".to_owned(),
            body: r#"{"subject":"A breach is disputed","text":"…","html":null,"blocks":null}"#.to_owned(),
            state: LetterState::Due,
            attempts: 0,
        };
        let at = lead::began(n, LETTERS);
        letter::add(tx, &name, &row, at, at).await.expect("a letter is stored");
        let state = if n % 100 == 0 { LetterState::Failed } else { LetterState::Sent };
        let end = letter::Outcome { state, attempts: 1, not_before: at, note: None };
        letter::settle(tx, &name, &row.key, LetterState::Due, &end).await.expect("a letter ends");
    }
}
