//! Any order and any repetition of the same changes gives the same facts.

use crate::story::{Story, agreement, terms};
use leadpact::agreement::{Agreement, Input};
use leadpact::record::change::{FieldValues, Reading};
use leadpact::record::{
    Action, Actor, Change, Effect, EffectKey, Elapsed, FieldName, Object, Outcome, OwnerId, PartyName, Timestamp,
    Value, What,
};
use proptest::prelude::*;
use std::sync::{Arc, LazyLock};

/// Clocks of every temper, short enough that a few hours make them live through everything.
const CLOCKS: &str = r#"
  [[handoff.clock]]
  name   = "Accept"
  until  = 'reached("tal") || touches >= 2'
  within = "40m"
  pauses = 'on_hold == true'
  restarts_on = ["owner"]
  steps  = [{ at = "50%", notify = ["owner"] }, { at = "due", notify = ["owner"] }, { at = "+20m", recycle = true }]

  [[handoff.clock]]
  name    = "Answer"
  until   = 'reached("sal")'
  within  = "30m"
  cancels = 'customer == true'
  restarts_on = ["touch"]
"#;

pub static TERMS: LazyLock<Arc<Agreement>> =
    LazyLock::new(|| Arc::new(agreement(&terms(CLOCKS).replace("\"24h\"", "\"30m\""))));

#[derive(Clone, Debug)]
enum Act {
    Event(FieldValues, Actor),
    Read {
        lag: i64,
        values: FieldValues,
        import: bool,
    },
    Recycled {
        owner: u8,
        since: i64,
    },
    /// Of the n-th recycle before it.
    Undone {
        owner: u8,
        of: usize,
    },
    Deleted,
    Restored,
}

fn named(name: &str, value: Value) -> (FieldName, Value) {
    (FieldName::new(name), value)
}

fn status() -> impl Strategy<Value = (FieldName, Value)> {
    let all = ["Open", "MQL", "MQL", "Accepted", "TQL", "Working", "Rejected", "Nurture", "Elsewhere"];
    prop::sample::select(all.to_vec()).prop_map(|s| named("status", Value::text(s)))
}

fn owner() -> impl Strategy<Value = (FieldName, Value)> {
    (0..3_u8).prop_map(|o| named("owner", Value::text(format!("o{o}"))))
}

fn other() -> impl Strategy<Value = (FieldName, Value)> {
    prop_oneof![
        any::<bool>().prop_map(|b| named("on_hold", Value::Bool(b))),
        any::<bool>().prop_map(|b| named("customer", Value::Bool(b))),
        (0..5_u8).prop_map(|n| named("touches", Value::Number(n.into()))),
        (50..70_u8).prop_map(|n| named("score", Value::Number(n.into()))),
        prop::sample::select(vec!["student", "budget", "so"]).prop_map(|r| named("reject_reason", Value::text(r))),
        Just(named("company", Value::text("Acme"))),
        Just(named("opportunity", Value::text("006"))),
    ]
}

pub fn event() -> impl Strategy<Value = FieldValues> {
    prop_oneof![
        4 => status().prop_map(|v| vec![v]),
        2 => owner().prop_map(|v| vec![v]),
        3 => other().prop_map(|v| vec![v]),
        2 => (status(), owner()).prop_map(|(a, b)| vec![a, b]),
        1 => (status(), other()).prop_map(|(a, b)| vec![a, b]),
    ]
}

fn whole() -> impl Strategy<Value = FieldValues> {
    (status(), owner(), any::<bool>(), 0..5_u8, prop::option::of(0..7200_i64)).prop_map(
        |(s, o, hold, touches, last)| {
            let mut all =
                vec![s, o, named("on_hold", Value::Bool(hold)), named("touches", Value::Number(touches.into()))];
            all.extend(last.map(|t| named("last_touch", Value::Time(START + Elapsed::from_secs(t)))));
            all
        },
    )
}

