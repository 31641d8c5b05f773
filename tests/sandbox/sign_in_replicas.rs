//! One renewal for all callers of all replicas, against a server whose refresh tokens work once; and
//! what becomes of a renewal that is cut off.

use crate::keeper::Keeper;
use crate::sign_in::{BOTH, app, by_browser, grant, replica, signed_in};
use crate::support::{Hand, sandbox};
use leadpact::crm::{CrmError, SharedCrm};
use leadpact::record::Elapsed;
use leadpact::sandbox::{CrmKind, Fault, FaultRule};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::task::JoinSet;

const HOUR: i64 = 3_600_000;

/// A sandbox with HubSpot signed in to, and a token that has ended since.
async fn ended() -> (Hand, leadpact::crm::Connection, Arc<Keeper>) {
    let hand = sandbox().await;
    app(&hand, CrmKind::HubSpot).change(|rules| rules.lifetime = Some(Elapsed::from_secs(1800)));
    let (connection, keeper) = signed_in(&hand, CrmKind::HubSpot).await;
    hand.pass(HOUR);
    (hand, connection, keeper)
}

/// All of them call at once.
async fn all_call(replicas: &[SharedCrm], times: usize) -> Vec<Result<(), CrmError>> {
    let mut calls = JoinSet::new();
    for crm in replicas.iter().flat_map(|crm| std::iter::repeat_n(crm.clone(), times)) {
        calls.spawn(async move { crm.people().await.map(drop) });
    }
    calls.join_all().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn three_replicas_with_fifty_callers_each_renew_once_and_nothing_is_revoked() {
    for crm in BOTH {
        let hand = sandbox().await;
        app(&hand, crm).change(|rules| rules.lifetime = Some(Elapsed::from_secs(1800)));
        let (connection, keeper) = signed_in(&hand, crm).await;
        let replicas: Vec<SharedCrm> = (0..3).map(|_| replica(&hand, &connection, &keeper)).collect();
        for round in 1..=3 {
            hand.pass(HOUR);
            hand.sandbox.fail(FaultRule::once(
                if crm == CrmKind::HubSpot { "hubspot.token" } else { "salesforce.token" },
                Fault::Slow { seconds: 0.3 },
            ));
            let failed: Vec<_> = all_call(&replicas, 50).await.into_iter().filter_map(Result::err).collect();
            assert!(failed.is_empty(), "{failed:?}");
            let granted = app(&hand, crm).granted();
            assert_eq!((granted.refreshed, granted.revoked), (round, 0), "{crm:?}");
        }
    }
}

#[tokio::test]
async fn while_a_token_still_works_nobody_waits_for_its_renewal() {
    let hand = sandbox().await;
    app(&hand, CrmKind::HubSpot).change(|rules| rules.lifetime = Some(Elapsed::from_secs(1800)));
    let (connection, keeper) = signed_in(&hand, CrmKind::HubSpot).await;
    let crm = replica(&hand, &connection, &keeper);
    crm.people().await.unwrap();
    hand.pass(26 * 60_000);
    hand.sandbox.fail(FaultRule::once("hubspot.token", Fault::Slow { seconds: 3.0 }));
    let renewing = tokio::spawn({
        let crm = crm.clone();
        async move { crm.people().await.map(drop) }
    });
    tokio::time::sleep(Duration::from_millis(100)).await;
    tokio::time::timeout(Duration::from_secs(1), crm.people()).await.expect("at once").unwrap();
    renewing.await.unwrap().unwrap();
    assert_eq!(app(&hand, CrmKind::HubSpot).granted().refreshed, 1);
}

#[tokio::test]
async fn a_renewal_outlives_the_caller_who_began_it() {
    let (hand, connection, keeper) = ended().await;
    let crm = replica(&hand, &connection, &keeper);
    hand.sandbox.fail(FaultRule::once("hubspot.token", Fault::Slow { seconds: 0.4 }));
    assert!(tokio::time::timeout(Duration::from_millis(100), crm.people()).await.is_err(), "given up");
    tokio::time::sleep(Duration::from_millis(800)).await;
    assert_eq!(keeper.now_kept().version, 2, "what came for the refresh token was kept");
    drop(crm);
    replica(&hand, &connection, &keeper).people().await.unwrap();
    let granted = app(&hand, CrmKind::HubSpot).granted();
    assert_eq!((granted.refreshed, granted.revoked), (1, 0));
}

#[tokio::test]
async fn a_database_that_stumbles_does_not_lose_what_was_renewed() {
    let (hand, connection, keeper) = ended().await;
    keeper.failures.store(3, Ordering::SeqCst);
    replica(&hand, &connection, &keeper).people().await.unwrap();
    assert_eq!(keeper.attempts.load(Ordering::SeqCst), 4);
    hand.pass(HOUR);
    replica(&hand, &connection, &keeper).people().await.unwrap();
    assert_eq!(app(&hand, CrmKind::HubSpot).granted().revoked, 0);
}

#[tokio::test]
async fn a_database_that_is_away_for_long_gets_what_was_renewed_when_it_is_back() {
    let (hand, connection, keeper) = ended().await;
    let crm = replica(&hand, &connection, &keeper);
    keeper.failures.store(42, Ordering::SeqCst);
    crm.people().await.unwrap();
    assert_eq!(keeper.now_kept().version, 1, "not stored");
    crm.people().await.unwrap();
    keeper.failures.store(0, Ordering::SeqCst);
    crm.people().await.unwrap();
    assert_eq!(keeper.now_kept().version, 2, "stored at last");
    hand.pass(HOUR);
    replica(&hand, &connection, &keeper).people().await.unwrap();
    let granted = app(&hand, CrmKind::HubSpot).granted();
    assert_eq!((granted.refreshed, granted.revoked), (2, 0));
}

#[tokio::test]
async fn killed_before_the_renewed_token_was_kept_somebody_has_to_sign_in_again() {
    let (hand, connection, keeper) = ended().await;
    keeper.killed.store(true, Ordering::SeqCst);
    let crm = replica(&hand, &connection, &keeper);
    assert!(tokio::time::timeout(Duration::from_millis(500), crm.people()).await.is_err(), "killed meanwhile");
    assert_eq!(app(&hand, CrmKind::HubSpot).granted().refreshed, 1);
    keeper.killed.store(false, Ordering::SeqCst);
    keeper.end_claim();
    let error = replica(&hand, &connection, &keeper).people().await.unwrap_err();
    let CrmError::SignIn { message } = &error else { panic!("{error:?}") };
    assert!(message.contains("Sign in again: leadpact connect acme"), "{message}");
}

#[tokio::test]
async fn a_refused_renewal_looks_whether_somebody_signed_in_meanwhile() {
    let (hand, connection, keeper) = ended().await;
    let crm = replica(&hand, &connection, &keeper);
    app(&hand, CrmKind::HubSpot).revoke_all();
    let new = grant(&hand, &connection).await.unwrap();
    hand.sandbox.fail(FaultRule::once("hubspot.token", Fault::Slow { seconds: 0.3 }));
    let slowly = tokio::spawn(async move { crm.people().await.map(drop) });
    tokio::time::sleep(Duration::from_millis(100)).await;
    keeper.signed_in(new);
    slowly.await.unwrap().unwrap();
    assert_eq!(hand.sandbox.calls("hubspot.token").len(), 3, "two codes, and the refusal");
}

#[tokio::test]
async fn a_command_without_a_database_says_so() {
    let hand = sandbox().await;
    let connection = by_browser(&hand, CrmKind::Salesforce);
    let crm = leadpact::crm::salesforce::Salesforce::new(
        &connection,
        &crate::connectors::dictionary(),
        crate::sign_in::http(&hand),
    );
    let error = leadpact::crm::Crm::people(&crm.unwrap()).await.unwrap_err();
    assert!(matches!(&error, CrmError::SignIn { message } if message.contains("nobody has signed in yet")));
}
