//! The examination of an installation: every check asks one thing, changes nothing, and says what
//! was looked at, what was found and what to do about it. What only the configuration's reader
//! knows (its warnings, missing signatures) is added by the command.

mod account;
mod address;
mod advice;
mod described;
mod fields;
mod grant;
mod heard;
mod needs;
mod people;
mod queues;
mod running;
mod senders;
mod slack;
mod surroundings;
mod values;

pub use account::silence;
pub use address::reached;
pub use grant::{grant, told as told_of_grant};
pub use needs::Needs;
pub use running::running;
pub use slack::{accounts as slack_accounts, buttons as slack_buttons};
pub use surroundings::{channels, database, is_loopback, open_to_look, public_url, without_slack};

use crate::agreement::Agreement;
use crate::crm::connection::{Connection, Mode};
use crate::crm::examine::OWN;
use crate::crm::{Crm, Expected, OwnField};
use crate::record::{FieldName, Object};
use std::time::Duration;

/// For everything about one connection; single calls have time-outs of their own.
const LONGEST: Duration = Duration::from_secs(90);

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    Ok,
    /// It works, but not as it may be meant.
    Warn,
    /// Something that was agreed will not happen.
    Fail,
}

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Check {
    pub verdict: Verdict,
    /// A connection's name, or `configuration`, `database`, `notices` and the like.
    pub about: String,
    /// What was looked at.
    pub what: String,
    /// What was found: the cause, where something is wrong.
    pub found: String,
    /// What to do, in one sentence; only where something is wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fix: Option<String>,
}

impl Check {
    pub fn ok(about: &str, what: impl Into<String>, found: impl Into<String>) -> Self {
        Self { verdict: Verdict::Ok, about: about.to_owned(), what: what.into(), found: found.into(), fix: None }
    }

    pub fn warn(about: &str, what: impl Into<String>, found: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { verdict: Verdict::Warn, fix: Some(fix.into()), ..Self::ok(about, what, found) }
    }

    pub fn fail(about: &str, what: impl Into<String>, found: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { verdict: Verdict::Fail, ..Self::warn(about, what, found, fix) }
    }
}

/// The worst of all; nothing wrong where there are none.
pub fn worst(checks: &[Check]) -> Verdict {
    checks.iter().map(|check| check.verdict).max().unwrap_or(Verdict::Ok)
}

/// Everything about one connection. Without an agreement the fields that it uses are not known, and
/// only what is mapped is looked at.
pub async fn connection(
    connection: &Connection,
    agreement: Option<&Agreement>,
    expected: Expected,
    crm: &dyn Crm,
) -> Vec<Check> {
    let examined = tokio::time::timeout(LONGEST, examine(connection, agreement, expected, crm)).await;
    examined.unwrap_or_else(|_| {
        let found = format!("not done after {} seconds", LONGEST.as_secs());
        vec![Check::fail(connection.name.as_str(), "CRM", found, advice::unreachable(connection))]
    })
}

async fn examine(
    connection: &Connection,
    agreement: Option<&Agreement>,
    mut expected: Expected,
    crm: &dyn Crm,
) -> Vec<Check> {
    let needs = agreement.map(|agreement| Needs::of(agreement, connection, crm)).unwrap_or_default();
    let wanted = needs.wanted();
    let (examined, people) = tokio::join!(crm.examine(&wanted), people::people(crm));
    let Some(examined) = examined else {
        return vec![Check::warn(
            connection.name.as_str(),
            "CRM",
            "this connection is only listened to: nothing can be read or written",
            "describe the CRM's requests under `connector` if records are to be read and moved",
        )];
    };
    let silence = account::silence(&examined);
    let mut checks = vec![account::credentials(connection, silence)];
    checks.extend(account::clock(connection, examined.ahead));
    checks.extend(account::allowance(connection, crm.usage()));
    // One cause is said once, not of everything that could not be asked.
    if silence.is_none() {
        expected.queues = queues::of(connection);
        let around = crm.look_around(&expected).await;
        let user = examined.account.as_ref().ok().and_then(|account| account.user.as_deref());
        checks.extend(account::account(connection, &examined));
        checks.extend(account::permissions(connection, &examined));
        for told in &examined.objects {
            checks.extend(fields::checks(connection, &needs, told));
        }
        checks.extend(senders::checks(connection, &expected, &around, user));
        checks.extend(people::checks(connection, agreement, &people));
        checks.extend(described::checks(connection, crm.lacks(&wanted).await));
        checks.extend(queues::checks(connection, &needs, &around.queues, &people));
        checks.extend(queues::automation(connection, user));
        checks.extend(queues::echoes(connection, &around.echoes));
    }
    checks.extend(fields::own(connection, &needs));
    checks.extend(people::unnamed(connection, &needs));
    checks.extend(account::loops(connection, &examined));
    checks
}

/// Whether the connection is meant to change records.
fn acts(connection: &Connection) -> bool {
    connection.mode == Some(Mode::Enforce)
}

/// The fields of our own that a connection maps: what `leadpact connect` creates.
pub fn own_fields(connection: &Connection) -> Vec<OwnField> {
    let mapped = |object: Object, name: FieldName| {
        let crm_name = connection.fields.get(&(object, name))?.clone();
        Some(OwnField { object, name, crm_name })
    };
    let names = own_names();
    let of = |object| names.into_iter().filter_map(move |name| mapped(object, name));
    of(Object::Lead).chain(of(Object::Opportunity)).collect()
}

/// What leadpact writes onto records besides what the agreement sets.
pub fn own_names() -> [FieldName; 5] {
    OWN.map(FieldName::new)
}

/// `lead field status (hs_lead_status)`
fn field_title(object: Object, name: FieldName, crm_name: &str) -> String {
    format!("{} field {name} ({crm_name})", object.as_str())
}
