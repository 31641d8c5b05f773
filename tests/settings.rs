//! The configuration from outside: the reference example, the shipped file, overrides, secrets, and
//! what is said about files that are wrong.

use leadpact::crm::connection::{
    Backfill, GenericVerify, HubSpotAuth, Mode, Platform, Roster, SalesforceAuth, SignatureEncoding, TouchBy,
};
use leadpact::record::{FieldName, Object, OwnerId, PartyName};
use leadpact::settings::{DEFAULT_FILE, Environment, LogFormat, Settings, check_against, from_text, load};
use secrecy::ExposeSecret;
use std::path::Path;

#[path = "settings/oidc.rs"]
mod oidc;
#[path = "settings/sign_in.rs"]
mod sign_in;

const REFERENCE: &str = include_str!("settings/reference.toml");

const SECRETS: &[(&str, &str)] = &[
    ("HUBSPOT_ACCESS_TOKEN", "pat-na1-shh"),
    ("HUBSPOT_CLIENT_SECRET", "hub-shh"),
    ("SF_CLIENT_ID", "id-shh"),
    ("SF_CLIENT_SECRET", "force-shh"),
    ("SF_PATH_SECRET", "path-shh"),
    ("OIDC_CLIENT_SECRET", "oidc-shh"),
    ("FRAPPE_API_KEY", "key-shh"),
    ("FRAPPE_API_SECRET", "api-shh"),
    ("FRAPPE_WEBHOOK_SECRET", "web-shh"),
    ("OTHER_SECRET", "whsec_c2hoLXNoaC1zaGgtc2hoLXNoaC1zaGg="),
    ("SLACK_BOT_TOKEN", "xoxb-shh"),
    ("SLACK_WEBHOOK_URL", "https://hooks.slack.example/shh"),
    ("SLACK_SIGNING_SECRET", "sign-shh"),
    ("SMTP_URL", "smtps://leadpact:mail-shh@smtp.acme.example"),
];

fn environment(more: &[(&str, &str)]) -> Environment {
    SECRETS.iter().chain(more).copied().collect()
}

fn read(text: &str, more: &[(&str, &str)]) -> Settings {
    from_text("conf/leadpact.toml", text, &environment(more)).unwrap_or_else(|report| panic!("{report}")).0
}

/// What is shown for a configuration that has to be refused.
fn refused(text: &str, more: &[(&str, &str)]) -> String {
    from_text("leadpact.toml", text, &environment(more)).expect_err(text).render(false)
}

fn warned(text: &str) -> String {
    from_text("leadpact.toml", text, &environment(&[])).unwrap_or_else(|report| panic!("{report}")).1.render(false)
}

/// A small HubSpot connection, with more lines in its table.
fn hubspot(more: &str) -> String {
    format!(
        "[[connection]]\nname = \"acme-hubspot\"\ncrm = \"hubspot\"\naccess_token = \"t\"\nwebhook_secret = [\"s\"]\n{more}\n"
    )
}

fn salesforce(organization: &str) -> String {
    format!(
        "[[connection]]\nname = \"sf\"\ncrm = \"salesforce\"\nbase_url = \"https://a.example\"\nclient_id = \"i\"\n\
         client_secret = \"s\"\norganization_id = \"{organization}\"\n"
    )
}

mod the_reference_example {
    use super::*;

    #[test]
    fn is_read_whole_and_without_a_warning() {
        let (settings, report) = from_text("conf/leadpact.toml", REFERENCE, &environment(&[])).expect("valid");
        assert!(report.problems.is_empty(), "{report}");
        assert_eq!(settings.agreement, Path::new("conf/agreement.toml"));
        assert!(settings.require_signatures);
        assert_eq!(settings.server.listen.to_string(), "127.0.0.1:8080");
        assert_eq!(settings.server.public_base(), "https://leadpact.acme.example");
        assert_eq!(settings.store.url.expose_secret(), "sqlite://leadpact.db");
        let names: Vec<&str> = settings.connections.iter().map(|c| c.name.as_str()).collect();
        assert_eq!(names, ["acme-hubspot", "acme-salesforce", "acme-other"]);
        let slack = settings.notify.slack.expect("slack");
        assert_eq!(slack.token.expect("token").expose_secret(), "xoxb-shh");
        assert_eq!(settings.notify.slack_signing_secrets[0].expose_secret(), "sign-shh");
        assert_eq!(settings.notify.email.expect("email").from, "leadpact <sla@acme.example>");
    }

