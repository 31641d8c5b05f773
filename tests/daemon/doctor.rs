//! `leadpact doctor` as an administrator runs it: an installation in which all is well, and what is
//! said of each thing that is broken in it.

use crate::agreements::follow_up;
use crate::daemon::run;
use crate::house::{Engine, House, HubSpot, SECRET, Salesforce};
use leadpact::engine::clock::real_now;
use leadpact::record::Elapsed;
use leadpact::sandbox::record::integration_user;
use leadpact::sandbox::{By, Column, CrmKind, Fault, FaultRule};
use serde_json::Value as Json;

/// The sandbox's name of the permission to send messages.
const SEND: &str = "PermissionsSendsMessages";

/// Exit code and the lines that are not ok.
struct Told {
    code: i32,
    wrong: Vec<String>,
    all: String,
}

fn ask(house: &House, file: &str) -> Told {
    let output = run(&["doctor"], &house.file(file));
    let all = String::from_utf8(output.stdout).unwrap();
    let wrong = all.lines().filter(|line| line.starts_with("warn") || line.starts_with("fail"));
    Told { code: output.status.code().unwrap(), wrong: wrong.map(str::to_owned).collect(), all: all.clone() }
}

/// An agreement in which something is recycled, in a house where all of it works.
async fn house() -> House {
    let house = House::open(Engine::Sqlite, &follow_up()).await.expect("SQLite is always there");
    configure(&house, "leadpact.toml", |text| text);
    house
}

/// Nobody has to sign this agreement, so that it need not be let off.
fn configure(house: &House, file: &str, change: impl FnOnce(String) -> String) {
    let signed = "signing_secret = \"slack-signs\"\nteam = \"T-acme\"\ntoken    = \"xoxb";
    let text =
        |text: String| text.replacen("require_signatures = false", "", 1).replacen("token    = \"xoxb", signed, 1);
    house.configure(file, house.port, |all| change(text(all)));
}

fn column(name: &str, kind: &str, read_only: bool) -> Column {
    Column { name: name.to_owned(), kind: kind.to_owned(), read_only, options: Vec::new() }
}

