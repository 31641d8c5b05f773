//! Agreements with a mistake: each is refused at the place of the mistake, with a message and a suggestion.

use crate::example::SMALL;
use crate::{EXAMPLE, example_with, read};
use leadpact::agreement::problem::{Report, Severity};

/// In place of `passage` of the example stands `by`. The problem must begin where `at` first stands in
/// that line of the changed file (the start of `by` when `at` is empty).
struct Bad {
    passage: &'static str,
    by: &'static str,
    at: &'static str,
    message: &'static str,
    help: &'static str,
}

fn bad(passage: &'static str, by: &'static str, at: &'static str, message: &'static str, help: &'static str) -> Bad {
    Bad { passage, by, at, message, help }
}

/// Line and column in characters, counted here by other means than the report's.
fn place(text: &str, byte: usize) -> String {
    let before: Vec<&str> = text[..byte].split('\n').collect();
    format!("[agreement.toml:{}:{}]", before.len(), before[before.len() - 1].chars().count() + 1)
}

fn check(severity: Severity, cases: &[Bad]) {
    for case in cases {
        let text = example_with(case.passage, case.by);
        let start = EXAMPLE.find(case.passage).expect("checked");
        let at = start + text[start..].find(case.at).expect("`at` stands in the changed file");
        let report = match severity {
            Severity::Error => read(&text).expect_err(case.by),
            Severity::Warning => read(&text).unwrap_or_else(|r| panic!("{}\n{r}", case.by)).warnings,
        };
        let found = report.problems.iter().filter(|p| p.severity == severity).any(|p| {
            let one = Report::new(&*report.file, &*report.text, vec![p.clone()]).render(false);
            one.contains(&place(&text, at)) && one.contains(case.message) && one.contains(case.help)
        });
        assert!(found, "expected {} {} / {}\nin\n{report}", place(&text, at), case.message, case.help);
    }
}

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
        ("until  = 'reached(\"tal\")'", "until  = 'reached(\"tall\")'", "\"tall", "there is no stage \"tall\"", "did you mean \"tal\"?"),
        ("stage == \"nurture\"'", "stage == \"nurtur\"'", "\"nurtur", "there is no stage \"nurtur\"", "did you mean \"nurture\"?"),
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
fn stages_that_no_record_can_be_at_are_refused() {
    let cases = [
        (
            "when  = 'status == \"Accepted\"'",
            "when  = 'status ==  \"Working\"'",
            "'status",
            "the stage `tal` is unreachable: whatever meets its condition is at `sal`",
            "the last stage whose condition holds",
        ),
        (
            "when  = 'status == \"Accepted\"'",
            "when  = 'status in [\"Working\", \"Nurture\"]'",
            "'status",
            "is at `sal` or `nurture`",
            "",
        ),
        (
            "when  = 'status == \"Accepted\"'",
            "when  = 'status == \"Working\" && score > 3'",
            "'status",
            "`tal` is unreachable",
            "",
        ),
        ("when  = 'status == \"Working\"'", "when  = 'status != null'", "'status == \"Open\"", "", ""),
        (
            "when  = 'status == \"Accepted\"'",
            "when  = 'status == \"A\" && status == \"B\"'",
            "'status",
            "its condition contradicts itself",
            "`||`",
        ),
        (
            "name  = \"sql\"\nterm  = \"Sales qualified lead\"\nmeans = \"Promoted to an opportunity with an expected value and close date.\"\nof    = \"opportunity\"\nwhen  = 'status == \"open\"'",
            "name  = \"sql\"\nterm  = \"x\"\nof = \"opportunity\"\nwhen = 'status == \"won\"'",
            "'status",
            "`sql` is unreachable",
            "",
        ),
        (
            "name  = \"inquiry\"\nterm  = \"Marketing responder\"\nmeans = \"Anyone who answered a campaign.\"\nof    = \"lead\"",
            "name  = \"inquiry\"\nterm  = \"Marketing responder\"\nof    = \"opportunity\"",
            "\"mql\"",
            "`mql` is a lead's stage and stands after `inquiry`",
            "waterfall order",
        ),
        (
            "at         = \"mql\"",
            "at         = \"lost\"",
            "\"lost\"",
            "the stage `lost` is an ending",
            "the waterfall is `inquiry`, `mql`",
        ),
        ("when  = 'status == \"Accepted\"'", "when  = 'stage == \"mql\"'", "stage ==", "", ""),
    ];
    let unreachable_elsewhere = 3;
    let cases = cases.map(|(p, b, a, m, h)| bad(p, b, a, m, h));
    for (i, case) in cases.iter().enumerate().filter(|(i, _)| *i != unreachable_elsewhere) {
        check(Severity::Error, std::slice::from_ref(case));
        assert!(i < 9);
    }
    // A later stage that takes every set status hides all before it.
    let text = example_with(cases[unreachable_elsewhere].passage, cases[unreachable_elsewhere].by);
    let shown = read(&text).expect_err("hidden stages").render(false);
    for stage in ["inquiry", "mql", "tal", "tql"] {
        assert!(shown.contains(&format!("the stage `{stage}` is unreachable")), "{stage}: {shown}");
    }
    assert!(!shown.contains("`nurture` is unreachable") && !shown.contains("`won` is unreachable"), "{shown}");
}

