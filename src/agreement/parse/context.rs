//! What the parts of an agreement refer to each other by: parties, stages, calendars, fields; and
//! how a name, a channel or a condition in the file becomes the thing it means.

use crate::agreement::dictionary;
use crate::agreement::document::{Sink, Word};
use crate::agreement::model::{Address, Audience, Dictionary, Ending, Span};
use crate::agreement::predicate::{Predicate, Scope, closest};
use crate::agreement::problem::{Problem, Severity};
use crate::agreement::span::parse_span;
use crate::record::{Elapsed, FieldName, Object, PartyName};
use jiff::tz::TimeZone;
use std::collections::HashSet;
use std::ops::Range;
use std::sync::Arc;

/// A party as far as others must know it.
pub(super) struct PartyHead {
    pub name: PartyName,
    pub calendar: Option<usize>,
}

/// A stage as far as others must know it; its place in the list is its index, whatever else is wrong with it.
pub(in crate::agreement) struct StageHead<'a> {
    /// Empty where the file has none, which is noted.
    pub name: Word<'a>,
    pub object: Object,
    pub ends: Option<Ending>,
    pub when: Option<Word<'a>>,
}

impl StageHead<'_> {
    pub fn in_waterfall(&self) -> bool {
        matches!(self.ends, None | Some(Ending::Won))
    }
}

/// All that names can mean, known before the parts that use them are read.
pub(super) struct Context<'a> {
    pub sink: &'a Sink<'a>,
    pub dictionary: Dictionary,
    pub calendars: Vec<&'a str>,
    /// The agreement's own calendar.
    pub calendar: Option<usize>,
    /// The zone of that calendar, else UTC: for days such as `effective`.
    pub zone: TimeZone,
    pub parties: Vec<PartyHead>,
    pub stages: Vec<StageHead<'a>>,
    /// Name and whether in the waterfall, as conditions want them.
    pub scope_stages: Vec<(String, bool)>,
    pub has_recycling: bool,
    pub has_nurture: bool,
}

impl<'a> Context<'a> {
    /// Knows nothing yet but the names of the calendars.
    pub fn new(sink: &'a Sink<'a>, calendars: Vec<&'a str>) -> Self {
        Self {
            sink,
            dictionary: Dictionary::default(),
            calendars,
            calendar: None,
            zone: TimeZone::UTC,
            parties: vec![],
            stages: vec![],
            scope_stages: vec![],
            has_recycling: false,
            has_nurture: false,
        }
    }

    pub fn party(&self, word: &Word<'_>) -> Option<PartyName> {
        let found = self.parties.iter().find(|p| p.name.as_str() == word.text);
        if found.is_none() {
            self.sink.unknown("party", word, &self.party_names());
        }
        found.map(|p| p.name.clone())
    }

    fn party_names(&self) -> Vec<&str> {
        self.parties.iter().map(|p| p.name.as_str()).collect()
    }

    /// The calendar of a party, else the agreement's.
    pub fn calendar_of_party(&self, name: &PartyName) -> Option<usize> {
        self.parties.iter().find(|p| &p.name == name).and_then(|p| p.calendar).or(self.calendar)
    }

    pub fn calendar(&self, word: &Word<'_>) -> Option<usize> {
        let found = self.calendars.iter().position(|name| *name == word.text);
        if found.is_none() {
            self.sink.unknown("calendar", word, &self.calendars);
        }
        found
    }

    pub fn stage(&self, word: &Word<'_>) -> Option<usize> {
        let found = self.stages.iter().position(|s| s.name.text == word.text);
        if found.is_none() {
            let names: Vec<&str> = self.stages.iter().map(|s| s.name.text).collect();
            self.sink.unknown("stage", word, &names);
        }
        found
    }

    /// A stage of the waterfall: one that a record is handed over at.
    pub fn waterfall_stage(&self, word: &Word<'_>) -> Option<usize> {
        let index = self.stage(word)?;
        if self.stages[index].in_waterfall() {
            return Some(index);
        }
        let names: Vec<String> =
            self.stages.iter().filter(|s| s.in_waterfall()).map(|s| format!("`{}`", s.name.text)).collect();
        self.sink.error_with(
            word.span.clone(),
            format!("the stage `{}` is an ending, not part of the waterfall", word.text),
            format!("the waterfall is {}", names.join(", ")),
        );
        None
    }

