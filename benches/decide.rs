//! What one decision costs: a change on a record with four open clocks. The aim is at most 5 µs.

use divan::{Bencher, black_box};
use leadpact::agreement::parse::parse;
use leadpact::agreement::{Agreement, Input, Standing, decide};
use leadpact::record::{
    Actor, Change, ConnectionName, Elapsed, FieldName, Object, OwnerId, RecordId, RecordKey, Timestamp, Value, What,
};

fn main() {
    divan::main();
}

/// Monday, 4 January 2027, 10:00 in Boston.
const START: Timestamp = Timestamp::from_millis(1_799_074_800_000);

/// The example agreement with one clock more, so that a lead of field sales has four.
fn agreement() -> Agreement {
    let four = r#"
  [[handoff.clock]]
  name   = "Second look"
  until  = 'touches >= 2'
  within = "20 business days"

[recycling]
"#;
    let text = include_str!("../config/agreement.toml").replacen("\n[recycling]\n", four, 1);
    parse("agreement.toml", &text, &|_| Err("no files here".into())).expect("the example is sound").agreement
}

fn change(after: i64, values: &[(&str, Value)]) -> Change {
    let values = values.iter().map(|(name, value)| (FieldName::new(name), value.clone())).collect();
    let by = Actor::Person(OwnerId::new("7001"));
    Change { at: START + Elapsed::from_secs(after), what: What::Fields(values), by }
}

fn told(agreement: &Agreement, standing: Standing, change: Change) -> Standing {
    let now = change.at;
    decide(agreement, standing, Input::Changed(change), now).standing
}

/// A lead that field sales has just received, with fields as a CRM has them.
fn received(agreement: &Agreement) -> Standing {
    let key =
        RecordKey { connection: ConnectionName::new("acme-hubspot"), object: Object::Lead, id: RecordId::new("151") };
    let named = ["name", "email", "company", "source", "campaign", "budget", "authority", "need", "timeframe"];
    let mut values: Vec<(&str, Value)> = named.into_iter().map(|name| (name, Value::text("as it stands"))).collect();
    values.extend([("status", Value::text("Open")), ("owner", Value::text("7020")), ("touches", Value::Number(2.0))]);
    let standing = told(agreement, Standing::new(key), change(0, &values));
    let standing = told(agreement, standing, change(60, &[("status", Value::text("Qualified by teleprospecting"))]));
    assert_eq!(standing.open_runs().count(), 4);
    standing
}

fn each(bencher: Bencher<'_, '_>, values: &[(&str, Value)]) {
    let agreement = agreement();
    let standing = received(&agreement);
    let change = change(120, values);
    let now = change.at;
    bencher
        .with_inputs(|| (standing.clone(), Input::Changed(change.clone())))
        .bench_values(|(standing, input)| decide(black_box(&agreement), standing, input, now));
}

#[divan::bench]
fn a_change_that_nothing_follows_from(bencher: Bencher<'_, '_>) {
    each(bencher, &[("company", Value::text("Acme"))]);
}

#[divan::bench]
fn a_touch_that_meets_a_clock(bencher: Bencher<'_, '_>) {
    each(bencher, &[("touches", Value::Number(3.0))]);
}

#[divan::bench]
fn a_new_owner_that_restarts_a_clock(bencher: Bencher<'_, '_>) {
    each(bencher, &[("owner", Value::text("7021"))]);
}