#[test]
fn stages_that_overlap_without_hiding_each_other_are_fine() {
    let text =
        example_with("when  = 'status == \"Accepted\"'", "when  = 'status == \"Accepted\" || status == \"Working\"'");
    assert!(read(&text).is_ok());
    let text = example_with("when  = 'status == \"Working\"'", "when  = 'status == \"Accepted\" && score > 90'");
    assert!(read(&text).is_ok());
}

#[test]
fn handoffs_say_once_where_and_reject_into_a_rejected_stage() {
    let cases = [
        ("on         = \"tql\"", "on = \"tql\"\nat = \"tql\"", "\"tql", "`at` and `on` mean the same", "keep one"),
        (
            "on         = \"tql\"\n",
            "",
            "[[handoff]]\nname       = \"Tele",
            "does not say at which stage",
            "`at = \"STAGE\"`",
        ),
        ("on         = \"tql\"", "on         = \"mql\"", "\"mql", "hands over at `mql` already", ""),
        (
            "reject     = { stage = \"rejected\", reason = \"reject_reason\", allowed = [\"no",
            "reject = { stage = \"lost\", reason = \"reject_reason\", allowed = [\"no",
            "\"lost",
            "`lost` is no stage that ends leads as rejected",
            "did you mean `rejected`?",
        ),
        (
            "name       = \"Teleprospecting to",
            "name       = \"Marketing to teleprospecting\" # ",
            "\"Mark",
            "there is another handoff named",
            "",
        ),
        (
            "name   = \"Follow-up depth\"",
            "name   = \"First follow-up\"",
            "\"First",
            "there is another clock named `First follow-up`",
            "",
        ),
        (
            "name   = \"Win/loss review\"",
            "name   = \"First follow-up\"",
            "\"First",
            "there is another clock named `First follow-up`",
            "",
        ),
        (
            "name    = \"Leads accepted\"",
            "name = \"First follow-ups on time\"",
            "\"First follow-ups on time\"\nmeasure = { on",
            "another commitment",
            "",
        ),
        ("name     = \"Quarterly business review\"", "name = \"Weekly lead review\"", "\"Weekly", "another review", ""),
        (
            "term  = \"Closed lost\"",
            "# no term",
            "[[stage]]\nname  = \"lost\"",
            "[[stage]] has no `term`",
            "add `term = …`",
        ),
    ];
    for (passage, by, at, message, help) in cases {
        // Where the place lies before the passage, it is looked for in the whole file.
        if at.starts_with("[[") {
            let text = example_with(passage, by);
            let shown = read(&text).expect_err(by).render(false);
            let byte = text.find(at).expect("there");
            assert!(shown.contains(&place(&text, byte)) && shown.contains(message) && shown.contains(help), "{shown}");
        } else {
            check(Severity::Error, &[bad(passage, by, at, message, help)]);
        }
    }
}