    pub fn field(&self, object: Object, word: &Word<'_>) -> Option<FieldName> {
        if self.dictionary.of(object).contains_key(word.text) {
            return Some(FieldName::new(word.text));
        }
        let other = match object {
            Object::Lead => Object::Opportunity,
            Object::Opportunity => Object::Lead,
        };
        let name = word.text;
        if dictionary::RESERVED.contains(&name) {
            let help = "leadpact writes this field itself; name another";
            self.sink.error_with(word.span.clone(), format!("`{name}` is no field of {}", plural(object)), help);
        } else if self.dictionary.of(other).contains_key(name) {
            let message = format!("`{name}` is a field of {}, not of {}", plural(other), plural(object));
            self.sink.error_with(word.span.clone(), message, format!("declare it under [data.{object}]"));
        } else {
            self.sink.unknown("field", word, &dictionary::names(&self.dictionary, object));
        }
        None
    }

    pub fn address(&self, word: &Word<'_>) -> Option<Address> {
        match parse_address(word.text) {
            Ok(address) => Some(address),
            Err(help) => {
                self.sink.error_with(word.span.clone(), format!("`{}` is no channel", word.text), help);
                None
            }
        }
    }

    pub fn audience(&self, word: &Word<'_>) -> Option<Audience> {
        match word.text {
            "owner" => return Some(Audience::Owner),
            "party" => return Some(Audience::Party),
            "manager" => return Some(Audience::Manager),
            _ => {}
        }
        if let Some(name) = word.text.strip_prefix("party:") {
            let at = word.text.len() - name.len();
            let name = Word { text: name, span: self.sink.inside(word, at..word.text.len()) };
            return self.party(&name).map(Audience::PartyNamed);
        }
        match parse_address(word.text) {
            Ok(address) => Some(Audience::Address(address)),
            Err(help) => {
                self.sink.error_with(word.span.clone(), format!("`{}` is no one", word.text), self.meant(word, help));
                None
            }
        }
    }

    fn meant(&self, word: &Word<'_>, otherwise: String) -> String {
        if self.parties.iter().any(|p| p.name.as_str() == word.text) {
            return format!("did you mean `party:{}`?", word.text);
        }
        match closest(word.text, ["owner", "party", "manager"].into_iter()) {
            Some(closest) => format!("did you mean `{closest}`?"),
            None if word.text.contains(['#', '@', ':']) => otherwise,
            None => "write `owner`, `party`, `manager`, `party:NAME`, `slack:#channel` or `email:name@host`".into(),
        }
    }

    pub fn span(&self, word: &Word<'_>) -> Option<Span> {
        match parse_span(word.text) {
            Ok(span) => Some(span),
            Err(message) => {
                self.sink.error(word.span.clone(), message);
                None
            }
        }
    }

    /// A length of time that no calendar is asked about.
    pub fn elapsed(&self, word: &Word<'_>) -> Option<Elapsed> {
        match self.span(word)? {
            Span::Elapsed(elapsed) => Some(elapsed),
            _ => {
                let message = format!("`{}` counts business time, and here the clock on the wall counts", word.text);
                self.sink.error_with(word.span.clone(), message, "write it in `s`, `m`, `h` or `d`, such as `90d`");
                None
            }
        }
    }

    /// Business time needs a calendar to be counted on.
    pub fn check_calendar(&self, span: Span, calendar: Option<usize>, at: Range<usize>) {
        if calendar.is_some() || matches!(span, Span::Elapsed(_)) {
            return;
        }
        let help = match self.calendars.first() {
            Some(name) => format!("add `calendar = \"{name}\"` to the agreement, the party or the clock"),
            None => "declare one under [calendars.NAME]".to_owned(),
        };
        self.sink.error_with(at, "this is business time, and no calendar says when business is open", help);
    }