fn actor() -> impl Strategy<Value = Actor> {
    let person = Actor::Person(OwnerId::new("someone"));
    prop::sample::select(vec![person.clone(), person, Actor::Automation, Actor::Unknown])
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        12 => (event(), actor()).prop_map(|(values, by)| Act::Event(values, by)),
        3 => (0..1200_i64, whole(), prop::bool::weighted(0.1))
            .prop_map(|(lag, values, import)| Act::Read { lag, values, import }),
        2 => (0..3_u8, 0..5_i64).prop_map(|(owner, since)| Act::Recycled { owner, since }),
        1 => (0..3_u8, 0..2_usize).prop_map(|(owner, of)| Act::Undone { owner, of }),
        1 => Just(Act::Deleted),
        1 => Just(Act::Restored),
    ]
}

/// What an opportunity's requirements look at.
fn sale() -> impl Strategy<Value = FieldValues> {
    let one = prop_oneof![
        prop::sample::select(vec!["open", "open", "won", "lost"]).prop_map(|s| named("status", Value::text(s))),
        prop::option::of(1..3_u8).prop_map(|n| named("amount", n.map_or(Value::Null, |n| Value::Number(n.into())))),
        any::<bool>().prop_map(|set| named("close_date", if set { Value::text("soon") } else { Value::Null })),
        Just(named("loss_reason", Value::text("price"))),
        owner(),
    ];
    prop::collection::vec(one, 1..3)
}

fn sale_act() -> impl Strategy<Value = Act> {
    prop_oneof![
        8 => (sale(), actor()).prop_map(|(values, by)| Act::Event(values, by)),
        4 => (0..1200_i64, sale()).prop_map(|(lag, values)| Act::Read { lag, values, import: false }),
        1 => Just(Act::Deleted),
        1 => Just(Act::Restored),
    ]
}

/// Monday, 4 January 2027, 09:00 UTC.
pub const START: Timestamp = Timestamp::from_millis(1_799_053_200_000);

/// Acts at seconds after the start; now and then two at one moment.
fn histories(act: impl Strategy<Value = Act>) -> impl Strategy<Value = Vec<(Timestamp, Act)>> {
    let gap = prop_oneof![1 => Just(0_i64), 2 => 1..8_i64, 6 => 8..1500_i64];
    prop::collection::vec((gap, act), 1..14).prop_map(|acts| {
        let mut at = START;
        acts.into_iter()
            .map(|(gap, act)| {
                at = at + Elapsed::from_secs(gap);
                (at, act)
            })
            .collect()
    })
}

/// `all`: the history as it was, since an undo names what was done before it.
fn tell(story: &mut Story, all: &[(Timestamp, Act)], at: Timestamp, act: &Act) {
    let mut by = Actor::Person(OwnerId::new("someone"));
    let what = match act {
        Act::Event(values, actor) => {
            by = actor.clone();
            What::Fields(values.clone())
        }
        Act::Read { lag, values, import } => {
            let modified = at - Elapsed::from_secs(*lag);
            What::Read(Reading { modified, values: values.clone(), import: *import, from_now: false })
        }
        Act::Recycled { owner, since } => {
            let action = Action::Recycle { to: PartyName::new("tele"), set: vec![] };
            return writes(story, at, recycled(at, *owner), action, *owner, *since);
        }
        Act::Undone { owner, of } => {
            let before = all.iter().rev().filter(|(done, _)| *done < at);
            let mut recycles = before.filter_map(|(at, act)| match act {
                Act::Recycled { owner, .. } => Some(recycled(*at, *owner)),
                _ => None,
            });
            let of = recycles.nth(*of).unwrap_or_else(|| EffectKey::new("crm/lead/1/1/Accept/1/none"));
            let action = Action::Undo { of, set: vec![], by: "Eve".into(), why: "a mistake".into() };
            let key = EffectKey::new(format!("crm/lead/1/1/Accept/1/undone-{}-{owner}", at.as_millis()));
            return writes(story, at, key, action, *owner, 2);
        }
        Act::Deleted => What::Deleted,
        Act::Restored => What::Restored,
    };
    story.change(Change { at, what, by });
}

fn recycled(at: Timestamp, owner: u8) -> EffectKey {
    EffectKey::new(format!("crm/lead/1/1/Accept/1/recycled-{}-{owner}", at.as_millis()))
}

