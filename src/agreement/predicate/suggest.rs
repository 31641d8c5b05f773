//! "Did you mean": the known word nearest to a mistyped one. Knows nothing of conditions; the reader
//! of the agreement's file asks here too.

/// Words longer than this are not corrected: the work grows with the square of the length.
const LONGEST: usize = 64;

/// The candidate nearest to `word` by edit distance, if it is near enough to be meant: at most one
/// edit for every three characters (and always one). Case is ignored; of equals the first wins.
pub fn closest<'a>(word: &str, among: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let word = lowered(word);
    if word.is_empty() || word.len() > LONGEST {
        return None;
    }
    let allowed = (word.len() / 3).max(1);
    among
        .filter_map(|candidate| {
            let other = lowered(candidate);
            // One letter is within one edit of every other: that is no likeness.
            let near = other.len().abs_diff(word.len()) <= allowed && other.len().max(word.len()) > 1;
            let distance = near.then(|| distance(&word, &other))?;
            (distance <= allowed).then_some((distance, candidate))
        })
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

fn lowered(text: &str) -> Vec<char> {
    text.chars().take(LONGEST + 1).flat_map(char::to_lowercase).collect()
}

/// Insertions, deletions, replacements and swaps of neighbours that lead from one to the other.
fn distance(a: &[char], b: &[char]) -> usize {
    let mut before: Vec<usize> = Vec::new();
    let mut above: Vec<usize> = (0..=b.len()).collect();
    for i in 1..=a.len() {
        let mut row = vec![i; b.len() + 1];
        for j in 1..=b.len() {
            let replaced = above[j - 1] + usize::from(a[i - 1] != b[j - 1]);
            row[j] = replaced.min(above[j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                row[j] = row[j].min(before[j - 2] + 1);
            }
        }
        before = std::mem::replace(&mut above, row);
    }
    above[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIELDS: [&str; 5] = ["score", "source", "status", "tal", "on_hold"];

    #[test]
    fn a_mistyped_word_finds_the_one_that_was_meant() {
        for (typed, meant) in
            [("scor", "score"), ("sorce", "source"), ("statsu", "status"), ("tla", "tal"), ("onhold", "on_hold")]
        {
            assert_eq!(closest(typed, FIELDS.into_iter()), Some(meant), "{typed}");
        }
    }

    #[test]
    fn case_is_no_difference() {
        assert_eq!(closest("STATUS", FIELDS.into_iter()), Some("status"));
    }

    #[test]
    fn a_word_unlike_all_others_is_left_uncorrected() {
        assert_eq!(closest("region", FIELDS.into_iter()), None);
        assert_eq!(closest("", FIELDS.into_iter()), None);
        assert_eq!(closest("x", ["y"].into_iter()), None);
        assert_eq!(closest(&"s".repeat(5000), FIELDS.into_iter()), None);
    }

    #[test]
    fn the_nearest_wins_and_of_equals_the_first() {
        assert_eq!(closest("stage", ["state", "stages"].into_iter()), Some("state"));
        assert_eq!(closest("stages", ["state", "stage"].into_iter()), Some("stage"));
    }
}
