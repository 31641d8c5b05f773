//! What changed between two versions, in words; and that nothing which changes the hash is passed over.

use crate::{EXAMPLE, example, example_with, read};
use leadpact::agreement::difference::{Difference, difference};
use leadpact::agreement::parse::{Parsed, parse};
use std::panic::{AssertUnwindSafe, catch_unwind};

fn sound(text: &str) -> Parsed {
    read(text).unwrap_or_else(|report| panic!("{report}"))
}

/// The lines for a change of the example.
fn told(passage: &str, by: &str) -> Vec<String> {
    lines(&difference(&example(), &sound(&example_with(passage, by))))
}

fn lines(found: &Difference) -> Vec<String> {
    found.lines().map(ToString::to_string).collect()
}

fn check(passage: &str, by: &str, expected: &[&str]) {
    assert_eq!(told(passage, by), expected, "{by}");
}

#[test]
fn versions_of_one_meaning_say_the_same() {
    let found = difference(&example(), &sound(&EXAMPLE.replace("# ", "#  ")));
    assert!(found.is_empty());
    assert_eq!(found.to_string(), "They say the same.\n");
}

#[test]
fn a_deadline_is_stricter_or_looser_for_whoever_owes() {
    check(
        "within = \"4 business hours\"",
        "within = \"2bh\"",
        &["Accept or reject: due after 4 business hours → 2 business hours (stricter for teleprospecting)"],
    );
    check(
        "\"8 business hours\"",
        "\"2 business days\"",
        &["First follow-up: due after 8 business hours → 2 business days (looser for field sales)"],
    );
    check(
        "within = \"15 business days\"",
        "within = \"21d\"",
        &[
            "Promote or disqualify: due after 15 business days → 21 days (for field sales stricter at some hours, looser at others)",
        ],
    );
    check(
        "within = \"4 business hours\"",
        "within = \"4bh\"",
        &["Accept or reject: `within` is written differently and means the same as before"],
    );
}

#[test]
fn a_definition_is_told_term_by_term() {
    check(
        "score >= 60 &&",
        "score >= 70 &&",
        &[
            "Marketing to teleprospecting: the definition asks that score is at least 60 → score is at least 70 (stricter for marketing)",
        ],
    );
    check(
        "'score >= 60 && email",
        "'email",
        &[
            "Marketing to teleprospecting: the definition no longer asks that score is at least 60 (looser for marketing)",
        ],
    );
    check(
        "'score >= 60 &&",
        "'score >= 60 && region != null &&",
        &["Marketing to teleprospecting: the definition now also asks that region is set (stricter for marketing)"],
    );
    check(
        "touches >= 6 ||",
        "touches >= 4 ||",
        &["Follow-up depth: meeting it asks that at least 6 touches → at least 4 touches (looser for field sales)"],
    );
    check(
        "|| stage == \"nurture\"'",
        "'",
        &["Promote or disqualify: no longer met when the stage is nurture (stricter for field sales)"],
    );
    check(
        "  pauses = 'on_hold == true'\n",
        "",
        &["Promote or disqualify: no longer stands still while on hold is yes (stricter for field sales)"],
    );
    check(
        "'status == \"Accepted\"'",
        "'status == \"Taken\"'",
        &["Teleprospecting accepted lead (tal): recognised by status is \"Accepted\" → status is \"Taken\""],
    );
}

#[test]
fn lists_say_what_came_and_what_went() {
    check(
        "[\"company\", \"source\", \"campaign\"]",
        "[\"company\", \"source\", \"campaign\", \"region\"]",
        &["Marketing to teleprospecting: required fields: region added (stricter for marketing)"],
    );
    check(
        "\"duplicate\", \"student\",",
        "\"duplicate\",",
        &["Marketing to teleprospecting: reasons to reject: \"student\" taken out (stricter for teleprospecting)"],
    );
    check(
        "\"duplicate\", \"student\"",
        "\"student\", \"duplicate\"",
        &[
            "Marketing to teleprospecting: reasons to reject, in another order: \"student\", \"duplicate\", \"wrong contact data\" and \"outside territory\"",
        ],
    );
    check(
        "[2027-01-01, 2027-01-18, 2027-05-31]",
        "[2027-01-01, 2027-01-18]",
        &[
            "The calendar \"boston\": holidays: 2027-05-31 taken out",
            "With the changed calendar, the deadlines of \"Accept or reject\" come earlier (stricter for teleprospecting)",
            "With the changed calendar, the deadlines of \"First follow-up\", \"Follow-up depth\", \"Promote or disqualify\", \"Value and timeframe of an opportunity\" and \"Win/loss review\" come earlier (stricter for field sales)",
        ],
    );
}