    #[test]
    fn says_all_of_its_hubspot() {
        let connection = &read(REFERENCE, &[]).connections[0];
        assert_eq!(connection.mode, Some(Mode::Enforce));
        assert_eq!(connection.base_url, "https://api.hubapi.com");
        assert_eq!(connection.api_version, "2026-03");
        assert_eq!(connection.backfill, Backfill::FromCrm);
        assert_eq!(connection.api_share, 0.5);
        let field = |name| connection.fields.get(&(Object::Lead, FieldName::new(name))).map(String::as_str);
        assert_eq!(field("status"), Some("hs_lead_status"));
        assert_eq!(field("violation"), Some("leadpact_violations"));
        let values = &connection.values[&(Object::Lead, FieldName::new("status"))];
        let expect = ("Qualified by marketing".to_owned(), vec!["MARKETING_QUALIFIED".to_owned(), "MQL".to_owned()]);
        assert_eq!(*values, [expect]);
        assert_eq!(
            connection.parties[&PartyName::new("teleprospecting")],
            Roster::Members(vec!["7020".into(), "7021".into()])
        );
        assert_eq!(connection.parties[&PartyName::new("field_sales")], Roster::Unassigned);
        assert_eq!(connection.touches.by, TouchBy::Party);
        assert_eq!(connection.touches.automation_users, [OwnerId::new("7099")]);
        let Platform::HubSpot(own) = &connection.platform else { panic!("{connection:?}") };
        assert_eq!((own.portal_id, own.lead_object.as_str()), (Some(45_540_012), "contacts"));
        let HubSpotAuth::AccessToken(token) = &own.auth else { panic!("{own:?}") };
        assert_eq!(token.expose_secret(), "pat-na1-shh");
        assert_eq!(own.webhook_secret[0].expose_secret(), "hub-shh");
    }

    #[test]
    fn says_all_of_its_salesforce_with_ids_of_eighteen_characters() {
        let connection = &read(REFERENCE, &[]).connections[1];
        assert_eq!(connection.mode, None, "so that it can be armed");
        assert_eq!(connection.parties[&PartyName::new("teleprospecting")], Roster::Queue("00G5g000004XYZAEA4".into()));
        let Platform::Salesforce(own) = &connection.platform else { panic!("{connection:?}") };
        assert_eq!(own.organization_id, "00D5g000004XyZaEAK");
        let SalesforceAuth::ClientCredentials { client_id, client_secret } = &own.auth else { panic!("{own:?}") };
        assert_eq!((client_id.expose_secret(), client_secret.expose_secret()), ("id-shh", "force-shh"));
        let certificate = own.client_certificate.as_ref().expect("certificate");
        assert_eq!(certificate.header, "x-client-cert-sha256");
        assert_eq!(own.path_secret.as_ref().expect("secret").expose_secret(), "path-shh");
    }

    #[test]
    fn never_shows_a_secret_in_debug_output() {
        let shown = format!("{:?}", read(REFERENCE, &[("LEADPACT_STORE__URL", "postgres://u:pg-shh@h/d")]));
        assert!(!shown.contains("shh") && !shown.contains("c2ho"), "{shown}");
    }

    #[test]
    fn shows_no_secret_when_values_of_the_environment_are_wrong() {
        let text = REFERENCE.replace("mode           = \"enforce\"", "mode = \"${HUBSPOT_CLIENT_SECRET}\"");
        let text =
            text.replace("https://api.hubapi.com", "${SLACK_BOT_TOKEN}").replace("${SMTP_URL}", "${SF_CLIENT_ID}");
        let shown = refused(&text, &[("LEADPACT_STORE__URL", "mysql://u:pg-shh@h/d")]);
        assert!(shown.contains("`mode` cannot be this") && shown.contains("`smtp_url` must begin"), "{shown}");
        assert!(!shown.contains("shh"), "{shown}");
    }
}

mod the_shipped_file {
    use super::*;

    #[test]
    fn says_what_is_so_without_it() {
        let shipped = from_text("leadpact.toml", DEFAULT_FILE, &Environment::default()).expect("valid").0;
        let empty = from_text("leadpact.toml", "", &Environment::default()).expect("valid").0;
        assert_eq!(format!("{shipped:?}"), format!("{empty:?}"));
        assert_eq!(shipped.store.url.expose_secret(), empty.store.url.expose_secret());
        assert_eq!(empty.log.format, LogFormat::Human);
        assert_eq!((empty.retention.inbox_days, empty.retention.history_months), (30, 13));
    }

