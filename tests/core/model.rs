//! The life of one clock beside a second, simpler telling of it: a table of states that knows
//! nothing of fields, stages and histories.

use crate::story::{Story, agreement, said, terms};
use leadpact::agreement::Agreement;
use leadpact::record::change::FieldValues;
use leadpact::record::{Actor, Change, Elapsed, FieldName, Object, Timestamp, Value, What};
use proptest::prelude::*;
use std::sync::{Arc, LazyLock};

const CLOCK: &str = r#"
  [[handoff.clock]]
  name    = "Answer"
  until   = 'score >= 60'
  within  = "40m"
  pauses  = 'on_hold == true'
  cancels = 'customer == true'
  restarts_on = ["owner"]
"#;

static TERMS: LazyLock<Arc<Agreement>> = LazyLock::new(|| Arc::new(agreement(&terms(CLOCK))));

const WITHIN: i64 = 40 * 60_000;

#[derive(Clone, Copy, Debug)]
enum Act {
    HandedOver(bool),
    Answered(bool),
    Held(bool),
    Bought(bool),
    Owner(u8),
}

impl Act {
    fn values(self) -> FieldValues {
        let one = |name: &str, value: Value| vec![(FieldName::new(name), value)];
        match self {
            Act::HandedOver(yes) => one("status", Value::text(if yes { "MQL" } else { "Open" })),
            Act::Answered(yes) => one("score", Value::Number(if yes { 60.0 } else { 0.0 })),
            Act::Held(yes) => one("on_hold", Value::Bool(yes)),
            Act::Bought(yes) => one("customer", Value::Bool(yes)),
            Act::Owner(n) => one("owner", Value::text(n.to_string())),
        }
    }
}

#[derive(Clone, Copy)]
struct Run {
    number: u32,
    deadline: i64,
    /// What remained when it was paused.
    remaining: Option<i64>,
    breached: bool,
}

#[derive(Default)]
struct Model {
    handed_over: bool,
    answered: bool,
    held: bool,
    bought: bool,
    owner: Option<u8>,
    runs: u32,
    run: Option<Run>,
    told: Vec<String>,
}

impl Model {
    fn tell(&mut self, what: &str, number: u32, at: i64) {
        let number = if number > 1 { format!("#{number}") } else { String::new() };
        self.told.push(format!("{what}{number} {}", said(Timestamp::from_millis(at))));
    }

    /// Time passes up to and including this moment.
    fn pass(&mut self, to: i64) {
        if let Some(run) = self.run.filter(|r| r.remaining.is_none() && !r.breached && r.deadline <= to) {
            self.run = Some(Run { breached: true, ..run });
            self.tell("breached", run.number, run.deadline);
        }
    }

    fn end(&mut self, how: &str, at: i64) {
        if let Some(run) = self.run.take() {
            self.tell(how, run.number, at);
        }
    }

    fn start(&mut self, at: i64) {
        self.runs += 1;
        self.run = Some(Run { number: self.runs, deadline: at + WITHIN, remaining: None, breached: false });
        self.tell("clock_started", self.runs, at);
        self.check_end(at);
    }

    fn check_end(&mut self, at: i64) {
        let Some(run) = self.run else { return };
        if self.answered {
            self.end(if run.breached { "met_late" } else { "met" }, at);
        } else if self.bought {
            self.end("cancelled", at);
        } else if self.held && run.remaining.is_none() {
            self.run = Some(Run { remaining: Some(run.deadline - at), ..run });
            self.tell("paused", run.number, at);
        }
    }

    fn act(&mut self, at: i64, act: Act) {
        self.pass(at - 1);
        let (was_handed_over, old_owner) = (self.handed_over, self.owner);
        match act {
            Act::HandedOver(yes) => self.handed_over = yes,
            Act::Answered(yes) => self.answered = yes,
            Act::Held(yes) => self.held = yes,
            Act::Bought(yes) => self.bought = yes,
            Act::Owner(n) => self.owner = Some(n),
        }
        if !self.handed_over {
            self.end("cancelled", at);
        }
        self.check_end(at);
        if let Some(run) = self.run {
            if self.owner != old_owner {
                self.end("transferred", at);
                self.start(at);
            } else if let Some(remaining) = run.remaining.filter(|_| !self.held) {
                let deadline = if remaining < 0 { run.deadline } else { at + remaining };
                self.run = Some(Run { deadline, remaining: None, ..run });
                self.tell("resumed", run.number, at);
            }
        }
        if self.handed_over && !was_handed_over {
            self.start(at);
        }
    }
}

fn acts() -> impl Strategy<Value = Vec<(i64, Act)>> {
    let act = prop_oneof![
        3 => any::<bool>().prop_map(Act::HandedOver),
        1 => any::<bool>().prop_map(Act::Answered),
        3 => any::<bool>().prop_map(Act::Held),
        1 => any::<bool>().prop_map(Act::Bought),
        2 => (0..3_u8).prop_map(Act::Owner),
    ];
    // Often exactly at a deadline.
    let gap = prop_oneof![3 => 1..3_000_000_i64, 1 => Just(WITHIN), 1 => Just(WITHIN / 2)];
    prop::collection::vec((gap, act), 1..25)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, max_shrink_time: 20_000, failure_persistence: None, ..Default::default() })]

    #[test]
    fn a_clock_lives_as_the_table_of_its_states_says(acts in acts()) {
        let start = crate::story::at("Mon 00:00");
        let mut story = Story::of(Object::Lead, TERMS.clone());
        story.change(Change { at: start, what: What::Fields(Act::HandedOver(false).values()), by: Actor::Unknown });
        let (mut model, mut at) = (Model::default(), start);
        for (gap, act) in acts {
            at = at + Elapsed::from_millis(gap);
            model.act(at.as_millis(), act);
            story.pass_to(Timestamp::from_millis(at.as_millis() - 1));
            story.change(Change { at, what: What::Fields(act.values()), by: Actor::Unknown });
        }
        let end = at + Elapsed::from_millis(2 * WITHIN);
        model.pass(end.as_millis());
        story.pass_to(end);
        let told = story.told("clock_started met met_late breached cancelled transferred paused resumed");
        let told: Vec<&str> = told.split("; ").filter(|t| !t.is_empty()).collect();
        prop_assert_eq!(told, model.told);
    }
}
