//! Which version of the agreement measures a period, the trend, and what counts over time.

use crate::world::{World, at, terms};
use leadpact::report::figures::Verdict;
use leadpact::report::tally::{Question, Tally};
use leadpact::report::terms::Terms;
use leadpact::report::window::Window;

const LOW: &str = "Delivered | marketing | count = \"mql\" | >= 1 | month";
const HIGH: &str = "Delivered | marketing | count = \"mql\" | >= 5 | month";

#[test]
fn a_period_is_measured_by_the_version_in_force_at_its_end() {
    let mut world = World::of(&[LOW]);
    for (id, when) in [("a", "01-05 10:00"), ("b", "02-05 10:00"), ("c", "03-05 10:00")] {
        world.delivered(id, when);
    }
    let terms = Terms::of([(terms(&[HIGH]), at("02-10 10:00")), (world.agreement.clone(), at("01-04 00:00"))]);
    let terms = terms.expect("two versions");
    let period = Window::parse("2027-03", &terms.zone()).expect("a month");
    let now = "04-02 00:00";
    let mut tally = Tally::new(Question { terms, period, ..world.question("2027-01", now) });
    world.tales(now).into_iter().for_each(|tale| tally.add(tale));
    let commitment = tally.finish().commitments.remove(0);
    // January under the low target; from February, in whose midst the new one came, under the high one.
    let trend: Vec<_> = commitment.trend.iter().map(|p| (p.period.to_string(), p.verdict)).collect();
    let expected = [("2027-01", Verdict::Attained), ("2027-02", Verdict::Missed), ("2027-03", Verdict::Missed)];
    assert_eq!(trend, expected.map(|(period, verdict)| (period.to_owned(), verdict)));
    assert_eq!(commitment.target, "at least 5");
}

#[test]
fn the_trend_shows_six_periods_and_each_commitment_its_own() {
    let mut world = World::of(&["Delivered | marketing | count = \"mql\" | >= 1 | week"]);
    world.delivered("a", "02-25 10:00");
    // The last week of the month that is over.
    let commitment = world.report("2027-02", "04-01 00:00").commitments.remove(0);
    let periods: Vec<String> = commitment.trend.iter().map(|p| p.period.to_string()).collect();
    assert_eq!(periods, ["2027-W03", "2027-W04", "2027-W05", "2027-W06", "2027-W07", "2027-W08"]);
    assert_eq!(commitment.measured.period.to_string(), "2027-W08");
    assert_eq!(commitment.measured.verdict, Verdict::Attained);
}

#[test]
fn a_period_that_still_runs_shows_the_commitments_period_of_now() {
    let mut world = World::of(&["Delivered | marketing | count = \"mql\" | >= 1 | week"]);
    let commitment = world.report("2027-Q1", "01-13 00:00").commitments.remove(0);
    assert_eq!(commitment.measured.period.to_string(), "2027-W02");
}
