//! What a newcomer begins with is sound.

use super::parsed;
use leadpact::package::starter::{CRMS, is_name, starter};
use leadpact::settings::{self, Environment};

#[test]
fn every_starter_is_read_without_an_error_and_fits_its_agreement() {
    let names = ["HUBSPOT_ACCESS_TOKEN", "HUBSPOT_CLIENT_SECRET", "SF_CLIENT_ID", "SF_CLIENT_SECRET", "SF_PATH_SECRET"];
    let secrets = names.iter().chain(&["WEBHOOK_SECRET"]).map(|name| (*name, "c2VjcmV0LW9mLWEtdGVzdA=="));
    let environment = Environment::from_iter(secrets);
    for crm in CRMS {
        let [configuration, agreement] = starter(crm, "my-crm").expect("known");
        let (settings, _) = settings::from_text(&configuration.path, &configuration.text, &environment)
            .unwrap_or_else(|e| panic!("{}", e.render(false)));
        assert_eq!(settings.connections[0].name.as_str(), "my-crm");
        let report = settings::check_against(&settings, &parsed(&agreement.text), |_| true);
        assert!(!report.has_errors(), "{crm}: {}", report.render(false));
        assert!(
            settings.connections[0].mode.is_none(),
            "{crm}: a mode in the file would keep `leadpact arm` from working"
        );
    }
}

/// The starter with these lines taken out, and those uncommented that begin with these words.
fn switched(text: &str, out: &[&str], uncommented: &[&str]) -> String {
    let line = |line: &str| match line.strip_prefix('#') {
        Some(bare) if uncommented.iter().any(|word| bare.starts_with(word)) => Some(bare.to_owned()),
        _ if out.iter().any(|word| line.starts_with(word)) => None,
        _ => Some(line.to_owned()),
    };
    text.lines().filter_map(line).collect::<Vec<_>>().join("\n")
}

#[test]
fn the_ways_to_sign_in_that_the_starters_show_in_comments_are_read_once_uncommented() {
    let names = ["HUBSPOT_CLIENT_ID", "HUBSPOT_CLIENT_SECRET", "SF_CLIENT_ID", "SF_CLIENT_SECRET", "SF_PATH_SECRET"];
    let key = leadpact::store::seal::new_key();
    let secrets = names.iter().map(|name| (*name, "c2VjcmV0LW9mLWEtdGVzdA=="));
    let environment = Environment::from_iter(secrets.chain([("LEADPACT_CREDENTIAL_KEY", key.as_str())]));
    let browser = ["sign_in", "client_id", "client_secret", "portal_id", "credential_key"];
    for (crm, out) in [("hubspot", &["access_token"][..]), ("salesforce", &[])] {
        let [configuration, _] = starter(crm, "my-crm").expect("known");
        let text = switched(&configuration.text, out, &browser);
        assert!(text.contains("\nsign_in"), "{crm}");
        settings::from_text("leadpact.toml", &text, &environment).unwrap_or_else(|e| panic!("{}", e.render(false)));
    }
    let [configuration, _] = starter("salesforce", "my-crm").expect("known");
    assert!(configuration.text.contains("\n#private_key") && configuration.text.contains("\n#username"));
}

#[test]
fn only_names_that_fit_into_an_address_are_taken() {
    assert!(is_name("acme-2"));
    for name in ["", "Acme", "a b", "a--b", "-a", "a\"\n"] {
        assert!(!is_name(name), "{name}");
    }
}
