//! Checks of every mapped field: that it exists, holds what the agreement reads, can be written
//! where leadpact writes, and takes the values that it will be given.

use super::account::cause;
use super::{Check, Needs, advice, field_title, own_names, values};
use crate::crm::CrmError;
use crate::crm::connection::{Connection, Platform};
use crate::crm::examine::{FieldTold, Found, ObjectTold};
use crate::record::field::well_known;
use crate::record::{FieldName, Object};

pub(super) fn checks(connection: &Connection, needs: &Needs, told: &ObjectTold) -> Vec<Check> {
    let name = connection.name.as_str();
    let what = format!("fields of {}", told.theirs);
    let fields = match &told.fields {
        Ok(fields) => fields,
        Err(CrmError::Never { message }) => {
            let found = format!("cannot be looked at: {message}");
            return vec![Check::fail(name, what, found, advice::object(connection, told))];
        }
        Err(error) => {
            let found = format!("cannot be looked at: {}", cause(error));
            return vec![Check::fail(name, what, found, advice::unreachable(connection))];
        }
    };
    let of = Mapped { connection, needs, told };
    let wrong: Vec<Check> = fields.iter().flat_map(|field| of.check(field)).collect();
    let mut checks = wrong;
    if !checks.iter().any(|check| check.verdict == super::Verdict::Fail) {
        let there = fields.iter().filter(|field| field.found != Found::Missing).count();
        let written = fields.iter().filter(|f| needs.writes.contains_key(&(told.object, f.name))).count();
        let found = format!("{there} mapped, all there with fitting types; {written} of them written, all writable");
        checks.insert(0, Check::ok(name, what, found));
    }
    checks
}

/// One object of one connection.
struct Mapped<'a> {
    connection: &'a Connection,
    needs: &'a Needs,
    told: &'a ObjectTold,
}

impl Mapped<'_> {
    fn check(&self, field: &FieldTold) -> Vec<Check> {
        let key = (self.told.object, field.name);
        let written = self.needs.writes.contains_key(&key);
        let asked = written || self.needs.reads.contains(&key) || self.connection.fields.contains_key(&key);
        match &field.found {
            // HubSpot passes over what it does not know; Salesforce refuses the whole query.
            Found::Missing if !asked && self.passes_over() => Vec::new(),
            Found::Missing => vec![self.missing(field)],
            Found::There { kind, fits, writable, untaken, options } => {
                let mut checks = Vec::new();
                if !fits {
                    checks.push(self.misfit(field, kind));
                }
                if written && !writable {
                    checks.push(self.read_only(field));
                }
                checks.extend(untaken.iter().map(|value| self.untaken(field, value, options)));
                let listed = (options.as_slice(), untaken.as_slice());
                checks.extend(values::checks(self.connection, self.needs, self.told.object, field, listed));
                checks
            }
        }
    }

    fn passes_over(&self) -> bool {
        matches!(self.connection.platform, Platform::HubSpot(_))
    }

    fn title(&self, field: &FieldTold) -> String {
        field_title(self.told.object, field.name, &field.crm_name)
    }

    fn missing(&self, field: &FieldTold) -> Check {
        let found = match self.connection.platform {
            Platform::Salesforce(_) => format!("{} has no such field, or it is hidden from leadpact", self.told.theirs),
            _ => format!("{} have no such property", self.told.theirs),
        };
        let fix = advice::missing(self.connection, self.told, &field.crm_name, is_own(field.name));
        Check::fail(self.connection.name.as_str(), self.title(field), found, fix)
    }

    /// Only what the agreement judges by, or leadpact writes, breaks anything.
    fn misfit(&self, field: &FieldTold, kind: &str) -> Check {
        let key = (self.told.object, field.name);
        let used = self.needs.writes.contains_key(&key) || self.needs.reads.contains(&key);
        let found = format!("its type is {kind}, and leadpact needs {}", field.kind.as_str());
        let fix = advice::kind(self.connection, &field.crm_name, field.kind, is_own(field.name));
        let name = self.connection.name.as_str();
        match used {
            true => Check::fail(name, self.title(field), found, fix),
            false => Check::warn(name, self.title(field), found, fix),
        }
    }

    fn read_only(&self, field: &FieldTold) -> Check {
        let fix = advice::read_only(self.connection, &field.crm_name);
        Check::fail(
            self.connection.name.as_str(),
            self.title(field),
            "it is read-only for leadpact, which has to write it",
            fix,
        )
    }

    fn untaken(&self, field: &FieldTold, value: &str, options: &[String]) -> Check {
        let found = format!("the agreement sets it to \"{value}\", which it does not take");
        let object = self.told.object.as_str();
        let meant = values::nearest(&[value], options);
        let fix = advice::value(self.connection, object, field.name.as_str(), &field.crm_name, meant);
        Check::fail(self.connection.name.as_str(), self.title(field), found, fix)
    }
}

fn is_own(name: FieldName) -> bool {
    own_names().contains(&name)
}

/// Violations that nobody sees on the record.
pub(super) fn own(connection: &Connection, needs: &Needs) -> Vec<Check> {
    let known = well_known();
    let unmapped = |object: Object| {
        [known.flag, known.violation].into_iter().filter(move |name| !connection.fields.contains_key(&(object, *name)))
    };
    let one = |object: &Object| {
        let names: Vec<&str> = unmapped(*object).map(FieldName::as_str).collect();
        (!names.is_empty()).then(|| {
            let what = format!("{} fields of leadpact's own", object.as_str());
            let found = format!("{} not mapped: violations do not show on the record", names.join(" and "));
            let fix = format!(
                "name them under [connection.fields.{}] of {}, then run `leadpact connect {1}`",
                object.as_str(),
                connection.name
            );
            Check::warn(connection.name.as_str(), what, found, fix)
        })
    };
    needs.flags.iter().filter_map(one).collect()
}