#[test]
fn steps_are_told_by_their_moment() {
    check(
        "{ at = \"+2bh\", reassign",
        "{ at = \"+4bh\", reassign",
        &[
            "Accept or reject: reassign it to teleprospecting: 2 business hours after the deadline → 4 business hours after the deadline (looser for teleprospecting)",
        ],
    );
    check(
        "{ at = \"-30bm\", notify = [\"owner\", \"party\"] }",
        "{ at = \"-30bm\", notify = [\"owner\"] }",
        &["Accept or reject: 30 business minutes before the deadline: tell the owner and the party → tell the owner"],
    );
    check(
        "    { at = \"+1bd\", recycle = true },\n",
        "",
        &["Promote or disqualify: step gone 1 business day after the deadline: recycle it (looser for field sales)"],
    );
}

#[test]
fn a_changed_calendar_and_a_changed_length_are_told_apart() {
    let text = example_with("fri = [\"09:00-16:00\"]", "fri = [\"09:00-18:00\"]")
        .replace("within = \"4 business hours\"", "within = \"2 business hours\"");
    let found = difference(&example(), &sound(&text));
    let said = lines(&found);
    assert_eq!(said[0], "The calendar \"boston\": Friday 09:00-16:00 → 09:00-18:00");
    assert!(
        said[1].starts_with("With the changed calendar, the deadlines of \"Accept or reject\" come earlier"),
        "{said:?}"
    );
    let own = "Accept or reject: due after 4 business hours → 2 business hours (stricter for teleprospecting)";
    assert!(said.iter().any(|line| line == own), "{said:?}");
    let tally = found.tally();
    let of = tally.iter().find(|(party, _)| party == "teleprospecting").expect("weighed on").1;
    assert_eq!(of.to_string(), "2 stricter, 0 looser");
}

#[test]
fn targets_and_whole_entries_are_told() {
    check(
        "\">= 400\"",
        "\">= 500\"",
        &["Qualified leads delivered: target at least 400 → at least 500 (stricter for marketing)"],
    );
    check(
        "{ count = \"mql\" }\ntarget  = \">= 400\"\nperiod  = \"month\"",
        "{ count = \"mql\" }\ntarget  = \">= 400\"\nperiod  = \"quarter\"",
        &["Qualified leads delivered: measured every month → quarter (looser for marketing)"],
    );
    check(
        "name     = \"Weekly lead review\"",
        "name = \"Monday review\"",
        &["Monday review: was called \"Weekly lead review\""],
    );
    check(
        "[[freeze]]",
        "[[freeze]]\nfirst = 2027-06-30\nlast = 2027-06-30\n\n[[freeze]]",
        &["Days without recycling: 2027-06-30 added"],
    );
    let (start, end) = (EXAMPLE.find("[[resolution]]"), EXAMPLE.rfind("[[resolution]]"));
    let (start, end) = (start.expect("steps"), end.expect("steps"));
    let found = lines(&difference(&example(), &sound(&(EXAMPLE[..start].to_owned() + &EXAMPLE[end..]))));
    assert_eq!(
        found,
        [
            "Step 1 of a dispute is gone: the owner and the party, within 1 business day",
            "Step 2 of a dispute is gone: the manager, within 2 business days",
        ]
    );
}

#[test]
fn an_included_file_is_told_by_its_days() {
    let text = example_with("# holidays_ics = \"us-holidays.ics\"", "holidays_ics = \"us.ics\"");
    let with = |day: &str| {
        let ics = format!(
            "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nSUMMARY:x\r\nDTSTART;VALUE=DATE:{day}\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
        );
        parse("a.toml", &text, &move |_| Ok(ics.clone())).unwrap_or_else(|report| panic!("{report}"))
    };
    let found = lines(&difference(&with("20270706"), &with("20270707")));
    assert_eq!(found[0], "The calendar \"boston\": holidays from the file: 2027-07-06 → 2027-07-07");
    assert!(found[1].contains("sometimes earlier, sometimes later"), "{found:?}");
}

/// The example with every optional key that it leaves out.
pub fn full() -> String {
    let mut text = EXAMPLE.to_owned();
    for (passage, by) in [
        ("settle    = \"15s\"", "settle    = \"15s\"\napply_to_open = true"),
        ("# extra_days   =", "extra_days   ="),
        ("[data.lead]", "[data.opportunity]\nseats = \"number\"\n\n[data.lead]"),
        (
            "  pauses = 'on_hold == true'",
            "  pauses = 'on_hold == true'\n  cancels = 'customer == true'\n  calendar = \"boston\"",
        ),
        ("restarts_on = [\"owner\"]", "restarts_on = [\"owner\", \"touch\"]"),
        ("exclude    =", "pace = { per_minute = 5, per_owner_and_day = 20 }\nexclude    ="),
        ("[nurture]\n", "[nurture]\nto = \"marketing\"\n"),
        (
            "{ at = \"+2bd\", notify = [\"manager\"] }",
            "{ at = \"+2bd\", name = \"late\", notify = [\"manager\"], set = { loss_reason = \"none\" } }",
        ),
        (
            "fields = [\"amount\", \"close_date\"]",
            "fields = [\"amount\", \"close_date\"]\npauses = 'amount > 5'\ncancels = 'amount > 9'\ncalendar = \"boston\"",
        ),
    ] {
        assert_eq!(text.matches(passage).count(), 1, "{passage:?} must stand once");
        text = text.replacen(passage, by, 1);
    }
    text
}

