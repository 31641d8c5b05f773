//! A million recorded changes replayed under two versions of an agreement, from SQLite. Run:
//! `cargo bench --bench simulate [-- 1000000]`. Prints how long it took and what differed.

use leadpact::agreement::parse::parse;
use leadpact::agreement::{Agreement, Input, Standing, Verdict, confirm, decide, intend, is_late};
use leadpact::engine::clock::monotonic_now;
use leadpact::engine::simulate::{Simulation, simulate};
use leadpact::record::change::{FieldValues, Reading};
use leadpact::record::{
    Action, Actor, Change, ConnectionName, Effect, Elapsed, FieldName, Object, Outcome, OwnerId, RecordId, RecordKey,
    Timestamp, Value, What,
};
use leadpact::report::difference::Window;
use leadpact::store::{Db, OpenOptions, Priority, history};

/// Monday, 4 January 2027, 10:00 in Boston.
const START: Timestamp = Timestamp::from_millis(1_799_074_800_000);
const DAY: i64 = 86_400;

fn main() {
    let wanted = std::env::args().skip(1).find_map(|a| a.parse().ok()).unwrap_or(1_000_000);
    let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .max_blocking_threads(threads)
        .enable_all()
        .build()
        .expect("a runtime starts");
    runtime.block_on(measure(wanted, threads));
}

fn agreement(within: &str) -> Agreement {
    let text = include_str!("../config/agreement.toml").replace("\"8 business hours\"", &format!("\"{within}\""));
    parse("agreement.toml", &text, &|_| Err("no files here".into())).expect("the example is sound").agreement
}

async fn measure(wanted: usize, threads: usize) {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let url = format!("sqlite://{}/bench.db", folder.path().display());
    let db = Db::open(&url, &OpenOptions::default()).await.expect("the database opens");
    let connection = ConnectionName::new("acme");
    let (changes, records) = fill(&db, &connection, wanted).await;
    println!("{changes} changes of {records} records; replaying on {threads} threads");
    let asked = Simulation {
        connection,
        old: agreement("8 business hours"),
        new: agreement("4 business hours"),
        window: Window { from: Timestamp::MIN, until: Timestamp::MAX },
        until: START + Elapsed::from_secs(365 * DAY),
        keep: 20,
        threads,
    };
    let began = monotonic_now();
    let found = simulate(&db, asked, |_| {}).await.expect("everything can be replayed");
    let took = began.elapsed();
    println!("{:?}, {:.0} changes a second; peak {}", took, found.changes as f64 / took.as_secs_f64(), peak());
    for (subject, line) in &found.lines {
        println!("{} {} {}: {} → {}", subject.party, subject.source, subject.kind.as_str(), line.old, line.new);
    }
    println!("diverged: {} old, {} new", found.diverged_old, found.diverged_new);
}

/// The most memory that this process ever used, where the system tells it.
fn peak() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or("unknown").trim().to_owned()
}

/// Leads as a daemon recorded them under the example agreement, until there are enough changes.
async fn fill(db: &Db, connection: &ConnectionName, wanted: usize) -> (usize, usize) {
    let agreement = agreement("8 business hours");
    let (mut changes, mut records) = (0, 0);
    while changes < wanted {
        let mut tx = db.begin(Priority::Work).await.expect("a transaction begins");
        for _ in 0..500 {
            let history = Lead::lived(&agreement, connection, records);
            records += 1;
            changes += history.len();
            history::add(&mut tx, &history).await.expect("changes are stored");
        }
        tx.commit().await.expect("changes are committed");
    }
    (changes, records)
}

/// A lead, its CRM and the daemon beside it.
struct Lead<'a> {
    agreement: &'a Agreement,
    standing: Standing,
    history: Vec<(RecordKey, Change)>,
    outbox: Vec<Effect>,
    crm: FieldValues,
}

