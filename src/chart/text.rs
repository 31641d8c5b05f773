//! How wide text is without a font at hand, where it breaks into lines, and how it is escaped. The widths are those of
//! a common sans-serif with a margin, so that what fits by this estimate fits where it is shown.

use std::ops::Range;

/// Bold letters are so much wider.
const BOLD: f64 = 1.08;

/// The width of one character as a share of the type size, rounded up within groups of similar letters.
fn advance(c: char) -> f64 {
    match c {
        'i' | 'j' | 'l' | '\'' | '|' => 0.27,
        ' ' | 'f' | 't' | 'I' | '!' | ',' | '.' | ':' | ';' | '/' | '\\' | '[' | ']' => 0.295,
        'r' | '(' | ')' | '-' | '`' | '{' | '}' | '"' | '*' => 0.38,
        'c' | 'k' | 's' | 'v' | 'x' | 'y' | 'z' | 'J' => 0.525,
        'm' | 'M' => 0.87,
        'w' => 0.75,
        'W' => 0.98,
        '%' => 0.93,
        '@' => 1.06,
        'G' | 'O' | 'Q' => 0.81,
        '+' | '<' | '=' | '>' | '~' | '^' => 0.61,
        'F' | 'L' | 'T' | 'Z' => 0.64,
        'A'..='Z' | '&' => 0.75,
        '!'..='~' => 0.58,
        '\u{a0}' => 0.295,
        '\u{2018}'..='\u{201f}' => 0.38,
        '\u{2010}'..='\u{2013}' | '\u{2022}' | '≥' | '≤' | '−' => 0.61,
        '\u{a1}'..='\u{52f}' => 0.78,
        _ => 1.06,
    }
}

/// The width of a text of this size, in the size's unit.
pub fn text_width(text: &str, size: f64) -> f64 {
    text.chars().map(advance).sum::<f64>() * size
}

/// The same for bold letters.
pub fn bold_width(text: &str, size: f64) -> f64 {
    text_width(text, size) * BOLD
}

/// Where letters (each bold or not) break into lines of at most this width: at spaces, and within a word only when the
/// word alone is too long. A text without letters is one empty line.
pub fn break_lines(letters: &[(char, bool)], size: f64, width: f64) -> Vec<Range<usize>> {
    let (mut lines, mut start, mut used, mut space) = (Vec::new(), 0, 0.0, None);
    for (at, (letter, bold)) in letters.iter().enumerate() {
        let wide = advance(*letter) * size * if *bold { BOLD } else { 1.0 };
        // A space that does not fit hangs over the end of its line.
        if used + wide > width && *letter != ' ' && at > start {
            let (end, next) = space.map_or((at, at), |space| (space, space + 1));
            lines.push(start..end);
            start = next;
            used = letters[next..at].iter().map(|(c, b)| advance(*c) * size * if *b { BOLD } else { 1.0 }).sum();
            space = None;
        }
        if *letter == ' ' {
            space = Some(at);
        }
        used += wide;
    }
    lines.push(start..letters.len());
    lines
}

/// A text in lines of at most this width.
pub fn wrap(text: &str, size: f64, width: f64) -> Vec<String> {
    let letters: Vec<(char, bool)> = text.chars().map(|c| (c, false)).collect();
    let line = |range: Range<usize>| letters[range].iter().map(|(c, _)| *c).collect::<String>();
    break_lines(&letters, size, width).into_iter().map(line).collect()
}

/// Text for HTML, SVG and XML alike, in elements and in attributes. Characters that XML 1.0 forbids are dropped.
pub fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            // https://www.w3.org/TR/xml/#charsets; the controls of Latin-1 are legal there and show nothing.
            '\u{7f}'..='\u{9f}' | '\u{fffe}' | '\u{ffff}' => {}
            '\t' | '\n' | '\r' | ' '.. => out.push(c),
            _ => {}
        }
    }
    out
}

/// A length in points, short: no digit beyond a hundredth.
pub(super) fn number(value: f64) -> String {
    let text = format!("{value:.2}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_as_wide_as_its_letters() {
        assert!(text_width("WWWW", 10.0) > 3.0 * text_width("iiii", 10.0));
        assert!((text_width("abc", 20.0) - 2.0 * text_width("abc", 10.0)).abs() < 1e-9);
        assert!(bold_width("abc", 10.0) > text_width("abc", 10.0));
        assert_eq!(text_width("", 10.0), 0.0);
        // 29 letters of 10 points measure 125 in Helvetica; the estimate is above, and not far above.
        let estimate = text_width("A salesperson agrees to pursue", 10.0);
        assert!((138.0..160.0).contains(&estimate), "{estimate}");
    }

    #[test]
    fn lines_break_at_spaces_and_long_words_wherever_they_must() {
        assert_eq!(wrap("one two three", 10.0, 45.0), ["one two", "three"]);
        assert_eq!(wrap("", 10.0, 45.0), [""]);
        let broken = wrap("aaaaaaaaaaaaaaaaaaaa", 10.0, 30.0);
        assert_eq!(broken, ["aaaaa", "aaaaa", "aaaaa", "aaaaa"]);
        assert_eq!(wrap("ab", 10.0, 0.0), ["a", "b"], "a line holds at least a letter");
        for line in wrap("a mixture of short words and Donaudampfschifffahrtsgesellschaften", 10.0, 60.0) {
            assert!(text_width(line.trim_end(), 10.0) <= 60.0, "{line}");
        }
    }

    #[test]
    fn nothing_is_lost_by_breaking() {
        let text = "Budget, authority, need and timeframe are confirmed; passed to field sales.";
        assert_eq!(wrap(text, 10.0, 80.0).join(" "), text);
    }

    #[test]
    fn markup_is_escaped_and_forbidden_characters_are_dropped() {
        assert_eq!(escape("<a href=\"x\">R&D's</a>"), "&lt;a href=&quot;x&quot;&gt;R&amp;D&#39;s&lt;/a&gt;");
        assert_eq!(escape("a\0b\u{1b}c\u{ffff}d\u{85}e\tf"), "abcde\tf");
    }
}
