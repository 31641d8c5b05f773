//! The agreement on its pages: what is shown of versions, and signing, which is what the command does.

use crate::house::{House, Person, account, agreement, at_work};
use crate::openapi::{ask, file, token};
use leadpact::agreement::parse::parse;
use leadpact::engine::signing;
use leadpact::engine::versions::{self, Scope, Terms, choose};
use leadpact::record::{ConnectionName, Elapsed, FactKind, OwnerId};
use leadpact::store::account::{self as accounts, Account, SignsFor};
use leadpact::store::api_token::{self, ApiToken};
use leadpact::store::receipt::{self, Receipt};
use leadpact::store::role::Role;
use leadpact::store::secret::Secret;
use leadpact::store::session::{self, From};
use leadpact::store::{Priority, journal};
use leadpact::web::password;
use reqwest::{Method, Response};
use serde_json::{Value as Json, json};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

const TEXT: &str = include_str!("../../config/agreement.toml");
const HOSTILE: &str = "<script>alert(1)</script>";

fn scope(house: &House) -> Scope {
    let sites = house.engine.sites();
    Scope::all(sites.iter().map(|site| &site.connection)).remove(0)
}

/// Offers a version with these words in place of others, and answers its hash.
pub async fn offer(house: &House, changes: &[(&str, &str)]) -> String {
    let text = changes.iter().fold(TEXT.to_owned(), |text, (old, new)| {
        assert!(text.contains(old), "{old}");
        text.replacen(old, new, 1)
    });
    let parsed = parse("agreement.toml", &text, &|_| Err("no files".into())).unwrap();
    let row = versions::row(&parsed.agreement, text, BTreeMap::new(), at_work());
    let mut tx = house.db.begin(Priority::Work).await.unwrap();
    signing::offer(&mut tx, &scope(house), &row).await.unwrap();
    tx.commit().await.unwrap();
    parsed.agreement.hash.to_string()
}

/// Somebody with an account that signs for a party.
pub async fn signer(house: &House, name: &str, party: &str, password: Option<&str>) -> Person {
    let signs_for = Some(SignsFor { party: party.into(), title: "Chief Officer".to_owned() });
    let password = password.map(|password| password::hash_here(password).unwrap());
    let account = Account { signs_for, password, ..account(Role::Signer, name) };
    let secret = Secret::fresh("");
    let mut tx = house.db.begin(Priority::Work).await.unwrap();
    accounts::add(&mut tx, &account).await.unwrap();
    session::begin(&mut tx, &secret, &account.id, From::default(), at_work()).await.unwrap();
    tx.commit().await.unwrap();
    Person::of(account, secret)
}

/// Whom the reference agreement names.
fn named(party: &str) -> String {
    agreement().party(&party.into()).unwrap().signs.as_ref().unwrap().name.clone()
}

fn signers() -> Vec<String> {
    agreement().parties.iter().filter(|p| p.signs.is_some()).map(|p| p.name.to_string()).collect()
}

async fn sign(house: &House, who: &Person, hash: &str, active: &str, proof: &str) -> Response {
    let form = [("of", "acme-hubspot"), ("hash", hash), ("active", active), ("proof", proof)];
    house.post_as(who, "/agreement/sign", &form).await
}

async fn signed(house: &House, hash: &str) -> usize {
    leadpact::store::signature::of(&house.db, hash).await.unwrap().len()
}

#[tokio::test]
async fn what_all_parties_signed_on_the_page_becomes_the_active_version_as_by_the_command() {
    let house = House::start().await;
    let hash = offer(&house, &[]).await;
    for party in signers() {
        let who = signer(&house, &named(&party), &party, None).await;
        let page = house.get_as(&who, &format!("/agreement/versions/{hash}")).await.text().await.unwrap();
        assert!(page.contains("Sign here") && page.contains(&hash), "{page}");
        let done = sign(&house, &who, &hash, "", &named(&party)).await;
        assert_eq!(done.status(), 303, "{}", done.text().await.unwrap());
        let page = house.get_as(&who, done.headers()["location"].to_str().unwrap()).await.text().await.unwrap();
        assert!(page.contains("Signed. "), "{page}");
    }
    let known = versions::known(&house.db, None).await.unwrap();
    let now = agreement().effective_at;
    let chosen = choose(&known, Terms { file: "another", lifted: false, now });
    assert_eq!(chosen.map(|k| k.version.hash.as_str()), Some(hash.as_str()), "any daemon takes it up");
    let name = ConnectionName::new("acme-hubspot");
    let told = journal::recent(&house.db, &name, 0, 100).await.unwrap();
    let of = |kind| told.iter().filter(|row| row.entry.fact.kind == kind).count();
    assert_eq!((of(FactKind::Offered), of(FactKind::Signed)), (1, signers().len()));
    let fact = &told.iter().find(|row| row.entry.fact.kind == FactKind::Signed).unwrap().entry.fact;
    assert!(fact.detail["entered_by"].as_str().unwrap().ends_with("@acme.example"), "{fact:?}");
}

