//! Checks of what stands around the connections: the database, the channels that notices go to, and
//! the address that the internet knows us by.

use super::Check;
use crate::agreement::Agreement;
use crate::agreement::model::{Address, Audience};
use crate::notify::{Look, Notifiers, Seen};
use crate::store::examine::{self, Disk};
use crate::store::{Db, OpenOptions, StoreError};
use std::collections::BTreeSet;
use std::time::Duration;
use url::{Host, Url};

/// For looking a name up.
const LOOK_UP: Duration = Duration::from_secs(5);
/// For a whole round of questions to Slack or the mail server.
const LONGEST: Duration = Duration::from_secs(90);

const MIB: u64 = 1024 * 1024;
const GIB: u64 = 1024 * MIB;
/// With less than this left, the next busy hour may not be stored.
const LEAST_FREE: u64 = 64 * MIB;
/// As much as this, and as much as the database has, for its backup and its growth.
const ENOUGH_FREE: u64 = GIB;

/// The database of this URL, which may hold a password and is never shown.
pub async fn database(url: &str) -> Vec<Check> {
    const ABOUT: &str = "database";
    let examined = match examine::examine(url).await {
        Ok(Some(examined)) => examined,
        Ok(None) => {
            return vec![Check::ok(ABOUT, "file", "there is none yet; the first start makes it")];
        }
        Err(error) => return vec![Check::fail(ABOUT, "connection", error.to_string(), database_fix(&error))],
    };
    let schema = match (examined.empty, examined.pending) {
        (true, _) => "empty; the first start makes the tables".to_owned(),
        (false, 0) => "up to date".to_owned(),
        (false, 1) => "1 change is due, which the next start makes".to_owned(),
        (false, n) => format!("{n} changes are due, which the next start makes"),
    };
    let settings: Vec<String> = examined.settings.iter().map(|(name, value)| format!("{name} {value}")).collect();
    let durable = match examined.dangerous.as_slice() {
        [] => Check::ok(ABOUT, "durability", settings.join(", ")),
        names => Check::warn(
            ABOUT,
            "durability",
            format!("{} off: a power cut may destroy this database", names.join(" and ")),
            format!("set {} = on in postgresql.conf and restart PostgreSQL", names.join(" and ")),
        ),
    };
    let mut checks = vec![
        Check::ok(ABOUT, "connection", format!("{} answers", examined.engine)),
        Check::ok(ABOUT, "schema", schema),
        durable,
    ];
    checks.extend(examined.disk.map(|disk| room(ABOUT, disk)));
    checks
}

/// A full disk stops everything: what is received is refused, and nothing is written to a CRM.
fn room(about: &str, disk: Disk) -> Check {
    let found = format!("{} free, the database takes {}", bytes(disk.free), bytes(disk.database));
    let fix =
        "free some of the disk that [store] url names, or move the file to a larger one while leadpact is stopped";
    match disk.free {
        free if free < LEAST_FREE => Check::fail(about, "disk", found, fix),
        free if free < ENOUGH_FREE.max(disk.database) => Check::warn(about, "disk", found, fix),
        _ => Check::ok(about, "disk", found),
    }
}

/// `890 KiB`, `12 MiB`, `31 GiB`: rounded down, so that none is promised that is not there.
fn bytes(count: u64) -> String {
    match count {
        0..MIB => format!("{} KiB", count / 1024),
        MIB..GIB => format!("{} MiB", count / MIB),
        _ => format!("{} GiB", count / GIB),
    }
}

/// The database, where there is one whose tables are as this version wants them: what it holds can
/// be looked at then. Why it cannot be opened is told by [`database`].
pub async fn open_to_look(url: &str) -> Option<Db> {
    let examined = examine::examine(url).await.ok()??;
    if examined.empty || examined.pending > 0 {
        return None;
    }
    Db::open(url, &OpenOptions { only_look: true, max_connections: 2, ..OpenOptions::default() }).await.ok()
}

fn database_fix(error: &StoreError) -> &'static str {
    match error {
        StoreError::Misconfigured(_) => "correct [store] url, or the server's setting that is named",
        StoreError::TooNew { .. } => "run the newer leadpact that made this schema, or restore a backup from before",
        _ => "start the database, and check host, user, password and rights in [store] url",
    }
}

