//! Who comes in as whom: accounts found by address, bound to a person, made and unmade by groups.

use super::{Browser, Page, Scene, json};
use leadpact::engine::oidc::Others;
use leadpact::record::PartyName;
use leadpact::store::Priority;
use leadpact::store::account::{self as accounts, Account, SignsFor};
use leadpact::store::oidc;
use leadpact::store::role::Role;
use serde_json::Value;

const SUBJECT: &str = "248289761001";

async fn mapped() -> Scene {
    Scene::with(|settings| {
        settings.roles = vec![(Role::Viewer, vec!["sales".to_owned()]), (Role::Signer, vec!["heads".to_owned()])];
    })
    .await
}

impl Scene {
    async fn says(&self, claims: Value) -> Page {
        self.provider.change(|state| state.claims = claims);
        self.sign_in(&Browser::default()).await
    }
}

#[tokio::test]
async fn who_has_no_account_and_no_role_stays_outside() {
    let scene = Scene::start().await;
    scene.refuses("a stranger", 403, json!({}), "there is no account for you here").await;
    assert_eq!(scene.account("dana@acme.example").await, None);
}

#[tokio::test]
async fn an_address_that_nobody_verified_finds_no_account() {
    let scene = Scene::start().await;
    scene.with_dana(Role::Admin).await;
    for unverified in [json!({ "email_verified": false }), json!({ "email_verified": null })] {
        scene.refuses("unverified", 403, unverified, "does not say that your e-mail address is verified").await;
    }
    assert_eq!(scene.says(json!({ "email_verified": "true" })).await.status, 303, "as some write it");
}

#[tokio::test]
async fn an_account_is_of_one_person_whatever_addresses_say_later() {
    let scene = Scene::start().await;
    let dana = scene.with_dana(Role::Admin).await;
    assert_eq!(scene.says(json!({})).await.status, 303);
    // The address was given to somebody else there.
    let other = json!({ "sub": "another person" });
    scene.refuses("another subject", 403, other.clone(), "belongs to somebody else").await;
    let bound = oidc::of_account(&scene.house.db, &dana.id).await.unwrap();
    assert_eq!((bound.len(), bound[0].subject.as_str()), (1, SUBJECT));
    // Dana's new address is that of another account: it stays hers.
    let boss = super::account(Role::Admin, "The Boss");
    scene.add(&boss).await;
    assert_eq!(scene.says(json!({ "email": boss.login })).await.status, 303);
    assert!(oidc::of_account(&scene.house.db, &boss.id).await.unwrap().is_empty());
    // Until somebody loosens it.
    let mut tx = scene.house.db.begin(Priority::Work).await.unwrap();
    assert_eq!(oidc::unbind(&mut tx, &dana.id).await.unwrap(), 1);
    tx.commit().await.unwrap();
    assert_eq!(scene.says(other).await.status, 303);
}

#[tokio::test]
async fn a_disabled_account_stays_closed() {
    let scene = Scene::start().await;
    let dana = scene.with_dana(Role::Admin).await;
    for bound in [false, true] {
        let mut tx = scene.house.db.begin(Priority::Work).await.unwrap();
        accounts::set_disabled(&mut tx, &dana.id, true).await.unwrap();
        tx.commit().await.unwrap();
        scene.refuses("disabled", 403, json!({}), "account here is disabled").await;
        assert_eq!(oidc::of_account(&scene.house.db, &dana.id).await.unwrap().len(), usize::from(bound));
        let mut tx = scene.house.db.begin(Priority::Work).await.unwrap();
        accounts::set_disabled(&mut tx, &dana.id, false).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(scene.says(json!({})).await.status, 303);
    }
}

#[tokio::test]
async fn a_role_comes_and_goes_with_the_groups() {
    let scene = mapped().await;
    assert_eq!(scene.says(json!({ "groups": ["sales", "heads"] })).await.status, 303);
    let made = scene.account("dana@acme.example").await.expect("an account was made");
    assert_eq!((made.role, made.name.as_str(), &made.password), (Role::Signer, "Dana Reyes", &None));
    let told = scene.settings_in_journal().await;
    assert!(told.iter().any(|note| note.contains("Dana Reyes may sign in, as signer")), "{told:?}");

    let signs = SignsFor { party: PartyName::new("field_sales"), title: "Head".to_owned() };
    let mut tx = scene.house.db.begin(Priority::Work).await.unwrap();
    accounts::set_role(&mut tx, &made.id, Role::Signer, Some(&signs)).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(scene.says(json!({ "groups": "heads" })).await.status, 303);
    assert_eq!(scene.account(&made.login).await.unwrap().signs_for, Some(signs), "kept while the role may sign");
    assert_eq!(scene.says(json!({ "groups": ["sales"] })).await.status, 303);
    let now = scene.account(&made.login).await.unwrap();
    assert_eq!((now.role, now.signs_for), (Role::Viewer, None));

    assert_eq!(scene.says(json!({ "groups": ["heads"] })).await.status, 303);
    let browser = Browser::default();
    assert_eq!(scene.sign_in(&browser).await.status, 303);
    scene.refuses("no group", 403, json!({ "groups": [] }), "no role for leadpact any more").await;
    assert_eq!(scene.account(&made.login).await.unwrap().role, Role::Viewer, "a password would give no more");
    assert_eq!(browser.get(&scene.house, "/account").await.status, 303, "sessions ended");
}

