//! Grants of those who signed in with a browser, and sign-ins under way.

use crate::{Store, acme, at, other};
use leadpact::crm::CrmError;
use leadpact::crm::token::{Claim, Grant};
use leadpact::engine::clock::real_now;
use leadpact::engine::credentials::Credentials;
use leadpact::engine::switches::Told;
use leadpact::record::{ConnectionName, Elapsed, FactKind};
use leadpact::store::credential::{self, ClaimOf};
use leadpact::store::seal::{Keys, Sealed, new_key};
use leadpact::store::sign_in::{self, MOST_OPEN, State, Ticket};
use leadpact::store::{Db, journal};
use secrecy::{ExposeSecret, SecretString};
use sqlx::Connection;

const CANARY: &str = "canary-of-the-access-token";

fn keys(texts: &[&str]) -> Keys {
    let texts: Vec<SecretString> = texts.iter().map(|text| SecretString::from(*text)).collect();
    Keys::read(&texts).unwrap()
}

fn house(store: &Store) -> Credentials {
    Credentials::new(store.db.clone(), keys(&[&new_key()]))
}

fn grant(token: &str) -> Grant {
    Grant {
        access_token: token.into(),
        refresh_token: Some(format!("refresh-{token}").into()),
        expires: Some(at(5_000_000)),
        granted: at(4_000_000),
        account: Some("45540012".into()),
        scopes: vec!["oauth".into()],
    }
}

fn chain(connection: &ConnectionName) -> Told {
    (connection.clone(), "hash".to_owned())
}

async fn sign_in(credentials: &Credentials, connection: &ConnectionName, token: &str) {
    credentials.store(&chain(connection), &grant(token), "dana", at(7)).await.unwrap();
}

async fn token(credentials: &Credentials, connection: &ConnectionName) -> (i64, String) {
    let kept = credentials.keeper(connection).kept().await.unwrap().unwrap();
    (kept.version, kept.grant.access_token.expose_secret().to_owned())
}

/// Everything that the table holds, as text.
async fn raw(store: &Store) -> String {
    match &store.db {
        Db::Sqlite(_) => {
            let path = store.url.strip_prefix("sqlite://").unwrap();
            let files = ["", "-wal", "-shm"].map(|end| std::fs::read(format!("{path}{end}")).unwrap_or_default());
            String::from_utf8_lossy(&files.concat()).into_owned()
        }
        Db::Postgres(_) => {
            let mut hand = sqlx::PgConnection::connect(&store.url).await.unwrap();
            let sql = "SELECT credential::text FROM credential UNION ALL SELECT sign_in::text FROM sign_in";
            let rows: Vec<(String,)> = sqlx::query_as(sql).fetch_all(&mut hand).await.unwrap();
            rows.into_iter().map(|(row,)| row).collect()
        }
    }
}

promise!(a_grant_is_kept_for_its_connection_and_no_token_can_be_read_from_the_database, |store| {
    let credentials = house(&store);
    assert!(credentials.keeper(&acme()).kept().await.unwrap().is_none());
    sign_in(&credentials, &acme(), CANARY).await;
    let kept = credentials.keeper(&acme()).kept().await.unwrap().unwrap();
    assert_eq!(kept.grant.access_token.expose_secret(), CANARY);
    assert_eq!(kept.grant.refresh_token.unwrap().expose_secret(), format!("refresh-{CANARY}"));
    assert_eq!((kept.grant.expires, kept.grant.granted), (Some(at(5_000_000)), at(4_000_000)));
    assert_eq!((kept.grant.account.as_deref(), kept.grant.scopes), (Some("45540012"), vec!["oauth".to_owned()]));
    assert!(credentials.keeper(&other()).kept().await.unwrap().is_none());

    let raw = raw(&store).await;
    assert!(raw.contains("45540012") && raw.contains("dana"), "the row is looked at");
    assert!(!raw.contains(CANARY) && !raw.contains("access_token"));
    let row = credential::load(&store.db, &acme()).await.unwrap().unwrap();
    assert_eq!((row.signed_in_by.as_str(), row.account.as_deref()), ("dana", Some("45540012")));
});

promise!(a_sign_in_and_its_end_stand_in_the_journal, |store| {
    let credentials = house(&store);
    sign_in(&credentials, &acme(), "a").await;
    assert!(credentials.forget(&chain(&acme()), "sam", "it leaked", at(9)).await.unwrap());
    assert!(!credentials.forget(&chain(&acme()), "sam", "", at(10)).await.unwrap());
    let rows = journal::recent(&store.db, &acme(), 0, 10).await.unwrap();
    let told: Vec<_> = rows.iter().map(|row| (row.entry.fact.kind, row.entry.fact.detail["to"].clone())).collect();
    assert_eq!(told, [(FactKind::Setting, "account 45540012".into()), (FactKind::Setting, "forgotten".into())]);
    assert_eq!(rows[1].entry.fact.detail["why"], "it leaked");
    assert!(credentials.keeper(&acme()).kept().await.unwrap().is_none());
});

