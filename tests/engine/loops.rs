//! The loops themselves, on real time: take-over, stop, and work that does not wait for other work.

use crate::channels::Channels;
use crate::crm::{Call, FakeCrm};
use crate::world::{RECYCLE, acme, agreement, changed, open, text};
use leadpact::engine::clock::monotonic_now;
use leadpact::engine::clock::{Clock, real_now};
use leadpact::engine::schedule::Schedule;
use leadpact::engine::worker::{self, Retention, Stop, Times};
use leadpact::engine::{Engine, Site};
use leadpact::notify::{Notifiers, Templates};
use leadpact::record::{Elapsed, Object, RecordId, Value};
use leadpact::store::inbox::{self, Kind, NewDelivery};
use leadpact::store::lease;
use leadpact::store::{Db, Priority};
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

struct Daemon {
    engine: Arc<Engine>,
    site: Arc<Site>,
    crm: Arc<FakeCrm>,
    channels: Channels,
    stop: CancellationToken,
    /// Its site alone.
    replaced: CancellationToken,
    task: JoinHandle<()>,
}

impl Daemon {
    fn start(db: Db, holder: &str, steps: &str, clock: Clock) -> Self {
        let crm = Arc::new(FakeCrm::new(clock.clone()));
        Self::start_with(db, holder, steps, clock, crm)
    }

    fn start_with(db: Db, holder: &str, steps: &str, clock: Clock, crm: Arc<FakeCrm>) -> Self {
        crm.with(|s| s.unmapped.extend(["due", "clock", "last_action"].map(leadpact::record::FieldName::new)));
        let channels = Channels::default();
        let engine = Arc::new(Engine::new(
            leadpact::engine::context::Parts {
                db,
                clock,
                notifiers: Notifiers::of(Templates::load(None).unwrap(), vec![Box::new(channels.clone())]),
                notify_in_observe: false,
            },
            holder,
            Vec::new(),
        ));
        let site = Arc::new(crate::world::site(agreement(steps, ""), crm.clone()));
        let stop = CancellationToken::new();
        let replaced = stop.child_token();
        let keep = Retention { inbox: Elapsed::from_secs(86_400), history: Elapsed::from_secs(86_400) };
        let every = |text| Schedule::parse(text).unwrap();
        let times = Times { wake: every("* * * * * *"), reconcile: every("0 */15 * * * *") };
        let task = tokio::spawn(worker::work(
            engine.clone(),
            site.clone(),
            times,
            keep,
            Stop { daemon: stop.clone(), site: replaced.clone() },
        ));
        Self { engine, site, crm, channels, stop, replaced, task }
    }

    /// A lead is handed to field sales now.
    async fn hand_over(&self, id: &str) {
        let now = self.engine.clock.now();
        let values = [("status", text("TQL")), ("owner", text("80")), ("touches", Value::Number(0.0))];
        self.crm.edit(Object::Lead, id, now, &values);
        let body = serde_json::to_string(&[changed(id, now, &values)]).unwrap();
        let row = NewDelivery { connection: acme(), delivery_id: None, kind: Kind::Delivery, body, received_at: now };
        let mut tx = self.engine.db.begin(Priority::Ingest).await.unwrap();
        inbox::insert_all(&mut tx, &[row]).await.unwrap();
        tx.commit().await.unwrap();
        self.site.stirred.notify_one();
    }

    fn is_back(&self, id: &str) -> bool {
        self.crm.value(Object::Lead, id, "status") == text("MQL")
    }
}

