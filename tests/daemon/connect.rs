//! `leadpact connect`: the fields that leadpact writes are made once, in the account that is meant,
//! and nothing that exists is touched.

use crate::agreements::follow_up;
use crate::daemon::run;
use crate::house::{Engine, House};
use leadpact::sandbox::Column;
use std::process::Output;

async fn house() -> House {
    let house = House::open(Engine::Sqlite, &follow_up()).await.expect("SQLite is always there");
    for object in ["contacts", "deals"] {
        house.sandbox.hubspot().schema().drop_column(object, "leadpact_violation");
        house.sandbox.hubspot().schema().drop_column(object, "leadpact_violations");
    }
    for object in ["Lead", "Opportunity"] {
        house.sandbox.salesforce().schema().drop_column(object, "Leadpact_Violation__c");
        house.sandbox.salesforce().schema().drop_column(object, "Leadpact_Violations__c");
    }
    house.configure("leadpact.toml", house.port, |text| text.replacen("require_signatures = false", "", 1));
    house
}

fn connect(house: &House, name: &str) -> (Option<i32>, String) {
    let Output { status, stdout, stderr } = run(&["connect", name, "--yes"], &house.file("leadpact.toml"));
    (status.code(), String::from_utf8_lossy(&stdout).into_owned() + &String::from_utf8_lossy(&stderr))
}

fn doctor(house: &House, name: &str) -> (Option<i32>, String) {
    let output = run(&["doctor", name], &house.file("leadpact.toml"));
    (output.status.code(), String::from_utf8_lossy(&output.stdout).into_owned())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_connect_creates_doctor_finds_and_a_second_time_nothing_is_created() {
    let house = house().await;
    for (name, creations) in [
        ("hubspot", &["hubspot.property_create"][..]),
        ("salesforce", &["salesforce.create", "salesforce.field_create"]),
    ] {
        let made = || creations.iter().map(|kind| house.sandbox.calls(kind).len()).sum::<usize>();
        assert_eq!(doctor(&house, name).0, Some(2));
        let (code, said) = connect(&house, name);
        assert_eq!(code, Some(0), "{said}");
        assert_eq!(said.matches("  missing   ").count(), 4, "{said}");
        assert!(said.contains("Left for an administrator:"), "{said}");
        let (code, found) = doctor(&house, name);
        assert_eq!(code, Some(0), "{found}");

        let once = made();
        let (code, said) = connect(&house, name);
        assert_eq!(code, Some(0), "{said}");
        assert!(said.contains("Nothing is left to create.") && made() == once, "{said}");
    }
    let kinds: Vec<String> =
        house.sandbox.hubspot().schema().columns("deals").iter().rev().take(2).map(|c| c.kind.clone()).collect();
    assert_eq!(kinds, ["string", "bool"], "a text and a checkbox");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_name_that_is_taken_by_another_type_is_a_failure_and_stays_as_it_is() {
    let house = house().await;
    let taken = Column { name: "leadpact_violation".into(), kind: "number".into(), read_only: false, options: vec![] };
    house.sandbox.hubspot().schema().put("contacts", taken.clone());
    let (code, said) = connect(&house, "hubspot");
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("conflict  lead flag (leadpact_violation) is there with the type number"), "{said}");
    assert!(said.contains("  created   property leadpact_violations of contacts"), "the others are made: {said}");
    assert!(house.sandbox.hubspot().schema().columns("contacts").contains(&taken));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_created_in_another_account_or_without_being_asked() {
    let house = house().await;
    house.configure("other.toml", house.port, |text| text.replacen("portal_id      = ", "portal_id = 1", 1));
    let refused = run(&["connect", "hubspot", "--yes"], &house.file("other.toml"));
    assert!(!refused.status.success());
    assert!(String::from_utf8_lossy(&refused.stderr).contains("nothing was created"), "{refused:?}");
    let unasked = run(&["connect", "hubspot"], &house.file("leadpact.toml"));
    assert!(!unasked.status.success() && String::from_utf8_lossy(&unasked.stderr).contains("say --yes"), "{unasked:?}");
    assert!(house.sandbox.calls("hubspot.property_create").is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_user_may_not_create_is_said_and_left_to_an_administrator() {
    let house = house().await;
    house.sandbox.salesforce().schema().denied.push("Customize Application".to_owned());
    house.sandbox.hubspot().schema().scopes.retain(|scope| !scope.starts_with("crm.schemas"));
    for (name, why) in [("salesforce", "INSUFFICIENT_ACCESS"), ("hubspot", "needs crm.schemas.contacts.write")] {
        let (code, said) = connect(&house, name);
        assert_eq!(code, Some(1), "{said}");
        assert!(said.contains("  failed    ") && said.contains(why), "{said}");
        assert!(said.contains(&format!("run `leadpact connect {name}` again")), "{said}");
    }
}