promise!(a_row_of_another_connection_or_an_earlier_time_does_not_open, |store| {
    let credentials = house(&store);
    sign_in(&credentials, &acme(), "ours").await;
    sign_in(&credentials, &other(), "theirs").await;
    let before = credential::load(&store.db, &acme()).await.unwrap().unwrap();
    let refused = async |what: &str| {
        let error = credentials.keeper(&acme()).kept().await.expect_err(what);
        assert!(matches!(&error, CrmError::SignIn { message } if message.contains("altered")), "{what}: {error}");
    };
    let theirs = |column: &str| format!("(SELECT {column} FROM credential WHERE connection = 'other')");
    let swap = format!("UPDATE credential SET sealed = {} WHERE connection = 'acme'", theirs("sealed"));
    store.meddle(&swap).await;
    refused("what another row holds").await;
    let version = format!("UPDATE credential SET version = {} WHERE connection = 'acme'", theirs("version"));
    store.meddle(&version).await;
    refused("the whole of another row").await;

    sign_in(&credentials, &acme(), "ours again").await;
    assert_eq!(token(&credentials, &acme()).await.1, "ours again");
    let old = format!("UPDATE credential SET sealed = '{}' WHERE connection = 'acme'", before.sealed.text);
    store.meddle(&old).await;
    refused("what stood there before").await;
    store.meddle("UPDATE credential SET sealed = 'AAAA' WHERE connection = 'acme'").await;
    refused("nonsense").await;
});

promise!(of_many_who_would_renew_one_does, |store| {
    let credentials = house(&store);
    sign_in(&credentials, &acme(), "first").await;
    let (version, _) = token(&credentials, &acme()).await;
    let tries = (0..8).map(|_| {
        let keeper = credentials.keeper(&acme());
        tokio::spawn(async move { keeper.claim(version).await.unwrap() })
    });
    let mut claims = Vec::new();
    for one in tries.collect::<Vec<_>>() {
        claims.extend(one.await.unwrap());
    }
    assert_eq!(claims.len(), 1);
    let keeper = credentials.keeper(&acme());
    assert!(keeper.keep(&claims[0], &grant("second")).await.unwrap());
    assert_eq!(token(&credentials, &acme()).await, (version + 1, "second".to_owned()));
    assert!(keeper.claim(version).await.unwrap().is_none(), "that version is over");
    assert!(!keeper.keep(&claims[0], &grant("late")).await.unwrap(), "and cannot be renewed twice");
    assert_eq!(token(&credentials, &acme()).await.1, "second");
    assert!(keeper.claim(version + 1).await.unwrap().is_some(), "nobody holds the new one");
});

promise!(a_claim_is_ended_by_its_holder_or_by_time_alone, |store| {
    let credentials = house(&store);
    sign_in(&credentials, &acme(), "first").await;
    let (version, _) = token(&credentials, &acme()).await;
    let keeper = credentials.keeper(&acme());
    let mine = keeper.claim(version).await.unwrap().unwrap();
    keeper.release(&Claim { version, token: "somebody else".to_owned() }).await.unwrap();
    assert!(keeper.claim(version).await.unwrap().is_none());
    keeper.release(&mine).await.unwrap();
    let claim = keeper.claim(version).await.unwrap().unwrap();

    let late = ClaimOf { connection: &acme(), version, token: "late" };
    let now = real_now();
    let mut tx = store.begin().await;
    assert!(!credential::claim(&mut tx, late, now + Elapsed::from_secs(15), now).await.unwrap());
    assert!(credential::claim(&mut tx, late, now + Elapsed::from_secs(21), now).await.unwrap());
    tx.commit().await.unwrap();
    // The answer came after the claim had ended, and nobody has renewed since: it must not be lost.
    assert!(keeper.keep(&claim, &grant("second")).await.unwrap());
    assert_eq!(token(&credentials, &acme()).await.1, "second");
});

promise!(signing_in_again_ends_every_claim_and_no_version_comes_back, |store| {
    let credentials = house(&store);
    sign_in(&credentials, &acme(), "first").await;
    let (first, _) = token(&credentials, &acme()).await;
    let keeper = credentials.keeper(&acme());
    let claim = keeper.claim(first).await.unwrap().unwrap();
    sign_in(&credentials, &acme(), "second").await;
    assert!(!keeper.keep(&claim, &grant("of the first")).await.unwrap());
    let (second, held) = token(&credentials, &acme()).await;
    assert!(second > first && held == "second");
    assert!(keeper.claim(second).await.unwrap().is_some());

    credentials.forget(&chain(&acme()), "sam", "", at(1)).await.unwrap();
    tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    sign_in(&credentials, &acme(), "third").await;
    assert!(token(&credentials, &acme()).await.0 > first);
});

