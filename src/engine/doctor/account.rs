//! Checks of what lies between us and the CRM: its answer, clocks, whose account it is, what the
//! credentials may do, and whether our own writes could come back to us.

use super::{Check, acts, advice};
use crate::crm::connection::{Connection, Platform, Roster};
use crate::crm::usage::{LAST, Usage};
use crate::crm::{CrmError, Examined};
use crate::record::Elapsed;

/// A `Date` counts whole seconds, and the answer was on its way.
const DRIFT: Elapsed = Elapsed::from_secs(30);
/// Beyond this, signatures are refused.
const BROKEN: Elapsed = Elapsed::from_secs(300);

/// What kept every question from being answered; `None` where one was, which shows that the
/// credentials are taken.
pub fn silence(examined: &Examined) -> Option<&CrmError> {
    let fields = examined.objects.iter().map(|told| told.fields.as_ref().err());
    // Account and scopes of a browser's sign-in are known from when it was granted, whatever became of it.
    let refused: Option<Vec<&CrmError>> =
        fields.clone().map(|error| error.filter(|e| matches!(e, CrmError::SignIn { .. }))).collect();
    if let Some(first) = refused.and_then(|all| all.first().copied()) {
        return Some(first);
    }
    let answers = [examined.account.as_ref().err(), examined.permissions.as_ref().err()].into_iter().chain(fields);
    let failures: Option<Vec<&CrmError>> = answers.collect();
    let failures = failures?;
    failures.iter().find(|e| matches!(e, CrmError::SignIn { .. })).or(failures.first()).copied()
}

pub(super) fn credentials(connection: &Connection, silence: Option<&CrmError>) -> Check {
    let name = connection.name.as_str();
    match silence {
        None => Check::ok(name, "credentials", "accepted"),
        Some(CrmError::SignIn { message }) => {
            Check::fail(name, "credentials", message, advice::sign_in(connection, message))
        }
        Some(CrmError::Never { message }) => Check::fail(name, "CRM", message, advice::refused(connection)),
        Some(error) => Check::fail(name, "CRM", cause(error), advice::unanswered(connection, cause(error))),
    }
}

/// Without what it would mean for a write.
pub(super) fn cause(error: &CrmError) -> &str {
    match error {
        CrmError::Later { message, .. }
        | CrmError::Doubt { message }
        | CrmError::Never { message }
        | CrmError::SignIn { message } => message,
    }
}

pub(super) fn clock(connection: &Connection, ahead: Option<Elapsed>) -> Option<Check> {
    let name = connection.name.as_str();
    let what = "clock";
    let off = ahead?;
    let distance = if off < Elapsed::from_secs(0) { Elapsed::from_millis(-off.as_millis()) } else { off };
    let found = || match off < Elapsed::from_secs(0) {
        true => format!("this machine is {distance} ahead of the CRM"),
        false => format!("this machine is {distance} behind the CRM"),
    };
    Some(match () {
        () if distance > BROKEN => Check::fail(name, what, found(), advice::clock()),
        () if distance > DRIFT => Check::warn(name, what, found(), advice::clock()),
        () => Check::ok(name, what, "agrees with the CRM's"),
    })
}

pub(super) fn account(connection: &Connection, examined: &Examined) -> Option<Check> {
    let (name, what) = (connection.name.as_str(), if is_salesforce(connection) { "organization" } else { "account" });
    let account = match &examined.account {
        Ok(account) => account,
        Err(CrmError::Never { message }) => {
            return Some(Check::warn(name, what, format!("cannot be told: {message}"), advice::no_account(connection)));
        }
        Err(error) => {
            let found = format!("cannot be told: {}", cause(error));
            return Some(Check::warn(name, what, found, advice::unreachable(connection)));
        }
    };
    Some(match &account.configured {
        Some(configured) if *configured == account.id => Check::ok(name, what, account.id.clone()),
        Some(configured) => {
            let found = format!("the credentials open {}, the configuration names {configured}", account.id);
            Check::fail(name, what, found, advice::account(connection, &account.id))
        }
        None => {
            let found = format!("{}, and the configuration names none: events of any account are taken", account.id);
            Check::warn(name, what, found, advice::account(connection, &account.id))
        }
    })
}

