//! Text that came from a CRM, made fit for a line, for a limit, and for Slack's markup.
//! HTML is escaped by the template engine and mail headers by the mail library, not here.

/// One line without control characters or characters that reorder text; runs of space become one.
pub fn line(text: &str) -> String {
    let visible: String = text.chars().filter(|c| !reorders(*c)).map(|c| if breaks(c) { ' ' } else { c }).collect();
    visible.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// At most `limit` UTF-16 units (the strictest way to count), the last an ellipsis where something
/// was left out.
pub fn cut(text: &str, limit: usize) -> String {
    fitted(text, limit, |_| None)
}

/// The text escaped for Slack, and cut so that what is sent stays within `limit` UTF-16 units:
/// characters are dropped whole, so an entity is never split.
pub fn slack(text: &str, limit: usize) -> String {
    fitted(text, limit, entity)
}

fn fitted(text: &str, limit: usize, replace: fn(char) -> Option<&'static str>) -> String {
    let mut sent = String::with_capacity(text.len());
    let mut used = 0;
    let mut whole = 0;
    for c in text.chars() {
        let size = replace(c).map_or(c.len_utf16(), str::len);
        if used + size > limit {
            sent.truncate(whole);
            sent.push('…');
            return sent;
        }
        used += size;
        match replace(c) {
            Some(entity) => sent.push_str(entity),
            None => sent.push(c),
        }
        if used < limit {
            whole = sent.len();
        }
    }
    sent
}

/// A link for Slack's markup; the label is plain text.
pub fn slack_link(url: &str, label: &str, limit: usize) -> String {
    let url = url.replace('&', "&amp;").replace('|', "%7C").replace('<', "%3C").replace('>', "%3E");
    format!("<{url}|{}>", slack(label, limit))
}

/// An address that may stand behind a link: http or https, written as a browser would.
pub fn web_address(text: &str) -> Option<String> {
    const LONGEST: usize = 2_000;
    let url = url::Url::parse(text.trim()).ok()?;
    let web = matches!(url.scheme(), "http" | "https") && url.as_str().len() <= LONGEST;
    web.then(|| url.to_string())
}

/// Slack knows these three entities and no others.
fn entity(c: char) -> Option<&'static str> {
    match c {
        '&' => Some("&amp;"),
        '<' => Some("&lt;"),
        '>' => Some("&gt;"),
        _ => None,
    }
}

fn breaks(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}' | '\u{2029}')
}

/// Embeddings, overrides and isolates can make one name look like another.
fn reorders(c: char) -> bool {
    matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_has_no_line_breaks_and_no_reordering() {
        assert_eq!(line("Zoë\r\nBcc: x\u{2028}y\u{202e}z \t end"), "Zoë Bcc: x yz end");
    }

    #[test]
    fn slack_text_is_escaped_once_and_only_in_its_three_characters() {
        assert_eq!(slack("<!channel> & \"Søn\" &amp;", 100), "&lt;!channel&gt; &amp; \"Søn\" &amp;amp;");
    }

    #[test]
    fn slack_text_is_never_cut_inside_an_entity() {
        for limit in 1..40 {
            let sent = slack("a&b<c>d&&&&😀😀", limit);
            assert!(sent.encode_utf16().count() <= limit, "{limit}: {sent}");
            let left = sent.replace("&amp;", "").replace("&lt;", "").replace("&gt;", "");
            assert!(!left.contains('&') && !left.contains(';'), "{limit}: {sent}");
        }
        assert_eq!(slack("a&b", 7), "a&amp;b");
        assert_eq!(slack("a&b", 6), "a…");
        assert_eq!(cut("Zoë Ünal", 8), "Zoë Ünal");
        assert_eq!(cut("Zoë Ünal", 7), "Zoë Ün…");
    }

    #[test]
    fn a_link_cannot_be_left_through_its_address_or_its_label() {
        assert_eq!(
            slack_link("https://x.example/a?b=1&c=|d>e", "A|<!here>", 50),
            "<https://x.example/a?b=1&amp;c=%7Cd%3Ee|A|&lt;!here&gt;>"
        );
    }

    #[test]
    fn only_web_addresses_become_links() {
        assert_eq!(web_address("https://crm.example/1").as_deref(), Some("https://crm.example/1"));
        for bad in ["javascript:alert(1)", "data:text/html,x", "//x", "", "ftp://x/y"] {
            assert_eq!(web_address(bad), None, "{bad}");
        }
    }
}
