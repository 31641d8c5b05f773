//! (stub until the conditions arrive) The closest of several names.

/// The one of `possible` that `name` was probably meant to be.
pub fn closest<'a>(name: &str, possible: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let lower = name.to_lowercase();
    possible
        .into_iter()
        .map(|p| (distance(&lower, &p.to_lowercase()), p))
        .filter(|(d, p)| *d <= 1 + p.len() / 4)
        .min_by_key(|(d, _)| *d)
        .map(|(_, p)| p)
}

fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, ca) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, cb) in b.iter().enumerate() {
            let next = (diagonal + usize::from(ca != *cb)).min(row[j] + 1).min(row[j + 1] + 1);
            diagonal = row[j + 1];
            row[j + 1] = next;
        }
    }
    row[b.len()]
}