impl<'a> Lead<'a> {
    /// Handed over, accepted, qualified, worked and closed at its own pace, as far as it gets.
    fn lived(agreement: &'a Agreement, connection: &ConnectionName, n: usize) -> Vec<(RecordKey, Change)> {
        let scattered = (n as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        let id = RecordId::new(format!("{scattered:020}"));
        let key = RecordKey { connection: connection.clone(), object: Object::Lead, id };
        let (history, outbox, crm) = (Vec::new(), Vec::new(), Vec::new());
        let mut lead = Self { agreement, standing: Standing::new(key), history, outbox, crm };
        let pick = |shift: u32, of: u64| (scattered >> shift) % of;
        let mut at = START + Elapsed::from_secs(pick(0, 150) as i64 * DAY + pick(3, 30_000) as i64);
        let named = ["name", "email", "company", "source", "campaign", "budget", "authority", "need", "timeframe"];
        let mut values: Vec<(&str, Value)> = named.into_iter().map(|name| (name, Value::text("as it is"))).collect();
        values.extend([("score", Value::Number(70.0)), ("owner", Value::text("7020")), ("status", status(0))]);
        lead.does(at, &values);
        for stage in 1..=pick(11, 5) {
            at = at + Elapsed::from_secs(1_800 + pick(13 + stage as u32 * 3, 60_000) as i64);
            lead.does(at, &[("status", status(stage as usize))]);
            if stage >= 3 {
                at = at + Elapsed::from_secs(pick(31, 90_000) as i64 + 60);
                lead.does(at, &[("touches", Value::Number(stage as f64))]);
            }
        }
        lead.run_to(at + Elapsed::from_secs(60 * DAY));
        lead.history
    }

    fn does(&mut self, at: Timestamp, values: &[(&str, Value)]) {
        self.run_to(at);
        let values: FieldValues = values.iter().map(|(name, value)| (FieldName::new(name), value.clone())).collect();
        self.write(&values);
        let by = Actor::Person(OwnerId::new("7020"));
        self.hear(Change { at, what: What::Fields(values), by }, at);
    }

    fn write(&mut self, values: &FieldValues) {
        for (name, value) in values {
            self.crm.retain(|(n, _)| n != name);
            self.crm.push((*name, value.clone()));
        }
    }

    /// What came late is only remembered here: the daemon would fold anew.
    fn hear(&mut self, change: Change, now: Timestamp) {
        if is_late(&self.standing, &change) {
            self.history.push((self.standing.key.clone(), change));
        } else {
            self.input(Input::Changed(change), now);
        }
    }

    fn run_to(&mut self, to: Timestamp) {
        loop {
            let wake = self.standing.wake_at;
            let effect = self.outbox.iter().enumerate().map(|(i, e)| (e.not_before, i)).min();
            let next = wake.into_iter().chain(effect.map(|(at, _)| at)).min();
            let Some(now) = next.filter(|now| *now < to) else { return };
            match effect.filter(|(at, _)| wake.is_none_or(|wake| *at < wake)) {
                None => self.input(Input::Woke, now),
                Some((_, i)) => {
                    let effect = self.outbox.remove(i);
                    self.perform(effect, now);
                }
            }
        }
    }

    fn perform(&mut self, effect: Effect, now: Timestamp) {
        if effect.action == Action::Annotate {
            return;
        }
        let now = now + Elapsed::from_millis(200);
        let modified = self.standing.fields.iter().map(|f| f.at).max().unwrap_or(now);
        let reading = Reading { modified, values: self.crm.clone(), import: false, from_now: false };
        self.hear(Change { at: now, what: What::Read(reading), by: Actor::Unknown }, now);
        if effect.action == Action::Read {
            return;
        }
        match confirm(self.agreement, &self.standing, &effect, now) {
            Verdict::Drop(reason) => self.input(Input::Settled(effect, Outcome::Dropped { reason }), now),
            Verdict::Wait(until) => self.outbox.push(Effect { not_before: until, ..effect }),
            Verdict::Send => self.send(effect, now),
        }
    }

    fn send(&mut self, effect: Effect, since: Timestamp) {
        let mut values = FieldValues::new();
        if let Action::Recycle { set, .. } | Action::Nurture { set } = &effect.action {
            values.extend(set.clone());
        }
        if let Action::Recycle { .. } | Action::Reassign { .. } = effect.action {
            values.push((FieldName::new("owner"), Value::text("7021")));
        }
        let mut at = since;
        if effect.action.moves() {
            intend(&mut self.standing, &effect.key, values.clone(), since);
            at = since + Elapsed::from_millis(400);
            self.write(&values);
        }
        self.input(Input::Settled(effect, Outcome::Done { at, since, values, note: None }), at);
    }

    fn input(&mut self, input: Input, now: Timestamp) {
        let empty = Standing::new(self.standing.key.clone());
        let standing = std::mem::replace(&mut self.standing, empty);
        let decision = decide(self.agreement, standing, input, now);
        self.outbox.retain(|e| !decision.withdraw.contains(&e.key));
        self.outbox.extend(decision.effects);
        self.standing = decision.standing;
        let key = &self.standing.key;
        self.history.extend(decision.history.into_iter().map(|change| (key.clone(), change)));
    }
}

fn status(stage: usize) -> Value {
    let names = ["Open", "Qualified by marketing", "Accepted", "Qualified by teleprospecting", "Working"];
    Value::text(names[stage])
}
