//! Unknown keys, names and channels, and values of the wrong type.

use super::{bad, check};
use crate::example::SMALL;
use crate::read;
use leadpact::agreement::problem::Severity;

#[test]
fn unknown_keys_are_refused_wherever_they_stand() {
    let cases = [
        ("settle    = \"15s\"", "setle    = \"15s\"", "setle", "unknown key `setle` in the agreement", "`settle`"),
        ("time_zone =", "timezone =", "timezone", "unknown key `timezone` in [calendars.boston]", "`time_zone`"),
        ("manager  = \"email:tele", "managr = \"email:tele", "managr", "unknown key `managr`", "`manager`"),
        ("title = \"VP Sales\"", "titel = \"VP Sales\"", "titel", "unknown key `titel` in `signs`", "`title`"),
        ("means = \"The customer signed.\"", "meens = 1", "meens", "unknown key `meens` in [[stage]]", "`means`"),
        ("from       = \"marketing\"", "form = \"marketing\"", "form", "unknown key `form` in [[handoff]]", "`from`"),
        ("pauses = 'on_hold", "pause = 'on_hold", "pause", "unknown key `pause` in [[handoff.clock]]", "`pauses`"),
        ("{ at = \"80%\", notify", "{ at = \"80%\", notfy", "notfy", "unknown key `notfy` in a step", "`notify`"),
        (
            ", reason = \"reject_reason\", allowed = [\"no",
            ", reson = \"\", allowed = [\"no",
            "reson",
            "`reson`",
            "`reason`",
        ),
        ("quiet      = false", "quite = false", "quite", "unknown key `quite` in `recycling`", "`quiet`"),
        ("{ times = 2,", "{ tims = 2,", "tims", "unknown key `tims` in `at_most`", "`times`"),
        ("{ count = 200,", "{ cont = 200,", "cont", "unknown key `cont` in `stop_above`", "`count`"),
        ("[nurture]\nset =", "[nurture]\nsett =", "sett", "unknown key `sett` in `nurture`", "`set`"),
        ("why   = \"Quarter end\"", "wy   = \"Quarter end\"", "wy", "unknown key `wy` in [[freeze]]", "`why`"),
        ("since  = \"lost\"", "sinc  = \"lost\"", "sinc", "unknown key `sinc` in [[requirement]]", "`since`"),
        ("credit  =", "credits  =", "credits", "unknown key `credits` in [[commitment]]", "`credit`"),
        ("{ count = \"mql\" }", "{ cuont = \"mql\" }", "cuont", "unknown key `cuont` in `measure`", "`count`"),
        ("on       = \"Mon\"", "oon       = \"Mon\"", "oon", "unknown key `oon` in [[review]]", "`on`"),
        ("who    = [\"manager\"]", "whom    = [\"manager\"]", "whom", "unknown key `whom` in [[resolution]]", "`who`"),
        ("base  = \"USD\"", "bas  = \"USD\"", "bas", "unknown key `bas` in `currency`", "`base`"),
        ("[data.lead]", "[data.leed]", "leed", "unknown key `leed` in `data`", "`lead`"),
    ];
    check(Severity::Error, &cases.map(|(p, b, a, m, h)| bad(p, b, a, m, h)));
}

#[test]
fn values_of_the_wrong_type_are_refused() {
    let cases = [
        ("settle    = \"15s\"", "settle    = 15", "15", "`settle` must be text, this is a number", ""),
        (
            "effective = 2027-01-04",
            "effective = \"2027-01-04\"",
            "\"2027",
            "must be a date, this is text",
            "2027-01-04",
        ),
        ("quiet      = false", "quiet = \"no\"", "\"no\"", "`quiet` must be true or false, this is text", ""),
        ("{ times = 2,", "{ times = 0,", "0", "`times` must be a whole number from 1", ""),
        ("requires   = [\"company\",", "requires   = [7,", "7", "an entry of `requires` must be text", ""),
        ("send_to  = [\"slack:#sales-marketing\"]", "send_to = \"slack:#x\"", "\"slack", "must be a list", "[\"…\"]"),
        ("time     = \"09:00\"", "time     = \"9 am\"", "\"9 am\"", "`time` must be a time of day", "\"09:00\""),
        ("[nurture]", "[[nurture]]", "[[nurture", "`nurture` must be a table, this is a list", ""),
        ("[[freeze]] ", "[freeze] ", "[freeze", "`freeze` must be a list of tables", "two brackets"),
        (
            "set        = { status = \"Qualified by marketing\" }",
            "set = { score = true }",
            "true",
            "`score` takes a number, not true or false",
            "",
        ),
    ];
    check(Severity::Error, &cases.map(|(p, b, a, m, h)| bad(p, b, a, m, h)));
}

