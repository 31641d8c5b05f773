//! `leadpact user`: the accounts of people who sign in to the pages. There is none until one is added
//! here. Works beside the daemon; what it ends, ends on all replicas at once.

use super::ConfigArguments;
use super::opened::{self, Opened, counted, now, who};
use crate::engine::switches::{Setting, tell};
use crate::record::{Elapsed, PartyName};
use crate::store::account::{self, Account, Purpose, SignsFor};
use crate::store::role::Role;
use crate::store::secret::Secret;
use crate::store::{Priority, Tx, oidc, session};
use crate::web::password;
use anyhow::{Result, anyhow, bail};
use clap::{Args, Subcommand};
use jiff::tz::TimeZone;
use std::io::{BufRead, IsTerminal};
use std::process::ExitCode;

/// A link to set a password works so long.
const LINK: Elapsed = Elapsed::from_secs(2 * 86_400);

#[derive(Debug, Subcommand)]
pub enum UserCommand {
    /// Add an account.
    Add(AddArguments),
    /// Show all accounts.
    List(ConfigArguments),
    /// Give an account another role.
    Role(RoleArguments),
    /// Set a new password, or make a link to set one; ends the account's sessions.
    Password(PasswordArguments),
    /// Let somebody sign in no more; ends the account's sessions.
    Disable(WhichArguments),
    /// Let somebody sign in again.
    Enable(WhichArguments),
    /// Show where somebody is signed in.
    Sessions(WhichArguments),
    /// End somebody's sessions, or one of them.
    Revoke(RevokeArguments),
    /// Forget who at the identity provider an account is of; who signs in next under its e-mail address is.
    Unlink(WhichArguments),
}

/// How the password comes: asked for twice, unless said otherwise.
#[derive(Debug, Args)]
#[group(multiple = false)]
struct How {
    /// Read the password from standard input.
    #[arg(long)]
    password_stdin: bool,
    /// Make a link that works once, for the person to set the password. Whoever comes by single sign-on
    /// needs none.
    #[arg(long)]
    link: bool,
}

/// For whom somebody signs agreements.
#[derive(Debug, Args)]
struct Signs {
    /// The party for which this person signs agreements.
    #[arg(long, requires = "title")]
    party: Option<String>,
    /// What this person is there, as it stands under the agreement.
    #[arg(long, requires = "party")]
    title: Option<String>,
}

#[derive(Debug, Args)]
pub struct AddArguments {
    #[command(flatten)]
    config: ConfigArguments,
    /// The e-mail address to sign in with.
    login: String,
    /// What people call this person; stands in the journal.
    #[arg(long)]
    name: String,
    /// viewer looks; operator also pauses, undoes, releases; signer also signs; admin may do all.
    #[arg(long, default_value = "viewer", value_parser = role)]
    role: Role,
    #[command(flatten)]
    signs: Signs,
    #[command(flatten)]
    how: How,
}

#[derive(Debug, Args)]
pub struct RoleArguments {
    #[command(flatten)]
    config: ConfigArguments,
    /// The account's e-mail address.
    login: String,
    /// viewer, operator, signer or admin.
    #[arg(value_parser = role)]
    role: Role,
    #[command(flatten)]
    signs: Signs,
}

#[derive(Debug, Args)]
pub struct PasswordArguments {
    #[command(flatten)]
    config: ConfigArguments,
    /// The account's e-mail address.
    login: String,
    #[command(flatten)]
    how: How,
}

#[derive(Debug, Args)]
pub struct WhichArguments {
    #[command(flatten)]
    config: ConfigArguments,
    /// The account's e-mail address.
    login: String,
}

#[derive(Debug, Args)]
pub struct RevokeArguments {
    #[command(flatten)]
    config: ConfigArguments,
    /// The account's e-mail address.
    login: String,
    /// Only the session that `user sessions` shows by this mark.
    #[arg(long, value_name = "MARK")]
    session: Option<String>,
}

fn role(text: &str) -> Result<Role, String> {
    let all = || Role::ALL.map(Role::as_str).join(", ");
    Role::parse(text).ok_or_else(|| format!("the roles are {}", all()))
}

pub fn run(command: &UserCommand) -> Result<ExitCode> {
    match command {
        UserCommand::Add(arguments) => opened::run(&arguments.config, async |o| add(o, arguments).await),
        UserCommand::List(config) => opened::run(config, async |o| list(o).await),
        UserCommand::Role(arguments) => opened::run(&arguments.config, async |o| set_role(o, arguments).await),
        UserCommand::Password(arguments) => opened::run(&arguments.config, async |o| set_password(o, arguments).await),
        UserCommand::Disable(which) => opened::run(&which.config, async |o| set_disabled(o, &which.login, true).await),
        UserCommand::Enable(which) => opened::run(&which.config, async |o| set_disabled(o, &which.login, false).await),
        UserCommand::Sessions(which) => opened::run(&which.config, async |o| sessions(o, &which.login).await),
        UserCommand::Revoke(arguments) => opened::run(&arguments.config, async |o| revoke(o, arguments).await),
        UserCommand::Unlink(which) => opened::run(&which.config, async |o| unlink(o, &which.login).await),
    }
}

