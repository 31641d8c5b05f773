//! `leadpact simulate` as people run it, over a database that was filled as the daemon fills it.

use crate::daemon::run;
use leadpact::agreement::parse::parse;
use leadpact::record::change::Reading;
use leadpact::record::{
    Actor, Change, ConnectionName, FieldName, Object, OwnerId, RecordId, RecordKey, Timestamp, Value, What,
};
use leadpact::store::agreement::{AgreementRow, Version, activate, offer};
use leadpact::store::{Db, OpenOptions, Priority, history};
use serde_json::Value as Json;
use std::path::{Path, PathBuf};

const TERMS: &str = r#"
title     = "Leads"
version   = "one"
effective = 2030-01-01                      # a draft is simulated all the same
calendar  = "week"

[calendars.week]
time_zone = "America/New_York"
hours     = { mon-fri = ["09:00-17:00"] }

[parties.marketing]
[parties.tele]

[[stage]]
name = "mql"
term = "Marketing qualified"
of   = "lead"
when = 'status == "MQL"'

[[stage]]
name = "tal"
term = "Accepted"
of   = "lead"
when = 'status == "Accepted"'

[[handoff]]
name = "To tele"
from = "marketing"
to   = "tele"
at   = "mql"

  [[handoff.clock]]
  name   = "Accept"
  until  = 'reached("tal")'
  within = "4h"
  steps  = [{ at = "due", notify = ["owner"] }]
"#;

/// Monday, 5 January 2026, 09:00 in New York.
const MONDAY: i64 = 1_767_621_600_000;
const HOUR: i64 = 3_600_000;

struct Desk {
    folder: tempfile::TempDir,
}

impl Desk {
    fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    }

    fn url(&self) -> String {
        format!("sqlite://{}", self.folder.path().join("leadpact.db").display())
    }

    /// A configuration with one connection, three leads in its history, answered after so many hours.
    async fn open(connections: &[&str]) -> (Self, PathBuf) {
        let desk = Self { folder: tempfile::tempdir().unwrap() };
        desk.file("agreement.toml", TERMS);
        let mut config = format!("agreement = \"agreement.toml\"\n[store]\nurl = \"{}\"\n", desk.url());
        for name in connections {
            config += &format!(
                "[[connection]]\nname = \"{name}\"\ncrm = \"generic\"\n\
                 verify = {{ scheme = \"standard-webhooks\", secret = [\"whsec_c2VjcmV0LW9mLWEtdGVzdA==\"] }}\n"
            );
        }
        let config = desk.file("leadpact.toml", &config);
        let db = Db::open(&desk.url(), &OpenOptions::default()).await.unwrap();
        let mut tx = db.begin(Priority::Work).await.unwrap();
        for (id, name, answered) in [("1", "Ada", Some(1)), ("2", "Ben\u{1b}[2J", Some(3)), ("3", "Cleo", None)] {
            history::add(&mut tx, &lead(id, name, answered)).await.unwrap();
        }
        let text = TERMS.replace("\"one\"", "\"in force\"");
        let hash = parse("agreement.toml", &text, &|_| Err("none".into())).unwrap().agreement.hash.to_string();
        let now = Timestamp::from_millis(MONDAY);
        let (title, version) = ("Leads".to_owned(), "in force".to_owned());
        let version = Version {
            hash: hash.clone(),
            title,
            version,
            signers: Some(Vec::new()),
            effective_at: now,
            offered_at: now,
            activated_at: None,
            superseded_at: None,
        };
        let row = AgreementRow { version, text, files: Default::default() };
        offer(&mut tx, None, &row).await.unwrap();
        activate(&mut tx, None, &hash, now).await.unwrap();
        tx.commit().await.unwrap();
        db.close().await;
        (desk, config)
    }
}

fn lead(id: &str, name: &str, answered: Option<i64>) -> Vec<(RecordKey, Change)> {
    let key = RecordKey { connection: ConnectionName::new("acme"), object: Object::Lead, id: RecordId::new(id) };
    let by = Actor::Person(OwnerId::new("ann"));
    let field = |name: &str, value: &str| (FieldName::new(name), Value::text(value));
    let handed_over = vec![field("status", "MQL"), field("owner", "ann"), field("name", name)];
    let at = Timestamp::from_millis(MONDAY);
    let read = Reading { modified: at, values: handed_over.clone(), import: false, from_now: false };
    let mut changes = vec![
        Change { at, what: What::Fields(handed_over), by: by.clone() },
        Change { at: Timestamp::from_millis(MONDAY + 300), what: What::Read(read), by: Actor::Unknown },
    ];
    let answer = vec![field("status", "Accepted")];
    let at = answered.map(|hours| Timestamp::from_millis(MONDAY + hours * HOUR));
    changes.extend(at.map(|at| Change { at, what: What::Fields(answer), by }));
    changes.into_iter().map(|change| (key.clone(), change)).collect()
}

