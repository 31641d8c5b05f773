//! The hash of an agreement: what people sign.

use crate::{EXAMPLE, example_with};
use leadpact::agreement::parse::parse;

const ICS: &str = "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nDTSTART;VALUE=DATE:20270706\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n";

fn hash(text: &str, ics: &str) -> String {
    let parsed = parse("a.toml", text, &|_| Ok(ics.to_owned())).unwrap_or_else(|report| panic!("{report}"));
    parsed.agreement.hash.to_string()
}

#[test]
fn comments_layout_and_order_of_keys_do_not_change_it() {
    let plain = hash(EXAMPLE, "");
    assert_eq!(plain.len(), 64);
    let without_comments: String =
        EXAMPLE.lines().filter(|line| !line.starts_with('#')).map(|line| format!("{line}\r\n")).collect();
    assert_eq!(hash(&without_comments, ""), plain);
    let other_order = example_with(
        "first = 2027-03-30\nlast  = 2027-03-31\nwhy   = \"Quarter end\"",
        "why = 'Quarter end'\nlast=2027-03-31\nfirst=2027-03-30",
    );
    assert_eq!(hash(&other_order, ""), plain);
    assert_eq!(hash(&example_with("GBP = 1.27", "GBP = 1.270"), ""), plain);
    let inline = example_with("[nurture]\nset = { status = \"Nurture\" }", "[nurture.set]\nstatus = \"Nurture\"");
    assert_eq!(hash(&inline, ""), plain);
}

#[test]
fn every_change_of_meaning_changes_it() {
    let plain = hash(EXAMPLE, "");
    for (passage, by) in [
        ("score >= 60", "score >= 61"),
        ("why   = \"Quarter end\"", "why   = \"Quarter  end\""),
        ("times = 2,", "times = 3,"),
        ("last  = 2027-03-31", "last  = 2027-04-01"),
        ("quiet      = false", "quiet      = true"),
        ("\"duplicate\", \"student\"", "\"student\", \"duplicate\""),
    ] {
        assert_ne!(hash(&example_with(passage, by), ""), plain, "{by}");
    }
}

#[test]
fn an_included_file_is_part_of_it() {
    let text = example_with("# holidays_ics = \"us-holidays.ics\"", "holidays_ics = \"us.ics\"");
    assert_ne!(hash(&text, ICS), hash(&text, &ICS.replace("20270706", "20270707")));
}
