//! Notifiers against a fake Slack and a fake mail server: what is sent over the wire, what each
//! answer means, and that nothing a lead is called can address anybody.

#[path = "support/smtp.rs"]
mod smtp;

use actix_web::{App, HttpRequest, HttpResponse, HttpServer, http::StatusCode, web};
use leadpact::notify::{
    Destination, EmailSettings, Item, Message, Notifiers, NotifyError, RecordItem, Seen, SlackSettings, Templates,
};
use leadpact::record::effect::Notice;
use secrecy::SecretString;
use serde_json::{Value, json};
use smtp::FakeSmtp;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

const TOKEN: &str = "xoxb-very-secret";

/// What one call to the fake Slack said.
#[derive(Clone)]
struct Call {
    path: String,
    query: String,
    authorization: String,
    content_type: String,
    body: Value,
}

/// Status, Retry-After if any, body.
type Answer = (u16, Option<String>, String);

/// Answers as scripted, then as a Slack that knows only `zoe@acme.example`.
#[derive(Clone, Default)]
struct FakeSlack {
    url: String,
    calls: Arc<Mutex<Vec<Call>>>,
    script: Arc<Mutex<VecDeque<Answer>>>,
}

impl FakeSlack {
    async fn start(script: Vec<Answer>) -> Self {
        let mut slack = FakeSlack { script: Arc::new(Mutex::new(script.into())), ..FakeSlack::default() };
        let shared = web::Data::new(slack.clone());
        let server = HttpServer::new(move || App::new().app_data(shared.clone()).default_service(web::to(answer)))
            .workers(1)
            .disable_signals()
            .bind(("127.0.0.1", 0))
            .unwrap();
        slack.url = format!("http://{}", server.addrs()[0]);
        tokio::spawn(server.run());
        slack
    }

    fn calls(&self) -> Vec<Call> {
        self.calls.lock().unwrap().clone()
    }

    fn bot(&self) -> SlackSettings {
        SlackSettings { token: Some(TOKEN.into()), webhook_url: None, base_url: format!("{}/api/", self.url) }
    }

    fn webhook(&self) -> SlackSettings {
        let url = format!("{}/services/T0/B0/webhook-secret", self.url);
        SlackSettings { token: None, webhook_url: Some(url.into()), base_url: SlackSettings::BASE_URL.to_owned() }
    }
}

async fn answer(request: HttpRequest, body: web::Bytes, slack: web::Data<FakeSlack>) -> HttpResponse {
    let header = |name: &str| request.headers().get(name).map_or("", |value| value.to_str().unwrap()).to_owned();
    slack.calls.lock().unwrap().push(Call {
        path: request.path().to_owned(),
        query: request.query_string().to_owned(),
        authorization: header("authorization"),
        content_type: header("content-type"),
        body: serde_json::from_slice(&body).unwrap_or_default(),
    });
    let scripted = slack.script.lock().unwrap().pop_front();
    let (status, after, body) = scripted.unwrap_or_else(|| usual(&request));
    let mut response = HttpResponse::build(StatusCode::from_u16(status).unwrap());
    after.into_iter().for_each(|after| {
        response.insert_header(("Retry-After", after));
    });
    response.body(body)
}

fn usual(request: &HttpRequest) -> Answer {
    let body = match request.path() {
        "/api/chat.postMessage" => json!({ "ok": true, "channel": "C0TEST001", "ts": "1767603600.000100" }),
        "/api/users.lookupByEmail" if request.query_string() == "email=zoe%40acme.example" => {
            json!({ "ok": true, "user": { "id": "U0ZOE", "deleted": false } })
        }
        "/api/users.lookupByEmail" => json!({ "ok": false, "error": "users_not_found" }),
        _ => return (200, None, "ok".to_owned()),
    };
    (200, None, body.to_string())
}

fn mail_settings(smtp: &FakeSmtp) -> EmailSettings {
    EmailSettings { smtp_url: smtp.url().into(), from: "leadpact <sla@acme.example>".to_owned() }
}

fn notifiers(slack: Option<&SlackSettings>, email: Option<&EmailSettings>) -> Notifiers {
    Notifiers::new(Templates::load(None).unwrap(), slack, email).unwrap()
}

