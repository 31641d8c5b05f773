//! Creating our own properties: what is asked, in which order, and what is sent.

use crate::fake::{Fake, given};
use leadpact::crm::{Crm, CrmError, OwnField};
use leadpact::record::field::well_known;
use leadpact::record::{FieldName, Object};
use serde_json::json;

fn own(object: Object, name: FieldName, crm_name: &str) -> OwnField {
    OwnField { object, name, crm_name: crm_name.to_owned() }
}

fn two_of_a_lead() -> [OwnField; 2] {
    let known = well_known();
    [own(Object::Lead, known.flag, "leadpact_violation"), own(Object::Lead, known.due, "leadpact_due")]
}

#[tokio::test]
async fn a_group_and_the_properties_that_are_missing_are_created_and_no_other() {
    let fake = Fake::start([
        given(200, json!({ "results": [{ "name": "contactinformation", "label": "x", "displayOrder": 0 }] })),
        given(201, json!({ "name": "leadpact", "label": "leadpact", "displayOrder": -1, "archived": false })),
        given(200, json!({ "results": [{ "name": "leadpact_due", "type": "datetime", "fieldType": "date" }] })),
        given(201, json!({ "name": "leadpact_violation" })),
    ])
    .await;
    let made = fake.crm().create_fields(&two_of_a_lead()).await;
    let new: Vec<bool> = made.iter().map(|one| *one.new.as_ref().unwrap()).collect();
    assert_eq!(new, [true, true, false], "{made:?}");
    let lines = [
        "GET /crm/properties/2026-03/contacts/groups",
        "POST /crm/properties/2026-03/contacts/groups",
        "GET /crm/properties/2026-03/contacts",
        "POST /crm/properties/2026-03/contacts",
    ];
    assert_eq!(fake.lines(), lines);
    let body = &fake.seen()[3].body;
    assert_eq!(
        (&body["type"], &body["fieldType"], &body["groupName"]),
        (&json!("bool"), &json!("booleancheckbox"), &json!("leadpact"))
    );
    assert_eq!(body["options"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn the_older_paths_and_the_leads_object_are_named_as_hubspot_names_them() {
    let fake = Fake::start([
        given(200, json!({ "results": [{ "name": "leadpact" }] })),
        given(200, json!({ "results": [] })),
        given(201, json!({ "name": "leadpact_violation" })),
        given(201, json!({ "name": "leadpact_due" })),
    ])
    .await;
    let crm = fake.crm_with(|connection| {
        connection.api_version = "v3".to_owned();
        let leadpact::crm::connection::Platform::HubSpot(settings) = &mut connection.platform else { unreachable!() };
        settings.lead_object = "leads".to_owned();
    });
    crm.create_fields(&two_of_a_lead()).await;
    assert_eq!(fake.lines()[0], "GET /crm/v3/properties/0-136/groups");
    assert_eq!(fake.lines()[2], "POST /crm/v3/properties/0-136");
    assert_eq!(fake.seen()[3].body["fieldType"], "date");
}

#[tokio::test]
async fn without_a_group_no_property_is_tried_and_the_lacking_scope_is_named() {
    let refusal = json!({
        "status": "error", "message": "not granted", "category": "MISSING_SCOPES",
        "errors": [{ "context": { "requiredGranularScopes": ["crm.schemas.contacts.write"] } }],
    });
    let fake = Fake::start([given(200, json!({ "results": [] })), given(403, refusal)]).await;
    let made = fake.crm().create_fields(&two_of_a_lead()).await;
    assert_eq!(made.len(), 1);
    let Err(CrmError::Never { message }) = &made[0].new else { panic!("{made:?}") };
    assert!(message.contains("needs crm.schemas.contacts.write"), "{message}");
}
