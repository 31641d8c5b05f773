//! What is watched: exactly the fields that the agreement uses.

use super::*;

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
