//! One report, whole, as a person sees it on a terminal.

use crate::example::SMALL;
use crate::read;

#[test]
fn a_report_shows_file_line_column_carets_and_suggestion() {
    let text = SMALL.replace("'status == \"MQL\"'", "'status == \"MQL\" && scor > 3'").replace("2s", "2 sconds");
    let shown = read(&text).expect_err("two mistakes").render(false);
    println!("{shown}");
    let first = "  × a lead has no field `scor`
    ╭─[agreement.toml:11:28]
 11 │ when = 'status == \"MQL\" && scor > 3'
    ·                            ^^^^
    ╰────
  help: did you mean `score`?
";
    assert!(shown.starts_with(first), "{shown}");
    assert!(shown.contains("[agreement.toml:22:12]"), "{shown}");
}

#[test]
fn colour_adds_nothing_but_colour() {
    let report = read(&SMALL.replace("2s", "2 sconds")).expect_err("a mistake");
    let (plain, coloured) = (report.render(false), report.render(true));
    assert!(coloured.contains('\u{1b}') && !plain.contains('\u{1b}'));
    let stripped: String =
        coloured.split('\u{1b}').map(|part| part.split_once('m').map_or(part, |(_, rest)| rest)).collect();
    assert_eq!(stripped.split_whitespace().collect::<String>(), plain.split_whitespace().collect::<String>());
}