    #[test]
    fn is_valid_with_every_setting_uncommented() {
        let bare = |line: &str| match line.strip_prefix('#') {
            Some(rest) if !rest.starts_with(' ') => rest.to_owned(),
            _ => line.to_owned(),
        };
        let text: Vec<String> = DEFAULT_FILE.lines().map(bare).collect();
        let key = [("LEADPACT_CREDENTIAL_KEY", "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=")];
        let text = text.join("\n");
        let (before, section) = text.split_once("[server.oidc]").expect("the section");
        let (_, after) = section.split_once("[store]").expect("the next one");
        // Only a leadpact that was built with it takes the section.
        let text = if cfg!(feature = "oidc") { text.clone() } else { format!("{before}[store]{after}") };
        let settings = read(&text, &key);
        assert_eq!(settings.server.oidc.is_some(), cfg!(feature = "oidc"));
        assert_eq!(settings.connections.len(), 4);
        let connection = &settings.connections[0];
        let plain = &read(&hubspot(""), &[]).connections[0];
        assert_eq!(connection.base_url, plain.base_url);
        assert_eq!(connection.api_version, plain.api_version);
        assert_eq!(connection.backfill, plain.backfill);
        assert_eq!(connection.touches, plain.touches);
    }

    #[test]
    fn that_is_not_there_is_said_so() {
        let report = load(Path::new("nowhere/leadpact.toml"), &Environment::default()).expect_err("no such file");
        assert!(report.render(false).contains("nowhere/leadpact.toml: cannot be read"), "{report}");
    }
}

mod overrides {
    use super::*;

    #[test]
    fn go_before_the_file() {
        let settings = read(
            REFERENCE,
            &[
                ("LEADPACT_SERVER__LISTEN", "0.0.0.0:9000"),
                ("LEADPACT_SERVER__WORKERS", "3"),
                ("LEADPACT_REQUIRE_SIGNATURES", "false"),
                ("LEADPACT_LOG__LEVEL", "debug"),
                ("LEADPACT_RETENTION__INBOX_DAYS", "7"),
                ("LEADPACT_CONNECTION__ACME_HUBSPOT__MODE", "observe"),
                ("LEADPACT_CONNECTION__ACME_HUBSPOT__WEBHOOK_SECRET", "new-shh, old-shh"),
                ("LEADPACT_CONNECTION__ACME_HUBSPOT__FIELDS__LEAD__STATUS", "lifecyclestage"),
                ("LEADPACT_CONNECTION__ACME_HUBSPOT__PARTIES__FIELD_SALES", "{ members = [\"7\"] }"),
                ("LEADPACT_CONNECTION__ACME_SALESFORCE__BASE_URL", "http://127.0.0.1:4000/"),
            ],
        );
        assert_eq!(settings.server.listen.to_string(), "0.0.0.0:9000");
        assert_eq!(settings.server.workers.map(|n| n.get()), Some(3));
        assert!(!settings.require_signatures);
        assert_eq!(settings.log.level, "debug");
        assert_eq!(settings.retention.inbox_days, 7, "though the file has no such section");
        let connection = &settings.connections[0];
        assert_eq!(connection.mode, Some(Mode::Observe));
        assert_eq!(connection.fields[&(Object::Lead, FieldName::new("status"))], "lifecyclestage");
        assert_eq!(connection.parties[&PartyName::new("field_sales")], Roster::Members(vec!["7".into()]));
        let Platform::HubSpot(own) = &connection.platform else { panic!("{connection:?}") };
        let secrets: Vec<&str> = own.webhook_secret.iter().map(ExposeSecret::expose_secret).collect();
        assert_eq!(secrets, ["new-shh", "old-shh"]);
        assert_eq!(settings.connections[1].base_url, "http://127.0.0.1:4000");
    }

    #[test]
    fn are_taken_as_they_are_and_spare_what_they_replace() {
        let text = "[store]\nurl = \"${NOT_SET}\"\n";
        let settings = read(text, &[("LEADPACT_STORE__URL", "postgres://u:${x@h/d")]);
        assert_eq!(settings.store.url.expose_secret(), "postgres://u:${x@h/d");
    }

