//! Reading a description: every mistake at once with its place, and where a connection names one.

use crate::fake::PLAIN;
use leadpact::crm::connection::Platform;
use leadpact::crm::generic::{SHIPPED, parse};
use leadpact::settings::{Environment, from_text};

fn mistakes(text: &str) -> String {
    parse("mine.toml", text).expect_err("it has mistakes").render(false)
}

/// [`PLAIN`] with a line changed.
fn changed(from: &str, to: &str) -> String {
    assert!(PLAIN.contains(from), "{from}");
    PLAIN.replacen(from, to, 1)
}

#[test]
fn what_comes_with_leadpact_is_sound() {
    for (name, text) in SHIPPED {
        if let Err(report) = parse(name, text) {
            panic!("{}", report.render(false));
        }
    }
}

#[test]
fn mistakes_are_shown_with_line_caret_and_what_was_meant() {
    let text = changed("read     = { get = \"/people/{id}\" }", "read     = { get = \"/people/{idd}\" }");
    let shown = mistakes(&text);
    assert!(shown.contains("`{idd}` cannot be filled in here"), "{shown}");
    assert!(shown.contains("mine.toml:24:29"), "{shown}");
    assert!(shown.contains("^^^^^"), "{shown}");
    assert!(shown.contains("did you mean `id`?"), "{shown}");
}

#[test]
fn every_rule_of_a_description_is_held() {
    for (from, to, expected) in [
        ("name = \"Plain\"", "nme = \"Plain\"", "unknown key `nme`"),
        ("name = \"Plain\"", "", "the description has no `name`"),
        ("scheme = \"bearer\"", "scheme = \"bear\"", "`scheme` cannot be `bear`"),
        ("scheme = \"bearer\"", "scheme = \"header\"", "`authentication` has no `header`"),
        ("scheme = \"bearer\"", "scheme = \"bearer\"\nvalue = \"x\"", "unknown key `value`"),
        ("id      = \"record.id\"", "", "`webhook` has no `id`"),
        ("id      = \"record.id\"", "id = \"record..id\"", "`id` is no path"),
        ("object  = \"kind\"", "", "both [lead] and [opportunity] are described"),
        ("set = \"changed\"", "set = \"change\"", "did you mean `changed`?"),
        ("actions = {", "#", "`action` without `actions`"),
        ("time    = \"at\"", "time = \"at\"\ntimes = \"%Y-%m-%d\"", "`times` is no way to write a moment"),
        ("get = \"/people/{id}\" }", "get = \"/people\" }", "no `{id}` stands in this request"),
        ("get = \"/people/{id}\" }", "get = \"people/{id}\" }", "a path begins with one slash"),
        ("get = \"/people/{id}\" }", "get = \"//evil/{id}\" }", "a path begins with one slash"),
        ("get = \"/people/{id}\" }", "get = \"/people?id={id}\" }", "a path has no `?`"),
        ("get = \"/people/{id}\" }", "get = \"/a/../{id}\" }", "a path has no `.` and `..`"),
        ("get = \"/people/{id}\" }", "get = \"/people/{id\" }", "a brace without a name"),
        ("get = \"/people/{id}\" }", "get = \"/people/{id}\", post = \"/x\" }", "exactly one of `get`, `post`"),
        ("get = \"/people/{id}\" }", "delete = \"/people/{id}\" }", "unknown key `delete`"),
        ("get = \"/people/{id}\" }", "get = \"/people/{access_token}/{id}\" }", "`{access_token}` cannot be filled in"),
        ("modified = \"changed_at\"", "", "`lead` has no `modified`"),
        ("name = \"name\",", "nam = \"name\",", "did you mean `name`?"),
        ("query = { since = \"{since}\" }", "query = { }", "no `{since}` stands in this request"),
        ("next_link = \"more\"", "next = \"more\"", "no `{cursor}` stands in the request"),
        (
            "next_link = \"more\"",
            "next_link = \"more\", page = 5",
            "only one of `next`, `next_link`, `link_header` and `page`",
        ),
        ("body = { set = \"{changes}\" }", "body = { set = 1 }", "no `{changes}` stands in the body"),
        ("find   = { get", "#", "[task] has no `find`"),
        ("text = \"{text}\",", "", "no `{text}` stands in this request"),
        ("[opportunity]", "[errors]\nlater = [200]\n[opportunity]", "`later` is a list of statuses"),
        ("[opportunity]", "[errors]\nlater = \"429\"\n[opportunity]", "`later` is a list of statuses"),
        ("[opportunity]", "[errors]\nlatr = [429]\n[opportunity]", "did you mean `later`?"),
    ] {
        let shown = mistakes(&changed(from, to));
        assert!(shown.contains(expected), "{to}: {shown}");
    }
}

