//! `leadpact init hubspot|salesforce NAME`: from the configuration to the package. Secrets may be
//! missing still, since it is the package that brings them about; none is written anywhere.

use super::{ConnectionArguments, folder};
use crate::agreement::Agreement;
use crate::app::read_agreement;
use crate::cli::color;
use crate::crm::Connection;
use crate::crm::connection::Platform;
use crate::package::{Manifest, Order, package};
use crate::record::ConnectionName;
use crate::settings::{self, Environment, NOT_SET, Settings};
use anyhow::{Context, Result, bail};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

pub(super) fn run(crm: &str, arguments: &ConnectionArguments) -> Result<ExitCode> {
    let path = &arguments.config.config;
    if !path.is_file() {
        bail!(
            "{} is not there yet: `leadpact init config --crm {crm} {}` writes one to begin with",
            path.display(),
            arguments.name
        );
    }
    let settings = match settings::load(path, &environment(path)) {
        Ok((settings, _)) => settings,
        Err(report) => {
            eprintln!("{}", report.render(color()));
            return Ok(ExitCode::FAILURE);
        }
    };
    let connection = connection(&settings, crm, &arguments.name)?;
    let Some(agreement) = agreement(&settings, connection, arguments.agreement.as_deref()) else {
        return Ok(ExitCode::FAILURE);
    };
    let public_base = settings.server.public_base();
    if public_base.contains("not-set.invalid") {
        bail!("[server] public_url takes its value from a variable that is not set, and the CRM has to be told it");
    }
    let contact = contact(&settings, &agreement, arguments.contact.as_deref())?;
    let order = Order { agreement: &agreement, connection, public_base, contact: &contact };
    let package = package(&order)?;
    let manifest = Manifest::of_order(&package, &order);
    folder::write(&package, manifest, &arguments.folder, &arguments.name)
}

/// The process's variables, and a stand-in for each that the configuration asks for and nobody set.
fn environment(path: &Path) -> Environment {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    let process = Environment::of_process();
    let is_set = |name: &str| process.get(name).is_some() || process.get(&format!("{name}_FILE")).is_some();
    let names = text.split("${").skip(1).filter_map(|rest| rest.split_once('}')).map(|(name, _)| name.to_owned());
    let unset: Vec<String> = names.filter(|name| !is_set(name)).collect();
    let mut all: Vec<(String, String)> = process.iter().map(|(k, v)| (k.to_owned(), v.to_owned())).collect();
    // Neither the database nor the mail server matters here, and neither takes the stand-in.
    for (variable, table, value) in [
        ("LEADPACT_STORE__URL", "[store]", "sqlite://leadpact.db"),
        ("LEADPACT_NOTIFY__EMAIL__SMTP_URL", "[notify.email]", "smtps://not-set.invalid"),
    ] {
        if !unset.is_empty() && text.lines().any(|line| line.trim() == table) {
            all.push((variable.to_owned(), value.to_owned()));
        }
    }
    all.extend(unset.into_iter().map(|name| (name, NOT_SET.to_owned())));
    Environment::from_iter(all)
}

fn connection<'s>(settings: &'s Settings, crm: &str, name: &str) -> Result<&'s Connection> {
    let known: Vec<String> = settings.connections.iter().map(|c| format!("{} ({})", c.name, crm_of(c))).collect();
    let Some(found) = settings.connection(&ConnectionName::new(name)) else {
        let known =
            if known.is_empty() { "there are none".to_owned() } else { format!("there are: {}", known.join(", ")) };
        bail!(
            "no connection is called `{name}`; {known}. `leadpact init config --crm {crm} {name} --print` shows a \
             [[connection]] to add"
        );
    };
    match crm_of(found) {
        theirs if theirs == crm => Ok(found),
        "generic" => bail!("`{name}` is a generic connection, which has nothing to install: see docs/webhooks.md"),
        theirs => bail!("`{name}` is a connection to {theirs}: `leadpact init {theirs} {name}`"),
    }
}

fn crm_of(connection: &Connection) -> &'static str {
    match connection.platform {
        Platform::HubSpot(_) => "hubspot",
        Platform::Salesforce(_) => "salesforce",
        Platform::Generic(_) => "generic",
    }
}

/// `None`: it has errors, which were printed.
fn agreement(settings: &Settings, connection: &Connection, named: Option<&Path>) -> Option<std::sync::Arc<Agreement>> {
    let own = || connection.agreement.as_ref().map_or_else(|| settings.agreement.clone(), PathBuf::from);
    let path = named.map_or_else(own, Path::to_owned);
    let agreement = match read_agreement(&path) {
        Ok((file, _)) => file.agreement,
        Err(report) => {
            eprintln!("{}", report.render(color()));
            return None;
        }
    };
    let report = settings::check_against(settings, &agreement, |c| c.name == connection.name);
    if report.has_errors() {
        eprintln!("{}", report.render(color()));
        return None;
    }
    Some(agreement)
}

fn contact(settings: &Settings, agreement: &Agreement, named: Option<&str>) -> Result<String> {
    if let Some(address) = named {
        let fits = address.split_once('@').is_some_and(|(user, host)| !user.is_empty() && !host.is_empty());
        return if fits { Ok(address.to_owned()) } else { bail!("`{address}` is no e-mail address") };
    }
    let sender = settings.notify.email.as_ref().and_then(|email| address(&email.from));
    let signs = || agreement.parties.iter().find_map(|party| Some(party.signs.as_ref()?.email.clone()));
    sender.or_else(signs).context("the CRM shows an e-mail address beside the app: name one with --contact")
}

/// The address in `leadpact <sla@acme.example>`, or in what is nothing else.
fn address(from: &str) -> Option<String> {
    let bare = from.rsplit_once('<').map_or(from, |(_, rest)| rest.trim_end().trim_end_matches('>'));
    bare.contains('@').then(|| bare.trim().to_owned())
}