    #[test]
    fn that_are_wrong_are_called_by_their_variable() {
        let shown = refused(
            REFERENCE,
            &[
                ("LEADPACT_SERVER__LISTEN", "somewhere"),
                ("LEADPACT_SERVER__LISTNE", "127.0.0.1:1"),
                ("LEADPACT_SERVER__WORKERS", "many"),
                ("LEADPACT_CONNECTION__ACME_HUBSPT__MODE", "observe"),
                ("LEADPACT_CONNECTION__ACME_HUBSPOT__MODE", "enforced"),
            ],
        );
        for expect in [
            "LEADPACT_SERVER__LISTEN in the environment: `listen` must be an IP address with a port",
            "LEADPACT_SERVER__LISTNE in the environment is no setting",
            "did you mean LEADPACT_SERVER__LISTEN?",
            "LEADPACT_SERVER__WORKERS in the environment: this must be a number, true or false",
            "LEADPACT_CONNECTION__ACME_HUBSPT__MODE in the environment is no setting",
            "did you mean LEADPACT_CONNECTION__ACME_HUBSPOT__MODE?",
            "LEADPACT_CONNECTION__ACME_HUBSPOT__MODE in the environment: `mode` cannot be this",
            "did you mean `enforce`?",
        ] {
            assert!(shown.contains(expect), "{expect}\n{shown}");
        }
    }

    #[test]
    fn are_not_seen_in_variables_of_other_purposes() {
        let others = [
            ("LEADPACT_CONFIG", "leadpact.toml"),
            ("LEADPACT_LOG", "debug"),
            ("LEADPACT_TEST_POSTGRES", "postgres://localhost"),
            // What Kubernetes sets for a service called leadpact.
            ("LEADPACT_SERVICE_HOST", "10.0.0.1"),
            ("LEADPACT_SERVICE_PORT_HTTP", "80"),
            ("LEADPACT_PORT", "tcp://10.0.0.1:80"),
            ("LEADPACT_PORT_80_TCP_ADDR", "10.0.0.1"),
            // Asked for by the file.
            ("LEADPACT_DB_PASSWORD", "x"),
        ];
        let text = "[store]\nurl = \"postgres://u:${LEADPACT_DB_PASSWORD}@h/d\"\n";
        assert_eq!(read(text, &others).store.url.expose_secret(), "postgres://u:x@h/d");
        assert!(refused("", &[("LEADPACT_PORT", "8080")]).contains("LEADPACT_PORT in the environment is no setting"));
    }
}

mod problems {
    use super::*;

    #[track_caller]
    fn check(text: &str, expect: &[&str]) {
        let shown = refused(text, &[]);
        for part in expect {
            assert!(shown.contains(part), "missing: {part}\n{shown}");
        }
    }

    #[test]
    fn are_shown_all_at_once_with_place_caret_and_suggestion() {
        let text = "agrement = \"a.toml\"\n\n[server]\nlisten = 8080\n\n[schedule]\nwake = \"*/5 * * * *\"\n\n\
                    [[connection]]\nname = \"acme\"\ncrm = \"hubspt\"\nmode = \"enforced\"\n";
        let shown = refused(text, &[]);
        let expect = [
            "unknown key `agrement` in the configuration",
            "[leadpact.toml:1:1]",
            "did you mean `agreement`?",
            "`listen` must be text, this is a number",
            "[leadpact.toml:4:10]",
            "`wake`: five fields: put the seconds first, `0 */5 * * * *`",
            "[leadpact.toml:7:8]",
            "  7 │ wake = \"*/5 * * * *\"\n    ·        ^^^^^^^^^^^^^",
            "`crm` cannot be this",
            "did you mean `hubspot`?",
            "`mode` cannot be this",
            "did you mean `enforce`?",
        ];
        let shown = shown.replace("\n   ·", "\n    ·").replace("\n 7 │", "\n  7 │");
        for part in expect {
            assert!(shown.contains(part), "missing: {part}\n{shown}");
        }
    }

    #[test]
    fn a_variable_that_is_not_set_is_underlined() {
        let text = "[store]\nurl = \"postgres://u:${PGPASSWORD}@h/d\"\n";
        check(
            text,
            &["the environment has no PGPASSWORD", "leadpact.toml:2:21", "^^^^^^^^^^^^^", "or PGPASSWORD_FILE"],
        );
    }

