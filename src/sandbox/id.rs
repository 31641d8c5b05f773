//! Record ids as the real CRMs make them: HubSpot counts in decimal, Salesforce in 15 letters and
//! digits with a suffix of three that keeps the case.

const SUFFIX: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ012345";
const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
/// What stands between prefix and number: instance and reserved characters.
const INSTANCE: &str = "5g00000";
const NUMBER_LENGTH: usize = 5;

/// The 18-character id of the n-th record with that prefix (three characters).
pub fn salesforce(prefix: &str, n: u64) -> String {
    let mut number = [b'0'; NUMBER_LENGTH];
    let mut rest = n;
    for digit in number.iter_mut().rev() {
        *digit = DIGITS[(rest % 62) as usize];
        rest /= 62;
    }
    let id15: String = prefix.chars().chain(INSTANCE.chars()).chain(number.iter().map(|b| char::from(*b))).collect();
    with_suffix(&id15)
}

/// 15 characters as 18; anything else as it came.
pub fn with_suffix(id: &str) -> String {
    if id.len() != 15 || !id.is_ascii() {
        return id.to_owned();
    }
    let suffix = id.as_bytes().chunks(5).map(|chunk| char::from(SUFFIX[capitals(chunk)]));
    id.chars().chain(suffix).collect()
}

/// Bit k is set when character k is a capital.
fn capitals(chunk: &[u8]) -> usize {
    chunk.iter().enumerate().map(|(k, c)| usize::from(c.is_ascii_uppercase()) << k).sum()
}

/// Where HubSpot's numbers begin for an object type; deals and leads lie beyond 32 bits.
pub fn first_hubspot_number(object: &str) -> u64 {
    match object {
        "deals" => 811_223_344_000,
        "0-136" => 497_301_188_000,
        "tasks" => 30_114_455_000,
        _ => 70_112_000,
    }
}

/// The prefix of an object's ids in every organisation.
pub fn salesforce_prefix(object: &str) -> &'static str {
    match object {
        "Lead" => "00Q",
        "Opportunity" => "006",
        "Task" => "00T",
        "Event" => "00U",
        "User" => "005",
        "Group" => "00G",
        "Account" => "001",
        "Contact" => "003",
        "LeadHistory" | "OpportunityFieldHistory" => "017",
        "Notification" => "04l",
        "PermissionSet" => "0PS",
        "FieldPermissions" => "01k",
        "PermissionSetAssignment" => "0Pa",
        _ => "a00",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_suffix_keeps_the_case_of_published_ids() {
        assert_eq!(with_suffix("001D000000K0fXO"), "001D000000K0fXOIAZ");
        assert_eq!(with_suffix("00Q5g00000LeAd1"), "00Q5g00000LeAd1EAF");
        assert_eq!(with_suffix("a005E000004Y0fb"), "a005E000004Y0fbQAC");
    }

    #[test]
    fn numbers_differ_and_have_18_characters() {
        let (a, b) = (salesforce("00Q", 10), salesforce("00Q", 36));
        assert_eq!((a.len(), b.len()), (18, 18));
        assert!(a.starts_with("00Q") && a[..15] != b[..15]);
    }
}