#[tokio::test]
async fn who_was_given_a_role_here_keeps_it_without_groups() {
    let scene = mapped().await;
    scene.with_dana(Role::Admin).await;
    assert_eq!(scene.says(json!({ "groups": ["marketing"] })).await.status, 303);
    assert_eq!(scene.account("dana@acme.example").await.unwrap().role, Role::Admin);
    // From the moment on in which the provider gives one, it is the provider's.
    assert_eq!(scene.says(json!({ "groups": ["sales"] })).await.status, 303);
    assert_eq!(scene.account("dana@acme.example").await.unwrap().role, Role::Viewer);
    scene.refuses("left", 403, json!({}), "no role for leadpact any more").await;
}

#[tokio::test]
async fn the_claim_may_be_a_text_a_list_or_lie_in_tables() {
    let named = |claim: &'static str| {
        Scene::with(move |settings| {
            settings.role_claim = claim.to_owned();
            settings.roles = vec![(Role::Operator, vec!["ops".to_owned()])];
        })
    };
    for (claim, claims) in [
        ("role", json!({ "role": "ops" })),
        ("groups", json!({ "groups": ["sales", 7, "ops"] })),
        ("realm_access.roles", json!({ "realm_access": { "roles": ["ops"] } })),
        ("https://acme.example/roles", json!({ "https://acme.example/roles": ["ops"] })),
    ] {
        assert_eq!(named(claim).await.says(claims).await.status, 303, "{claim}");
    }
    let scene = named("realm_access").await;
    scene.refuses("a table", 403, json!({ "realm_access": { "ops": "ops" } }), "no account for you here").await;
}

#[tokio::test]
async fn everybody_may_look_where_that_is_meant() {
    let scene = Scene::with(|settings| settings.others = Others::Viewer).await;
    // Somebody else is called so, and no address is verified.
    scene.add(&super::account(Role::Admin, "Dana Reyes")).await;
    assert_eq!(scene.says(json!({ "email_verified": false, "name": "Dana\u{7} Reyes" })).await.status, 303);
    assert_eq!(scene.account("dana@acme.example").await, None, "it is not claimed");
    let made: Vec<Account> = accounts::all(&scene.house.db).await.unwrap();
    let made = made.iter().find(|a| a.created_by == "single sign-on").expect("an account was made");
    assert_eq!((made.role, made.login.as_str()), (Role::Viewer, "oidc:127.0.0.1:248289761001"));
    assert_eq!(made.name, "Dana Reyes (oidc:127.0.0.1:248289761001)", "nobody takes another's name");
}

#[tokio::test]
async fn what_the_token_leaves_out_is_asked_for() {
    let scene = mapped().await;
    let more = json!({ "sub": SUBJECT, "email": "dana@acme.example", "email_verified": true, "groups": ["sales"] });
    let thin = json!({ "email": null, "email_verified": null, "name": null });
    scene.provider.change(|state| state.userinfo = json!({ "sub": "another", "groups": ["heads"] }));
    scene.refuses("of somebody else", 403, thin.clone(), "answer is not valid").await;
    scene.provider.change(|state| state.userinfo = more);
    assert_eq!(scene.says(thin).await.status, 303);
    let made = scene.account("dana@acme.example").await.expect("an account was made");
    assert_eq!((made.role, made.name.as_str()), (Role::Viewer, "dana@acme.example"));
    // An address of one with the verification of the other is not verified.
    scene.provider.change(|state| state.userinfo = json!({ "sub": "new", "email_verified": true, "groups": ["none"] }));
    let mixed = json!({ "sub": "new", "email": "boss@acme.example", "email_verified": null });
    scene.refuses("mixed", 403, mixed, "verified").await;
}