    #[test]
    fn nothing_else_is_said_of_a_value_that_could_not_be_filled_in() {
        let text = "[notify.email]\nsmtp_url = \"${NOT_SET}\"\nfrom = \"a@b.example\"\n[store]\nurl = \"${NOT_SET}\"\n";
        let report = from_text("leadpact.toml", text, &environment(&[])).expect_err("not set");
        assert_eq!(report.counts().0, 2, "{report}");
    }

    #[test]
    fn of_a_server() {
        check("[server]\nadmin_listen = \"0.0.0.0:8081\"", &["beyond this machine needs `admin_url`"]);
        check("[server]\nadmin_url = \"http://pages.example\"", &["`admin_url` must begin with https://"]);
        check("[server]\nadmin_url = \"https://pages.example/x\"", &["end with the host or its port"]);
        let behind = "[server]\nadmin_listen = \"0.0.0.0:8081\"\nadmin_url = \"https://pages.example:444\"";
        let server = read(behind, &[]).server;
        assert_eq!((server.admin_listen.port(), server.admin_base().as_str()), (8081, "https://pages.example:444"));
        check("[server]\nlisten = \"localhost:8080\"", &["must be an IP address with a port"]);
        check("[server]\npublic_url = \"leadpact.example\"", &["`public_url` must be a URL"]);
        check("[server]\npublic_url = \"ftp://x\"", &["must begin with https:// or http://"]);
        check("[server]\npublic_url = \"https://u:p@x\"", &["holds a user or a password"]);
        check("[server]\nworkers = 0", &["`workers` must be a whole number from 1"]);
        let both = "[server]\nlisten = \"127.0.0.1:80\"\nadmin_listen = \"127.0.0.1:80\"";
        assert_eq!(read(both, &[]).server.admin_listen.port(), 80, "the same is allowed on loopback");
    }

    #[test]
    fn of_the_other_sections() {
        check("[store]\nurl = \"mysql://x\"", &["`url` must begin with sqlite: or postgres://"]);
        check("[schedule]\nreconcile = \"0 0 9 * * 1-5\"", &["days of the week go by name", "Mon-Fri"]);
        check(
            "[log]\nformat = \"xml\"\nlevel = \"info=loud\"",
            &["`format` cannot be this", "`level` is no log level"],
        );
        check("[notify.slack]\nbase_url = \"https://slack.example\"", &["needs `token` or `webhook_url`"]);
        check(
            "[notify.email]\nsmtp_url = \"mail.example\"\nfrom = \"nobody\"",
            &["`smtp_url` must begin", "`from` must be an e-mail address"],
        );

        check("[notify]\nteams = 1", &["unknown key `teams`"]);
    }

    #[test]
    fn of_any_connection() {
        check("[connection]\nname = \"x\"", &["write [[connection]] with two brackets"]);
        check(
            "[[connection]]\ncrm = \"hubspot\"",
            &["[[connection]] has no `name`", "no `access_token`", "no `webhook_secret`"],
        );
        for name in ["Acme", "a_b", "a--b", "-a", "a-", "ä"] {
            let text = hubspot("").replace("acme-hubspot", name);
            check(&text, &["a connection cannot have this name"]);
        }
        check(&hubspot("").repeat(2), &["another connection has this name"]);
        check(&hubspot("base_url = \"file:///etc\""), &["`base_url` must begin with https:// or http://"]);
        let slack =
            |secrets: &str| format!("[notify.slack]\ntoken = \"xoxb\"\nsigning_secret = {secrets}\n{}", hubspot(""));
        check(&slack("[\"a\", \"b\", \"c\"]"), &["`signing_secret` has more than two entries"]);
        check(&slack("[\"a\", \"\"]"), &["an entry of `signing_secret` is empty"]);
        check(&hubspot("backfill = \"import\""), &["`backfill` cannot be this", "from_import"]);
        for share in ["0", "1", "-0.5"] {
            check(&hubspot(&format!("api_share = {share}")), &["`api_share` is a share above 0 and up to 0.9"]);
        }
    }

