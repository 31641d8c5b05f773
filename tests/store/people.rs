//! Accounts, sessions, one-time links, API tokens and counted attempts.

use crate::{Store, at};
use leadpact::record::{Elapsed, PartyName};
use leadpact::store::account::{self, Account, Purpose, SignsFor};
use leadpact::store::api_token::{self, ApiToken};
use leadpact::store::attempt::{self, Attempts};
use leadpact::store::role::Role;
use leadpact::store::secret::Secret;
use leadpact::store::session::{self, From, IDLE, LONGEST};

fn pat() -> Account {
    Account {
        id: "1".into(),
        login: account::login(" Pat@Acme.example\n"),
        name: "Pat\0 Person".into(),
        role: Role::Signer,
        signs_for: Some(SignsFor { party: PartyName::new("marketing"), title: "VP Marketing".into() }),
        password: None,
        disabled: false,
        created_at: at(5),
        created_by: "tests".into(),
    }
}

async fn with_pat(store: &Store) {
    let mut tx = store.begin().await;
    assert!(account::add(&mut tx, &pat()).await.unwrap());
    tx.commit().await.unwrap();
}

promise!(an_account_is_found_by_its_login_however_it_is_written, |store| {
    with_pat(&store).await;
    let stored = Account { name: "Pat\u{fffd} Person".into(), ..pat() };
    assert_eq!(account::find(&store.db, "PAT@acme.EXAMPLE ").await.unwrap(), Some(stored.clone()));
    assert_eq!(account::find(&store.db, "pat\0@acme.example").await.unwrap(), None);
    let mut tx = store.begin().await;
    assert!(!account::add(&mut tx, &Account { id: "2".into(), ..pat() }).await.unwrap(), "the login is taken");
    account::set_role(&mut tx, "1", Role::Viewer, None).await.unwrap();
    account::set_password(&mut tx, "1", Some("hash")).await.unwrap();
    account::set_disabled(&mut tx, "1", true).await.unwrap();
    tx.commit().await.unwrap();
    let now = Account { role: Role::Viewer, signs_for: None, password: Some("hash".into()), disabled: true, ..stored };
    assert_eq!(account::all(&store.db).await.unwrap(), [now]);
});

promise!(a_session_holds_until_it_is_idle_old_or_ended, |store| {
    with_pat(&store).await;
    let (one, other) = (Secret::fresh(""), Secret::fresh(""));
    let mut tx = store.begin().await;
    for secret in [&one, &other] {
        session::begin(&mut tx, secret, "1", From { address: "203.0.113.9", browser: "a\0b" }, at(1)).await.unwrap();
    }
    tx.commit().await.unwrap();
    let find = async |secret: &Secret, now| session::find(&store.db, secret, now).await.unwrap();
    let found = find(&one, at(1)).await.unwrap();
    assert_eq!(
        (found.login.as_str(), found.role, found.signs_for),
        ("pat@acme.example", Role::Signer, pat().signs_for)
    );
    let unused = at(1) + IDLE;
    assert!(find(&one, unused - Elapsed::from_millis(1)).await.is_some() && find(&one, unused).await.is_none());
    assert!(find(&Secret::brought(&one.hash()), at(1)).await.is_none(), "what is stored opens nothing");

    let (last, over) = (at(1) + LONGEST - Elapsed::from_millis(1), at(1) + LONGEST);
    let mut tx = store.begin().await;
    session::seen(&mut tx, &one, last).await.unwrap();
    session::seen(&mut tx, &one, at(2)).await.unwrap();
    tx.commit().await.unwrap();
    assert!(find(&one, last).await.is_some() && find(&one, over).await.is_none());
    let open = session::of_account(&store.db, "1", last).await.unwrap();
    assert_eq!((open.len(), open[0].mark.as_str(), open[0].seen_at), (1, &one.hash()[..12], last));
    assert_eq!((open[0].address.as_str(), open[0].browser.as_str()), ("203.0.113.9", "a\u{fffd}b"));

    let mut tx = store.begin().await;
    assert_eq!(session::end_marked(&mut tx, "2", &open[0].mark).await.unwrap(), 0, "it is somebody else's");
    assert_eq!(session::end_marked(&mut tx, "1", &open[0].mark).await.unwrap(), 1);
    tx.commit().await.unwrap();
    assert!(find(&one, last).await.is_none() && find(&other, at(1)).await.is_some());
});

