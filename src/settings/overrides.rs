//! Settings from the environment: `LEADPACT_SERVER__LISTEN`, and for a connection by its name
//! `LEADPACT_CONNECTION__ACME_HUBSPOT__MODE`. They are put into the parsed file before it is read,
//! so that one set of rules judges both. Such a value stands at a place behind the end of the file,
//! by which a problem with it finds back to its variable.

use super::environment::Environment;
use super::interpolate;
use super::keys::{self, Kind};
use crate::agreement::predicate::closest;
use crate::agreement::problem::{Problem, Report};
use std::borrow::Cow;
use std::ops::Range;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

const PREFIX: &str = "LEADPACT_";
/// The command line's own variables, and the one that every example fills `credential_key` from.
const NOT_SETTINGS: &[&str] = &["LEADPACT_CONFIG", "LEADPACT_LOG", "LEADPACT_CREDENTIAL_KEY"];
/// For the project's own tests, which may run the daemon.
const TESTS: &str = "LEADPACT_TEST_";

/// Puts every override into the table; answers the variables in the order of their places.
pub(super) fn apply<'i>(
    table: &mut DeTable<'i>,
    text: &str,
    environment: &'i Environment,
    problems: &mut Vec<Problem>,
) -> Vec<String> {
    let asked_for = interpolate::names(table);
    let mut applied = vec![];
    for (variable, value) in environment.iter().filter(|(name, value)| is_override(name, value, &asked_for)) {
        let span = place(text, applied.len());
        match override_one(table, variable, value, span) {
            Ok(()) => applied.push(variable.to_owned()),
            Err(problem) => problems.push(problem),
        }
    }
    applied
}

/// A report in which problems of overrides name their variable instead of a place in the file.
pub(super) fn report(file: &str, text: &str, overrides: &[String], problems: Vec<Problem>) -> Report {
    let problems = problems.into_iter().map(|mut problem| {
        let start = problem.span.as_ref().map_or(0, |span| span.start);
        if let Some(variable) = start.checked_sub(text.len() + 1).and_then(|i| overrides.get(i)) {
            problem.message = format!("{variable} in the environment: {}", problem.message);
            problem.span = None;
        }
        problem
    });
    Report::new(file, text, problems.collect())
}

/// The place of the `i`th override, one byte behind the end of the file and on.
fn place(text: &str, i: usize) -> Range<usize> {
    let start = text.len() + 1 + i;
    start..start + 1
}

fn is_override(name: &str, value: &str, asked_for: &[String]) -> bool {
    let of_the_file = |n: &String| n == name || name.strip_suffix("_FILE") == Some(n);
    name.starts_with(PREFIX)
        && !name.starts_with(TESTS)
        && !NOT_SETTINGS.contains(&name)
        && !asked_for.iter().any(of_the_file)
        && !is_service_link(name, value)
}

/// Kubernetes gives every container such variables for a service that is called `leadpact…`:
/// `LEADPACT_SERVICE_HOST`, `LEADPACT_PORT`, `LEADPACT_PORT_8080_TCP_ADDR`.
fn is_service_link(name: &str, value: &str) -> bool {
    let numbered = |rest: &str| rest.starts_with(|c: char| c.is_ascii_digit());
    name.ends_with("_SERVICE_HOST")
        || name.contains("_SERVICE_PORT")
        || name.split("_PORT_").skip(1).any(numbered)
        || (name.ends_with("_PORT") && value.contains("://"))
}

fn override_one<'i>(
    table: &mut DeTable<'i>,
    variable: &str,
    value: &'i str,
    span: Range<usize>,
) -> Result<(), Problem> {
    let path: Vec<String> = variable[PREFIX.len()..].split("__").map(str::to_ascii_lowercase).collect();
    let names = connection_names(table);
    let (target, path, kind) = match path.as_slice() {
        [head, name, rest @ ..] if head == "connection" => {
            let position = names.iter().position(|n| n.as_deref().map(in_variables).as_deref() == Some(name));
            let kind = keys::kind(keys::CONNECTION, rest);
            let (Some(position), Some(kind)) = (position, kind) else { return Err(unknown(variable, &names)) };
            (connection_at(table, position), rest, kind)
        }
        path => {
            let kind = keys::kind(keys::SETTINGS, path).ok_or_else(|| unknown(variable, &names))?;
            (Some(table), path, kind)
        }
    };
    let value = parse(kind, value, &span)
        .map_err(|expected| Problem::of_file(format!("{variable} in the environment: this must be {expected}")))?;
    if let Some(target) = target {
        put(target, path, value, &span);
    }
    Ok(())
}