impl Told {
    /// One line says all this, and its verdict decides the exit code.
    #[track_caller]
    fn says(&self, verdict: &str, parts: &[&str]) {
        let line = self.wrong.iter().find(|line| line.starts_with(verdict) && parts.iter().all(|p| line.contains(p)));
        let line = line.unwrap_or_else(|| panic!("no `{verdict}` with {parts:?} in\n{}", self.all));
        assert!(line.contains(" → "), "without a fix: {line}");
        let worst = if self.wrong.iter().any(|line| line.starts_with("fail")) { 2 } else { 1 };
        assert_eq!(self.code, worst, "{}", self.all);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_all_is_well_doctor_says_so_and_changes_nothing() {
    let house = house().await;
    let told = ask(&house, "leadpact.toml");
    assert_eq!((told.code, told.wrong.len()), (0, 0), "{}", told.all);
    for about in ["configuration", "agreement", "database", "public URL", "notices", "hubspot", "salesforce"] {
        assert!(told.all.contains(&format!("ok    {about}: ")), "{about} in\n{}", told.all);
    }
    let buttons = format!(
        "ok    notices: Slack buttons: on: a signing secret is set and clicks are taken at http://127.0.0.1:{}/slack/actions",
        house.port
    );
    assert!(told.all.contains(&buttons), "{}", told.all);
    assert!(told.all.contains("ok    hubspot: Slack accounts: 2 of 2 members"), "{}", told.all);
    let written = [
        "hubspot.batch_update",
        "hubspot.property_create",
        "salesforce.collection_*",
        "salesforce.create",
        "salesforce.field_create",
    ];
    assert!(written.iter().all(|kind| house.sandbox.calls(kind).is_empty()));
    assert!(house.slack.all().is_empty() && house.smtp.mails().is_empty());
    assert!(!house.file("leadpact.db").exists(), "no database is made by looking for it");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn as_json_every_check_names_what_was_looked_at_and_the_fix() {
    let house = house().await;
    house.sandbox.hubspot().schema().drop_column("contacts", "leadpact_violation");
    let output = run(&["doctor", "--json", "hubspot"], &house.file("leadpact.toml"));
    assert_eq!(output.status.code(), Some(2));
    let told: Json = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(told["verdict"], "fail");
    let checks = told["checks"].as_array().unwrap();
    let failed: Vec<&Json> = checks.iter().filter(|check| check["verdict"] == "fail").collect();
    assert_eq!(failed.len(), 1, "{told:#}");
    assert_eq!(failed[0]["about"], "hubspot");
    assert_eq!(failed[0]["what"], "lead field flag (leadpact_violation)");
    assert!(failed[0]["fix"].as_str().unwrap().contains("leadpact connect hubspot"));
    assert!(checks.iter().all(|check| check["about"] != "salesforce"), "only the named connection is asked");
}

/// What is broken, and how the line about it begins and what it says.
type Case = (&'static str, fn(&House), &'static str, &'static [&'static str]);

fn schema(house: &House, crm: CrmKind, change: impl FnOnce(&mut leadpact::sandbox::Schema)) {
    change(&mut house.world(crm).schema());
}

const IN_THE_CRM: &[Case] = &[
    (
        "a missing scope",
        |h| schema(h, HubSpot, |s| s.scopes.retain(|scope| scope != "crm.objects.deals.write")),
        "fail",
        &["hubspot: scope crm.objects.deals.write", "not granted", "add the scope"],
    ),
    (
        "objects that may not be read",
        |h| schema(h, HubSpot, |s| s.scopes.retain(|scope| scope != "crm.objects.contacts.read")),
        "fail",
        &["hubspot: fields of contacts", "MISSING_SCOPES", "needs crm.objects.contacts.read"],
    ),
    (
        "a property that is missing",
        |h| schema(h, HubSpot, |s| s.drop_column("contacts", "reject_reason")),
        "fail",
        &["lead field reject_reason (reject_reason)", "contacts have no such property", "Settings › Properties"],
    ),
    (
        "a property of another type",
        |h| schema(h, HubSpot, |s| s.put("deals", column("leadpact_violation", "string", false))),
        "fail",
        &["opportunity field flag (leadpact_violation)", "its type is string", "needs bool", "map another field"],
    ),
    (
        "a property of a type that text cannot be written to",
        |h| schema(h, HubSpot, |s| s.put("deals", column("leadpact_violations", "number", false))),
        "fail",
        &["opportunity field violation (leadpact_violations)", "its type is number"],
    ),
    (
        "a property that is read-only",
        |h| schema(h, HubSpot, |s| s.put("contacts", column("hs_lead_status", "string", true))),
        "fail",
        &["lead field status (hs_lead_status)", "read-only"],
    ),
    (
        "a status that is no option",
        |h| {
            let options = ["OPEN", "ACCEPTED"].map(str::to_owned).to_vec();
            let status = Column { options, ..column("hs_lead_status", "enumeration", false) };
            schema(h, HubSpot, |s| s.put("contacts", status));
        },
        "fail",
        &["lead field status", "\"MARKETING_QUALIFIED\"", "does not take", "connection.values.lead.status"],
    ),
    (
        "a field that is missing or hidden",
        |h| schema(h, Salesforce, |s| s.drop_column("Lead", "Reject_Reason__c")),
        "fail",
        &[
            "salesforce: lead field reject_reason (Reject_Reason__c)",
            "no such field, or it is hidden",
            "Object Manager",
        ],
    ),
    (
        "a field that is read-only",
        |h| schema(h, Salesforce, |s| s.put("Lead", column("OwnerId", "reference", true))),
        "fail",
        &["salesforce: lead field owner (OwnerId)", "read-only", "Edit Access"],
    ),
    (
        "an object that may not be edited",
        |h| schema(h, Salesforce, |s| s.denied.push("Lead: Edit".to_owned())),
        "fail",
        &["salesforce: permission Lead: Edit", "not granted", "Permission Sets"],
    ),
    (
        "an object that is hidden",
        |h| schema(h, Salesforce, |s| s.denied.push("Opportunity: Read".to_owned())),
        "fail",
        &["salesforce: fields of Opportunity", "cannot be looked at", "Read on Opportunity"],
    ),
    (
        "an inactive member",
        |h| h.sandbox.hubspot().set_active(&h.people.tele[0], false),
        "warn",
        &["hubspot: member", "of teleprospecting", "Tess Hall is inactive", "successor"],
    ),
    (
        "a clock that is 45 seconds off",
        |h| h.set_clocks(real_now() + Elapsed::from_secs(45)),
        "warn",
        &["hubspot: clock", "behind the CRM", "NTP"],
    ),
    (
        "a clock that is six minutes off",
        |h| h.set_clocks(real_now() - Elapsed::from_secs(360)),
        "fail",
        &["salesforce: clock", "ahead of the CRM", "NTP"],
    ),
    (
        "a CRM that is down",
        |h| h.sandbox.fail(FaultRule::always("hubspot.*", Fault::BadGateway)),
        "fail",
        &["hubspot: CRM", "502", "can reach"],
    ),
    (
        "too many calls",
        |h| h.sandbox.fail(FaultRule::always("hubspot.*", Fault::TooManyRequests { retry_after: None })),
        "fail",
        &["hubspot: CRM", "too many calls were made: wait"],
    ),
    (
        "a token that was withdrawn",
        |h| h.sandbox.fail(FaultRule::always("hubspot.*", Fault::Unauthorized)),
        "fail",
        &["hubspot: credentials", "401", "copy the access token"],
    ),
    (
        "a status that people cannot choose",
        |h| {
            let options =
                ["Open", "Qualified by Marketing", "Acepted", "Working", "Rejected"].map(str::to_owned).to_vec();
            let status = Column { options, ..column("Status", "picklist", false) };
            schema(h, Salesforce, |s| s.put("Lead", status));
        },
        "fail",
        &["salesforce: lead field status (Status)", "\"Accepted\"", "never happens", "did you mean \"Acepted\"?"],
    ),
    (
        "no outbound message",
        |h| schema(h, Salesforce, |s| s.senders.clear()),
        "fail",
        &["salesforce: outbound message of Lead", "there is none", "leadpact init salesforce salesforce"],
    ),
    (
        "an outbound message to another address",
        |h| schema(h, Salesforce, |s| s.senders[0].endpoint = "https://old.example/webhooks/sf/hush".to_owned()),
        "fail",
        &["salesforce: outbound message of Lead", "goes to https://old.example/webhooks/sf, and not to", "public_url"],
    ),
    (
        "an outbound message with an old secret",
        |h| schema(h, Salesforce, |s| s.senders[1].endpoint.push_str("-old")),
        "fail",
        &["salesforce: outbound message of Opportunity", "another path secret", "SF_PATH_SECRET"],
    ),
    (
        "an outbound message without the secret",
        |h| {
            schema(h, Salesforce, |s| {
                s.senders[0].endpoint = format!("http://127.0.0.1:{}/webhooks/salesforce", h.port)
            })
        },
        "fail",
        &["salesforce: outbound message of Lead", "without the path secret", "SF_PATH_SECRET"],
    ),
    (
        "a flow that is off",
        |h| schema(h, Salesforce, |s| s.senders[0].active = false),
        "fail",
        &["salesforce: flow of Lead", "Leadpact_Lead is not active", "Setup › Flows"],
    ),
    (
        "a flow of an older agreement",
        |h| schema(h, Salesforce, |s| s.senders[0].starts_at.retain(|name| name != "Status")),
        "fail",
        &["salesforce: flow of Lead", "does not start when Status changes", "deploy"],
    ),
    (
        "a flow that starts at our own writes",
        |h| schema(h, Salesforce, |s| s.senders[0].starts_at.push("Leadpact_Violation__c".to_owned())),
        "fail",
        &["salesforce: flow of Lead", "Leadpact_Violation__c changes, which leadpact itself writes"],
    ),
    (
        "activities that are hidden",
        |h| schema(h, Salesforce, |s| s.denied.push("Event: Read".to_owned())),
        "fail",
        &["salesforce: permission Event: Read", "meetings, which spare a lead", "Access Activities"],
    ),
    (
        "a Setup that is hidden",
        |h| schema(h, Salesforce, |s| s.denied.push("View Setup".to_owned())),
        "warn",
        &["salesforce: outbound messages", "not shown", "View Setup"],
    ),
    (
        "a queue that cannot own leads",
        |h| schema(h, Salesforce, |s| s.unqueued.push("Lead".to_owned())),
        "fail",
        &["salesforce: party teleprospecting", "queue Teleprospecting cannot own a Lead", "Supported Objects"],
    ),
    (
        "a queue that nobody works",
        |h| {
            let amy = h.people.amy(Salesforce);
            h.world(Salesforce).set_active(amy, false);
        },
        "warn",
        &["salesforce: party teleprospecting", "no members", "Queue Members"],
    ),
    (
        "a user whose writes come back",
        |h| {
            let world = h.world(Salesforce);
            let values = |pairs: &[(&str, Json)]| pairs.iter().map(|(k, v)| ((*k).to_owned(), v.clone())).collect();
            let set = world.create("PermissionSet", values(&[("Label", "Old".into()), (SEND, true.into())]), By::Form);
            let assigned = values(&[("PermissionSetId", set.into()), ("AssigneeId", integration_user().into())]);
            world.create("PermissionSetAssignment", assigned, By::Form);
        },
        "warn",
        &["salesforce: own messages", "permission set Old sends them", "Send Outbound Messages"],
    ),
    (
        "a mail server that takes no mail from us",
        |h| h.smtp.answer_senders("553 5.7.1 not your address"),
        "fail",
        &["notices: mail server", "answered 553 to mail from", "may send as"],
    ),
    (
        "a Slack app that may not post",
        |h| h.slack.change(|slack| slack.scopes = "users:read"),
        "fail",
        &["notices: Slack scope chat:write", "nothing can be posted", "install the app again"],
    ),
    (
        "a Slack app that was not invited",
        |h| h.slack.change(|slack| slack.scopes = "chat:write"),
        "fail",
        &["notices: Slack channel #sales", "the app is not in it", "/invite"],
    ),
    (
        "a Slack channel that is missing",
        |h| h.slack.change(|slack| slack.channels.retain(|(name, _)| *name != "sales")),
        "fail",
        &["notices: Slack channel #sales", "no such channel", "create it in Slack"],
    ),
    (
        "a Slack channel that is archived",
        |h| h.slack.change(|slack| slack.channels[1].1 = true),
        "fail",
        &["notices: Slack channel #tele", "archived"],
    ),
    (
        "a Slack token that is not accepted",
        |h| h.slack.change(|slack| slack.refusals.push(("auth.test", "invalid_auth"))),
        "fail",
        &["notices: Slack token", "invalid_auth", "xoxb"],
    ),
    (
        "a Slack app that may not list channels",
        |h| h.slack.change(|slack| slack.refusals.push(("conversations.list", "missing_scope"))),
        "warn",
        &["notices: Slack channel #marketing", "missing_scope", "channels:read"],
    ),
    (
        "a Slack app that is not told who presses a button",
        |h| h.slack.change(|slack| slack.refusals.push(("users.info", "missing_scope"))),
        "fail",
        &["notices: Slack look-up of who answers", "missing_scope", "users:read.email"],
    ),
    (
        "a member whom Slack does not know",
        |h| h.slack.change(|slack| slack.strangers.push("tess@acme.example")),
        "warn",
        &["hubspot: Slack account of Tess Hall", "no active member", "the same address"],
    ),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn doctor_names_whatever_is_broken_in_a_crm_or_a_channel_with_its_fix() {
    for (what, break_it, verdict, parts) in IN_THE_CRM {
        let house = house().await;
        break_it(&house);
        let told = ask(&house, "leadpact.toml");
        eprintln!("── {what}: {:#?}", told.wrong);
        told.says(verdict, parts);
        assert!(!told.all.contains(SECRET) && !told.all.contains("hush"), "a secret is shown:\n{}", told.all);
        let other = if parts[0].starts_with("salesforce") { "ok    hubspot: " } else { "ok    salesforce: " };
        assert!(told.all.contains(other), "{what} hides other checks:\n{}", told.all);
    }
}

/// What stands in the configuration, what instead, and what is said of it.
const IN_THE_CONFIGURATION: &[(&str, &str, &str, &[&str])] = &[
    (
        "access_token   = \"pat-na1-pretend\"",
        "access_token = \"old\"",
        "fail",
        &["hubspot: credentials", "401", "access_token"],
    ),
    (
        "client_secret   = \"secret\"",
        "client_secret = \"old\"",
        "fail",
        &["salesforce: credentials", "invalid_client", "30 minutes"],
    ),
    (
        "portal_id      = ",
        "portal_id = 1",
        "fail",
        &["hubspot: account", "the configuration names 1", "set portal_id ="],
    ),
    ("portal_id      = ", "#", "warn", &["hubspot: account", "names none"]),
    (
        "smtp_url = \"smtp://",
        "smtp_url = \"smtp://me:wrong@",
        "fail",
        &["notices: mail server", "535", "user and password"],
    ),
    (
        "crm            = \"hubspot\"",
        "crm = \"hubspots\"",
        "fail",
        &["configuration: ", ":26: `crm` cannot be this", "did you mean `hubspot`"],
    ),
    (
        "flag          = \"leadpact_violation\"\n",
        "flag = \"reject_reason\"\n",
        "fail",
        &["hubspot: loop guard", "reject_reason is both lead flag"],
    ),
    (
        "team = \"T-acme\"",
        "team = \"T-other\"",
        "fail",
        &["notices: Slack workspace", "the token is of T-acme", "T-other", "every click is refused"],
    ),
    (
        "automation_users = [\"",
        "automation_users = [] # [\"",
        "warn",
        &["salesforce: automation", "look like a person's"],
    ),
    (
        "  [connection.parties]\n  teleprospecting = { queue",
        "  [connection.parties]\n  marketing = { queue",
        "fail",
        &["salesforce: party teleprospecting", "does not say who"],
    ),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn doctor_names_whatever_is_wrong_in_the_configuration() {
    let house = house().await;
    for (right, wrong, verdict, parts) in IN_THE_CONFIGURATION {
        configure(&house, "broken.toml", |text| {
            assert!(text.contains(right), "{right}");
            text.replacen(right, wrong, 1)
        });
        ask(&house, "broken.toml").says(verdict, parts);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn doctor_names_members_queues_and_organizations_that_do_not_exist() {
    let house = house().await;
    let told = |right: &str, wrong: &str| {
        configure(&house, "broken.toml", |text| text.replace(right, wrong));
        ask(&house, "broken.toml")
    };
    told(&house.people.queue, "00G5g0000000zzz").says("fail", &["salesforce: party teleprospecting", "no queue 00G5g"]);
    told(&house.people.queue, house.people.amy(Salesforce)).says("fail", &["Amy Ng, a person and no queue"]);
    told(&house.people.tele[0], "gone@acme.example")
        .says("fail", &["hubspot: member gone@acme.example of teleprospecting", "nobody in the CRM"]);
    told("00D5g000004XyZaEAK", "00D5g000004AAAAEA4")
        .says("fail", &["salesforce: ", "the sign-in was for organization"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_agreement_that_cannot_be_read_does_not_keep_its_crm_from_being_looked_at() {
    let house = house().await;
    std::fs::write(house.file("agreement.toml"), "title = 1").unwrap();
    let told = ask(&house, "leadpact.toml");
    told.says("fail", &["configuration: ", "agreement.toml"]);
    assert!(told.all.contains("ok    salesforce: credentials"), "{}", told.all);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_public_address_that_no_crm_can_reach_fails_where_records_are_to_be_changed() {
    let house = house().await;
    // The CRM is elsewhere by its address, which nothing answers at: a documentation network.
    configure(&house, "broken.toml", |text| {
        let local = format!("base_url       = \"{}\"", house.sandbox.base_url());
        text.replacen(&local, "base_url = \"https://leadpact-crm.invalid\"", 1)
    });
    let told = ask(&house, "broken.toml");
    told.says("fail", &["public URL: http://127.0.0.1", "this machine's own address", "public_url"]);
    told.says("fail", &["hubspot: CRM", "cannot connect", "leadpact-crm.invalid"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_is_looked_at_without_bringing_it_up_to_date() {
    for engine in [Engine::Sqlite, Engine::Postgres] {
        let Some(house) = House::open(engine, &follow_up()).await else { continue };
        if matches!(engine, Engine::Postgres) {
            let told = ask(&house, "leadpact.toml");
            assert!(told.all.contains("database: schema: empty"), "{}", told.all);
        }
        assert!(run(&["agreement", "signatures"], &house.file("leadpact.toml")).status.success());
        let told = ask(&house, "leadpact.toml");
        assert!(told.all.contains("ok    database: schema: up to date"), "{}", told.all);
        let durable = if matches!(engine, Engine::Sqlite) {
            "durability: journal_mode wal, synchronous FULL"
        } else {
            "database: durability: "
        };
        assert!(told.all.contains(durable), "{}", told.all);
    }
}
