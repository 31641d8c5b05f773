//! Clocks of handoffs and of requirements: when they end, how long they run, what happens on the way.

use super::context::{Context, Unique};
use super::steps::{OfClock, steps};
use crate::agreement::document::{Reader, Word};
use crate::agreement::model::{Clock, ClockOf, Span, Until};
use crate::record::{Object, PartyName};
use std::sync::Arc;

/// All clocks of the agreement. A clock that is wrong keeps its place, so that indexes stay true.
pub(super) struct Clocks<'a> {
    pub names: Vec<Option<Word<'a>>>,
    pub read: Vec<Option<Clock>>,
    unique: Unique<'a>,
}

/// What a clock takes from the handoff or requirement that it belongs to. The options are `None` where
/// these are wrong, which is noted.
pub(super) struct Owed {
    pub of: ClockOf,
    pub object: Object,
    pub starts_at: Option<usize>,
    pub party: Option<PartyName>,
}

impl<'a> Clocks<'a> {
    pub fn new() -> Self {
        Self { names: vec![], read: vec![], unique: Unique::new("clock") }
    }

    pub fn handoff_clock(&mut self, cx: &Context<'a>, mut r: Reader<'a>, owed: &Owed) -> usize {
        let name = r.need_text("name");
        let until = r.need_text("until").and_then(|word| cx.condition(&word, owed.object, true));
        let restarts = r.texts("restarts_on");
        for word in restarts.iter().filter(|word| !matches!(word.text, "owner" | "touch")) {
            cx.sink.unknown("restart", word, &["owner", "touch"]);
        }
        let clock = common(cx, &mut r, name.clone(), until.map(Until::Condition), owed).map(|clock| Clock {
            restarts_on_owner: restarts.iter().any(|word| word.text == "owner"),
            restarts_on_touch: restarts.iter().any(|word| word.text == "touch"),
            ..clock
        });
        r.finish();
        self.add(cx, name, clock)
    }

    /// The clock of a requirement, whose table the caller finishes.
    pub fn requirement_clock(
        &mut self,
        cx: &Context<'a>,
        r: &mut Reader<'a>,
        name: Option<Word<'a>>,
        until: Until,
        owed: &Owed,
    ) -> usize {
        let clock = common(cx, r, name.clone(), Some(until), owed);
        self.add(cx, name, clock)
    }

    fn add(&mut self, cx: &Context<'a>, name: Option<Word<'a>>, clock: Option<Clock>) -> usize {
        if let Some(name) = &name {
            self.unique.check(cx.sink, name);
        }
        self.names.push(name);
        self.read.push(clock);
        self.names.len() - 1
    }

    /// The index of the clock of that name.
    pub fn named(&self, cx: &Context<'_>, word: &Word<'_>) -> Option<usize> {
        let names = || self.names.iter().map(|name| name.as_ref().map_or("", |n| n.text));
        let found = names().position(|name| name == word.text);
        if found.is_none() {
            cx.sink.unknown("clock", word, &names().collect::<Vec<_>>());
        }
        found
    }
}

fn common<'a>(
    cx: &Context<'a>,
    r: &mut Reader<'a>,
    name: Option<Word<'a>>,
    until: Option<Until>,
    owed: &Owed,
) -> Option<Clock> {
    let named = r.text("calendar").and_then(|word| cx.calendar(&word));
    let calendar = named.or_else(|| owed.party.as_ref().map_or(cx.calendar, |party| cx.calendar_of_party(party)));
    let within = r.need_text("within").and_then(|word| length(cx, &word, calendar));
    let pauses = r.text("pauses").and_then(|word| cx.condition(&word, owed.object, true));
    let cancels = r.text("cancels").and_then(|word| cx.condition(&word, owed.object, true));
    let steps = steps(cx, r, &OfClock { object: owed.object, within, calendar });
    Some(Clock {
        name: Arc::from(name?.text),
        of: owed.of,
        object: owed.object,
        starts_at: owed.starts_at?,
        party: owed.party.clone()?,
        until: until?,
        pauses,
        cancels,
        within: within?,
        calendar,
        restarts_on_owner: false,
        restarts_on_touch: false,
        steps,
    })
}

pub(super) fn length(cx: &Context<'_>, word: &Word<'_>, calendar: Option<usize>) -> Option<Span> {
    let span = cx.span(word)?;
    let nothing = match span {
        Span::Elapsed(length) | Span::Open(length) => length.as_millis() <= 0,
        Span::OpenDays(days) => days <= 0,
    };
    if nothing {
        cx.sink.error(word.span.clone(), "a promise needs some time to be kept in");
    }
    cx.check_calendar(span, calendar, word.span.clone());
    Some(span)
}