#[test]
fn names_that_mean_nothing_are_refused_with_the_one_that_was_meant() {
    let cases = [
        (
            "to         = \"teleprospecting\"\nat ",
            "to = \"teleprospectng\"\nat ",
            "\"tele",
            "unknown party `teleprospectng`",
            "did you mean `teleprospecting`?",
        ),
        ("at         = \"mql\"", "at         = \"mqll\"", "\"mqll", "unknown stage `mqll`", "did you mean `mql`?"),
        (
            "calendar  = \"boston\"  ",
            "calendar  = \"bostn\"  ",
            "\"bostn",
            "unknown calendar `bostn`",
            "did you mean `boston`?",
        ),
        ("[\"company\",", "[\"compny\",", "\"compny", "unknown field `compny`", "did you mean `company`?"),
        (
            "[\"amount\",",
            "[\"score\",",
            "\"score",
            "`score` is a field of leads, not of opportunities",
            "[data.opportunity]",
        ),
        ("'score >= 60", "'scor >= 60", "scor", "`scor`", "did you mean `score`?"),
        (
            "until  = 'reached(\"tal\")'",
            "until  = 'reached(\"tall\")'",
            "\"tall",
            "there is no stage \"tall\"",
            "did you mean \"tal\"?",
        ),
        (
            "stage == \"nurture\"'",
            "stage == \"nurtur\"'",
            "\"nurtur",
            "there is no stage \"nurtur\"",
            "did you mean \"nurture\"?",
        ),
        (
            "source == \"Marketing\"' }\ntarget  = \">= 30%\"",
            "score >= 3' }\ntarget  = \">= 30%\"",
            "score",
            "`score`",
            "",
        ),
        (
            "{ on_time = \"First follow-up\" }",
            "{ on_time = \"First folow-up\" }",
            "\"First",
            "unknown clock",
            "`First follow-up`",
        ),
        (
            "{ defined = \"Marketing to",
            "{ defined = \"Marketin to",
            "\"Marketin",
            "unknown handoff",
            "`Marketing to teleprospecting`",
        ),
        (
            "of    = \"opportunity\"\nwhen  = 'status == \"won\"'",
            "of = \"oportunity\"\nwhen  = 'status == \"won\"'",
            "\"opor",
            "unknown kind of record",
            "`opportunity`",
        ),
        ("region = \"text\"", "region = \"txt\"", "\"txt", "unknown type `txt`", "did you mean `text`?"),
        (
            "holiday  = \"next open day\"\nsend_to  = [\"slack",
            "holiday  = \"skp\"\nsend_to  = [\"slack",
            "\"skp",
            "unknown choice `skp`",
            "did you mean `skip`?",
        ),
        (
            "restarts_on = [\"owner\"]",
            "restarts_on = [\"onwer\"]",
            "\"onwer",
            "unknown restart `onwer`",
            "did you mean `owner`?",
        ),
    ];
    check(Severity::Error, &cases.map(|(p, b, a, m, h)| bad(p, b, a, m, h)));
}

#[test]
fn channels_must_lead_somewhere() {
    let cases = [
        (
            "[\"slack:#marketing-ops\"]",
            "[\"#marketing-ops\"]",
            "\"#mark",
            "`#marketing-ops` is no channel",
            "did you mean `slack:#marketing-ops`?",
        ),
        (
            "\"email:tele-lead@acme.example\"",
            "\"tele-lead@acme.example\"",
            "\"tele",
            "is no channel",
            "did you mean `email:tele-lead@acme.example`?",
        ),
        (
            "notify = [\"manager\"] }]\n\n  [[",
            "notify = [\"manger\"] }]\n\n  [[",
            "\"manger",
            "`manger` is no one",
            "did you mean `manager`?",
        ),
        (
            "\"party:marketing\"",
            "\"marketing\"",
            "\"marketing\"] }]",
            "`marketing` is no one",
            "did you mean `party:marketing`?",
        ),
        (
            "\"party:marketing\"",
            "\"party:marketin\"",
            "marketin\"",
            "unknown party `marketin`",
            "did you mean `marketing`?",
        ),
        ("who    = [\"manager\"]", "who    = [\"teams:x\"]", "\"teams", "`teams:x` is no one", "`slack:#channel`"),
        ("email = \"dana@acme.example\"", "email = \"dana\"", "\"dana\"", "`dana` is no e-mail address", "`name@host`"),
    ];
    check(Severity::Error, &cases.map(|(p, b, a, m, h)| bad(p, b, a, m, h)));
}

#[test]
fn every_error_of_a_file_is_reported_at_once() {
    let text = SMALL
        .replace("version = \"1\"", "versoin = \"1\"")
        .replace("to = \"sales\"", "to = \"sale\"")
        .replace("'touches >= 1'", "'touchs >= 1'")
        .replace("\"due\"", "\"dew\"")
        .replace("status ==", "statu ==");
    let report = read(&text).expect_err("five mistakes");
    let lines: Vec<usize> =
        report.problems.iter().map(|p| report.position(p.span.clone().expect("a place").start).0).collect();
    assert_eq!(lines, [1, 2, 11, 16, 21, 23], "{report}");
    assert_eq!(report.counts(), (6, 0));
}

#[test]
fn a_file_that_is_no_toml_says_where() {
    let report = read(&SMALL.replace("of = \"lead\"", "of = lead")).expect_err("no TOML");
    assert!(report.render(false).contains("[agreement.toml:10:6]"), "{report}");
}
