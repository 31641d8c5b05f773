//! The pure part of a report: tales put together and counted under every commitment of the example
//! agreement, with the trend of six periods each. The aim is a million facts in a few seconds.

use divan::{Bencher, black_box, counter::ItemsCount};
use leadpact::agreement::parse::parse;
use leadpact::agreement::{Agreement, Input, Standing, decide};
use leadpact::record::{
    Actor, Change, ConnectionName, Elapsed, FieldName, Object, OwnerId, RecordId, RecordKey, Timestamp, Value, What,
};
use leadpact::report::figures::Dimension;
use leadpact::report::tale::{Entry, Latest, Tale};
use leadpact::report::tally::{Question, Tally};
use leadpact::report::terms::Terms;
use leadpact::report::window::Window;
use std::collections::HashMap;
use std::sync::Arc;

fn main() {
    divan::main();
}

/// Monday, 4 January 2027, 10:00 in Boston.
const START: Timestamp = Timestamp::from_millis(1_799_074_800_000);
const HOUR: i64 = 3_600;

fn agreement() -> Arc<Agreement> {
    let text = include_str!("../config/agreement.toml");
    Arc::new(parse("agreement.toml", text, &|_| Err("no files here".into())).expect("the example is sound").agreement)
}

/// A lead that goes through the waterfall of leads within a week of the quarter.
fn tale(agreement: &Agreement, number: i64) -> Tale {
    let id = RecordId::new(number.to_string());
    let key = RecordKey { connection: ConnectionName::new("acme"), object: Object::Lead, id };
    let begin = START + Elapsed::from_secs(number % 1_500 * HOUR);
    let steps = [
        (0, "Open"),
        (1, "Qualified by marketing"),
        (3 + number % 6, "Accepted"),
        (30, "Qualified by teleprospecting"),
        (60, "Working"),
    ];
    let (mut standing, mut entries) = (Standing::new(key.clone()), Vec::new());
    for (hours, status) in steps {
        let at = begin + Elapsed::from_secs(hours * HOUR);
        let values = [("status", status), ("source", "Web"), ("campaign", "Spring"), ("owner", "7020")];
        let values = values.into_iter().map(|(name, text)| (FieldName::new(name), Value::text(text))).collect();
        let change = Change { at, what: What::Fields(values), by: Actor::Person(OwnerId::new("7020")) };
        let decision = decide(agreement, standing, Input::Changed(change), at);
        entries.extend(decision.facts.into_iter().map(|fact| Entry { fact, seen_at: at }));
        standing = decision.standing;
    }
    Tale { key, entries, latest: Some(Latest { fields: standing.fields, unjudged: Vec::new() }) }
}

#[divan::bench(sample_count = 10)]
fn ten_thousand_facts(bencher: Bencher<'_, '_>) {
    let agreement = agreement();
    let mut tales: Vec<Tale> = Vec::new();
    let mut facts = 0;
    while facts < 10_000 {
        let tale = tale(&agreement, tales.len() as i64);
        facts += tale.entries.len();
        tales.push(tale);
    }
    let terms = Terms::one(agreement);
    let question = Question {
        connection: ConnectionName::new("acme"),
        period: Window::parse("2027-Q1", &terms.zone()).expect("a quarter"),
        terms,
        now: START + Elapsed::from_secs(80 * 24 * HOUR),
        by: Some(Dimension::Source),
        attestations: Vec::new(),
        names: HashMap::new(),
    };
    bencher.counter(ItemsCount::new(facts)).with_inputs(|| tales.clone()).bench_values(|tales| {
        let mut tally = Tally::new(question.clone());
        tales.into_iter().for_each(|tale| tally.add(tale));
        black_box(tally.finish())
    });
}
