//! The ways to sign in: which settings make one, and what is said about a mix of several.

use super::{hubspot, read, refused};
use leadpact::crm::connection::{HubSpotAuth, Platform, SalesforceAuth};
use leadpact::crm::oauth::BrowserSignIn;
use leadpact::store::seal::new_key;
use secrecy::ExposeSecret;

const KEY: &str = include_str!("../fixtures/salesforce/jwt-key.pem");
const EC_KEY: &str = include_str!("../fixtures/salesforce/jwt-key-ec.pem");
const PUBLIC_KEY: &str = include_str!("../fixtures/salesforce/jwt-key-public.pem");

const BROWSER: &str = "sign_in = \"browser\"\nclient_id = \"id-shh\"\nclient_secret = \"secret-shh\"";

/// Where somebody signs in, there has to be a key.
const STORE: &str = "[store]\ncredential_key = [\"MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=\"]\n";

fn hubspot_browser(more: &str) -> String {
    hubspot("").replace("access_token = \"t\"", &format!("{BROWSER}\n{more}")) + STORE
}

fn salesforce(way: &str) -> String {
    format!(
        "[[connection]]\nname = \"acme-salesforce\"\ncrm = \"salesforce\"\n\
         base_url = \"https://acme.my.salesforce.com\"\norganization_id = \"00D5g000004XyZa\"\n{way}\n{STORE}"
    )
}

fn salesforce_auth(way: &str) -> SalesforceAuth {
    let settings = read(&salesforce(way), &[("KEY", KEY)]);
    let Platform::Salesforce(own) = &settings.connections[0].platform else { panic!("{settings:?}") };
    own.auth.clone()
}

#[track_caller]
fn check(text: &str, expected: &[&str]) {
    let shown = refused(text, &[("KEY", KEY), ("EC_KEY", EC_KEY), ("PUBLIC_KEY", PUBLIC_KEY)]);
    for part in expected {
        assert!(shown.contains(part), "{part}\n{shown}");
    }
    assert!(!shown.contains("PRIVATE KEY-----\nM"), "{shown}");
}

#[test]
fn hubspot_has_a_fixed_token_or_a_browser() {
    let settings = read(&hubspot_browser("portal_id = 45540012"), &[]);
    let Platform::HubSpot(own) = &settings.connections[0].platform else { panic!("{settings:?}") };
    let HubSpotAuth::Browser { client_id, client_secret, login_url } = &own.auth else { panic!("{own:?}") };
    assert_eq!((client_id.expose_secret(), client_secret.expose_secret()), ("id-shh", "secret-shh"));
    assert_eq!(login_url, "https://app.hubspot.com");
    assert!(!format!("{settings:?}").contains("shh"), "{settings:?}");
    assert!(BrowserSignIn::of(&settings.connections[0]).is_some());
    assert!(BrowserSignIn::of(&read(&hubspot(""), &[]).connections[0]).is_none());
}

#[test]
fn hubspots_browser_needs_the_account_that_it_is_for() {
    check(&hubspot_browser(""), &["[[connection]] has no `portal_id`"]);
    check(&hubspot_browser("portal_id = 1").replace("client_secret", "#"), &["[[connection]] has no `client_secret`"]);
    check(
        &hubspot_browser("portal_id = 1").replace("\"browser\"", "\"brouser\""),
        &["`sign_in` cannot be this", "did you mean `browser`?"],
    );
}

#[test]
fn hubspots_two_ways_are_not_mixed() {
    check(
        &hubspot_browser("portal_id = 1\naccess_token = \"t\""),
        &["`access_token` and `sign_in` exclude each other", "keep the way that is meant"],
    );
    check(
        &hubspot("client_id = \"id\""),
        &["`client_id` is for signing in with a browser", "add sign_in = \"browser\", or keep `access_token` alone"],
    );
    check(&hubspot("username = \"u\""), &["`username` is a setting of salesforce"]);
}

#[test]
fn salesforce_has_four_ways() {
    let SalesforceAuth::Jwt { username, private_key, .. } =
        salesforce_auth("client_id = \"id-shh\"\nprivate_key = \"${KEY}\"\nusername = \"sla@acme.example\"")
    else {
        panic!("JWT")
    };
    assert_eq!(username, "sla@acme.example");
    let shown = format!("{private_key:?}");
    assert!(shown.contains("redacted"), "{shown}");
    assert!(matches!(salesforce_auth("access_token = \"t\""), SalesforceAuth::AccessToken(_)));
    assert!(matches!(salesforce_auth(BROWSER), SalesforceAuth::Browser { client_secret: Some(_), .. }));
    let public = "sign_in = \"browser\"\nclient_id = \"id\"";
    assert!(matches!(salesforce_auth(public), SalesforceAuth::Browser { client_secret: None, .. }));
    let credentials = "client_id = \"id\"\nclient_secret = \"secret\"";
    assert!(matches!(salesforce_auth(credentials), SalesforceAuth::ClientCredentials { .. }));
}

