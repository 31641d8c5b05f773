//! Which of the associated records is the one that a link names. A CRM that lists several (HubSpot)
//! does not tell since when: what an earlier read did not list was associated since, what the first
//! read lists is of the past unless the record itself has just been made.

use super::fold::{DATE_GRAIN, Fold};
use crate::record::change::{FieldValues, Reading};
use crate::record::field::well_known;
use crate::record::{FieldName, Object, Timestamp, Value};

/// The link of an object, and the list that it is one of.
pub fn link_of(object: Object) -> (FieldName, FieldName) {
    let w = well_known();
    match object {
        Object::Lead => (w.opportunity, w.opportunities),
        Object::Opportunity => (w.lead, w.leads),
    }
}

/// Ids as a list's value: `;5;7;`, `;` for none.
pub fn listed<'a>(ids: impl IntoIterator<Item = &'a str>) -> Value {
    let mut text = String::from(";");
    for id in ids {
        text.push_str(id);
        text.push(';');
    }
    Value::text(text)
}

/// The ids of such a list; `None` where it is not known.
pub fn ids_of(list: &Value) -> Option<Vec<&str>> {
    Some(list.as_text()?.split(';').filter(|id| !id.is_empty()).collect())
}

impl Fold<'_> {
    /// An association with a record that an earlier read listed is no news: another one was made the
    /// primary one. What is dated within the second of that read may be what the read showed already.
    pub(super) fn without_known_link(&self, mut values: FieldValues, at: Timestamp) -> FieldValues {
        let (link, list) = link_of(self.standing.key.object);
        let Some(known) = ids_of(self.standing.fields.get(list)) else { return values };
        let is_later = self.standing.last_read.is_some_and(|read| at > read.at + DATE_GRAIN);
        values.retain(|(name, value)| {
            *name != link || !is_later || !value.as_text().is_some_and(|id| known.contains(&id))
        });
        values
    }

    /// Settles which record the link names by a read's list. News are put among `values`, to be taken
    /// for as late as the rest of the read; what is of the past is kept as such, and promotes nobody.
    pub(super) fn choose_link(&mut self, reading: &Reading, values: &mut FieldValues) {
        let (link, list) = link_of(self.standing.key.object);
        let Some((_, now)) = reading.values.iter().find(|(name, _)| *name == list) else { return };
        let Some(now) = ids_of(now) else { return };
        let current = self.standing.fields.get(link).as_text();
        let before = ids_of(self.standing.fields.get(list));
        let is_new = |id: &&str| match &before {
            Some(before) => !before.contains(id),
            None => self.is_just_made(reading),
        };
        let fresh = latest(now.iter().copied().filter(|id| Some(*id) != current).filter(is_new));
        if let Some(fresh) = fresh {
            values.push((link, Value::text(fresh)));
        } else if current.is_none_or(|id| !now.contains(&id)) {
            let past = latest(now.into_iter()).map_or(Value::Null, Value::text);
            self.standing.fields.set(link, past, Timestamp::MIN);
        }
    }

    /// The record was made as its pass began: whatever belongs to it was made or associated since.
    fn is_just_made(&self, reading: &Reading) -> bool {
        let created = reading.values.iter().find(|(name, _)| *name == well_known().created);
        let created = created.and_then(|(_, at)| at.as_time());
        let began = if self.standing.pass > 0 { self.standing.pass_began } else { reading.modified };
        !reading.import && created.is_some_and(|created| created + self.agreement.settle >= began)
    }
}

/// The one that was made last: ids grow.
fn latest<'a>(ids: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    ids.max_by_key(|id| (id.len(), *id))
}
