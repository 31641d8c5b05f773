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
    assert_eq!(rights, ["ApiEnabled", "EditTask", "TransferAnyLead"]);
    for object in set.all("objectPermissions") {
        assert_eq!(object.texts("allowDelete"), ["false"]);
        assert_eq!(object.texts("modifyAllRecords"), ["false"]);
        let edits = object.at("object").text != "Account";
        assert_eq!(object.at("allowEdit").text, edits.to_string());
    }
}