fn item(name: &str) -> Item {
    Item {
        notice: Notice::Reminder,
        record: RecordItem {
            name: name.to_owned(),
            url: Some("https://crm.example/leads/8842".to_owned()),
            object: "lead".to_owned(),
            company: Some("Blåbær".to_owned()),
            stage: None,
        },
        clock: "Accept or reject".to_owned(),
        handoff: None,
        party: "teleprospecting".to_owned(),
        owner: Some("Ann Bee".to_owned()),
        deadline: Some("2027-01-05 09:00 EST".to_owned()),
        relative: Some("in 30 minutes".to_owned()),
        missing: Vec::new(),
        next: None,
        receiver: None,
        answers: leadpact::notify::Answers::default(),
    }
}

fn message(to: Destination, items: Vec<Item>) -> Message {
    Message { key: "acme/lead/8842/1/clock/1/due/notify/owner".to_owned(), to, items }
}

fn channel() -> Destination {
    Destination::SlackChannel("#teleprospecting".to_owned())
}

fn member(email: &str) -> Destination {
    Destination::SlackMember { email: email.to_owned() }
}

fn address(address: &str) -> Destination {
    Destination::Email { address: address.to_owned(), name: Some("Zoë".to_owned()) }
}

async fn send(notifiers: &Notifiers, to: Destination) -> Result<String, NotifyError> {
    notifiers.send(&message(to, vec![item("Zoë Ünal")])).await
}

/// The word for what to do next, and the wait.
fn next(sent: &Result<String, NotifyError>) -> (&'static str, Option<u64>) {
    match sent {
        Ok(_) => ("sent", None),
        Err(NotifyError::Later { after, .. }) => ("later", after.map(|after| after.as_secs())),
        Err(NotifyError::Nobody { .. }) => ("nobody", None),
        Err(NotifyError::Never { .. }) => ("never", None),
    }
}

#[tokio::test]
async fn a_bot_posts_to_a_channel_and_answers_channel_and_ts() {
    let slack = FakeSlack::start(Vec::new()).await;
    let sent = send(&notifiers(Some(&slack.bot()), None), channel()).await;
    assert_eq!(sent.unwrap(), "C0TEST001:1767603600.000100");
    let call = &slack.calls()[0];
    assert_eq!(call.path, "/api/chat.postMessage");
    assert_eq!(call.authorization, format!("Bearer {TOKEN}"));
    assert_eq!(call.content_type, "application/json; charset=utf-8");
    assert_eq!(call.body["channel"], "#teleprospecting");
    assert_eq!(call.body["blocks"][0]["text"]["text"], "Due in 30 minutes: Accept or reject");
    let text = call.body["text"].as_str().unwrap();
    assert!(text.starts_with("Due in 30 minutes: Zoë Ünal (Blåbær) — Accept or reject\n"), "{text}");
}

#[tokio::test]
async fn a_member_is_looked_up_once_and_written_to_directly() {
    let slack = FakeSlack::start(Vec::new()).await;
    let notifiers = notifiers(Some(&slack.bot()), None);
    send(&notifiers, member("zoe@acme.example")).await.unwrap();
    send(&notifiers, member("zoe@acme.example")).await.unwrap();
    let calls = slack.calls();
    let paths: Vec<&str> = calls.iter().map(|call| call.path.as_str()).collect();
    assert_eq!(paths, ["/api/users.lookupByEmail", "/api/chat.postMessage", "/api/chat.postMessage"]);
    assert_eq!(calls[0].query, "email=zoe%40acme.example");
    assert_eq!(calls[0].authorization, format!("Bearer {TOKEN}"));
    assert_eq!(calls[1].body["channel"], "U0ZOE");
}

#[tokio::test]
async fn every_recorded_answer_of_the_web_api_says_what_to_do_next() {
    let fixture: Value = serde_json::from_str(include_str!("fixtures/slack/chat-post-message-responses.json")).unwrap();
    let cases = fixture["cases"].as_array().unwrap();
    let expected = ["sent", "nobody", "nobody", "never", "never", "later", "sent"];
    assert_eq!(cases.len(), expected.len());
    let script = cases.iter().map(|case| scripted(case, case["body"].to_string())).collect();
    let slack = FakeSlack::start(script).await;
    let notifiers = notifiers(Some(&slack.bot()), None);
    for (case, expected) in cases.iter().zip(expected) {
        let sent = send(&notifiers, channel()).await;
        let after = (expected == "later").then_some(5);
        assert_eq!(next(&sent), (expected, after), "{case}: {sent:?}");
    }
}