    #[test]
    fn of_hubspot() {
        check(&hubspot("lead_object = \"contact\""), &["`lead_object` cannot be this", "did you mean `contacts`?"]);
        check(
            &hubspot("organization_id = \"x\""),
            &["`organization_id` is a setting of salesforce, this connection is hubspot"],
        );
        let three = hubspot("").replace("[\"s\"]", "[\"a\", \"b\", \"c\"]");
        check(&three, &["`webhook_secret` has more than two entries"]);
        check(&hubspot("").replace("[\"s\"]", "[]"), &["`webhook_secret` is empty"]);
        check(&hubspot("").replace("[\"s\"]", "[\" \"]"), &["an entry of `webhook_secret` is empty"]);
    }

    #[test]
    fn of_salesforce() {
        check(&salesforce("00D5g000004XyZaEAB"), &["a letter is mistyped"]);
        check(&salesforce("00D5g"), &["has 15 or 18 letters and digits"]);
        check(&salesforce("00D5g000004XyZa").replace("base_url", "#"), &["[[connection]] has no `base_url`"]);
        check(&salesforce("00D5g000004XyZa").replace("client_secret", "#"), &["[[connection]] has no `client_secret`"]);
        check(&format!("{}access_token = \"t\"", salesforce("00D5g000004XyZa")), &["exclude each other"]);
        let certificate = "client_certificate = { header = \"X Y\", sha256 = [\"…\"] }";
        check(
            &format!("{}{certificate}", salesforce("00D5g000004XyZa")),
            &["must be the name of an HTTP header", "a SHA-256 fingerprint has 64 hex digits"],
        );
        let Platform::Salesforce(own) = &read(&salesforce("00D5g000004XyZa"), &[]).connections[0].platform else {
            panic!("salesforce")
        };
        assert_eq!(own.organization_id, "00D5g000004XyZaEAK");
    }

    #[test]
    fn of_a_generic_connection() {
        let generic = |verify: &str| format!("[[connection]]\nname = \"o\"\ncrm = \"generic\"\n{verify}\n");
        check(&generic(""), &["[[connection]] has no `verify`"]);
        check(
            &generic("verify = { scheme = \"hmac\", secret = [\"x\"] }"),
            &["possible here: `standard-webhooks`, `hmac-sha256`, `basic`, `token`"],
        );
        check(&generic("verify = { scheme = \"hmac-sha256\", secret = [\"x\"] }"), &["`verify` has no `header`"]);
        let text = generic(
            "verify = { scheme = \"hmac-sha256\", header = \"X-Sig\", encoding = \"base64\", secret = [\"x\"] }",
        );
        let Platform::Generic(own) = &read(&text, &[]).connections[0].platform else { panic!("generic") };
        let GenericVerify::HmacSha256 { header, encoding, prefix, .. } = &own.verify else { panic!("hmac") };
        assert_eq!((header.as_str(), *encoding, prefix.as_str()), ("x-sig", SignatureEncoding::Base64, ""));
    }

    #[test]
    fn of_fields_values_parties_and_touches() {
        check(
            &hubspot("[connection.fields.lead]\nstatus = \"\"\nowner = 3"),
            &["name of a field is empty", "name of a field must be text"],
        );
        check(
            &hubspot("[connection.fields.leads]\nstatus = \"x\""),
            &["unknown key `leads` in `fields`", "did you mean `lead`?"],
        );
        let twice = "[connection.values.lead.status]\nOpen = [\"NEW\", \"OPEN\"]\nWorking = \"new\"";
        check(&hubspot(twice), &["read as `Open` already"]);
        check(&hubspot("[connection.values.lead.status]\nOpen = []"), &["no value of the CRM"]);
        let parties = "[connection.parties]\na = { members = [\"1\"], queue = \"2\" }\nb = {}\nc = { unassigned = false }\nd = { member = [\"1\"] }";
        check(
            &hubspot(parties),
            &[
                "exactly one way to take records",
                "`unassigned` can only be true",
                "unknown key `member` in the party `d`",
                "did you mean `members`?",
            ],
        );
        check(&hubspot("[connection.parties]\na = { members = [] }"), &["`members` is empty"]);
        let touches = "[connection.touches]\ntypes = [\"mail\", \"call\"]\nby = \"team\"";
        check(&hubspot(touches), &["`types` cannot be this", "`by` cannot be this", "`owner`, `party`, `anyone`"]);
    }
}

mod warnings {
    use super::*;

    const SLACK: &str = "[notify.slack]\ntoken = \"t\"\n";
    const HTTPS: &str = "[server]\npublic_url = \"https://x.example\"\n";

    #[test]
    fn none_where_nothing_is_risky() {
        assert_eq!(warned(&format!("{HTTPS}{SLACK}{}", hubspot("mode = \"enforce\""))), "");
    }

