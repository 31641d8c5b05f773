//! Tables as CSV (RFC 4180). Text that a spreadsheet would take for a formula is made text by a
//! leading apostrophe, since names come from whoever can write into the CRM; numbers stay numbers.

use super::{Cell, Table};

/// What each row begins with: where it comes from.
pub struct Stamp<'a> {
    pub connection: &'a str,
    pub period: &'a str,
}

/// Tables of one kind as one CSV, each row with its connection and period before it.
pub fn to_csv(tables: &[(Stamp<'_>, Table)]) -> String {
    let mut writer = ::csv::WriterBuilder::new().terminator(::csv::Terminator::CRLF).from_writer(Vec::new());
    let heads = tables.first().map(|(_, table)| table.columns.clone()).unwrap_or_default();
    let written = writer.write_record(["connection", "report period"].into_iter().chain(heads)).and_then(|()| {
        tables.iter().try_for_each(|(stamp, table)| {
            table.rows.iter().try_for_each(|row| {
                let stamp = [stamp.connection, stamp.period].map(harmless);
                writer.write_record(stamp.into_iter().chain(row.iter().map(field)))
            })
        })
    });
    written.expect("memory takes every row, and rows of one kind are equally long");
    let bytes = writer.into_inner().expect("memory takes every row");
    String::from_utf8(bytes).expect("rows are text")
}

/// Rows of text without a heading, for what is written a piece at a time.
pub fn lines(rows: &[Vec<String>]) -> String {
    let mut writer = ::csv::WriterBuilder::new().terminator(::csv::Terminator::CRLF).from_writer(Vec::new());
    let written = rows.iter().try_for_each(|row| writer.write_record(row.iter().map(|text| harmless(text))));
    written.expect("memory takes every row, and rows of one kind are equally long");
    String::from_utf8(writer.into_inner().expect("memory takes every row")).expect("rows are text")
}

fn field(cell: &Cell) -> String {
    match cell {
        Cell::Text(text) => harmless(text),
        Cell::Number(number) => number.clone(),
        Cell::Nothing => String::new(),
    }
}

/// Spreadsheets take cells that begin so for formulas.
fn harmless(text: &str) -> String {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{text}") } else { text.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn csv(cells: Vec<Cell>) -> String {
        let columns = vec!["a"; cells.len()];
        let table = Table { title: String::new(), columns, undrawn: &["a"], rows: vec![cells], notes: vec![] };
        let stamp = Stamp { connection: "crm", period: "2027-01" };
        to_csv(&[(stamp, table)]).lines().nth(1).unwrap().to_owned()
    }

    #[test]
    fn text_that_begins_like_a_formula_is_made_text() {
        for evil in ["=HYPERLINK(1)", "+1", "-1", "@SUM(A1)", "\tx"] {
            assert_eq!(csv(vec![Cell::text(evil)]), format!("crm,2027-01,'{evil}"));
        }
        assert_eq!(csv(vec![Cell::text("\r=1")]), "crm,2027-01,\"'\r=1\"");
        assert_eq!(csv(vec![Cell::text("a=b"), Cell::text("")]), "crm,2027-01,a=b,");
    }

    #[test]
    fn numbers_stay_numbers_and_quotes_stay_within_their_cell() {
        assert_eq!(csv(vec![Cell::Number("-12.50".into())]), "crm,2027-01,-12.50");
        assert_eq!(csv(vec![Cell::text("say \"no\", they said")]), "crm,2027-01,\"say \"\"no\"\", they said\"");
    }
}
