//! Deliveries, from bytes to events, by the fixtures and by attacks. Calls are tried against a server
//! in `tests/salesforce.rs`.

use super::*;
use crate::crm::connection::{Backfill, ClientCertificate, SalesforceAuth, TouchBy, Touches};
use crate::crm::{Event, Says};
use crate::record::{Actor, ConnectionName, FieldType};
use secrecy::SecretString;
use std::collections::BTreeMap;
use std::sync::mpsc;
use std::time::Duration;

macro_rules! fixture {
    ($name:literal) => {
        include_str!(concat!("../../../tests/fixtures/salesforce/", $name))
    };
}

const LEAD_1: &str = fixture!("outbound-lead-1.xml");

pub(super) fn connection() -> Connection {
    Connection {
        name: ConnectionName::new("acme"),
        agreement: None,
        mode: None,
        base_url: "https://acme.my.salesforce.com".to_owned(),
        api_version: "67.0".to_owned(),
        backfill: Backfill::default(),
        api_share: 0.5,
        fields: BTreeMap::new(),
        values: BTreeMap::new(),
        parties: BTreeMap::new(),
        touches: Touches {
            types: ["call", "email", "meeting", "task"].map(str::to_owned).to_vec(),
            by: TouchBy::Party,
            automation_users: Vec::new(),
        },
        platform: Platform::Salesforce(settings()),
    }
}

pub(super) fn dictionary() -> Dictionary {
    Dictionary {
        lead: BTreeMap::from([("created", FieldType::Time), ("converted", FieldType::Bool)]),
        opportunity: BTreeMap::from([("amount", FieldType::Number), ("close_date", FieldType::Date)]),
    }
}

fn settings() -> Settings {
    Settings {
        organization_id: "00D5g000004XyZaEAK".to_owned(),
        auth: SalesforceAuth::AccessToken(SecretString::from("token")),
        login_url: None,
        path_secret: None,
        client_certificate: None,
    }
}

fn raw(body: &str) -> RawDelivery {
    RawDelivery {
        method: "POST".to_owned(),
        url: "https://leadpact.acme.example/webhooks/acme".to_owned(),
        path_secret: None,
        headers: Vec::new(),
        body: body.as_bytes().to_vec(),
    }
}

fn events_of(body: &str) -> Result<Events, Malformed> {
    let delivery = verify::verify(&settings(), raw(body)).expect("not refused");
    events::events(&delivery)
}

fn read_it(object: Object, id: &str, at: &str) -> Event {
    let at = Timestamp::parse(at).unwrap();
    Event { object, id: RecordId::new(id), at, by: Actor::Unknown, says: Says::ReadIt }
}

#[test]
fn a_message_says_which_record_to_read_and_nothing_of_its_values() {
    let events = events_of(LEAD_1).unwrap();
    assert_eq!(events.events, [read_it(Object::Lead, "00Q5g00000LeAd1EAF", "2026-01-05T09:00:00Z")]);
    assert!(events.dropped.is_empty());
}

#[test]
fn other_prefixes_and_a_retry_read_the_same() {
    assert_eq!(events_of(fixture!("outbound-prefix-variant.xml")), events_of(LEAD_1));
    let retry = events_of(fixture!("outbound-lead-1-retry.xml")).unwrap();
    assert_eq!(retry.events, [read_it(Object::Lead, "00Q5g00000LeAd1EAF", "2026-01-05T09:04:00Z")]);
}

#[test]
fn two_notifications_about_one_record_are_one_event_at_the_later_time() {
    let events = events_of(fixture!("outbound-lead-3.xml")).unwrap();
    let expected = [
        read_it(Object::Lead, "00Q5g00000LeAd2EAF", "2026-01-05T09:00:31Z"),
        read_it(Object::Lead, "00Q5g00000LeAd3EAF", "2026-01-05T09:00:02Z"),
    ];
    assert_eq!(events.events, expected);
}

#[test]
fn opportunities_are_read_too() {
    let one = events_of(fixture!("outbound-opportunity-1.xml")).unwrap();
    assert_eq!(one.events, [read_it(Object::Opportunity, "0065g00000OpP01AAF", "2026-01-05T09:10:00Z")]);
    assert_eq!(events_of(fixture!("outbound-opportunity-3.xml")).unwrap().events.len(), 3);
}

#[test]
fn a_deleted_record_is_read_so_that_we_find_it_gone() {
    let events = events_of(fixture!("outbound-deleted-record.xml")).unwrap();
    assert_eq!(events.events.len(), 1);
    assert_eq!(events.events[0].at, Timestamp::MIN);
}