#[tokio::test]
async fn every_recorded_answer_of_an_incoming_webhook_says_what_to_do_next() {
    let fixture: Value = serde_json::from_str(include_str!("fixtures/slack/webhook-responses.json")).unwrap();
    let cases = fixture["cases"].as_array().unwrap();
    let text = |case: &Value| case["body_text"].as_str().unwrap().to_owned();
    let slack = FakeSlack::start(cases.iter().map(|case| scripted(case, text(case))).collect()).await;
    let notifiers = notifiers(Some(&slack.webhook()), None);
    for case in cases {
        let sent = send(&notifiers, channel()).await;
        let expected = match text(case).as_str() {
            "ok" => ("sent", None),
            "channel_not_found" | "channel_is_archived" => ("nobody", None),
            "rate_limited" => ("later", Some(30)),
            "" => ("later", None),
            _ => ("never", None),
        };
        assert_eq!(next(&sent), expected, "{case}: {sent:?}");
        assert_eq!(expected.0 == "later", case["retry"].as_bool().unwrap());
    }
}

fn scripted(case: &Value, body: String) -> Answer {
    let after = case["headers"]["Retry-After"].as_str().map(str::to_owned);
    (case["status"].as_u64().unwrap() as u16, after, body)
}

#[tokio::test]
async fn answers_that_are_not_slacks_are_understood_too() {
    let check = async |status: u16, body: &str, expected: &str| {
        let slack = FakeSlack::start(vec![(status, None, body.to_owned())]).await;
        let sent = send(&notifiers(Some(&slack.bot()), None), channel()).await;
        assert_eq!(next(&sent).0, expected, "{status} {body}: {sent:?}");
        assert!(!format!("{sent:?}").contains("<html>"), "{sent:?}");
    };
    check(200, r#"{"ok":false,"error":"internal_error"}"#, "later").await;
    check(200, r#"{"ok":false,"error":"fatal_error"}"#, "later").await;
    check(200, r#"{"ok":false,"error":"is_archived"}"#, "nobody").await;
    check(200, r#"{"ok":false,"error":"a_new_code"}"#, "never").await;
    check(200, r#"{"ok":false,"error":"<html>"}"#, "never").await;
    check(503, "<html>", "later").await;
    check(200, "<html>", "never").await;
    check(302, "<html>", "never").await;
}

#[tokio::test]
async fn a_webhook_reaches_its_channel_and_no_person_and_no_other_ok() {
    let slack = FakeSlack::start(Vec::new()).await;
    let only = notifiers(Some(&slack.webhook()), None);
    send(&only, channel()).await.unwrap();
    let call = &slack.calls()[0];
    assert_eq!((call.path.as_str(), call.body.get("channel")), ("/services/T0/B0/webhook-secret", None));
    assert_eq!(next(&send(&only, member("zoe@acme.example")).await).0, "nobody");
    assert!(!only.reaches(&member("zoe@acme.example")) && only.reaches(&channel()));
    let slack = FakeSlack::start(vec![(200, None, "welcome".to_owned())]).await;
    assert_eq!(next(&send(&notifiers(Some(&slack.webhook()), None), channel()).await).0, "never");
}

#[tokio::test]
async fn a_person_without_slack_gets_a_mail() {
    let smtp = FakeSmtp::start(&[]);
    let mail = mail_settings(&smtp);
    let slack = FakeSlack::start(Vec::new()).await;
    send(&notifiers(None, Some(&mail)), member("a@acme.example")).await.unwrap();
    send(&notifiers(Some(&slack.webhook()), Some(&mail)), member("b@acme.example")).await.unwrap();
    send(&notifiers(Some(&slack.bot()), Some(&mail)), member("c@acme.example")).await.unwrap();
    send(&notifiers(Some(&slack.bot()), Some(&mail)), member("zoe@acme.example")).await.unwrap();
    let to: Vec<String> = smtp.mails().iter().flat_map(|mail| mail.to.clone()).collect();
    assert_eq!(to, ["a@acme.example", "b@acme.example", "c@acme.example"]);
    assert_eq!(next(&send(&notifiers(None, Some(&mail)), channel()).await).0, "nobody");
    assert_eq!(next(&send(&notifiers(None, None), address("a@acme.example")).await).0, "nobody");
}

#[tokio::test]
async fn a_slack_that_is_busy_is_waited_for_and_no_mail_goes_out() {
    let smtp = FakeSmtp::start(&[]);
    let slack = FakeSlack::start(vec![(429, Some("7".to_owned()), String::new())]).await;
    let both = notifiers(Some(&slack.bot()), Some(&mail_settings(&smtp)));
    assert_eq!(next(&send(&both, member("zoe@acme.example")).await), ("later", Some(7)));
    assert!(smtp.mails().is_empty());
}

#[tokio::test]
async fn a_mail_says_it_in_text_and_html_and_is_named_by_its_key() {
    let smtp = FakeSmtp::start(&[]);
    let notifiers = notifiers(None, Some(&mail_settings(&smtp)));
    let first = send(&notifiers, address("zoe@acme.example")).await.unwrap();
    let second = send(&notifiers, address("zoe@acme.example")).await.unwrap();
    assert_eq!(first, second);
    assert!(first.starts_with('<') && first.ends_with("@acme.example>"), "{first}");
    let mail = &smtp.mails()[0];
    assert_eq!((mail.from.as_str(), &mail.to[..]), ("sla@acme.example", &["zoe@acme.example".to_owned()][..]));
    for says in [
        "\r\nAuto-Submitted: auto-generated\r\n",
        "\r\nContent-Type: multipart/alternative;",
        "\r\nContent-Type: text/plain; charset=utf-8\r\n",
        "\r\nContent-Type: text/html; charset=utf-8\r\n",
        &format!("\r\nMessage-ID: {first}\r\n"),
        "From: leadpact <sla@acme.example>\r\n",
    ] {
        assert!(mail.data.contains(says), "{says} in {}", mail.data);
    }
}

#[tokio::test]
async fn what_a_mail_server_refuses_says_what_to_do_next() {
    let check = async |answer: &str, expected: &str| {
        let smtp = FakeSmtp::start(&[answer]);
        let notifiers = notifiers(None, Some(&mail_settings(&smtp)));
        let sent = send(&notifiers, address("zoe@acme.example")).await;
        assert_eq!(next(&sent).0, expected, "{answer}: {sent:?}");
        assert!(!format!("{sent:?}").contains("zoe@"), "{sent:?}");
    };
    check("450 4.2.0 try later zoe@acme.example", "later").await;
    check("550 5.1.1 no such user zoe@acme.example", "nobody").await;
    check("550 5.7.1 not allowed to relay", "never").await;
    check("554 5.0.0 no", "never").await;
    let smtp = FakeSmtp::start(&[]);
    let notifiers = notifiers(None, Some(&mail_settings(&smtp)));
    assert_eq!(next(&send(&notifiers, address("not an address")).await).0, "nobody");
}

#[tokio::test]
async fn servers_that_are_not_there_are_tried_again_later() {
    let gone = "http://127.0.0.1:1";
    let slack = SlackSettings { token: Some(TOKEN.into()), webhook_url: None, base_url: gone.to_owned() };
    let sent = send(&notifiers(Some(&slack), None), channel()).await;
    assert_eq!(next(&sent).0, "later", "{sent:?}");
    let mail = EmailSettings { smtp_url: "smtp://127.0.0.1:1".into(), from: "sla@acme.example".to_owned() };
    let sent = send(&notifiers(None, Some(&mail)), address("zoe@acme.example")).await;
    assert_eq!(next(&sent).0, "later", "{sent:?}");
}

/// What doctor would say of this mail server, and the fix.
async fn seen(smtp: &FakeSmtp) -> Seen {
    let looks = notifiers(None, Some(&mail_settings(smtp))).examine(&[]).await;
    assert_eq!(looks.len(), 1, "{looks:?}");
    looks[0].seen.clone()
}

#[tokio::test]
async fn a_mail_server_is_asked_beforehand_whether_it_takes_our_sender_and_nothing_is_sent() {
    let smtp = FakeSmtp::start(&["550 5.1.1 the first recipient of all"]);
    let Seen::Works(says) = seen(&smtp).await else { panic!("it takes every sender") };
    assert!(says.contains("takes mail from sla@acme.example"), "{says}");
    let sent = send(&notifiers(None, Some(&mail_settings(&smtp))), address("zoe@acme.example")).await;
    assert_eq!(next(&sent).0, "nobody", "no recipient was named before: {sent:?}");

    smtp.answer_senders("553 5.7.1 sla@acme.example is not yours");
    let Seen::Broken { says, fix } = seen(&smtp).await else { panic!("it takes no sender of ours") };
    assert!(says.contains("answered 553 to mail from sla@acme.example") && fix.contains("from"), "{says} {fix}");
    smtp.answer_senders("530 5.7.0 Authentication required");
    let Seen::Broken { fix, .. } = seen(&smtp).await else { panic!("it wants a sign-in") };
    assert!(fix.contains("user and password"), "{fix}");
    smtp.answer_senders("451 4.3.0 later");
    assert!(matches!(seen(&smtp).await, Seen::Doubtful { .. }), "it may take it later");
    assert!(smtp.mails().is_empty());
}

const MARKUP: [&str; 12] = [
    "<!channel>",
    "<!here>",
    "<!everyone>",
    "<@U0ZOE>",
    "<#C0TEST001>",
    "<!subteam^S0TEAM>",
    "<https://evil.example|Click me>",
    "<mailto:a@b.example|x>",
    "&lt;!channel&gt;",
    "a|b> <!channel>",
    "<!date^1^{date}|<!here>>",
    "<\u{0}!channel\n>",
];

#[tokio::test]
async fn slack_markup_in_a_lead_mentions_nobody() {
    for bundled in [1, 3] {
        let slack = FakeSlack::start(Vec::new()).await;
        let notifiers = notifiers(Some(&slack.bot()), None);
        for payload in MARKUP {
            let mut bad = item(payload);
            bad.record.company = Some(payload.to_owned());
            bad.owner = Some(payload.to_owned());
            bad.next = Some(payload.to_owned());
            bad.receiver = Some(payload.to_owned());
            notifiers.send(&message(channel(), vec![bad; bundled])).await.unwrap();
        }
        for (call, payload) in slack.calls().iter().zip(MARKUP) {
            let mut texts = vec![call.body["text"].as_str().unwrap().to_owned()];
            gather(&call.body["blocks"], &mut texts);
            for text in &texts {
                let left = text.replace("<https://crm.example/leads/8842|", "").replace(">*", "*");
                assert!(!left.contains('<') && !left.contains('>'), "{payload}: {text}");
            }
            assert_eq!((&call.body["parse"], &call.body["link_names"]), (&json!("none"), &json!(false)));
        }
    }
}

/// Every text of Slack's markup in the blocks.
fn gather(blocks: &Value, texts: &mut Vec<String>) {
    match blocks {
        Value::Array(values) => values.iter().for_each(|value| gather(value, texts)),
        Value::Object(object) => {
            if object.get("type") == Some(&json!("mrkdwn")) {
                assert_eq!(object["verbatim"], true);
                texts.push(object["text"].as_str().unwrap().to_owned());
            }
            object.values().for_each(|value| gather(value, texts));
        }
        _ => {}
    }
}

#[tokio::test]
async fn nothing_a_lead_is_called_adds_a_header_or_a_recipient_to_a_mail() {
    let breaks = ["\r\n", "\n", "\r", "\r\n ", "\r\n\t", "\u{85}", "\u{2028}", "\u{b}", "\u{0}\r\n", "\r\n\r\n"];
    let smtp = FakeSmtp::start(&[]);
    let notifiers = notifiers(None, Some(&mail_settings(&smtp)));
    let payloads: Vec<String> = breaks
        .iter()
        .flat_map(|broken| {
            [format!("Zoë{broken}Bcc: evil@evil.example"), format!("A{broken}X-Evil: 1{broken}.{broken}")]
        })
        .collect();
    assert_eq!(payloads.len(), 20);
    for payload in &payloads {
        let mut bad = item(payload);
        bad.clock = payload.clone();
        let to = Destination::Email { address: "zoe@acme.example".to_owned(), name: Some(payload.clone()) };
        notifiers.send(&message(to, vec![bad])).await.unwrap();
        let evil = Destination::Email { address: format!("zoe@acme.example{payload}"), name: None };
        assert_eq!(next(&send(&notifiers, evil).await).0, "nobody");
    }
    let mails = smtp.mails();
    assert_eq!(mails.len(), 20);
    for mail in &mails {
        assert_eq!(mail.to, ["zoe@acme.example"]);
        let head = mail.data.split("\r\n\r\n").next().unwrap();
        let mut names: Vec<&str> = head
            .lines()
            .filter(|line| !line.starts_with([' ', '\t']))
            .filter_map(|line| line.split(':').next())
            .collect();
        names.sort_unstable();
        let known = ["Auto-Submitted", "Content-Type", "Date", "From", "MIME-Version", "Message-ID", "Subject", "To"];
        assert_eq!(names, known, "{head}");
    }
}

#[tokio::test]
async fn a_template_that_fails_on_a_real_lead_does_not_silence_its_notice() {
    let directory = tempfile::tempdir().unwrap();
    let text = "Subject: Hi\n{{ record.company.no.such if record.company == 'Bang' }}\n";
    std::fs::write(directory.path().join("reminder.txt"), text).unwrap();
    let templates = Templates::load(Some(directory.path())).unwrap();
    let slack = FakeSlack::start(Vec::new()).await;
    let notifiers = Notifiers::new(templates, Some(&slack.bot()), None).unwrap();
    let mut bang = item("Zoë Ünal");
    bang.record.company = Some("Bang".to_owned());
    notifiers.send(&message(channel(), vec![bang])).await.unwrap();
    let text = slack.calls()[0].body["text"].as_str().unwrap().to_owned();
    assert!(text.starts_with("Due in 30 minutes: Zoë Ünal (Bang)"), "{text}");
}

#[tokio::test]
async fn no_error_and_no_debug_output_says_a_secret() {
    let slack = FakeSlack::start(vec![(403, None, "invalid_token".to_owned())]).await;
    let refused = send(&notifiers(Some(&slack.webhook()), None), channel()).await.unwrap_err();
    let gone = SlackSettings {
        webhook_url: Some("http://127.0.0.1:1/services/webhook-secret".into()),
        token: None,
        base_url: String::new(),
    };
    let lost = send(&notifiers(Some(&gone), None), channel()).await.unwrap_err();
    let mut said = format!("{refused:?} {refused} {lost:?} {lost} {gone:?} {:?}", slack.bot());
    let urls =
        ["hunter2:x@y", "smtp://user:hunter2@mail.example", "smtp://a:hunter2@h?tls=maybe", "http://u:hunter2@h"];
    for url in urls {
        let settings = EmailSettings { smtp_url: url.into(), from: "sla@acme.example".to_owned() };
        let error = Notifiers::new(Templates::load(None).unwrap(), None, Some(&settings)).unwrap_err();
        said.push_str(&format!("{error} {error:?} {settings:?}"));
    }
    let safe = EmailSettings { smtp_url: "smtps://u:hunter2@mail.example".into(), from: "sla@acme.example".to_owned() };
    let email = leadpact::notify::email::Email::new(&safe).unwrap();
    let bot = leadpact::notify::slack::Slack::new(&slack.bot()).unwrap();
    said.push_str(&format!("{email:?} {bot:?}"));
    for token in ["xoxb-\nvery-secret", "hook-webhook-secret"] {
        let secret = Some(SecretString::from(token));
        let broken =
            SlackSettings { token: secret.clone(), webhook_url: secret, base_url: "webhook-secret".to_owned() };
        let error = leadpact::notify::slack::Slack::new(&broken).unwrap_err();
        said.push_str(&format!("{error} {error:?}"));
    }
    for secret in ["hunter2", "very-secret", "webhook-secret"] {
        assert!(!said.contains(secret), "{secret} in {said}");
    }
}

#[tokio::test]
async fn a_slack_that_never_answers_is_given_up_after_ten_seconds() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base_url = format!("http://{}", listener.local_addr().unwrap());
    let slack = SlackSettings { token: Some(TOKEN.into()), webhook_url: None, base_url };
    let sent = tokio::time::timeout(Duration::from_secs(13), send(&notifiers(Some(&slack), None), channel())).await;
    assert_eq!(next(&sent.unwrap()).0, "later");
}
