//! Versions of the agreement, signatures under them, and who was told.

use crate::{acme, at, other};
use leadpact::record::ConnectionName;
use leadpact::store::agreement::{self, AgreementRow, Version};
use leadpact::store::receipt::{self, Receipt};
use leadpact::store::signature::{self, Signature};
use std::collections::BTreeMap;

fn version(hash: &str, offered: i64) -> AgreementRow {
    AgreementRow {
        version: Version {
            hash: hash.into(),
            title: "Leads".into(),
            version: "1".into(),
            signers: Some(vec!["marketing".into(), "sales".into()]),
            effective_at: at(100),
            offered_at: at(offered),
            activated_at: None,
            superseded_at: None,
        },
        text: "title = \"Leads\"".into(),
        files: BTreeMap::from([("holidays.ics".to_owned(), "BEGIN:VCALENDAR".to_owned())]),
    }
}

promise!(one_version_is_active_and_the_one_before_it_is_superseded, |store| {
    let mut tx = store.begin().await;
    assert!(agreement::offer(&mut tx, None, &version("a", 1)).await.unwrap());
    assert!(agreement::offer(&mut tx, None, &version("b", 2)).await.unwrap());
    assert!(agreement::offer(&mut tx, Some(&acme()), &version("a", 3)).await.unwrap());
    tx.commit().await.unwrap();
    assert_eq!(agreement::active(&store.db, None).await.unwrap(), None);

    let mut tx = store.begin().await;
    assert!(agreement::activate(&mut tx, None, "b", at(5)).await.unwrap());
    assert!(agreement::activate(&mut tx, None, "a", at(6)).await.unwrap());
    assert!(!agreement::activate(&mut tx, None, "c", at(7)).await.unwrap());
    assert!(agreement::activate(&mut tx, None, "a", at(8)).await.unwrap());
    assert!(!agreement::offer(&mut tx, None, &version("a", 9)).await.unwrap());
    agreement::lock(&mut tx, None).await.unwrap();
    assert_eq!(agreement::versions_in(&mut tx, None).await.unwrap().len(), 2);
    tx.commit().await.unwrap();

    let expected = version("a", 1);
    let expected =
        AgreementRow { version: Version { activated_at: Some(at(6)), ..expected.version.clone() }, ..expected };
    assert_eq!(agreement::active(&store.db, None).await.unwrap(), Some(expected));
    assert_eq!(agreement::active(&store.db, Some(&acme())).await.unwrap(), None);
    let all = agreement::versions(&store.db, None).await.unwrap();
    let told: Vec<_> = all.iter().map(|v| (v.hash.as_str(), v.activated_at, v.superseded_at)).collect();
    assert_eq!(told, [("b", Some(at(5)), Some(at(6))), ("a", Some(at(6)), None)]);
});

promise!(a_version_of_an_older_leadpact_learns_who_signs_it_when_it_is_offered_again, |store| {
    let mut tx = store.begin().await;
    agreement::offer(&mut tx, None, &version("a", 1)).await.unwrap();
    tx.commit().await.unwrap();
    store.meddle("UPDATE agreement SET signers = NULL, files = NULL, effective_at = NULL").await;
    let old = agreement::load(&store.db, None, "a").await.unwrap().unwrap();
    assert_eq!((old.version.signers, old.files.len()), (None, 0));

    let mut tx = store.begin().await;
    assert!(!agreement::offer(&mut tx, None, &version("a", 2)).await.unwrap());
    tx.commit().await.unwrap();
    assert_eq!(agreement::load(&store.db, None, "a").await.unwrap(), Some(version("a", 1)));
    assert_eq!(agreement::load(&store.db, None, "b").await.unwrap(), None);
});

fn signature(party: &str, name: &str, ms: i64) -> Signature {
    Signature {
        agreement: "a".into(),
        party: party.into(),
        name: name.into(),
        title: "VP Sales".into(),
        on_behalf_of: (name != "Lee").then(|| "Lee".to_owned()),
        entered_by: "root".into(),
        signed_at: at(ms),
    }
}

promise!(a_party_signs_a_version_once, |store| {
    let mut tx = store.begin().await;
    assert!(signature::add(&mut tx, &signature("sales", "Lee", 2)).await.unwrap());
    assert!(!signature::add(&mut tx, &signature("sales", "Kim", 3)).await.unwrap());
    assert!(signature::add(&mut tx, &signature("marketing", "Dana", 1)).await.unwrap());
    agreement::offer(&mut tx, None, &version("a", 1)).await.unwrap();
    assert_eq!(signature::of_offered_in(&mut tx, None).await.unwrap().len(), 2);
    assert_eq!(signature::of_offered_in(&mut tx, Some(&acme())).await.unwrap().len(), 0);
    tx.commit().await.unwrap();
    let all = signature::of(&store.db, "a").await.unwrap();
    assert_eq!(all, [signature("marketing", "Dana", 1), signature("sales", "Lee", 2)]);
    assert_eq!(signature::of_offered(&store.db, None).await.unwrap(), all);
    assert!(signature::of(&store.db, "b").await.unwrap().is_empty());
});

fn owed(connection: ConnectionName, person: &str, email: &str) -> Receipt {
    Receipt {
        connection,
        agreement: "a".into(),
        person: person.into(),
        name: format!("Person {person}"),
        email: email.into(),
        next_at: Some(at(10)),
        attempts: 0,
        informed_at: None,
        confirmed_at: None,
        how: None,
    }
}

promise!(who_is_noted_in_one_connection_is_not_told_again_in_another, |store| {
    let ada = owed(acme(), "1", "ada@acme.example");
    let mut tx = store.begin().await;
    assert!(receipt::owe(&mut tx, &ada).await.unwrap());
    assert!(!receipt::owe(&mut tx, &ada).await.unwrap());
    assert!(!receipt::owe(&mut tx, &owed(other(), "77", "ADA@acme.example")).await.unwrap());
    let next = Receipt { agreement: "b".into(), ..ada.clone() };
    assert!(receipt::owe(&mut tx, &next).await.unwrap());
    tx.commit().await.unwrap();
    assert_eq!(receipt::of(&store.db, &acme(), "a").await.unwrap(), [ada]);
    assert!(receipt::of(&store.db, &other(), "a").await.unwrap().is_empty());
});

promise!(a_receipt_tells_when_somebody_was_told_and_confirmed, |store| {
    let (ada, bo, cy) = (owed(acme(), "1", "a@x"), owed(acme(), "2", "b@x"), owed(acme(), "3", "c@x"));
    let mut tx = store.begin().await;
    for one in [&ada, &bo, &cy] {
        receipt::owe(&mut tx, one).await.unwrap();
    }
    receipt::failed(&mut tx, &ada, "down", Some(at(20))).await.unwrap();
    receipt::informed(&mut tx, &ada, "C1:2", at(20)).await.unwrap();
    receipt::failed(&mut tx, &bo, "nobody there", None).await.unwrap();
    assert!(receipt::confirm(&mut tx, &ada, at(30)).await.unwrap());
    assert!(!receipt::confirm(&mut tx, &ada, at(31)).await.unwrap());
    tx.commit().await.unwrap();
    let told = Receipt {
        next_at: None,
        attempts: 1,
        informed_at: Some(at(20)),
        confirmed_at: Some(at(30)),
        how: Some("C1:2".into()),
        ..ada
    };
    let given_up = Receipt { next_at: None, attempts: 1, how: Some("nobody there".into()), ..bo };
    assert_eq!(receipt::of(&store.db, &acme(), "a").await.unwrap(), [told, given_up, cy]);
});
