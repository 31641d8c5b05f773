//! Which version of an agreement is to be the active one: a rule over what the database knows.
//! Nothing is written here.

use crate::record::{PartyName, Timestamp};
use crate::store::agreement::Version;
use crate::store::signature::Signature;

/// A version with the signatures under it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    pub version: Version,
    pub signatures: Vec<Signature>,
}

/// What a replica goes by.
#[derive(Clone, Copy, Debug)]
pub struct Terms<'a> {
    /// The hash of its file.
    pub file: &'a str,
    /// `require_signatures = false`.
    pub lifted: bool,
    pub now: Timestamp,
}

impl Known {
    /// The parties whose signatures are missing.
    pub fn missing(&self) -> Vec<&PartyName> {
        let signed = |party: &&PartyName| self.signatures.iter().any(|s| s.party == **party);
        self.version.signers.iter().flatten().filter(|party| !signed(party)).collect()
    }

    /// Whether it needs signatures and has them all.
    pub fn is_signed(&self) -> bool {
        self.version.signers.as_ref().is_some_and(|signers| !signers.is_empty()) && self.missing().is_empty()
    }

    pub fn is_active(&self) -> bool {
        self.version.activated_at.is_some() && self.version.superseded_at.is_none()
    }
}

/// The version that is active from now on; `None`: there is none yet.
///
/// Of all that are in effect and may act, the one with the latest effective day, and of several the
/// one that became so last. What is active needs nothing more to stay; what was superseded never
/// comes back, so that a replica that starts on an old file changes nothing.
pub fn choose<'a>(known: &'a [Known], terms: Terms<'_>) -> Option<&'a Known> {
    let active = known.iter().find(|k| k.is_active());
    let signed_before = active.is_some_and(Known::is_signed);
    let eligible = known.iter().filter(|k| {
        k.is_active()
            || (k.version.superseded_at.is_none()
                && k.version.effective_at <= terms.now
                && may(k, signed_before, terms))
    });
    let rank = |k: &&Known| {
        let since = k.version.activated_at.unwrap_or(Timestamp::MAX);
        let last = k.signatures.iter().map(|s| s.signed_at).max();
        (k.version.effective_at, since, last.max(Some(k.version.offered_at)))
    };
    eligible.max_by_key(rank)
}

/// Whether a version needs no more signatures. One in which nobody signs stands only where none was
/// signed before it: leaving the signatories out of the file must not take their say from them.
/// Without required signatures it is the replica's own file that the operator means.
fn may(known: &Known, signed_before: bool, terms: Terms<'_>) -> bool {
    let nobody_signs = known.version.signers.as_ref().is_some_and(Vec::is_empty);
    let is_file = known.version.hash == terms.file;
    known.is_signed() || (is_file && (terms.lifted || (nobody_signs && !signed_before)))
}

#[cfg(test)]
mod tests {
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
}
