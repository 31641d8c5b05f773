//! Fills `${NAME}` in from the environment, in every text of the file, after it was parsed: errors
//! keep their place and a secret cannot become syntax. `$${` stands for `${` itself.

use super::environment::{Environment, Missing};
use crate::agreement::problem::Problem;
use std::borrow::Cow;
use std::ops::Range;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// Fills in all texts that stand in the file; what an override put there is taken as it is. Answers
/// where values stand that could not be filled in: nothing else should be said about them.
pub(super) fn apply(
    table: &mut DeTable<'_>,
    text: &str,
    environment: &Environment,
    problems: &mut Vec<Problem>,
) -> Vec<Range<usize>> {
    let mut unfilled = vec![];
    each_text(table, &mut |value, span| {
        if span.start >= text.len() || !value.contains("${") {
            return;
        }
        match fill(value, environment) {
            Ok(filled) => *value = Cow::Owned(filled),
            Err(bad) => {
                unfilled.push(span.clone());
                problems.push(bad.problem(text, span));
            }
        }
    });
    unfilled
}

/// All names that the file asks for, filled in or not.
pub(super) fn names(table: &mut DeTable<'_>) -> Vec<String> {
    let mut names = vec![];
    each_text(table, &mut |value, _| names.extend(parts(value).filter_map(|p| p.ok()?.name().map(str::to_owned))));
    names
}

fn each_text<'i>(table: &mut DeTable<'i>, visit: &mut dyn FnMut(&mut Cow<'i, str>, Range<usize>)) {
    table.iter_mut().for_each(|(_, value)| each_text_of(value, visit));
}

fn each_text_of<'i>(value: &mut Spanned<DeValue<'i>>, visit: &mut dyn FnMut(&mut Cow<'i, str>, Range<usize>)) {
    let span = value.span();
    match value.get_mut() {
        DeValue::String(text) => visit(text, span),
        DeValue::Array(list) => list.iter_mut().for_each(|v| each_text_of(v, visit)),
        DeValue::Table(table) => each_text(table, visit),
        _ => {}
    }
}

enum Bad<'a> {
    Syntax(&'a str),
    Missing { name: &'a str, why: Missing },
}

impl Bad<'_> {
    fn problem(self, text: &str, span: Range<usize>) -> Problem {
        match self {
            Bad::Syntax(at) => Problem::error(place(text, span, at), "`${` without a name and `}`")
                .with_help("write ${NAME}, or $${ for the characters themselves"),
            Bad::Missing { name, why: why @ Missing::Unset(_) } => {
                Problem::error(place(text, span, &format!("${{{name}}}")), why.to_string())
                    .with_help(format!("set {name}, or {name}_FILE to the path of a file that holds it"))
            }
            Bad::Missing { name, why } => Problem::error(place(text, span, &format!("${{{name}}}")), why.to_string()),
        }
    }
}

/// Where a part of a text stands in the file; all of it where escapes hide that.
fn place(text: &str, span: Range<usize>, part: &str) -> Range<usize> {
    match text.get(span.clone()).and_then(|raw| raw.find(part)) {
        Some(offset) => span.start + offset..span.start + offset + part.len(),
        None => span,
    }
}

enum Part<'a> {
    Text(&'a str),
    Name(&'a str),
}

impl<'a> Part<'a> {
    fn name(&self) -> Option<&'a str> {
        match self {
            Part::Name(name) => Some(name),
            Part::Text(_) => None,
        }
    }
}

fn fill<'a>(text: &'a str, environment: &Environment) -> Result<String, Bad<'a>> {
    let mut filled = String::new();
    for part in parts(text) {
        match part.map_err(Bad::Syntax)? {
            Part::Text(text) => filled.push_str(text),
            Part::Name(name) => {
                filled.push_str(&environment.fill(name).map_err(|why| Bad::Missing { name, why })?);
            }
        }
    }
    Ok(filled)
}

/// Takes a text apart; an error is the rest from a `${` that is none, and the end.
fn parts(text: &str) -> impl Iterator<Item = Result<Part<'_>, &str>> {
    let mut rest = text;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let (part, left) = next_part(rest);
        rest = left;
        Some(part)
    })
}

fn next_part(rest: &str) -> (Result<Part<'_>, &str>, &str) {
    if let Some(left) = rest.strip_prefix("$${") {
        return (Ok(Part::Text("${")), left);
    }
    if let Some(inside) = rest.strip_prefix("${") {
        return match inside.split_once('}') {
            Some((name, left)) if is_name(name) => (Ok(Part::Name(name)), left),
            _ => (Err(rest), ""),
        };
    }
    let end = [rest.find("$${"), rest.find("${")].into_iter().flatten().min().unwrap_or(rest.len());
    (Ok(Part::Text(&rest[..end])), &rest[end..])
}

fn is_name(text: &str) -> bool {
    !text.is_empty()
        && !text.starts_with(|c: char| c.is_ascii_digit())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(text: &str) -> Result<String, String> {
        let environment = Environment::from_iter([("A", "one"), ("B_2", "${A}")]);
        fill(text, &environment).map_err(|bad| bad.problem(text, 0..text.len()).message)
    }

    #[test]
    fn names_are_filled_in_wherever_they_stand() {
        assert_eq!(filled("${A}").as_deref(), Ok("one"));
        assert_eq!(filled("postgres://u:${A}@h/${A}").as_deref(), Ok("postgres://u:one@h/one"));
        assert_eq!(filled("costs $5 {A} $A").as_deref(), Ok("costs $5 {A} $A"));
    }

    #[test]
    fn what_was_filled_in_is_not_filled_in_again() {
        assert_eq!(filled("${B_2}").as_deref(), Ok("${A}"));
    }

    #[test]
    fn two_dollars_stand_for_one_before_a_brace() {
        assert_eq!(filled("$${A} and ${A}").as_deref(), Ok("${A} and one"));
    }

    #[test]
    fn what_is_no_name_or_not_set_is_an_error() {
        assert_eq!(filled("${NOPE}"), Err("the environment has no NOPE".into()));
        for broken in ["${", "x${A", "${}", "${1A}", "${A B}"] {
            assert_eq!(filled(broken), Err("`${` without a name and `}`".into()), "{broken}");
        }
    }
}
