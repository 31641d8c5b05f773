//! Operators' templates: which are taken, and how mistakes in them are named.
use super::*;
use crate::notify::{Destination, Item, Message};
use std::fs;

fn directory(files: &[(&str, &str)]) -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    for (name, text) in files {
        fs::write(directory.path().join(name), text).unwrap();
    }
    directory
}

fn refused(files: &[(&str, &str)]) -> String {
    let directory = directory(files);
    let error = Templates::load(Some(directory.path())).unwrap_err().to_string();
    error.replace(&format!("{}/", directory.path().display()), "")
}

fn subject(templates: &Templates, notice: Notice) -> (String, String) {
    let items: Vec<Item> = vec![sample::item(notice)];
    let to = Destination::SlackChannel("#x".to_owned());
    let said = render::render(templates, &Message { key: "k".to_owned(), to, items }).unwrap();
    (said.subject, said.text)
}

#[test]
fn every_shipped_template_works_with_much_and_with_little() {
    Templates::load(None).unwrap();
}

#[test]
fn an_operators_file_stands_in_for_the_shipped_one_and_only_for_that() {
    let directory = directory(&[
        ("breach.txt", "SUBJECT: Late: {{ record.name }}\n{% include \"_sign.txt\" %}\n"),
        ("_sign.txt", "Your operations team"),
        ("notes.md", "not a template {{"),
    ]);
    let templates = Templates::load(Some(directory.path())).unwrap();
    assert_eq!(subject(&templates, Notice::Breach), ("Late: Zoë Ünal".to_owned(), "Your operations team\n".to_owned()));
    assert!(subject(&templates, Notice::Reminder).0.starts_with("Due in 30 minutes"));
}

#[test]
fn a_mistake_names_file_and_line() {
    let check = |text: &str, says: &str| {
        let error = refused(&[("breach.txt", text)]);
        assert!(error.starts_with(says), "{error}");
    };
    check("Subject: x\n\n{% if %}\n", "breach.txt:3: syntax error");
    check("Subject: x\n{{ record.nmae }}\n", "breach.txt:2: undefined value");
    check("Subject: x\n\n\n{{ owner | shout }}\n", "breach.txt:4: unknown filter");
    check("Hello\n", "breach.txt:1: the first line must be `Subject: …`");
    check("Subject:  \nHello\n", "breach.txt:1: the first line");
    check("Subject: x\n{% for a in range(99999) %}{{ a }}{% endfor %}", "breach.txt:2: ");
}

#[test]
fn a_mistake_in_a_part_names_the_part() {
    let error = refused(&[("_facts.txt", "\n{{ nobody_knows }}\n")]);
    assert!(error.starts_with("_facts.txt:2: undefined value"), "{error}");
}

#[test]
fn a_template_that_no_message_uses_is_an_error() {
    let error = refused(&[("remainder.txt", "Subject: x\n")]);
    assert!(
        error.starts_with("remainder.txt: no message uses a template of this name; there are reminder.txt"),
        "{error}"
    );
}

#[test]
fn a_missing_directory_is_an_error() {
    let error = Templates::load(Some(Path::new("/no/such/directory"))).unwrap_err();
    assert!(error.to_string().starts_with("/no/such/directory: cannot be read"), "{error}");
}

#[test]
fn an_endless_template_ends() {
    let template = "{% for a in range(9999) %}{% for b in range(9999) %}{{ b }}{% endfor %}{% endfor %}";
    let error = Templates::line(template, Value::UNDEFINED).unwrap_err();
    assert!(error.message.contains("fuel"), "{error}");
}