promise!(keys_are_rotated_without_signing_in_again, |store| {
    let (old, new) = (new_key(), new_key());
    let before = Credentials::new(store.db.clone(), keys(&[&old]));
    sign_in(&before, &acme(), "a").await;
    sign_in(&before, &other(), "b").await;

    let both = Credentials::new(store.db.clone(), keys(&[&new, &old]));
    let (version, _) = token(&both, &acme()).await;
    let keeper = both.keeper(&acme());
    let claim = keeper.claim(version).await.unwrap().unwrap();
    assert!(keeper.keep(&claim, &grant("a2")).await.unwrap(), "a renewal is sealed with the first key");
    let rotated = both.rotate().await.unwrap();
    assert_eq!((rotated.kept, rotated.resealed, rotated.closed), (vec![acme()], vec![other()], vec![]));

    let after = Credentials::new(store.db.clone(), keys(&[&new]));
    assert_eq!(token(&after, &acme()).await.1, "a2");
    assert_eq!(token(&after, &other()).await.1, "b");
    assert!(matches!(before.keeper(&other()).kept().await, Err(CrmError::SignIn { .. })));
    assert_eq!(before.rotate().await.unwrap().closed.len(), 2);
});

fn ticket(digest: &str, expires: i64) -> Ticket {
    Ticket { digest: digest.into(), connection: acme(), asked_by: "dana".into(), expires_at: at(expires) }
}

fn state(digest: &str, expires: i64) -> State {
    State {
        digest: digest.into(),
        connection: acme(),
        asked_by: "dana".into(),
        expires_at: at(expires),
        browser: "browser".into(),
        verifier: Sealed { key_id: "k".into(), text: "t".into() },
    }
}

promise!(a_ticket_and_a_state_are_taken_once_and_not_for_each_other, |store| {
    let mut tx = store.begin().await;
    sign_in::add_ticket(&mut tx, &ticket("t", 100), at(0)).await.unwrap();
    sign_in::add_state(&mut tx, &state("s", 100), at(0)).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(sign_in::look_at_ticket(&store.db, "t").await.unwrap(), Some(ticket("t", 100)));
    assert_eq!(sign_in::look_at_ticket(&store.db, "s").await.unwrap(), None);

    let mut tx = store.begin().await;
    assert_eq!(sign_in::take_ticket(&mut tx, "s").await.unwrap(), None);
    assert_eq!(sign_in::take_state(&mut tx, "t").await.unwrap(), None);
    assert_eq!(sign_in::take_ticket(&mut tx, "t").await.unwrap(), Some(ticket("t", 100)));
    assert_eq!(sign_in::take_state(&mut tx, "s").await.unwrap(), Some(state("s", 100)));
    tx.rollback().await.unwrap();

    let tries = (0..6).map(|_| {
        let db = store.db.clone();
        tokio::spawn(async move {
            let mut tx = db.begin(leadpact::store::Priority::Work).await.unwrap();
            let taken = sign_in::take_state(&mut tx, "s").await.unwrap();
            tx.commit().await.unwrap();
            taken.is_some()
        })
    });
    let mut taken = 0;
    for one in tries.collect::<Vec<_>>() {
        taken += usize::from(one.await.unwrap());
    }
    assert_eq!(taken, 1, "one of several at once");
});

promise!(what_has_expired_goes_and_few_are_open_at_a_time, |store| {
    let mut tx = store.begin().await;
    sign_in::add_ticket(&mut tx, &ticket("old", 10), at(0)).await.unwrap();
    sign_in::add_state(&mut tx, &state("old-state", 10), at(0)).await.unwrap();
    for n in 0..=MOST_OPEN {
        sign_in::add_ticket(&mut tx, &ticket(&format!("t{n}"), 100 + n), at(10)).await.unwrap();
        sign_in::add_state(&mut tx, &state(&format!("s{n}"), 100 + n), at(10)).await.unwrap();
    }
    for (digest, is_there) in [("old", false), ("t0", false), ("t1", true), ("t8", true)] {
        assert_eq!(sign_in::take_ticket(&mut tx, digest).await.unwrap().is_some(), is_there, "{digest}");
    }
    for (digest, is_there) in [("old-state", false), ("s0", false), ("s1", true), ("s8", true)] {
        assert_eq!(sign_in::take_state(&mut tx, digest).await.unwrap().is_some(), is_there, "{digest}");
    }
    tx.commit().await.unwrap();
    assert!(sign_in::is_open(&store.db, &acme(), at(106)).await.unwrap());
    assert!(!sign_in::is_open(&store.db, &acme(), at(107)).await.unwrap());
    assert!(!sign_in::is_open(&store.db, &other(), at(0)).await.unwrap());
    let mut tx = store.begin().await;
    sign_in::remove_all(&mut tx, &acme()).await.unwrap();
    tx.commit().await.unwrap();
    assert!(!sign_in::is_open(&store.db, &acme(), at(0)).await.unwrap());
});
