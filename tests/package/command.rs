//! `leadpact init` as it is typed, in a folder of its own and without any secret set.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};
use tempfile::TempDir;

fn leadpact(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_leadpact"));
    command.current_dir(folder).args(arguments).env_clear().env("NO_COLOR", "1");
    command.output().expect("it runs")
}

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

fn done(folder: &Path, arguments: &[&str]) -> String {
    let output = leadpact(folder, arguments);
    assert!(output.status.success(), "{arguments:?}: {}", said(&output));
    said(&output)
}

fn refused(folder: &Path, arguments: &[&str]) -> String {
    let output = leadpact(folder, arguments);
    assert_eq!(output.status.code(), Some(1), "{arguments:?}: {}", said(&output));
    said(&output)
}

/// A folder with the configuration that a newcomer begins with.
fn begun(crm: &str) -> TempDir {
    let dir = tempfile::tempdir().expect("a folder");
    let told = done(dir.path(), &["init", "config", "--crm", crm, "my-crm"]);
    assert!(told.contains(&format!("leadpact init {crm} my-crm")), "{told}");
    dir
}

#[test]
fn a_newcomer_gets_from_nothing_to_a_package_without_a_secret() {
    for crm in ["hubspot", "salesforce"] {
        let dir = begun(crm);
        let told = done(dir.path(), &["init", crm, "my-crm"]);
        assert!(told.contains("install/my-crm: written"), "{told}");
        assert!(told.contains("is the example's address"), "{told}");
        let readme = fs::read_to_string(dir.path().join("install/my-crm/README.md")).expect("written");
        assert!(readme.contains("my-crm") && !readme.contains("not-set.invalid"));
        assert!(dir.path().join("install/my-crm/leadpact-package.json").is_file());
    }
}

#[test]
fn no_secret_of_any_kind_has_to_be_set() {
    let dir = begun("hubspot");
    let path = dir.path().join("leadpact.toml");
    let text = fs::read_to_string(&path).expect("there");
    let text = text.replace("\"sqlite://leadpact.db\"", "\"${DATABASE_URL}\"").replace("\n#[notify.", "\n[notify.");
    let text = text.replace("\n#smtp_url", "\nsmtp_url").replace("\n#from ", "\nfrom ").replace("\n#token", "\ntoken");
    fs::write(&path, &text).expect("written");
    done(dir.path(), &["init", "hubspot", "my-crm"]);
    let app = fs::read_to_string(dir.path().join("install/my-crm/src/app/app-hsmeta.json")).expect("written");
    assert!(app.contains("\"supportEmail\": \"sla@example.com\""), "the sender of notices: {app}");

    fs::write(&path, text.replace("\"https://leadpact.example.com\"", "\"${PUBLIC_URL}\"")).expect("written");
    let told = refused(dir.path(), &["init", "hubspot", "my-crm", "--yes"]);
    assert!(told.contains("public_url takes its value from a variable that is not set"), "{told}");
}

#[test]
fn a_configuration_that_is_there_is_never_touched() {
    let dir = begun("hubspot");
    fs::write(dir.path().join("agreement.toml"), "mine").expect("written");
    let told = refused(dir.path(), &["init", "config", "--crm", "salesforce", "other"]);
    assert!(told.contains("leadpact.toml is there already and stays as it is"), "{told}");
    fs::remove_file(dir.path().join("leadpact.toml")).expect("removed");
    done(dir.path(), &["init", "config", "--crm", "salesforce", "other"]);
    assert_eq!(fs::read_to_string(dir.path().join("agreement.toml")).expect("there"), "mine");
    let printed = done(dir.path(), &["init", "config", "--crm", "hubspot", "third", "--print"]);
    assert!(printed.starts_with("[[connection]]\nname           = \"third\""), "{printed}");
}

#[test]
fn what_is_missing_is_said_with_the_way_out() {
    let dir = tempfile::tempdir().expect("a folder");
    let told = refused(dir.path(), &["init", "hubspot", "acme"]);
    assert!(told.contains("leadpact.toml is not there yet: `leadpact init config --crm hubspot acme`"), "{told}");
    let dir = begun("hubspot");
    let told = refused(dir.path(), &["init", "hubspot", "acme"]);
    assert!(told.contains("no connection is called `acme`; there are: my-crm (hubspot)"), "{told}");
    let told = refused(dir.path(), &["init", "salesforce", "my-crm"]);
    assert!(told.contains("`leadpact init hubspot my-crm`"), "{told}");
    let told = refused(dir.path(), &["init", "config", "--crm", "hubspot", "Acme Inc"]);
    assert!(told.contains("cannot be a connection's name"), "{told}");
}

#[test]
fn a_changed_agreement_shows_the_difference_and_is_written_only_when_agreed() {
    let dir = begun("salesforce");
    let webhooks = dir.path().join("install/my-crm/force-app/main/default/workflows/Lead.workflow-meta.xml");
    done(dir.path(), &["init", "salesforce", "my-crm"]);
    let before = fs::read_to_string(&webhooks).expect("written");
    let agreement = dir.path().join("agreement.toml");
    let text =
        fs::read_to_string(&agreement).expect("there").replace("email != null &&", "score >= 5 && email != null &&");
    fs::write(&agreement, text).expect("written");
    let configuration = dir.path().join("leadpact.toml");
    let text = fs::read_to_string(&configuration)
        .expect("there")
        .replace("  reject_reason", "  score = \"Score__c\"\n  reject_reason");
    fs::write(&configuration, text).expect("written");

    let told = refused(dir.path(), &["init", "salesforce", "my-crm"]);
    assert!(told.contains("  + watched field Lead.Score__c\n") && told.contains("say --yes"), "{told}");
    assert_eq!(fs::read_to_string(&webhooks).expect("there"), before, "nothing is written before somebody agrees");
    done(dir.path(), &["init", "salesforce", "my-crm", "--yes"]);
    assert!(fs::read_to_string(&webhooks).expect("there").contains("<fields>Score__c</fields>"));
    let told = done(dir.path(), &["init", "salesforce", "my-crm"]);
    assert!(told.contains("nothing to write") && !told.contains("compared with"), "{told}");
}

#[test]
fn an_edited_file_is_kept_until_somebody_says_overwrite() {
    let dir = begun("hubspot");
    done(dir.path(), &["init", "hubspot", "my-crm"]);
    let project = dir.path().join("install/my-crm/hsproject.json");
    fs::write(&project, "{}").expect("written");
    let told = done(dir.path(), &["init", "hubspot", "my-crm", "--yes"]);
    assert!(told.contains("edited, kept") && told.contains("hsproject.json"), "{told}");
    assert!(!told.contains("lacks what is new"), "it lacks nothing: {told}");
    assert_eq!(fs::read_to_string(&project).expect("there"), "{}");
    done(dir.path(), &["init", "hubspot", "my-crm", "--yes", "--overwrite"]);
    assert!(fs::read_to_string(&project).expect("there").contains("platformVersion"));
}

#[test]
fn slack_needs_no_configuration() {
    let dir = tempfile::tempdir().expect("a folder");
    done(dir.path(), &["init", "slack"]);
    assert!(dir.path().join("install/slack/manifest.yaml").is_file());
}