    #[test]
    fn an_unsigned_agreement_that_acts_is_named_with_its_connections() {
        let text = format!("require_signatures = false\n{HTTPS}{SLACK}{}", hubspot("mode = \"enforce\""));
        assert!(warned(&text).contains("an agreement that nobody signed acts on acme-hubspot"), "{}", warned(&text));
        let text = format!("require_signatures = false\n{HTTPS}{SLACK}{}", hubspot(""));
        assert!(warned(&text).contains("may act once a connection is armed"), "{}", warned(&text));
    }

    #[test]
    fn nobody_to_tell_and_nothing_to_listen_to() {
        assert!(warned(&format!("{HTTPS}{}", hubspot(""))).contains("nobody will be told anything"));
        assert!(warned("").contains("no [[connection]]"));
    }

    #[test]
    fn plain_http_matters_only_where_a_crm_is_far_away() {
        assert!(warned(&format!("{SLACK}{}", hubspot(""))).contains("`public_url` is not https"));
        let near = hubspot("base_url = \"http://127.0.0.1:4000/\"");
        assert_eq!(warned(&format!("{SLACK}{near}")), "");
    }
}

mod beside_an_agreement {
    use super::*;
    use leadpact::agreement::parse::parse;

    const AGREEMENT: &str = r#"
title = "A"
version = "1"
effective = 2027-01-04
calendar = "office"
[calendars.office]
time_zone = "UTC"
hours = { mon-fri = ["09:00-17:00"] }
[parties.marketing]
[parties.teleprospecting]
[data.lead]
region = "text"
[[stage]]
name = "mql"
term = "Marketing qualified lead"
means = "Passed on."
of = "lead"
when = 'status == "Qualified"'
[[handoff]]
name = "Marketing to teleprospecting"
from = "marketing"
to = "teleprospecting"
at = "mql"
"#;

    fn shown(connection: &str, more: &[(&str, &str)]) -> String {
        let parsed = parse("agreement.toml", AGREEMENT, &|_| Err("none".into())).unwrap_or_else(|e| panic!("{e}"));
        let settings = from_text("leadpact.toml", connection, &environment(more)).unwrap_or_else(|e| panic!("{e}")).0;
        check_against(&settings, &parsed.agreement, |c| c.agreement.is_none()).render(false)
    }

    #[test]
    fn names_that_it_has_and_those_that_leadpact_writes_are_fine() {
        let fields = "[connection.fields.lead]\nstatus = \"s\"\nregion = \"r\"\nflag = \"f\"\nlast_action = \"l\"\n\
                      [connection.values.lead.status]\nQualified = \"Q\"\n\
                      [connection.parties]\nteleprospecting = { unassigned = true }\n";
        assert_eq!(shown(&hubspot(fields), &[]), "");
    }

    #[test]
    fn names_that_it_lacks_are_shown_with_the_closest() {
        let fields = "[connection.fields.lead]\nstauts = \"s\"\n[connection.fields.opportunity]\nregion = \"r\"\n\
                      [connection.values.lead.flag]\nyes = \"1\"\n\
                      [connection.parties]\nteleprospectng = { unassigned = true }\n";
        let text = hubspot(fields);
        let shown = shown(&text, &[("LEADPACT_CONNECTION__ACME_HUBSPOT__FIELDS__LEAD__REGOIN", "r")]);
        let line = text.lines().position(|l| l.starts_with("stauts")).expect("there") + 1;
        for expect in [
            "the agreement has no field `stauts` of leads",
            "did you mean `status`?",
            &format!("leadpact.toml:{line}:1"),
            "the agreement has no field `region` of opportunities",
            "the agreement has no field `flag` of leads",
            "the agreement has no party `teleprospectng`",
            "did you mean `teleprospecting`?",
            "LEADPACT_CONNECTION__ACME_HUBSPOT__FIELDS__LEAD__REGOIN in the environment: the agreement has no field `regoin`",
        ] {
            assert!(shown.contains(expect), "missing: {expect}\n{shown}");
        }
    }

    #[test]
    fn a_connection_with_an_agreement_of_its_own_is_not_held_against_another() {
        assert_eq!(shown(&hubspot("agreement = \"own.toml\"\n[connection.fields.lead]\nnope = \"s\""), &[]), "");
    }
}
