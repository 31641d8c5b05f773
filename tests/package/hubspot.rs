//! HubSpot's project: scopes and subscriptions for exactly what the agreement uses, all of them
//! understood by the connector.

use super::{BASE, agreement, agreement_with, connection, everything, generate, parsed};
use leadpact::agreement::Agreement;
use leadpact::crm::http::Http;
use leadpact::crm::hubspot::HubSpot;
use leadpact::crm::oauth::BrowserSignIn;
use leadpact::crm::{Connection, Crm, VerifiedDelivery};
use leadpact::package::{Package, PackageError, hubspot_scopes};
use leadpact::record::Timestamp;
use serde_json::{Value as Json, json};
use std::collections::BTreeSet;
use std::sync::Arc;

pub const CONNECTION: &str = r#"
[[connection]]
name           = "acme-hubspot"
crm            = "hubspot"
access_token   = "${TOKEN}"
webhook_secret = ["${SECRET}"]

  [connection.fields.lead]
  budget        = "budget"
  authority     = "authority"
  need          = "need"
  timeframe     = "timeframe"
  customer      = "is_customer"
  on_hold       = "on_hold"
  region        = "region"
  reject_reason = "reject_reason"
  flag          = "leadpact_violation"
  violation     = "leadpact_violations"
  due           = "leadpact_due"

  [connection.fields.opportunity]
  loss_review = "loss_review"
  flag        = "leadpact_violation"
  violation   = "leadpact_violations"
"#;

fn package_of(agreement: &Agreement, connection: &Connection) -> Package {
    generate(agreement, connection).expect("a package")
}

fn file(package: &Package, path: &str) -> Json {
    serde_json::from_str(package.text(path).expect(path)).expect("JSON")
}

fn webhooks(package: &Package) -> Json {
    file(package, "src/app/webhooks/webhooks-hsmeta.json")["config"].clone()
}

fn subscriptions(package: &Package) -> Vec<Json> {
    webhooks(package)["subscriptions"]["crmObjects"].as_array().expect("a list").clone()
}

/// `contact:email`, `deal:amount`.
fn properties(package: &Package) -> BTreeSet<String> {
    let change = |s: &Json| {
        let text = |key: &str| s[key].as_str().map(str::to_owned);
        Some(format!("{}:{}", text("objectType")?, text("propertyName")?))
    };
    subscriptions(package).iter().filter_map(change).collect()
}

fn scopes(package: &Package) -> BTreeSet<String> {
    let scopes = &file(package, "src/app/app-hsmeta.json")["config"]["auth"]["requiredScopes"];
    serde_json::from_value(scopes.clone()).expect("a list")
}

