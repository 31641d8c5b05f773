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
    }
}

#[test]
fn only_names_that_fit_into_an_address_are_taken() {
    assert!(is_name("acme-2"));
    for name in ["", "Acme", "a b", "a--b", "-a", "a\"\n"] {
        assert!(!is_name(name), "{name}");
    }
}