#[test]
fn salesforces_ways_are_not_mixed() {
    check(&salesforce(""), &["does not say how to sign in", "(JWT bearer)"]);
    check(
        &salesforce("client_id = \"id\"\nprivate_key = \"${KEY}\"\nusername = \"u\"\nclient_secret = \"s\""),
        &[
            "`client_secret` and `private_key` exclude each other",
            "or `client_id` and `client_secret` (client credentials)",
        ],
    );
    check(
        &salesforce(&format!("{BROWSER}\nprivate_key = \"${{KEY}}\"")),
        &["`private_key` and `sign_in` exclude each other"],
    );
    check(&salesforce("client_id = \"id\"\nusername = \"u\""), &["[[connection]] has no `private_key`"]);
    check(&salesforce("client_id = \"id\"\nprivate_key = \"${KEY}\""), &["[[connection]] has no `username`"]);
    check(&salesforce("client_id = \"id\""), &["[[connection]] has no `client_secret`"]);
    check(
        &salesforce("client_id = \"id\"\nclient_secret = \"s\"\nlogin_url = \"https://login.salesforce.com\""),
        &["at the organization's own domain only", "leave it out"],
    );
    check(&salesforce(&format!("{BROWSER}\nlogin_url = \"login\"")), &["`login_url` must be a URL"]);
    let plain = salesforce(&format!("{BROWSER}\nlogin_url = \"http://login.example\""));
    check(&plain, &["`login_url` must begin with https://", "could read them"]);
}

#[test]
fn a_private_key_that_cannot_sign_is_refused_when_the_file_is_read() {
    let jwt = |key: &str| salesforce(&format!("client_id = \"id\"\nusername = \"u\"\nprivate_key = \"{key}\""));
    check(&jwt("conf/leadpact.key"), &["`private_key` is no PEM", "SF_PRIVATE_KEY_FILE"]);
    check(&jwt("${EC_KEY}"), &["no RSA key of at least 2048 bits that can sign"]);
    check(&jwt("${PUBLIC_KEY}"), &["is a certificate or a public key"]);
    check(&jwt("-----BEGIN ENCRYPTED PRIVATE KEY-----"), &["is encrypted with a passphrase"]);
    check(&jwt("-----BEGIN PRIVATE KEY-----\\nMIIE\\n-----END PRIVATE KEY-----"), &["no RSA key"]);
}

#[test]
fn a_private_key_may_stand_in_a_file_of_its_own() {
    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path().join("leadpact.key");
    std::fs::write(&path, KEY).expect("written");
    let text = salesforce("client_id = \"id\"\nusername = \"u\"\nprivate_key = \"${SF_PRIVATE_KEY}\"");
    let settings = read(&text, &[("SF_PRIVATE_KEY_FILE", &path.display().to_string())]);
    assert!(!format!("{settings:?}").contains("MIIE"), "{settings:?}");
}

#[test]
fn a_browser_needs_a_key_to_keep_what_it_brings() {
    let (text, path) = (hubspot_browser("portal_id = 1"), "leadpact.toml");
    let without = text.replace(STORE, "");
    check(&without, &["there is no key to keep the tokens safe with", "leadpact credentials key"]);
    let line = without.lines().position(|line| line.starts_with("sign_in")).unwrap() + 1;
    check(&without, &[&format!("{path}:{line}:")]);
    check(
        &hubspot("").replace("[[", &format!("{STORE}[[")).replace("MDEy", "MDE"),
        &["is no base64", "credentials key"],
    );
    check(&text.replace("MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=", "c2hvcnQ="), &["has 5 bytes, not 32"]);
    let one = "\"MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=\"";
    check(&text.replace(one, ""), &["`credential_key` is empty"]);
    let settings = read(&text.replace(one, &format!("{one}, \"${{NEXT}}\"")), &[("NEXT", &new_key())]);
    assert!(!settings.store.credential_keys.is_empty() && !format!("{settings:?}").contains("MDEy"));
}
