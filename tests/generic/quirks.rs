//! A described CRM with odd habits: ids as numbers, times to the second in the account's zone, errors
//! inside of successes, deleted records that are still listed, credentials in the address, tokens that
//! end. And what doctor can tell of any such CRM.

use crate::fake::{self, Fake, Given, PLAIN, Seen, at, crm, described, found, given, ids, is_gone};
use leadpact::crm::generic::Generic;
use leadpact::crm::{Crm, CrmError, Sought, Wanted};
use leadpact::record::Object;
use serde_json::{Value as Json, json};
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

const ODD: &str = r#"
name      = "Odd CRM"
times     = "%Y-%m-%d %H:%M:%S"
time_zone = "America/New_York"

[authentication]
scheme = "query"
name   = "api_token"
value  = "{access_token}"

[webhook]
verify = { scheme = "token", header = "X-Odd" }
id     = "lead.number"

[lead]
id       = "number"
modified = "stamps.changed"
gone     = "is_deleted"
numbers  = ["id", "owner"]
fields   = { name = "person.full", status = "state.name", owner = "agent.number" }
read     = { get = "/lead/{id}", item = "lead" }
update   = { post = "/lead/{id}", body = { lead = "{changes}" } }

  [lead.search]
  get          = "/leads"
  query        = { from = "{since}", skip = "{offset}", take = "{page}" }
  items        = "leads"
  page         = 3
  oldest_first = true

  [lead.open]
  get         = "/open"
  query       = { page = "{number}" }
  items       = "leads"
  page        = 2

[people]
get         = "/agents"
items       = "agents"
id          = "number"
link_header = true

[allowance]
day = { limit = "X-Day-Limit", left = "X-Day-Left" }

[errors]
success = "ok"
message = "error.text"
"#;

fn odd(url: &str) -> Generic {
    let rest = format!("base_url = \"{url}\"\naccess_token = \"s3cr3t&x\"\nwebhook_secret = [\"w\"]\n");
    crm(described(ODD, &rest))
}

/// 04:00 in New York is 09:00 in UTC.
fn a_lead(number: usize, changed: &str) -> Json {
    json!({"number": number, "stamps": {"changed": changed}, "person": {"full": "Ada"}, "agent": {"number": 7},
        "state": {"name": "MQL"}, "is_deleted": number == 2})
}

#[tokio::test]
async fn numbers_nested_names_wall_times_and_deleted_flags_are_read() {
    let fake = Fake::start(|seen| match seen.path.as_str() {
        "/lead/1" => given(200, json!({"ok": true, "lead": a_lead(1, "2026-01-05 04:00:00")})),
        "/lead/2" => given(200, json!({"ok": true, "lead": a_lead(2, "2026-01-05 04:00:00")})),
        _ => given(200, json!({"ok": false, "error": {"text": "the register is closed"}})),
    })
    .await;
    let crm = odd(&fake.url);
    let reads = crm.read(Object::Lead, &ids(&["1", "2"])).await.unwrap();
    let (modified, values, _) = found(&reads, "1");
    assert_eq!(modified, "2026-01-05T09:00:00.000Z");
    assert_eq!(values, ["name=Ada", "owner=7", "status=MQL"]);
    assert!(is_gone(&reads, "2"));
    let refused = crm.read(Object::Lead, &ids(&["3"])).await.unwrap_err();
    assert_eq!(refused, CrmError::Never { message: "Odd CRM answered 200: the register is closed".into() });
    assert_eq!(fake.seen()[0].query("api_token"), Some("s3cr3t&x"));
}

/// Leads that are searched; between two pages the story may change them.
type Leads = Arc<Mutex<Vec<(usize, String)>>>;

fn listed(leads: &Leads, seen: &Seen) -> Given {
    let mut all = leads.lock().unwrap().clone();
    all.sort_by(|a, b| a.1.cmp(&b.1).then(a.0.cmp(&b.0)));
    let from = seen.query("from").unwrap();
    let skip = seen.query("skip").unwrap().parse().unwrap();
    let page = all.iter().filter(|(_, at)| at.as_str() >= from).skip(skip).take(3);
    given(200, json!({"ok": true, "leads": page.map(|(n, at)| a_lead(*n, at)).collect::<Vec<_>>()}))
}

