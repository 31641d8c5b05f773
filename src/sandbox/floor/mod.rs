//! The sales floor of a pretend organisation: who does what when. A step does all that is due, so a
//! test drives it by hand and the demo loops over it. With the same seed and clock, the same story.

mod habits;
mod leads;
mod play;
mod staff;

pub use staff::{Colleague, Function, Staff};

use super::event::{Happened, WorldEvent};
use super::vocabulary;
use super::world::World;
use crate::record::{Elapsed, Timestamp};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio_util::sync::CancellationToken;

/// Whether people are at work.
pub type IsOpen = Arc<dyn Fn(Timestamp) -> bool + Send + Sync>;

/// How far ahead somebody plans at most: longer closings are no holiday but an end.
const HORIZON: Elapsed = Elapsed::from_secs(21 * 24 * 3600);
/// The grain of people's time.
const GRAIN: Elapsed = Elapsed::from_secs(300);

#[derive(Clone)]
pub struct FloorOptions {
    pub seed: u64,
    pub is_open: IsOpen,
    /// New leads of an open hour.
    pub leads_per_hour: f64,
    /// Leads that are there at the first step.
    pub opening_leads: u32,
    /// How long people take, times this: 0.5 is twice as quick.
    pub pace: f64,
}

pub struct SalesFloor {
    world: Arc<World>,
    options: FloorOptions,
    staff: Staff,
    heard: UnboundedReceiver<WorldEvent>,
    /// What is planned, soonest first; the number keeps the order of what is due at once.
    agenda: BTreeMap<(Timestamp, u64), Deed>,
    planned: u64,
    /// How often somebody thought anew about a lead: older plans for it are void.
    thoughts: BTreeMap<String, u64>,
    rng: StdRng,
    begun: bool,
}

/// What somebody is going to do.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Deed {
    NewLead,
    Lead { id: String, thought: u64 },
    FillIn { deal: String },
    Close { deal: String },
}

impl SalesFloor {
    /// Hires the people of the floor into the world.
    pub fn new(world: Arc<World>, options: FloorOptions) -> Self {
        let staff = Staff::hire(&world);
        let heard = world.listen();
        let rng = StdRng::seed_from_u64(options.seed);
        Self {
            world,
            options,
            staff,
            heard,
            agenda: BTreeMap::new(),
            planned: 0,
            thoughts: BTreeMap::new(),
            rng,
            begun: false,
        }
    }

    pub fn staff(&self) -> &Staff {
        &self.staff
    }

    /// Does all that is due while people are at work, and says when the next thing is due (in the
    /// past, where it waits for the morning).
    pub fn step(&mut self, now: Timestamp) -> Option<Timestamp> {
        if !std::mem::replace(&mut self.begun, true) {
            (0..self.options.opening_leads).for_each(|_| self.new_lead());
            self.plan_next_lead(now);
        }
        self.take_notice();
        while let Some(entry) = self.agenda.first_entry() {
            let (due, _) = *entry.key();
            // Time may have leapt into the evening: then it is done in the morning.
            if due > now || !(self.options.is_open)(now) {
                return Some(due);
            }
            let deed = entry.remove();
            self.perform(deed, now);
            self.take_notice();
        }
        None
    }

    /// Steps every so often of real time until told to stop.
    pub async fn work(mut self, every: Duration, stop: CancellationToken) {
        loop {
            let now = self.world.now();
            self.step(now);
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(every) => {}
            }
        }
    }

    fn perform(&mut self, deed: Deed, now: Timestamp) {
        match deed {
            Deed::NewLead => {
                self.new_lead();
                self.plan_next_lead(now);
            }
            Deed::Lead { id, thought } if self.thoughts.get(&id) == Some(&thought) => self.work_on(&id, now),
            Deed::Lead { .. } => {}
            Deed::FillIn { deal } => self.fill_in(&deal),
            Deed::Close { deal } => self.close(&deal),
        }
    }

    /// Whoever has a lead thinks anew about it once its status or owner changed, by whomever.
    fn take_notice(&mut self) {
        let object = vocabulary::lead_object(self.world.crm);
        while let Ok(event) = self.heard.try_recv() {
            let concerns = match &event.what {
                Happened::Created => true,
                Happened::Changed { .. } => matches!(event.field(), Some("status" | "owner")),
                _ => false,
            };
            if concerns && event.object == object {
                self.think(&event.id, event.at);
            }
        }
    }

    /// Plans the next deed about a lead, or none, by the habits of whoever has it.
    fn think(&mut self, id: &str, now: Timestamp) {
        let thought = self.thoughts.entry(id.to_owned()).or_default();
        *thought += 1;
        let thought = *thought;
        let mut rng = self.rng_for(id, thought);
        if let Some(minutes) = self.minutes_until_deed(id, &mut rng) {
            self.plan(now, minutes, Deed::Lead { id: id.to_owned(), thought });
        }
    }

    /// Randomness that depends on nothing but the seed, the record and how often it was asked for.
    fn rng_for(&self, id: &str, thought: u64) -> StdRng {
        let mix = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        let hash = id.bytes().chain(thought.to_le_bytes()).fold(0xcbf2_9ce4_8422_2325, mix);
        StdRng::seed_from_u64(hash ^ self.options.seed)
    }

    fn plan_next_lead(&mut self, now: Timestamp) {
        if self.options.leads_per_hour > 0.0 {
            let minutes = 60.0 / self.options.leads_per_hour * self.rng.random_range(0.4..1.6);
            self.plan_exactly(now, minutes, Deed::NewLead);
        }
    }

    /// After so many open minutes at the floor's pace.
    fn plan(&mut self, now: Timestamp, minutes: f64, deed: Deed) {
        self.plan_exactly(now, minutes * self.options.pace, deed);
    }

    fn plan_exactly(&mut self, now: Timestamp, minutes: f64, deed: Deed) {
        if let Some(at) = after_open_time(&self.options.is_open, now, minutes) {
            self.planned += 1;
            self.agenda.insert((at, self.planned), deed);
        }
    }
}

/// So many open minutes later; `None` when it would never be.
fn after_open_time(is_open: &IsOpen, from: Timestamp, minutes: f64) -> Option<Timestamp> {
    let mut left = (minutes.max(0.0) * 60_000.0) as i64;
    let mut at = from;
    while at < from + HORIZON {
        let end = at + Elapsed::from_millis(left);
        if !is_open(at) {
            at = at + GRAIN;
        } else if left > GRAIN.as_millis() {
            left -= GRAIN.as_millis();
            at = at + GRAIN;
        } else if is_open(end) {
            return Some(end);
        } else {
            // The rest falls on closing time: first thing next morning.
            left = 0;
            at = at + GRAIN;
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_plan_in_open_time_only() {
        // Open in even hours.
        let is_open: IsOpen = Arc::new(|t: Timestamp| (t.as_millis() / 3_600_000) % 2 == 0);
        let at = |minutes| after_open_time(&is_open, Timestamp::from_millis(0), minutes).map(Timestamp::as_millis);
        assert_eq!(at(30.0), Some(30 * 60_000));
        assert_eq!(at(90.0), Some(150 * 60_000));
        assert_eq!(at(60.0), Some(120 * 60_000), "closing time is closed");
        let never: IsOpen = Arc::new(|_| false);
        assert_eq!(after_open_time(&never, Timestamp::from_millis(0), 1.0), None);
    }
}
