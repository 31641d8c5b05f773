//! Checks of answering in Slack: whether its clicks could be taken, and whether the people who take
//! records are known there by the address that they have in the CRM.

use super::surroundings::{is_loopback, of_look};
use super::{Check, Verdict};
use crate::crm::connection::{Connection, Roster};
use crate::crm::{Crm, Person};
use crate::notify::SlackPeople;
use std::collections::BTreeMap;
use url::Url;

const ABOUT: &str = "notices";
const BUTTONS: &str = "Slack buttons";
/// Slack lets an app look up some fifty people a minute.
const MOST: usize = 40;

/// Whether notices in Slack can be answered there. `signed`: a signing secret is configured; `people`: how
/// members are looked up, where there is a bot's token; `base`: the public address; `remote`: Slack is not on
/// this machine.
pub async fn buttons(people: Option<&SlackPeople>, signed: bool, base: &Url, remote: bool) -> Vec<Check> {
    let Some(people) = people else {
        let found = "a signing secret is set, but messages by an incoming webhook have no buttons";
        let fix = "add the app's bot token (xoxb-…) as [notify.slack] token";
        return signed.then(|| Check::warn(ABOUT, BUTTONS, found, fix)).into_iter().collect();
    };
    if !signed {
        let found = "off: [notify.slack] signing_secret is not set, so nobody can answer a notice there";
        return vec![Check::ok(ABOUT, BUTTONS, found)];
    }
    let mut checks: Vec<Check> = people.examine().await.into_iter().map(of_look).collect();
    let address = format!("{}/slack/actions", base.as_str().trim_end_matches('/'));
    if remote && is_loopback(base) {
        let found = format!("Slack cannot reach {address}, so that nobody's click arrives");
        checks.push(Check::warn(ABOUT, BUTTONS, found, "set server.public_url to the address that Slack reaches"));
    } else if checks.iter().all(|check| check.verdict != Verdict::Fail) {
        let found = format!(
            "on: a signing secret is set and clicks are taken at {address}, which has to stand in api.slack.com › \
             your app › Interactivity & Shortcuts › Request URL (Slack lets nobody ask whether it does)"
        );
        checks.push(Check::ok(ABOUT, BUTTONS, found));
    }
    checks
}

/// Whether Slack finds the members of parties by the address that the CRM has of them. Says nothing where it
/// cannot be asked, which has checks of its own.
pub async fn accounts(connection: &Connection, crm: &dyn Crm, slack: &SlackPeople) -> Vec<Check> {
    let rosters: Vec<&String> = connection.parties.values().flat_map(members).collect();
    if rosters.is_empty() {
        return Vec::new();
    }
    let Ok(people) = crm.people().await else { return Vec::new() };
    let found = rosters.into_iter().filter_map(|member| find(&people, member)).filter(|p| p.active && !p.queue);
    let found: BTreeMap<&str, &Person> = found.map(|person| (person.id.as_str(), person)).collect();
    let mut checks = Vec::new();
    let mut known = 0;
    for person in found.values().take(MOST) {
        match &person.email {
            None => checks.push(unknown(connection, person, "the CRM has no e-mail address of them")),
            Some(email) => match slack.knows(email).await {
                Ok(true) => known += 1,
                Ok(false) => {
                    checks.push(unknown(connection, person, "no active member of the workspace has their address"))
                }
                Err(_) => return Vec::new(),
            },
        }
    }
    if known > 0 {
        let of =
            if found.len() > MOST { format!("{MOST} looked up of {}", found.len()) } else { found.len().to_string() };
        let says = format!("{known} of {of} members are known there by their e-mail address");
        checks.push(Check::ok(connection.name.as_str(), "Slack accounts", says));
    }
    checks
}

fn members(roster: &Roster) -> &[String] {
    match roster {
        Roster::Members(members) => members,
        Roster::Queue(_) | Roster::Unassigned => &[],
    }
}

fn unknown(connection: &Connection, person: &Person, why: &str) -> Check {
    let what = format!("Slack account of {}", person.name);
    let fix = "give their Slack account and their CRM user the same address; until then they get e-mail, with links";
    Check::warn(connection.name.as_str(), what, why, fix)
}

fn find<'a>(people: &'a [Person], id_or_email: &str) -> Option<&'a Person> {
    let by_id = people.iter().find(|person| person.id.as_str() == id_or_email);
    let same = |person: &&Person| person.email.as_deref().is_some_and(|e| e.eq_ignore_ascii_case(id_or_email));
    by_id.or_else(|| people.iter().find(same))
}