fn signs_for(opened: &Opened, signs: &Signs, role: Role) -> Result<Option<SignsFor>> {
    let (Some(party), Some(title)) = (&signs.party, &signs.title) else { return Ok(None) };
    if !role.may(crate::store::role::Permission::Sign) {
        bail!("a {role} does not sign: the role must be signer or admin");
    }
    let parties = || opened.agreements.files().iter().flat_map(|file| &file.agreement.parties);
    if !parties().any(|known| known.name.as_str() == party && known.signs.is_some()) {
        let signers: Vec<&str> = parties().filter(|p| p.signs.is_some()).map(|p| p.name.as_str()).collect();
        bail!("no party that signs is called `{party}`; there are: {}", signers.join(", "));
    }
    Ok(Some(SignsFor { party: PartyName::new(party), title: title.clone() }))
}

async fn add(opened: &Opened, arguments: &AddArguments) -> Result<ExitCode> {
    let login = account::login(&arguments.login);
    if !login.contains('@') || login.contains(char::is_whitespace) {
        bail!("`{}` is no e-mail address", arguments.login);
    }
    let signs_for = signs_for(opened, &arguments.signs, arguments.role)?;
    let account = Account {
        id: uuid::Uuid::now_v7().to_string(),
        login,
        name: arguments.name.trim().to_owned(),
        role: arguments.role,
        signs_for,
        password: password(&arguments.how)?,
        disabled: false,
        created_at: now(),
        created_by: who(),
    };
    if account.name.is_empty() {
        bail!("--name is empty: it stands in the journal for what this person does");
    }
    let mut tx = opened.db.begin(Priority::Work).await?;
    if !account::add(&mut tx, &account).await? {
        bail!("there is an account of {} already", account.login);
    }
    note(opened, &mut tx, &format!("{} may sign in, as {}", account.name, account.role)).await?;
    let link = link(opened, &mut tx, &account).await?;
    tx.commit().await?;
    println!("{} ({}) is {} from now on.", account.name, account.login, account.role);
    link.iter().for_each(|link| println!("{link}"));
    Ok(ExitCode::SUCCESS)
}

/// A link to set the password, for an account that has none.
async fn link(opened: &Opened, tx: &mut Tx, account: &Account) -> Result<Option<String>> {
    if account.password.is_some() {
        return Ok(None);
    }
    let secret = Secret::fresh("");
    account::add_link(tx, &secret, &account.id, Purpose::SetPassword, now() + LINK).await?;
    let base = opened.settings.server.admin_base();
    Ok(Some(format!("To set the password, once and within {LINK}: {base}/login/link/{}", secret.expose())))
}

/// The hash of a new password; `None` where a link is to be made.
fn password(how: &How) -> Result<Option<String>> {
    if how.link {
        return Ok(None);
    }
    let password = if how.password_stdin { from_stdin()? } else { asked_twice()? };
    password::hash_here(&password).map(Some).map_err(|error| anyhow!("{error}"))
}

fn from_stdin() -> Result<String> {
    let mut line = String::new();
    std::io::stdin().lock().read_line(&mut line)?;
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}

fn asked_twice() -> Result<String> {
    if !std::io::stdin().is_terminal() {
        bail!("nobody is there to type a password: say --password-stdin or --link");
    }
    let terminal = console::Term::stderr();
    let ask = |what: &str| -> Result<String> {
        terminal.write_str(what)?;
        Ok(terminal.read_secure_line()?)
    };
    let password = ask("Password: ")?;
    password::fit(&password).map_err(|error| anyhow!("{error}"))?;
    if ask("Once more: ")? != password {
        bail!("the two passwords are not the same");
    }
    Ok(password)
}

/// Journals it in every chain.
async fn note(opened: &Opened, tx: &mut Tx, to: &str) -> Result<()> {
    for chain in opened.chains(&opened.names()) {
        tell(tx, &chain, &Setting { name: "account", to, by: &who(), why: "" }, now()).await?;
    }
    Ok(())
}

async fn known(opened: &Opened, login: &str) -> Result<Account> {
    let found = account::find(&opened.db, login).await?;
    found.ok_or_else(|| anyhow!("there is no account of {login}; `leadpact user list` shows all"))
}

