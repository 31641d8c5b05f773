//! The logical fields that every agreement knows, and which names it may not declare itself.
//! What a connection calls them in its CRM is configuration.

use super::model::Dictionary;
use crate::record::{FieldType, Object};

use FieldType::{Bool, Date, Number, Text, Time};

const LEAD: &[(&str, FieldType)] = &[
    ("name", Text),
    ("email", Text),
    ("company", Text),
    ("owner", Text),
    ("status", Text),
    ("source", Text),
    ("campaign", Text),
    ("score", Number),
    ("budget", Text),
    ("authority", Text),
    ("need", Text),
    ("timeframe", Text),
    ("touches", Number),
    ("last_touch", Time),
    ("created", Time),
    ("modified", Time),
    ("converted", Bool),
    ("reject_reason", Text),
    ("customer", Bool),
    ("on_hold", Bool),
    ("opportunity", Text),
];

const OPPORTUNITY: &[(&str, FieldType)] = &[
    ("name", Text),
    ("owner", Text),
    ("status", Text),
    ("stage_name", Text),
    ("amount", Number),
    ("currency", Text),
    ("close_date", Date),
    ("source", Text),
    ("campaign", Text),
    ("loss_reason", Text),
    ("loss_review", Text),
    ("created", Time),
    ("modified", Time),
    ("touches", Number),
    ("last_touch", Time),
    ("lead", Text),
];

/// What leadpact itself writes onto the record; never an agreement's to declare or to set.
pub const RESERVED: &[&str] = &["flag", "violation", "due", "clock", "last_action"];

/// Words of the condition language; a field of that name could not be asked for.
pub const WORDS: &[&str] = &["stage", "reached", "true", "false", "null", "in", "size", "has"];

/// What the CRM or leadpact keeps by itself, so that no step may set it.
pub const KEPT: &[&str] =
    &["owner", "touches", "last_touch", "created", "modified", "converted", "opportunity", "lead"];

/// The names of the types that `[data.*]` may declare.
pub const TYPES: &[&str] = &["text", "number", "bool", "date", "time"];

/// The dictionary before `[data.*]` adds to it.
pub fn standard() -> Dictionary {
    Dictionary { lead: LEAD.iter().copied().collect(), opportunity: OPPORTUNITY.iter().copied().collect() }
}

/// The type that `[data.*]` names.
pub fn type_named(text: &str) -> Option<FieldType> {
    [Text, Number, Bool, Date, Time].into_iter().find(|t| t.as_str() == text)
}

/// All field names of an object, for suggestions.
pub fn names(dictionary: &Dictionary, object: Object) -> Vec<&'static str> {
    dictionary.of(object).keys().copied().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_type_of_the_dictionary_can_be_declared_by_its_name() {
        for name in TYPES {
            assert_eq!(type_named(name).map(FieldType::as_str), Some(*name));
        }
    }

    #[test]
    fn what_leadpact_writes_is_in_no_dictionary() {
        let all = standard();
        for name in RESERVED {
            assert!(!all.lead.contains_key(name) && !all.opportunity.contains_key(name), "{name}");
        }
    }
}