#[test]
fn a_notification_without_data_and_another_object_are_dropped() {
    let bare = LEAD_1.replace("xsi:type=\"sf:Lead\"", "");
    assert_eq!(events_of(&bare).unwrap().dropped, ["a notification without data"]);
    let contact = LEAD_1.replace("sf:Lead\"", "sf:Contact\"");
    assert_eq!(events_of(&contact).unwrap().dropped, ["another object"]);
    let foreign_id = LEAD_1.replace("00Q5g00000LeAd1EAF", "0035g00000LeAd1");
    assert_eq!(events_of(&foreign_id).unwrap().dropped, ["the id belongs to another object"]);
}

#[test]
fn a_type_of_another_namespace_is_no_lead() {
    let foreign = LEAD_1.replace("xsi:type=\"sf:Lead\"", "xsi:type=\"x:Lead\" xmlns:x=\"urn:other\"");
    assert!(events_of(&foreign).unwrap().events.is_empty());
}

#[test]
fn another_organization_is_refused() {
    let refused = verify::verify(&settings(), raw(fixture!("outbound-wrong-org.xml")));
    assert_eq!(refused, Err(Refusal("another organization")));
    let nobody = LEAD_1.replace("00D5g000004XyZaEAK</Org", "</Org");
    assert_eq!(verify::verify(&settings(), raw(&nobody)), Err(Refusal("no organization id")));
}

#[test]
fn the_fifteen_characters_of_our_organization_pass() {
    assert_eq!(events_of(&LEAD_1.replace("00D5g000004XyZaEAK</Org", "00D5g000004XyZa</Org")).unwrap().events.len(), 1);
    let lower = LEAD_1.replace("00D5g000004XyZaEAK</Org", "00D5g000004xyza</Org");
    assert_eq!(verify::verify(&settings(), raw(&lower)), Err(Refusal("another organization")));
}

#[test]
fn the_path_secret_must_be_the_configured_one() {
    let try_with = |configured: Option<&str>, given: Option<&str>| {
        let settings = Settings { path_secret: configured.map(SecretString::from), ..settings() };
        let raw = RawDelivery { path_secret: given.map(str::to_owned), ..raw(LEAD_1) };
        verify::verify(&settings, raw).is_ok()
    };
    assert!(try_with(Some("long-random"), Some("long-random")));
    assert!(try_with(None, None));
    for (configured, given) in [
        (Some("long-random"), None),
        (Some("long-random"), Some("")),
        (Some("long-random"), Some("long-randon")),
        (Some("long-random"), Some("long-random2")),
        (Some(""), Some("")),
        (None, Some("anything")),
    ] {
        assert!(!try_with(configured, given), "{configured:?} {given:?}");
    }
}

#[test]
fn the_client_certificate_must_be_a_known_one() {
    let fingerprint = "AB:CD:0F";
    let certificate =
        ClientCertificate { header: "x-client-cert-sha256".to_owned(), sha256: vec!["abcd0f".to_owned()] };
    let settings = Settings { client_certificate: Some(certificate), ..settings() };
    let try_with = |values: &[&str]| {
        let headers = values.iter().map(|v| ("x-client-cert-sha256".to_owned(), (*v).to_owned())).collect();
        verify::verify(&settings, RawDelivery { headers, ..raw(LEAD_1) }).is_ok()
    };
    assert!(try_with(&[fingerprint]));
    for refused in [&[][..], &[""], &["abcd10"], &[fingerprint, fingerprint]] {
        assert!(!try_with(refused), "{refused:?}");
    }
}

#[test]
fn a_wrong_secret_is_refused_before_a_broken_body_is() {
    let settings = Settings { path_secret: Some(SecretString::from("s")), ..settings() };
    assert!(verify::verify(&settings, raw("<")).is_err());
    let right = RawDelivery { path_secret: Some("s".to_owned()), ..raw("<") };
    assert!(events::events(&verify::verify(&settings, right).unwrap()).is_err());
}

#[test]
fn a_document_type_is_malformed() {
    let Malformed(reason) = events_of(fixture!("outbound-doctype.xml")).unwrap_err();
    assert_eq!(reason, "a document type is not accepted");
}

