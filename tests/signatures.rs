//! Every recorded signature vector, through the scheme's own function and, where a connector uses
//! the scheme, through the connector.

use leadpact::agreement::model::Dictionary;
use leadpact::crm::connection::{
    Backfill, Connection, Generic as GenericSettings, GenericVerify, HubSpot as HubSpotSettings, HubSpotAuth, Platform,
    SignatureEncoding, TouchBy, Touches,
};
use leadpact::crm::generic::Generic;
use leadpact::crm::http::Http;
use leadpact::crm::hubspot::HubSpot;
use leadpact::crm::signature::*;
use leadpact::crm::{Crm, RawDelivery, Refusal};
use leadpact::record::{ConnectionName, Timestamp};
use std::sync::Arc;

struct Vector(serde_json::Value);

impl Vector {
    fn all() -> Vec<Vector> {
        let file: serde_json::Value = serde_json::from_str(include_str!("fixtures/signatures.json")).unwrap();
        file["cases"].as_array().unwrap().iter().cloned().map(Vector).collect()
    }

    fn text(&self, key: &str) -> &str {
        self.0[key].as_str().unwrap_or_default()
    }

    fn header(&self, name: &str) -> &str {
        self.0["headers"][name].as_str().unwrap_or_default()
    }

    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0["now_ms"].as_i64().unwrap())
    }

    fn raw(&self) -> RawDelivery {
        let headers = self.0["headers"].as_object().unwrap();
        RawDelivery {
            method: self.text("method").to_owned(),
            url: self.text("url").to_owned(),
            path_secret: None,
            headers: headers.iter().map(|(n, v)| (n.to_lowercase(), v.as_str().unwrap().to_owned())).collect(),
            body: self.text("body").as_bytes().to_vec(),
        }
    }

    fn verify(&self) -> Result<(), Refusal> {
        let (secret, body) = (self.text("secret").as_bytes(), self.text("body").as_bytes());
        let (method, url) = (self.text("method"), self.text("url"));
        match self.text("scheme") {
            "hubspot-v1" => verify_hubspot_v1(secret, body, self.header("X-HubSpot-Signature")),
            // The header's version decides which recipe applies.
            "hubspot-v2" if self.header("X-HubSpot-Signature-Version") == "v1" => {
                verify_hubspot_v1(secret, body, self.header("X-HubSpot-Signature"))
            }
            "hubspot-v2" => verify_hubspot_v2(secret, method, url, body, self.header("X-HubSpot-Signature")),
            "hubspot-v3" => {
                let (time, signature) =
                    (self.header("X-HubSpot-Request-Timestamp"), self.header("X-HubSpot-Signature-v3"));
                verify_hubspot_v3(secret, method, url, body, time, signature, self.now())
            }
            "slack-v0" => {
                let (time, signature) = (self.header("X-Slack-Request-Timestamp"), self.header("X-Slack-Signature"));
                verify_slack_v0(secret, time, body, signature, self.now())
            }
            "standard-webhooks-v1" => verify_standard_webhooks(
                self.text("secret"),
                self.header("webhook-id"),
                self.header("webhook-timestamp"),
                body,
                self.header("webhook-signature"),
                self.now(),
            ),
            other => panic!("unknown scheme {other}"),
        }
    }
}

fn connection(platform: Platform) -> Connection {
    Connection {
        name: ConnectionName::new("test"),
        agreement: None,
        mode: None,
        base_url: "http://127.0.0.1:1".to_owned(),
        api_version: "2026-03".to_owned(),
        backfill: Backfill::FromCrm,
        api_share: 0.5,
        fields: Default::default(),
        values: Default::default(),
        parties: Default::default(),
        touches: Touches { types: Vec::new(), by: TouchBy::Anyone, automation_users: Vec::new() },
        platform,
    }
}

fn hubspot(secrets: &[&str]) -> HubSpot {
    let platform = Platform::HubSpot(HubSpotSettings {
        portal_id: None,
        auth: HubSpotAuth::AccessToken("token".into()),
        webhook_secret: secrets.iter().map(|s| (*s).into()).collect(),
        lead_object: "contacts".to_owned(),
    });
    let http = Http::new(Arc::new(|| Timestamp::from_millis(0))).unwrap();
    HubSpot::new(connection(platform), &Dictionary::default(), http)
}

fn generic(verify: GenericVerify) -> Generic {
    let http = Http::new(Arc::new(|| Timestamp::from_millis(0))).unwrap();
    Generic::new(connection(Platform::Generic(GenericSettings::listening(verify))), &Dictionary::default(), http)
}

#[test]
fn every_vector_gets_the_verdict_that_a_correct_verifier_gives() {
    let vectors = Vector::all();
    assert_eq!(vectors.len(), 23);
    for vector in vectors {
        let verdict = vector.verify();
        assert_eq!(verdict.is_ok(), vector.0["valid"].as_bool().unwrap(), "{}: {verdict:?}", vector.text("id"));
        let reason = verdict.err().map(|r| r.0);
        let expected = match vector.text("reject") {
            "stale_timestamp" => Some("the signature is too old"),
            "future_timestamp" => Some("the signature is from the future"),
            "signature_mismatch" => Some("the signature does not match"),
            _ => None,
        };
        assert_eq!(reason, expected, "{}", vector.text("id"));
    }
}

