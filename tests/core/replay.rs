//! A recorded history played once more: under the terms that made it, and under others.

use crate::order::{START, TERMS, event};
use crate::story::{Story, agreement, at, said, terms};
use leadpact::agreement::{Agreement, Input, Replayed, Verdict, confirm, intend, replay};
use leadpact::record::change::{FieldValues, Reading};
use leadpact::record::field::well_known;
use leadpact::record::{
    Action, Actor, Change, Effect, Elapsed, Fact, FactKind, FieldName, Object, Outcome, OwnerId, RecordKey, Timestamp,
    Value, What,
};
use leadpact::report::difference::{Compared, Difference, How, Kind, Side, Subject, Window};
use proptest::prelude::*;
use std::sync::Arc;

const ALWAYS: Window = Window { from: Timestamp::MIN, until: Timestamp::MAX };

fn accept(within: &str, then: &str) -> Agreement {
    let clock = format!(
        r#"
  [[handoff.clock]]
  name   = "Accept"
  until  = 'reached("tal")'
  within = "{within}"
  steps  = [{{ at = "50%", notify = ["owner"] }}, {{ at = "due", notify = ["owner"] }}{then}]
"#
    );
    agreement(&terms(&clock))
}

const RECYCLE: &str = r#", { at = "+1h", recycle = true }"#;

/// A CRM's record, its people and the daemon beside it: everything is heard of and answered soon.
struct Live {
    story: Story,
    crm: FieldValues,
    modified: Timestamp,
}

fn ms(n: i64) -> Elapsed {
    Elapsed::from_millis(n)
}

impl Live {
    fn under(agreement: Arc<Agreement>) -> Self {
        let mut story = Story::of(Object::Lead, agreement);
        story.now = START;
        Self { story, crm: vec![], modified: START }
    }

    /// A person changes the record; we hear of it, or find it out by reading.
    fn does(&mut self, when: Timestamp, values: &FieldValues, told: bool) {
        self.run_to(when);
        self.write(when, values);
        if told {
            let by = Actor::Person(OwnerId::new("someone"));
            self.story.change(Change { at: when, what: What::Fields(values.clone()), by });
        }
    }

    fn write(&mut self, when: Timestamp, values: &FieldValues) {
        self.modified = self.modified.max(when);
        for (name, value) in values {
            self.crm.retain(|(n, _)| n != name);
            self.crm.push((*name, value.clone()));
        }
    }

    /// What is due before this moment is done.
    fn run_to(&mut self, to: Timestamp) {
        loop {
            let wake = self.story.standing.wake_at;
            let effect = self.story.outbox.iter().enumerate().map(|(i, e)| (e.not_before, i)).min();
            let next = wake.into_iter().chain(effect.map(|(at, _)| at)).min();
            let Some(now) = next.filter(|now| *now < to) else { return };
            self.story.now = self.story.now.max(now);
            match effect.filter(|(at, _)| wake.is_none_or(|wake| *at < wake)) {
                None => self.story.input(Input::Woke),
                Some((_, i)) => {
                    let effect = self.story.outbox.remove(i);
                    self.perform(effect);
                }
            }
        }
    }

    fn perform(&mut self, effect: Effect) {
        match effect.action {
            Action::Annotate => return,
            Action::Read => return self.read(ms(300)),
            _ => self.read(ms(100)),
        }
        let now = self.story.now;
        match confirm(&self.story.agreement, &self.story.standing, &effect, now) {
            Verdict::Drop(reason) => self.story.input(Input::Settled(effect, Outcome::Dropped { reason })),
            Verdict::Wait(until) => {
                self.story.outbox.push(Effect { not_before: until.max(now + ms(1000)), ..effect });
            }
            Verdict::Send => self.send(effect, now),
        }
    }

    fn send(&mut self, effect: Effect, since: Timestamp) {
        let mut values = match &effect.action {
            Action::Recycle { set, .. } | Action::Nurture { set } => set.clone(),
            _ => vec![],
        };
        if let Action::Recycle { .. } = effect.action {
            values.push((well_known().owner, Value::text("queue")));
        }
        let mut landed = since;
        if effect.action.moves() {
            intend(&mut self.story.standing, &effect.key, values.clone(), since);
            landed = since + ms(600);
            self.story.now = landed;
            self.write(landed, &values);
        }
        self.story.input(Input::Settled(effect, Outcome::Done { at: landed, since, values, note: None }));
    }

    fn read(&mut self, after: Elapsed) {
        let now = self.story.now + after;
        self.story.now = now;
        let reading =
            Reading { modified: self.modified.min(now), values: self.crm.clone(), import: false, from_now: false };
        self.story.change(Change { at: now, what: What::Read(reading), by: Actor::Unknown });
    }
}