/// A write of ours that landed. It settles once, whatever else is told again.
fn writes(story: &mut Story, at: Timestamp, key: EffectKey, action: Action, owner: u8, since: i64) {
    if story.history.iter().any(|c| matches!(&c.what, What::Wrote { effect, .. } if *effect == key)) {
        return;
    }
    let values = vec![named("status", Value::text("MQL")), named("owner", Value::text(format!("o{owner}")))];
    let effect = Effect {
        key,
        record: story.standing.key.clone(),
        action,
        source: Arc::from("Accept"),
        pass: 1,
        run: 1,
        step: Arc::from("+20m"),
        at: at - Elapsed::from_secs(60),
        not_before: at,
        deadline: None,
    };
    let done = Outcome::Done { at, since: at - Elapsed::from_secs(since), values, note: None };
    story.input(Input::Settled(effect, done));
}

/// What the record's story comes to, whichever way it was told.
fn comes_to(story: &Story) -> (Vec<String>, String) {
    let derived = story.live().into_iter().filter(|f| f.kind.is_derived());
    let mut facts: Vec<String> =
        derived.map(|f| format!("{} {} {:?} {:?} {:?}", f.at, f.key(), f.owner, f.party, f.stage)).collect();
    facts.sort();
    let s = &story.standing;
    let runs: Vec<_> = s
        .runs
        .iter()
        .map(|r| (&r.clock, r.number, r.started, r.deadline, r.ended, r.breached, r.paused, r.touches_before, r.spared))
        .collect();
    let mut fields: Vec<_> = s.fields.iter().collect();
    fields.sort_by_key(|f| f.name.as_str());
    let violations: Vec<_> = s.violations.iter().map(|v| (v.kind, &v.source, v.since, &v.what)).collect();
    let moves: Vec<_> = s.moves.iter().map(|m| (m.at, &m.wrote, &m.before, &m.took_from, m.changed_back)).collect();
    let standing = format!(
        "{:?} {:?} {} {:?} {:?} {:?}\n{runs:#?}\n{violations:?} {:?} {:?} {:?} {:?} {:?}\n{fields:?}\n{moves:?} {} \
         {:?} {:?}\n{:?}",
        s.stage,
        s.furthest,
        s.pass,
        s.pass_kind,
        s.handoff,
        s.party,
        s.rejection,
        s.checks,
        s.recycles,
        s.gone,
        s.earlier_owners,
        s.changed_back,
        s.contested,
        s.touched,
        s.phases,
    );
    (facts, standing)
}

fn ends(mut story: Story, end: Timestamp) -> Story {
    story.pass_to(end);
    story.input(Input::Woke);
    story
}

/// A history, and the same in another order with parts of it told again.
type Both = (Vec<(Timestamp, Act)>, Vec<(Timestamp, Act)>);

fn twice(act: impl Strategy<Value = Act>) -> impl Strategy<Value = Both> {
    histories(act).prop_flat_map(|h| {
        let again: Vec<_> = h.iter().chain(h.iter().take(h.len() / 2)).cloned().collect();
        (Just(h), Just(again).prop_shuffle())
    })
}

fn check(object: Object, (history, shuffled): &Both, asleep: bool) -> Result<(), TestCaseError> {
    let end = history.last().map_or(START, |(at, _)| *at) + Elapsed::from_secs(3000);
    let mut in_order = Story::of(object, TERMS.clone());
    for (at, act) in history {
        if !asleep {
            in_order.pass_to(*at);
        }
        tell(&mut in_order, history, *at, act);
    }
    let in_order = ends(in_order, end);
    let mut jumbled = Story::of(object, TERMS.clone());
    jumbled.now = end;
    for (at, act) in shuffled {
        tell(&mut jumbled, history, *at, act);
    }
    let jumbled = ends(jumbled, end);
    let (expected, seen) = (comes_to(&in_order), comes_to(&jumbled));
    prop_assert_eq!(expected.0, seen.0);
    prop_assert_eq!(expected.1, seen.1);
    Ok(())
}

fn config() -> ProptestConfig {
    let cases = ProptestConfig::default().cases.max(1500);
    ProptestConfig { cases, max_shrink_time: 20_000, failure_persistence: None, ..Default::default() }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn any_order_and_repetition_of_the_same_changes_gives_the_same_facts(both in twice(act()), asleep in any::<bool>()) {
        check(Object::Lead, &both, asleep)?;
    }

    #[test]
    fn and_so_it_is_for_what_opportunities_require(both in twice(sale_act()), asleep in any::<bool>()) {
        check(Object::Opportunity, &both, asleep)?;
    }
}