/// One value changed in turn, everywhere: other text, other numbers, left out, exchanged.
fn variants(value: &toml::Value) -> Vec<toml::Value> {
    use toml::Value::{Array, Boolean, Datetime, Float, Integer, String, Table};
    let mut all = Vec::new();
    match value {
        String(text) => all.extend(other_texts(text).into_iter().map(String)),
        Integer(n) => all.push(Integer(n + 1)),
        Float(n) => all.push(Float(n * 0.5)),
        Boolean(b) => all.push(Boolean(!b)),
        Datetime(at) => {
            let mut text = at.to_string();
            let last = text.pop().unwrap_or('0');
            text.push(if last == '1' { '2' } else { '1' });
            all.extend(text.parse().ok().map(Datetime));
        }
        Array(list) => {
            let mut turned = list.clone();
            turned.rotate_left(1);
            all.push(Array(turned));
            for i in 0..list.len() {
                let mut without = list.clone();
                without.remove(i);
                all.push(Array(without));
                all.extend(variants(&list[i]).into_iter().map(|changed| {
                    let mut list = list.clone();
                    list[i] = changed;
                    Array(list)
                }));
            }
        }
        Table(table) => {
            for (key, value) in table {
                let mut without = table.clone();
                without.remove(key);
                all.push(Table(without));
                all.extend(variants(value).into_iter().map(|changed| {
                    let mut table = table.clone();
                    table.insert(key.clone(), changed);
                    Table(table)
                }));
            }
        }
    }
    all.retain(|changed| changed != value);
    all
}

/// A text that may mean something else in the same place; for lengths and the like also one that means the same.
fn other_texts(text: &str) -> Vec<String> {
    const OTHERS: [(&str, &str); 14] = [
        ("&&", "||"),
        (">=", ">"),
        ("== \"M", "!= \"M"),
        ("owner", "party"),
        ("month", "week"),
        ("stop", "nurture"),
        ("lead", "opportunity"),
        ("field_sales", "marketing"),
        ("sal", "tal"),
        ("slack:#", "slack:#x"),
        ("09:", "08:"),
        ("4", "5"),
        ("1", "2"),
        ("2", "3"),
    ];
    let other = OTHERS.iter().find(|(from, _)| text.contains(from));
    let other = other.map_or_else(|| format!("{text}x"), |(from, to)| text.replacen(from, to, 1));
    let same = text.contains(|c: char| c.is_ascii_digit()).then(|| format!("{text} "));
    [other].into_iter().chain(same).collect()
}

#[test]
fn nothing_that_changes_the_hash_is_passed_over() {
    let text = full();
    let old = sound(&text);
    let document: toml::Value = toml::Value::Table(text.parse().expect("TOML"));
    let mut compared = 0;
    for changed in variants(&document) {
        let Ok(new) = read(&toml::to_string(&changed).expect("TOML")) else { continue };
        let back = difference(&new, &old);
        let found = difference(&old, &new);
        compared += 1;
        let same = old.agreement.hash == new.agreement.hash;
        assert_eq!(found.is_empty(), same, "{found}\n{changed}");
        assert_eq!(back.is_empty(), same, "{back}\n{changed}");
        let poor = |line: &String| line.contains("no sentence tells") || line.contains("(not there)");
        assert!(!lines(&found).iter().chain(&lines(&back)).any(poor), "{found}");
    }
    assert!(compared > 300, "only {compared} changes were sound");
}

#[test]
fn a_key_that_no_one_told_the_page_of_is_named() {
    let (old, mut new) = (example(), sound(&example_with(">= 400", ">= 500")));
    new.canonical = old.canonical.clone();
    new.canonical[0]["retention"] = 7.into();
    new.canonical[0]["handoff"][0]["colour"] = "red".into();
    new.agreement.commitments = sound(EXAMPLE).agreement.commitments;
    let found = catch_unwind(AssertUnwindSafe(|| lines(&difference(&old, &new)))).expect("no fault");
    assert_eq!(found[0], "Marketing to teleprospecting: `colour` (not there) → \"red\"");
    assert_eq!(found[1], "`retention` changed in a way that no sentence tells: compare the files");
}
