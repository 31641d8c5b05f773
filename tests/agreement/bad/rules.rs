//! Parts that are well-formed and cannot be meant: by themselves, or beside the rest.

use super::{bad, check, place};
use crate::example::SMALL;
use crate::{EXAMPLE, example_with, read};
use leadpact::agreement::problem::Severity;

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
        (
            "when  = 'status == \"Accepted\"'",
            "when  = 'stage == \"mql\"'",
            "stage ==",
            "stages cannot be asked for here",
            "",
        ),
    ];
    check(Severity::Error, &cases.map(|(p, b, a, m, h)| bad(p, b, a, m, h)));
    // A later stage that takes every set status hides all before it.
    let text = example_with("when  = 'status == \"Working\"'", "when  = 'status != null'");
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
        (step, "{ at = \"50%\", recycle = false }", "{ at", "this step does nothing", ""),
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
        ("within = \"10 business days\"", "within = \"0bd\"", "\"0bd", "0bd", ""),
    ];
    check(Severity::Error, &cases.map(|(p, b, a, m, h)| bad(p, b, a, m, h)));
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
    let median =
        "[[commitment]]\nname = \"Fast\"\nby = \"sales\"\nto = \"marketing\"\nmeasure = { median = \"Answer\" }\n";
    let report = read(&format!("{SMALL}{median}target = \"<= 4bh\"\nperiod = \"week\"\n")).expect_err("no calendar");
    assert!(report.render(false).contains("no calendar says when business is open"), "{report}");
    assert!(read(&format!("{SMALL}{median}target = \"<= 4h\"\nperiod = \"week\"\n")).is_ok());
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