#[tokio::test]
async fn no_record_slips_by_between_two_pages_though_others_move_meanwhile() {
    // Ten were changed at one moment; whenever a page was served, the first of them is changed again.
    let leads: Leads = Arc::new(Mutex::new((1..=10).map(|n| (n, "2026-01-05 04:00:00".to_owned())).collect()));
    let (shared, served) = (leads.clone(), AtomicUsize::new(0));
    let fake = Fake::start(move |seen| {
        let page = listed(&shared, seen);
        let served = served.fetch_add(1, Ordering::SeqCst);
        if served < 3 {
            shared.lock().unwrap()[served].1 = format!("2026-01-05 04:10:0{served}");
        }
        page
    })
    .await;
    let since = Sought::Since(at("2026-01-05T09:00:00Z"));
    let (pages, _) = fake::searched(&odd(&fake.url), Object::Lead, since).await.unwrap();
    let all: BTreeSet<usize> = pages.iter().flatten().map(|id| id.parse().unwrap()).collect();
    assert_eq!(all, (1..=10).collect(), "{pages:?}");
}

#[tokio::test]
async fn a_list_that_is_not_sorted_as_it_is_said_to_be_is_refused() {
    let unsorted = json!({"leads": [a_lead(1, "2026-01-05 04:00:02"), a_lead(3, "2026-01-05 04:00:01"), a_lead(4, "2026-01-05 04:00:03")]});
    let fake = Fake::always(given(200, unsorted)).await;
    let since = Sought::Since(at("2026-01-05T09:00:00Z"));
    let error = odd(&fake.url).search(Object::Lead, since, None).await.unwrap_err();
    assert!(matches!(&error, CrmError::Never { message } if message.contains("not sorted")), "{error}");
}

#[tokio::test]
async fn open_records_are_paged_by_number_and_links_in_headers_stay_on_their_server() {
    let fake = Fake::start(|seen| match (seen.path.as_str(), seen.query("page")) {
        ("/open", Some("1")) => given(200, json!({"leads": [a_lead(1, "x"), a_lead(3, "x")]})),
        ("/open", Some("2")) => given(200, json!({"leads": [a_lead(4, "x")]})),
        ("/agents", None) => {
            given(200, json!({"agents": [{"number": 7}]})).with("Link", "</agents?page=2>; rel=\"next\"")
        }
        ("/agents", Some("2")) => given(200, json!({"agents": []})).with("Link", "<http://169.254.169.254/>; rel=next"),
        other => panic!("{other:?}"),
    })
    .await;
    let crm = odd(&fake.url);
    let (pages, _) = fake::searched(&crm, Object::Lead, Sought::Open).await.unwrap();
    assert_eq!(pages, [vec!["1", "3"], vec!["4"]]);
    let error = crm.people().await.unwrap_err();
    assert_eq!(error, CrmError::Never { message: "the next page is on another server".into() });
    assert!(fake.seen().iter().all(|seen| seen.query("api_token") == Some("s3cr3t&x")), "on further pages too");
}

#[tokio::test]
async fn calls_left_of_the_day_are_read_and_the_last_ones_are_left_to_people() {
    let told = given(200, json!({"ok": true, "lead": a_lead(1, "2026-01-05 04:00:00")}));
    let fake = Fake::always(told.with("X-Day-Limit", "1000").with("X-Day-Left", "40")).await;
    let crm = odd(&fake.url);
    crm.read(Object::Lead, &ids(&["1"])).await.unwrap();
    assert_eq!(crm.usage().and_then(|usage| usage.day).map(|day| (day.used, day.limit)), Some((960, 1000)));
    let error = crm.read(Object::Lead, &ids(&["1"])).await.unwrap_err();
    assert!(matches!(error, CrmError::Later { after: Some(_), .. }), "{error}");
    assert_eq!(fake.seen().len(), 1);
}

#[tokio::test]
async fn secrets_stand_in_no_error() {
    let crm = odd("http://127.0.0.1:9");
    let error = crm.read(Object::Lead, &ids(&["1"])).await.unwrap_err();
    assert!(!format!("{error} {error:?}").contains("s3cr3t"), "{error}");
}

const GRANTED: &str = r#"
scheme = "oauth2"
grant  = "GRANT"
token  = "/oauth/token"
scope  = "crm.read"
value  = "Odd-token {access_token}"
"#;

