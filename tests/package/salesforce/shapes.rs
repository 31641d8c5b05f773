//! The shapes of the metadata: well-formed, in the schema's order, named as they name each other.

use super::*;

/// The order of elements in each type, as Salesforce's schema has it.
const ORDER: [(&str, &[&str]); 12] = [
    ("Workflow", &["outboundMessages"]),
    (
        "outboundMessages",
        &[
            "fullName",
            "apiVersion",
            "description",
            "endpointUrl",
            "fields",
            "includeSessionId",
            "integrationUser",
            "name",
            "protected",
            "useDeadLetterQueue",
        ],
    ),
    (
        "Flow",
        &[
            "actionCalls",
            "apiVersion",
            "description",
            "environments",
            "interviewLabel",
            "label",
            "processType",
            "start",
            "status",
        ],
    ),
    (
        "actionCalls",
        &["name", "label", "locationX", "locationY", "actionName", "actionType", "flowTransactionModel", "nameSegment"],
    ),
    ("start", &["locationX", "locationY", "connector", "filterFormula", "object", "recordTriggerType", "triggerType"]),
    (
        "CustomField",
        &["fullName", "defaultValue", "description", "label", "length", "precision", "scale", "type", "visibleLines"],
    ),
    (
        "PermissionSet",
        &["description", "fieldPermissions", "hasActivationRequired", "label", "objectPermissions", "userPermissions"],
    ),
    ("fieldPermissions", &["editable", "field", "readable"]),
    ("ExternalClientApplication", &["contactEmail", "description", "distributionState", "isProtected", "label"]),
    ("ExtlClntAppOauthSettings", &["commaSeparatedOauthScopes", "externalClientApplication", "label"]),
    (
        "ExtlClntAppGlobalOauthSettings",
        &[
            "callbackUrl",
            "certificate",
            "externalClientApplication",
            "isConsumerSecretOptional",
            "isIntrospectAllTokens",
            "isPkceRequired",
            "isSecretRequiredForRefreshToken",
            "label",
            "shouldRotateConsumerKey",
            "shouldRotateConsumerSecret",
        ],
    ),
    (
        "ExtlClntAppOauthConfigurablePolicies",
        &[
            "clientCredentialsFlowUser",
            "commaSeparatedPermissionSet",
            "externalClientApplication",
            "ipRelaxationPolicyType",
            "isClientCredentialsFlowEnabled",
            "label",
            "permittedUsersPolicyType",
        ],
    ),
];

fn in_order(element: &Element, seen: &mut BTreeSet<&'static str>) {
    if let Some((name, order)) = ORDER.iter().find(|(name, _)| *name == element.name) {
        seen.insert(name);
        let place = |child: &Element| {
            order.iter().position(|o| *o == child.name).unwrap_or_else(|| panic!("{name}: {}", child.name))
        };
        let places: Vec<usize> = element.children.iter().map(place).collect();
        assert!(places.is_sorted(), "{name}: {:?}", element.children.iter().map(|c| &c.name).collect::<Vec<_>>());
    }
    element.children.iter().for_each(|child| in_order(child, seen));
}

#[test]
fn every_file_is_well_formed_and_keeps_the_order_of_the_schema() {
    let mut seen = BTreeSet::new();
    for file in reference().files {
        if file.path.ends_with(".xml") || file.path.ends_with(".flowDefinition") {
            let root = read(&file.text);
            assert_eq!(root.namespace.as_deref(), Some("http://soap.sforce.com/2006/04/metadata"), "{}", file.path);
            in_order(&root, &mut seen);
        } else if file.path.ends_with(".json") {
            serde_json::from_str::<serde_json::Value>(&file.text).expect(&file.path);
        }
    }
    assert_eq!(seen.len(), ORDER.len(), "only {seen:?} were looked at");
}

#[test]
fn a_flow_sends_the_message_of_its_object() {
    let package = reference();
    for object in ["Lead", "Opportunity"] {
        let workflow = xml(&package, &format!("{FORCE}/workflows/{object}.workflow-meta.xml"));
        let message = &workflow.at("outboundMessages/fullName").text;
        let flow = flow(&package, object);
        assert_eq!(flow.at("actionCalls/actionName").text, format!("{object}.{message}"));
        assert_eq!(flow.at("start/connector/targetReference").text, flow.at("actionCalls/name").text);
        assert_eq!(flow.at("start/object").text, object);
        assert_eq!(workflow.at("outboundMessages/includeSessionId").text, "false");
    }
}

#[test]
fn our_fields_are_created_with_their_types_on_both_objects() {
    let package = reference();
    let field =
        |object: &str, name: &str| xml(&package, &format!("{FORCE}/objects/{object}/fields/{name}.field-meta.xml"));
    for (name, kind) in [
        ("Leadpact_Violation__c", "Checkbox"),
        ("Leadpact_Violations__c", "LongTextArea"),
        ("Leadpact_Due__c", "DateTime"),
        ("Leadpact_Clock__c", "Text"),
    ] {
        assert_eq!(field("Lead", name).at("type").text, kind);
        assert_eq!(field("Lead", name).at("fullName").text, name);
    }
    assert_eq!(field("Opportunity", "Leadpact_Violation__c").at("defaultValue").text, "false");
    assert!(permissions(&package).contains(&("Opportunity.Leadpact_Violations__c".to_owned(), true)));
}

#[test]
fn a_managed_packages_field_is_not_created() {
    let package = package_of(&agreement(), &CONNECTION.replace("Leadpact_Due__c", "other__Due__c"));
    assert!(!package.files.iter().any(|f| f.path.contains("other__Due")));
    assert!(package.notes.iter().any(|n| n.contains("Lead.other__Due__c is no custom field of your own")));
    assert!(permissions(&package).contains(&("Lead.other__Due__c".to_owned(), true)), "it is written all the same");
}

#[test]
fn hostile_texts_are_escaped() {
    let title = "A </description><label>&amp; <!--\\u0001";
    let package = package_of(&agreement_with(&[("Acme sales and marketing agreement", title)]), CONNECTION);
    let app = xml(&package, &format!("{FORCE}/externalClientApps/Leadpact.eca-meta.xml"));
    assert_eq!(app.at("description").text, "Keeps the agreement “A </description><label>&amp; <!-- ”.");
    assert_eq!(app.texts("label"), ["Leadpact"]);
}

#[test]
fn what_is_installed_can_be_taken_out_again() {
    let package = reference();
    let members = |path: &str| -> BTreeSet<(String, String)> {
        let list = xml(&package, path);
        let of = |t: &&Element| -> Vec<(String, String)> {
            t.texts("members")
                .into_iter()
                .map(|m| (t.at("name").text.clone(), m.trim_end_matches("-1").to_owned()))
                .collect()
        };
        list.all("types").iter().flat_map(of).collect()
    };
    let installed = members("manifest/package.xml");
    let removed: BTreeSet<_> = ["2-flows", "3-app", "4-fields"]
        .iter()
        .flat_map(|step| members(&format!("uninstall/{step}/destructiveChanges.xml")))
        .collect();
    assert_eq!(installed, removed);
    let deactivated: BTreeSet<String> =
        members("uninstall/1-deactivate/package.xml").into_iter().map(|(_, m)| m).collect();
    let flows: BTreeSet<String> = installed.into_iter().filter(|(kind, _)| kind == "Flow").map(|(_, m)| m).collect();
    assert_eq!(deactivated, flows);
}
