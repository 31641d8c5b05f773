//! What a demo came to, counted from the facts.

use crate::engine::Clock;
use crate::record::{Fact, FactKind, Timestamp};
use std::collections::BTreeMap;

#[derive(Default)]
pub struct Summary {
    facts: BTreeMap<FactKind, i64>,
    pub notices: i64,
}

impl Summary {
    pub fn count(&mut self, fact: &Fact) {
        match fact.takes_back() {
            Some(kind) => *self.facts.entry(kind).or_default() -= 1,
            None => *self.facts.entry(fact.kind).or_default() += 1,
        }
    }

    fn of(&self, kind: FactKind) -> i64 {
        self.facts.get(&kind).copied().unwrap_or(0).max(0)
    }

    pub fn print(&self, clock: &Clock, began: Timestamp) {
        use FactKind::*;
        println!("\nIn {} of business life, with nobody doing anything for it:", clock.now() - began);
        for (count, what) in [
            (self.of(HandedOver), "handoffs were seen"),
            (self.of(ClockStarted), "clocks were started"),
            (self.of(Met), "promises were kept in time"),
            (self.of(MetLate), "were kept late"),
            (self.of(Breached), "deadlines were missed"),
            (self.notices, "notices were sent"),
            (self.of(TaskCreated), "tasks were made in the CRM"),
            (self.of(Reassigned), "leads were given to somebody else"),
            (self.of(Recycled), "leads were recycled to teleprospecting"),
            (self.of(Spared), "leads were spared, since somebody had just touched them"),
            (self.of(Nurtured), "leads went to nurture"),
            (self.of(Flagged), "violations were written onto records"),
            (self.of(Unflagged), "were cleared again"),
            (self.of(Parked), "things could not be done and wait for a person"),
        ] {
            println!("{count:>6}  {what}");
        }
    }
}