fn settings(connector: &str, rest: &str) -> Result<leadpact::settings::Settings, String> {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("mine.toml"), PLAIN).unwrap();
    std::fs::write(folder.path().join("bad.toml"), "name = 3\n").unwrap();
    let file = folder.path().join("leadpact.toml");
    let text = format!("[[connection]]\nname = \"acme\"\ncrm = \"generic\"\nconnector = \"{connector}\"\n{rest}");
    from_text(file.to_str().unwrap(), &text, &Environment::from_iter([("NONE", "")]))
        .map(|(settings, _)| settings)
        .map_err(|report| report.render(false))
}

const REST: &str = "base_url = \"https://crm.example\"\naccess_token = \"t\"\nwebhook_secret = [\"s\"]\n";

#[test]
fn a_connection_names_a_file_beside_its_configuration_or_one_that_is_shipped() {
    let settings = settings("mine.toml", REST).unwrap();
    let Platform::Generic(own) = &settings.connections[0].platform else { panic!("generic") };
    assert_eq!(own.described.as_ref().unwrap().description.name, "Plain");
    assert!(!format!("{settings:?}").contains("access_token: Some(\"t\")"), "secrets do not show");
}

#[test]
fn what_is_wrong_with_a_named_description_is_said_below_the_line_that_names_it() {
    let shown = settings("pipdrive", REST).unwrap_err();
    assert!(shown.contains("did you mean `pipedrive`?"), "{shown}");
    let shown = settings("none.toml", REST).unwrap_err();
    assert!(shown.contains("the description cannot be read"), "{shown}");
    let shown = settings("bad.toml", REST).unwrap_err();
    assert!(shown.contains("the description bad.toml has"), "{shown}");
    assert!(shown.contains("`name` must be text, this is a number"), "{shown}");
    assert!(shown.contains("bad.toml:1:8"), "{shown}");
    assert!(!shown.contains("unknown key"), "nothing else is said: {shown}");
}

#[test]
fn a_connection_gives_what_its_description_asks_for_and_nothing_else() {
    for (rest, expected) in [
        ("base_url = \"https://c.example\"\nwebhook_secret = [\"s\"]\n", "has no `access_token`"),
        ("base_url = \"https://c.example\"\naccess_token = \"t\"\n", "has no `webhook_secret`"),
        ("access_token = \"t\"\nwebhook_secret = [\"s\"]\n", "this connector needs a `base_url`"),
        (&format!("{REST}client_id = \"x\"\n"), "does not sign in with `client_id`"),
        (&format!("{REST}time_zone = \"Mars\"\n"), "`time_zone` is no time zone"),
        (&format!("{REST}portal_id = 7\n"), "`portal_id` is a setting of hubspot"),
    ] {
        let shown = settings("mine.toml", rest).unwrap_err();
        assert!(shown.contains(expected), "{shown}");
    }
    let pipedrive = settings("pipedrive", REST).unwrap_err();
    assert!(pipedrive.contains("write user:password"), "{pipedrive}");
    let text = "[[connection]]\nname = \"a\"\ncrm = \"generic\"\naccess_token = \"t\"\n\
                verify = { scheme = \"standard-webhooks\", secret = [\"c2VjcmV0\"] }\n";
    let shown = from_text("leadpact.toml", text, &Environment::from_iter([("NONE", "")])).unwrap_err().render(false);
    assert!(shown.contains("`access_token` is for a connection with a `connector`"), "{shown}");
}
