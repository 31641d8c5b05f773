//! The table that stands beside a chart, and its HTML.

use super::text::escape;

/// Rows of text under a row of headings. The first cell of a row names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    pub caption: String,
    pub head: Vec<String>,
    pub rows: Vec<Vec<String>>,
}

impl Table {
    /// A `<table>` with caption and headings that screen readers announce.
    pub fn html(&self) -> String {
        let head: String = self.head.iter().map(|cell| format!("<th scope=\"col\">{}</th>", escape(cell))).collect();
        let rows: String = self.rows.iter().map(|row| html_row(row)).collect();
        let caption = escape(&self.caption);
        format!("<table><caption>{caption}</caption><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>")
    }
}

fn html_row(row: &[String]) -> String {
    let mut cells = row.iter().map(|cell| escape(cell));
    let first = cells.next().unwrap_or_default();
    let rest: String = cells.map(|cell| format!("<td>{cell}</td>")).collect();
    format!("<tr><th scope=\"row\">{first}</th>{rest}</tr>")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_escaped_and_headings_are_headings() {
        let table = Table {
            caption: "A < B".into(),
            head: vec!["What".into(), "Value".into()],
            rows: vec![vec!["<i>".into(), "1 & 2".into()]],
        };
        assert_eq!(
            table.html(),
            "<table><caption>A &lt; B</caption><thead><tr><th scope=\"col\">What</th><th scope=\"col\">Value</th></tr>\
             </thead><tbody><tr><th scope=\"row\">&lt;i&gt;</th><td>1 &amp; 2</td></tr></tbody></table>"
        );
    }
}
