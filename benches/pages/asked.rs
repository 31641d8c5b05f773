//! What is asked for: every page and every list of the API, with every filter, alone and together, from its
//! beginning and from deep within.

use crate::house::House;
use crate::lead::{self, CAMPAIGNS, CONNECTIONS, SOURCES, chance};
use serde_json::Value as Json;

/// A page, and addresses of it that are asked for in turn.
pub struct Page {
    pub name: String,
    pub paths: Vec<String>,
}

/// Lists are followed so far before they are asked for from deep within.
const DEEP: usize = 20;
const CLOCKS: [&str; 4] = ["Accept or reject", "First follow-up", "Follow-up depth", "Promote or disqualify"];
const STAGES: [&str; 10] = ["inquiry", "mql", "tal", "tql", "sal", "sql", "won", "lost", "rejected", "nurture"];

pub async fn pages(house: &House, leads: usize) -> Vec<Page> {
    let mut pages = plain();
    pages.extend(risk(house).await);
    pages.extend(records(leads as u64));
    pages.extend(figures());
    pages.extend(stages(house).await);
    pages.extend(disputes(house).await);
    pages.extend(deliveries(house).await);
    pages.extend(journal(house, leads as u64).await);
    pages.extend(api());
    pages
}

fn page(name: impl Into<String>, paths: Vec<String>) -> Page {
    Page { name: name.into(), paths }
}

fn one(path: &str) -> Page {
    page(path, vec![path.to_owned()])
}