fn derived<'f>(facts: impl IntoIterator<Item = &'f Fact>) -> Vec<String> {
    let derived = facts.into_iter().filter(|f| f.kind.is_derived());
    let mut facts: Vec<String> = derived.map(|f| format!("{} {}", f.at, f.key())).collect();
    facts.sort();
    facts
}

/// Gaps in seconds, what changed, and whether anybody told us.
fn acts() -> impl Strategy<Value = Vec<(i64, FieldValues, bool)>> {
    let gap = prop_oneof![1 => 1..8_i64, 6 => 8..1500_i64, 1 => Just(2400_i64), 1 => 3000..9000_i64];
    prop::collection::vec((gap, event(), prop::bool::weighted(0.8)), 1..14)
}

fn config() -> ProptestConfig {
    let cases = ProptestConfig::default().cases.max(1000);
    ProptestConfig { cases, max_shrink_time: 20_000, failure_persistence: None, ..Default::default() }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn under_the_terms_that_made_it_a_history_comes_to_the_facts_that_were_journalled(acts in acts()) {
        let mut live = Live::under(TERMS.clone());
        let mut when = START;
        for (gap, values, told) in acts {
            when = when + Elapsed::from_secs(gap);
            live.does(when, &values, told);
        }
        let end = when + Elapsed::from_secs(20_000);
        live.run_to(end);
        let story = &live.story;
        let again = replay(&TERMS, story.standing.key.clone(), story.history.clone(), end);
        prop_assert_eq!(derived(story.live()), derived(&again.facts));
        prop_assert_eq!(again.diverged, None);
    }
}

/// A lead of Ann's, handed over on Monday morning, that she accepts at this moment, if she does.
fn worked(accepted: Option<&str>) -> Vec<Change> {
    let mut story = Story::lead("");
    story.event("Mon 09:00", "status=MQL owner=ann score=60 company=Acme");
    story.read("Mon 09:00:20", "Mon 09:00", "status=MQL owner=ann score=60 company=Acme");
    if let Some(accepted) = accepted {
        story.event(accepted, "status=Accepted");
    }
    story.history
}

fn played(terms: &Agreement, history: &[Change]) -> Replayed {
    replay(terms, key("1"), history.to_vec(), at("+1 Mon 00:00"))
}

fn key(id: &str) -> RecordKey {
    RecordKey { id: id.into(), ..Story::lead("").standing.key }
}

fn told(replayed: &Replayed, kinds: &str) -> String {
    let wanted = |f: &&Fact| kinds.split(' ').any(|kind| kind == f.kind.as_str());
    let line = |f: &Fact| format!("{} {}", f.kind.as_str(), said(f.at));
    replayed.facts.iter().filter(wanted).map(line).collect::<Vec<_>>().join("; ")
}

/// What differs over these records: `breaches Accept 1→2: 7 new Mon 11:00`.
fn difference(old: &Agreement, new: &Agreement, window: Window, histories: &[(&str, Vec<Change>)]) -> String {
    let mut found = Difference::new(usize::MAX);
    for (id, history) in histories {
        let (key, until) = (key(id), at("+1 Mon 00:00"));
        let (a, b) =
            (replay(old, key.clone(), history.clone(), until), replay(new, key.clone(), history.clone(), until));
        let old = Side { agreement: old, facts: &a.facts, diverged: a.diverged };
        let new = Side { agreement: new, facts: &b.facts, diverged: b.diverged };
        found.compare(window, &Compared { key: &key, name: "", old, new });
    }
    let line = |(subject, line): (&Subject, &leadpact::report::difference::Line)| {
        let leads = line.leads.iter().map(|lead| {
            let guess = if lead.guess { "?" } else { "" };
            let how = match lead.how {
                How::OnlyOld(t) => format!("old {}", said(t)),
                How::OnlyNew(t) => format!("new {}", said(t)),
                How::Moved { old, new } => format!("{}→{}", said(old), said(new)),
            };
            format!("{} {how}{guess}", lead.key.id)
        });
        let leads = leads.collect::<Vec<_>>().join(", ");
        format!("{} {} {} {}→{}: {leads}", subject.party, subject.source, subject.kind.as_str(), line.old, line.new)
    };
    found.differing().map(line).collect::<Vec<_>>().join("\n")
}

fn three_leads() -> Vec<(&'static str, Vec<Change>)> {
    vec![("1", worked(Some("Mon 10:00"))), ("2", worked(Some("Mon 12:00"))), ("3", worked(None))]
}

#[test]
fn under_the_same_terms_nothing_differs() {
    let terms = accept("4h", RECYCLE);
    assert_eq!(difference(&terms, &terms, ALWAYS, &three_leads()), "");
}

