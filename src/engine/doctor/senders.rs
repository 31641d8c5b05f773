//! Checks of what tells us of changes in a CRM that can be asked for it: the outbound message of each
//! object, where it goes, and the flow that sends it.

use super::account::cause;
use super::{Check, advice};
use crate::crm::CrmError;
use crate::crm::around::{Around, Expected, Flow, Sender};
use crate::crm::connection::{Connection, Platform};
use crate::record::Object;
use secrecy::ExposeSecret;

pub(super) fn checks(connection: &Connection, expected: &Expected, around: &Around, user: Option<&str>) -> Vec<Check> {
    let name = connection.name.as_str();
    match &around.senders {
        None => Vec::new(),
        Some(Err(CrmError::Never { message })) => {
            let fix =
                "give leadpact's user View Setup and Configuration, or look in Setup › Outbound Messages yourself";
            vec![Check::warn(name, "outbound messages", format!("are not shown to leadpact: {message}"), fix)]
        }
        Some(Err(error)) => {
            let found = format!("cannot be looked at: {}", cause(error));
            vec![Check::warn(name, "outbound messages", found, "run doctor again when the CRM answers")]
        }
        Some(Ok(senders)) => {
            let one = |(object, watched): &(Object, Vec<String>)| {
                let its: Vec<&Sender> = senders.iter().filter(|sender| sender.object == *object).collect();
                Watched { connection, expected, object: *object, fields: watched, user }.checks(&its)
            };
            expected.watched.iter().flat_map(one).collect()
        }
    }
}

/// Whether a message comes to us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    Right,
    /// Ours by its address, and refused by us.
    OtherSecret,
    NoSecret,
    Elsewhere,
}

/// One object whose changes we have to hear of.
struct Watched<'a> {
    connection: &'a Connection,
    expected: &'a Expected,
    object: Object,
    fields: &'a [String],
    user: Option<&'a str>,
}

impl Watched<'_> {
    fn checks(&self, senders: &[&Sender]) -> Vec<Check> {
        let what = format!("outbound message of {}", self.theirs());
        let ways: Vec<(Way, &Sender)> = senders.iter().map(|sender| (self.way(&sender.target), *sender)).collect();
        let of = |wanted: Way| ways.iter().find(|(way, _)| *way == wanted).map(|(_, sender)| *sender);
        let fail = |found: String, fix: String| vec![Check::fail(self.name(), what.clone(), found, fix)];
        if let Some(sender) = of(Way::Right) {
            return self.sent(sender, what);
        }
        if let Some(sender) = of(Way::OtherSecret) {
            let found = format!("{} comes here with another path secret: every message is refused", sender.name);
            return fail(found, advice::redeploy(self.connection, "with SF_PATH_SECRET set to path_secret"));
        }
        if let Some(sender) = of(Way::NoSecret) {
            let found = format!("{} comes here without the path secret: every message is refused", sender.name);
            return fail(found, advice::redeploy(self.connection, "with SF_PATH_SECRET set to path_secret"));
        }
        match senders.first() {
            Some(sender) => {
                let found =
                    format!("{} goes to {}, and not to {}", sender.name, shown(&sender.target), self.expected.target);
                fail(found, advice::redeploy(self.connection, "or correct [server] public_url"))
            }
            None => {
                let found = "there is none: leadpact hears of changes by the sweep only".to_owned();
                fail(found, advice::redeploy(self.connection, "as its README.md says"))
            }
        }
    }

    fn name(&self) -> &str {
        self.connection.name.as_str()
    }

    fn theirs(&self) -> &'static str {
        match self.object {
            Object::Lead => "Lead",
            Object::Opportunity => "Opportunity",
        }
    }

    fn way(&self, target: &str) -> Way {
        let Some(rest) = target.strip_prefix(self.expected.target.as_str()) else { return Way::Elsewhere };
        let secret = match &self.connection.platform {
            Platform::Salesforce(settings) => settings.path_secret.as_ref(),
            _ => None,
        };
        match (rest, secret) {
            ("", None) => Way::Right,
            ("", Some(_)) => Way::NoSecret,
            (rest, Some(secret)) if rest.strip_prefix('/') == Some(secret.expose_secret()) => Way::Right,
            (rest, _) if rest.starts_with('/') => Way::OtherSecret,
            _ => Way::Elsewhere,
        }
    }

    /// A message that comes to us, and what is amiss with it all the same.
    fn sent(&self, sender: &Sender, what: String) -> Vec<Check> {
        let mut checks = Vec::new();
        if sender.with_session {
            let found = format!("{} carries a session of its user", sender.name);
            let fix = "untick Send Session ID in Setup › Outbound Messages: leadpact signs in by itself";
            checks.push(Check::warn(self.name(), what.clone(), found, fix));
        }
        if let (Some(given), Some(ours)) = (&sender.user, self.user)
            && given != ours
        {
            let found = format!("{} is filled in with the rights of {given}, and leadpact is {ours}", sender.name);
            let fix = "name leadpact's user as User to send as in Setup › Outbound Messages";
            checks.push(Check::warn(self.name(), what.clone(), found, fix));
        }
        checks.extend(match &sender.flow {
            None => vec![Check::warn(
                self.name(),
                format!("flow of {}", self.theirs()),
                format!("there is no flow Leadpact_{}, which would send {}", self.theirs(), sender.name),
                advice::redeploy(self.connection, "unless an automation of your own sends it"),
            )],
            Some(flow) => self.flow(flow),
        });
        if checks.is_empty() {
            let count = self.fields.len();
            checks.push(Check::ok(
                self.name(),
                what,
                format!("{} comes here, by an active flow on {count} fields", sender.name),
            ));
        }
        checks
    }

    fn flow(&self, flow: &Flow) -> Vec<Check> {
        let what = format!("flow of {}", self.theirs());
        if !flow.active {
            let found = format!("{} is not active: no message is sent", flow.name);
            return vec![Check::fail(self.name(), what, found, format!("activate {} in Setup › Flows", flow.name))];
        }
        let Some(starts_at) = &flow.starts_at else { return Vec::new() };
        let has = |list: &[String], name: &str| list.iter().any(|known| known.eq_ignore_ascii_case(name));
        let missed: Vec<&str> = self.fields.iter().map(String::as_str).filter(|field| !has(starts_at, field)).collect();
        let own = super::own_fields(self.connection);
        let looped = own.iter().find(|own| own.object == self.object && has(starts_at, &own.crm_name));
        let mut checks = Vec::new();
        if !missed.is_empty() {
            let found =
                format!("{} does not start when {} changes, which the agreement uses", flow.name, missed.join(", "));
            checks.push(Check::fail(
                self.name(),
                what.clone(),
                found,
                advice::redeploy(self.connection, "since the agreement changed"),
            ));
        }
        if let Some(own) = looped {
            let found = format!("{} starts when {} changes, which leadpact itself writes", flow.name, own.crm_name);
            checks.push(Check::fail(
                self.name(),
                what,
                found,
                advice::redeploy(self.connection, "or take the field out of its condition"),
            ));
        }
        checks
    }
}

/// An address without what may be a secret: no more than `/webhooks/NAME` of its path.
fn shown(target: &str) -> String {
    let Ok(url) = url::Url::parse(target) else { return "an address that cannot be read".to_owned() };
    let parts: Vec<&str> = url.path_segments().map(|parts| parts.take(2).collect()).unwrap_or_default();
    format!("{}/{}", url.origin().ascii_serialization(), parts.join("/"))
}
