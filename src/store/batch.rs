//! Multi-row statements: placeholders, and slices small enough to be quick on both engines.

use std::collections::HashMap;
use std::fmt::Write;
use std::hash::Hash;

/// At most so many variables in a statement. Far below SQLite's 32,766, since it finds numbered
/// variables by walking their list: the work grows with the square.
const VARIABLES: usize = 600;

/// Cuts rows into slices for one statement each. Lengths are the largest that fits or powers of
/// two, so that only a few different statements exist and all of them stay prepared.
pub fn slices<T>(rows: &[T], columns: usize) -> impl Iterator<Item = &[T]> {
    let most = (VARIABLES / columns.max(1)).max(1);
    let mut rest = rows;
    std::iter::from_fn(move || {
        let take = match rest.len() {
            0 => return None,
            n if n >= most => most,
            n => 1 << n.ilog2(),
        };
        let (head, tail) = rest.split_at(take);
        rest = tail;
        Some(head)
    })
}

/// `($3,$4),($5,$6)`: for `rows` rows of `columns`, after `before` variables used already.
pub fn values(before: usize, rows: usize, columns: usize) -> String {
    let mut text = String::with_capacity(rows * columns * 5);
    for row in 0..rows {
        text.push_str(if row == 0 { "(" } else { ",(" });
        for column in 1..=columns {
            let comma = if column == 1 { "" } else { "," };
            let number = before + row * columns + column;
            let _ = write!(text, "{comma}${number}");
        }
        text.push(')');
    }
    text
}

/// `($2,$3,$4)`: a list for `IN`, after `before` variables used already.
pub fn list(before: usize, items: usize) -> String {
    values(before, 1, items)
}

/// `(VALUES ($1,$3),($1,$4))`: keys of the connection that is `$1`, for `(connection, key) IN`, after `before`
/// variables used already. With the connection compared by itself, SQLite, which counts nothing, takes a
/// connection's rows for a few and walks them all beside an index that has the other columns.
pub fn keys_of_one(before: usize, keys: usize) -> String {
    let each: Vec<String> = (before + 1..=before + keys).map(|number| format!("($1,${number})")).collect();
    format!("(VALUES {})", each.join(","))
}

/// The last row of each key, in the order of their first appearance: an upsert may not meet the
/// same row twice in one statement.
pub fn last_of_each<'a, T, K: Hash + Eq>(rows: &'a [T], key: impl Fn(&'a T) -> K) -> Vec<&'a T> {
    let mut place: HashMap<K, usize> = HashMap::with_capacity(rows.len());
    let mut kept: Vec<&T> = Vec::with_capacity(rows.len());
    for row in rows {
        match place.get(&key(row)) {
            Some(&at) => kept[at] = row,
            None => {
                place.insert(key(row), kept.len());
                kept.push(row);
            }
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slices_cover_all_rows_in_few_lengths() {
        let rows: Vec<u32> = (0..1003).collect();
        let lengths: Vec<usize> = slices(&rows, 6).map(<[u32]>::len).collect();
        assert_eq!(lengths, [100, 100, 100, 100, 100, 100, 100, 100, 100, 100, 2, 1]);
        assert_eq!(slices(&rows, 6).flatten().copied().collect::<Vec<_>>(), rows);
        assert_eq!(slices(&rows[..0], 6).count(), 0);
    }

    #[test]
    fn placeholders_count_on_after_those_used_already() {
        assert_eq!(values(0, 2, 2), "($1,$2),($3,$4)");
        assert_eq!(values(1, 1, 3), "($2,$3,$4)");
        assert_eq!(list(2, 2), "($3,$4)");
    }

    #[test]
    fn the_last_row_of_a_key_wins() {
        let rows = [("a", 1), ("b", 2), ("a", 3)];
        assert_eq!(last_of_each(&rows, |r| r.0), [&("a", 3), &("b", 2)]);
    }
}
