//! Reads one table key by key. Each key that is asked for is thereby a possible one; `finish`
//! reports those that nobody asked for.

use super::value::{self, Datum, Word, kind};
use super::{Problem, Sink};
use crate::agreement::problem::did_you_mean;
use jiff::civil::{Date, Time};
use std::ops::Range;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// One table of the file being read.
#[derive(Debug)]
pub struct Reader<'a> {
    table: &'a DeTable<'a>,
    span: Range<usize>,
    /// What the table is called in messages: `[[stage]]`, `the agreement`.
    what: String,
    asked: Vec<&'static str>,
    sink: &'a Sink<'a>,
}

impl<'a> Reader<'a> {
    /// Reads a whole file. Its span is the first line, since that is where a missing key belongs.
    pub fn root(table: &'a DeTable<'a>, what: &str, sink: &'a Sink<'a>) -> Self {
        Self { table, span: 0..sink.text.find('\n').unwrap_or(sink.text.len()), what: what.into(), asked: vec![], sink }
    }

    /// The head of the table in the file.
    pub fn span(&self) -> Range<usize> {
        self.span.clone()
    }

    /// Where a key of this table stands; the table's own head when it is absent.
    pub fn span_of(&self, key: &str) -> Range<usize> {
        self.table.get_key_value(key).map_or(self.span.clone(), |(key, _)| key.span())
    }

    /// Whether the key is there, whatever its value.
    pub fn has(&mut self, key: &'static str) -> bool {
        self.get(key).is_some()
    }

    fn get(&mut self, key: &'static str) -> Option<&'a Spanned<DeValue<'a>>> {
        self.asked.push(key);
        self.table.get(key)
    }

    /// Reads a key by `read`; a value that it refuses is noted as not being what was `expected`.
    fn read<T>(
        &mut self,
        key: &'static str,
        expected: &str,
        read: impl FnOnce(&'a Spanned<DeValue<'a>>) -> Option<T>,
    ) -> Option<T> {
        let value = self.get(key)?;
        let answer = read(value);
        if answer.is_none() {
            self.wrong(&format!("`{key}`"), value, expected);
        }
        answer
    }

    /// `label` must be what was `expected` (`a date such as 2027-01-04`) and is something else.
    fn wrong(&self, label: &str, value: &Spanned<DeValue<'a>>, expected: &str) {
        let found = kind(value.get_ref());
        let bare = expected.split(" such as ").next().unwrap_or(expected);
        let message = if found == bare {
            format!("{label} must be {bare}")
        } else {
            format!("{label} must be {bare}, this is {found}")
        };
        let mut problem = Problem::error(value.span(), message);
        problem.help = expected.split_once(" such as ").map(|(_, example)| format!("for example {example}"));
        self.sink.note(problem);
    }

