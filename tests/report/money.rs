//! What closed: ratios and revenue by what brought it, in one currency.

use crate::world::World;

const RATIO: &str = "Ratio | field | close_ratio = 'source == \\\"Web\\\"' | >= 50% | month";
const SHARE: &str = "Share | marketing | revenue_share = 'source == \\\"Web\\\"' | >= 30% | month";

fn world(line: &str) -> World {
    World::of(&[&line.replace("\\\"", "\"")])
}

#[test]
fn a_close_ratio_takes_the_opportunities_decided_in_the_period_for_which_its_condition_holds() {
    let mut world = world(RATIO);
    world.decided("a", "01-20 10:00", "status=won source=Web");
    world.decided("b", "01-20 10:00", "status=lost source=Web");
    world.decided("c", "01-20 10:00", "status=lost source=Referral");
    world.decided("d", "02-02 10:00", "status=lost source=Web");
    world.opportunity("e").event("01-20 10:00", "status=open source=Web");
    assert_eq!(world.measured("2027-01", "02-10 00:00"), "1 of 2, attained");
}

#[test]
fn an_opportunity_that_was_opened_again_is_decided_where_it_was_decided_last() {
    let mut world = world(RATIO);
    let opportunity = world.decided("a", "01-20 10:00", "status=lost source=Web");
    opportunity.event("01-25 10:00", "status=open");
    assert_eq!(world.january(), "nothing, no data");
    world.opportunity("a").event("02-02 10:00", "status=won");
    assert_eq!(world.measured("2027-02", "03-01 00:00"), "1 of 1, attained");
}

#[test]
fn an_opportunity_has_the_source_of_the_lead_that_it_was_made_of() {
    let mut world = world(RATIO);
    world.delivered("l", "01-05 10:00").event("01-05 11:00", "status=Accepted").event("01-06 10:00", "opportunity=a");
    world.decided("a", "01-20 10:00", "status=won source=Referral");
    world.decided("b", "01-20 10:00", "status=lost source=Web");
    assert_eq!(world.january(), "1 of 2, attained");
    let report = world.report("2027-01", "02-01 00:00");
    let spring = report.by_campaign.iter().find(|c| c.name == "Spring").expect("the lead's campaign");
    assert_eq!(
        (spring.inquiries, spring.qualified, spring.accepted, spring.opportunities, spring.won),
        (1, 1, 1, 1, 1)
    );
}

#[test]
fn revenue_is_summed_in_the_agreed_currency_and_by_the_latest_amounts() {
    let mut world = world(SHARE);
    world.decided("a", "01-20 10:00", "status=won source=Web amount=100 currency=EUR");
    world.decided("b", "01-20 10:00", "status=won source=Referral amount=900 currency=USD");
    // Corrected after it was closed.
    world.opportunity("b").event("02-03 10:00", "amount=350");
    assert_eq!(world.measured("2027-01", "02-10 00:00"), "150.00 of 500.00, attained");
}

#[test]
fn amounts_that_are_missing_or_have_no_rate_are_said_and_never_added() {
    let mut world = world(SHARE);
    world.decided("a", "01-20 10:00", "status=won source=Web amount=10 currency=USD");
    world.decided("b", "01-20 10:00", "status=won source=Web");
    world.decided("c", "01-20 10:00", "status=won source=Web amount=7.5 currency=CHF");
    let said = "10.00 of 10.00, attained, 1 without an amount, 7.50 CHF not added: no rate agreed";
    assert_eq!(world.january(), said);
    let report = world.report("2027-01", "02-01 00:00");
    let won = report.waterfall.parts[0].stages.last().expect("won");
    let amounts = won.amounts.as_ref().expect("amounts");
    assert_eq!((amounts.sum.to_string().as_str(), amounts.missing, amounts.no_rate.len()), ("10.00", 1, 1));
}
