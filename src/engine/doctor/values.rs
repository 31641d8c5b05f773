//! Checks of picklists: each value that the agreement compares a field with, or that the
//! configuration names for it, has to be one that people can choose in the CRM. Such a mistake shows
//! nowhere else: the condition simply never holds.

use super::{Check, Needs, advice, field_title};
use crate::agreement::predicate::closest;
use crate::crm::connection::Connection;
use crate::crm::examine::FieldTold;
use crate::record::Object;
use std::collections::BTreeSet;

/// One field with a list of values. `untaken`: told already.
pub(super) fn checks(
    connection: &Connection,
    needs: &Needs,
    object: Object,
    field: &FieldTold,
    (options, untaken): (&[String], &[String]),
) -> Vec<Check> {
    if options.is_empty() {
        return Vec::new();
    }
    let key = (object, field.name);
    let named = connection.values.get(&key).map_or(&[][..], Vec::as_slice);
    let compared = needs.compared.get(&key).into_iter().flatten();
    let logical: BTreeSet<&str> =
        named.iter().map(|(logical, _)| logical.as_str()).chain(compared.map(String::as_str)).collect();
    let theirs = |logical: &str| match named.iter().find(|(known, _)| same(known, logical)) {
        Some((_, theirs)) => theirs.clone(),
        None => vec![logical.to_owned()],
    };
    // What stands for another value already was not meant.
    let spoken: Vec<String> = logical.iter().flat_map(|logical| theirs(logical)).collect();
    let free: Vec<String> = options.iter().filter(|option| !spoken.iter().any(|s| same(s, option))).cloned().collect();
    let one = |logical: &str| {
        let theirs = theirs(logical);
        let (there, absent): (Vec<&str>, Vec<&str>) =
            theirs.iter().map(String::as_str).partition(|value| options.iter().any(|o| same(o, value)));
        let absent: Vec<&str> = absent.into_iter().filter(|value| !untaken.iter().any(|u| same(u, value))).collect();
        if absent.is_empty() {
            return None;
        }
        let place = Place { connection, object, field, options: &free };
        let is_compared = needs.compared.get(&key).is_some_and(|all| all.iter().any(|text| same(text, logical)));
        Some(place.absent(logical, &absent, is_compared && there.is_empty()))
    };
    logical.into_iter().filter_map(one).collect()
}

/// Neither CRM heeds case or outer spaces in values.
fn same(one: &str, other: &str) -> bool {
    one.trim().eq_ignore_ascii_case(other.trim())
}

struct Place<'a> {
    connection: &'a Connection,
    object: Object,
    field: &'a FieldTold,
    options: &'a [String],
}

impl Place<'_> {
    fn absent(&self, logical: &str, absent: &[&str], breaks: bool) -> Check {
        let (name, crm_name) = (self.connection.name.as_str(), &self.field.crm_name);
        let what = field_title(self.object, self.field.name, crm_name);
        let listed: Vec<String> = absent.iter().map(|value| format!("\"{value}\"")).collect();
        let stands = if absent == [logical] { String::new() } else { format!(" for \"{logical}\"") };
        let found = format!(
            "{crm_name} has no value {}{stands}{}",
            listed.join(", "),
            if breaks { ", so what the agreement says of it never happens" } else { "" }
        );
        let (object, field) = (self.object.as_str(), self.field.name);
        let fix = advice::value(self.connection, object, field.as_str(), crm_name, nearest(absent, self.options));
        if breaks { Check::fail(name, what, found, fix) } else { Check::warn(name, what, found, fix) }
    }
}

/// What was probably meant; `None` where nothing is like it.
pub(super) fn nearest<'o>(absent: &[&str], options: &'o [String]) -> Option<&'o str> {
    absent.iter().find_map(|value| {
        let word = words(value);
        let spelt: Vec<String> = options.iter().map(|option| words(option)).collect();
        let meant = closest(&word, spelt.iter().map(String::as_str))?;
        options.iter().zip(&spelt).find(|(_, spelt)| *spelt == meant).map(|(option, _)| option.as_str())
    })
}

/// `OPEN_DEAL` and `Open deal` are the same word.
fn words(text: &str) -> String {
    text.trim().to_lowercase().replace(['_', '-'], " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_value_is_found_through_case_underscores_and_slips() {
        let options = ["OPEN", "Qualified by marketing", "IN_PROGRESS"].map(str::to_owned);
        assert_eq!(nearest(&["QUALIFIED_BY_MARKTING"], &options), Some("Qualified by marketing"));
        assert_eq!(nearest(&["In progress"], &options), Some("IN_PROGRESS"));
        assert_eq!(nearest(&["Won"], &options), None);
    }
}
