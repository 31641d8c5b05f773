//! A small world: records whose changes run through the real core, and what a report says of them.
//! It plays the daemon's part: wakes records, keeps history and journal, lets recycles land.

use leadpact::agreement::{Agreement, Decision, Input, Standing, decide, is_late, parse::parse, refold};
use leadpact::record::change::{FieldValues, Reading};
use leadpact::record::{
    Action, Actor, Change, ConnectionName, Effect, Fact, FactKind, FieldName, Object, Outcome, OwnerId, RecordId,
    RecordKey, Timestamp, Value, What,
};
use leadpact::report::figures::{Commitment, Dimension, Figure, Report, Verdict};
use leadpact::report::tale::{Attestation, Entry, Latest, Tale};
use leadpact::report::tally::{Question, Tally};
use leadpact::report::terms::Terms;
use leadpact::report::window::Window;
use serde_json::json;
use std::collections::HashMap;
use std::sync::Arc;

/// `01-05 10:00` of 2027, UTC.
pub fn at(text: &str) -> Timestamp {
    let (day, time) = text.split_once(' ').expect(text);
    let time = if time.len() == 5 { format!("{time}:00") } else { time.to_owned() };
    Timestamp::parse(&format!("2027-{day}T{time}Z")).expect(text)
}

/// The common terms with these commitments: `name | by | measure | target | period`.
pub fn terms(commitments: &[&str]) -> Arc<Agreement> {
    let tables = commitments.iter().map(|line| {
        let parts: Vec<&str> = line.split('|').map(str::trim).collect();
        let [name, by, measure, target, period] = parts[..] else { panic!("{line}") };
        format!(
            "[[commitment]]\nname = \"{name}\"\nby = \"{by}\"\nto = \"field\"\nmeasure = {{ {measure} }}\n\
             target = \"{target}\"\nperiod = \"{period}\"\ncredit = \"A credit.\"\n"
        )
    });
    let text = format!("{}\n{}", include_str!("terms.toml"), tables.collect::<String>());
    of_text(&text)
}

pub fn of_text(text: &str) -> Arc<Agreement> {
    match parse("agreement.toml", text, &|_| Err("no files here".into())) {
        Ok(parsed) => Arc::new(parsed.agreement),
        Err(report) => panic!("{}", report.render(false)),
    }
}

pub struct World {
    pub agreement: Arc<Agreement>,
    pub records: Vec<Record>,
    pub attestations: Vec<Attestation>,
    /// Whether recycles land: else leadpact only observes.
    pub enforces: bool,
}

pub struct Record {
    agreement: Arc<Agreement>,
    pub standing: Standing,
    history: Vec<Change>,
    pub journal: Vec<Entry>,
    outbox: Vec<Effect>,
    now: Timestamp,
    enforces: bool,
}

impl World {
    pub fn of(commitments: &[&str]) -> Self {
        Self { agreement: terms(commitments), records: Vec::new(), attestations: Vec::new(), enforces: false }
    }

    /// A world in which stale leads are taken back.
    pub fn enforcing(commitments: &[&str]) -> Self {
        Self { enforces: true, ..Self::of(commitments) }
    }

    pub fn lead(&mut self, id: &str) -> &mut Record {
        self.record(Object::Lead, id)
    }

    pub fn opportunity(&mut self, id: &str) -> &mut Record {
        self.record(Object::Opportunity, id)
    }

    fn record(&mut self, object: Object, id: &str) -> &mut Record {
        let known =
            self.records.iter().position(|r| r.standing.key.object == object && r.standing.key.id.as_str() == id);
        let i = known.unwrap_or_else(|| {
            let key = RecordKey { connection: ConnectionName::new("crm"), object, id: RecordId::new(id) };
            self.records.push(Record::new(self.agreement.clone(), key, self.enforces));
            self.records.len() - 1
        });
        &mut self.records[i]
    }

    /// A lead of a source that was delivered then, in order.
    pub fn delivered(&mut self, id: &str, when: &str) -> &mut Record {
        self.lead(id).event(when, "status=MQL score=70 company=Acme source=Web campaign=Spring owner=o1")
    }