async fn list(opened: &Opened) -> Result<ExitCode> {
    let all = account::all(&opened.db).await?;
    if all.is_empty() {
        println!("Nobody can sign in yet: `leadpact user add` adds the first account.");
    }
    for account in all {
        let signs = account.signs_for.map(|s| format!(", signs for {} as {}", s.party, s.title)).unwrap_or_default();
        let is_linked = !oidc::of_account(&opened.db, &account.id).await?.is_empty();
        let state = match (account.disabled, account.password.is_some(), is_linked) {
            (true, _, _) => ", disabled",
            (false, true, true) => ", signs in with a password or single sign-on",
            (false, true, false) => ", signs in with a password",
            (false, false, true) => ", signs in by single sign-on",
            (false, false, false) => ", has no password yet",
        };
        println!("{:<32} {:<9} {}{signs}{state}", account.login, account.role.as_str(), account.name);
    }
    Ok(ExitCode::SUCCESS)
}

async fn set_role(opened: &Opened, arguments: &RoleArguments) -> Result<ExitCode> {
    let account = known(opened, &arguments.login).await?;
    let may_sign = arguments.role.may(crate::store::role::Permission::Sign);
    let before = account.signs_for.filter(|_| may_sign);
    let signs_for = signs_for(opened, &arguments.signs, arguments.role)?.or(before);
    let mut tx = opened.db.begin(Priority::Work).await?;
    account::set_role(&mut tx, &account.id, arguments.role, signs_for.as_ref()).await?;
    note(opened, &mut tx, &format!("{} is {}", account.name, arguments.role)).await?;
    tx.commit().await?;
    println!("{} is {} from now on.", account.name, arguments.role);
    Ok(ExitCode::SUCCESS)
}

async fn set_password(opened: &Opened, arguments: &PasswordArguments) -> Result<ExitCode> {
    let mut account = known(opened, &arguments.login).await?;
    account.password = password(&arguments.how)?;
    let mut tx = opened.db.begin(Priority::Work).await?;
    account::set_password(&mut tx, &account.id, account.password.as_deref()).await?;
    note(opened, &mut tx, &format!("{} gets a new password", account.name)).await?;
    let link = link(opened, &mut tx, &account).await?;
    tx.commit().await?;
    println!("The old password of {} and all sessions end.", account.name);
    link.iter().for_each(|link| println!("{link}"));
    Ok(ExitCode::SUCCESS)
}

async fn set_disabled(opened: &Opened, login: &str, disabled: bool) -> Result<ExitCode> {
    let account = known(opened, login).await?;
    let to = if disabled { "may sign in no more" } else { "may sign in again" };
    let mut tx = opened.db.begin(Priority::Work).await?;
    account::set_disabled(&mut tx, &account.id, disabled).await?;
    note(opened, &mut tx, &format!("{} {to}", account.name)).await?;
    tx.commit().await?;
    println!("{} {to}.", account.name);
    Ok(ExitCode::SUCCESS)
}

async fn sessions(opened: &Opened, login: &str) -> Result<ExitCode> {
    let account = known(opened, login).await?;
    let open = session::of_account(&opened.db, &account.id, now()).await?;
    if open.is_empty() {
        println!("{} is signed in nowhere.", account.name);
    }
    for one in open {
        let (since, seen) = (one.created_at.in_zone(&TimeZone::UTC), one.seen_at.in_zone(&TimeZone::UTC));
        println!("{}  from {}, since {since}, last seen {seen}, {}", one.mark, one.address, one.browser);
    }
    Ok(ExitCode::SUCCESS)
}

async fn unlink(opened: &Opened, login: &str) -> Result<ExitCode> {
    let account = known(opened, login).await?;
    let mut tx = opened.db.begin(Priority::Work).await?;
    let gone = oidc::unbind(&mut tx, &account.id).await?;
    if gone > 0 {
        session::end_all(&mut tx, &account.id).await?;
        note(opened, &mut tx, &format!("{} is linked to nobody at the identity provider", account.name)).await?;
    }
    tx.commit().await?;
    match gone {
        0 => println!("{} is linked to nobody at an identity provider.", account.name),
        _ => println!("{} is linked to nobody any more; all sessions end.", account.name),
    }
    Ok(ExitCode::SUCCESS)
}

async fn revoke(opened: &Opened, arguments: &RevokeArguments) -> Result<ExitCode> {
    let account = known(opened, &arguments.login).await?;
    let mut tx = opened.db.begin(Priority::Work).await?;
    let ended = match &arguments.session {
        Some(mark) => session::end_marked(&mut tx, &account.id, mark).await?,
        None => session::end_all(&mut tx, &account.id).await?,
    };
    tx.commit().await?;
    println!("Ended {} of {}.", counted(usize::try_from(ended).unwrap_or(usize::MAX), "session"), account.name);
    Ok(ExitCode::SUCCESS)
}
