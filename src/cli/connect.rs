//! `leadpact connect`: has somebody sign in where that is how the connection works, creates the fields
//! that leadpact writes where the CRM's API allows it, and says what is left for an administrator. Asks
//! before it creates; alters nothing that exists.

mod sign_in;

use super::opened::{agreed, counted};
use super::{ConfigArguments, color, connection, open_store};
use crate::agreement::Agreement;
use crate::app::{connector, credentials, read_configuration};
use crate::crm::connection::Platform;
use crate::crm::examine::{FieldTold, Found};
use crate::crm::oauth::BrowserSignIn;
use crate::crm::{Connection, Crm, CrmError, Examined, Made, OwnField, SharedCrm};
use crate::engine::clock::real_now;
use crate::engine::credentials::Credentials;
use crate::engine::doctor::{Needs, own_fields, own_names, silence};
use crate::engine::signed_out::ask_where_out;
use crate::record::Object;
use crate::settings::Settings;
use anyhow::{Context, Result, bail};
use clap::Args;
use secrecy::ExposeSecret;
use sign_in::Asked;
use std::process::ExitCode;

#[derive(Debug, Args)]
pub struct ConnectArguments {
    /// The connection.
    #[arg(value_name = "NAME")]
    connection: String,
    #[command(flatten)]
    config: ConfigArguments,
    /// Do not ask before fields are created.
    #[arg(long)]
    yes: bool,
    /// Have somebody sign in although somebody has.
    #[arg(long)]
    again: bool,
    /// Print the link to sign in with, and do not wait for it to be used.
    #[arg(long)]
    no_wait: bool,
}

/// Exit 1 when something could not be created, or is there as something else.
pub fn run(arguments: &ConnectArguments) -> Result<ExitCode> {
    let Some((settings, agreements, _)) = read_configuration(&arguments.config.config, color()) else {
        return Ok(ExitCode::FAILURE);
    };
    let connection = connection(&settings, &arguments.connection)?;
    let agreement = &agreements.of(&connection.name).agreement;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        if BrowserSignIn::of(connection).is_none() {
            if arguments.again {
                bail!("`{}` signs in with what stands in the configuration: nobody does it by hand", connection.name);
            }
            // Whoever comes here has looked after the credentials.
            ask_where_out(settings.store.url.expose_secret(), std::slice::from_ref(&connection.name), real_now()).await;
            return create(connection, agreement, None, arguments.yes).await;
        }
        by_browser(&settings, connection, agreement, arguments).await
    })
}

/// A kept grant is tried before it is relied upon: where the CRM refuses it, somebody has to sign in again.
async fn by_browser(
    settings: &Settings,
    connection: &Connection,
    agreement: &Agreement,
    arguments: &ConnectArguments,
) -> Result<ExitCode> {
    let db = open_store(settings).await?;
    let credentials = credentials(settings, &db);
    if !arguments.again && sign_in::is_signed_in(&credentials.keeper(&connection.name)).await? {
        let look = Look::at(connection, agreement, Some(&credentials)).await?;
        let Some(refused) = look.refused() else { return look.create(connection, arguments.yes).await };
        println!("The CRM refuses what was granted before, so somebody has to sign in again: {refused}.\n");
    }
    match sign_in::ask(&db, &settings.server, connection, !arguments.no_wait).await? {
        Asked::SignedIn => create(connection, agreement, Some(&credentials), arguments.yes).await,
        Asked::NotAwaited => Ok(ExitCode::SUCCESS),
        Asked::InVain => Ok(ExitCode::FAILURE),
    }
}

async fn create(
    connection: &Connection,
    agreement: &Agreement,
    credentials: Option<&Credentials>,
    yes: bool,
) -> Result<ExitCode> {
    Look::at(connection, agreement, credentials).await?.create(connection, yes).await
}

/// What the CRM tells of itself; nothing where it is only listened to.
struct Look {
    crm: SharedCrm,
    examined: Option<Examined>,
}

impl Look {
    async fn at(connection: &Connection, agreement: &Agreement, credentials: Option<&Credentials>) -> Result<Self> {
        let crm = connector(connection, agreement, credentials);
        let crm = crm.with_context(|| format!("connection `{}`", connection.name))?;
        let wanted = Needs::of(agreement, connection, &*crm).wanted();
        let examined = crm.examine(&wanted).await;
        Ok(Self { crm, examined })
    }

    /// Why the credentials are refused, where they are.
    fn refused(&self) -> Option<&str> {
        match silence(self.examined.as_ref()?)? {
            CrmError::SignIn { message } => Some(message),
            _ => None,
        }
    }