/// A connection's name as variables spell it, in lower case here.
fn in_variables(name: &str) -> String {
    name.to_ascii_lowercase().replace('-', "_")
}

fn connection_names(table: &DeTable<'_>) -> Vec<Option<String>> {
    let list = table.get("connection").and_then(|v| v.get_ref().as_array());
    let name = |v: &Spanned<DeValue<'_>>| Some(v.get_ref().as_table()?.get("name")?.get_ref().as_str()?.to_owned());
    list.map_or(vec![], |list| list.iter().map(name).collect())
}

fn connection_at<'t, 'i>(table: &'t mut DeTable<'i>, position: usize) -> Option<&'t mut DeTable<'i>> {
    let DeValue::Array(list) = table.get_mut("connection")?.get_mut() else { return None };
    match list.get_mut(position)?.get_mut() {
        DeValue::Table(connection) => Some(connection),
        _ => None,
    }
}

fn unknown(variable: &str, connections: &[Option<String>]) -> Problem {
    let spelled = |path: &str| path.replace('.', "__").to_ascii_uppercase();
    let mut possible: Vec<String> =
        keys::SETTINGS.iter().map(|(path, _)| format!("{PREFIX}{}", spelled(path))).collect();
    for name in connections.iter().flatten() {
        let name = in_variables(name).to_ascii_uppercase();
        let paths = keys::CONNECTION.iter().filter(|(path, _)| !path.contains('*'));
        possible.extend(paths.map(|(path, _)| format!("{PREFIX}CONNECTION__{name}__{}", spelled(path))));
    }
    let help = match closest(variable, possible.iter().map(String::as_str)) {
        Some(closest) => format!("did you mean {closest}?"),
        None => "for example LEADPACT_SERVER__LISTEN, or LEADPACT_CONNECTION__ACME_HUBSPOT__MODE for the \
                 connection acme-hubspot"
            .to_owned(),
    };
    Problem::of_file(format!("{variable} in the environment is no setting")).with_help(help)
}

/// The text of a variable as a value, every part of it standing at `span`.
fn parse<'i>(kind: Kind, text: &'i str, span: &Range<usize>) -> Result<DeValue<'i>, &'static str> {
    let string = |text: &'i str| DeValue::String(Cow::Borrowed(text));
    match kind {
        Kind::Text => Ok(string(text)),
        Kind::List if !text.trim_start().starts_with('[') => {
            let entries = text.split(',').map(str::trim).filter(|t| !t.is_empty());
            Ok(DeValue::Array(entries.map(|t| Spanned::new(span.clone(), string(t))).collect()))
        }
        Kind::List => inline(text, span).ok_or("a list such as [\"a\", \"b\"], or a,b"),
        Kind::Inline => inline(text, span).ok_or("a value as TOML writes it, such as { name = \"…\" }"),
        Kind::Plain => inline(text, span).ok_or("a number, true or false"),
    }
}

fn inline<'i>(text: &'i str, span: &Range<usize>) -> Option<DeValue<'i>> {
    let value = DeValue::parse(text.trim()).ok()?;
    Some(moved(value.into_inner(), span))
}

/// The same value with all its parts standing at `span`.
fn moved<'i>(value: DeValue<'i>, span: &Range<usize>) -> DeValue<'i> {
    let at = |v: Spanned<DeValue<'i>>| Spanned::new(span.clone(), moved(v.into_inner(), span));
    match value {
        DeValue::Array(list) => DeValue::Array(list.into_iter().map(at).collect()),
        DeValue::Table(entries) => {
            let mut table = DeTable::new();
            for (key, value) in entries {
                table.insert(Spanned::new(span.clone(), key.into_inner()), at(value));
            }
            DeValue::Table(table)
        }
        plain => plain,
    }
}

fn put<'i>(table: &mut DeTable<'i>, path: &[String], value: DeValue<'i>, span: &Range<usize>) {
    let Some((key, rest)) = path.split_first() else { return };
    let spanned = |key: &str| Spanned::new(span.clone(), Cow::Owned(key.to_owned()));
    if rest.is_empty() {
        // Removed first: an insertion alone would keep the old key with its place.
        table.remove(key.as_str());
        table.insert(spanned(key), Spanned::new(span.clone(), value));
        return;
    }
    let empty = || Spanned::new(span.clone(), DeValue::Table(DeTable::new()));
    let inner = table.entry(spanned(key)).or_insert_with(empty);
    // Anything but a table is a problem that reading the file will report.
    if let DeValue::Table(inner) = inner.get_mut() {
        put(inner, rest, value, span);
    }
}
