//! Slack's blocks as a page draws them: the few kinds that our messages have, in Slack's mrkdwn. Text
//! stays text: what is bold or a link is told apart here and escaped by the page.

use serde_json::Value;

/// A block to draw.
pub enum Block {
    Header(String),
    Section {
        text: Vec<Span>,
        fields: Vec<Vec<Span>>,
    },
    Context(Vec<Span>),
    Divider,
    /// The labels of its buttons.
    Actions(Vec<String>),
    /// One that is not drawn, by its name.
    Other(String),
}

/// A stretch of text.
#[derive(Debug, PartialEq, Eq)]
pub struct Span {
    pub text: String,
    pub bold: bool,
    pub code: bool,
    pub link: Option<String>,
    /// A line ends after it.
    pub ends: bool,
}

/// All blocks of a message.
pub fn blocks(blocks: &Value) -> Vec<Block> {
    blocks.as_array().into_iter().flatten().map(block).collect()
}

fn block(block: &Value) -> Block {
    let list = |name: &str| block[name].as_array().map(Vec::as_slice).unwrap_or_default();
    match block["type"].as_str().unwrap_or_default() {
        "header" => Block::Header(block["text"]["text"].as_str().unwrap_or_default().to_owned()),
        "section" => Block::Section { text: spans(&block["text"]), fields: list("fields").iter().map(spans).collect() },
        "context" => Block::Context(list("elements").iter().flat_map(spans).collect()),
        "divider" => Block::Divider,
        "actions" => {
            let label = |element: &Value| element["text"]["text"].as_str().unwrap_or_default().to_owned();
            Block::Actions(list("elements").iter().map(label).collect())
        }
        other => Block::Other(other.to_owned()),
    }
}

fn spans(text: &Value) -> Vec<Span> {
    mrkdwn(text["text"].as_str().unwrap_or_default())
}

/// `*bold*`, `` `code` `` and `<address|label>`; everything else is text.
fn mrkdwn(text: &str) -> Vec<Span> {
    let mut spans = Vec::new();
    let lines: Vec<&str> = text.split('\n').collect();
    for (n, line) in lines.iter().enumerate() {
        let before = spans.len();
        let (mut bold, mut rest) = (false, *line);
        while !rest.is_empty() {
            rest = next(rest, &mut bold, &mut spans);
        }
        if n + 1 < lines.len() {
            if spans.len() == before {
                spans.push(plain("", false));
            }
            spans.last_mut().expect("one was just pushed").ends = true;
        }
    }
    spans
}

/// Takes one stretch off the line's beginning.
fn next<'t>(rest: &'t str, bold: &mut bool, spans: &mut Vec<Span>) -> &'t str {
    if let Some(after) = rest.strip_prefix('*') {
        // A star opens where another closes; else it is a star.
        if *bold || after.contains('*') {
            *bold = !*bold;
            return after;
        }
        spans.push(plain("*", *bold));
        return after;
    }
    if let Some((inside, after)) = rest.strip_prefix('`').and_then(|after| after.split_once('`')) {
        spans.push(Span { code: true, ..plain(inside, *bold) });
        return after;
    }
    if let Some((inside, after)) = rest.strip_prefix('<').and_then(|after| after.split_once('>')) {
        let (address, label) = inside.split_once('|').unwrap_or((inside, inside));
        let address = unescaped(address);
        let is_web = address.starts_with("https://") || address.starts_with("http://");
        spans.push(Span { link: is_web.then_some(address), ..plain(label, *bold) });
        return after;
    }
    let first = rest.chars().next().map_or(1, char::len_utf8);
    let until = rest[first..].find(['*', '`', '<']).map_or(rest.len(), |at| first + at);
    spans.push(plain(&rest[..until], *bold));
    &rest[until..]
}

fn plain(text: &str, bold: bool) -> Span {
    Span { text: unescaped(text), bold, code: false, link: None, ends: false }
}

/// Slack knows these three entities and no others.
fn unescaped(text: &str) -> String {
    text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(text: &str) -> Vec<(String, bool, Option<String>)> {
        mrkdwn(text).into_iter().map(|span| (span.text, span.bold, span.link)).collect()
    }

    #[test]
    fn marks_are_told_from_text() {
        let link = told("*<https://crm.example/1?a=1&amp;b=2|Zoë &lt;b&gt;>* waits");
        assert_eq!(link[0], ("Zoë <b>".to_owned(), true, Some("https://crm.example/1?a=1&b=2".to_owned())));
        assert_eq!(link[1], (" waits".to_owned(), false, None));
        assert_eq!(
            told("2 * 3"),
            [("2 ".to_owned(), false, None), ("*".to_owned(), false, None), (" 3".to_owned(), false, None)]
        );
        assert!(mrkdwn("a\n\nb").iter().filter(|span| span.ends).count() == 2);
    }

    #[test]
    fn no_other_address_becomes_a_link() {
        assert_eq!(told("<javascript:alert(1)|x>"), [("x".to_owned(), false, None)]);
        assert_eq!(told("<unclosed"), [("<unclosed".to_owned(), false, None)]);
    }
}
