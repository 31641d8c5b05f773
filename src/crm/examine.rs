//! What a CRM tells about itself when it is asked without changing anything, and the fields of our
//! own that it can be asked to create. What to make of the answers is decided elsewhere.

use super::CrmError;
use super::fields::MappedField;
use crate::record::{Elapsed, FieldName, FieldType, Object, Value};
use std::collections::BTreeMap;

/// What leadpact is going to do on this connection, so that the CRM's side of it can be looked at.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    /// The fields that are written, with the values that are known beforehand.
    pub writes: BTreeMap<(Object, FieldName), Vec<Value>>,
    /// Whether tasks are made.
    pub tasks: bool,
}

/// Everything that was asked, each answer for itself: one that failed hides no other.
#[derive(Clone, Debug)]
pub struct Examined {
    /// How far the CRM's clock is ahead of ours; `None` where no answer named its time.
    pub ahead: Option<Elapsed>,
    pub account: Result<Account, CrmError>,
    /// What our credentials may do, of all that they need.
    pub permissions: Result<Vec<Permission>, CrmError>,
    pub objects: Vec<ObjectTold>,
}

/// What a connection cannot do, since nobody said how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lack {
    /// Something that was agreed will not happen.
    pub breaks: bool,
    /// The part of the description, or the field.
    pub what: String,
    pub found: String,
}

/// Whose data the credentials open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// The portal's number, or the organisation's id of 18 characters.
    pub id: String,
    /// The one that the connection names.
    pub configured: Option<String>,
    /// The user that we are in the CRM, where it is one.
    pub user: Option<String>,
}

/// One thing that our credentials have to be allowed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Permission {
    /// The CRM's own name of it.
    pub name: String,
    /// What leadpact needs it for: "to read leads".
    pub reason: &'static str,
    pub granted: bool,
}

/// The fields of leads or opportunities.
#[derive(Clone, Debug)]
pub struct ObjectTold {
    pub object: Object,
    /// What the CRM calls the object: `contacts`, `Lead`.
    pub theirs: &'static str,
    /// One for each mapped field.
    pub fields: Result<Vec<FieldTold>, CrmError>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldTold {
    pub name: FieldName,
    pub crm_name: String,
    /// What the agreement reads it as.
    pub kind: FieldType,
    pub found: Found,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// It does not exist, or is hidden from us, which not every CRM tells apart.
    Missing,
    There {
        /// The CRM's own name of the type.
        kind: String,
        /// Its values can be read as the agreement's type.
        fits: bool,
        writable: bool,
        /// Values that leadpact writes and that the field does not take.
        untaken: Vec<String>,
        /// The values that the CRM offers for it; none where any may be entered.
        options: Vec<String>,
    },
}

/// A field as a CRM describes it, in the words that all of them share.
pub(super) struct Described<'a> {
    pub kind: &'a str,
    /// Its type alone makes its values readable as these.
    pub reads_as: &'static [FieldType],
    /// Whatever is of this type can be written to it.
    pub takes: Option<FieldType>,
    pub writable: bool,
    /// The only values that it takes, where they are listed.
    pub options: Option<Vec<&'a str>>,
}

impl Described<'_> {
    /// Holds a field against what it is mapped for.
    pub fn against(&self, mapped: &MappedField, written: Option<&Vec<Value>>) -> Found {
        let each_option = || {
            let options = self.options.as_deref().unwrap_or_default();
            !options.is_empty() && options.iter().all(|option| mapped.read(option).is_ok())
        };
        let untaken = |options: &Vec<&str>| {
            let texts = written.into_iter().flatten().filter_map(Value::as_text).map(|text| mapped.to_crm(text));
            let not_listed = |text: &&str| !options.iter().any(|option| option.eq_ignore_ascii_case(text));
            texts.filter(not_listed).map(str::to_owned).collect()
        };
        let readable = mapped.kind == FieldType::Text || self.reads_as.contains(&mapped.kind) || each_option();
        // Into a field of our own goes any text or moment, which a list or a date would refuse.
        let holds = self.takes == Some(mapped.kind) || mapped.kind == FieldType::Bool && each_option();
        Found::There {
            kind: self.kind.to_owned(),
            fits: if OWN.contains(&mapped.name.as_str()) { holds } else { readable },
            writable: self.writable,
            untaken: self.options.as_ref().map(untaken).unwrap_or_default(),
            options: self.options.iter().flatten().map(|option| (*option).to_owned()).collect(),
        }
    }
}

/// The logical names of the fields that leadpact writes by itself.
pub const OWN: [&str; 5] = ["flag", "violation", "due", "clock", "last_action"];

/// A field of leadpact's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnField {
    pub object: Object,
    /// One of [`OWN`].
    pub name: FieldName,
    /// What the connection calls it in the CRM.
    pub crm_name: String,
}

/// What a field of our own is called and for, in the CRM's pages. The third is its type; `true`
/// asks for room for more than a line.
pub fn label(name: FieldName) -> (&'static str, &'static str, FieldType, bool) {
    use FieldType::{Bool, Text, Time};
    match name.as_str() {
        "flag" => ("Agreement violated", "Set by leadpact while the agreement is violated.", Bool, false),
        "violation" => ("Agreement violations", "What leadpact finds missing, in words.", Text, true),
        "due" => ("Agreement due", "When the next promise about this record falls due.", Time, false),
        "clock" => ("Agreement clock", "Which promise falls due next.", Text, false),
        _ => ("Agreement last action", "What leadpact did last.", Text, false),
    }
}

/// One thing that was to be made in the CRM.
#[derive(Clone, Debug)]
pub struct Made {
    /// `property group leadpact of contacts`
    pub what: String,
    /// `false`: it was there already.
    pub new: Result<bool, CrmError>,
}

impl Made {
    pub fn by(what: impl Into<String>, done: Result<bool, CrmError>) -> Self {
        Self { what: what.into(), new: done }
    }
}