#[test]
fn what_is_no_message_is_malformed() {
    let unknown_entity = LEAD_1.replace("&amp;", "&nbsp;");
    let bad_id = LEAD_1.replace("00Q5g00000LeAd1EAF", "00Q5g00000LeAd1AAA");
    let unclosed = LEAD_1.replace("</soapenv:Envelope>", "");
    let two = format!("{LEAD_1}{}", &LEAD_1[LEAD_1.find("<soapenv").unwrap()..]);
    let two_ids = LEAD_1.replace("</OrganizationId>", "</OrganizationId><OrganizationId>x</OrganizationId>");
    let instruction = LEAD_1.replace("<soapenv:Body>", "<soapenv:Body><?php x ?>");
    let crossed = LEAD_1.replace("</sf:Id>", "</sf:Company>");
    let wrong_namespace = LEAD_1.replace("xmlsoap.org/soap", "xmlsoap.org/soup");
    let none = LEAD_1.replace("Notification>", "Nothing>");
    let when = LEAD_1.replace("2026-01-05T09:00:00.000Z", "yesterday");
    for body in [
        "",
        "{}",
        "plain",
        "<a/>",
        &unknown_entity,
        &bad_id,
        &unclosed,
        &two,
        &two_ids,
        &instruction,
        &crossed,
        &wrong_namespace,
        &none,
        &when,
        &format!("{LEAD_1}tail"),
    ] {
        assert!(events_of(body).is_err(), "{body}");
    }
    let mut latin = raw(LEAD_1);
    latin.body.push(0xe5);
    assert!(events::events(&verify::verify(&settings(), latin).unwrap()).is_err());
}

#[test]
fn more_than_a_hundred_notifications_are_malformed() {
    let start = LEAD_1.find("<Notification>").unwrap();
    let end = LEAD_1.find("</Notification>").unwrap() + "</Notification>".len();
    let with = |n: usize| format!("{}{}{}", &LEAD_1[..start], LEAD_1[start..end].repeat(n), &LEAD_1[end..]);
    assert!(events_of(&with(100)).is_ok());
    assert!(events_of(&with(101)).is_err());
}

#[test]
fn bombs_of_a_mebibyte_are_refused_at_once() {
    const SIZE: usize = 1024 * 1024;
    let inside = |text: &str| LEAD_1.replace("<sf:Company>", &format!("{text}<sf:Company>"));
    let attributes = |n: usize| (0..n).map(|i| format!(" a{i}='x'")).collect::<String>();
    let bindings = |n: usize| (0..n).map(|i| format!(" xmlns:n{i}='urn:{i}'")).collect::<String>();
    let laughs: String = (1..10).map(|i| format!("<!ENTITY l{i} '{}'>", format!("&l{};", i - 1).repeat(10))).collect();
    let bombs = [
        "<a>".repeat(SIZE / 3),
        inside(&"<a>".repeat(SIZE / 3)),
        inside(&format!("{}{}", "<a>".repeat(32), "</a>".repeat(32))),
        inside(&format!("<a{}/>", attributes(80_000))),
        inside(&format!("<a{}/>", attributes(33))),
        inside(&format!("<a{}/>", bindings(40_000))),
        inside(&format!("{}{}", format!("<a{}>", bindings(30)).repeat(3), "</a>".repeat(3))),
        inside(&format!("<a {}/>", "a='x' ".repeat(30))),
        inside(&format!("<a {}='x'/>", "a".repeat(SIZE))),
        format!("<!DOCTYPE x [{laughs}]>{LEAD_1}"),
        format!("<!DOCTYPE {}", "[".repeat(SIZE)),
        inside(&"&x;".repeat(SIZE / 3)),
        "<!--".repeat(SIZE / 4),
        "<![CDATA[".repeat(SIZE / 9),
        " ".repeat(SIZE),
    ];
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        for (n, bomb) in bombs.iter().enumerate() {
            // A long name is no bomb by itself: it may pass, if quickly.
            assert!(events_of(bomb).is_err() || n == 8, "bomb {n}");
        }
        sender.send(()).unwrap();
    });
    // Half a second unoptimised; a quadratic parser would take minutes.
    receiver.recv_timeout(Duration::from_secs(10)).expect("all are refused in time");
}

#[test]
fn the_answer_is_the_envelope_that_salesforce_takes_for_a_success() {
    let answer = events::acknowledgement();
    assert_eq!((answer.status, answer.content_type), (200, Some("text/xml; charset=utf-8")));
    let bare = |text: &str| text.lines().skip_while(|l| l.starts_with("<?")).map(str::trim).collect::<String>();
    assert_eq!(answer.body, bare(fixture!("outbound-ack.xml")));
}

#[test]
fn a_record_has_an_address_for_people() {
    let salesforce = salesforce();
    let url = salesforce.record_url(Object::Lead, &RecordId::new("00Q5g00000LeAd1EAF"));
    assert_eq!(url.as_deref(), Some("https://acme.my.salesforce.com/lightning/r/Lead/00Q5g00000LeAd1EAF/view"));
}

fn salesforce() -> Salesforce {
    let http = Http::new(std::sync::Arc::new(Timestamp::default)).unwrap();
    Salesforce::new(&connection(), &dictionary(), http).unwrap()
}
