//! What the pages of a sign-in say: what is going to happen, what has happened, or what went wrong and
//! what to do about it.

use crate::crm::connection::{Connection, Platform};
use crate::crm::oauth::BrowserSignIn;
use crate::engine::Site;
use crate::engine::sign_in::Refused;
use askama::Template;

/// Longest text of a CRM's that is shown.
const MOST_CHARS: usize = 300;

/// One page; whatever it holds is escaped.
#[derive(Template, Default)]
#[template(path = "connect.html")]
pub struct Page {
    /// The path before our paths.
    base: String,
    title: String,
    failed: bool,
    texts: Vec<String>,
    facts: Vec<(&'static str, String)>,
    form: Option<Button>,
    heading: &'static str,
    /// What to do, and the command for it.
    steps: Vec<(&'static str, String)>,
}

struct Button {
    action: String,
    ticket: String,
    button: String,
}

/// What people call the CRM.
fn crm(connection: &Connection) -> &'static str {
    match connection.platform {
        Platform::HubSpot(_) => "HubSpot",
        Platform::Salesforce(_) => "Salesforce",
        Platform::Generic(_) => "the CRM",
    }
}

/// The one account that may be connected.
fn account(connection: &Connection) -> (&'static str, String) {
    match &connection.platform {
        Platform::HubSpot(settings) => {
            let portal = settings.portal_id.map(|id| id.to_string());
            ("HubSpot account", portal.unwrap_or_else(|| "the one that you choose there".to_owned()))
        }
        Platform::Salesforce(settings) => ("Salesforce organisation", settings.organization_id.clone()),
        Platform::Generic(_) => ("Account", String::new()),
    }
}

/// Who should sign in.
fn whose_rights(connection: &Connection) -> &'static str {
    match connection.platform {
        Platform::HubSpot(_) => "Sign in as an administrator who may install apps, and choose this account.",
        _ => "Sign in as the user whose rights leadpact is to have: it acts as that user from then on.",
    }
}

fn agreement(site: &Site) -> String {
    format!("{}, version {}", site.agreement.title, site.agreement.version)
}

fn again(connection: &Connection) -> (&'static str, String) {
    ("On the machine where leadpact runs, ask for a new link:", format!("leadpact connect {} --again", connection.name))
}

