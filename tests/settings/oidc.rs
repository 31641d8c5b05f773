//! `[server.oidc]`: what it says, and what is said about one that is wrong.

const OIDC: &str = "[server.oidc]\nissuer = \"https://login.acme.example/realm\"\nclient_id = \"leadpact\"\n\
                    client_secret = \"oidc-shh\"\n";

#[cfg(not(feature = "oidc"))]
#[test]
fn without_it_built_in_the_section_is_refused() {
    let shown = super::refused(OIDC, &[]);
    for part in ["this leadpact was built without single sign-on", "--features oidc", "leadpact.toml:1:1"] {
        assert!(shown.contains(part), "{part}\n{shown}");
    }
}

#[cfg(feature = "oidc")]
mod built_in {
    use super::super::{read, refused};
    use super::OIDC;
    use leadpact::engine::oidc::Others;
    use leadpact::record::Elapsed;
    use leadpact::store::role::Role;
    use secrecy::ExposeSecret;

    #[track_caller]
    fn check(more: &str, expected: &[&str]) {
        let shown = refused(&format!("{OIDC}{more}\n"), &[]);
        for part in expected {
            assert!(shown.contains(part), "{part}\n{shown}");
        }
    }

    #[track_caller]
    fn of_issuer(issuer: &str, expected: &str) {
        let shown = refused(&OIDC.replace("https://login.acme.example/realm", issuer), &[]);
        assert!(shown.contains(expected) && shown.contains("leadpact.toml:2:10"), "{shown}");
    }

    #[test]
    fn little_is_enough_and_the_secret_does_not_show() {
        let settings = read(OIDC, &[]);
        assert!(!format!("{settings:?}").contains("oidc-shh"), "{settings:?}");
        let oidc = settings.server.oidc.expect("oidc");
        assert_eq!((oidc.issuer.as_str(), oidc.client_id.as_str()), ("https://login.acme.example/realm", "leadpact"));
        assert_eq!(oidc.client_secret.expose_secret(), "oidc-shh");
        assert_eq!((oidc.scopes, oidc.name.as_str()), (vec!["email".into(), "profile".into()], "login.acme.example"));
        assert_eq!((oidc.role_claim.as_str(), oidc.roles, oidc.others), ("groups", vec![], Others::Refuse));
        assert_eq!(oidc.session, Elapsed::from_secs(12 * 3600));
    }

    #[test]
    fn all_of_it_can_be_said_by_the_environment_too() {
        let more = "scopes = [\"openid\", \"groups\"]\nname = \"Acme\"\nrole_claim = \"realm_access.roles\"\n\
                    roles = { admin = [\"it\"], viewer = [\"sales\", \"ops\"] }\nothers = \"viewer\"\nsession_hours = 1\n";
        let environment = [("LEADPACT_SERVER__OIDC__ROLES__SIGNER", "heads"), ("SSO_SECRET", "from-env")];
        let text = format!("{OIDC}{more}").replace("oidc-shh", "${SSO_SECRET}");
        let oidc = read(&text, &environment).server.oidc.expect("oidc");
        assert_eq!(oidc.client_secret.expose_secret(), "from-env");
        assert_eq!((oidc.scopes, oidc.others), (vec!["groups".to_owned()], Others::Viewer));
        assert_eq!(oidc.session, Elapsed::from_secs(3600));
        for (value, role) in [("it", Role::Admin), ("ops", Role::Viewer), ("heads", Role::Signer)] {
            assert!(oidc.roles.iter().any(|(r, values)| *r == role && values.iter().any(|v| v == value)), "{value}");
        }
    }

    #[test]
    fn an_issuer_is_an_https_address_or_this_machine() {
        of_issuer("http://login.acme.example", "`issuer` must begin with https://");
        of_issuer("login.acme.example", "`issuer` must be a URL");
        of_issuer("https://u:p@login.acme.example", "`issuer` holds a user or a password");
        of_issuer("https://a.example/.well-known/openid-configuration", "is the address of its document");
        read(&OIDC.replace("https://login.acme.example", "http://127.0.0.1:9100"), &[]);
    }

    #[test]
    fn mistakes_are_shown_with_what_was_probably_meant() {
        check("isuer = \"x\"", &["unknown key `isuer`", "leadpact.toml:5:1"]);
        check("others = \"viewers\"", &["`others` cannot be this", "did you mean `viewer`?"]);
        check("roles = { admins = [\"it\"] }", &["`admins` is no role", "did you mean `admin`?"]);
        check("roles = { admin = [] }", &["`admin` names no value of the claim"]);
        check("roles = { admin = [\" \"] }", &["an entry of `admin` is empty"]);
        check("roles = { admin = \"it\" }", &["`admin` must be a list"]);
        check("role_claim = \"roles\"", &["`role_claim` names roles, and `roles` is not there"]);
        check("session_hours = 169", &["`session_hours` must be at most 168"]);
        check("session_hours = 0", &["`session_hours` must be a whole number from 1"]);
        check("scopes = [\"email profile\"]", &["an entry of `scopes` is no scope"]);
        check("name = \" \"", &["`name` is empty"]);
        for key in ["issuer", "client_id", "client_secret"] {
            let without: String =
                OIDC.lines().filter(|line| !line.starts_with(key)).map(|l| format!("{l}\n")).collect();
            assert!(refused(&without, &[]).contains(&format!("`oidc` has no `{key}`")), "{}", refused(&without, &[]));
        }
    }
}