    /// A condition over records of an object; `in_clock`: touches are those since the run began.
    pub fn condition(&self, word: &Word<'_>, object: Object, in_clock: bool) -> Option<Predicate> {
        self.compile(word, object, Some(&self.scope_stages), in_clock)
    }

    /// A stage's own condition, which cannot ask for stages.
    pub fn stage_condition(&self, word: &Word<'_>, object: Object) -> Option<Predicate> {
        self.compile(word, object, None, false)
    }

    fn compile(
        &self,
        word: &Word<'_>,
        object: Object,
        stages: Option<&[(String, bool)]>,
        in_clock: bool,
    ) -> Option<Predicate> {
        let scope = Scope { object, dictionary: &self.dictionary, stages, in_clock };
        let (predicate, problems) = match Predicate::compile(word.text, &scope) {
            Ok((predicate, problems)) => (Some(predicate), problems),
            Err(problems) => (None, problems),
        };
        for p in problems {
            let severity = if p.is_warning { Severity::Warning } else { Severity::Error };
            let span = Some(self.sink.inside(word, p.span));
            self.sink.note(Problem { span, message: p.message, help: p.help, severity });
        }
        predicate
    }
}

/// `leads`, `opportunities`.
pub(super) fn plural(object: Object) -> &'static str {
    match object {
        Object::Lead => "leads",
        Object::Opportunity => "opportunities",
    }
}

/// `slack:#channel` or `email:name@host`; the error is the suggestion.
fn parse_address(text: &str) -> Result<Address, String> {
    if let Some(channel) = text.strip_prefix("slack:") {
        return match channel.strip_prefix('#') {
            Some(name) if !name.is_empty() && !name.contains(char::is_whitespace) => {
                Ok(Address::Slack(Arc::from(channel)))
            }
            _ => Err(format!("a Slack channel is written `slack:#{}`", channel.trim_matches(['#', '@', ' ']))),
        };
    }
    if let Some(email) = text.strip_prefix("email:") {
        return match is_email(email) {
            true => Ok(Address::Email(Arc::from(email))),
            false => Err("an e-mail address is written `email:name@host`".into()),
        };
    }
    Err(match text {
        channel if channel.starts_with('#') => format!("did you mean `slack:{channel}`?"),
        email if is_email(email) => format!("did you mean `email:{email}`?"),
        _ => "write `slack:#channel` or `email:name@host`".into(),
    })
}

/// Only the shape: whether mail arrives there is `doctor`'s to say.
pub(super) fn is_email(text: &str) -> bool {
    let shape = |(name, host): (&str, &str)| !name.is_empty() && !host.is_empty() && !host.contains('@');
    text.split_once('@').is_some_and(shape) && !text.contains(|c: char| c.is_whitespace() || c == '<' || c == ',')
}

/// Names that must differ from each other.
pub(super) struct Unique<'a> {
    what: &'static str,
    seen: HashSet<&'a str>,
}

impl<'a> Unique<'a> {
    pub fn new(what: &'static str) -> Self {
        Self { what, seen: HashSet::new() }
    }

    pub fn check(&mut self, sink: &Sink<'_>, name: &Word<'a>) {
        if !self.seen.insert(name.text) {
            let message = format!("there is another {} named `{}`", self.what, name.text);
            sink.error_with(name.span.clone(), message, "give each its own name");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn channels_are_read_or_a_better_one_is_suggested() {
        assert_eq!(parse_address("slack:#ops"), Ok(Address::Slack("#ops".into())));
        assert_eq!(parse_address("email:a@b.example"), Ok(Address::Email("a@b.example".into())));
        for (text, help) in [
            ("slack:ops", "`slack:#ops`"),
            ("slack:#", "`slack:#`"),
            ("#ops", "`slack:#ops`"),
            ("a@b.example", "`email:a@b.example`"),
            ("email:nobody", "`email:name@host`"),
            ("email:a@b, c@d", "`email:name@host`"),
            ("teams:x", "`slack:#channel`"),
        ] {
            assert!(parse_address(text).expect_err(text).contains(help), "{text}");
        }
    }
}
