//! Whether changes really come by webhook: each change of the last days that we know is looked for
//! among the deliveries. What only sweeps found shows a subscription that is missing or does not
//! reach us, whatever the CRM's pages say.

use super::{Check, advice};
use crate::crm::around::Expected;
use crate::crm::connection::{Connection, Platform};
use crate::crm::{Crm, Says, VerifiedDelivery};
use crate::record::{Actor, Change, Elapsed, FieldName, Object, RecordId, Timestamp, What};
use crate::store::vitals::Taken;
use std::collections::{BTreeMap, HashMap};

/// How far is looked back.
pub(super) const WINDOW: Elapsed = Elapsed::from_secs(7 * 24 * 3600);
/// Most deliveries and changes that are looked at, the newest.
pub(super) const MOST: u32 = 5_000;
/// An event's own time and the one in the CRM's history may differ by this much.
const SLACK: Elapsed = Elapsed::from_secs(5);
/// Fewer changes may have been lost with a delivery.
const ENOUGH: usize = 3;

/// How changes of one field were learnt.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Heard {
    pub told: usize,
    pub found: usize,
}

type Told = HashMap<(Object, RecordId, FieldName), Vec<Timestamp>>;

/// For each field, how many of these changes a delivery told of and how many none did.
pub(super) fn heard(
    crm: &dyn Crm,
    deliveries: &[Taken],
    changes: &[(Object, RecordId, Change)],
) -> BTreeMap<(Object, FieldName), Heard> {
    let told = told(crm, deliveries);
    let mut heard: BTreeMap<(Object, FieldName), Heard> = BTreeMap::new();
    for (object, id, change) in changes {
        let What::Fields(values) = &change.what else { continue };
        if change.by == Actor::Leadpact {
            continue;
        }
        for (name, _) in values {
            let of = heard.entry((*object, *name)).or_default();
            let times = told.get(&(*object, id.clone(), *name)).into_iter().flatten();
            match times.into_iter().any(|at| *at - change.at <= SLACK && change.at - *at <= SLACK) {
                true => of.told += 1,
                false => of.found += 1,
            }
        }
    }
    heard
}

fn told(crm: &dyn Crm, deliveries: &[Taken]) -> Told {
    let mut told = Told::new();
    for delivery in deliveries {
        let verified = VerifiedDelivery::from_inbox(delivery.body.clone().into_bytes());
        // What cannot be read was set aside, which is told elsewhere.
        let events = crm.events(&verified).map(|events| events.events).unwrap_or_default();
        for event in events {
            let Says::Changed(values) = event.says else { continue };
            for (name, _) in values {
                told.entry((event.object, event.id.clone(), name)).or_default().push(event.at);
            }
        }
    }
    told
}

/// Only HubSpot's deliveries tell which field changed.
pub(super) fn checks(
    connection: &Connection,
    expected: &Expected,
    heard: &BTreeMap<(Object, FieldName), Heard>,
) -> Vec<Check> {
    if !matches!(connection.platform, Platform::HubSpot(_)) {
        return Vec::new();
    }
    let name = connection.name.as_str();
    let unheard = heard.iter().filter(|(_, heard)| heard.told == 0 && heard.found >= ENOUGH);
    let mut checks: Vec<Check> = unheard
        .map(|((object, field), heard)| {
            let crm_name = connection.fields.get(&(*object, *field)).map_or(field.as_str(), String::as_str);
            let found = format!(
                "{} changes of {crm_name} in the last 7 days were learnt by the sweep, none by webhook: its subscription \
                 is missing or does not reach {}",
                heard.found, expected.target
            );
            let what = format!("subscription to {} {field}", object.as_str());
            Check::warn(name, what, found, advice::redeploy(connection, "and see that the app is installed"))
        })
        .collect();
    let told: usize = heard.values().map(|heard| heard.told).sum();
    let found: usize = heard.values().map(|heard| heard.found).sum();
    if checks.is_empty() && told > 0 {
        let said = format!("{told} changes of the last 7 days came by webhook, {found} by the sweep alone");
        checks.push(Check::ok(name, "subscriptions", said));
    }
    checks
}