fn simulate(config: &Path, agreement: &Path, more: &[&str]) -> (i32, String, String) {
    let agreement = agreement.display().to_string();
    let arguments: Vec<&str> = ["simulate", "--agreement", &agreement].iter().chain(more).copied().collect();
    let ended = run(&arguments, config);
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (ended.status.code().unwrap(), text(ended.stdout), text(ended.stderr))
}

#[tokio::test]
async fn what_a_shorter_deadline_would_have_changed_is_told_with_the_leads_concerned() {
    let (desk, config) = Desk::open(&["acme"]).await;
    let shorter = desk.file("shorter.toml", &TERMS.replace("\"4h\"", "\"2h\"").replace("\"one\"", "\"two\""));
    let (code, told, error) = simulate(&config, &shorter, &[]);
    assert_eq!((code, error.as_str()), (0, ""));
    let (first, rest) = told.split_once("  new  ").unwrap();
    assert_eq!(first, "acme: 8 recorded changes of 3 records replayed\n  old  Leads, in force (active)\n");
    let (_, lines) = rest.split_once('\n').unwrap();
    assert_eq!(
        lines,
        "
tele
  Accept
    done in time                   2 → 1         -1
      only old  2026-01-05 12:00 EST  Ben\u{fffd}[2J (lead 2)
    done late                      0 → 1         +1
      only new  2026-01-05 12:00 EST  Ben\u{fffd}[2J (lead 2)
    deadlines missed               1 → 2         +1
      only new  2026-01-05 11:00 EST  Ben\u{fffd}[2J (lead 2)
      moved     2026-01-05 13:00 EST → 2026-01-05 11:00 EST  Cleo (lead 3)
    notices                        1 → 2         +1
      only new  2026-01-05 11:00 EST  Ben\u{fffd}[2J (lead 2)
      moved     2026-01-05 13:00 EST → 2026-01-05 11:00 EST  Cleo (lead 3)
"
    );
}

#[tokio::test]
async fn as_json_every_line_stands_with_its_leads_and_days_limit_what_is_counted() {
    let (desk, config) = Desk::open(&["acme"]).await;
    let shorter = desk.file("shorter.toml", &TERMS.replace("\"4h\"", "\"2h\""));
    let (code, told, _) = simulate(&config, &shorter, &["--json", "--from", "2026-01-05", "--to", "2026-01-05"]);
    let json: Json = serde_json::from_str(&told).unwrap();
    assert_eq!((code, &json["records"], &json["changes"]), (0, &3.into(), &8.into()));
    let breaches = json["lines"].as_array().unwrap().iter().find(|line| line["kind"] == "breaches").unwrap();
    assert_eq!((&breaches["old"], &breaches["new"]), (&1.into(), &2.into()));
    let lead = &breaches["leads"][0];
    assert_eq!((&lead["id"], &lead["change"], &lead["guess"]), (&"2".into(), &"only_new".into(), &false.into()));
    assert_eq!((&lead["old_at"], &lead["new_at"]), (&Json::Null, &"2026-01-05T16:00:00.000Z".into()));

    let (_, told, _) = simulate(&config, &shorter, &["--from", "2026-01-06"]);
    assert!(told.contains("Nothing would have been different."), "{told}");
    let (code, _, error) = simulate(&config, &shorter, &["--from", "2026-01-06", "--to", "2026-01-05"]);
    assert!(code == 1 && error.contains("--from comes after --to"), "{error}");
}

#[tokio::test]
async fn against_a_file_the_active_agreement_is_not_asked() {
    let (desk, config) = Desk::open(&["acme"]).await;
    let shorter = desk.file("shorter.toml", &TERMS.replace("\"4h\"", "\"2h\""));
    let against = shorter.display().to_string();
    let (_, told, _) = simulate(&config, &shorter, &["--against", &against]);
    assert!(told.contains("Nothing would have been different.") && !told.contains("active"), "{told}");
}

#[tokio::test]
async fn what_is_wrong_with_the_agreement_or_the_question_is_said() {
    let (desk, config) = Desk::open(&["acme", "globex"]).await;
    let wrong = desk.file("wrong.toml", &TERMS.replace("status == \"MQL\"", "statos == \"MQL\""));
    let (code, _, error) = simulate(&config, &wrong, &["--connection", "acme"]);
    assert!(code == 1 && error.contains("wrong.toml") && error.contains("status"), "{error}");
    let right = desk.file("right.toml", TERMS);
    let (code, _, error) = simulate(&config, &right, &[]);
    assert!(code == 1 && error.contains("acme, globex"), "{error}");
    let (_, told, _) = simulate(&config, &right, &["--connection", "globex"]);
    assert!(told.contains("Nothing was recorded yet."), "{told}");
}
