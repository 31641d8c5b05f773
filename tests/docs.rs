//! The documentation is true: every configuration in it is read without an error, every payload is
//! understood, and what it points to exists.

use leadpact::agreement::parse::parse;
use leadpact::crm::generic::{self, Generic};
use leadpact::crm::http::Http;
use leadpact::crm::{Crm, Says, VerifiedDelivery};
use leadpact::record::Timestamp;
use leadpact::settings::{self, Environment, Settings};
use std::fs;
use std::path::Path;
use std::sync::Arc;

const PAGES: [&str; 6] =
    ["README.md", "ARCHITECTURE.md", "CHANGELOG.md", "docs/connectors.md", "docs/pages.md", "docs/webhooks.md"];

fn read(file: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
    fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

/// The blocks of this language in a page.
fn blocks(page: &str, language: &str) -> Vec<String> {
    let text = read(page);
    let fence = format!("```{language}\n");
    let found = text.split(&fence).skip(1).map(|rest| rest.split("```").next().unwrap_or_default().to_owned());
    found.collect()
}

/// Configurations name at least a connection; other TOML is a part of an agreement.
fn configurations(page: &str) -> Vec<Settings> {
    let secrets =
        ["HUBSPOT_ACCESS_TOKEN", "HUBSPOT_CLIENT_SECRET", "SF_CLIENT_ID", "SF_CLIENT_SECRET", "SF_PATH_SECRET"];
    let secrets = secrets.iter().chain(
        [
            "SLACK_BOT_TOKEN",
            "SLACK_SIGNING_SECRET",
            "OTHER_SECRET",
            "FRAPPE_API_KEY",
            "FRAPPE_API_SECRET",
            "FRAPPE_WEBHOOK_SECRET",
        ]
        .iter(),
    );
    let environment = Environment::from_iter(secrets.map(|s| ((*s).to_owned(), "c2VjcmV0LW9mLWEtdGVzdA==".to_owned())));
    let texts = blocks(page, "toml").into_iter().filter(|text| text.contains("[[connection]]"));
    let read = texts.map(|text| match settings::from_text(page, &text, &environment) {
        Ok((settings, _)) => settings,
        Err(report) => panic!("{}", report.render(false)),
    });
    read.collect()
}

#[test]
fn the_configurations_of_the_readme_fit_the_example_agreement() {
    let text = read("config/agreement.toml");
    let agreement = parse("agreement.toml", &text, &|_| Err("no file".to_owned())).expect("sound").agreement;
    let found = configurations("README.md");
    assert_eq!(found.len(), 2);
    for settings in found {
        let report = settings::check_against(&settings, &agreement, |_| true);
        assert!(!report.has_errors(), "{}", report.render(false));
    }
}

#[test]
fn the_payloads_of_the_webhook_page_are_understood_whole() {
    let text = read("config/agreement.toml");
    let agreement = parse("agreement.toml", &text, &|_| Err("no file".to_owned())).expect("sound").agreement;
    let connections: Vec<_> = configurations("docs/webhooks.md").into_iter().flat_map(|s| s.connections).collect();
    assert_eq!(connections.len(), 2);
    let http = Http::new(Arc::new(|| Timestamp::from_millis(0))).expect("a client");
    let crm = Generic::new(connections[0].clone(), &agreement.dictionary, http);
    let payloads = blocks("docs/webhooks.md", "json");
    assert_eq!(payloads.len(), 2);
    let mut said = Vec::new();
    for payload in payloads {
        let events = crm.events(&VerifiedDelivery::from_inbox(payload.into_bytes())).expect("understood");
        assert!(events.dropped.is_empty(), "{:?}", events.dropped);
        said.extend(events.events.into_iter().map(|event| event.says));
    }
    assert_eq!(said.len(), 4);
    assert!(matches!(&said[0], Says::Changed(values) if values.len() == 4), "{:?}", said[0]);
}

#[test]
fn the_page_about_connectors_shows_a_connection_and_a_description_that_are_sound() {
    assert_eq!(configurations("docs/connectors.md").len(), 1);
    let texts = blocks("docs/connectors.md", "toml");
    let description = texts.iter().find(|text| text.contains("[authentication]")).expect("a whole one");
    if let Err(report) = generic::parse("connectors.md", description) {
        panic!("{}", report.render(false));
    }
}

#[test]
fn pages_point_to_files_that_exist() {
    for page in PAGES {
        let text = read(page);
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(page);
        let folder = folder.parent().expect("a page lies in a folder");
        for target in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let outside = target.starts_with("http") || target.starts_with('#');
            assert!(outside || folder.join(target).exists(), "{page} points to {target}");
        }
    }
}

/// Every file below a folder.
fn files(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
    let of = |entry: fs::DirEntry| match entry.path() {
        path if path.is_dir() => files(&path),
        path => vec![path.display().to_string()],
    };
    entries.flat_map(|entry| of(entry.expect("an entry of a folder"))).collect()
}

#[test]
fn the_map_answers_each_question_once_and_names_files_that_there_are() {
    let text = read("ARCHITECTURE.md");
    let map = text.split("### Where to look\n").nth(1).and_then(|rest| rest.split("\n## ").next());
    let rows = map.expect("the map").lines().filter(|line| line.starts_with("| ")).skip(1);
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let known: Vec<String> =
        ["src", "tests", "config", "templates", "docs"].iter().flat_map(|part| files(&root.join(part))).collect();
    let mut questions: Vec<&str> = Vec::new();
    for row in rows {
        let question = row.split('|').nth(1).unwrap_or_default().trim();
        assert!(!questions.contains(&question), "`{question}` is answered twice");
        questions.push(question);
        for named in row.split('`').skip(1).step_by(2).filter(|named| named.ends_with(".rs") || named.ends_with('/')) {
            let named = named.trim_start_matches("src/");
            let is_meant = |path: &&String| path.contains(&format!("/{named}"));
            assert!(named.contains('*') || known.iter().any(|path| is_meant(&path)), "`{question}` names {named}");
        }
    }
}
