//! `set = { field = value }`: values that leadpact writes, read as the fields' declared types.

use super::context::Context;
use crate::agreement::dictionary::KEPT;
use crate::agreement::document::{Reader, Word};
use crate::record::change::FieldValues;
use crate::record::{FieldType, Object, Timestamp, Value};
use toml::Spanned;
use toml::de::DeValue;

/// The fields to set, in the order of the file.
pub(super) fn values(cx: &Context<'_>, table: Reader<'_>, object: Object) -> FieldValues {
    let read = |(name, value): (Word<'_>, &Spanned<DeValue<'_>>)| {
        let field = cx.field(object, &name)?;
        if KEPT.contains(&name.text) {
            let message = format!("`{}` is not for a step to set", name.text);
            let help = match name.text {
                "owner" => "a record goes to a party by `reassign`, or by the `to` of [recycling] and [nurture]",
                _ => "the CRM keeps it",
            };
            cx.sink.error_with(name.span, message, help);
            return None;
        }
        let of = cx.dictionary.type_of(object, field)?;
        match typed(value.get_ref(), of) {
            Ok(value) => Some((field, value)),
            Err(found) => {
                let message = format!("`{}` takes {}, not {found}", name.text, a(of));
                cx.sink.error(value.span(), message);
                None
            }
        }
    };
    table.entries().into_iter().filter_map(read).collect()
}

fn a(of: FieldType) -> &'static str {
    match of {
        FieldType::Text => "text",
        FieldType::Number => "a number",
        FieldType::Bool => "true or false",
        FieldType::Date => "a date",
        FieldType::Time => "a time",
    }
}

/// Text is read as a CRM's text would be; anything else must be of the type itself. The error is what was found.
fn typed(value: &DeValue<'_>, of: FieldType) -> Result<Value, String> {
    match (value, of) {
        (DeValue::String(text), _) => of.read(text).map_err(|_| format!("`{text}`")),
        (DeValue::Boolean(b), FieldType::Bool) => Ok(Value::Bool(*b)),
        (DeValue::Integer(n), FieldType::Number) => of.read(n.as_str()).map_err(|_| format!("`{n}`")),
        (DeValue::Float(n), FieldType::Number) => of.read(n.as_str()).map_err(|_| format!("`{n}`")),
        (DeValue::Datetime(at), FieldType::Date) if at.time.is_none() => {
            of.read(&at.to_string()).map_err(|_| format!("`{at}`"))
        }
        (DeValue::Datetime(at), FieldType::Time) => {
            Timestamp::parse(&at.to_string()).map(Value::Time).ok_or_else(|| format!("`{at}`, which names no zone"))
        }
        (other, _) => Err(crate::agreement::document::kind(other).to_owned()),
    }
}
