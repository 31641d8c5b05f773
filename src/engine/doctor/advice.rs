//! What to do about what is wrong, in one sentence and in the words of the CRM's own pages.

use crate::crm::connection::{Connection, HubSpot, HubSpotAuth, Platform, SalesforceAuth};
use crate::crm::examine::ObjectTold;
use crate::record::{ConnectionName, FieldType};

enum Crm {
    HubSpot,
    Salesforce,
    Other,
}

fn crm(connection: &Connection) -> Crm {
    match connection.platform {
        Platform::HubSpot(_) => Crm::HubSpot,
        Platform::Salesforce(_) => Crm::Salesforce,
        Platform::Generic(_) => Crm::Other,
    }
}

pub(super) fn unreachable(connection: &Connection) -> String {
    format!("check that this machine can reach {} (base_url, proxy, firewall), and run doctor again", host(connection))
}

/// What kept the CRM from answering, by our own words for it.
pub(super) fn unanswered(connection: &Connection, cause: &str) -> String {
    let says = |word: &str| cause.contains(word);
    let host = host(connection);
    match () {
        () if says("429") || says("imit") || says("nearly all of the CRM's calls") => {
            "too many calls were made: wait a minute (or for the day's limit, see `calls`), and run doctor again"
                .to_owned()
        }
        () if says("certificate") => {
            format!(
                "{host} is not who it says to this machine: look for a proxy that opens TLS, and at the root certificates"
            )
        }
        () if says("cannot be read") => {
            format!("{host} answers with a page and not with data: correct base_url, or look for a proxy's login page")
        }
        () if says("status 5") || says("answered 5") => {
            format!(
                "the CRM or a proxy before it has trouble: see its status page, and whether this machine can reach {host}"
            )
        }
        () => unreachable(connection),
    }
}

fn host(connection: &Connection) -> String {
    let url = url::Url::parse(&connection.base_url).ok();
    url.and_then(|url| url.host_str().map(str::to_owned)).unwrap_or_else(|| "the CRM".to_owned())
}

/// `cause`: our own words for what was refused.
pub(super) fn sign_in(connection: &Connection, cause: &str) -> String {
    let name = &connection.name;
    if cause.contains("nothing was kept") {
        return "correct what the configuration says of the account, or use the credentials of the one that it names"
            .to_owned();
    }
    if cause.contains("correct it first") {
        return clock().to_owned();
    }
    match &connection.platform {
        Platform::HubSpot(HubSpot { auth: HubSpotAuth::AccessToken(_), .. }) => {
            "in HubSpot open the project's app › Auth, copy the access token, and set it as access_token".to_owned()
        }
        Platform::HubSpot(_) => format!(
            "run `leadpact connect {name}` while `leadpact serve` runs: an administrator of the account opens \
             the link and signs in; client_id and client_secret are on the app's Auth page"
        ),
        Platform::Salesforce(settings) => salesforce_sign_in(name, &settings.auth),
        Platform::Generic(_) => "check the credentials of this connection".to_owned(),
    }
}

fn salesforce_sign_in(name: &ConnectionName, auth: &SalesforceAuth) -> String {
    const APP: &str = "in Salesforce Setup › External Client App Manager › the app,";
    const NEW: &str = "a new app may take 30 minutes to work";
    match auth {
        SalesforceAuth::AccessToken(_) => "the session has ended: sign in again and set access_token, or better give \
             client_id with client_secret, or with private_key and username"
            .to_owned(),
        SalesforceAuth::ClientCredentials { .. } => format!(
            "{APP} check consumer key, secret, flow and run-as user, and set client_id and client_secret; {NEW}"
        ),
        SalesforceAuth::Jwt { username, .. } => format!(
            "{APP} check that Enable JWT Bearer Flow is on with the certificate of private_key, that client_id is its \
             consumer key, and that its policies admit {username}; {NEW}"
        ),
        SalesforceAuth::Browser { .. } => format!(
            "run `leadpact connect {name}` while `leadpact serve` runs: leadpact's own user opens the link and \
             signs in; {APP} check callback URL, consumer key and secret; {NEW}"
        ),
    }
}

pub(super) fn refused(connection: &Connection) -> String {
    match crm(connection) {
        Crm::HubSpot => "check base_url and api_version, and the app's scopes".to_owned(),
        _ => "check base_url (https://….my.salesforce.com), api_version, and that the integration user has API Enabled"
            .to_owned(),
    }
}

pub(super) fn clock() -> &'static str {
    "let this machine keep its time by NTP (timedatectl set-ntp true), since signatures and deadlines go by it"
}