pub(super) fn permissions(connection: &Connection, examined: &Examined) -> Vec<Check> {
    let name = connection.name.as_str();
    let what = if is_salesforce(connection) { "permission" } else { "scope" };
    match &examined.permissions {
        Ok(all) => {
            let lacking = all.iter().filter(|permission| !permission.granted);
            let lacking = lacking.map(|permission| {
                let found = format!("not granted; needed {}", permission.reason);
                let fix = advice::permission(connection, &permission.name);
                Check::fail(name, format!("{what} {}", permission.name), found, fix)
            });
            let granted: Vec<&str> = all.iter().filter(|p| p.granted).map(|p| p.name.as_str()).collect();
            let there = (!granted.is_empty())
                .then(|| Check::ok(name, format!("{what}s"), format!("granted: {}", granted.join(", "))));
            there.into_iter().chain(lacking).collect()
        }
        // Only tokens of private apps can be asked; the calls beside this one show what is allowed.
        Err(CrmError::Never { .. } | CrmError::SignIn { .. }) => {
            vec![Check::ok(name, format!("{what}s"), "not listed for this kind of token; the calls below were tried")]
        }
        Err(error) => vec![Check::warn(
            name,
            format!("{what}s"),
            format!("cannot be listed: {}", cause(error)),
            "run doctor again when the CRM answers",
        )],
    }
}

/// How much of the CRM's calls is left, as its last answer told; nothing where none did.
pub(super) fn allowance(connection: &Connection, usage: Option<Usage>) -> Option<Check> {
    let (name, what) = (connection.name.as_str(), "calls");
    let day = usage?.day?;
    let percent = (day.share() * 100.0).round();
    let found = format!("{} of {} calls of the day are used ({percent}%)", day.used, day.limit);
    let share = connection.api_share;
    Some(match () {
        () if day.share() >= LAST => Check::fail(
            name,
            what,
            format!("{found}, and leadpact leaves the rest to people: it stands still"),
            "find out what else calls the CRM so often, or buy more calls",
        ),
        () if day.share() >= share => Check::warn(
            name,
            what,
            format!("{found}: sweeps and imports rest above {}%", (share * 100.0).round()),
            "find out what else calls the CRM so often, or raise api_share of this connection",
        ),
        () => Check::ok(name, what, found),
    })
}

/// What we write must not look like news to us, nor the user that we are like one of the people.
pub(super) fn loops(connection: &Connection, examined: &Examined) -> Vec<Check> {
    let name = connection.name.as_str();
    let what = "loop guard";
    let ours = super::own_fields(connection);
    let doubled = connection.fields.iter().find_map(|((object, field), crm_name)| {
        let same = |own: &&crate::crm::OwnField| {
            own.object == *object && own.name != *field && own.crm_name.eq_ignore_ascii_case(crm_name)
        };
        ours.iter().find(same).map(|own| (own, *field))
    });
    if let Some((own, field)) = doubled {
        let found = format!(
            "{} is both {} {}, which leadpact writes, and {field}, which it reads",
            own.crm_name,
            own.object.as_str(),
            own.name
        );
        let fix = format!("map {} to a field of its own", own.name);
        return vec![Check::fail(name, what, found, fix)];
    }
    let user = examined.account.as_ref().ok().and_then(|account| account.user.as_deref());
    let is_us = |member: &String| user.is_some_and(|user| member == user);
    let taken =
        connection.parties.iter().find(|(_, roster)| matches!(roster, Roster::Members(all) if all.iter().any(is_us)));
    if let (Some((party, _)), Some(user)) = (taken, user) {
        let found =
            format!("{user}, whom leadpact signs in as, is a member of {party}: its writes look like a person's");
        let fix = "let leadpact sign in as an integration user of its own, who owns no records".to_owned();
        return vec![if acts(connection) {
            Check::fail(name, what, found, fix)
        } else {
            Check::warn(name, what, found, fix)
        }];
    }
    vec![Check::ok(name, what, "nothing that leadpact writes is read back as news")]
}

fn is_salesforce(connection: &Connection) -> bool {
    matches!(connection.platform, Platform::Salesforce(_))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crm::examine::{Account, ObjectTold};
    use crate::record::Object;

    fn examined(leads: CrmError, opportunities: CrmError) -> Examined {
        let told = |object, theirs, error| ObjectTold { object, theirs, fields: Err(error) };
        Examined {
            ahead: None,
            account: Ok(Account { id: "45540012".into(), configured: None, user: None }),
            permissions: Ok(Vec::new()),
            objects: vec![told(Object::Lead, "contacts", leads), told(Object::Opportunity, "deals", opportunities)],
        }
    }

    #[test]
    fn a_revoked_grant_is_one_cause_although_its_account_is_still_known() {
        let refused = || CrmError::SignIn { message: "revoked".into() };
        assert!(matches!(silence(&examined(refused(), refused())), Some(CrmError::SignIn { .. })));
        let missing = CrmError::Never { message: "needs crm.objects.deals.read".into() };
        assert!(silence(&examined(refused(), missing)).is_none(), "somebody was let in");
    }
}
