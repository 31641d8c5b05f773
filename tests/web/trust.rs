//! Who is believed: signatures, their age, the address they are over, secrets in paths.

use crate::house::{
    HUBSPOT, House, PUBLIC, SALESFORCE, SECRETS, event, from_generic, from_hubspot, from_hubspot_at, from_salesforce,
    signed_for,
};
use leadpact::engine::clock::real_now;
use leadpact::record::Elapsed;

const LEAD: &str = include_str!("../fixtures/salesforce/outbound-lead-1.xml");

#[tokio::test]
async fn what_is_not_signed_by_a_known_secret_is_refused() {
    let house = House::start().await;
    let good = from_hubspot(HUBSPOT, &event(1));
    let altered = {
        let mut it = good.clone();
        it.body[30] ^= 1;
        it
    };
    let refused = [
        good.clone().without("X-HubSpot-Signature-v3"),
        good.clone().with("X-HubSpot-Signature-v3", ""),
        good.clone().without("X-HubSpot-Request-Timestamp"),
        good.clone().with("X-HubSpot-Request-Timestamp", "NaN"),
        from_hubspot_at(HUBSPOT, &event(1), real_now(), "another secret"),
        from_hubspot_at(HUBSPOT, &event(1), real_now(), ""),
        altered,
        // For another connection, and for a query that is not there.
        signed_for(&format!("{PUBLIC}/webhooks/acme-other"), HUBSPOT, &event(1), real_now(), SECRETS[0]),
        signed_for(&format!("{PUBLIC}{HUBSPOT}?a=1"), HUBSPOT, &event(1), real_now(), SECRETS[0]),
    ];
    for (i, delivery) in refused.iter().enumerate() {
        let (status, text) = house.send(delivery).await;
        assert_eq!(status, 401, "{i}: {text}");
        assert_eq!(text, r#"{"error":"not signed as agreed"}"#, "{i}");
    }
    assert!(house.inbox("acme-hubspot").await.is_empty());
}

#[tokio::test]
async fn both_secrets_count_while_they_are_rotated() {
    let house = House::start().await;
    for secret in SECRETS {
        assert_eq!(house.send(&from_hubspot_at(HUBSPOT, "[]", real_now(), secret)).await.0, 204);
    }
}

#[tokio::test]
async fn a_signature_counts_for_five_minutes_either_way() {
    let house = House::start().await;
    for (seconds, expect) in [(-301, 401), (-290, 204), (290, 204), (310, 401)] {
        let at = real_now() + Elapsed::from_secs(seconds);
        let (status, _) = house.send(&from_hubspot_at(HUBSPOT, "[]", at, SECRETS[0])).await;
        assert_eq!(status, expect, "{seconds} s");
    }
}

#[tokio::test]
async fn the_signed_address_is_the_configured_one_with_path_and_query_as_sent() {
    let house = House::start().await;
    for host in ["evil.example", "127.0.0.1", "leadpact.acme.example:443"] {
        let path = format!("{HUBSPOT}?region=emea&x=%20%41");
        let delivery = from_hubspot(&path, &event(1)).with("X-Forwarded-Host", host).with("X-Forwarded-Proto", "http");
        let answer = house.raw(&delivery.as_bytes(host)).await;
        assert!(answer.starts_with("HTTP/1.1 204 "), "{host}: {answer}");
        // Signed for the host that it claims to come to.
        let url = format!("https://{host}{path}");
        let forged = signed_for(&url, &path, &event(1), real_now(), SECRETS[0]);
        let answer = house.raw(&forged.as_bytes(host)).await;
        assert!(answer.starts_with("HTTP/1.1 401 "), "{host}: {answer}");
    }
}

#[tokio::test]
async fn a_salesforce_message_needs_its_path_secret_and_its_organisation() {
    let house = House::start().await;
    let wrong = include_str!("../fixtures/salesforce/outbound-wrong-org.xml");
    let check = async |path: &str, body: &str, expect: u16| {
        let (status, text) = house.send(&from_salesforce(path, body)).await;
        assert_eq!(status, expect, "{path}: {text}");
        assert!(!text.contains("s3cret") && !text.contains("guess"), "{text}");
    };
    check("/webhooks/acme-salesforce", LEAD, 401).await;
    check("/webhooks/acme-salesforce/guess", LEAD, 401).await;
    check(SALESFORCE, wrong, 401).await;
    assert!(house.inbox("acme-salesforce").await.is_empty());
    check(SALESFORCE, LEAD, 200).await;
}

#[tokio::test]
async fn a_repeated_delivery_is_acknowledged_and_stored_once() {
    let house = House::start().await;
    let lead = r#"{"type":"lead.created","timestamp":"2027-01-05T09:00:00Z","data":{"id":"1"}}"#;
    for _ in 0..3 {
        assert_eq!(house.send(&from_generic("msg_7", lead)).await.0, 204);
    }
    assert_eq!(house.inbox("acme-other").await.len(), 1);
    assert!(house.text("/metrics").await.contains(r#"connection="acme-other",result="repeated"} 2"#));
}
