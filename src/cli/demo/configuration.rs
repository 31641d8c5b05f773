//! The demo's configuration file, made from the sandbox's own names: read by the same code as
//! anybody's.

use crate::sandbox::floor::{Function, Staff};
use crate::sandbox::vocabulary;
use std::fmt::Write;
use std::net::SocketAddr;

pub const AGREEMENT: &str = include_str!("../../../config/demo-agreement.toml");
pub const HUBSPOT: &str = "hubspot";
pub const SALESFORCE: &str = "salesforce";
pub const PORTAL: u64 = 45_540_012;
pub const ORGANIZATION: &str = "00D5g000004XyZaEAK";
/// Nobody else can reach the sandbox: it listens on the loopback and ends with the demo.
pub const TOKEN: &str = "demo-token";
pub const SECRET: &str = "demo-secret-of-the-sandbox";

/// The configuration as a file would have it.
pub fn text(sandbox: &str, base: &str, listen: SocketAddr, hubspot: &Staff, salesforce: &Staff) -> String {
    let mut text = format!(
        "agreement = \"agreement.toml\"\nrequire_signatures = false\n\n[server]\nlisten = \"{listen}\"\n\
         admin_listen = \"{listen}\"\npublic_url = \"{base}\"\n"
    );
    let members = |staff: &Staff| {
        let ids: Vec<String> = staff.of(Function::Teleprospecting).iter().map(|c| format!("\"{}\"", c.id)).collect();
        ids.join(", ")
    };
    // Writing into a string cannot fail.
    let _ = write!(
        text,
        "\n[[connection]]\nname = \"{HUBSPOT}\"\ncrm = \"hubspot\"\nmode = \"enforce\"\nbase_url = \"{sandbox}\"\n\
         portal_id = {PORTAL}\naccess_token = \"{TOKEN}\"\nwebhook_secret = [\"{SECRET}\"]\n\
         parties.teleprospecting = {{ members = [{}] }}\nvalues.lead.status = {{ {} }}\n{}{}",
        members(hubspot),
        pairs(vocabulary::HUBSPOT_STATUSES),
        fields("lead", vocabulary::HUBSPOT_LEAD_FIELDS),
        fields("opportunity", vocabulary::HUBSPOT_OPPORTUNITY_FIELDS),
    );
    let _ = write!(
        text,
        "\n[[connection]]\nname = \"{SALESFORCE}\"\ncrm = \"salesforce\"\nmode = \"enforce\"\nbase_url = \"{sandbox}\"\n\
         organization_id = \"{ORGANIZATION}\"\nclient_id = \"{TOKEN}\"\nclient_secret = \"{SECRET}\"\n\
         path_secret = \"{SECRET}\"\nparties.teleprospecting = {{ queue = \"{}\" }}\n{}{}",
        salesforce.queue,
        fields("lead", vocabulary::SALESFORCE_LEAD_FIELDS),
        fields("opportunity", vocabulary::SALESFORCE_OPPORTUNITY_FIELDS),
    );
    text
}

fn fields(object: &str, table: &[(&str, &str)]) -> String {
    format!("fields.{object} = {{ {} }}\n", pairs(table))
}

fn pairs(table: &[(&str, &str)]) -> String {
    let pairs: Vec<String> = table.iter().map(|(ours, theirs)| format!("\"{ours}\" = \"{theirs}\"")).collect();
    pairs.join(", ")
}
