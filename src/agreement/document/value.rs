//! Single TOML values with the place they stand at, and what each kind is called for people.

use jiff::civil::{Date, Time};
use std::ops::Range;
use toml::Spanned;
use toml::de::DeValue;
use toml::value::{Date as TomlDate, Time as TomlTime};

/// A value with the bytes of the file that it stands at.
#[derive(Debug, Clone, PartialEq)]
pub struct Datum<T> {
    pub value: T,
    pub span: Range<usize>,
}

/// A text of the file and where it stands, quotes included.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Word<'a> {
    pub text: &'a str,
    pub span: Range<usize>,
}

/// What a value is, as people say it.
pub fn kind(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "text",
        DeValue::Integer(_) | DeValue::Float(_) => "a number",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date or time",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}

pub(super) fn word<'a>(value: &'a Spanned<DeValue<'a>>) -> Option<Word<'a>> {
    value.get_ref().as_str().map(|text| Word { text, span: value.span() })
}

/// Integers and floats alike; `nan` and the infinities are no numbers to an agreement.
pub(super) fn number(value: &DeValue<'_>) -> Option<f64> {
    let number = match value {
        DeValue::Integer(i) => i64::from_str_radix(i.as_str(), i.radix()).ok().map(|n| n as f64),
        DeValue::Float(f) => f.as_str().parse().ok(),
        _ => None,
    };
    number.filter(|n: &f64| n.is_finite())
}

pub(super) fn whole(value: &DeValue<'_>) -> Option<u32> {
    let DeValue::Integer(i) = value else { return None };
    u32::from_str_radix(i.as_str(), i.radix()).ok()
}

/// A date without a time.
pub(super) fn date(value: &DeValue<'_>) -> Option<Date> {
    let at = value.as_datetime()?;
    let (Some(date), None) = (at.date, at.time) else { return None };
    civil_date(date)
}

fn civil_date(date: TomlDate) -> Option<Date> {
    Date::new(i16::try_from(date.year).ok()?, date.month.try_into().ok()?, date.day.try_into().ok()?).ok()
}

/// A time of day: TOML's own, or text such as `09:00`.
pub(super) fn time(value: &DeValue<'_>) -> Option<Time> {
    if let Some(text) = value.as_str() {
        return Time::strptime("%H:%M", text).ok();
    }
    let at = value.as_datetime()?;
    let (None, Some(time)) = (at.date, at.time) else { return None };
    civil_time(time)
}

fn civil_time(time: TomlTime) -> Option<Time> {
    let second = time.second.unwrap_or(0).try_into().ok()?;
    Time::new(time.hour.try_into().ok()?, time.minute.try_into().ok()?, second, 0).ok()
}
