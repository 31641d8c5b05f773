//! Which entry of the old version is which of the new one: by name, and where only the name changed,
//! by all the rest.

use super::Line;
use serde_json::Value;

/// Where an entry stands in either list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Met {
    Both(usize, usize),
    Gone(usize),
    New(usize),
}

/// The entries of two lists of named tables in the order of the new one, those that are gone at the end.
pub(super) fn meet(old: &[(&str, &Value)], new: &[(&str, &Value)]) -> Vec<Met> {
    let mut left: Vec<usize> = (0..old.len()).filter(|i| !new.iter().any(|(name, _)| *name == old[*i].0)).collect();
    let mut met = Vec::new();
    for (j, (name, table)) in new.iter().enumerate() {
        if let Some(i) = old.iter().position(|(other, _)| other == name) {
            met.push(Met::Both(i, j));
        } else if let Some(at) = left.iter().position(|i| rest(old[*i].1) == rest(table)) {
            met.push(Met::Both(left.remove(at), j));
        } else {
            met.push(Met::New(j));
        }
    }
    met.extend(left.into_iter().map(Met::Gone));
    met
}

/// A table without its name.
fn rest(table: &Value) -> Value {
    let mut rest = table.clone();
    if let Some(table) = rest.as_object_mut() {
        table.remove("name");
    }
    rest
}

/// Names and tables of a list of tables, as `meet` wants them. A table without a name is called by nothing.
pub(super) fn named(list: &Value) -> Vec<(&str, &Value)> {
    list.as_array().into_iter().flatten().map(|table| (table["name"].as_str().unwrap_or_default(), table)).collect()
}

/// A line where what stands in both lists stands in another order.
pub(super) fn order(what: &str, old: &[(&str, &Value)], new: &[(&str, &Value)]) -> Option<Line> {
    let in_both = |list: &[(&str, &Value)], other: &[(&str, &Value)]| -> Vec<String> {
        let names = list.iter().map(|(name, _)| (*name).to_owned());
        names.filter(|name| other.iter().any(|(theirs, _)| theirs == name)).collect()
    };
    let (was, is) = (in_both(old, new), in_both(new, old));
    (was != is).then(|| Line::plain(format!("The order of the {what}: {} → {}", was.join(", "), is.join(", "))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_entry_is_known_by_its_name_and_else_by_the_rest_of_it() {
        let (old, new) = (
            json!([{"name": "a", "x": 1}, {"name": "b", "x": 2}, {"name": "c", "x": 3}]),
            json!([{"name": "d", "x": 2}, {"name": "a", "x": 9}, {"name": "e", "x": 8}]),
        );
        let met = meet(&named(&old), &named(&new));
        assert_eq!(met, [Met::Both(1, 0), Met::Both(0, 1), Met::New(2), Met::Gone(2)]);
    }

    #[test]
    fn only_what_is_in_both_has_an_order() {
        let list = |names: [&'static str; 3]| json!(names.map(|name| json!({ "name": name })));
        let (abc, axc, cbx) = (list(["a", "b", "c"]), list(["a", "x", "c"]), list(["c", "b", "x"]));
        assert_eq!(order("stages", &named(&abc), &named(&axc)), None);
        let line = order("stages", &named(&abc), &named(&cbx)).expect("another order");
        assert_eq!(line.text, "The order of the stages: b, c → c, b");
    }
}
