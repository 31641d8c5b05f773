//! The files that a newcomer begins with: a configuration of one connection and a small agreement,
//! each with comments that say what to fill in.

use super::File;

/// The CRMs that there is a starter for, by the word that the configuration uses.
pub const CRMS: [&str; 3] = ["hubspot", "salesforce", "generic"];

/// The address in the starter, which nobody can have left in a configuration on purpose.
pub(super) const PUBLIC_URL: &str = "https://leadpact.example.com";

const AGREEMENT: &str = include_str!("../../config/starter/agreement.toml");
const SHARED: &str = include_str!("../../config/starter/leadpact.toml");
const HUBSPOT: &str = include_str!("../../config/starter/hubspot.toml");
const SALESFORCE: &str = include_str!("../../config/starter/salesforce.toml");
const GENERIC: &str = include_str!("../../config/starter/generic.toml");

/// The `[[connection]]` to begin with. `crm` is one of [`CRMS`]; `name` has been found fit for one.
pub fn connection(crm: &str, name: &str) -> Option<String> {
    let text = match crm {
        "hubspot" => HUBSPOT,
        "salesforce" => SALESFORCE,
        "generic" => GENERIC,
        _ => return None,
    };
    Some(text.replace("CONNECTION", name))
}

/// Configuration and agreement.
pub fn starter(crm: &str, name: &str) -> Option<[File; 2]> {
    let configuration = format!("{SHARED}\n{}", connection(crm, name)?);
    Some([File::new("leadpact.toml", configuration), File::new("agreement.toml", AGREEMENT.to_owned())])
}

/// Whether a connection may be called so: it stands in URLs and variables.
pub fn is_name(text: &str) -> bool {
    let part = |p: &str| !p.is_empty() && p.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit());
    text.split('-').all(part)
}
