//! What a pretend Salesforce organisation tells of itself as a whole: who is asking, and which objects
//! there are. Single objects are described in `salesforce_setup.rs`.

use super::call::{Answer, Call};
use super::record::integration_user;
use super::salesforce_api::{OBJECTS, error};
use super::world::World;
use serde_json::json;

/// On the host that was called, so that whoever follows it stays in the sandbox.
pub fn identity_url(organization: &str, call: &Call) -> String {
    format!("http://{}/id/{organization}/{}", call.header("host").unwrap_or("localhost"), integration_user())
}

/// Who is asking, at the address that tokens and resources name.
pub fn identity(organization: &str, call: &Call) -> Answer {
    let user = integration_user();
    if !call.path.ends_with(&format!("/{organization}/{user}")) {
        return error(404, "NOT_FOUND", "The requested resource does not exist");
    }
    let body = json!({
        "id": identity_url(organization, call), "asserted_user": true, "user_id": user,
        "organization_id": organization, "username": "leadpact@acme.example", "display_name": "leadpact",
        "user_type": "STANDARD", "language": "en_US", "locale": "en_US", "utcOffset": -18_000_000,
    });
    Answer::json(200, &body)
}

/// Every object that may be read, without its fields.
pub fn describe_all(world: &World, call: &Call) -> Answer {
    let denied: Vec<String> = world.schema().denied.clone();
    let root = call.path.trim_end_matches('/');
    let one = |name: &&str| {
        json!({
            "name": name, "label": name, "queryable": true, "custom": false,
            "createable": !denied.contains(&format!("{name}: Create")),
            "updateable": !denied.contains(&format!("{name}: Edit")),
            "urls": { "sobject": format!("{root}/{name}"), "describe": format!("{root}/{name}/describe") },
        })
    };
    let readable = OBJECTS.iter().filter(|name| !denied.contains(&format!("{name}: Read")));
    let body = json!({ "encoding": "UTF-8", "maxBatchSize": 200, "sobjects": readable.map(one).collect::<Vec<_>>() });
    Answer::json(200, &body)
}