    /// An opportunity decided then.
    pub fn decided(&mut self, id: &str, when: &str, fields: &str) -> &mut Record {
        self.opportunity(id).event("01-04 09:00", "status=open owner=f1").event(when, fields)
    }

    pub fn question(&self, period: &str, now: &str) -> Question {
        let terms = Terms::one(self.agreement.clone());
        Question {
            connection: ConnectionName::new("crm"),
            period: Window::parse(period, &terms.zone()).expect(period),
            terms,
            now: at(now),
            by: None,
            attestations: self.attestations.clone(),
            names: HashMap::new(),
        }
    }

    /// Leads first, as the engine streams them.
    pub fn tales(&mut self, now: &str) -> Vec<Tale> {
        self.records.iter_mut().for_each(|record| record.pass_to(at(now)));
        let mut tales: Vec<Tale> = self.records.iter().map(Record::tale).collect();
        tales.sort_by_key(|tale| tale.key.object);
        tales
    }

    pub fn report_by(&mut self, period: &str, now: &str, by: Option<Dimension>) -> Report {
        let mut tally = Tally::new(Question { by, ..self.question(period, now) });
        self.tales(now).into_iter().for_each(|tale| tally.add(tale));
        tally.finish()
    }

    pub fn report(&mut self, period: &str, now: &str) -> Report {
        self.report_by(period, now, None)
    }

    /// The first commitment over January, measured in February: `3 of 4, missed, 1 still open`.
    pub fn january(&mut self) -> String {
        self.measured("2027-01", "02-01 00:00")
    }

    pub fn measured(&mut self, period: &str, now: &str) -> String {
        said(&self.report(period, now).commitments[0])
    }
}

/// Figure, verdict and notes of a commitment.
pub fn said(commitment: &Commitment) -> String {
    let measured = &commitment.measured;
    let figure = match measured.figure {
        Figure::Nothing => "nothing".to_owned(),
        Figure::Count { count } => count.to_string(),
        Figure::Share { part, whole } => format!("{part} of {whole}"),
        Figure::MoneyShare { part, whole } => format!("{part} of {whole}"),
        Figure::Time(time) => {
            let kind = if time.business { " business" } else { "" };
            format!("{}{}{kind}", if time.at_least { "at least " } else { "" }, time.length)
        }
        Figure::Word { answer } => format!("{answer:?}"),
    };
    let verdict = match measured.verdict {
        Verdict::Attained => "attained",
        Verdict::Missed => "missed",
        Verdict::Open => "open",
        Verdict::NoData => "no data",
    };
    let mut parts = vec![figure, verdict.to_owned()];
    parts.extend(measured.notes.iter().cloned());
    parts.join(", ")
}

impl Record {
    fn new(agreement: Arc<Agreement>, key: RecordKey, enforces: bool) -> Self {
        let (history, journal, outbox) = (Vec::new(), Vec::new(), Vec::new());
        Self { agreement, standing: Standing::new(key), history, journal, outbox, now: Timestamp::MIN, enforces }
    }

    /// A person's change, heard of at once; `fields` are `name=value`, `_` is a space.
    pub fn event(&mut self, when: &str, fields: &str) -> &mut Self {
        self.heard(when, when, fields)
    }

    /// A person's change that we hear of later.
    pub fn heard(&mut self, when: &str, seen: &str, fields: &str) -> &mut Self {
        let what = What::Fields(self.values(fields));
        self.change(when, seen, what)
    }

    /// A read of a record last modified then.
    pub fn read(&mut self, when: &str, modified: &str, fields: &str) -> &mut Self {
        self.reading(when, modified, fields, false)
    }

    pub fn imported(&mut self, when: &str, modified: &str, fields: &str) -> &mut Self {
        self.reading(when, modified, fields, true)
    }

    fn reading(&mut self, when: &str, modified: &str, fields: &str, import: bool) -> &mut Self {
        let reading = Reading { modified: at(modified), values: self.values(fields), import, from_now: false };
        self.change(when, when, What::Read(reading))
    }

