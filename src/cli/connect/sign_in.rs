//! The part of `leadpact connect` before anything is created, where somebody signs in with a browser: a
//! link that works once is printed, and the command waits until it was used. The pages behind the link
//! are the daemon's.

use crate::cli::opened::who;
use crate::crm::connection::{Connection, Platform};
use crate::crm::oauth::callback_path;
use crate::crm::{CrmError, SharedKeeper};
use crate::engine::clock::real_now;
use crate::engine::sign_in::{TICKET_LASTS, issue};
use crate::record::{Elapsed, Timestamp};
use crate::settings::Server;
use crate::store::{Db, credential, sign_in};
use anyhow::Result;
use secrecy::ExposeSecret;
use std::time::Duration;

/// How often it is looked whether somebody has signed in.
const LOOK: Duration = Duration::from_millis(500);
/// So long after the sign-in came back the CRM may take to say what it grants, and the daemon to keep it.
const EXCHANGE: Elapsed = Elapsed::from_secs(20);

/// What came of asking somebody to sign in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    /// There is a grant to go on with.
    SignedIn,
    /// Nobody waits: `--no-wait`, or Ctrl-C.
    NotAwaited,
    /// The link expired, or the sign-in failed in the browser.
    InVain,
}

/// Whether a kept grant does; what is wrong with one that does not is said.
pub async fn is_signed_in(keeper: &SharedKeeper) -> Result<bool, CrmError> {
    match keeper.kept().await {
        Ok(kept) => Ok(kept.is_some()),
        Err(CrmError::SignIn { message }) => {
            println!("Somebody has to sign in again: {message}.");
            Ok(false)
        }
        Err(other) => Err(other),
    }
}

/// Prints a link and waits until somebody has signed in with it.
pub async fn ask(db: &Db, server: &Server, connection: &Connection, waits: bool) -> Result<Asked> {
    let name = &connection.name;
    let before = version(db, connection).await?;
    let ticket = issue(db, name, &who(), real_now()).await?;
    let base = server.public_base();
    println!("{} signs in with a browser. Open this link there:\n", somebody(connection));
    println!("  {base}/connect/{name}?ticket={}\n", ticket.expose_secret());
    println!("It works once, within {} minutes, while `leadpact serve` runs.", TICKET_LASTS.as_millis() / 60_000);
    println!("The app must have this redirect URL: {base}{}", callback_path(name));
    if !waits {
        println!("Once somebody has signed in, `leadpact connect {name}` goes on.");
        return Ok(Asked::NotAwaited);
    }
    println!("\nWaiting for the sign-in. Ctrl-C ends the waiting; the link works on.");
    tokio::select! {
        done = wait(db, connection, before) => done,
        _ = tokio::signal::ctrl_c() => {
            println!("\nNot waiting any more. Once somebody has signed in, `leadpact connect {name}` goes on.");
            Ok(Asked::NotAwaited)
        }
    }
}

fn somebody(connection: &Connection) -> String {
    match &connection.platform {
        Platform::HubSpot(settings) => {
            let account = settings.portal_id.map_or_else(String::new, |id| format!(" {id}"));
            format!("An administrator of the HubSpot account{account}")
        }
        Platform::Salesforce(settings) => {
            format!(
                "A user of the Salesforce organisation {}, with whose rights leadpact acts,",
                settings.organization_id
            )
        }
        Platform::Generic(_) => "A user of the CRM".to_owned(),
    }
}

async fn version(db: &Db, connection: &Connection) -> Result<Option<i64>> {
    Ok(credential::load(db, &connection.name).await?.map(|row| row.version))
}

/// Another version than before is a new grant; a renewal of the old one is none that was waited for,
/// but does as well.
async fn wait(db: &Db, connection: &Connection, before: Option<i64>) -> Result<Asked> {
    let mut open_at: Timestamp = real_now();
    loop {
        let now = version(db, connection).await?;
        if now.is_some() && now != before {
            println!("Signed in.\n");
            return Ok(Asked::SignedIn);
        }
        if sign_in::is_open(db, &connection.name, real_now()).await? {
            open_at = real_now();
        }
        if real_now() - open_at > EXCHANGE {
            let name = &connection.name;
            println!(
                "Nobody has signed in: the link has expired, or the page said what went wrong. For a new link: \
                 `leadpact connect {name} --again`."
            );
            return Ok(Asked::InVain);
        }
        tokio::time::sleep(LOOK).await;
    }
}