/// The channels that are configured, and those that the agreements name.
pub async fn channels(notifiers: &Notifiers, agreements: &[&Agreement]) -> Vec<Check> {
    const ABOUT: &str = "notices";
    let named = slack_channels(agreements);
    let names: Vec<&str> = named.iter().map(String::as_str).collect();
    let looks = match tokio::time::timeout(LONGEST, notifiers.examine(&names)).await {
        Ok(looks) => looks,
        Err(_) => {
            let found = format!("not done after {} seconds", LONGEST.as_secs());
            return vec![Check::fail(
                ABOUT,
                "channels",
                found,
                "run doctor again when Slack and the mail server answer",
            )];
        }
    };
    looks.into_iter().map(of_look).collect()
}

/// What a channel said of itself, as a check.
pub(super) fn of_look(look: Look) -> Check {
    const ABOUT: &str = "notices";
    match look.seen {
        Seen::Works(says) => Check::ok(ABOUT, look.at, says),
        Seen::Doubtful { says, fix } => Check::warn(ABOUT, look.at, says, fix),
        Seen::Broken { says, fix } => Check::fail(ABOUT, look.at, says, fix),
    }
}

/// For a configuration without Slack: an agreement that names a channel there.
pub fn without_slack(agreements: &[&Agreement]) -> Option<Check> {
    let named = slack_channels(agreements);
    let found = format!("the agreement names {}, and Slack is not configured", named.first()?);
    Some(Check::warn("notices", "Slack", found, "fill in [notify.slack], or name e-mail addresses in the agreement"))
}

fn slack_channels(agreements: &[&Agreement]) -> BTreeSet<String> {
    let slack = |address: &Address| match address {
        Address::Slack(channel) => Some(channel.to_string()),
        Address::Email(_) => None,
    };
    let parties = agreements.iter().flat_map(|a| &a.parties).flat_map(|p| p.notify.iter().chain(&p.manager));
    let steps = agreements.iter().flat_map(|a| &a.clocks).flat_map(|c| &c.steps).flat_map(|step| &step.notify);
    let of_steps = steps.filter_map(|audience| match audience {
        Audience::Address(address) => slack(address),
        _ => None,
    });
    parties.filter_map(slack).chain(of_steps).collect()
}

/// The address that CRMs send to. `acting`: some connection is meant to change records; `remote`:
/// some CRM is not on this machine.
pub async fn public_url(url: &Url, acting: bool, remote: bool) -> Vec<Check> {
    const ABOUT: &str = "public URL";
    let fix = "set [server] public_url to the https address that the internet knows this daemon by";
    let bad = |found: String| match acting && remote {
        true => Check::fail(ABOUT, url.as_str(), found, fix),
        false => Check::warn(ABOUT, url.as_str(), found, fix),
    };
    if !remote {
        return vec![Check::ok(ABOUT, url.as_str(), "every CRM is on this machine")];
    }
    if is_loopback(url) {
        return vec![bad("it is this machine's own address: no CRM can reach it".to_owned())];
    }
    let secure = (url.scheme() != "https").then(|| bad("it is not https: CRMs refuse to send there".to_owned()));
    secure.into_iter().chain([resolves(url).await]).collect()
}

async fn resolves(url: &Url) -> Check {
    const ABOUT: &str = "public URL";
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']).to_owned();
    let port = url.port_or_known_default().unwrap_or(443);
    let looked_up = tokio::time::timeout(LOOK_UP, tokio::net::lookup_host((host.as_str(), port))).await;
    let found = looked_up.is_ok_and(|answer| answer.is_ok_and(|mut addresses| addresses.next().is_some()));
    match found {
        true => Check::ok(ABOUT, url.as_str(), "its name resolves"),
        false => Check::fail(
            ABOUT,
            url.as_str(),
            format!("{host} does not resolve"),
            "make the DNS entry for this name, or correct [server] public_url",
        ),
    }
}

/// Whether this address is on this machine.
pub fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback() || address.is_unspecified(),
        Some(Host::Ipv6(address)) => address.is_loopback() || address.is_unspecified(),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::doctor::Verdict;

    #[test]
    fn a_disk_that_fills_up_is_told_before_it_is_full() {
        let verdict = |free, database| room("database", Disk { free, database }).verdict;
        assert_eq!(verdict(3 * GIB, 2 * GIB), Verdict::Ok);
        assert_eq!(verdict(3 * GIB, 4 * GIB), Verdict::Warn, "no backup of it fits");
        assert_eq!(verdict(GIB - 1, MIB), Verdict::Warn);
        assert_eq!(verdict(10 * MIB, MIB), Verdict::Fail);
        let found = room("database", Disk { free: 3 * GIB, database: 700 * 1024 }).found;
        assert_eq!(found, "3 GiB free, the database takes 700 KiB");
    }
}
