//! Whether a connection's CRM may be worked with at all, looked at every two seconds under the lease: while
//! it is signed out one call an hour asks whether it still is, and what was missed comes before anything is
//! sent again; while its clock and ours are apart nothing is sent. Once a day an idle token is used.

use super::alarm::{Said, Turned, raise};
use super::clock::monotonic_now;
use super::context::{Engine, Site};
use super::signed_out::{self, HOUR, MINUTE};
use super::skew;
use super::switches::Switches;
use super::worker::{self, DOWN};
use crate::crm::CrmError;
use crate::record::{Elapsed, Timestamp};
use crate::store::lease::Lease;
use crate::store::switch::{Switch, SwitchRow};
use crate::store::{Priority, StoreError, clock, cursor};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::Mutex;
use tokio_util::sync::CancellationToken;

/// A token that nobody uses may die of it.
const DAY: Elapsed = Elapsed::from_secs(24 * 3600);
/// When it was last used for that, in milliseconds.
const EXERCISED: &str = "signed_in.kept";
/// While the clocks are apart the CRM is asked for its time so often.
const ASK_TIME: Duration = Duration::from_secs(60);

/// After somebody asked for a try, a refusal may still be that of a call which began before.
const FRESH: Duration = Duration::from_secs(15);

/// What the watch remembers between its steps.
#[derive(Default)]
pub struct Watch {
    /// Whoever holds it takes a turn.
    turning: Arc<Mutex<()>>,
    /// What was missed before this process began was not asked for yet.
    owes: bool,
    /// It was looked at before by this process: only the first look is a restart.
    began: bool,
    tried: Option<Tried>,
    /// The last request to try, and when it was seen first, if not at the first look.
    asked: Option<String>,
    asked_at: Option<Instant>,
    exercise_at: Option<Timestamp>,
    asked_time: Option<Instant>,
}

/// The last look whether credentials are accepted.
struct Tried {
    again_at: Timestamp,
    /// The request to try that was known then.
    asked: Option<String>,
}

impl Watch {
    /// Beside a loop that takes turns under the same lock.
    pub fn beside(turning: Arc<Mutex<()>>) -> Self {
        Self { turning, ..Self::default() }
    }

    /// Whether what was missed before is still to be asked for.
    pub fn owes(&mut self, owes: bool) {
        self.owes = owes;
    }

    /// Looks once.
    ///
    /// # Errors
    /// When the database is unavailable or the lease is lost.
    pub async fn step(
        &mut self,
        engine: &Engine,
        site: &Site,
        lease: &Lease,
        over: &CancellationToken,
    ) -> Result<(), StoreError> {
        self.look_for_requests(engine, site).await?;
        if let Some(message) = site.directory.take_refusal().await
            && !self.is_asked_anew()
        {
            signed_out::refused(engine, site, lease, &message).await?;
        }
        let switches = Switches::read(&engine.db, site.name()).await?;
        engine.metrics.signed_out(site.name(), switches.signed_out().is_some());
        engine.metrics.clocks_apart(site.name(), switches.clocks_apart().is_some());
        match switches.signed_out() {
            Some(row) => self.out(engine, site, lease, row, over).await?,
            None => {
                self.tried = None;
                self.exercise(engine, site, lease).await?;
                self.clocks(engine, site, lease, switches.clocks_apart()).await?;
            }
        }
        self.began = true;
        Ok(())
    }

    async fn look_for_requests(&mut self, engine: &Engine, site: &Site) -> Result<(), StoreError> {
        let asked = signed_out::asked(&engine.db, site.name()).await?;
        if self.began && asked != self.asked {
            self.asked_at = Some(monotonic_now());
        }
        self.asked = asked;
        Ok(())
    }

    /// Somebody had a reason to believe that the credentials work, a moment ago.
    fn is_asked_anew(&self) -> bool {
        self.asked_at.is_some_and(|at| monotonic_now().duration_since(at) < FRESH)
    }

    /// Signed out: tries at its time, at the first look of a process, and when it is asked to.
    async fn out(
        &mut self,
        engine: &Engine,
        site: &Site,
        lease: &Lease,
        row: &SwitchRow,
        over: &CancellationToken,
    ) -> Result<(), StoreError> {
        let now = engine.clock.now();
        let asked = self.asked.clone();
        let due = match &self.tried {
            Some(tried) => now >= tried.again_at || asked != tried.asked,
            None => !self.began || self.is_asked_anew() || now >= row.at + HOUR,
        };
        if !due {
            self.tried.get_or_insert(Tried { again_at: row.at + HOUR, asked });
            return Ok(());
        }
        let answer = probe(engine, site).await?;
        let wait = match &answer {
            Err(CrmError::SignIn { message }) => {
                tracing::warn!(connection = %site.name(), "still signed out, tried again in an hour: {message}");
                HOUR
            }
            // Whether they are accepted was not told.
            Err(CrmError::Later { .. } | CrmError::Doubt { .. }) => MINUTE,
            Ok(()) | Err(CrmError::Never { .. }) => return self.back(engine, site, lease, row, over).await,
        };
        self.tried = Some(Tried { again_at: now + wait, asked });
        Ok(())
    }