    pub fn change(&mut self, when: &str, seen: &str, what: What) -> &mut Self {
        self.pass_to(at(seen));
        let change = Change { at: at(when), what, by: Actor::Person(OwnerId::new("someone")) };
        if is_late(&self.standing, &change) {
            self.history.push(change);
            self.fold_anew();
        } else {
            self.input(Input::Changed(change));
        }
        self
    }

    /// A fact that no change tells, journalled then.
    pub fn told(&mut self, kind: FactKind, when: &str, item: &str, detail: serde_json::Value) -> &mut Self {
        let detail = detail.as_object().cloned().unwrap_or_default();
        let pass = self.standing.pass;
        let (source, by, item) = ("".into(), Actor::Unknown, item.into());
        let (party, owner, stage) = (None, None, None);
        let fact = Fact { kind, at: at(when), pass, source, run: 0, item, party, owner, stage, by, detail };
        self.journal.push(Entry { fact, seen_at: at(when) });
        self
    }

    /// A dispute about the latest fact of a kind is upheld.
    pub fn excused(&mut self, kind: FactKind) -> &mut Self {
        let fact = self.journal.iter().rev().map(|e| &e.fact).find(|f| f.kind == kind).expect("the disputed fact");
        let detail = json!({ "fact": fact.key(), "at": fact.at.as_millis() });
        self.told(FactKind::Upheld, "02-01 00:00", "d1", detail)
    }

    /// Lets time pass; the record wakes when it asks for it, and what moves it lands at once.
    pub fn pass_to(&mut self, to: Timestamp) {
        while let Some(wake) = self.standing.wake_at.filter(|w| *w <= to) {
            self.now = wake;
            self.input(Input::Woke);
            while let Some(i) =
                self.outbox.iter().position(|e| self.enforces && matches!(e.action, Action::Recycle { .. }))
            {
                let effect = self.outbox.remove(i);
                self.land(effect);
            }
        }
        self.now = self.now.max(to);
    }

    fn land(&mut self, effect: Effect) {
        let values = self.values("status=MQL owner=o2");
        let outcome = Outcome::Done { at: self.now, since: self.now, values, note: None };
        self.input(Input::Settled(effect, outcome));
    }

    fn input(&mut self, input: Input) {
        let decision = decide(&self.agreement, self.standing.clone(), input, self.now);
        self.take(decision);
    }

    fn fold_anew(&mut self) {
        let facts: Vec<Fact> = self.journal.iter().map(|e| e.fact.clone()).collect();
        let decision = refold(&self.agreement, self.standing.clone(), self.history.clone(), &facts, self.now);
        self.take(decision);
    }

    fn take(&mut self, decision: Decision) {
        self.outbox.retain(|e| !decision.withdraw.contains(&e.key));
        self.outbox.extend(decision.effects);
        let seen_at = self.now;
        self.journal.extend(decision.facts.into_iter().map(|fact| Entry { fact, seen_at }));
        self.history.extend(decision.history);
        self.standing = decision.standing;
        if decision.refold {
            self.fold_anew();
        }
    }

    fn values(&self, fields: &str) -> FieldValues {
        let value = |pair: &str| {
            let (name, text) = pair.split_once('=').expect(pair);
            let field = FieldName::new(name);
            let declared = self.agreement.dictionary.type_of(self.standing.key.object, field);
            let text = text.replace('_', " ");
            let value = match declared {
                _ if text == "null" => Value::Null,
                Some(declared) => declared.read(&text).expect(pair),
                None => Value::text(text),
            };
            (field, value)
        };
        fields.split_whitespace().map(value).collect()
    }

    pub fn tale(&self) -> Tale {
        let unjudged = self.standing.checks.iter().map(|check| check.handoff.clone()).collect();
        let latest = Some(Latest { fields: self.standing.fields.clone(), unjudged });
        Tale { key: self.standing.key.clone(), entries: self.journal.clone(), latest }
    }
}