    async fn create(self, connection: &Connection, yes: bool) -> Result<ExitCode> {
        let Self { crm, examined } = self;
        let Some(examined) = examined else {
            println!("{} is only listened to: there is nothing to create.", connection.name);
            return Ok(ExitCode::SUCCESS);
        };
        same_account(&examined)?;
        let plan = Plan::of(connection, &examined)?;
        let well = plan.carry_out(connection, &*crm, yes).await?;
        by_hand(connection);
        Ok(if well { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}

/// Nothing is created in somebody else's account.
fn same_account(examined: &Examined) -> Result<()> {
    let account = examined.account.as_ref().map_err(Clone::clone).context("whose account this is cannot be told")?;
    match &account.configured {
        Some(configured) if *configured != account.id => {
            bail!("the credentials open {}, and the configuration names {configured}: nothing was created", account.id)
        }
        _ => Ok(()),
    }
}

/// What is there, what is in the way, and what is to be made.
struct Plan {
    there: Vec<OwnField>,
    in_the_way: Vec<(OwnField, String)>,
    missing: Vec<OwnField>,
}

impl Plan {
    fn of(connection: &Connection, examined: &Examined) -> Result<Self> {
        let mut plan = Self { there: Vec::new(), in_the_way: Vec::new(), missing: Vec::new() };
        for field in own_fields(connection) {
            match &told(examined, &field)?.found {
                Found::Missing => plan.missing.push(field),
                Found::There { kind, fits: false, .. } => {
                    let why = format!("is there with the type {kind}: map another name, or rename that field");
                    plan.in_the_way.push((field, why));
                }
                Found::There { writable: false, .. } => {
                    plan.in_the_way
                        .push((field, "is there and read-only for leadpact: give it edit access".to_owned()));
                }
                Found::There { .. } => plan.there.push(field),
            }
        }
        Ok(plan)
    }

    /// Whether everything stands in the end.
    async fn carry_out(self, connection: &Connection, crm: &dyn Crm, yes: bool) -> Result<bool> {
        unmapped(connection);
        self.there.iter().for_each(|field| println!("  there     {}", title(field)));
        self.in_the_way.iter().for_each(|(field, why)| println!("  conflict  {} {why}", title(field)));
        self.missing.iter().for_each(|field| println!("  missing   {}", title(field)));
        let free = self.in_the_way.is_empty();
        if self.missing.is_empty() {
            println!("{}", if free { "Nothing is left to create." } else { "Nothing was created." });
            return Ok(free);
        }
        if !agreed(&format!("Create {} in {}?", counted(self.missing.len(), "field"), connection.name), yes)? {
            println!("Nothing was created.");
            return Ok(false);
        }
        let made = crm.create_fields(&self.missing).await;
        made.iter().for_each(|one| println!("{}", done(one)));
        if made.iter().any(|one| one.new.is_err()) {
            println!(
                "Once that is mended run `leadpact connect {}` again: what is there is left as it is.",
                connection.name
            );
        }
        Ok(free && made.iter().all(|one| one.new.is_ok()))
    }
}

fn told<'e>(examined: &'e Examined, field: &OwnField) -> Result<&'e FieldTold> {
    let object = examined.objects.iter().find(|told| told.object == field.object);
    let object = object.with_context(|| format!("the CRM tells nothing of {}", field.object.as_str()))?;
    let fields = object.fields.as_ref().map_err(Clone::clone);
    let fields = fields.with_context(|| format!("the fields of {} cannot be looked at", object.theirs))?;
    fields.iter().find(|told| told.name == field.name).with_context(|| format!("{} is not mapped", field.name))
}

fn title(field: &OwnField) -> String {
    format!("{} {} ({})", field.object.as_str(), field.name, field.crm_name)
}

fn done(made: &Made) -> String {
    match &made.new {
        Ok(true) => format!("  created   {}", made.what),
        Ok(false) => format!("  there     {}", made.what),
        Err(error) => format!("  failed    {}: {error}", made.what),
    }
}

/// Fields of our own that the configuration could name.
fn unmapped(connection: &Connection) {
    for object in [Object::Lead, Object::Opportunity] {
        let names = own_names().into_iter().filter(|name| !connection.fields.contains_key(&(object, *name)));
        let names: Vec<&str> = names.map(|name| name.as_str()).collect();
        if !names.is_empty() {
            let object = object.as_str();
            println!(
                "  not used  {object} {} (name them under connection.fields.{object} to have them)",
                names.join(", ")
            );
        }
    }
}

/// What no API does for us.
fn by_hand(connection: &Connection) {
    let name = &connection.name;
    let steps: &[&str] = match connection.platform {
        Platform::HubSpot(_) => &[
            "Webhook subscriptions and scopes: `leadpact init hubspot NAME`, then `hs project upload`, and install the app.",
            "Show the properties where people work: Settings › Objects › record customization.",
        ],
        Platform::Salesforce(_) => &[
            "Outbound messages, flows and the app: `leadpact init salesforce NAME`, then `sf project deploy start`.",
            "Take Send Outbound Messages from leadpact's own user, so that its writes do not come back as news.",
            "Put the fields on the page layouts of those who should see them.",
        ],
        Platform::Generic(_) => &[],
    };
    if !steps.is_empty() {
        println!("Left for an administrator:");
        steps.iter().for_each(|step| println!("  - {}", step.replace("NAME", name.as_str())));
    }
    println!("`leadpact doctor {name}` looks at everything.");
}