#[tokio::test]
async fn who_may_not_sign_does_not() {
    let house = House::start().await;
    let hash = offer(&house, &[]).await;
    let party = &signers()[0];
    let operator = house.person(Role::Operator).await;
    assert_eq!(sign(&house, &operator, &hash, "", "x").await.status(), 403, "another role");
    let nobody = house.person(Role::Signer).await;
    assert_eq!(sign(&house, &nobody, &hash, "", "The signer").await.status(), 403, "signs for nobody");
    let stranger = signer(&house, "Sam Stranger", "no_party", None).await;
    assert_eq!(sign(&house, &stranger, &hash, "", "Sam Stranger").await.status(), 403, "a party that does not sign");
    let other = signer(&house, "Ola Other", party, None).await;
    let refused = sign(&house, &other, &hash, "", "Ola Other").await;
    assert_eq!(refused.status(), 422, "another name than the agreement's");
    assert!(refused.text().await.unwrap().contains("on their behalf"));
    assert_eq!(sign(&house, &other, &hash, "", "Somebody").await.status(), 422, "another name than their own");
    assert_eq!(signed(&house, &hash).await, 0);
    let form = [("of", "acme-hubspot"), ("hash", hash.as_str()), ("proof", "Ola Other"), ("on_behalf", "yes")];
    assert_eq!(house.post_as(&other, "/agreement/sign", &form).await.status(), 303);
    let stored = leadpact::store::signature::of(&house.db, &hash).await.unwrap();
    assert_eq!(stored[0].on_behalf_of.as_deref(), Some(named(party).as_str()));
}

#[tokio::test]
async fn a_token_names_no_person_and_cannot_sign() {
    let house = House::start().await;
    let hash = offer(&house, &[]).await;
    let secret = Secret::fresh("lp_");
    let token = ApiToken {
        name: "robot".to_owned(),
        scope: Role::Signer,
        created_at: at_work(),
        created_by: "tests".to_owned(),
        expires_at: at_work() + Elapsed::from_secs(60),
    };
    let mut tx = house.db.begin(Priority::Work).await.unwrap();
    api_token::add(&mut tx, &secret, &token).await.unwrap();
    tx.commit().await.unwrap();
    let request = house.as_nobody(Method::POST, "/agreement/sign").bearer_auth(secret.expose());
    let form = [("of", "acme-hubspot"), ("hash", hash.as_str()), ("active", ""), ("proof", "robot")];
    let refused = request.form(&form).send().await.unwrap();
    assert_eq!(refused.status(), 403);
    assert!(refused.text().await.unwrap().contains("names no person"));
    assert_eq!(signed(&house, &hash).await, 0);
}

#[tokio::test]
async fn what_changed_between_page_and_signature_is_refused() {
    let house = House::start().await;
    let hash = offer(&house, &[]).await;
    let party = &signers()[0];
    let who = signer(&house, &named(party), party, None).await;
    let unknown = "0".repeat(64);
    assert_eq!(sign(&house, &who, &unknown, "", &named(party)).await.status(), 404, "a hash that nobody offered");
    let second = offer(&house, &[("version   = \"", "version   = \"next ")]).await;
    let mut tx = house.db.begin(Priority::Work).await.unwrap();
    leadpact::store::agreement::activate(&mut tx, None, &hash, at_work()).await.unwrap();
    tx.commit().await.unwrap();
    let refused = sign(&house, &who, &second, "", &named(party)).await;
    assert_eq!(refused.status(), 409, "another version became active since");
    assert!(refused.text().await.unwrap().contains("Nothing was signed"));
    assert_eq!(signed(&house, &second).await, 0);
    assert_eq!(sign(&house, &who, &second, &hash, &named(party)).await.status(), 303);
    assert_eq!(sign(&house, &who, &second, &hash, &named(party)).await.status(), 403, "a party signs once");
    assert_eq!(signed(&house, &second).await, 1);
}