fn failed(base: &str, title: impl Into<String>, texts: Vec<String>, steps: Vec<(&'static str, String)>) -> Page {
    let heading = "What to do";
    Page { base: base.to_owned(), title: title.into(), failed: true, texts, heading, steps, ..Page::default() }
}

pub fn no_connection(base: &str) -> Page {
    let text = "leadpact has no connection of this name. Links to sign in come from `leadpact connect`.".to_owned();
    failed(base, "There is nothing to sign in to here", vec![text], Vec::new())
}

pub fn no_browser(base: &str, connection: &Connection) -> Page {
    let text = format!(
        "leadpact signs in to {} ({}) with the credentials of its configuration; nobody has to sign in with a browser.",
        connection.name,
        crm(connection)
    );
    let steps = vec![("Whether these credentials work:", format!("leadpact doctor {}", connection.name))];
    failed(base, "Nobody signs in here", vec![text], steps)
}

pub fn no_ticket(base: &str, connection: &Connection) -> Page {
    Page {
        base: base.to_owned(),
        title: format!("Sign in to {}", crm(connection)),
        texts: vec![format!(
            "To connect {}, a link is needed that works once and for 15 minutes: whoever runs leadpact makes it.",
            connection.name
        )],
        heading: "How to get the link",
        steps: vec![
            ("On the machine where leadpact runs:", format!("leadpact connect {}", connection.name)),
            ("Open the link that it prints.", String::new()),
        ],
        ..Page::default()
    }
}

pub fn ask(base: &str, site: &Site, sign_in: &BrowserSignIn, ticket: String) -> Page {
    let (connection, crm) = (&site.connection, crm(&site.connection));
    let scopes = sign_in.scopes().join(", ");
    Page {
        base: base.to_owned(),
        title: format!("Connect {crm} with leadpact"),
        texts: vec![
            format!(
                "{crm} will ask you to sign in and to let leadpact work in this account. leadpact reads its leads and \
                 opportunities there, and changes them as the agreement says once it is allowed to act."
            ),
            whose_rights(connection).to_owned(),
        ],
        facts: vec![
            account(connection),
            ("Connection", connection.name.to_string()),
            ("Agreement", agreement(site)),
            ("leadpact asks for", if scopes.is_empty() { "what its app was given".to_owned() } else { scopes }),
        ],
        form: Some(Button {
            action: format!("{base}/connect/{}", connection.name),
            ticket,
            button: format!("Sign in to {crm}"),
        }),
        ..Page::default()
    }
}

pub fn connected(base: &str, site: &Site, granted: Option<&str>) -> Page {
    let (connection, name) = (&site.connection, site.name());
    let (label, configured) = account(connection);
    Page {
        base: base.to_owned(),
        title: format!("{} is connected", crm(connection)),
        texts: vec!["The sign-in is kept encrypted and renewed by itself. You may close this page.".to_owned()],
        facts: vec![
            (label, granted.map_or(configured, str::to_owned)),
            ("Connection", name.to_string()),
            ("Agreement", agreement(site)),
        ],
        heading: "What comes next",
        steps: vec![
            (
                "The command that made the link creates the fields that are missing. Where it does not run any more:",
                format!("leadpact connect {name}"),
            ),
            ("See that all is well:", format!("leadpact doctor {name}")),
            ("Import the records that are open now:", format!("leadpact backfill {name}")),
        ],
        ..Page::default()
    }
}

/// A ticket that does not do.
pub fn bad_ticket(base: &str, connection: &Connection, refused: &Refused) -> Page {
    let (title, text) = match refused {
        Refused::Unknown => (
            "This link does not work any more",
            "A link to sign in works once. This one was used, was replaced by a newer one, has expired long ago, or is \
             not complete.",
        ),
        Refused::Expired => ("This link has expired", "A link to sign in works for 15 minutes."),
        Refused::OtherConnection => {
            ("This link is for another connection", "It was made for another connection than the one in its address.")
        }
        _ => return trouble(base, connection, refused),
    };
    failed(base, title, vec![text.to_owned(), nothing_done()], vec![again(connection)])
}

/// An answer of the CRM's that does not count, or that came to nothing.
pub fn bad_return(base: &str, connection: &Connection, refused: &Refused) -> Page {
    let crm = crm(connection);
    let (title, text) = match refused {
        Refused::Unknown => (
            "This sign-in is not open",
            "Each sign-in counts once. Perhaps this page was loaded again after it had worked, or it was opened from \
             somewhere else than leadpact's own link.",
        ),
        Refused::Expired => ("This sign-in took too long", "It has to be finished within 15 minutes."),
        Refused::OtherConnection => (
            "This sign-in is for another connection",
            "It was begun for another connection than the one it came back to.",
        ),
        Refused::OtherBrowser => (
            "This sign-in was begun in another browser",
            "It has to be finished in the browser in which the link was opened, and that browser must take cookies. If \
             somebody sent you this address, do not go on.",
        ),
        Refused::Crm(crate::crm::CrmError::SignIn { message }) => {
            let texts = vec![format!("Nothing was connected: {}.", shown(message)), nothing_kept()];
            return failed(base, format!("{crm} was not connected"), texts, vec![again(connection)]);
        }
        _ => return trouble(base, connection, refused),
    };
    let is_connected = ("What is connected is shown by:", "leadpact credentials".to_owned());
    failed(base, title, vec![text.to_owned(), nothing_done()], vec![is_connected, again(connection)])
}

/// The CRM sent back no code.
pub fn declined(base: &str, connection: &Connection, error: Option<&str>, description: Option<&str>) -> Page {
    let crm = crm(connection);
    let why = match error {
        Some("access_denied") => format!("The sign-in was declined, or {crm} did not allow it."),
        Some("redirect_uri_mismatch") => {
            format!(
                "{crm} does not know the address that leadpact is reached at: the app must name it as its redirect URL."
            )
        }
        _ => format!("{crm} sent nobody back who has signed in."),
    };
    let mut texts = vec![why];
    let said: Vec<String> = [error, description].into_iter().flatten().map(shown).collect();
    if !said.is_empty() {
        texts.push(format!("It said: {}", said.join(": ")));
    }
    texts.push(nothing_kept());
    failed(base, format!("{crm} was not connected"), texts, vec![again(connection)])
}

/// Something does not work that the person before the page has not done.
fn trouble(base: &str, connection: &Connection, refused: &Refused) -> Page {
    let texts = vec![format!("{}.", shown(&refused.to_string())), nothing_kept()];
    let doctor = ("What is wrong is shown by:", format!("leadpact doctor {}", connection.name));
    failed(base, format!("{} could not be connected", crm(connection)), texts, vec![doctor, again(connection)])
}

fn nothing_done() -> String {
    "Nothing was changed.".to_owned()
}

fn nothing_kept() -> String {
    "Nothing of this sign-in was kept; what was connected before stays so.".to_owned()
}

/// Text from outside, on a line and not too long.
fn shown(text: &str) -> String {
    text.trim().trim_end_matches('.').chars().filter(|c| !c.is_control()).take(MOST_CHARS).collect()
}