#[test]
fn a_shorter_deadline_is_missed_by_more_leads_and_these_are_named() {
    let (four, two) = (accept("4h", ""), accept("2h", ""));
    assert_eq!(
        difference(&four, &two, ALWAYS, &three_leads()),
        "tele Accept in_time 2→1: 2 old Mon 12:00\n\
         tele Accept late 0→1: 2 new Mon 12:00\n\
         tele Accept breaches 1→2: 2 new Mon 11:00, 3 Mon 13:00→Mon 11:00\n\
         tele Accept notices 3→4: 2 new Mon 10:00, 3 Mon 13:00→Mon 10:00"
    );
}

#[test]
fn a_longer_deadline_is_missed_by_fewer_leads() {
    let (two, six) = (accept("2h", ""), accept("6h", ""));
    let found = difference(&two, &six, ALWAYS, &three_leads());
    assert!(found.contains("breaches 2→1: 2 old Mon 11:00, 3 Mon 11:00→Mon 15:00"), "{found}");
    assert!(found.contains("late 1→0") && found.contains("in_time 1→2"), "{found}");
}

#[test]
fn only_what_happened_within_the_window_is_counted() {
    let (four, two) = (accept("4h", ""), accept("2h", ""));
    let window = Window { from: at("Mon 11:30"), until: at("Mon 13:00") };
    assert_eq!(
        difference(&four, &two, window, &three_leads()),
        "tele Accept in_time 1→0: 2 old Mon 12:00\ntele Accept late 0→1: 2 new Mon 12:00"
    );
}

/// The lead of which nobody took care, recycled at 14:00:02 as its agreement asked, and then worked.
fn recycled() -> Vec<Change> {
    let mut story = Story::of(Object::Lead, accept("4h", RECYCLE));
    story.event("Mon 09:00", "status=MQL owner=ann score=60 company=Acme");
    story.read("Mon 09:00:20", "Mon 09:00", "status=MQL owner=ann score=60 company=Acme").until("Mon 14:00");
    story.intends("recycle", "Mon 14:00", "status=MQL owner=bob");
    story.read("Mon 14:00:01", "Mon 14:00:01", "status=MQL owner=bob score=60 company=Acme");
    story.settles("recycle", "Mon 14:00:02", "status=MQL owner=bob");
    story.event("Mon 14:00:03", "status=MQL owner=bob");
    story.read("Mon 14:30", "Mon 14:00:02", "status=MQL owner=bob score=60 company=Acme");
    story.event("Mon 15:00", "status=Accepted");
    story.history
}

#[test]
fn a_recorded_recycle_that_is_due_here_too_lands_when_and_as_it_did() {
    let again = played(&accept("4h", RECYCLE), &recycled());
    assert_eq!(told(&again, "recycled breached met"), "breached Mon 13:00; recycled Mon 14:00:02; met Mon 15:00");
    assert_eq!((again.diverged, again.standing.owner()), (None, Some(OwnerId::new("bob"))));
}

#[test]
fn a_recorded_recycle_that_the_crm_took_late_is_told_of_late() {
    let mut story = Story::of(Object::Lead, accept("4h", RECYCLE));
    story.event("Mon 09:00", "status=MQL owner=ann score=60 company=Acme");
    story.read("Mon 09:00:20", "Mon 09:00", "status=MQL owner=ann score=60 company=Acme").until("Mon 14:00");
    story.lands("recycle", "Mon 14:10", "status=MQL owner=bob");
    let again = played(&accept("4h", RECYCLE), &story.history);
    assert_eq!(told(&again, "recycled"), "recycled Mon 14:10");
    let all = told(&again, "notified");
    assert!(
        all.starts_with("notified Mon 11:00; notified Mon 13:00; notified Mon 14:10; notified Mon 14:10; "),
        "{all}"
    );
}

#[test]
fn an_answer_at_the_very_deadline_is_heard_of_before_anything_is_done_about_it() {
    let again = played(&accept("4h", ""), &worked(Some("Mon 13:00")));
    assert_eq!(
        told(&again, "met breached notified step_fired"),
        "step_fired Mon 11:00; notified Mon 11:00; met Mon 13:00"
    );
}

#[test]
fn what_a_record_was_touched_before_its_first_read_is_of_the_past() {
    let mut story = Story::lead("");
    story.event("Mon 09:00", "status=MQL owner=ann");
    story.read("Mon 09:05", "Mon 09:04", "status=MQL owner=ann touches=5");
    let touched = agreement(&terms("[[handoff.clock]]\nname = \"Touch\"\nuntil = 'touches >= 1'\nwithin = \"2h\""));
    assert_eq!(told(&played(&touched, &story.history), "met breached"), "breached Mon 11:00");
}