#[tokio::test]
async fn whoever_has_a_password_types_it_again() {
    let house = House::start().await;
    let hash = offer(&house, &[]).await;
    let party = &signers()[0];
    let who = signer(&house, &named(party), party, Some("correct horse battery")).await;
    assert_eq!(sign(&house, &who, &hash, "", &named(party)).await.status(), 422, "the name is no password");
    assert_eq!(signed(&house, &hash).await, 0);
    assert_eq!(sign(&house, &who, &hash, "", "correct horse battery").await.status(), 303);
}

#[tokio::test]
async fn the_pages_show_terms_versions_and_what_differs() {
    let house = House::start().await;
    let empty = house.text("/agreement").await;
    assert!(empty.contains("No version was offered yet") && empty.contains(&*agreement().hash));
    let first = offer(&house, &[]).await;
    let title = format!("title     = \"{HOSTILE}");
    let second = offer(&house, &[("title     = \"", &title), ("version   = \"", "version   = \"next ")]).await;
    let page = house.text("/agreement").await;
    assert!(page.contains(&first) && page.contains(&second) && page.contains("waits for the signature"));
    assert!(page.contains("What was agreed") && !page.contains(HOSTILE));
    let difference = house.text(&format!("/agreement/difference?from={first}&to={second}")).await;
    assert!(difference.contains("As a whole") && !difference.contains(HOSTILE), "{difference}");
    for (path, kind) in [("slides.html", "text/html; charset=utf-8"), ("slides.pptx", "application/vnd.openxml")] {
        let answer = house.get(&format!("/agreement/{path}?version={second}")).await;
        assert_eq!(answer.status(), 200);
        assert!(answer.headers()["content-type"].to_str().unwrap().starts_with(kind));
        let policy = answer.headers()["content-security-policy"].to_str().unwrap().to_owned();
        let body = answer.bytes().await.unwrap();
        assert!(path != "slides.html" || !String::from_utf8_lossy(&body).contains(HOSTILE));
        assert!(!policy.contains("script-src 'unsafe"), "{policy}");
    }
    assert_eq!(house.get("/agreement?of=nobody").await.status(), 404);
    assert_eq!(house.get("/agreement/versions/x").await.status(), 404);
}

#[tokio::test]
async fn programs_are_told_the_same() {
    let house = House::start().await;
    let hash = offer(&house, &[]).await;
    let told: serde_json::Value = house.get("/api/v1/agreement").await.json().await.unwrap();
    assert_eq!(told["hash"], *agreement().hash);
    assert_eq!(told["versions"][0]["hash"], hash.as_str());
    assert_eq!(told["versions"][0]["missing"].as_array().unwrap().len(), signers().len());
    assert_eq!(house.get("/api/v1/agreement?connection=nobody").await.status(), 404);
}

#[tokio::test]
async fn a_program_signs_as_the_command_does_and_the_signature_names_its_token() {
    let house = House::start().await;
    let hash = offer(&house, &[]).await;
    let signer = token(&house, Role::Signer).await;
    let sign = async |body: Json| ask(&house, &signer, Method::POST, "/api/v1/agreement/sign", body).await;
    let party = &signers()[0];
    let other = json!({ "hash": hash, "party": party, "name": "Ola Other", "title": "Clerk" });
    let (status, told) = sign(other.clone()).await;
    assert_eq!(status, 409);
    assert!(told["error"].as_str().unwrap().contains("with `on_behalf`"), "{told}");
    for (field, value, status) in [("hash", "x", 404), ("party", "no_party", 409), ("connection", "nobody", 404)] {
        let mut body = json!({ "hash": hash, "party": party });
        body[field] = value.into();
        assert_eq!(sign(body).await.0, status, "{field}");
    }
    assert_eq!(signed(&house, &hash).await, 0);
    let (status, told) = sign(json!({ "hash": hash, "party": party })).await;
    assert_eq!((status, &told["signed"]), (200, &json!(true)), "{told}");
    let signature = &told["version"]["signatures"][0];
    assert_eq!((&signature["name"], &signature["party"]), (&json!(named(party)), &json!(party)));
    assert_eq!(signature["entered_by"], "a program that may sign");
    assert!(!told["outlook"].as_str().unwrap().is_empty());
    let mut again = other;
    again["on_behalf"] = true.into();
    let (status, told) = sign(again).await;
    assert_eq!((status, &told["signed"]), (200, &json!(false)), "a party signs a version once");
    assert_eq!(signed(&house, &hash).await, 1);
    let name = ConnectionName::new("acme-hubspot");
    let facts = journal::recent(&house.db, &name, 0, 100).await.unwrap();
    let fact = &facts.iter().find(|row| row.entry.fact.kind == FactKind::Signed).unwrap().entry.fact;
    assert_eq!(fact.detail["entered_by"], "a program that may sign");
    for role in [Role::Viewer, Role::Operator] {
        let token = token(&house, role).await;
        let body = json!({ "hash": hash, "party": signers()[1] });
        assert_eq!(ask(&house, &token, Method::POST, "/api/v1/agreement/sign", body).await.0, 403);
    }
}