async fn within(limit: Duration, mut holds: impl FnMut() -> bool) -> Duration {
    let begun = monotonic_now();
    while !holds() {
        assert!(begun.elapsed() < limit, "not within {limit:?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    begun.elapsed()
}

/// An hour of the agreement is gone in a second.
fn fast() -> Clock {
    Clock::fast(crate::world::minute(0), 3600.0)
}

promise!(a_stale_lead_goes_back_by_itself, |store| {
    let daemon = Daemon::start(store.db.clone(), "a", RECYCLE, fast());
    daemon.hand_over("1").await;
    let taken = within(Duration::from_secs(6), || daemon.is_back("1")).await;
    assert!(taken > Duration::from_millis(800), "not before its hour: {taken:?}");
    daemon.stop.cancel();
    daemon.task.await.unwrap();
});

promise!(a_site_that_is_replaced_leaves_the_lease_with_its_process, |store| {
    for (of_daemon, taken) in [(false, false), (true, true)] {
        let daemon = Daemon::start(store.db.clone(), "a", RECYCLE, fast());
        daemon.hand_over(&format!("{of_daemon}")).await;
        within(Duration::from_secs(10), || !daemon.crm.with(|s| s.reads.is_empty())).await;
        let token = if of_daemon { &daemon.stop } else { &daemon.replaced };
        token.cancel();
        daemon.task.await.unwrap();
        let other = lease::take(&store.db, &acme(), "b", real_now(), Elapsed::from_secs(6)).await.unwrap();
        assert_eq!(other.is_some(), taken);
    }
});

promise!(a_killed_holders_connection_is_taken_over_within_ten_seconds, |store| {
    // Dies right after it took the lease.
    let six = Elapsed::from_secs(6);
    lease::take(&store.db, &acme(), "killed", real_now(), six).await.unwrap().unwrap();
    let daemon = Daemon::start(store.db.clone(), "b", RECYCLE, fast());
    daemon.hand_over("1").await;
    within(Duration::from_secs(10), || !daemon.crm.with(|s| s.reads.is_empty())).await;
    daemon.stop.cancel();
    daemon.task.await.unwrap();
});

promise!(a_stop_finishes_what_is_in_hand_and_gives_the_lease_back, |store| {
    let daemon = Daemon::start(store.db.clone(), "a", RECYCLE, fast());
    daemon.crm.with(|s| s.write_calls.push_back(Call::Waits));
    daemon.hand_over("1").await;
    daemon.crm.arrived.notified().await;
    daemon.stop.cancel();
    tokio::time::sleep(Duration::from_millis(100)).await;
    daemon.crm.go_on.notify_one();
    tokio::time::timeout(Duration::from_secs(5), daemon.task).await.expect("it stops").unwrap();
    let counts = leadpact::store::outbox::counts(&store.db, &acme()).await.unwrap();
    assert_eq!(counts.sending, 0, "the write in hand was settled");
    let next = lease::take(&store.db, &acme(), "b", real_now(), Elapsed::from_secs(6)).await.unwrap();
    assert!(next.is_some());
});

promise!(who_loses_the_lease_stops_working_and_asks_again, |store| {
    let daemon = Daemon::start(store.db.clone(), "a", RECYCLE, fast());
    daemon.hand_over("1").await;
    within(Duration::from_secs(5), || !daemon.crm.with(|s| s.reads.is_empty())).await;
    let later = real_now() + Elapsed::from_secs(60);
    lease::take(&store.db, &acme(), "b", later, Elapsed::from_secs(-57)).await.unwrap().unwrap();
    daemon.hand_over("2").await;
    tokio::time::sleep(Duration::from_millis(1500)).await;
    let read = daemon.crm.with(|s| s.reads.iter().flatten().any(|id| id == &RecordId::new("2")));
    assert!(!read, "another works the connection");
    within(Duration::from_secs(8), || daemon.is_back("2")).await;
    daemon.stop.cancel();
    daemon.task.await.unwrap();
});

/// Nobody was at work for twenty minutes.
async fn was_down(db: &Db) {
    let long_ago = (real_now() - Elapsed::from_secs(20 * 60)).as_millis().to_string();
    let mut tx = db.begin(Priority::Work).await.unwrap();
    leadpact::store::cursor::set(&mut tx, &acme(), "alive", &long_ago).await.unwrap();
    tx.commit().await.unwrap();
}

promise!(after_a_down_time_what_was_missed_is_learnt_before_any_clock_is_looked_at, |store| {
    was_down(&store.db).await;
    let minute = crate::world::minute;
    let clock = Clock::fast(minute(120), 1.0);
    // Heard of before the down time; nobody told that it was answered within its hour.
    let handed = [("status", text("TQL")), ("owner", text("80")), ("touches", Value::Number(0.0))];
    let body = serde_json::to_string(&[changed("1", minute(0), &handed)]).unwrap();
    let row = NewDelivery { connection: acme(), delivery_id: None, kind: Kind::Delivery, body, received_at: minute(0) };
    let mut tx = store.db.begin(Priority::Ingest).await.unwrap();
    inbox::insert_all(&mut tx, &[row]).await.unwrap();
    tx.commit().await.unwrap();
    let crm = Arc::new(FakeCrm::new(clock.clone()));
    crm.with(|s| s.searchable = true);
    crm.edit(Object::Lead, "1", minute(0), &handed);
    crm.edit(Object::Lead, "1", minute(30), &[("status", text("Working"))]);
    let since =
        "{\"from\":SINCE,\"since\":SINCE,\"under_way\":null}".replace("SINCE", &minute(0).as_millis().to_string());
    let mut tx = store.db.begin(Priority::Work).await.unwrap();
    leadpact::store::cursor::set(&mut tx, &acme(), "reconcile/lead", &since).await.unwrap();
    tx.commit().await.unwrap();
    let daemon = Daemon::start_with(store.db.clone(), "a", RECYCLE, clock, crm);
    within(Duration::from_secs(10), || !daemon.crm.with(|s| s.searches.is_empty())).await;
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    daemon.stop.cancel();
    daemon.task.await.unwrap();
    let key = crate::world::lead("1");
    let told = leadpact::store::journal::of_record(&store.db, &key).await.unwrap();
    let kinds: Vec<&str> = told.iter().map(|row| row.entry.fact.kind.as_str()).collect();
    assert!(kinds.contains(&"met") && !kinds.contains(&"breached"), "{kinds:?}");
});

promise!(people_are_told_while_a_call_to_the_crm_hangs, |store| {
    let steps = r#"{ at = "50%", notify = ["slack:#a"] }, { at = "due", recycle = true }"#;
    let daemon = Daemon::start(store.db.clone(), "a", steps, fast());
    daemon.hand_over("1").await;
    within(Duration::from_secs(5), || !daemon.channels.places().is_empty()).await;
    daemon.crm.with(|s| s.write_calls.push_back(Call::Waits));
    daemon.crm.arrived.notified().await;
    daemon.hand_over("2").await;
    // Its record is read beside the write that hangs.
    within(Duration::from_secs(5), || daemon.channels.places().len() > 1).await;
    daemon.crm.go_on.notify_one();
    within(Duration::from_secs(5), || daemon.is_back("1")).await;
    daemon.stop.cancel();
    daemon.task.await.unwrap();
});

promise!(two_replicas_work_a_connection_one_after_the_other, |store| {
    let second: Db = open(&store.url).await;
    let a = Daemon::start(store.db.clone(), "a", RECYCLE, fast());
    tokio::time::sleep(Duration::from_millis(300)).await;
    let b = Daemon::start(second, "b", RECYCLE, fast());
    a.hand_over("1").await;
    within(Duration::from_secs(6), || a.is_back("1")).await;
    assert_eq!(b.crm.calls(), (0, 0));
    a.stop.cancel();
    a.task.await.unwrap();
    b.hand_over("2").await;
    within(Duration::from_secs(8), || b.is_back("2")).await;
    b.stop.cancel();
    b.task.await.unwrap();
});

promise!(a_connection_that_was_signed_out_returns_by_itself, |store| {
    let crm_clock = fast();
    let crm = Arc::new(FakeCrm::new(crm_clock.clone()));
    crm.with(|s| s.refuses = Some("the token was revoked"));
    let daemon = Daemon::start_with(store.db.clone(), "a", RECYCLE, crm_clock, crm);
    daemon.hand_over("1").await;
    within(Duration::from_secs(10), || daemon.channels.places() == ["#teleprospecting"]).await;
    // A minute of the daemon is seventeen milliseconds: it tries again and again, and is refused.
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert_eq!((daemon.crm.calls().1, daemon.channels.places().len()), (0, 1));
    daemon.crm.with(|s| s.refuses = None);
    within(Duration::from_secs(15), || daemon.is_back("1")).await;
    within(Duration::from_secs(10), || daemon.channels.places().len() == 2).await;
    daemon.stop.cancel();
    daemon.task.await.unwrap();
});
