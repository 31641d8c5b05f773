//! The shipped example, part by part.

use crate::{EXAMPLE, example, example_with, read};
use jiff::civil::{Weekday, date, time};
use leadpact::agreement::lint::unsaid;
use leadpact::agreement::model::*;
use leadpact::agreement::parse::parse;
use leadpact::record::{Elapsed, FieldName, FieldType, Object, PartyName, Timestamp, Value};

const HOUR: i64 = 3_600;

fn hours(n: i64) -> Elapsed {
    Elapsed::from_secs(n * HOUR)
}

fn names(fields: &[FieldName]) -> Vec<&'static str> {
    fields.iter().map(|f| f.as_str()).collect()
}

#[test]
fn the_shipped_example_has_neither_errors_nor_warnings() {
    let parsed = example();
    assert!(parsed.warnings.problems.is_empty(), "{}", parsed.warnings);
}

#[test]
fn its_head_and_calendar_are_read() {
    let a = example().agreement;
    assert_eq!((a.title.as_str(), a.version.as_str()), ("Acme sales and marketing agreement", "2027 first half"));
    assert_eq!((a.effective, a.review_by), (Some(date(2027, 1, 4)), Some(date(2027, 6, 30))));
    let midnight: jiff::Timestamp = "2027-01-04T05:00:00Z".parse().expect("a time");
    assert_eq!(a.effective_at, Timestamp::from_jiff(midnight), "midnight in Boston");
    assert_eq!((a.settle, a.apply_to_open), (Elapsed::from_secs(15), false));
    assert!(a.summary.starts_with("Marketing and sales") && a.summary.ends_with("missed."));
    assert_eq!((a.calendars.len(), a.calendar), (1, Some(0)));
    let boston = &a.calendars[0].calendar;
    let open = |text: &str| boston.is_open(Timestamp::parse(text).expect("a time"));
    assert!(open("2027-01-05T15:00:00Z"), "Tuesday 10:00");
    assert!(!open("2027-01-05T17:45:00Z"), "the lunch break");
    assert!(!open("2027-01-18T15:00:00Z"), "a holiday");
    assert!(!open("2027-01-08T21:30:00Z"), "Friday after four");
}

#[test]
fn its_parties_sign_and_can_be_reached() {
    let a = example().agreement;
    let field = a.party(&PartyName::new("field_sales")).expect("a party");
    assert_eq!(field.signs.as_ref().map(|s| s.email.as_str()), Some("lee@acme.example"));
    assert_eq!(field.manager, Some(Address::Email("field-manager@acme.example".into())));
    assert_eq!(field.notify, [Address::Slack("#field-sales".into())]);
    assert_eq!(field.calendar, Some(0));
    assert_eq!(a.party(&PartyName::new("marketing")).and_then(|p| p.calendar), None);
    assert_eq!(a.parties.len(), 3);
}

#[test]
fn its_stages_stand_in_waterfall_order() {
    let a = example().agreement;
    let waterfall: Vec<_> = a.stages.iter().filter(|s| s.in_waterfall()).map(|s| s.name.as_str()).collect();
    assert_eq!(waterfall, ["inquiry", "mql", "tal", "tql", "sal", "sql", "won"]);
    let endings: Vec<_> = a.stages.iter().filter_map(|s| s.ends).collect();
    assert_eq!(endings, [Ending::Won, Ending::Lost, Ending::Rejected, Ending::Nurture]);
    assert_eq!(a.stages[5].of, Object::Opportunity);
    assert_eq!(a.stages[1].term, "Marketing qualified lead");
    assert_eq!(a.stages[1].when.source(), "status == \"Qualified by marketing\"");
    assert_eq!(a.dictionary.type_of(Object::Lead, FieldName::new("region")), Some(FieldType::Text));
    assert_eq!(a.dictionary.type_of(Object::Opportunity, FieldName::new("region")), None);
}