fn set(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

#[test]
fn every_property_of_the_agreement_is_subscribed_to_and_no_other() {
    let package = package_of(&agreement(), &connection(CONNECTION));
    let expected = [
        "contact:authority",
        "contact:budget",
        "contact:company",
        "contact:email",
        "contact:hs_analytics_first_touch_converting_campaign",
        "contact:hs_analytics_source",
        "contact:hs_lead_status",
        "contact:hubspot_owner_id",
        "contact:hubspotscore",
        "contact:is_customer",
        "contact:need",
        "contact:notes_last_contacted",
        "contact:num_contacted_notes",
        "contact:on_hold",
        "contact:reject_reason",
        "contact:timeframe",
        "deal:amount",
        "deal:closed_lost_reason",
        "deal:closedate",
        "deal:deal_currency_code",
        "deal:dealstage",
        "deal:hs_analytics_source",
        "deal:hubspot_owner_id",
        "deal:loss_review",
        "deal:notes_last_contacted",
        "deal:num_contacted_notes",
    ];
    assert_eq!(properties(&package), set(&expected));
}

#[test]
fn a_field_that_a_condition_begins_to_use_is_subscribed_to() {
    let changed = agreement_with(&[("score >= 60 &&", "score >= 60 && region != \"Antarctica\" &&")]);
    let before = properties(&package_of(&agreement(), &connection(CONNECTION)));
    let after = properties(&package_of(&changed, &connection(CONNECTION)));
    assert_eq!(after.difference(&before).collect::<Vec<_>>(), ["contact:region"]);
    assert!(before.is_subset(&after));
}

#[test]
fn a_contacts_name_in_a_condition_is_watched_in_its_two_parts() {
    let changed = agreement_with(&[("score >= 60 &&", "score >= 60 && name != null &&")]);
    let found = properties(&package_of(&changed, &connection(CONNECTION)));
    assert!(found.is_superset(&set(&["contact:firstname", "contact:lastname"])), "{found:?}");
}

#[test]
fn what_leadpact_writes_is_never_subscribed_to() {
    let text = CONNECTION.replace("\"on_hold\"", "\"leadpact_due\"");
    let package = package_of(&agreement(), &connection(&text));
    assert!(!properties(&package).iter().any(|p| p.contains("leadpact")), "{:?}", properties(&package));
    assert!(package.notes.iter().any(|n| n.contains("lead.on_hold is mapped to leadpact_due")), "{:?}", package.notes);
}

#[test]
fn the_time_of_the_last_change_is_never_subscribed_to() {
    let changed = agreement_with(&[("score >= 60 &&", "modified != null && created != null && score >= 60 &&")]);
    let found = properties(&package_of(&changed, &connection(CONNECTION)));
    assert!(!found.iter().any(|p| p.contains("date") && p.starts_with("contact")), "{found:?}");
}

/// Sends one event of each subscription to the connector.
#[test]
fn the_connector_understands_every_event_that_is_subscribed_to() {
    for lead_object in ["contacts", "leads"] {
        let text = CONNECTION.replace("access_token", &format!("lead_object = \"{lead_object}\"\naccess_token"));
        let (agreement, connection) = (agreement(), connection(&text));
        let package = package_of(&agreement, &connection);
        let http = Http::new(Arc::new(|| Timestamp::from_millis(1_800_000_000_000))).expect("a client");
        let crm = HubSpot::new(connection, &agreement.dictionary, http);
        let hub = webhooks(&package)["subscriptions"]["hubEvents"].as_array().expect("a list").clone();
        assert_eq!(hub.len(), usize::from(lead_object == "contacts"), "privacy deletions concern contacts");
        for subscription in subscriptions(&package).iter().chain(&hub) {
            let body = json!([event(subscription, lead_object)]).to_string();
            let read = crm.events(&VerifiedDelivery::from_inbox(body.into_bytes())).expect("understood");
            assert!(read.dropped.is_empty() && !read.events.is_empty(), "{subscription}: {:?}", read.dropped);
        }
    }
}

fn event(subscription: &Json, lead_object: &str) -> Json {
    let lead = if lead_object == "leads" { "0-136" } else { "0-1" };
    let kind = subscription["objectType"].as_str().unwrap_or("contact");
    let type_id = if kind == "deal" { "0-3" } else { lead };
    json!({
        "eventId": 1, "portalId": 1, "appId": 1, "occurredAt": 1_800_000_000_000_i64, "objectId": 7,
        "subscriptionType": subscription["subscriptionType"], "objectTypeId": type_id,
        "propertyName": subscription["propertyName"], "propertyValue": "",
        "primaryObjectId": 7, "mergedObjectIds": [8], "newObjectId": 7,
        "fromObjectId": 7, "toObjectId": 9, "fromObjectTypeId": lead, "toObjectTypeId": "0-3",
    })
}

#[test]
fn scopes_are_those_of_the_objects_that_are_used() {
    let found = scopes(&package_of(&agreement(), &connection(CONNECTION)));
    let expected = [
        "crm.objects.contacts.read",
        "crm.objects.contacts.write",
        "crm.objects.deals.read",
        "crm.objects.deals.write",
        "crm.objects.owners.read",
        "crm.schemas.contacts.write",
        "crm.schemas.deals.write",
        "oauth",
    ];
    assert_eq!(found, set(&expected));
    assert_eq!(hubspot_scopes(&agreement(), &connection(CONNECTION)), found);

    let leads = CONNECTION.replace("access_token", "lead_object = \"leads\"\naccess_token");
    let found = scopes(&package_of(&agreement(), &connection(&leads)));
    assert!(found.is_superset(&set(&["crm.objects.leads.read", "crm.objects.leads.write", "crm.schemas.leads.write"])));
    assert!(found.contains("crm.objects.contacts.write"), "tasks are made under it");
    assert!(!found.contains("crm.schemas.contacts.write"));
}

/// Two lead stages, nothing written and nothing made.
const SMALL: &str = r#"
title = "Small"
version = "1"
[parties.marketing]
[parties.sales]
[[stage]]
name = "mql"
term = "MQL"
means = "Passed on."
of = "lead"
when = 'status == "New"'
[[stage]]
name = "sal"
term = "SAL"
means = "Accepted."
of = "lead"
when = 'status == "Working"'
[[handoff]]
name = "To sales"
from = "marketing"
to = "sales"
at = "mql"
  [[handoff.clock]]
  name = "Answer"
  until = 'reached("sal")'
  within = "4h"
  steps = [{ at = "due", notify = ["owner"] }]
"#;

#[test]
fn an_agreement_about_leads_alone_asks_for_nothing_about_deals() {
    let small = connection(
        "[[connection]]\nname = \"s\"\ncrm = \"hubspot\"\naccess_token = \"${TOKEN}\"\nwebhook_secret = [\"${SECRET}\"]",
    );
    let package = package_of(&parsed(SMALL), &small);
    let expected = ["crm.objects.contacts.read", "crm.objects.owners.read", "oauth"];
    assert_eq!(scopes(&package), set(&expected));
    assert!(!everything(&package).contains("deal"), "{}", everything(&package));
    assert!(!subscriptions(&package).iter().any(|s| s["subscriptionType"] == "object.associationChange"));
    assert_eq!(file(&package, "properties.json")["objects"], json!({}));
}

#[test]
fn more_subscriptions_than_an_app_may_have_are_refused() {
    let names: Vec<String> = (0..1000).map(|n| format!("f{n}")).collect();
    let declared: String = names.iter().map(|name| format!("{name} = \"text\"\n")).collect();
    let requires = format!("at = \"mql\"\nrequires = [\"{}\"]", names.join("\",\""));
    let text = format!("{SMALL}[data.lead]\n{declared}").replace("at = \"mql\"", &requires);
    let mapped: String = names.iter().map(|name| format!("{name} = \"{name}\"\n")).collect();
    let text_of = format!("{}\n[connection.fields.lead]\n{mapped}", CONNECTION.split("  [connection").next().unwrap());
    match generate(&parsed(&text), &connection(&text_of)) {
        Err(PackageError::Subscriptions { wanted, most: 1000 }) => assert!(wanted > 1000),
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_project_names_its_connection_and_where_to_send() {
    let package = package_of(&agreement(), &connection(CONNECTION));
    assert_eq!(webhooks(&package)["settings"]["targetUrl"], format!("{BASE}/webhooks/acme-hubspot"));
    let project = json!({ "name": "leadpact-acme-hubspot", "srcDir": "src", "platformVersion": "2026.03" });
    assert_eq!(file(&package, "hsproject.json"), project);
    let older = CONNECTION.replace("access_token", "api_version = \"v3\"\naccess_token");
    let older = package_of(&agreement(), &connection(&older));
    assert_eq!(file(&older, "hsproject.json")["platformVersion"], "2026.09");
    assert!(!everything(&package).contains("Qk3v7xZ"), "no secret is in a package");
}

#[test]
fn the_properties_that_are_written_are_listed_with_their_types() {
    let package = package_of(&agreement(), &connection(CONNECTION));
    let listed = &file(&package, "properties.json")["objects"];
    let types: Vec<_> = listed["contacts"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|p| (&p["name"], &p["type"], &p["fieldType"]))
        .collect();
    let expected = [
        (json!("leadpact_violation"), json!("bool"), json!("booleancheckbox")),
        (json!("leadpact_violations"), json!("string"), json!("textarea")),
        (json!("leadpact_due"), json!("datetime"), json!("date")),
    ];
    assert_eq!(types, expected.iter().map(|(a, b, c)| (a, b, c)).collect::<Vec<_>>());
    assert_eq!(listed["deals"].as_array().map(Vec::len), Some(2));
}

#[test]
fn a_property_that_hubspot_would_not_create_is_refused() {
    let text = CONNECTION.replace("\"leadpact_due\"", "\"Leadpact Due\"");
    let refused = generate(&agreement(), &connection(&text)).expect_err("refused").to_string();
    assert!(refused.contains("`Leadpact Due`, mapped to contact.due"), "{refused}");
}

#[test]
fn hostile_names_stay_texts() {
    let title = "A \\\"}, <script>x</script> | `b`";
    let hostile = agreement_with(&[("Acme sales and marketing agreement", title)]);
    let text = CONNECTION.replace("\"on_hold\"", r#""on\"hold\\</script>""#);
    let package = package_of(&hostile, &connection(&text));
    assert!(properties(&package).contains("contact:on\"hold\\</script>"));
    let description = &file(&package, "src/app/app-hsmeta.json")["config"]["description"];
    assert_eq!(description, "Keeps the agreement “A \"}, <script>x</script> | `b`”.");
    assert!(!package.text("README.md").expect("there").contains("<script"), "the page is plain text");
}

#[test]
fn the_readme_names_every_scope_and_every_property() {
    let package = package_of(&agreement(), &connection(CONNECTION));
    let readme = package.text("README.md").expect("there");
    for scope in scopes(&package) {
        assert!(readme.contains(&format!("| `{scope}` |")), "{scope}");
    }
    for property in properties(&package) {
        let name = property.split(':').nth(1).expect("a name");
        assert!(readme.contains(&format!("| `{name}` |")), "{name}");
    }
}

/// The reference connection, signed in to with a browser.
fn by_browser() -> String {
    let browser =
        "portal_id = 45540012\nsign_in = \"browser\"\nclient_id = \"${SECRET}\"\nclient_secret = \"${SECRET}\"";
    CONNECTION.replace("access_token   = \"${TOKEN}\"", browser)
}

#[test]
fn an_app_that_people_sign_in_through_names_where_they_come_back_to() {
    let package = package_of(&agreement(), &connection(&by_browser()));
    let auth = file(&package, "src/app/app-hsmeta.json")["config"]["auth"].clone();
    let callback = format!("{BASE}/connect/acme-hubspot/callback");
    assert_eq!((&auth["type"], &auth["redirectUrls"]), (&json!("oauth"), &json!([callback])));
    let readme = package.text("README.md").expect("there");
    for part in [callback.as_str(), "leadpact connect acme-hubspot", "HUBSPOT_CLIENT_ID", "portal_id"] {
        assert!(readme.contains(part), "{part}");
    }
    assert!(!readme.contains("HUBSPOT_ACCESS_TOKEN") && !everything(&package).contains("Qk3v7xZ"));
    let fixed = package_of(&agreement(), &connection(CONNECTION));
    let auth = file(&fixed, "src/app/app-hsmeta.json")["config"]["auth"].clone();
    assert_eq!((&auth["type"], &auth["redirectUrls"]), (&json!("static"), &Json::Null));
}

/// HubSpot refuses a sign-in that asks for other scopes than the app does.
#[test]
fn the_sign_in_asks_for_the_apps_scopes_whatever_the_agreement() {
    for lead_object in ["contacts", "leads"] {
        let text = format!("lead_object = \"{lead_object}\"\nportal_id");
        let browser = connection(&by_browser().replace("portal_id", &text));
        let sign_in = BrowserSignIn::of(&browser).expect("by browser");
        let asked: BTreeSet<String> = sign_in.scopes().iter().cloned().collect();
        for agreement in [agreement(), parsed(SMALL)] {
            assert_eq!(scopes(&package_of(&agreement, &browser)), asked);
        }
        // And that is enough for all that the agreement needs.
        let fixed = CONNECTION.replace("access_token", &format!("lead_object = \"{lead_object}\"\naccess_token"));
        assert!(asked.is_superset(&scopes(&package_of(&agreement(), &connection(&fixed)))), "{asked:?}");
    }
}