#[test]
fn hubspot_is_believed_by_v3_alone_whatever_v1_and_v2_say() {
    for vector in Vector::all().iter().filter(|v| v.text("scheme").starts_with("hubspot")) {
        let verdict = hubspot(&[vector.text("secret")]).verify(vector.raw(), vector.now());
        let wanted = vector.text("scheme") == "hubspot-v3" && vector.0["valid"].as_bool().unwrap();
        assert_eq!(verdict.is_ok(), wanted, "{}: {verdict:?}", vector.text("id"));
        if let Ok(delivery) = verdict {
            assert_eq!(delivery.body(), vector.text("body").as_bytes());
            assert_eq!(delivery.id(), None, "HubSpot names no delivery");
        }
    }
}

fn v3() -> Vector {
    Vector::all().into_iter().find(|v| v.text("id") == "hs-v3-unicode-batch-query").unwrap()
}

#[test]
fn either_secret_of_a_rotation_is_enough_and_none_or_an_empty_one_is_not() {
    let vector = v3();
    let secret = vector.text("secret");
    assert!(hubspot(&["old", secret]).verify(vector.raw(), vector.now()).is_ok());
    assert!(hubspot(&[secret, "new"]).verify(vector.raw(), vector.now()).is_ok());
    assert!(hubspot(&[]).verify(vector.raw(), vector.now()).is_err());
    assert!(hubspot(&[""]).verify(vector.raw(), vector.now()).is_err());
}

#[test]
fn a_signature_that_is_absent_empty_or_short_is_refused() {
    let vector = v3();
    let crm = hubspot(&[vector.text("secret")]);
    for name in ["x-hubspot-signature-v3", "x-hubspot-request-timestamp"] {
        for keep in [0, 1, 8] {
            let mut raw = vector.raw();
            for (n, value) in &mut raw.headers {
                if n == name {
                    value.truncate(keep);
                }
            }
            assert!(crm.verify(raw, vector.now()).is_err(), "{name} cut to {keep}");
        }
        let mut raw = vector.raw();
        raw.headers.retain(|(n, _)| n != name);
        assert!(crm.verify(raw, vector.now()).is_err(), "{name} absent");
    }
}

#[test]
fn every_flipped_bit_of_the_body_is_noticed() {
    let vector = v3();
    let crm = hubspot(&[vector.text("secret")]);
    for bit in 0..vector.raw().body.len() * 8 {
        let mut raw = vector.raw();
        raw.body[bit / 8] ^= 1 << (bit % 8);
        assert!(crm.verify(raw, vector.now()).is_err(), "bit {bit}");
    }
}

#[test]
fn a_forged_host_header_changes_nothing() {
    let vector = v3();
    let mut raw = vector.raw();
    raw.headers.push(("host".to_owned(), "evil.example".to_owned()));
    raw.headers.push(("x-forwarded-host".to_owned(), "evil.example".to_owned()));
    assert!(hubspot(&[vector.text("secret")]).verify(raw, vector.now()).is_ok());
}

#[test]
fn a_generic_sender_is_believed_by_standard_webhooks_and_its_id_is_the_deliverys() {
    for vector in Vector::all().iter().filter(|v| v.text("scheme").starts_with("standard")) {
        let crm = generic(GenericVerify::StandardWebhooks { secret: vec![vector.text("secret").into()] });
        let verdict = crm.verify(vector.raw(), vector.now());
        assert_eq!(verdict.is_ok(), vector.0["valid"].as_bool().unwrap(), "{}", vector.text("id"));
        if let Ok(delivery) = verdict {
            assert_eq!(delivery.id(), Some(vector.header("webhook-id")));
        }
    }
}

#[test]
fn a_generic_sender_may_sign_with_a_plain_hmac_in_its_own_header() {
    // HMAC-SHA-256 of "The quick brown fox jumps over the lazy dog" with "key": a well-known pair.
    let hex = "f7bc83f430538424b13298e6aa6fb143ef4d59a14946175997479dbc2d1a3cd8";
    let base64 = "97yD9DBThCSxMpjmqm+xQ+9NWaFJRhdZl0edvC0aPNg=";
    let check = |encoding, value: String| {
        let scheme = GenericVerify::HmacSha256 {
            header: "X-Signature".to_owned(),
            encoding,
            prefix: "sha256=".to_owned(),
            secret: vec!["other".into(), "key".into()],
        };
        let raw = RawDelivery {
            method: "POST".to_owned(),
            url: String::new(),
            path_secret: None,
            headers: vec![("x-signature".to_owned(), value)],
            body: b"The quick brown fox jumps over the lazy dog".to_vec(),
        };
        generic(scheme).verify(raw, Timestamp::from_millis(0)).is_ok()
    };
    assert!(check(SignatureEncoding::Hex, format!("sha256={hex}")));
    assert!(check(SignatureEncoding::Base64, format!("sha256={base64}")));
    assert!(!check(SignatureEncoding::Hex, hex.to_owned()), "without its prefix");
    assert!(!check(SignatureEncoding::Hex, format!("sha256={base64}")), "in the other encoding");
    assert!(!check(SignatureEncoding::Hex, format!("sha256={}", &hex[..62])), "cut short");
    assert!(!check(SignatureEncoding::Hex, "sha256=".to_owned()), "empty");
}