#[test]
fn its_handoffs_have_definitions_reasons_and_clocks() {
    let a = example().agreement;
    let [first, second] = &a.handoffs[..] else { panic!("two handoffs") };
    assert_eq!((first.at, second.at), (1, 3), "`at` and `on` mean the same");
    assert_eq!(names(&first.requires), ["company", "source", "campaign"]);
    assert!(first.definition.as_ref().is_some_and(|d| d.source().starts_with("score >= 60")));
    let reject = second.reject.as_ref().expect("reasons");
    assert_eq!((reject.stage, reject.reason.as_str(), reject.allowed.len()), (8, "reject_reason", 3));
    assert_eq!((&first.clocks[..], &second.clocks[..]), (&[0][..], &[1, 2, 3][..]));
    assert_eq!(second.to, PartyName::new("field_sales"));
}

#[test]
fn its_clocks_know_whose_they_are_and_what_happens_on_the_way() {
    let a = example().agreement;
    let names: Vec<_> = a.clocks.iter().map(|c| &*c.name).collect();
    assert_eq!(
        names,
        [
            "Accept or reject",
            "First follow-up",
            "Follow-up depth",
            "Promote or disqualify",
            "Value and timeframe of an opportunity",
            "Win/loss review"
        ]
    );
    let accept = &a.clocks[0];
    assert_eq!((accept.of, accept.starts_at, accept.within), (ClockOf::Handoff(0), 1, Span::Open(hours(4))));
    assert_eq!((accept.party.as_str(), accept.calendar), ("teleprospecting", Some(0)));
    let at: Vec<_> = accept.steps.iter().map(|s| (&*s.name, s.at)).collect();
    let half_hour = Span::Open(Elapsed::from_secs(1800));
    assert_eq!(
        at,
        [
            ("50%", StepAt::Share(0.5)),
            ("-30bm", StepAt::Before(half_hour)),
            ("due", StepAt::Due),
            ("+2bh", StepAt::After(Span::Open(hours(2))))
        ]
    );
    assert_eq!(accept.steps[1].notify, [Audience::Owner, Audience::Party]);
    assert_eq!(accept.steps[2].task.as_deref(), Some("Accept or reject {{ record.name }}"));
    assert_eq!(accept.steps[3].moves, Some(Move::Reassign(PartyName::new("teleprospecting"))));
    assert!(a.clocks[1].restarts_on_owner && !a.clocks[1].restarts_on_touch && !accept.restarts_on_owner);
    let promote = a.clock_named("Promote or disqualify").expect("a clock");
    assert_eq!((promote.within, promote.steps[2].moves.clone()), (Span::OpenDays(15), Some(Move::Recycle)));
    assert!(promote.pauses.is_some() && promote.cancels.is_none());
}

#[test]
fn a_requirement_is_a_clock_that_ends_once_its_fields_are_filled() {
    let a = example().agreement;
    let requirement = &a.requirements[0];
    assert_eq!((requirement.since, requirement.clock), (5, 4));
    let clock = &a.clocks[requirement.clock];
    assert_eq!((clock.of, clock.object, clock.starts_at), (ClockOf::Requirement(0), Object::Opportunity, 5));
    assert!(matches!(&clock.until, Until::Filled(f) if names(f) == ["amount", "close_date"]));
    assert_eq!((clock.party.as_str(), clock.within), ("field_sales", Span::OpenDays(1)));
    assert!(clock.steps[0].flag);
    let second = &a.clocks[5].steps[0];
    assert_eq!(second.notify[1], Audience::PartyNamed(PartyName::new("marketing")));
}

#[test]
fn recycling_nurture_and_freezes_are_read() {
    let a = example().agreement;
    let recycling = a.recycling.expect("recycling");
    assert_eq!(recycling.set, [(FieldName::new("status"), Value::text("Qualified by marketing"))]);
    let cap = RecycleCap { times: 2, within: hours(90 * 24), then_nurture: true };
    assert_eq!((recycling.at_most, recycling.spare, recycling.quiet), (Some(cap), hours(24), false));
    let stop = StopAbove { count: 200, share_of_open: 0.05, share_of_owner: 0.2, within: hours(1) };
    assert_eq!((recycling.stop_above, recycling.pace), (stop, None));
    assert!(recycling.exclude.is_some());
    assert_eq!(a.nurture.expect("nurture").set[0].1, Value::text("Nurture"));
    let freeze = &a.freezes[0];
    assert_eq!((freeze.first, freeze.last), (date(2027, 3, 30), date(2027, 3, 31)));
    assert_eq!(freeze.until - freeze.from, hours(48), "both days are included");
}

