//! Messages on their page: as they would be sent, hostile names as text, tests to agreed addresses only.

use crate::house::{House, at_work};
use crate::openapi::{ask, token};
use leadpact::agreement::Standing;
use leadpact::record::field::well_known;
use leadpact::record::{ConnectionName, Object, OwnerId, RecordId, RecordKey, StageName, Value};
use leadpact::store::Priority;
use leadpact::store::person::{self, PersonRow};
use leadpact::store::role::Role;
use leadpact::store::standing::{self, StandingRow};
use reqwest::Method;
use serde_json::{Value as Json, json};

const HOSTILE: &str = "<script>alert(1)</script>*x* `y` <https://evil.example|z>";

async fn with_a_lead(house: &House) {
    let connection = ConnectionName::new("acme-hubspot");
    let key = RecordKey { connection: connection.clone(), object: Object::Lead, id: RecordId::new("7001") };
    let mut standing = Standing::new(key.clone());
    standing.fields.set(well_known().name, Value::text(HOSTILE), at_work());
    standing.fields.set(well_known().owner, Value::text("7020"), at_work());
    (standing.stage, standing.pass) = (Some(StageName::new("mql")), 1);
    let stored = StandingRow {
        key,
        stage: standing.stage.clone(),
        owner: standing.owner(),
        party: None,
        name: HOSTILE.to_owned(),
        wake_at: None,
        state: serde_json::to_string(&standing).unwrap(),
        updated: at_work(),
    };
    let owner = PersonRow {
        id: OwnerId::new("7020"),
        user: None,
        name: "Amy Ng".into(),
        email: None,
        manager: None,
        active: true,
        queue: false,
    };
    let mut tx = house.db.begin(Priority::Work).await.unwrap();
    standing::save(&mut tx, &[stored]).await.unwrap();
    person::save_all(&mut tx, &connection, &[owner]).await.unwrap();
    tx.commit().await.unwrap();
}

const ABOUT: &str = "connection=acme-hubspot&object=lead&id=7001";

#[tokio::test]
async fn a_message_is_shown_about_a_real_record_with_its_names_as_text() {
    let house = House::start().await;
    assert!(house.text("/templates").await.contains("No record is known yet"));
    with_a_lead(&house).await;
    for template in ["reminder", "breach", "recycled", "reassigned", "nurtured", "violation", "undone", "contested"] {
        let page = house.text(&format!("/templates?template={template}&{ABOUT}")).await;
        assert!(!page.contains("<script>alert") && !page.contains("href=\"https://evil.example"), "{page}");
        assert!(page.contains("&#60;script&#62;alert(1)"), "{template}: {page}");
        let mail = house.get(&format!("/templates/mail.html?template={template}&{ABOUT}")).await;
        let policy = mail.headers()["content-security-policy"].to_str().unwrap().to_owned();
        assert!(policy.contains("sandbox") && policy.starts_with("default-src 'none'"), "{policy}");
        assert!(!mail.text().await.unwrap().contains("<script>alert"));
    }
    let page = house.text(&format!("/templates?template=breach&{ABOUT}")).await;
    assert!(page.contains("Amy Ng") && page.contains("sandbox title="), "{page}");
    for letter in ["dispute", "attestation", "journal", "agreement", "renewal"] {
        assert!(house.text(&format!("/templates?template={letter}")).await.contains("made up"), "{letter}");
    }
    assert!(house.text("/templates?template=nothing").await.contains("No message has this template"));
    assert!(house.text(&format!("/templates?{}", ABOUT.replace("7001", "9"))).await.contains("Nothing is known of"));
}

#[tokio::test]
async fn a_test_goes_to_agreed_addresses_only_and_not_too_often() {
    let house = House::start().await;
    with_a_lead(&house).await;
    let page = house.text("/templates").await;
    let place = page.split_once("<option value=\"slack:").unwrap().1.split('"').next().unwrap().to_owned();
    let send = async |to: &str| {
        let form = [("template", "breach"), ("connection", ""), ("object", "lead"), ("id", ""), ("to", to)];
        let answer = house.post_as(&house.admin_session, "/templates/test", &form).await;
        (answer.status().as_u16(), answer.text().await.unwrap())
    };
    let (status, says) = send("email:everybody@evil.example").await;
    assert!(status == 422 && says.contains("the agreement names"), "{status}");
    for _ in 0..10 {
        let (status, says) = send(&format!("slack:{place}")).await;
        assert!(status == 502 && says.contains("no channel is configured"), "{status} {says}");
    }
    assert_eq!(send(&format!("slack:{place}")).await.0, 429);
    let viewer = house.person(Role::Viewer).await;
    assert_eq!(house.post_as(&viewer, "/templates/test", &[("to", "x")]).await.status(), 403);
}

#[tokio::test]
async fn programs_see_every_message_and_test_it_at_agreed_addresses() {
    let house = House::start().await;
    with_a_lead(&house).await;
    let operator = token(&house, Role::Operator).await;
    let get = async |path: &str| ask(&house, &operator, Method::GET, path, Json::Null).await;
    let (_, all) = get("/api/v1/templates").await;
    let templates = all["templates"].as_array().unwrap();
    assert!(templates.len() > 10, "{all}");
    for template in templates {
        let name = template["template"].as_str().unwrap();
        let (status, told) = get(&format!("/api/v1/templates/{name}?{ABOUT}")).await;
        assert_eq!((status, &told["template"]), (200, &template["template"]), "{told}");
        assert_eq!(told["record"].is_object(), template["of_record"] == true, "{told}");
        assert!(!told["html"].as_str().unwrap().contains("<script>alert"), "{name}");
    }
    assert_eq!(get("/api/v1/templates/nothing").await.0, 404);
    assert_eq!(get(&format!("/api/v1/templates/breach?{}", ABOUT.replace("7001", "9"))).await.0, 404);
    let test = async |to: &str| {
        let body = json!({ "template": "breach", "to": to });
        ask(&house, &operator, Method::POST, "/api/v1/templates/test", body).await
    };
    assert_eq!(test("email:everybody@evil.example").await.0, 409);
    let place = all["places"][0]["to"].as_str().unwrap();
    for _ in 0..10 {
        let (status, told) = test(place).await;
        assert_eq!(status, 502, "{told}");
        assert!(told["error"].as_str().unwrap().contains("no channel is configured"), "{told}");
    }
    assert_eq!(test(place).await.0, 429);
    let reader = token(&house, Role::Viewer).await;
    let body = json!({ "to": place });
    assert_eq!(ask(&house, &reader, Method::POST, "/api/v1/templates/test", body).await.0, 403);
}