#[tokio::test]
async fn a_persons_session_cannot_sign_without_the_proof_that_the_page_asks_for() {
    let house = House::start().await;
    let hash = offer(&house, &[]).await;
    let party = &signers()[0];
    let who = signer(&house, &named(party), party, Some("correct horse battery")).await;
    let request = house.as_nobody(Method::POST, "/api/v1/agreement/sign").header("Cookie", who.cookie());
    let request = request.header("X-CSRF-Token", who.csrf()).header("Sec-Fetch-Site", "same-origin");
    let refused = request.json(&json!({ "hash": hash, "party": party })).send().await.unwrap();
    assert_eq!(refused.status(), 403);
    assert_eq!(signed(&house, &hash).await, 0);
}

#[tokio::test]
async fn programs_are_told_what_differs_between_two_versions() {
    let house = House::start().await;
    let first = offer(&house, &[]).await;
    let shorter =
        [("within = \"4 business hours\"", "within = \"1 business hour\""), ("version   = \"", "version   = \"next ")];
    let second = offer(&house, &shorter).await;
    let between = async |from: &str, to: &str| {
        let response = house.get(&format!("/api/v1/agreement/difference?from={from}&to={to}")).await;
        (response.status().as_u16(), response.json::<Json>().await.unwrap())
    };
    let (status, told) = between(&first, &second).await;
    assert_eq!(status, 200);
    let lines: Vec<&Json> =
        told["groups"].as_array().unwrap().iter().flat_map(|g| g["lines"].as_array().unwrap()).collect();
    assert!(lines.iter().any(|line| line["verdict"]["way"] == "stricter"), "{told}");
    assert_eq!(between(&first, &first).await.1["groups"], json!([]));
    assert_eq!(between(&first, "x").await.0, 404);
}

promise!(programs_read_a_version_as_it_is_kept_and_find_its_hash_again, |house| {
    let reader = token(&house, Role::Viewer).await;
    let hash = offer(&house, &[]).await;
    let get = async |path: &str| ask(&house, &reader, Method::GET, path, Json::Null).await;
    let (status, told) = get(&format!("/api/v1/agreement/versions/{hash}")).await;
    assert_eq!((status, &told["text"], &told["hash"]), (200, &json!(TEXT), &json!(hash)), "{told}");
    assert_eq!(hex::encode(Sha256::digest(told["canonical"].to_string())), hash);
    assert!(told["standing"].as_str().unwrap().starts_with("draft: it is not signed by "), "{told}");
    assert_eq!((&told["files"], &told["connections"][0]), (&json!({}), &json!("acme-hubspot")));
    assert_eq!(get("/api/v1/agreement/versions/x").await.0, 404);
    assert_eq!(get(&format!("/api/v1/agreement/versions/{hash}?connection=nobody")).await.0, 404);
    let (_, told) = get("/api/v1/agreement").await;
    let names = |part: &str| -> Vec<&str> {
        told["names"][part].as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap()).collect()
    };
    let terms = agreement();
    assert_eq!(names("parties"), terms.parties.iter().map(|p| p.name.as_str()).collect::<Vec<_>>());
    assert_eq!(names("stages"), terms.stages.iter().map(|s| s.name.as_str()).collect::<Vec<_>>());
    assert_eq!(names("handoffs"), terms.handoffs.iter().map(|h| &*h.name).collect::<Vec<_>>());
    assert_eq!(names("clocks"), terms.clocks.iter().map(|c| &*c.name).collect::<Vec<_>>());
    assert_eq!(names("commitments"), terms.commitments.iter().map(|c| c.name.as_str()).collect::<Vec<_>>());
    assert_eq!(told["freezes"].as_array().unwrap().len(), terms.freezes.len());
});