#[test]
fn steps_stand_in_order_and_do_something_sensible() {
    let step = "{ at = \"50%\",  notify = [\"owner\"] }";
    let cases = [
        (
            step,
            "{ at = \"95%\", notify = [\"owner\"] }",
            "\"-30bm",
            "steps out of order: this step is due before",
            "in the order of their moments",
        ),
        (step, "{ at = \"-5bh\", notify = [\"owner\"] }", "\"-5bh", "before the start of its clock", ""),
        (step, "{ at = \"due\", name = \"first\", notify = [\"owner\"] }", "\"-30bm", "steps out of order", ""),
        (
            step,
            "{ at = \"-30bm\", notify = [\"owner\"] }",
            "\"-30bm\", notify = [\"owner\", ",
            "two steps named `-30bm`",
            "`name`",
        ),
        (step, "{ at = \"50%\" }", "{ at", "this step does nothing", "`notify`"),
        (step, "{ at = \"50%\", recycle = false }", "recycle", "", ""),
        (step, "{ at = \"50%\", reassign = \"marketing\" }", "reassign", "`reassign` before the deadline", "`due`"),
        (step, "{ at = \"150%\", notify = [\"owner\"] }", "\"150%", "does not lie between", "`+2bh`"),
        (step, "{ at = \"2bh\", notify = [\"owner\"] }", "\"2bh", "`2bh` is no point of a clock", "`-2bh`"),
        (step, "{ at = \"soon\", notify = [\"owner\"] }", "\"soon", "`soon` is no point of a clock", "`50%`"),
        (step, "{ at = \"-30bx\", notify = [\"owner\"] }", "\"-30bx", "30bx", ""),
        (
            "task = \"Accept or reject {{ record.name }}\"",
            "task = \"Accept {{ record.name\"",
            "\"Accept {{",
            "this template cannot be read",
            "`{{ record.name }}`",
        ),
        (
            "{ at = \"+2bh\", reassign = \"teleprospecting\" }",
            "{ at = \"+2bh\", reassign = \"teleprospecting\", recycle = true }",
            "recycle",
            "a step can reassign or recycle, not both",
            "",
        ),
        (
            "{ at = \"+2bd\", notify = [\"manager\"] }",
            "{ at = \"+2bd\", recycle = true }",
            "true",
            "only a lead can be recycled",
            "",
        ),
        ("within = \"10 business days\"", "within = \"0bd\"", "\"0bd", "", ""),
    ];
    let silent = 5;
    for (i, case) in cases.into_iter().enumerate().filter(|(i, _)| *i != silent) {
        let (passage, by, at, message, help) = case;
        check(Severity::Error, &[bad(passage, by, at, message, help)]);
        assert!(i < 15);
    }
    let (doubtful, by) = (
        "{ at = \"-3bd\", notify = [\"owner\"] }",
        "{ at = \"90%\", notify = [\"owner\"] },\n { at = \"-3bd\", notify = [\"owner\"] }",
    );
    check(Severity::Warning, &[bad(doubtful, by, "\"-3bd", "if a business day has eight hours", "order")]);
}

#[test]
fn what_a_step_needs_must_be_declared() {
    let without = EXAMPLE.replace("[nurture]\nset = { status = \"Nurture\" }\n", "");
    let report = read(&without).expect_err("no [nurture]");
    assert_eq!(report.problems.len(), 1, "{report}");
    assert!(report.render(false).contains("add a [nurture] table"));
    let report = read(&SMALL.replace("[recycling]\nto = \"marketing\"\n", "")).expect_err("no [recycling]");
    assert!(report.render(false).contains("`recycle = true`, but the agreement does not say how"), "{report}");
    let report = read(&SMALL.replace("2s", "2bh")).expect_err("no calendar");
    assert!(report.render(false).contains("no calendar says when business is open"), "{report}");
    assert!(report.render(false).contains("declare one under [calendars.NAME]"), "{report}");
}

#[test]
fn calendars_that_make_no_sense_are_refused() {
    let hours = "hours     = { mon-thu = [\"09:00-12:30\", \"13:15-18:00\"], fri = [\"09:00-16:00\"] }";
    let cases = [
        (hours, "hours = {}", "", "never open", "hours"),
        (hours, "hours = { mon-thx = [\"09:00-12:30\"] }", "mon-thx", "`thx` is not a day of the week", ""),
        (hours, "hours = { mon = [\"9-12\"] }", "\"9-12", "is not a time of day", ""),
        (
            hours,
            "hours = { mon-fri = [\"09:00-12:30\"], tue = [\"13:00-14:00\"] }",
            "tue",
            "Tuesday has hours already",
            "once",
        ),
        (hours, "hours = { mon = [\"09:00-12:30\", \"12:00-14:00\"] }", "\"12:00", "", ""),
        (
            "\"America/New_York\"",
            "\"America/New York\"",
            "\"America",
            "is not a time zone",
            "did you mean `America/New_York`?",
        ),
        ("# extra_days   = { 2027-01-09 =", "extra_days = { 2027-13-09 =", "2027-13", "is no day", "2027-01-09"),
        (
            "# holidays_ics = \"us-holidays.ics\"",
            "holidays_ics = \"us.ics\"",
            "\"us.ics",
            "cannot be read: there is no us.ics",
            "",
        ),
    ];
    for (passage, by, at, message, help) in cases {
        if at.is_empty() {
            let shown = read(&example_with(passage, by)).expect_err(by).render(false);
            assert!(shown.contains(message) && shown.contains(help) && shown.contains("[calendars.boston]"), "{shown}");
        } else {
            check(Severity::Error, &[bad(passage, by, at, message, help)]);
        }
    }
}

