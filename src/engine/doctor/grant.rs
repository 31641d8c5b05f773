//! What is known of a sign-in with a browser: who did it and when, how old its token is, and which key
//! keeps it. Whether the CRM accepts it is another check, and so is that nobody has signed in.

use super::Check;
use crate::crm::connection::Connection;
use crate::crm::oauth::BrowserSignIn;
use crate::engine::credentials::Credentials;
use crate::record::{Elapsed, Timestamp};
use crate::store::credential::{self, CredentialRow};
use jiff::tz::TimeZone;

/// `None` where nobody signs in with a browser, nobody has, or the database does not answer (which has a
/// check of its own). `now` is the real time.
pub async fn grant(
    connection: &Connection,
    credentials: Option<&Credentials>,
    zone: &TimeZone,
    now: Timestamp,
) -> Option<Check> {
    BrowserSignIn::of(connection)?;
    let credentials = credentials?;
    let row = credential::load(credentials.db(), &connection.name).await.ok()??;
    Some(check(connection.name.as_str(), &row, credentials.keys().first_id(), zone, now))
}

fn check(name: &str, row: &CredentialRow, first_key: Option<&str>, zone: &TimeZone, now: Timestamp) -> Check {
    let found = told(row, zone, now);
    match first_key {
        Some(first) if first != row.sealed.key_id => {
            let found = format!("{found}, which is not the first of credential_key");
            Check::warn(name, "sign-in", found, "run `leadpact credentials rotate` once every replica has both keys")
        }
        _ => Check::ok(name, "sign-in", found),
    }
}

/// `account 45540012, since … by dana; token of 3 minutes ago, it ends in 27 minutes; key 1f…`: no secret.
pub fn told(row: &CredentialRow, zone: &TimeZone, now: Timestamp) -> String {
    let ends = match row.expires_at {
        None => "its end is not told".to_owned(),
        Some(at) if at <= now => "it has ended, and is renewed when it is needed".to_owned(),
        Some(at) => format!("it ends in {}", length(at - now)),
    };
    let line = format!(
        "account {}, since {} by {}; token of {} ago, {ends}; key {}",
        row.account.as_deref().unwrap_or("unknown"),
        row.signed_in_at.in_zone(zone),
        row.signed_in_by,
        length(now - row.granted_at),
        row.sealed.key_id
    );
    // Names come from outside: a terminal must not take them for commands.
    line.chars().filter(|c| !c.is_control()).collect()
}

/// `40 seconds`, `12 minutes`, `3 hours`, `5 days`.
fn length(elapsed: Elapsed) -> String {
    let seconds = elapsed.as_millis().max(0) / 1000;
    let (n, unit) = match seconds {
        0..120 => (seconds, "second"),
        120..7200 => (seconds / 60, "minute"),
        7200..172_800 => (seconds / 3600, "hour"),
        _ => (seconds / 86_400, "day"),
    };
    let plural = if n == 1 { "" } else { "s" };
    format!("{n} {unit}{plural}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::doctor::Verdict;
    use crate::record::ConnectionName;
    use crate::store::seal::Sealed;

    fn row(expires: Option<i64>) -> CredentialRow {
        CredentialRow {
            connection: ConnectionName::new("acme"),
            version: 3,
            sealed: Sealed { key_id: "k1".into(), text: "sealed".into() },
            account: Some("45540012".into()),
            granted_at: Timestamp::from_millis(1_000_000),
            expires_at: expires.map(Timestamp::from_millis),
            signed_in_by: "dana\u{1b}[2J".into(),
            signed_in_at: Timestamp::from_millis(0),
        }
    }

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millis(millis)
    }

    #[test]
    fn who_signed_in_and_when_the_token_ends_is_said_without_what_a_terminal_would_obey() {
        let said = check("acme", &row(Some(2_800_000)), Some("k1"), &TimeZone::UTC, at(1_180_000));
        assert_eq!((said.verdict, said.what.as_str()), (Verdict::Ok, "sign-in"));
        assert!(said.found.starts_with("account 45540012, since 1970-01-01"), "{}", said.found);
        assert!(
            said.found.ends_with("by dana[2J; token of 3 minutes ago, it ends in 27 minutes; key k1"),
            "{}",
            said.found
        );
    }

    #[test]
    fn a_token_that_ended_is_no_failure_and_an_end_that_the_crm_does_not_tell_is_said() {
        assert!(told(&row(Some(1_100_000)), &TimeZone::UTC, at(1_200_000)).contains("it has ended, and is renewed"));
        assert!(told(&row(None), &TimeZone::UTC, at(1_001_000)).contains("token of 1 second ago, its end is not told"));
    }

    #[test]
    fn a_sign_in_that_another_than_the_first_key_keeps_asks_to_be_rotated() {
        let said = check("acme", &row(None), Some("k2"), &TimeZone::UTC, at(1_180_000));
        assert_eq!(said.verdict, Verdict::Warn);
        assert!(said.fix.is_some_and(|fix| fix.contains("leadpact credentials rotate")));
    }
}
