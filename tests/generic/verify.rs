//! Who is believed to be the CRM, and what of it: signatures, credentials and shared tokens.

use crate::fake::{self, PLAIN, crm, described};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use leadpact::crm::generic::Generic;
use leadpact::crm::{Crm, RawDelivery, Refusal, Says};
use leadpact::record::Timestamp;

fn with(verify: &str) -> Generic {
    crm(described(PLAIN, &format!("base_url = \"http://127.0.0.1:9\"\naccess_token = \"t\"\nverify = {verify}\n")))
}

fn presented(crm: &Generic, headers: &[(&str, String)]) -> Result<Says, Refusal> {
    let body = r#"{"events": {"kind": "person", "did": "set", "at": "2026-01-05T09:00:00Z", "who": 7, "record": {"id": 1, "state": "x"}}}"#;
    let raw = RawDelivery {
        method: "POST".into(),
        url: "https://h/webhooks/acme".into(),
        path_secret: None,
        headers: headers.iter().map(|(n, v)| ((*n).to_owned(), v.clone())).collect(),
        body: body.into(),
    };
    let verified = crm.verify(raw, Timestamp::from_millis(0))?;
    Ok(crm.events(&verified).unwrap().events[0].says.clone())
}

#[test]
fn basic_credentials_are_compared_whole_and_say_only_what_to_read() {
    let crm = with(r#"{ scheme = "basic", secret = ["u:old", "u:p:w"] }"#);
    let basic = |login: &str| vec![("authorization", format!("Basic {}", STANDARD.encode(login)))];
    for login in ["u:old", "u:p:w"] {
        assert_eq!(presented(&crm, &basic(login)), Ok(Says::ReadIt));
    }
    let lower = vec![("authorization", format!("basic {}", STANDARD.encode("u:old")))];
    assert_eq!(presented(&crm, &lower), Ok(Says::ReadIt));
    for login in ["u:p", "u:ol", "u:old ", "", ":", "u"] {
        assert_eq!(presented(&crm, &basic(login)), Err(Refusal("wrong credentials")), "{login}");
    }
    let bearer = vec![("authorization", format!("Bearer {}", STANDARD.encode("u:old")))];
    assert_eq!(presented(&crm, &bearer), Err(Refusal("wrong credentials")));
    assert_eq!(presented(&crm, &[("authorization", "Basic ???".to_owned())]), Err(Refusal("wrong credentials")));
    assert_eq!(presented(&crm, &[]), Err(Refusal("no credentials")));
}

#[test]
fn a_shared_token_says_only_what_to_read_too() {
    let crm = with(r#"{ scheme = "token", header = "X-Token", prefix = "Token ", secret = ["abc"] }"#);
    assert_eq!(presented(&crm, &[("x-token", "Token abc".to_owned())]), Ok(Says::ReadIt));
    for (text, why) in
        [("Token abd", "wrong credentials"), ("Token ", "wrong credentials"), ("abc", "the signature lacks its prefix")]
    {
        assert_eq!(presented(&crm, &[("x-token", text.to_owned())]), Err(Refusal(why)), "{text}");
    }
    assert_eq!(presented(&crm, &[]), Err(Refusal("no token")));
}

#[test]
fn without_a_description_only_what_is_signed_is_taken() {
    for verify in
        [r#"{ scheme = "basic", secret = ["u:p"] }"#, r#"{ scheme = "token", header = "X-Token", secret = ["abc"] }"#]
    {
        let text = format!("[[connection]]\nname = \"acme\"\ncrm = \"generic\"\nverify = {verify}\n");
        let environment = leadpact::settings::Environment::from_iter([("NONE", "")]);
        let report = leadpact::settings::from_text("leadpact.toml", &text, &environment).unwrap_err();
        assert!(report.render(false).contains("what is not signed may only say which record to read"));
    }
}

#[test]
fn each_event_of_a_signed_message_says_what_its_action_means() {
    let crm = fake::plain("http://127.0.0.1:9");
    let event = |did: &str, more: &str| {
        format!(
            r#"{{"kind": "person", "did": "{did}", "at": "2026-01-05T09:00:00Z", "record": {{"id": 1, "state": "x"}}{more}}}"#
        )
    };
    let events = [
        event("set", ""),
        event("cut", ""),
        event("back", ""),
        event("joined", r#", "other": 2"#),
        event("joined", ""),
        event("sneezed", ""),
    ];
    let body = format!(r#"{{"events": [{}]}}"#, events.join(","));
    let mac = {
        use hmac::{Hmac, KeyInit, Mac};
        let mac = Hmac::<sha2::Sha256>::new_from_slice(b"s").unwrap().chain_update(&body);
        format!("sha256={}", hex::encode(mac.finalize().into_bytes()))
    };
    let raw = RawDelivery {
        method: "POST".into(),
        url: String::new(),
        path_secret: None,
        headers: vec![("x-sig".into(), mac)],
        body: body.into(),
    };
    let read = crm.events(&crm.verify(raw, Timestamp::from_millis(0)).unwrap()).unwrap();
    let said: Vec<&str> = read.events.iter().map(|e| e.says.as_str()).collect();
    assert_eq!(said, ["changed", "deleted", "restored", "merged", "read_it"]);
    assert_eq!(read.dropped, ["event type not handled"]);
}
