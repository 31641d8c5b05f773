//! Generating again: what changed is said in words, and what somebody edited is known.

use super::{agreement, agreement_with, connection, generate, salesforce};
use leadpact::package::compare::{State, compare, kept};
use leadpact::package::{Manifest, Package};
use std::collections::BTreeMap;

const FLOW: &str = "force-app/main/default/flows/Leadpact_Lead.flow-meta.xml";
const DUE: &str = "force-app/main/default/objects/Lead/fields/Leadpact_Due__c.field-meta.xml";

type Disk = BTreeMap<String, String>;

fn old() -> Package {
    generate(&agreement(), &connection(salesforce::CONNECTION)).expect("a package")
}

/// Region is used now, and no due date written any more.
fn new() -> Package {
    let uses = agreement_with(&[("score >= 60 &&", "score >= 60 && region != null &&")]);
    let text = salesforce::CONNECTION.replace("  due           = \"Leadpact_Due__c\"\n", "");
    generate(&uses, &connection(&text)).expect("a package")
}

fn disk(package: &Package) -> Disk {
    package.files.iter().map(|file| (file.path.clone(), file.text.clone())).collect()
}

fn manifest(package: &Package) -> Manifest {
    Manifest::of(package, "acme", "hash")
}

#[test]
fn a_first_package_is_all_new() {
    let compared = compare(&old(), None, |_| None);
    assert!(compared.only_creates() && compared.is_due(false));
}

#[test]
fn the_same_package_changes_nothing() {
    let disk = disk(&old());
    let compared = compare(&old(), Some(&manifest(&old())), |path| disk.get(path).cloned());
    assert!(!compared.is_due(true));
    assert!(compared.added.is_empty() && compared.removed.is_empty());
}

#[test]
fn what_changed_is_said_in_words_and_by_file() {
    let disk = disk(&old());
    let compared = compare(&new(), Some(&manifest(&old())), |path| disk.get(path).cloned());
    assert_eq!(compared.added, ["watched field Lead.Region__c"]);
    let removed = ["custom field Lead.Leadpact_Due__c (time)", "permission to read and write Lead.Leadpact_Due__c"];
    assert_eq!(compared.removed, removed);
    assert_eq!(compared.files[FLOW], State::Changed { more: 1, less: 1 });
    assert_eq!(compared.files[DUE], State::Unneeded);
    assert_eq!(compared.files["sfdx-project.json"], State::Same);
}

#[test]
fn what_somebody_edited_is_neither_replaced_nor_deleted() {
    let mut disk = disk(&old());
    for path in [FLOW, DUE, "sfdx-project.json"] {
        disk.get_mut(path).expect("there").push_str("<!-- mine -->\n");
    }
    let before = manifest(&old());
    let compared = compare(&new(), Some(&before), |path| disk.get(path).cloned());
    assert_eq!(compared.files[FLOW], State::Edited { is_due: true });
    assert_eq!(compared.files["sfdx-project.json"], State::Edited { is_due: false });
    assert_eq!(compared.files[DUE], State::UnneededEdited);
    for path in [FLOW, DUE, "sfdx-project.json"] {
        let state = compared.files[path];
        assert!(!state.is_written(false) && !state.is_deleted(false), "{path}");
    }
    assert!(compared.files[FLOW].is_written(true) && compared.files[DUE].is_deleted(true));

    let after = kept(manifest(&new()), Some(&before), &compared, false);
    assert_eq!(after.files[FLOW], before.files[FLOW], "it is still known as edited next time");
    let again = compare(&new(), Some(&after), |path| disk.get(path).cloned());
    assert_eq!(again.files[FLOW], State::Edited { is_due: true });
}

#[test]
fn a_file_that_was_there_before_us_is_somebodys() {
    let compared = compare(&old(), None, |path| (path == "README.md").then(|| "mine".to_owned()));
    assert_eq!(compared.files["README.md"], State::Edited { is_due: true });
    assert!(!compared.only_creates());
    let manifest = kept(manifest(&old()), None, &compared, false);
    assert!(!manifest.files.contains_key("README.md"));
}

#[test]
fn a_file_that_was_deleted_is_written_again() {
    let mut disk = disk(&old());
    disk.remove(FLOW);
    let compared = compare(&old(), Some(&manifest(&old())), |path| disk.get(path).cloned());
    assert_eq!(compared.files[FLOW], State::New);
}

#[test]
fn a_manifest_cannot_have_files_elsewhere_deleted() {
    let mut before = manifest(&old());
    let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    for path in ["../precious", "/etc/precious", "a/../../precious", ""] {
        before.files.insert(path.to_owned(), empty.to_owned());
    }
    let compared = compare(&old(), Some(&before), |_| Some(String::new()));
    assert!(!compared.files.keys().any(|path| path.contains("precious") || path.is_empty()));
}