fn word(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

fn plain() -> Vec<Page> {
    let paths = ["/", "/agreement", "/simulate", "/templates", "/health", "/live", "/metrics", "/disputes/attest"];
    paths.map(one).into()
}

/// Where an API's list goes on after so many steps.
async fn deep(house: &House, path: &str) -> Option<String> {
    let (mut after, and) = (None, if path.contains('?') { '&' } else { '?' });
    let place = if path.contains("journal") { "before" } else { "after" };
    for _ in 0..DEEP {
        let goes_on = after.as_ref().map(|after| format!("{and}{place}={after}")).unwrap_or_default();
        let answer = house.get(&format!("{path}{goes_on}")).await;
        let answer: Json = serde_json::from_str(&answer).expect("JSON");
        after = match &answer["next"] {
            Json::Null => return after,
            Json::String(next) => Some(next.clone()),
            next => Some(next.to_string()),
        };
    }
    after
}

/// Every combination of filters, owners and clocks in turn.
async fn risk(house: &House) -> Vec<Page> {
    let owners: Vec<String> = (0..lead::OWNERS).step_by(7).map(lead::owner_id).collect();
    let parties = ["teleprospecting", "field_sales", "marketing"].map(str::to_owned).to_vec();
    let states = ["open", "paused", "breached", "held"].map(str::to_owned).to_vec();
    let filters: [(&str, Vec<String>); 6] = [
        ("owner", owners),
        ("party", parties),
        ("clock", CLOCKS.map(str::to_owned).to_vec()),
        ("state", states),
        ("due", ["1bh", "1bd", "5bd"].map(str::to_owned).to_vec()),
        ("connection", CONNECTIONS.map(str::to_owned).to_vec()),
    ];
    let mut pages = Vec::new();
    for chosen in 0_u64..1 << filters.len() {
        let of: Vec<&(&str, Vec<String>)> =
            filters.iter().enumerate().filter(|(n, _)| chosen & (1 << n) != 0).map(|(_, filter)| filter).collect();
        let query = |turn: u64| {
            let value = |(name, values): &&(&str, Vec<String>)| {
                let at = chance(turn, name.len() as u64 + chosen) as usize % values.len();
                format!("{name}={}", word(&values[at]))
            };
            of.iter().map(value).collect::<Vec<_>>().join("&")
        };
        let names = of.iter().map(|(name, _)| *name).collect::<Vec<_>>().join("+");
        let paths: Vec<String> = (0..60).map(|turn| format!("/risk?{}", query(turn))).collect();
        pages.push(page(format!("/risk {names}"), paths));
        if of.len() < 2 {
            let query = query(1);
            if let Some(after) = deep(house, &format!("/api/v1/clocks?{query}")).await {
                pages.push(page(format!("/risk {names}, deep"), vec![format!("/risk?{query}&after={after}")]));
            }
        }
    }
    pages
}

fn records(leads: u64) -> Vec<Page> {
    let some = |salt: u64| (0..60).map(move |n| chance(n, salt) % leads.max(1));
    let path = |n: u64| {
        let key = lead::key(n);
        format!("{}/{}/{}", key.connection, key.object.as_str(), word(key.id.as_str()))
    };
    let known = some(60).map(|n| format!("/records/{}", path(n)));
    let told = some(61).map(|n| format!("/api/v1/records/{}", path(n)));
    let offered = some(64).map(|n| format!("/api/v1/records/{}/offers", path(n)));
    let find = |what: Vec<String>| what.iter().map(|what| format!("/find?q={}", word(what))).collect::<Vec<_>>();
    let prefixes = ["A", "Ma", "Zoë", "Olga K", "Chen Nguyen 1"].map(str::to_owned).to_vec();
    vec![
        page("/records/…", known.collect()),
        page("/api/v1/records/…", told.collect()),
        page("/api/v1/records/…/offers", offered.collect()),
        page("/find by name", find(some(62).map(lead::name).collect())),
        page("/find by a beginning", find(prefixes)),
        page("/find by id", find(some(63).map(|n| lead::key(n).id.to_string()).collect())),
        page("/find by e-mail", find(vec!["ada.lovelace.17@12.example".to_owned()])),
        page("/find nobody", find(vec!["Xyzzy".to_owned()])),
    ]
}

fn figures() -> Vec<Page> {
    let mut pages = Vec::new();
    let periods = ["week", "month", "quarter", "last-month"];
    for name in ["/", "/waterfall", "/campaigns"] {
        let of = |c: &&str| periods.map(|period| format!("{name}?connection={c}&period={period}"));
        pages.push(page(format!("{name} by period"), CONNECTIONS.iter().flat_map(of).collect()));
    }
    let splits = ["source", "campaign", "party", "owner"].map(|by| format!("/waterfall?by={by}")).to_vec();
    pages.push(page("/waterfall by its splits", splits));
    for name in ["scorecard", "waterfall", "campaigns"] {
        // These wait for what is counted, at most five seconds; who is told to come again later waits no more.
        pages.push(one(&format!("/api/v1/{name}?connection=acme-other")));
    }
    pages
}

async fn stages(house: &House) -> Vec<Page> {
    let mut pages = Vec::new();
    let of = |stage: &str, more: &str| format!("/waterfall/stage?stage={stage}&period=quarter{more}");
    for passes in ["", "again", "all"] {
        let paths = STAGES.iter().map(|stage| of(stage, &format!("&passes={passes}"))).collect();
        pages.push(page(format!("/waterfall/stage of each, passes={passes}"), paths));
    }
    let split = |by: &str, values: Vec<String>| {
        let value = |n: usize, value: &String| of(STAGES[1 + n % 3], &format!("&by={by}&value={}", word(value)));
        let paths = values.iter().enumerate().map(|(n, v)| value(n, v)).collect();
        page(format!("/waterfall/stage by {by}"), paths)
    };
    pages.push(split("source", SOURCES.map(str::to_owned).to_vec()));
    pages.push(split("campaign", (0..CAMPAIGNS).map(|n| format!("Campaign {n}")).collect()));
    pages.push(split("owner", (0..lead::OWNERS).map(|n| format!("Owner {n}")).collect()));
    pages.push(split("party", vec!["marketing".to_owned(), "teleprospecting".to_owned(), "field_sales".to_owned()]));
    pages.push(split("source", vec!["nothing of that kind".to_owned()]));
    let periods = ["week", "month", "last-month", "last-week"];
    let paths = periods.map(|period| format!("/waterfall/stage?stage=mql&period={period}")).to_vec();
    pages.push(page("/waterfall/stage by period", paths));
    let mut deep = of("mql", "");
    for _ in 0..DEEP {
        let text = house.get(&deep).await;
        let Some(at) = text.find("after=") else { break };
        let after: String = text[at..].chars().take_while(|c| !"\"&#".contains(*c)).collect();
        deep = of("mql", &format!("&{after}"));
    }
    pages.push(page("/waterfall/stage, deep", vec![deep]));
    pages
}

async fn disputes(house: &House) -> Vec<Page> {
    let mut pages = Vec::new();
    for filter in ["", "state=waiting", "state=over", "state=upheld", "state=open", "party=field_sales"] {
        pages.push(one(&format!("/disputes?{filter}")));
    }
    for filter in ["connection=acme-other", "state=over&connection=acme-hubspot&party=field_sales", "party=marketing"] {
        pages.push(one(&format!("/disputes?{filter}")));
    }
    if let Some(after) = deep(house, "/api/v1/disputes?state=over").await {
        pages.push(page("/disputes over, deep", vec![format!("/disputes?state=over&after={after}")]));
    }
    pages.push(one("/disputes/00000000-0000-7000-8000-000000000040"));
    pages
}

async fn deliveries(house: &House) -> Vec<Page> {
    let mut pages = Vec::new();
    let lists: [(&str, &[&str], &[&str]); 3] = [
        (
            "outbox",
            &["", "parked", "held", "sending", "due", "done", "dropped", "would_have", "withdrawn"],
            &["", "read", "write", "notify", "task"],
        ),
        ("inbox", &["", "parked", "received", "applied", "dropped"], &["", "delivery", "order", "event"]),
        ("letters", &["", "failed", "due", "sending", "sent", "would_have"], &[""]),
    ];
    for (tab, states, sorts) in lists {
        for state in states {
            let of = |sort: &&str, more: &str| format!("/deliveries?tab={tab}&state={state}&sort={sort}{more}");
            let paths = sorts.iter().flat_map(|sort| [of(sort, ""), of(sort, "&connection=acme-salesforce")]).collect();
            pages.push(page(format!("/deliveries {tab} {state}"), paths));
        }
        if let Some(after) = deep(house, &format!("/api/v1/deliveries?tab={tab}")).await {
            pages.push(page(
                format!("/deliveries {tab}, deep"),
                vec![format!("/deliveries?tab={tab}&after={}", word(&after))],
            ));
        }
    }
    let record = |what: String| format!("/deliveries?tab=outbox&record={}", word(&what));
    pages.push(page("/deliveries of a record by its name", (0..60).map(|n| record(lead::name(n * 97))).collect()));
    pages.push(page(
        "/deliveries of a record by its id",
        (0..60).map(|n| record(lead::key(n * 97).id.to_string())).collect(),
    ));
    pages
}

async fn journal(house: &House, leads: u64) -> Vec<Page> {
    let kinds = ["breached", "met", "recycled", "stage_entered", "setting", "withdrawn", "rejected", "parked"];
    let ask = |query: String| format!("/journal?{query}");
    let each = |name: &str, values: &[&str]| {
        let paths = values.iter().map(|value| ask(format!("{name}={}", word(value)))).collect();
        page(format!("/journal by {name}"), paths)
    };
    let mut pages = vec![one("/journal"), each("kind", &kinds), each("clock", &CLOCKS)];
    pages.push(each("who", &["Owner 3", "Owner 150", "7007", "leadpact", "automation", "Nobody Whatever"]));
    pages.push(each("connection", &CONNECTIONS));
    let mut both = Vec::new();
    for kind in kinds {
        both.extend(CLOCKS.iter().map(|clock| ask(format!("kind={kind}&clock={}", word(clock)))));
        both.push(ask(format!("kind={kind}&who=Owner+7")));
        both.push(ask(format!("kind={kind}&from=2027-02-10&until=2027-02-12")));
    }
    pages.push(page("/journal by kind and another", both));
    let days = ["from=2027-02-10", "until=2027-02-12", "from=2027-02-20&until=2027-02-20", "from=2027-03-14"];
    pages.push(page("/journal by days", days.map(|days| ask(days.to_owned())).to_vec()));
    let of = |n: u64| lead::key(chance(n, 70) % leads.max(1));
    let ids = (0..60).map(|n| ask(format!("connection={}&record={}", of(n).connection, word(of(n).id.as_str()))));
    pages.push(page("/journal of a record by its id", ids.collect()));
    let names = (0..60).map(|n| ask(format!("record={}", word(&lead::name(n * 10)))));
    pages.push(page("/journal of a record by its name", names.collect()));
    pages.push(page("/journal of nobody", vec![ask("record=Nobody+of+that+name".to_owned())]));
    if let Some(before) = deep(house, "/api/v1/journal").await {
        pages.push(page("/journal, deep", vec![ask(format!("before={before}"))]));
    }
    pages
}

fn api() -> Vec<Page> {
    let mut pages = Vec::new();
    for path in ["agreement", "connections", "health", "disputes", "disputes?state=over", "openapi.json"] {
        pages.push(one(&format!("/api/v1/{path}")));
    }
    for tab in ["outbox", "inbox", "letters"] {
        pages.push(one(&format!("/api/v1/deliveries?tab={tab}")));
    }
    pages.push(one("/api/v1/journal"));
    pages.push(one("/api/v1/journal?kind=met&clock=Accept+or+reject"));
    pages.push(one("/api/v1/clocks?limit=250"));
    for path in ["attestations", "needs", "clocks/counts", "agreement/receipts"] {
        pages.push(one(&format!("/api/v1/{path}")));
    }
    for name in CONNECTIONS {
        pages.push(one(&format!("/api/v1/people/{name}")));
        pages.push(one(&format!("/api/v1/connections/{name}/held")));
        pages.push(one(&format!("/api/v1/connections/{name}/overdue")));
        pages.push(one(&format!("/health/arm?connection={name}")));
    }
    pages
}
