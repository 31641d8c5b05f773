//! The manifest of the Slack app.

use leadpact::package::{PackageError, slack};

#[test]
fn the_bot_may_do_what_it_does_and_no_more() {
    let package = slack("leadpact", Some("https://leadpact.acme.example/")).expect("a package");
    let manifest = package.text("manifest.yaml").expect("there");
    let scopes: Vec<&str> = manifest.lines().filter_map(|line| line.trim().strip_prefix("- ")).collect();
    assert_eq!(
        scopes,
        ["chat:write", "chat:write.public", "im:write", "channels:read", "users:read", "users:read.email"]
    );
    assert!(manifest.contains("    request_url: \"https://leadpact.acme.example/slack/actions\"\n"), "{manifest}");
    let without = slack("leadpact", None).expect("a package");
    assert!(!without.text("manifest.yaml").expect("there").contains("interactivity"), "nothing would answer buttons");
}

#[test]
fn a_name_cannot_add_to_the_manifest() {
    let package = slack("x\", y: {z: \"#", None).expect("a package");
    let manifest = package.text("manifest.yaml").expect("there");
    assert!(manifest.contains("  name: \"x\\\", y: {z: \\\"#\"\n"), "{manifest}");
    for name in ["", " ", "a\nb", &"n".repeat(36)] {
        assert_eq!(slack(name, None), Err(PackageError::SlackName(name.to_owned())));
    }
}