#[test]
fn what_recycling_leaves_out_has_its_defaults() {
    let text = example_with("spare      = \"1d\"\n", "pace = { per_minute = 30 }\n");
    let text =
        text.replace("stop_above = { count = 200, share_of_open = 0.05, share_of_owner = 0.2, within = \"1h\" }", "");
    let recycling = read(&text).expect("sound").agreement.recycling.expect("recycling");
    assert_eq!(recycling.spare, hours(24));
    assert_eq!(recycling.stop_above.count, 200);
    assert_eq!(recycling.pace, Some(Pace { per_minute: Some(30), per_owner_and_day: None }));
}

#[test]
fn its_commitments_are_measured_by_what_they_name() {
    let a = example().agreement;
    let of: Vec<_> = a.commitments.iter().map(|c| (&c.measure, c.target)).collect();
    assert!(matches!(of[0], (Measure::Count(1), Target::AtLeast(400.0))), "{of:?}");
    assert!(matches!(of[1], (Measure::Defined(0), Target::ShareAtLeast(0.95))), "{of:?}");
    assert!(matches!(of[2], (Measure::RevenueShare(_), Target::ShareAtLeast(0.3))), "{of:?}");
    assert!(matches!(of[3], (Measure::Conversion(1, 2), Target::ShareAtLeast(0.9))), "{of:?}");
    assert!(matches!(of[4], (Measure::OnTime(1), Target::ShareAtLeast(0.95))), "{of:?}");
    assert!(matches!(of[5], (Measure::CloseRatio(_), Target::ShareAtLeast(0.2))), "{of:?}");
    assert!(matches!(of[6], (Measure::Complete { stage: 8, .. }, Target::ShareAtLeast(1.0))), "{of:?}");
    assert!(matches!(of[7], (Measure::Attested(Period::Month), Target::Yes)), "{of:?}");
    assert_eq!((a.commitments[0].period, a.commitments[4].period), (Period::Month, Period::Week));
    assert!(a.commitments[0].credit.is_some());
}

#[test]
fn its_reviews_resolutions_and_currency_are_read() {
    let a = example().agreement;
    let weekly = &a.reviews[0];
    assert_eq!((weekly.every, weekly.on, weekly.time), (Period::Week, Some(Weekday::Monday), time(9, 0, 0, 0)));
    assert_eq!((weekly.on_holiday, weekly.topics.len()), (OnHoliday::NextOpenDay, 3));
    assert_eq!(a.reviews[1].send_to.len(), 2);
    assert_eq!(a.resolutions[0].who, [Audience::Owner, Audience::Party]);
    assert_eq!(a.resolutions[2].within, Span::OpenDays(3));
    let currency = a.currency.expect("a currency");
    assert_eq!((currency.base.as_str(), currency.rates["EUR"]), ("USD", 1.08));
}

#[test]
fn holidays_come_from_an_included_file_too() {
    let text = example_with("# holidays_ics = \"us-holidays.ics\"", "holidays_ics = \"us.ics\"");
    let ics = "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nDTSTART;VALUE=DATE:20270706\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n";
    let parsed = parse("a.toml", &text, &|name| match name {
        "us.ics" => Ok(ics.to_owned()),
        _ => Err("not found".to_owned()),
    });
    let boston = &parsed.expect("sound").agreement.calendars[0].calendar;
    assert!(!boston.is_open(Timestamp::parse("2027-07-06T15:00:00Z").expect("a time")));
    assert!(boston.is_open(Timestamp::parse("2027-07-07T15:00:00Z").expect("a time")));
}

#[test]
fn a_small_agreement_needs_little_more_than_a_clock() {
    let a = read(SMALL).unwrap_or_else(|r| panic!("{r}")).agreement;
    assert_eq!((a.calendar, a.settle, a.effective_at), (None, Elapsed::from_secs(15), Timestamp::MIN));
    assert_eq!(a.clocks[0].within, Span::Elapsed(Elapsed::from_secs(2)));
    assert!(a.recycling.is_some_and(|r| r.at_most.is_none()));
}

pub const SMALL: &str = r#"title = "Small"
version = "1"

[parties.marketing]
[parties.sales]

[[stage]]
name = "mql"
term = "Qualified lead"
of = "lead"
when = 'status == "MQL"'