pub(super) fn account(connection: &Connection, found: &str) -> String {
    match crm(connection) {
        Crm::HubSpot => {
            format!("set portal_id = {found} if that is the account you mean, else use a token of the other one")
        }
        _ => {
            format!(
                "set organization_id = \"{found}\" if that is the one you mean, else use credentials of the other one"
            )
        }
    }
}

pub(super) fn no_account(connection: &Connection) -> String {
    match crm(connection) {
        Crm::HubSpot => "add the scope `oauth` to the app, which lets it see whose account it is in".to_owned(),
        _ => "give the integration user the permission API Enabled".to_owned(),
    }
}

pub(super) fn permission(connection: &Connection, name: &str) -> String {
    match crm(connection) {
        Crm::HubSpot => {
            format!("add the scope {name} to the app (requiredScopes), upload the project and install it again")
        }
        Crm::Salesforce => {
            let place = match name {
                "Task: Read" => "System Permissions, tick Access Activities".to_owned(),
                "Event: Read" => {
                    "System Permissions, tick Access Activities, or leave meeting out of types in [connection.touches]"
                        .to_owned()
                }
                "Task: Create" => "System Permissions, tick Edit Tasks".to_owned(),
                name => format!("Object Settings, allow {name}"),
            };
            format!("in Salesforce Setup › Permission Sets, the integration user's set › {place}")
        }
        Crm::Other => format!("allow {name} to these credentials"),
    }
}

pub(super) fn object(connection: &Connection, told: &ObjectTold) -> String {
    match crm(connection) {
        Crm::HubSpot => {
            let edition = if told.theirs == "leads" { "; leads come with Sales Hub Professional" } else { "" };
            format!("give the app the scopes crm.objects.{0}.read and crm.schemas.{0}.read{edition}", told.theirs)
        }
        Crm::Salesforce => format!("give the integration user Read on {} and API Enabled", told.theirs),
        Crm::Other => format!("let these credentials read {}", told.theirs),
    }
}

pub(super) fn missing(connection: &Connection, told: &ObjectTold, crm_name: &str, own: bool) -> String {
    let connect = if own { format!("run `leadpact connect {}`, or ", connection.name) } else { String::new() };
    match crm(connection) {
        Crm::HubSpot => format!(
            "{connect}in HubSpot › Settings › Properties › {}, create {crm_name}, or map another property",
            told.theirs
        ),
        Crm::Salesforce => format!(
            "{connect}in Salesforce Setup › Object Manager › {}, create {crm_name} or let the integration user's \
             permission set see it, or map another field",
            told.theirs
        ),
        Crm::Other => format!("create {crm_name}, or map another field"),
    }
}

pub(super) fn kind(connection: &Connection, crm_name: &str, wanted: FieldType, own: bool) -> String {
    let key = if own { "fields" } else { "fields, or its values in values," };
    format!(
        "map another field than {crm_name} in [connection.{key} of {}]: leadpact alters no field, and this one has to hold {}",
        connection.name,
        describe(wanted)
    )
}

fn describe(kind: FieldType) -> &'static str {
    match kind {
        FieldType::Text => "text",
        FieldType::Number => "a number",
        FieldType::Bool => "yes or no (a checkbox)",
        FieldType::Date => "a date",
        FieldType::Time => "a date and time",
    }
}

pub(super) fn read_only(connection: &Connection, crm_name: &str) -> String {
    match crm(connection) {
        Crm::HubSpot => format!("map a property that is neither calculated nor kept by HubSpot instead of {crm_name}"),
        Crm::Salesforce => format!(
            "in the integration user's permission set › Field Permissions give Edit Access to {crm_name}; a formula has to be replaced"
        ),
        Crm::Other => format!("let these credentials write {crm_name}"),
    }
}

/// `meant`: the value of the CRM that is nearest to it.
pub(super) fn value(connection: &Connection, object: &str, name: &str, crm_name: &str, meant: Option<&str>) -> String {
    let table = format!("[connection.values.{object}.{name}] of {}", connection.name);
    match meant {
        Some(meant) => {
            format!("did you mean \"{meant}\"? say so under {table}, or add the value to {crm_name} in the CRM")
        }
        None => format!("add the value to {crm_name} in the CRM, or say what it is called there under {table}"),
    }
}

/// `how`: what is to be heeded, or another way.
pub(super) fn redeploy(connection: &Connection, how: &str) -> String {
    let name = &connection.name;
    match crm(connection) {
        Crm::HubSpot => format!("run `leadpact init hubspot {name}` and upload the project again, {how}"),
        _ => format!("run `leadpact init salesforce {name}` and deploy what it generates, {how}"),
    }
}
