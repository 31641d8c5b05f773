//! Calls that go wrong: what the caller is told to do next.

use crate::fake::{Fake, Given, given, recorded};
use leadpact::crm::{Crm, CrmError, Write};
use leadpact::record::{Object, RecordId, Value, field::well_known};
use std::time::Duration;

async fn error_of(answer: Given) -> (CrmError, Fake) {
    let fake = Fake::start([answer]).await;
    let write = Write { id: RecordId::new("1"), values: vec![(well_known().owner, Value::Null)] };
    let error = fake.crm().write(Object::Lead, &[write]).await.unwrap_err();
    (error, fake)
}

#[tokio::test]
async fn a_limit_is_waited_out() {
    let ten = recorded(include_str!("../fixtures/hubspot/error-429-ten-secondly.json"));
    let (error, _) = error_of(ten).await;
    assert!(matches!(error, CrmError::Later { after: Some(after), .. } if after == Duration::from_secs(10)));
    let daily = recorded(include_str!("../fixtures/hubspot/error-429-daily.json"));
    let (error, _) = error_of(daily).await;
    assert!(matches!(error, CrmError::Later { after: Some(after), .. } if after >= Duration::from_secs(900)));
    let (error, _) = error_of(given(429, "{}").with("Retry-After", "7")).await;
    assert!(matches!(error, CrmError::Later { after: Some(after), .. } if after == Duration::from_secs(7)));
}

#[tokio::test]
async fn a_server_error_is_doubt_also_with_a_page_of_html() {
    for status in [500, 502, 521] {
        let (error, fake) = error_of(given(status, "<!DOCTYPE html><title>Web server is down</title>")).await;
        assert!(matches!(error, CrmError::Doubt { .. }), "{error}");
        assert_eq!(fake.seen().len(), 1, "sent once: whoever called decides whether again");
    }
}

#[tokio::test]
async fn no_answer_in_time_is_doubt() {
    let mut slow = given(200, "{}");
    slow.delay = Duration::from_secs(3);
    let (error, fake) = error_of(slow).await;
    assert!(matches!(&error, CrmError::Doubt { .. }), "{error}");
    assert_eq!(fake.seen().len(), 1);
}

#[tokio::test]
async fn a_success_that_cannot_be_read_is_doubt() {
    let (error, _) = error_of(given(200, "<html>welcome to the hotel network</html>")).await;
    assert!(matches!(error, CrmError::Doubt { .. }), "{error}");
}

#[tokio::test]
async fn a_redirect_is_not_followed_since_it_would_carry_the_token_away() {
    let (error, fake) = error_of(given(307, "").with("Location", "/elsewhere")).await;
    assert!(matches!(error, CrmError::Never { .. }), "{error}");
    assert_eq!(fake.seen().len(), 1);
}

#[tokio::test]
async fn refused_credentials_ask_for_signing_in_and_no_message_tells_the_token() {
    let (error, fake) = error_of(given(401, r#"{"message": "expired", "category": "EXPIRED_AUTHENTICATION"}"#)).await;
    assert!(matches!(error, CrmError::SignIn { .. }), "{error}");
    assert!(!error.to_string().contains("pat-test") && !error.to_string().contains(&fake.url));
}

#[tokio::test]
async fn nobody_listening_means_that_nothing_was_done() {
    let crm = crate::fake::hubspot(crate::fake::connection("http://127.0.0.1:9"));
    let error = crm.read(Object::Lead, &[RecordId::new("1")]).await.unwrap_err();
    assert!(matches!(error, CrmError::Later { .. }), "{error}");
}

#[tokio::test]
async fn an_endless_answer_is_cut_off() {
    let (error, _) = error_of(given(200, " ".repeat(17 * 1024 * 1024))).await;
    assert!(matches!(&error, CrmError::Doubt { message } if message.contains("too long")), "{error}");
}