[[handoff]]
name = "Marketing to sales"
from = "marketing"
to = "sales"
at = "mql"

  [[handoff.clock]]
  name = "Answer"
  until = 'touches >= 1'
  within = "2s"
  steps = [{ at = "due", recycle = true }]

[recycling]
to = "marketing"
"#;

#[test]
fn the_example_leaves_one_thing_unsaid() {
    // Between acceptance and qualification no promise runs.
    let rests = "Teleprospecting accepted lead (tal): no clock runs at this stage; a record may rest there for ever.";
    assert_eq!(unsaid(&example().agreement), [rests]);
}

#[test]
fn each_gap_that_is_torn_into_the_example_is_named() {
    let handoff = EXAMPLE.find("[[handoff]]\nname       = \"Teleprospecting").expect("the second handoff");
    let clocks = handoff + EXAMPLE[handoff..].find("  [[handoff.clock]]").expect("its clocks");
    let recycling = EXAMPLE.find("# ── Passive recycling").expect("after them");
    let without_clocks = EXAMPLE[..clocks].to_owned() + &EXAMPLE[recycling..];
    let without_clocks = without_clocks
        .replace("measure = { on_time = \"First follow-up\" }", "measure = { conversion = [\"tql\", \"sal\"] }");
    for (text, gap) in [
        (
            without_clocks.clone(),
            "Teleprospecting to field sales: no deadline; field_sales may take as long as it likes.",
        ),
        (without_clocks, "Sales accepted lead (sal): no clock runs at this stage; a record may rest there for ever."),
        (
            crate::example_with("'reached(\"sql\") || stage == \"nurture\"'", "'touches >= 9'")
                .replace("    { at = \"+1bd\", recycle = true },\n", "")
                .replace("touches >= 6 || reached(\"sql\")", "touches >= 6"),
            "Teleprospecting to field sales: no back end; a record that nobody moves on stays where it is for ever.",
        ),
        (
            crate::example_with("from       = \"teleprospecting\"", "from       = \"marketing\""),
            "Teleprospecting to field sales: marketing hands over, but Marketing to teleprospecting gave the record to teleprospecting.",
        ),
        (
            crate::example_with("notify   = [\"slack:#field-sales\"]", ""),
            "field_sales: no channel in `notify`; what finds no person is told to nobody.",
        ),
        (
            crate::example_with("at_most    = { times = 2, within = \"90d\", then = \"nurture\" }\n", ""),
            "Recycling has no `at_most`: a lead that nobody works goes round for ever.",
        ),
        (
            EXAMPLE.replace(
                "by      = \"field_sales\"\nto      = \"marketing\"",
                "by      = \"field_sales\"\nto      = \"teleprospecting\"",
            ),
            "marketing is committed to field_sales, and field_sales to nothing in return.",
        ),
        (
            EXAMPLE[..EXAMPLE.find("[currency]").expect("the last part")].to_owned(),
            "No [currency]: revenue in several currencies cannot be added up.",
        ),
    ] {
        let said = unsaid(&read(&text).unwrap_or_else(|report| panic!("{report}")).agreement);
        assert!(said.iter().any(|sentence| sentence == gap), "{gap}\nin {said:#?}");
        assert!(said.len() <= 4, "{said:#?}");
    }
}

#[test]
fn what_a_small_agreement_leaves_unsaid_is_listed() {
    let said = unsaid(&read(SMALL).expect("sound").agreement).join("\n");
    for part in [
        "No signatories",
        "marketing promises nothing",
        "Marketing to sales: no definition",
        "Marketing to sales: no agreed reasons",
        "No review",
        "No conflict-resolution steps",
        "No commitments",
    ] {
        assert!(said.contains(part), "{part} is missing in:\n{said}");
    }
    assert!(!said.contains("no deadline") && !said.contains("no back end"), "{said}");
    let text = example_with("    { at = \"+1bd\", recycle = true },\n", "")
        .replace("reached(\"sql\") || stage == \"nurture\"", "touches >= 9");
    let text = text.replace("touches >= 6 || reached(\"sql\")", "touches >= 6");
    assert!(unsaid(&read(&text).expect("sound").agreement).join("\n").contains("field sales: no back end"));
    assert!(EXAMPLE.contains("{ at = \"+2bh\", reassign"));
}
