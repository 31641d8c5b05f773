//! Which status a delivery gets, in the order that is promised, and that nothing of a refused one
//! is stored.

use crate::house::{HUBSPOT, House, SALESFORCE, event, from_generic, from_hubspot, from_salesforce};

const LEAD: &str = include_str!("../fixtures/salesforce/outbound-lead-1.xml");
const MOST: usize = 1024 * 1024;

#[tokio::test]
async fn each_sender_gets_its_own_acknowledgement_once_its_delivery_is_stored() {
    let house = House::start().await;
    let body = event(7001);
    assert_eq!(house.send(&from_hubspot(HUBSPOT, &body)).await, (204, String::new()));
    assert_eq!(house.inbox("acme-hubspot").await[0].body, body, "byte for byte");

    let (status, ack) = house.send(&from_salesforce(SALESFORCE, LEAD)).await;
    let bare = |xml: &str| xml.lines().map(str::trim).filter(|l| !l.starts_with("<?")).collect::<String>();
    assert_eq!((status, ack), (200, bare(include_str!("../fixtures/salesforce/outbound-ack.xml"))));
    assert_eq!(house.inbox("acme-salesforce").await[0].body, LEAD);

    let lead = r#"{"type":"lead.changed","timestamp":"2027-01-05T09:00:00Z","data":{"id":"1","fields":{"score":1}}}"#;
    assert_eq!(house.send(&from_generic("msg_1", lead)).await, (204, String::new()));
    assert_eq!(house.inbox("acme-other").await[0].delivery_id.as_deref(), Some("msg_1"));
}

/// Every later fault is present too: only the first one counts.
#[tokio::test]
async fn faults_are_told_in_the_promised_order() {
    let house = House::start().await;
    let huge = format!("[{}]", " ".repeat(MOST));
    let check = async |path: &str, body: &str, encoded: bool, expect: u16| {
        let unsigned = from_hubspot(path, body).with("X-HubSpot-Signature-v3", "AAAA");
        let delivery = if encoded { unsigned.with("Content-Encoding", "gzip") } else { unsigned };
        let (status, text) = house.send(&delivery).await;
        assert_eq!(status, expect, "{text}");
        let error: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert!(error["error"].is_string(), "{text}");
    };
    check("/webhooks/nobody", "no json", true, 404).await;
    check("/webhooks/nobody/secret", "no json", true, 404).await;
    check(HUBSPOT, "no json", true, 415).await;
    check(HUBSPOT, "no json", false, 401).await;
    let oversize = from_hubspot(HUBSPOT, &huge).with("Content-Encoding", "gzip").as_bytes("x");
    assert!(house.raw(&oversize[..2000]).await.starts_with("HTTP/1.1 413 "));
    assert!(house.inbox("acme-hubspot").await.is_empty());
}

#[tokio::test]
async fn what_cannot_be_read_is_refused_with_a_reason() {
    let house = House::start().await;
    let (status, text) = house.send(&from_hubspot(HUBSPOT, "{\"a\":")).await;
    assert_eq!(status, 400);
    assert!(text.contains("not a JSON list of events: line 1"), "{text}");
    let (status, _) = house.send(&from_hubspot(HUBSPOT, &format!("[{}", "[".repeat(100_000)))).await;
    assert_eq!(status, 400, "as deep as the body is long");
    let (status, _) = house.send(&from_salesforce(SALESFORCE, "<soapenv:Envelope>")).await;
    assert_eq!(status, 400);
    assert!(house.inbox("acme-hubspot").await.is_empty());
    assert!(house.inbox("acme-salesforce").await.is_empty());
}

#[tokio::test]
async fn a_body_of_exactly_the_limit_is_read_and_one_byte_more_is_not() {
    let house = House::start().await;
    let padded = |size: usize| format!("[]{}", " ".repeat(size - 2));
    assert_eq!(house.send(&from_hubspot(HUBSPOT, &padded(MOST))).await.0, 204);

    let announced = from_hubspot(HUBSPOT, &padded(MOST + 1)).as_bytes("x");
    let head = announced.windows(4).position(|w| w == b"\r\n\r\n").unwrap() + 4;
    assert!(house.raw(&announced[..head]).await.starts_with("HTTP/1.1 413 "), "without waiting for the body");

    let mut chunked = format!("POST {HUBSPOT} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n").into_bytes();
    for _ in 0..=MOST / 65_536 {
        chunked.extend(format!("{:x}\r\n{}\r\n", 65_536, " ".repeat(65_536)).bytes());
    }
    let answer = house.raw(&chunked).await;
    assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
    assert_eq!(house.inbox("acme-hubspot").await.len(), 1);
}

#[tokio::test]
async fn encoded_bodies_are_refused_and_identity_is_no_encoding() {
    let house = House::start().await;
    let delivery = from_hubspot(HUBSPOT, "[]");
    for encoding in ["gzip", "br", "deflate", "identity, gzip", ""] {
        let (status, _) = house.send(&delivery.clone().with("Content-Encoding", encoding)).await;
        assert_eq!(status, 415, "{encoding}");
    }
    assert_eq!(house.send(&delivery.with("Content-Encoding", "Identity")).await.0, 204);
}

#[tokio::test]
async fn deliveries_come_by_post_alone() {
    let house = House::start().await;
    for path in [HUBSPOT, SALESFORCE] {
        let response = house.client.get(format!("http://{}{path}", house.public)).send().await.unwrap();
        assert_eq!(response.status(), 405);
        assert_eq!(response.headers()["allow"], "POST");
    }
}

#[tokio::test]
async fn every_answer_and_every_dropped_event_is_counted() {
    let house = House::start().await;
    house.send(&from_hubspot(HUBSPOT, &event(1).replace("45540012", "7"))).await;
    house.send(&from_hubspot(HUBSPOT, "no json")).await;
    house.send(&from_hubspot("/webhooks/nobody", "[]")).await;
    let response = house.get("/metrics").await;
    assert!(response.headers()["content-type"].to_str().unwrap().starts_with("application/openmetrics-text"));
    let text = response.text().await.unwrap();
    for line in [
        r#"leadpact_webhook_requests_total{connection="acme-hubspot",result="stored"} 1"#,
        r#"leadpact_webhook_requests_total{connection="acme-hubspot",result="malformed"} 1"#,
        r#"leadpact_webhook_requests_total{connection="",result="unknown_connection"} 1"#,
        r#"leadpact_webhook_events_dropped_total{connection="acme-hubspot",reason="other portal"} 1"#,
    ] {
        assert!(text.contains(line), "{line}\n{text}");
    }
}
