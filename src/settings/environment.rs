//! Environment variables as values that are handed in, so that a test brings its own. Only
//! [`Environment::of_process`] looks at the real ones.

use std::collections::BTreeMap;
use std::fmt;

/// What the daemon may see of the environment.
#[derive(Clone, Default)]
pub struct Environment(BTreeMap<String, String>);

/// Why a `${NAME}` has no value.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Missing {
    #[error("the environment has no {0}")]
    Unset(String),
    #[error("{variable} names a file that cannot be read: {why}")]
    File { variable: String, why: String },
}

impl Environment {
    /// The variables of this process, but those that are not UTF-8.
    pub fn of_process() -> Self {
        Self(std::env::vars_os().filter_map(|(k, v)| Some((k.into_string().ok()?, v.into_string().ok()?))).collect())
    }

    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// All variables, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(k, v)| (k.as_str(), v.as_str()))
    }

    /// The variable, else the content of the file that `NAME_FILE` names, less the newline at its
    /// end: the way containers are given secrets.
    pub(super) fn fill(&self, name: &str) -> Result<String, Missing> {
        if let Some(value) = self.get(name) {
            return Ok(value.to_owned());
        }
        let variable = format!("{name}_FILE");
        let path = self.get(&variable).ok_or_else(|| Missing::Unset(name.to_owned()))?;
        let text = std::fs::read_to_string(path)
            .map_err(|e| Missing::File { variable: variable.clone(), why: format!("{path}: {e}") })?;
        let text = text.strip_suffix('\n').unwrap_or(&text);
        Ok(text.strip_suffix('\r').unwrap_or(text).to_owned())
    }
}

impl<K: Into<String>, V: Into<String>> FromIterator<(K, V)> for Environment {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(variables: I) -> Self {
        Self(variables.into_iter().map(|(k, v)| (k.into(), v.into())).collect())
    }
}

impl fmt::Debug for Environment {
    /// Names only: many of the values are secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_variable_goes_before_the_file_of_the_same_name() {
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("token");
        std::fs::write(&path, "from file\n").expect("written");
        let file = path.display().to_string();
        let both = Environment::from_iter([("A", "from variable"), ("A_FILE", &file), ("B_FILE", &file)]);
        assert_eq!(both.fill("A").as_deref(), Ok("from variable"));
        assert_eq!(both.fill("B").as_deref(), Ok("from file"), "the newline at its end is no part of it");
        assert_eq!(both.fill("C"), Err(Missing::Unset("C".into())));
    }

    #[test]
    fn a_file_that_cannot_be_read_is_named_with_its_variable() {
        let environment = Environment::from_iter([("A_FILE", "/nowhere/token")]);
        let why = environment.fill("A").expect_err("no such file").to_string();
        assert!(why.starts_with("A_FILE names a file that cannot be read: /nowhere/token"), "{why}");
    }

    #[test]
    fn values_do_not_show_in_debug_output() {
        let shown = format!("{:?}", Environment::from_iter([("TOKEN", "s3cret")]));
        assert_eq!(shown, r#"{"TOKEN"}"#);
    }
}
