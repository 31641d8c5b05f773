//! Installation packages: what is generated from an agreement and a connection, how it is compared
//! with what was generated before, and the command that writes it.

mod command;
mod hubspot;
mod regenerate;
mod salesforce;
mod slack;
mod starter;

use leadpact::agreement::Agreement;
use leadpact::agreement::parse::parse;
use leadpact::crm::Connection;
use leadpact::package::{Order, Package, PackageError, package};
use leadpact::settings::{self, Environment};

const BASE: &str = "https://leadpact.acme.example";

/// The reference agreement, with one text replaced by another that must be in it.
fn agreement_with(replacements: &[(&str, &str)]) -> Agreement {
    let mut text = include_str!("../../config/agreement.toml").to_owned();
    for (from, to) in replacements {
        assert!(text.contains(from), "{from}");
        text = text.replacen(from, to, 1);
    }
    parsed(&text)
}

fn parsed(text: &str) -> Agreement {
    parse("agreement.toml", text, &|_| Err("no file".to_owned()))
        .unwrap_or_else(|e| panic!("{}", e.render(false)))
        .agreement
}

fn agreement() -> Agreement {
    agreement_with(&[])
}

/// The only connection of a configuration.
fn connection(text: &str) -> Connection {
    let secrets = ["TOKEN", "SECRET", "SF_ID"].map(|name| (name, "Qk3v7xZ"));
    // The key that somebody who signs in with a browser needs: 32 zero bytes.
    let key = format!("[store]\ncredential_key = [\"{}=\"]\n", "A".repeat(43));
    let text = &format!("{key}{text}");
    let (settings, _) = settings::from_text("leadpact.toml", text, &Environment::from_iter(secrets))
        .unwrap_or_else(|e| panic!("{}", e.render(false)));
    settings.connections.into_iter().next().expect("a connection")
}

fn generate(agreement: &Agreement, connection: &Connection) -> Result<Package, PackageError> {
    package(&Order { agreement, connection, public_base: BASE, contact: "ops@acme.example" })
}

/// Every text of every file.
fn everything(package: &Package) -> String {
    package.files.iter().map(|file| file.text.as_str()).collect()
}

#[test]
fn a_crm_is_never_told_an_address_without_tls() {
    let (agreement, connection) = (agreement(), connection(hubspot::CONNECTION));
    let order = Order { agreement: &agreement, connection: &connection, public_base: "http://a", contact: "a@b" };
    assert_eq!(package(&order), Err(PackageError::NotHttps("http://a".to_owned())));
}

#[test]
fn a_generic_connection_has_nothing_to_install() {
    let connection = connection(
        "[[connection]]\nname = \"x\"\ncrm = \"generic\"\nverify = { scheme = \"standard-webhooks\", secret = [\"${SECRET}\"] }",
    );
    assert_eq!(generate(&agreement(), &connection), Err(PackageError::Generic));
}
