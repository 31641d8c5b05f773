//! Which settings there are and how the environment writes their values: what overrides and the
//! sections of the file are held against. What a setting means is not known here.

/// How the text of an environment variable becomes a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Text,
    /// A number, or `true` and `false`.
    Plain,
    /// `["a", "b"]`, or `a,b`.
    List,
    /// A table or a value as TOML writes it inside a line.
    Inline,
}

use Kind::{Inline, List, Plain, Text};

/// Every setting outside connections, by its path.
pub(super) const SETTINGS: &[(&str, Kind)] = &[
    ("agreement", Text),
    ("require_signatures", Plain),
    ("server.listen", Text),
    ("server.admin_listen", Text),
    ("server.admin_url", Text),
    ("server.public_url", Text),
    ("server.workers", Plain),
    ("server.oidc.issuer", Text),
    ("server.oidc.client_id", Text),
    ("server.oidc.client_secret", Text),
    ("server.oidc.scopes", List),
    ("server.oidc.name", Text),
    ("server.oidc.role_claim", Text),
    ("server.oidc.roles", Inline),
    ("server.oidc.roles.*", List),
    ("server.oidc.others", Text),
    ("server.oidc.session_hours", Plain),
    ("store.url", Text),
    ("store.max_connections", Plain),
    ("store.credential_key", List),
    ("schedule.wake", Text),
    ("schedule.reconcile", Text),
    ("notify.notify_in_observe", Plain),
    ("notify.templates", Text),
    ("notify.slack.token", Text),
    ("notify.slack.webhook_url", Text),
    ("notify.slack.signing_secret", Text),
    ("notify.slack.team", Text),
    ("notify.slack.base_url", Text),
    ("notify.email.smtp_url", Text),
    ("notify.email.from", Text),
    ("journal.mail_head_to", Text),
    ("log.format", Text),
    ("log.level", Text),
    ("retention.inbox_days", Plain),
    ("retention.history_months", Plain),
];

/// Every setting of a connection, by its path within; `*` is a name of the author's.
/// A connection's own name is how overrides find it.
pub(super) const CONNECTION: &[(&str, Kind)] = &[
    ("crm", Text),
    ("agreement", Text),
    ("mode", Text),
    ("base_url", Text),
    ("api_version", Text),
    ("backfill", Text),
    ("api_share", Plain),
    ("portal_id", Plain),
    ("access_token", Text),
    ("webhook_secret", List),
    ("lead_object", Text),
    ("organization_id", Text),
    ("sign_in", Text),
    ("login_url", Text),
    ("client_id", Text),
    ("client_secret", Text),
    ("private_key", Text),
    ("username", Text),
    ("path_secret", Text),
    ("client_certificate", Inline),
    ("client_certificate.header", Text),
    ("client_certificate.sha256", List),
    ("connector", Text),
    ("time_zone", Text),
    ("verify", Inline),
    ("verify.scheme", Text),
    ("verify.secret", List),
    ("verify.header", Text),
    ("verify.encoding", Text),
    ("verify.prefix", Text),
    ("fields", Inline),
    ("fields.lead.*", Text),
    ("fields.opportunity.*", Text),
    ("values", Inline),
    ("values.lead.*", Inline),
    ("values.opportunity.*", Inline),
    ("parties", Inline),
    ("parties.*", Inline),
    ("parties.*.members", List),
    ("parties.*.queue", Text),
    ("parties.*.unassigned", Plain),
    ("touches.types", List),
    ("touches.by", Text),
    ("touches.automation_users", List),
];

/// The kind of the setting at this path, if there is one.
pub(super) fn kind(settings: &[(&str, Kind)], path: &[String]) -> Option<Kind> {
    let matches = |pattern: &str| {
        pattern.split('.').count() == path.len()
            && pattern.split('.').zip(path).all(|(p, segment)| p == "*" && !segment.is_empty() || p == segment)
    };
    settings.iter().find(|(pattern, _)| matches(pattern)).map(|(_, kind)| *kind)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(path: &str) -> Option<Kind> {
        let path: Vec<String> = path.split('.').map(str::to_owned).collect();
        kind(CONNECTION, &path)
    }

    /// The default file with every setting uncommented, as paths; a connection's own without its head.
    fn documented() -> (Vec<Vec<String>>, Vec<Vec<String>>) {
        let bare = |line: &str| match line.strip_prefix('#') {
            Some(rest) if !rest.starts_with(' ') => rest.to_owned(),
            _ => line.to_owned(),
        };
        let text: Vec<String> = crate::settings::DEFAULT_FILE.lines().map(bare).collect();
        let table: toml::Table = text.join("\n").parse().expect("well-formed");
        let mut all = vec![];
        walk(&toml::Value::Table(table), &mut vec![], &mut all);
        let of_connections = all.extract_if(.., |path| path[0] == "connection").map(|p| p[1..].to_vec()).collect();
        (all, of_connections)
    }

    fn walk(value: &toml::Value, path: &mut Vec<String>, all: &mut Vec<Vec<String>>) {
        match value {
            toml::Value::Table(table) => table.iter().for_each(|(key, value)| {
                path.push(key.clone());
                all.push(path.clone());
                walk(value, path, all);
                path.pop();
            }),
            toml::Value::Array(list) => list.iter().for_each(|value| walk(value, path, all)),
            _ => {}
        }
    }

    #[test]
    fn the_default_file_shows_every_setting() {
        let (settings, connections) = documented();
        for (key, _) in SETTINGS {
            assert!(settings.iter().any(|path| kind(&[(*key, Text)], path).is_some()), "{key}");
        }
        // Shown in a comment there: a connection has one scheme only, and one way to sign in.
        let beside =
            ["verify.header", "verify.encoding", "verify.prefix", "sign_in", "login_url", "private_key", "username"];
        for (key, _) in CONNECTION.iter().filter(|(key, _)| !beside.contains(key)) {
            assert!(connections.iter().any(|path| kind(&[(*key, Text)], path).is_some()), "{key}");
        }
    }

    #[test]
    fn every_setting_of_the_default_file_can_be_overridden() {
        let whole = |path: &[String], of: &[(&str, Kind)]| (1..=path.len()).any(|n| kind(of, &path[..n]).is_some());
        let (settings, connections) = documented();
        let sections = [
            "server",
            "server.oidc",
            "store",
            "schedule",
            "notify",
            "notify.slack",
            "notify.email",
            "log",
            "retention",
            "journal",
        ];
        for path in settings.iter().filter(|path| !sections.contains(&path.join(".").as_str())) {
            assert!(whole(path, SETTINGS), "{path:?}");
        }
        for path in connections.iter().filter(|path| !["", "name", "touches"].contains(&path.join(".").as_str())) {
            assert!(whole(path, CONNECTION), "{path:?}");
        }
    }

    #[test]
    fn a_path_is_found_whole_and_with_names_of_the_authors() {
        assert_eq!(of("mode"), Some(Kind::Text));
        assert_eq!(of("parties.field_sales.members"), Some(Kind::List));
        assert_eq!(of("parties.field_sales.member"), None);
        assert_eq!(of("parties.field_sales"), Some(Kind::Inline));
        assert_eq!(of("touches"), None);
        assert_eq!(of("fields.lead."), None);
    }
}
