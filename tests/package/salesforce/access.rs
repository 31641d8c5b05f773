//! Who may do what: the app, the permission set, and the secret that stands nowhere.

use super::*;

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
    assert_eq!(rights, ["ActivitiesAccess", "ApiEnabled", "EditTask", "TransferAnyLead"]);
    for object in set.all("objectPermissions") {
        assert_eq!(object.texts("allowDelete"), ["false"]);
        assert_eq!(object.texts("modifyAllRecords"), ["false"]);
        let edits = object.at("object").text != "Account";
        assert_eq!(object.at("allowEdit").text, edits.to_string());
    }
}

/// The reference connection with another way to sign in.
fn signing_in(way: &str) -> Package {
    let credentials = "client_id       = \"${SF_ID}\"\nclient_secret   = \"${SECRET}\"\n";
    assert!(CONNECTION.contains(credentials));
    package_of(&agreement(), &CONNECTION.replace(credentials, way))
}

fn global(package: &Package) -> Element {
    xml(package, &format!("{FORCE}/extlClntAppGlobalOauthSets/Leadpact.ecaGlblOauth-meta.xml"))
}

fn policy(package: &Package) -> Element {
    xml(package, &format!("{FORCE}/extlClntAppOauthPolicies/Leadpact.ecaOauthPlcy-meta.xml"))
}

fn has(element: &Element, name: &str) -> bool {
    element.children.iter().any(|child| child.name == name)
}

#[test]
fn browsers_come_back_to_the_connections_own_path() {
    let callback = format!("{BASE}/connect/acme-salesforce/callback");
    assert_eq!(global(&reference()).at("callbackUrl").text, callback);
    let browser = signing_in("sign_in = \"browser\"\nclient_id = \"${SF_ID}\"\nclient_secret = \"${SECRET}\"\n");
    let readme = browser.text("README.md").expect("there");
    for part in [callback.as_str(), "leadpact connect acme-salesforce", "Refresh Token Rotation", "SF_CLIENT_SECRET"] {
        assert!(readme.contains(part), "{part}");
    }
    assert_eq!(global(&browser).at("isPkceRequired").text, "true");
}

#[test]
fn only_client_credentials_open_the_flow_that_runs_as_a_user() {
    let open = policy(&reference());
    assert_eq!(open.at("isClientCredentialsFlowEnabled").text, "true");
    assert_eq!(open.at("clientCredentialsFlowUser").text, "__SF_INTEGRATION_USER__");
    for way in [
        "sign_in = \"browser\"\nclient_id = \"${SF_ID}\"\n",
        "client_id = \"${SF_ID}\"\nprivate_key = \"https://not-set.invalid\"\nusername = \"u\"\n",
    ] {
        let closed = policy(&signing_in(way));
        assert_eq!(closed.at("isClientCredentialsFlowEnabled").text, "false");
        assert!(!has(&closed, "clientCredentialsFlowUser"), "{way}");
    }
}

#[test]
fn an_app_without_a_secret_does_not_ask_for_one() {
    let global = global(&signing_in("sign_in = \"browser\"\nclient_id = \"${SF_ID}\"\n"));
    assert_eq!(global.at("isConsumerSecretOptional").text, "true");
    assert_eq!(global.at("isSecretRequiredForRefreshToken").text, "false");
}

#[test]
fn the_jwt_flow_brings_its_certificate_from_a_file_beside_the_project() {
    let jwt = signing_in("client_id = \"${SF_ID}\"\nprivate_key = \"https://not-set.invalid\"\nusername = \"u\"\n");
    assert_eq!(global(&jwt).at("certificate").text, "__SF_CERTIFICATE__");
    let project = jwt.text("sfdx-project.json").expect("there");
    assert!(project.contains("\"replaceWithFile\": \"leadpact.crt\""), "{project}");
    let readme = jwt.text("README.md").expect("there");
    for part in ["openssl req -x509", "SF_PRIVATE_KEY_FILE", "`username = \"…\"`"] {
        assert!(readme.contains(part), "{part}");
    }
    assert!(!readme.contains("SF_CLIENT_SECRET"), "{readme}");
    assert!(!has(&global(&reference()), "certificate"));
}
