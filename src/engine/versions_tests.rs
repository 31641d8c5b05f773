//! Which version is chosen, case by case.

use super::*;

const NOW: Timestamp = Timestamp::from_millis(1_000);

fn at(ms: i64) -> Timestamp {
    Timestamp::from_millis(ms)
}

/// Signed by both who sign.
fn signed(hash: &str, effective: i64) -> Known {
    let version = Version {
        hash: hash.to_owned(),
        title: "Leads".to_owned(),
        version: hash.to_owned(),
        signers: Some(vec!["marketing".into(), "sales".into()]),
        effective_at: at(effective),
        offered_at: at(1),
        activated_at: None,
        superseded_at: None,
    };
    let signature = |party: &str| Signature {
        agreement: hash.to_owned(),
        party: party.into(),
        name: String::new(),
        title: String::new(),
        on_behalf_of: None,
        entered_by: String::new(),
        signed_at: at(5),
    };
    Known { version, signatures: vec![signature("marketing"), signature("sales")] }
}

fn active(mut known: Known, since: i64) -> Known {
    known.version.activated_at = Some(at(since));
    known
}

fn superseded(mut known: Known) -> Known {
    known.version.superseded_at = Some(at(9));
    active(known, 3)
}

fn half_signed(mut known: Known) -> Known {
    known.signatures.pop();
    known
}

fn unsigned(mut known: Known) -> Known {
    known.signatures.clear();
    known
}

fn nobody_signs(hash: &str) -> Known {
    let mut known = unsigned(signed(hash, 10));
    known.version.signers = Some(Vec::new());
    known
}

#[track_caller]
fn check(known: &[Known], file: &str, lifted: bool, expected: Option<&str>) {
    let chosen = choose(known, Terms { file, lifted, now: NOW }).map(|k| k.version.hash.as_str());
    assert_eq!(chosen, expected);
}

#[test]
fn a_version_that_one_party_did_not_sign_is_not_chosen() {
    check(&[half_signed(signed("a", 10))], "a", false, None);
    check(&[signed("a", 10)], "a", false, Some("a"));
    check(&[signed("a", 10)], "b", false, Some("a"));
}

#[test]
fn a_signed_version_waits_for_its_effective_day() {
    check(&[active(signed("a", 10), 20), signed("b", 1_001)], "b", false, Some("a"));
    check(&[active(signed("a", 10), 20), signed("b", 1_000)], "b", false, Some("b"));
    check(&[signed("b", 1_001)], "b", true, None);
}

#[test]
fn an_earlier_effective_day_does_not_come_back_however_late_it_was_signed() {
    check(&[active(signed("a", 100), 20), signed("b", 50)], "b", false, Some("a"));
    check(&[active(signed("a", 100), 20), signed("b", 100)], "b", false, Some("b"));
}

#[test]
fn what_was_superseded_never_comes_back() {
    check(&[superseded(signed("a", 10)), active(signed("b", 10), 9)], "a", false, Some("b"));
    check(&[superseded(signed("a", 10)), active(signed("b", 10), 9)], "a", true, Some("b"));
    check(&[superseded(signed("a", 500)), active(signed("b", 10), 9)], "a", false, Some("b"));
}

#[test]
fn without_required_signatures_only_the_own_file_is_meant() {
    let drafts = [active(signed("a", 10), 20), unsigned(signed("b", 10)), unsigned(signed("c", 10))];
    check(&drafts, "a", true, Some("a"));
    check(&drafts, "b", true, Some("b"));
    check(&drafts, "b", false, Some("a"));
}

#[test]
fn leaving_the_signatories_out_does_not_replace_what_they_signed() {
    check(&[nobody_signs("b")], "b", false, Some("b"));
    check(&[active(nobody_signs("a"), 20), nobody_signs("b")], "b", false, Some("b"));
    check(&[active(signed("a", 10), 20), nobody_signs("b")], "b", false, Some("a"));
    check(&[active(signed("a", 10), 20), nobody_signs("b")], "b", true, Some("b"));
}

#[test]
fn what_is_active_stays_when_signatures_are_asked_for_again() {
    check(&[active(unsigned(signed("a", 10)), 20)], "a", false, Some("a"));
}

#[test]
fn a_version_offered_by_an_older_leadpact_is_nothing_until_it_is_offered_again() {
    let mut old = unsigned(signed("a", 10));
    old.version.signers = None;
    check(&[old.clone()], "b", false, None);
    assert!(!old.is_signed());
}
