//! Salesforce's project: well-formed metadata in the schema's order, which watches exactly what the
//! agreement uses and keeps the secret out of every file.

use super::{BASE, agreement, agreement_with, connection, everything, generate};
use leadpact::agreement::Agreement;
use leadpact::package::{Package, PackageError};
use quick_xml::Reader;
use quick_xml::events::Event;
use std::collections::BTreeSet;

pub const CONNECTION: &str = r#"
[[connection]]
name            = "acme-salesforce"
crm             = "salesforce"
base_url        = "https://acme.my.salesforce.com"
organization_id = "00D5g000004XyZaEAK"
client_id       = "${SF_ID}"
client_secret   = "${SECRET}"
path_secret     = "${SECRET}"

  [connection.fields.lead]
  score         = "Score__c"
  budget        = "Budget__c"
  authority     = "Authority__c"
  need          = "Need__c"
  timeframe     = "Timeframe__c"
  campaign      = "Campaign__c"
  customer      = "Is_Customer__c"
  on_hold       = "On_Hold__c"
  region        = "Region__c"
  reject_reason = "Reject_Reason__c"
  flag          = "Leadpact_Violation__c"
  violation     = "Leadpact_Violations__c"
  due           = "Leadpact_Due__c"
  clock         = "Leadpact_Clock__c"

  [connection.fields.opportunity]
  loss_reason = "Loss_Reason__c"
  loss_review = "Loss_Review__c"
  flag        = "Leadpact_Violation__c"
  violation   = "Leadpact_Violations__c"
"#;

const FORCE: &str = "force-app/main/default";

fn package_of(agreement: &Agreement, text: &str) -> Package {
    generate(agreement, &connection(text)).expect("a package")
}

fn reference() -> Package {
    package_of(&agreement(), CONNECTION)
}

/// An element with its text and its elements.
#[derive(Debug, Default)]
struct Element {
    name: String,
    namespace: Option<String>,
    text: String,
    children: Vec<Element>,
}

impl Element {
    fn all(&self, name: &str) -> Vec<&Element> {
        self.children.iter().filter(|child| child.name == name).collect()
    }

    fn at(&self, path: &str) -> &Element {
        path.split('/').fold(self, |at, name| at.all(name).first().copied().unwrap_or_else(|| panic!("no {name}")))
    }

    fn texts(&self, name: &str) -> Vec<&str> {
        self.all(name).iter().map(|child| child.text.as_str()).collect()
    }
}

fn read(text: &str) -> Element {
    let mut reader = Reader::from_str(text);
    reader.config_mut().enable_all_checks(true);
    let mut open = vec![Element::default()];
    loop {
        match reader.read_event().unwrap_or_else(|e| panic!("{e}: {text}")) {
            Event::Start(start) => {
                let namespace = start.attributes().map(|a| a.expect("sound")).find(|a| a.key.as_ref() == "xmlns");
                let namespace = namespace.map(|a| a.value.into_owned());
                let name = start.name().as_ref().to_owned();
                open.push(Element { name, namespace, ..Element::default() });
            }
            Event::Text(text) => open.last_mut().expect("open").text.push_str(text.xml10_content().trim_matches('\n')),
            Event::GeneralRef(reference) => {
                let found = quick_xml::escape::resolve_predefined_entity(&reference).expect("one of the five");
                open.last_mut().expect("open").text.push_str(found);
            }
            Event::End(_) => {
                let done = open.pop().expect("open");
                open.last_mut().expect("a parent").children.push(done);
            }
            Event::Eof => return open.remove(0).children.remove(0),
            Event::Decl(_) => {}
            other => panic!("{other:?}"),
        }
    }
}

fn xml(package: &Package, path: &str) -> Element {
    read(
        package
            .text(path)
            .unwrap_or_else(|| panic!("{path}: {:?}", package.files.iter().map(|f| &f.path).collect::<Vec<_>>())),
    )
}

fn flow(package: &Package, object: &str) -> Element {
    xml(package, &format!("{FORCE}/flows/Leadpact_{object}.flow-meta.xml"))
}

/// The fields in a flow's formula, which must be of the one form that Salesforce takes.
fn watched(package: &Package, object: &str) -> BTreeSet<String> {
    let flow = flow(package, object);
    let formula = &flow.at("start/filterFormula").text;
    let inner = formula.strip_prefix("OR(ISNEW(), ").and_then(|f| f.strip_suffix(")")).expect(formula);
    let one = |part: &str| {
        let name = part.strip_prefix("ISCHANGED({!$Record.").and_then(|p| p.strip_suffix("})")).expect(part);
        name.to_owned()
    };
    inner.split(", ").map(one).collect()
}

fn message_fields(package: &Package, object: &str) -> BTreeSet<String> {
    let workflow = xml(package, &format!("{FORCE}/workflows/{object}.workflow-meta.xml"));
    workflow.at("outboundMessages").texts("fields").into_iter().map(str::to_owned).collect()
}