    pub fn text(&mut self, key: &'static str) -> Option<Word<'a>> {
        self.read(key, "text", value::word)
    }

    /// Text that may not be absent or empty.
    pub fn need_text(&mut self, key: &'static str) -> Option<Word<'a>> {
        self.need(key);
        let word = self.text(key)?;
        if word.text.trim().is_empty() {
            self.sink.error(word.span, format!("`{key}` is empty"));
            return None;
        }
        Some(word)
    }

    /// Notes a key that must be there and is not.
    pub fn need(&mut self, key: &'static str) {
        if !self.has(key) {
            self.sink.error_with(self.span(), format!("{} has no `{key}`", self.what), format!("add `{key} = …`"));
        }
    }

    pub fn flag(&mut self, key: &'static str) -> Option<Datum<bool>> {
        self.read(key, "true or false", |v| Some(Datum { value: v.get_ref().as_bool()?, span: v.span() }))
    }

    pub fn number(&mut self, key: &'static str) -> Option<Datum<f64>> {
        self.read(key, "a number", |v| Some(Datum { value: value::number(v.get_ref())?, span: v.span() }))
    }

    /// A whole number from 1.
    pub fn count(&mut self, key: &'static str) -> Option<Datum<u32>> {
        self.read(key, "a whole number from 1", |v| {
            let value = value::whole(v.get_ref()).filter(|n| *n > 0)?;
            Some(Datum { value, span: v.span() })
        })
    }

    pub fn date(&mut self, key: &'static str) -> Option<Datum<Date>> {
        self.read(key, "a date such as 2027-01-04", |v| {
            Some(Datum { value: value::date(v.get_ref())?, span: v.span() })
        })
    }

    pub fn time(&mut self, key: &'static str) -> Option<Datum<Time>> {
        self.read(key, "a time of day such as \"09:00\"", |v| {
            Some(Datum { value: value::time(v.get_ref())?, span: v.span() })
        })
    }

    pub fn dates(&mut self, key: &'static str) -> Vec<Datum<Date>> {
        let Some(list) = self.list(key, "a list such as [2027-01-01, 2027-05-31]") else { return vec![] };
        let read = |v: &'a Spanned<DeValue<'a>>| Some(Datum { value: value::date(v.get_ref())?, span: v.span() });
        self.each(list, key, "a date such as 2027-01-04", read)
    }

    /// A list of texts; empty when absent.
    pub fn texts(&mut self, key: &'static str) -> Vec<Word<'a>> {
        match self.list(key, "a list such as [\"…\"]") {
            Some(list) => self.each(list, key, "text", value::word),
            None => vec![],
        }
    }

    /// Whether a list stands there, where one text would do as well.
    pub fn is_list(&self, key: &str) -> bool {
        self.table.get(key).is_some_and(|value| value.get_ref().is_array())
    }

    /// A list of texts with at least one entry.
    pub fn need_texts(&mut self, key: &'static str) -> Vec<Word<'a>> {
        self.need(key);
        if let Some(value) = self.table.get(key)
            && value.get_ref().as_array().is_some_and(|list| list.is_empty())
        {
            self.sink.error(value.span(), format!("`{key}` is empty"));
        }
        self.texts(key)
    }

    fn list(&mut self, key: &'static str, expected: &str) -> Option<&'a [Spanned<DeValue<'a>>]> {
        self.read(key, expected, |v| v.get_ref().as_array().map(|list| &**list))
    }

    fn each<T>(
        &self,
        list: &'a [Spanned<DeValue<'a>>],
        key: &str,
        expected: &str,
        read: impl Fn(&'a Spanned<DeValue<'a>>) -> Option<T>,
    ) -> Vec<T> {
        let entry = format!("an entry of `{key}`");
        let read = |v| {
            let answer = read(v);
            if answer.is_none() {
                self.wrong(&entry, v, expected);
            }
            answer
        };
        list.iter().filter_map(read).collect()
    }

    pub fn table(&mut self, key: &'static str) -> Option<Reader<'a>> {
        let what = format!("`{key}`");
        let sink = self.sink;
        let span = self.span_of(key);
        self.read(key, "a table such as { … }", |v| {
            let table = v.get_ref().as_table()?;
            Some(Reader { table, span, what, asked: vec![], sink })
        })
    }

    /// A list of tables, `[[key]]`; empty when absent.
    pub fn tables(&mut self, key: &'static str, what: &str) -> Vec<Reader<'a>> {
        let Some(value) = self.get(key) else { return vec![] };
        let Some(list) = value.get_ref().as_array() else {
            let help = format!("write {what} with two brackets: there can be several");
            self.sink.error_with(value.span(), format!("`{key}` must be a list of tables"), help);
            return vec![];
        };
        let sink = self.sink;
        let read = |v: &'a Spanned<DeValue<'a>>| {
            let table = v.get_ref().as_table()?;
            Some(Reader { table, span: v.span(), what: what.to_owned(), asked: vec![], sink })
        };
        self.each(list, key, "a table such as { … }", read)
    }

    /// All keys of a table whose names the author chooses, in the order of the file.
    pub fn entries(&self) -> Vec<(Word<'a>, &'a Spanned<DeValue<'a>>)> {
        let word = |k: &'a Spanned<std::borrow::Cow<'a, str>>| Word { text: k.get_ref(), span: k.span() };
        let mut entries: Vec<_> = self.table.iter().map(|(k, v)| (word(k), v)).collect();
        entries.sort_by_key(|(k, _)| k.span.start);
        entries
    }

    /// Each entry as a table; its head is the key.
    pub fn entry_tables(&self, what: &str) -> Vec<(Word<'a>, Reader<'a>)> {
        let read = |(name, value): (Word<'a>, &'a Spanned<DeValue<'a>>)| {
            let Some(table) = value.get_ref().as_table() else {
                self.wrong(&format!("`{}`", name.text), value, "a table such as { … }");
                return None;
            };
            let what = what.replace('*', name.text);
            Some((name.clone(), Reader { table, span: name.span, what, asked: vec![], sink: self.sink }))
        };
        self.entries().into_iter().filter_map(read).collect()
    }

    /// Each entry as a list of texts.
    pub fn entry_texts(&self) -> Vec<(Word<'a>, Vec<Word<'a>>)> {
        let read = |(name, value): (Word<'a>, &'a Spanned<DeValue<'a>>)| match value.get_ref().as_array() {
            Some(list) => Some((name.clone(), self.each(list, name.text, "text", value::word))),
            None => {
                self.wrong(&format!("`{}`", name.text), value, "a list such as [\"…\"]");
                None
            }
        };
        self.entries().into_iter().filter_map(read).collect()
    }

    /// Each entry as a text.
    pub fn entry_words(&self) -> Vec<(Word<'a>, Word<'a>)> {
        let read = |(name, value): (Word<'a>, &'a Spanned<DeValue<'a>>)| match value::word(value) {
            Some(word) => Some((name, word)),
            None => {
                self.wrong(&format!("`{}`", name.text), value, "text");
                None
            }
        };
        self.entries().into_iter().filter_map(read).collect()
    }

    /// Each entry as a number.
    pub fn entry_numbers(&self) -> Vec<(Word<'a>, Datum<f64>)> {
        let read = |(name, value): (Word<'a>, &'a Spanned<DeValue<'a>>)| match value::number(value.get_ref()) {
            Some(n) => Some((name, Datum { value: n, span: value.span() })),
            None => {
                self.wrong(&format!("`{}`", name.text), value, "a number");
                None
            }
        };
        self.entries().into_iter().filter_map(read).collect()
    }

    /// Reports the keys that nobody asked for.
    pub fn finish(self) {
        for (key, _) in self.entries().into_iter().filter(|(key, _)| !self.asked.contains(&key.text)) {
            let mut problem = Problem::error(key.span.clone(), format!("unknown key `{}` in {}", key.text, self.what));
            let mut possible = self.asked.clone();
            possible.dedup();
            possible.retain(|k| !self.table.contains_key(*k));
            problem.help = did_you_mean(key.text, &possible);
            self.sink.note(problem);
        }
    }
}