promise!(a_new_password_and_a_disabled_account_end_sessions_and_links, |store| {
    with_pat(&store).await;
    for round in 0..2 {
        let (secret, link) = (Secret::fresh(""), Secret::fresh(""));
        let mut tx = store.begin().await;
        account::set_disabled(&mut tx, "1", false).await.unwrap();
        session::begin(&mut tx, &secret, "1", From::default(), at(1)).await.unwrap();
        account::add_link(&mut tx, &link, "1", Purpose::SignIn, at(9)).await.unwrap();
        tx.commit().await.unwrap();
        assert!(session::find(&store.db, &secret, at(2)).await.unwrap().is_some());
        let mut tx = store.begin().await;
        match round {
            0 => account::set_password(&mut tx, "1", Some("other")).await.unwrap(),
            _ => account::set_disabled(&mut tx, "1", true).await.unwrap(),
        }
        tx.commit().await.unwrap();
        assert!(session::find(&store.db, &secret, at(2)).await.unwrap().is_none(), "{round}");
        assert!(account::look_at_link(&store.db, &link, at(2)).await.unwrap().is_none(), "{round}");
    }
});

promise!(a_link_works_once_and_in_time, |store| {
    with_pat(&store).await;
    let link = Secret::fresh("");
    let mut tx = store.begin().await;
    account::add_link(&mut tx, &link, "1", Purpose::SetPassword, at(9)).await.unwrap();
    assert!(!account::use_link(&mut tx, &link, at(9)).await.unwrap(), "its time is over");
    tx.commit().await.unwrap();
    let (whose, purpose) = account::look_at_link(&store.db, &link, at(8)).await.unwrap().unwrap();
    assert_eq!((whose.id.as_str(), purpose), ("1", Purpose::SetPassword));
    assert!(account::look_at_link(&store.db, &link, at(9)).await.unwrap().is_none());
    let mut tx = store.begin().await;
    assert!(account::use_link(&mut tx, &link, at(8)).await.unwrap());
    assert!(!account::use_link(&mut tx, &link, at(8)).await.unwrap());
    tx.commit().await.unwrap();
});

promise!(what_is_over_is_tidied_away, |store| {
    with_pat(&store).await;
    let (old, new) = (Secret::fresh(""), Secret::fresh(""));
    let mut tx = store.begin().await;
    session::begin(&mut tx, &old, "1", From::default(), at(1)).await.unwrap();
    session::begin(&mut tx, &new, "1", From::default(), at(2)).await.unwrap();
    session::tidy(&mut tx, at(1) + IDLE).await.unwrap();
    assert_eq!(session::end_all(&mut tx, "1").await.unwrap(), 1);
    tx.commit().await.unwrap();
});

promise!(a_token_works_until_its_end_or_until_it_is_taken_back, |store| {
    let secret = Secret::fresh("leadpact_");
    let token = ApiToken {
        name: "reports".into(),
        scope: Role::Operator,
        created_at: at(1),
        created_by: "Dana".into(),
        expires_at: at(9),
    };
    let mut tx = store.begin().await;
    assert!(api_token::add(&mut tx, &secret, &token).await.unwrap());
    assert!(!api_token::add(&mut tx, &Secret::fresh(""), &token).await.unwrap(), "the name is taken");
    tx.commit().await.unwrap();
    assert_eq!(api_token::find(&store.db, &secret, at(8)).await.unwrap(), Some(token.clone()));
    assert_eq!(api_token::find(&store.db, &secret, at(9)).await.unwrap(), None);
    assert_eq!(api_token::find(&store.db, &Secret::brought("x\0"), at(8)).await.unwrap(), None);
    assert_eq!(api_token::all(&store.db).await.unwrap(), [token]);
    let mut tx = store.begin().await;
    assert!(api_token::revoke(&mut tx, "reports").await.unwrap());
    assert!(!api_token::revoke(&mut tx, "reports").await.unwrap());
    tx.commit().await.unwrap();
    assert_eq!(api_token::find(&store.db, &secret, at(8)).await.unwrap(), None);
});

promise!(attempts_are_counted_and_forgotten, |store| {
    let known = Attempts { failures: 3, last_at: 50, blocked_until: 70 };
    let mut tx = store.begin().await;
    assert_eq!(attempt::lock(&mut tx, "a").await.unwrap(), Attempts::default());
    attempt::set(&mut tx, "a", known).await.unwrap();
    attempt::lock(&mut tx, "b").await.unwrap();
    attempt::set(&mut tx, "b", Attempts { last_at: 49, ..known }).await.unwrap();
    attempt::forget_before(&mut tx, at(50)).await.unwrap();
    assert_eq!(attempt::lock(&mut tx, "a").await.unwrap(), known);
    assert_eq!(attempt::lock(&mut tx, "b").await.unwrap(), Attempts::default());
    tx.commit().await.unwrap();
});