promise!(programs_take_the_slides_of_any_version_as_files, |house| {
    let reader = token(&house, Role::Viewer).await;
    let title = format!("title     = \"{HOSTILE}");
    let hash = offer(&house, &[("title     = \"", &title)]).await;
    for query in [String::new(), format!("?version={hash}&connection=acme-hubspot")] {
        let (kind, html) = file(&house, &reader, &format!("/api/v1/agreement/slides.html{query}")).await;
        let html = String::from_utf8(html).unwrap();
        assert_eq!(kind, "text/html; charset=utf-8");
        assert_eq!(html.contains("&lt;script&gt;") || html.contains("&#60;script"), !query.is_empty(), "{html}");
        assert!(!html.contains(HOSTILE));
        let (kind, pptx) = file(&house, &reader, &format!("/api/v1/agreement/slides.pptx{query}")).await;
        assert!(kind.ends_with("presentationml.presentation") && pptx.starts_with(b"PK"), "{kind}");
    }
    for file in ["slides.html", "slides.pptx"] {
        let get = async |query: &str| {
            ask(&house, &reader, Method::GET, &format!("/api/v1/agreement/{file}?{query}"), Json::Null).await
        };
        assert_eq!(get("version=x").await.0, 404);
        assert_eq!(get("connection=nobody").await.0, 404);
        assert_eq!(get("hash=x").await.0, 400);
    }
});

promise!(programs_are_told_who_was_told_of_a_version_and_who_confirmed, |house| {
    let reader = token(&house, Role::Viewer).await;
    let owed = |connection: &str, person: &str| Receipt {
        connection: ConnectionName::new(connection),
        agreement: agreement().hash.to_string(),
        person: OwnerId::new(person),
        name: format!("Name {person}"),
        email: format!("{person}@acme.example"),
        next_at: Some(at_work()),
        attempts: 0,
        informed_at: None,
        confirmed_at: None,
        how: None,
    };
    // In the order of the list, which is not that of the names of connections at work.
    let all =
        [owed("acme-hubspot", "1"), owed("acme-hubspot", "2"), owed("acme-other", "3"), owed("acme-salesforce", "4")];
    let mut tx = house.db.begin(Priority::Work).await.unwrap();
    for one in all.iter().rev() {
        assert!(receipt::owe(&mut tx, one).await.unwrap());
    }
    receipt::informed(&mut tx, &all[0], "Slack", at_work()).await.unwrap();
    receipt::informed(&mut tx, &all[1], "e-mail", at_work()).await.unwrap();
    receipt::confirm(&mut tx, &all[1], at_work()).await.unwrap();
    receipt::failed(&mut tx, &all[2], "no such user", None).await.unwrap();
    tx.commit().await.unwrap();
    let get = async |query: &str| {
        ask(&house, &reader, Method::GET, &format!("/api/v1/agreement/receipts?{query}"), Json::Null).await
    };
    let (mut after, mut seen) = (String::new(), Vec::new());
    loop {
        let (status, told) = get(&format!("limit=3&after={after}")).await;
        assert_eq!(
            (status, &told["people"], &told["told"], &told["confirmed"]),
            (200, &json!(4), &json!(2), &json!(1))
        );
        seen.extend(told["receipts"].as_array().unwrap().clone());
        let Some(next) = told["next"].as_str() else { break };
        after = next.to_owned();
    }
    let owners: Vec<&str> = seen.iter().map(|one| one["owner"].as_str().unwrap()).collect();
    assert_eq!(owners, ["1", "2", "3", "4"]);
    let shown = |i: usize| (&seen[i]["told_at"], &seen[i]["confirmed_at"], &seen[i]["next_try"], &seen[i]["how"]);
    let (now, none) = (json!(at_work().to_string()), Json::Null);
    assert_eq!(shown(0), (&now, &none, &none, &json!("Slack")));
    assert_eq!(shown(1), (&now, &now, &none, &json!("e-mail")));
    assert_eq!(shown(2), (&none, &none, &none, &json!("no such user")));
    assert_eq!(shown(3), (&none, &none, &now, &none));
    assert_eq!(get("version=x").await.0, 404);
    assert_eq!(get("after=x").await.0, 400);
    let hash = offer(&house, &[("version   = \"", "version   = \"next ")]).await;
    assert_eq!(get(&format!("version={hash}")).await.1["people"], 0, "another version's receipts are others");
});