fn signing_in(url: &str, grant: &str, rest: &str) -> Generic {
    let text = PLAIN.replacen("scheme = \"bearer\"", &GRANTED.replace("GRANT", grant), 1);
    let head =
        format!("base_url = \"{url}\"\nclient_id = \"c&1\"\nclient_secret = \"s3cr3t\"\nwebhook_secret = [\"s\"]\n");
    crm(described(&text, &format!("{head}{rest}")))
}

#[tokio::test]
async fn an_access_token_is_asked_for_once_and_again_when_it_is_not_taken_any_more() {
    let asked = Arc::new(AtomicUsize::new(0));
    let count = asked.clone();
    let fake = Fake::start(move |seen| {
        if seen.path == "/oauth/token" {
            let n = count.fetch_add(1, Ordering::SeqCst) + 1;
            return given(200, json!({"access_token": format!("t{n}"), "expires_in": 3600}));
        }
        match (seen.path.as_str(), seen.header("authorization")) {
            ("/people/1", _) | (_, "Odd-token t2") => given(
                200,
                json!({"id": seen.path.trim_start_matches("/people/"), "changed_at": "2026-01-05T09:00:00Z"}),
            ),
            _ => given(401, "{}"),
        }
    })
    .await;
    let crm = signing_in(&fake.url, "client_credentials", "");
    crm.read(Object::Lead, &ids(&["1"])).await.unwrap();
    crm.read(Object::Lead, &ids(&["1"])).await.unwrap();
    assert_eq!(asked.load(Ordering::SeqCst), 1);
    assert_eq!(crm.read(Object::Lead, &ids(&["2"])).await.unwrap().records.len(), 1);
    assert_eq!(asked.load(Ordering::SeqCst), 2);
    assert_eq!(fake.seen()[1].header("authorization"), "Odd-token t1");
}

#[tokio::test]
async fn a_token_that_is_refused_is_a_sign_in_without_any_secret_in_it() {
    for answer in [given(400, r#"{"error": "invalid_client", "sent": "s3cr3t"}"#), given(200, r#"{"error": "s3cr3t"}"#)]
    {
        let fake = Fake::always(answer).await;
        let crm = signing_in(&fake.url, "refresh_token", "refresh_token = \"r3fr3sh\"\n");
        let error = crm.read(Object::Lead, &ids(&["1"])).await.unwrap_err();
        assert!(matches!(&error, CrmError::SignIn { .. }), "{error}");
        assert!(!error.to_string().contains("s3cr3t") && !error.to_string().contains("r3fr3sh"), "{error}");
        assert_eq!(fake.seen().len(), 1);
    }
}

#[tokio::test]
async fn a_crm_is_examined_by_whoami_and_by_what_its_records_show() {
    let fake = Fake::start(|seen| match seen.path.as_str() {
        "/agents" => given(200, json!({"agents": [{"number": 7}]})),
        "/open" => given(200, json!({"leads": [a_lead(1, "x")]})),
        "/lead/1" => {
            let mut lead = a_lead(1, "2026-01-05 04:00:00");
            lead["person"] = json!({"full": ["Ada"]});
            lead["agent"] = Json::Null;
            given(200, json!({"ok": true, "lead": lead}))
        }
        other => panic!("{other}"),
    })
    .await;
    let crm = odd(&fake.url);
    let wanted = Wanted { tasks: true, ..Wanted::default() };
    let examined = crm.examine(&wanted).await.unwrap();
    assert!(examined.ahead.is_some() && examined.account.is_ok());
    let fields = examined.objects[0].fields.as_ref().unwrap();
    let names: Vec<_> = fields.iter().map(|field| field.crm_name.as_str()).collect();
    assert_eq!((examined.objects.len(), names), (1, vec!["person.full", "state.name"]));
    let lacks = crm.lacks(&wanted).await;
    let told: Vec<_> = lacks.iter().map(|lack| (lack.breaks, lack.what.as_str())).collect();
    assert_eq!(told, [(true, "[task]"), (false, "lead field owner (agent.number)")]);
    let silent = odd("http://127.0.0.1:9").examine(&wanted).await.unwrap();
    assert!(silent.account.is_err() && silent.objects.iter().all(|told| told.fields.is_err()));
}