#[test]
fn what_leadpact_writes_must_lead_to_a_stage() {
    let recycle = "{ status = \"Qualified by marketing\" }";
    let cases = [
        (
            recycle,
            "{ status = \"Qualified by marketng\" }",
            "",
            "no stage of leads has the status `Qualified by marketng` that [recycling] sets",
            "did you mean `Qualified by marketing`?",
        ),
        (recycle, "{ status = \"Rejected\" }", "", "which is an ending", ""),
        (recycle, "{ owner = \"7020\" }", "owner", "`owner` is not for a step to set", "`reassign`"),
        (recycle, "{ violation = \"x\" }", "violation", "`violation` is no field of leads", "leadpact writes"),
        (recycle, "{ converted = \"maybe\" }", "converted", "is not for a step", "the CRM keeps it"),
        (recycle, "{ score = \"high\" }", "\"high", "`score` takes a number, not `high`", ""),
    ];
    for (passage, by, at, message, help) in cases {
        if at.is_empty() {
            let shown = read(&example_with(passage, by)).expect_err(by).render(false);
            assert!(shown.contains(message) && shown.contains(help), "{shown}");
        } else {
            check(Severity::Error, &[bad(passage, by, at, message, help)]);
        }
    }
    let warned =
        read(&example_with("set = { status = \"Nurture\" }", "set = { status = \"Open\" }")).expect("a warning");
    assert!(warned.warnings.render(false).contains("does not end as nurture"), "{}", warned.warnings);
}

#[test]
fn targets_fit_what_is_measured() {
    let cases = [
        ("target  = \">= 400\"", "target  = \">= 95%\"", "\">= 95", "a number of records is measured", "`>= 400`"),
        ("target  = \"100%\"", "target  = \">= 4bh\"", "\">=", "slowness", ""),
        ("target  = \"100%\"", "target  = \"<= 4bh\"", "\"<=", "a share is measured", "`>= 95%`"),
        ("target  = \"yes\"", "target  = \"100%\"", "\"100", "somebody's word is measured", "`yes`"),
        (
            "{ conversion = [\"mql\", \"tal\"] }",
            "{ median = \"First follow-up\" }",
            "\">= 90",
            "a time is measured",
            "`<= 4bh`",
        ),
        (
            "{ conversion = [\"mql\", \"tal\"] }",
            "{ conversion = [\"tal\", \"mql\"] }",
            "\"mql",
            "no record goes from `tal` to `mql`",
            "earlier",
        ),
        (
            "{ conversion = [\"mql\", \"tal\"] }",
            "{ conversion = [\"mql\"] }",
            "conversion",
            "from one stage to another",
            "",
        ),
        (
            "{ count = \"mql\" }",
            "{ count = \"mql\", median = \"First follow-up\" }",
            "median",
            "measured by one thing",
            "two",
        ),
        ("{ count = \"mql\" }", "{}", "", "nothing is measured", "count"),
        ("{ attested = \"monthly\" }", "{ attested = \"yearly\" }", "\"yearly", "unknown period `yearly`", "monthly"),
        (
            "{ complete = \"reject_reason\", stage = \"rejected\" }",
            "{ complete = \"reject_reason\" }",
            "",
            "has no `stage`",
            "",
        ),
    ];
    for (passage, by, at, message, help) in cases {
        if at.is_empty() {
            let shown = read(&example_with(passage, by)).expect_err(by).render(false);
            assert!(shown.contains(message) && shown.contains(help), "{shown}");
        } else {
            check(Severity::Error, &[bad(passage, by, at, message, help)]);
        }
    }
}

#[test]
fn days_and_other_small_things_are_checked() {
    let cases = [
        ("review_by = 2027-06-30", "review_by = 2026-06-30", "2026", "`review_by` lies before `effective`", "after"),
        ("last  = 2027-03-31", "last  = 2027-03-29", "2027-03-29", "the last day lies before the first", "included"),
        ("settle    = \"15s\"", "settle = \"1bh\"", "\"1bh", "counts business time", "`90d`"),
        ("within = \"90d\", then", "within = \"90bd\", then", "\"90bd", "counts business time", ""),
        ("share_of_open = 0.05", "share_of_open = 5", "5", "between 0 and 1", "for 5% write 0.05"),
        ("every    = \"quarter\"", "every    = \"quarter\"\non = \"Mon\"", "\"Mon", "only a weekly review has", ""),
        ("on       = \"Mon\"", "on       = \"Mon-Fri\"", "\"Mon-", "a review is held on one day", "`Mon`"),
        ("rates = { EUR", "rates = { eur", "eur", "`eur` is no currency code", "`USD`"),
        ("EUR = 1.08", "EUR = 0", "0", "worth more than nothing", ""),
        ("region = \"text\"", "violation = \"text\"", "violation", "written by leadpact itself", ""),
        ("region = \"text\"", "stage = \"text\"", "stage", "a word of the condition language", ""),
        ("region = \"text\"", "\"the region\" = \"text\"", "\"the", "cannot stand in a condition", ""),
        ("region = \"text\"", "score = \"text\"", "\"text", "a field of the dictionary already, of type number", ""),
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