fn permissions(package: &Package) -> BTreeSet<(String, bool)> {
    let set = xml(package, &format!("{FORCE}/permissionsets/Leadpact_Integration.permissionset-meta.xml"));
    let one = |p: &&Element| (p.at("field").text.clone(), p.at("editable").text == "true");
    set.all("fieldPermissions").iter().map(one).collect()
}

fn set(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

#[test]
fn every_field_of_the_agreement_is_watched_and_no_other() {
    let package = reference();
    let lead = [
        "Authority__c",
        "Budget__c",
        "Campaign__c",
        "Company",
        "Email",
        "IsConverted",
        "Is_Customer__c",
        "LeadSource",
        "Need__c",
        "On_Hold__c",
        "OwnerId",
        "Reject_Reason__c",
        "Score__c",
        "Status",
        "Timeframe__c",
    ];
    assert_eq!(watched(&package, "Lead"), set(&lead));
    let opportunity = ["Amount", "CloseDate", "LeadSource", "Loss_Reason__c", "Loss_Review__c", "OwnerId", "StageName"];
    assert_eq!(watched(&package, "Opportunity"), set(&opportunity));
    for object in ["Lead", "Opportunity"] {
        let mut expected = watched(&package, object);
        expected.extend(set(&["Id", "SystemModstamp"]));
        assert_eq!(message_fields(&package, object), expected);
    }
}

#[test]
fn a_field_that_a_condition_begins_to_use_is_watched_sent_and_said() {
    let changed = agreement_with(&[("score >= 60 &&", "score >= 60 && region != \"Antarctica\" &&")]);
    let (before, after) = (reference(), package_of(&changed, CONNECTION));
    assert!(!watched(&before, "Lead").contains("Region__c"));
    assert!(watched(&after, "Lead").contains("Region__c"));
    assert!(message_fields(&after, "Lead").contains("Region__c"));
    assert!(permissions(&after).contains(&("Lead.Region__c".to_owned(), false)));
    let new: Vec<&String> = after.contents.iter().filter(|c| !before.contents.contains(c)).collect();
    assert_eq!(new, ["watched field Lead.Region__c"]);
}

#[test]
fn what_leadpact_writes_is_never_watched() {
    let text = CONNECTION.replace("\"On_Hold__c\"", "\"leadpact_due__C\"");
    let package = package_of(&agreement(), &text);
    assert!(!watched(&package, "Lead").iter().any(|f| f.to_lowercase().contains("leadpact")));
    assert!(
        package.notes.iter().any(|n| n.contains("lead.on_hold is mapped to leadpact_due__C")),
        "{:?}",
        package.notes
    );
    for own in ["modified", "created"] {
        let uses = agreement_with(&[("score >= 60 &&", &format!("{own} != null && score >= 60 &&"))]);
        assert_eq!(watched(&package_of(&uses, CONNECTION), "Lead"), watched(&reference(), "Lead"));
    }
}

#[test]
fn a_leads_name_is_watched_in_its_two_parts() {
    let uses = agreement_with(&[("score >= 60 &&", "name != null && score >= 60 &&")]);
    let found = watched(&package_of(&uses, CONNECTION), "Lead");
    assert!(found.is_superset(&set(&["FirstName", "LastName"])) && !found.contains("Name"), "{found:?}");
}

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
fn the_four_files_of_the_app_and_its_policy_name_each_other() {
    let package = reference();
    let app = format!("{FORCE}/externalClientApps/Leadpact.eca-meta.xml");
    assert_eq!(xml(&package, &app).at("distributionState").text, "Local");
    for (folder, ending) in [
        ("extlClntAppGlobalOauthSets", "ecaGlblOauth"),
        ("extlClntAppOauthSettings", "ecaOauth"),
        ("extlClntAppOauthPolicies", "ecaOauthPlcy"),
    ] {
        let file = xml(&package, &format!("{FORCE}/{folder}/Leadpact.{ending}-meta.xml"));
        assert_eq!(file.at("externalClientApplication").text, "Leadpact", "the name of the app's file");
    }
    let policy = xml(&package, &format!("{FORCE}/extlClntAppOauthPolicies/Leadpact.ecaOauthPlcy-meta.xml"));
    assert_eq!(policy.at("permittedUsersPolicyType").text, "AdminApprovedPreAuthorized");
    let permitted =
        format!("{FORCE}/permissionsets/{}.permissionset-meta.xml", policy.at("commaSeparatedPermissionSet").text);
    assert!(package.text(&permitted).is_some(), "{permitted}");
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
fn the_secret_stands_in_no_file_and_every_placeholder_is_replaced() {
    let package = reference();
    let all = everything(&package);
    assert!(!all.contains("Qk3v7xZ"));
    assert!(all.contains(&format!("<endpointUrl>{BASE}/webhooks/acme-salesforce/__SF_PATH_SECRET__</endpointUrl>")));
    let project: serde_json::Value =
        serde_json::from_str(package.text("sfdx-project.json").expect("there")).expect("JSON");
    let replaced: BTreeSet<&str> = project["replacements"]
        .as_array()
        .expect("a list")
        .iter()
        .filter_map(|r| r["stringToReplace"].as_str())
        .collect();
    assert_eq!(replaced, BTreeSet::from(["__SF_INTEGRATION_USER__", "__SF_PATH_SECRET__"]));
    let readme = package.text("README.md").expect("there");
    for replacement in project["replacements"].as_array().expect("a list") {
        let variable = replacement["replaceWithEnv"].as_str().expect("a name");
        assert!(!variable.starts_with("LEADPACT_"), "such a variable would be taken for a setting");
        assert!(readme.contains(&format!("export {variable}=")), "{variable}");
    }
}

#[test]
fn without_a_secret_the_address_is_whole_and_a_note_says_what_that_means() {
    let package = package_of(&agreement(), &CONNECTION.replace("path_secret     = \"${SECRET}\"\n", ""));
    let all = everything(&package);
    assert!(
        all.contains(&format!("<endpointUrl>{BASE}/webhooks/acme-salesforce</endpointUrl>"))
            && !all.contains("__SF_PATH")
    );
    assert!(package.notes.iter().any(|note| note.contains("No path_secret is set")), "{:?}", package.notes);
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
fn the_permission_set_opens_what_is_read_and_written_and_no_more() {
    let package = reference();
    let all = permissions(&package);
    let writable: Vec<&str> = all.iter().filter(|(_, editable)| *editable).map(|(name, _)| name.as_str()).collect();
    let expected = [
        "Lead.Leadpact_Clock__c",
        "Lead.Leadpact_Due__c",
        "Lead.Leadpact_Violation__c",
        "Lead.Leadpact_Violations__c",
        "Opportunity.Leadpact_Violation__c",
        "Opportunity.Leadpact_Violations__c",
    ];
    assert_eq!(writable, expected);
    let never_listed =
        ["Lead.Status", "Lead.OwnerId", "Lead.Company", "Lead.Name", "Opportunity.StageName", "Opportunity.CloseDate"];
    for name in never_listed {
        assert!(!all.iter().any(|(field, _)| field == name), "Salesforce refuses permissions of {name}");
    }
    let set = xml(&package, &format!("{FORCE}/permissionsets/Leadpact_Integration.permissionset-meta.xml"));
    let rights: Vec<&str> = set.all("userPermissions").iter().map(|p| p.at("name").text.as_str()).collect();
    assert_eq!(rights, ["ApiEnabled", "EditTask", "TransferAnyLead"]);
    for object in set.all("objectPermissions") {
        assert_eq!(object.texts("allowDelete"), ["false"]);
        assert_eq!(object.texts("modifyAllRecords"), ["false"]);
        let edits = object.at("object").text != "Account";
        assert_eq!(object.at("allowEdit").text, edits.to_string());
    }
}

#[test]
fn a_name_that_is_no_field_is_refused_before_it_gets_into_a_formula_or_a_path() {
    for hostile in ["Status}), TRUE, ISCHANGED({!$Record.Id", "../../../x__c", "a b", "A&B__c", ""] {
        if hostile.is_empty() {
            continue;
        }
        for field in ["Score__c", "Leadpact_Due__c", "Region__c"] {
            let text = CONNECTION.replace(field, hostile);
            let refused = generate(&agreement(), &connection(&text));
            assert!(matches!(refused, Err(PackageError::NoField { .. })), "{hostile} for {field}: {refused:?}");
        }
    }
}

#[test]
fn a_related_records_field_is_read_but_not_watched() {
    let package = package_of(&agreement(), &CONNECTION.replace("\"Is_Customer__c\"", "\"Owner.IsActive\""));
    assert!(!everything(&package).contains("$Record.Owner."));
    assert!(!permissions(&package).iter().any(|(field, _)| field.contains("Owner.")));
    assert!(package.notes.iter().any(|n| n.contains("Owner.IsActive is a field of a related record")));
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

#[test]
fn the_readme_tells_of_the_wait_the_loop_guard_and_how_to_uninstall() {
    let package = reference();
    let readme = package.text("README.md").expect("there");
    for part in [
        "30 minutes",
        "*Send Outbound Messages*",
        "uninstall/1-deactivate",
        "uninstall/4-fields",
        "organization_id",
        "Require Validation for Converted Leads",
    ] {
        assert!(readme.contains(part), "{part}");
    }
    for field in watched(&package, "Lead") {
        assert!(readme.contains(&format!("| `{field}` |")), "{field}");
    }
}