#[test]
fn a_recorded_recycle_that_nobody_asks_for_did_not_happen_and_what_follows_is_a_guess() {
    let again = played(&accept("6h", RECYCLE), &recycled());
    assert_eq!(told(&again, "recycled breached met pass_began"), "pass_began Mon 09:00; met Mon 15:00");
    assert_eq!((again.diverged, again.standing.owner()), (Some(at("Mon 14:00:02")), Some(OwnerId::new("ann"))));
    let (old, new) = (accept("4h", RECYCLE), accept("6h", RECYCLE));
    let found = difference(&old, &new, ALWAYS, &[("1", recycled())]);
    assert!(found.contains("tele Accept recycled 1→0: 1 old Mon 14:00:02?"), "{found}");
    assert!(found.contains("tele Accept breaches 1→0: 1 old Mon 13:00\n"), "{found}");
}

#[test]
fn a_recycle_that_was_not_recorded_lands_at_its_own_moment_and_stays() {
    let again = played(&accept("2h", RECYCLE), &recycled());
    // The second run is breached too, and a second recycle is one too many: nurture.
    let mut first = told(&again, "recycled").split("; ").map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(first.remove(0), "recycled Mon 12:00:00.001");
    assert_eq!(again.diverged, Some(at("Mon 12:00")));
    let owner = again.facts.iter().find(|f| f.kind == FactKind::Recycled).map(|f| f.detail["to"].clone());
    assert_eq!(owner, Some("bob".into()), "who received it then receives it now");
    let passes = told(&again, "pass_began");
    assert_eq!(passes, "pass_began Mon 09:00; pass_began Mon 12:00:00.001", "reads of 14:30 are no news here");
}

#[test]
fn where_nobody_received_it_the_party_stands_for_the_owner() {
    let again = played(&accept("2h", RECYCLE), &worked(None));
    let recycled = again.facts.iter().find(|f| f.kind == FactKind::Recycled).expect("it is recycled");
    assert_eq!(recycled.detail["to"], "party:tele");
    assert_eq!(again.diverged, Some(at("Mon 12:00")));
}

#[test]
fn a_touch_that_a_later_read_reveals_was_seen_by_the_read_before_the_move() {
    let mut story = Story::lead("");
    story.event("Mon 09:00", "status=MQL owner=ann score=60 company=Acme");
    story.read("Mon 09:00:20", "Mon 09:00", "status=MQL owner=ann score=60 company=Acme touches=0");
    let read = "status=MQL owner=ann score=60 company=Acme touches=1";
    story.read("Mon 18:00", "Mon 09:00", &format!("{read} last_touch=Mon@10:30"));
    let touched = agreement(&terms(
        "[[handoff.clock]]\nname = \"Touch\"\nuntil = 'touches >= 1'\nwithin = \"2h\"\nsteps = [{ at = \"due\", notify = [\"owner\"] }, { at = \"+1h\", recycle = true }]",
    ));
    let again = played(&touched, &story.history);
    assert_eq!(told(&again, "met breached notified recycled"), "met Mon 10:30");
}

#[test]
fn a_paused_clock_keeps_its_effects_waiting_without_end() {
    let clock = accept("2h", RECYCLE);
    let text = terms(
        "[[handoff.clock]]\nname = \"Accept\"\nuntil = 'reached(\"tal\")'\nwithin = \"2h\"\npauses = 'on_hold == true'\nsteps = [{ at = \"due\", notify = [\"owner\"] }, { at = \"+1h\", recycle = true }]",
    );
    let mut history = worked(None);
    let held = |when: &str, on: bool| Change {
        at: at(when),
        what: What::Fields(vec![(FieldName::new("on_hold"), Value::Bool(on))]),
        by: Actor::Person(OwnerId::new("ann")),
    };
    history.push(held("Mon 11:30", true));
    history.push(held("Thu 11:30", false));
    assert!(told(&played(&clock, &history), "recycled").starts_with("recycled Mon 12:00"));
    // Spared for a day by Ann's own change, then as long as it stood still.
    let again = played(&agreement(&text), &history);
    assert!(told(&again, "paused resumed recycled").starts_with("paused Mon 11:30; resumed Thu 11:30; recycled"));
}

#[test]
fn the_kinds_that_are_compared_have_names_of_their_own() {
    let kinds = [FactKind::Met, FactKind::Breached, FactKind::Notified, FactKind::ViolationOpened];
    let named: Vec<_> = kinds.into_iter().filter_map(Kind::of).map(Kind::as_str).collect();
    assert_eq!(named, ["in_time", "breaches", "notices", "violations"]);
    assert_eq!(Kind::of(FactKind::StepFired), None);
}