    /// Accepted again. After more than a quarter of an hour what was missed comes first: a sweep, and a turn
    /// that decides by it. Only then calls are made, and the breaker counts all that is due before the first.
    async fn back(
        &mut self,
        engine: &Engine,
        site: &Site,
        lease: &Lease,
        row: &SwitchRow,
        over: &CancellationToken,
    ) -> Result<(), StoreError> {
        if self.owes || engine.clock.now() - row.at > DOWN {
            if !worker::catch_up(engine, site, lease, over).await {
                let asked = signed_out::asked(&engine.db, site.name()).await?;
                self.tried = Some(Tried { again_at: engine.clock.now() + HOUR, asked });
                return Ok(());
            }
            let _mine = self.turning.lock().await;
            worker::turn(engine, site, lease, over).await?;
        }
        if over.is_cancelled() {
            return Ok(());
        }
        signed_out::works(engine, site, lease, row).await?;
        (self.owes, self.tried) = (false, None);
        site.issued.notify_one();
        Ok(())
    }

    /// Uses the token once a day, so that it does not die of idleness.
    async fn exercise(&mut self, engine: &Engine, site: &Site, lease: &Lease) -> Result<(), StoreError> {
        let now = engine.clock.now();
        let at = match self.exercise_at {
            Some(at) => at,
            None => {
                let kept = cursor::get(&engine.db, site.name(), EXERCISED).await?;
                let last = kept.and_then(|text| text.parse().ok()).map(Timestamp::from_millis);
                last.map_or(now, |last| last + DAY)
            }
        };
        self.exercise_at = Some(at);
        if now < at {
            return Ok(());
        }
        match site.crm.keep_signed_in().await {
            Ok(()) => {
                self.exercise_at = Some(now + DAY);
                let mut tx = engine.db.begin(Priority::Work).await?;
                lease.check(&mut tx).await?;
                cursor::set(&mut tx, site.name(), EXERCISED, &now.as_millis().to_string()).await?;
                tx.commit().await
            }
            Err(error) => {
                tracing::warn!(connection = %site.name(), "the daily use of the token failed: {error}");
                self.exercise_at = Some(now + HOUR);
                signed_out::note(engine, site, lease, &error).await;
                Ok(())
            }
        }
    }

    /// The CRM's clock against ours. One odd answer is no reason for an alarm: it is asked once more.
    async fn clocks(
        &mut self,
        engine: &Engine,
        site: &Site,
        lease: &Lease,
        apart: Option<&SwitchRow>,
    ) -> Result<(), StoreError> {
        match (apart, skew::too_far(engine, site)) {
            (None, None) => Ok(()),
            (None, Some(_)) => {
                let is_asked = self.ask_time(engine, site).await?;
                match skew::too_far(engine, site).filter(|_| is_asked) {
                    Some(ahead) => alarm(engine, site, lease, ahead).await,
                    None => Ok(()),
                }
            }
            (Some(_), _) if skew::agree(engine, site) => agreed(engine, site, lease).await,
            (Some(_), _) => self.ask_time(engine, site).await.map(drop),
        }
    }

    /// Any answer names the time. `false`: it was asked a moment ago.
    async fn ask_time(&mut self, engine: &Engine, site: &Site) -> Result<bool, StoreError> {
        if self.asked_time.is_some_and(|at| monotonic_now().duration_since(at) < ASK_TIME) {
            return Ok(false);
        }
        self.asked_time = Some(monotonic_now());
        if let Err(error) = probe(engine, site).await? {
            tracing::debug!(connection = %site.name(), "asked for its time: {error}");
        }
        Ok(true)
    }
}

/// A call that changes nothing, as cheap as there is: a record that we know, or who can own one.
async fn probe(engine: &Engine, site: &Site) -> Result<Result<(), CrmError>, StoreError> {
    let known = clock::open_soonest(&engine.db, Some(site.name()), None, 1).await?.pop();
    let answer = match known.map(|row| row.record) {
        Some(key) => site.crm.read(key.object, &[key.id]).await.map(drop),
        None => site.crm.people().await.map(drop),
    };
    engine.metrics.call(site.name(), "probe", if answer.is_ok() { "ok" } else { "failed" });
    Ok(answer)
}

async fn alarm(engine: &Engine, site: &Site, lease: &Lease, ahead: Elapsed) -> Result<(), StoreError> {
    let (name, off) = (site.name(), skew::in_words(ahead));
    let why = format!("the CRM's clock is {off}");
    let said = Said {
        subject: format!("Nothing is done in {name}: the clocks do not agree"),
        heading: format!("The clock of the CRM of {name} is {off}."),
        paragraphs: vec![
            "What is due is decided by the clock, so nothing is written and nobody is told anything about a lead until \
             both agree within five minutes. Then it goes on by itself."
                .to_owned(),
            format!("Set this machine's clock (NTP); `leadpact doctor {name}` shows how far it is off."),
        ],
    };
    if raise(engine, site, lease, Turned { switch: Switch::ClocksApart, on: true, why: &why, said }).await? {
        tracing::error!(connection = %name, "nothing is done until the clocks agree: {why}");
    }
    engine.metrics.clocks_apart(name, true);
    Ok(())
}

async fn agreed(engine: &Engine, site: &Site, lease: &Lease) -> Result<(), StoreError> {
    let name = site.name();
    let said = Said {
        subject: format!("{name} goes on: the clocks agree again"),
        heading: format!("The clock of the CRM of {name} and this machine's agree again."),
        paragraphs: vec!["What fell due meanwhile leaves once it was confirmed again.".to_owned()],
    };
    let turned = Turned { switch: Switch::ClocksApart, on: false, why: "the clocks agree again", said };
    if raise(engine, site, lease, turned).await? {
        tracing::info!(connection = %name, "the clocks agree again");
    }
    engine.metrics.clocks_apart(name, false);
    site.issued.notify_one();
    Ok(())
}
