//! What a business-time deadline costs. The aim is at most 50 ns each.

use divan::{Bencher, black_box};
use jiff::civil::date;
use leadpact::agreement::calendar::{Calendar, CalendarSpec, parse_days, parse_range};
use leadpact::record::{Elapsed, Timestamp};

fn main() {
    divan::main();
}

fn spec() -> CalendarSpec {
    let mut spec = CalendarSpec { zone: "America/New_York".into(), ..Default::default() };
    for (days, ranges) in [("mon-thu", &["09:00-12:30", "13:15-18:00"][..]), ("fri", &["09:00-16:00"][..])] {
        let ranges: Vec<_> = ranges.iter().map(|text| parse_range(text).expect("a range")).collect();
        spec.set_hours(&parse_days(days).expect("days"), &ranges).expect("each day once");
    }
    spec.holidays = vec![date(2027, 1, 1), date(2027, 1, 18), date(2027, 5, 31)];
    spec
}

/// A thousand moments spread over a year, so that neither the cache nor the branch predictor knows the answer.
fn moments() -> Vec<Timestamp> {
    let scatter = |i: i64| (i * 7_919_993) % (365 * 86_400);
    (0..1000).map(|i| Timestamp::from_millis((1_798_761_600 + scatter(i)) * 1000)).collect()
}

/// One answer per moment, a thousand in each round.
fn each(bencher: Bencher<'_, '_>, ask: impl Fn(&Calendar, Timestamp) -> i64 + Sync) {
    let calendar = Calendar::compile(&spec()).expect("a sound calendar");
    let moments = moments();
    let all = || moments.iter().fold(0_i64, |sum, t| sum.wrapping_add(ask(&calendar, black_box(*t))));
    bencher.counter(divan::counter::ItemsCount::new(moments.len())).bench(all);
}

#[divan::bench]
fn four_business_hours(bencher: Bencher<'_, '_>) {
    each(bencher, |calendar, t| calendar.add_open(t, Elapsed::from_secs(4 * 3600)).as_millis());
}

#[divan::bench]
fn fifteen_business_days(bencher: Bencher<'_, '_>) {
    each(bencher, |calendar, t| calendar.add_open_days(t, 15).as_millis());
}

#[divan::bench]
fn open_time_of_a_month(bencher: Bencher<'_, '_>) {
    each(bencher, |calendar, t| calendar.open_between(t, t + Elapsed::from_secs(30 * 86_400)).as_millis());
}

#[divan::bench]
fn compile() -> Calendar {
    Calendar::compile(black_box(&spec())).expect("a sound calendar")
}
