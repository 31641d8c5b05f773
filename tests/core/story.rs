//! A record's story: what happens at which moment of a week, and what is told of it. It plays the
//! part of the daemon: it wakes the record when it asks to be woken, keeps history and journal, and
//! folds anew what comes late.

use leadpact::agreement::{Agreement, Decision, Input, Standing, Verdict};
use leadpact::agreement::{confirm, decide, intend, is_late, parse::parse, refold};
use leadpact::record::change::{FieldValues, Reading};
use leadpact::record::{
    Actor, Change, ConnectionName, Effect, Elapsed, Fact, FactKind, FieldName, Object, Outcome, OwnerId, RecordId,
    RecordKey, Timestamp, Value, What,
};
use std::sync::Arc;

/// Monday, 4 January 2027, midnight UTC.
const MONDAY: i64 = 1_799_020_800_000;
const DAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];

/// `Mon 09:00`, `Tue 10:30:15`, or `+2 Wed 08:00` for two weeks later.
pub fn at(text: &str) -> Timestamp {
    let (weeks, rest) = match text.strip_prefix('+') {
        Some(rest) => rest.split_once(' ').map(|(n, rest)| (n.parse::<i64>().expect(text), rest)).expect(text),
        None => (0, text),
    };
    let (day, time) = rest.split_once([' ', '@']).expect(text);
    let day = DAYS.iter().position(|d| *d == day).expect(text) as i64;
    let parts: Vec<f64> = time.split(':').map(|p| p.parse().expect(text)).collect();
    let seconds = parts[0] * 3600.0 + parts[1] * 60.0 + parts.get(2).unwrap_or(&0.0);
    Timestamp::from_millis(MONDAY + (weeks * 7 + day) * 86_400_000 + (seconds * 1000.0).round() as i64)
}

/// The other way round.
pub fn said(t: Timestamp) -> String {
    let ms = t.as_millis() - MONDAY;
    let (day, rest) = (ms.div_euclid(86_400_000), ms.rem_euclid(86_400_000));
    let (h, m, s, milli) = (rest / 3_600_000, rest / 60_000 % 60, rest / 1000 % 60, rest % 1000);
    let week = if day >= 7 { format!("+{} ", day / 7) } else { String::new() };
    let seconds = match (s, milli) {
        (0, 0) => String::new(),
        (s, 0) => format!(":{s:02}"),
        (s, milli) => format!(":{s:02}.{milli:03}"),
    };
    format!("{week}{} {h:02}:{m:02}{seconds}", DAYS[day.rem_euclid(7) as usize])
}

pub fn agreement(text: &str) -> Agreement {
    match parse("agreement.toml", text, &|_| Err("no files here".into())) {
        Ok(parsed) => parsed.agreement,
        Err(report) => panic!("{report:?}"),
    }
}

/// What every test agreement has; `clocks` follow the handoff from marketing to teleprospecting.
pub fn terms(clocks: &str) -> String {
    include_str!("terms.toml").replace("# clocks", clocks)
}

pub struct Story {
    pub agreement: Arc<Agreement>,
    pub standing: Standing,
    pub history: Vec<Change>,
    pub journal: Vec<Fact>,
    /// Issued, neither settled nor withdrawn.
    pub outbox: Vec<Effect>,
    pub withdrawn: usize,
    pub now: Timestamp,
}

impl Story {
    /// A lead under the common terms with this clock on the first handoff.
    pub fn lead(clocks: &str) -> Self {
        Self::of(Object::Lead, agreement(&terms(clocks)))
    }

    pub fn opportunity() -> Self {
        Self::of(Object::Opportunity, agreement(&terms("")))
    }

    pub fn of(object: Object, agreement: impl Into<Arc<Agreement>>) -> Self {
        let key = RecordKey { connection: ConnectionName::new("crm"), object, id: RecordId::new("1") };
        Self {
            agreement: agreement.into(),
            standing: Standing::new(key),
            history: vec![],
            journal: vec![],
            outbox: vec![],
            withdrawn: 0,
            now: Timestamp::MIN,
        }
    }

    /// Lets time pass, waking the record whenever it asks for it.
    pub fn until(&mut self, when: &str) -> &mut Self {
        self.pass_to(at(when))
    }

    pub fn pass_to(&mut self, to: Timestamp) -> &mut Self {
        while let Some(wake) = self.standing.wake_at.filter(|w| *w <= to) {
            assert!(wake > self.now, "woken again at once at {}", said(wake));
            self.now = wake;
            self.input(Input::Woke);
        }
        self.now = self.now.max(to);
        self
    }

    /// Time passes unwatched: one late wake at its end.
    pub fn asleep_until(&mut self, when: &str) -> &mut Self {
        self.now = at(when);
        self.input(Input::Woke);
        self
    }

    /// A person's change, heard of at once.
    pub fn event(&mut self, when: &str, fields: &str) -> &mut Self {
        self.until(when).heard(when, fields)
    }

    /// A person's change that we hear of only now.
    pub fn heard(&mut self, when: &str, fields: &str) -> &mut Self {
        self.heard_by(when, fields, Actor::Person(OwnerId::new("someone")))
    }

    pub fn heard_by(&mut self, when: &str, fields: &str, by: Actor) -> &mut Self {
        let values = self.values(fields);
        self.change(Change { at: at(when), what: What::Fields(values), by })
    }

    pub fn happened(&mut self, when: &str, what: What) -> &mut Self {
        self.until(when).change(Change { at: at(when), what, by: Actor::Unknown })
    }

    /// A read made now, of a record last modified then.
    pub fn read(&mut self, when: &str, modified: &str, fields: &str) -> &mut Self {
        let reading = Reading { modified: at(modified), values: self.values(fields), import: false, from_now: false };
        self.happened(when, What::Read(reading))
    }

    pub fn imported(&mut self, when: &str, modified: &str, fields: &str) -> &mut Self {
        let reading = Reading { modified: at(modified), values: self.values(fields), import: true, from_now: false };
        self.happened(when, What::Read(reading))
    }

    /// A read whose answer is older than what we know by now.
    pub fn change_read(&mut self, when: &str, modified: &str, fields: &str) -> &mut Self {
        let reading = Reading { modified: at(modified), values: self.values(fields), import: false, from_now: false };
        self.change(Change { at: at(when), what: What::Read(reading), by: Actor::Unknown })
    }

    /// Carries out the one effect of this action: the write lands then.
    pub fn lands(&mut self, action: &str, when: &str, fields: &str) -> &mut Self {
        self.until(when).intends(action, when, fields).settles(action, when, fields)
    }

    pub fn intends(&mut self, action: &str, since: &str, fields: &str) -> &mut Self {
        let (effect, values) = (self.effect(action), self.values(fields));
        intend(&mut self.standing, &effect.key, values, at(since));
        self
    }

    pub fn settles(&mut self, action: &str, when: &str, fields: &str) -> &mut Self {
        let effect = self.effect(action);
        let since = self.standing.own_writes.iter().find(|w| w.effect == effect.key).map_or(at(when), |w| w.since);
        let done = Outcome::Done { at: at(when), since, values: self.values(fields), note: None };
        self.ends(action, done)
    }

    pub fn ends(&mut self, action: &str, outcome: Outcome) -> &mut Self {
        let effect = self.effect(action);
        self.outbox.retain(|e| e.key != effect.key);
        self.input(Input::Settled(effect, outcome));
        self
    }

    /// The one effect in the outbox of this action.
    pub fn effect(&self, action: &str) -> Effect {
        let found: Vec<&Effect> = self.outbox.iter().filter(|e| e.action.as_str() == action).collect();
        assert_eq!(found.len(), 1, "{action} in {:#?}", self.outbox);
        found[0].clone()
    }

    pub fn verdict(&self, action: &str) -> Verdict {
        confirm(&self.agreement, &self.standing, &self.effect(action), self.now)
    }

    pub fn change(&mut self, change: Change) -> &mut Self {
        self.now = self.now.max(change.at);
        if is_late(&self.standing, &change) {
            self.history.push(change);
            self.fold_anew();
        } else {
            self.input(Input::Changed(change));
        }
        self
    }

    pub fn input(&mut self, input: Input) {
        let decision = decide(&self.agreement, self.standing.clone(), input, self.now);
        self.take(decision);
    }

    fn fold_anew(&mut self) {
        let history = self.history.clone();
        let decision = refold(&self.agreement, self.standing.clone(), history, &self.journal, self.now);
        assert!(!decision.refold && decision.history.is_empty());
        self.take(decision);
    }

    fn take(&mut self, decision: Decision) {
        let issued = self.outbox.len();
        // What is on its way cannot be called back.
        let sending = |e: &Effect| decision.standing.own_writes.iter().any(|w| w.until.is_none() && w.effect == e.key);
        self.outbox.retain(|e| !decision.withdraw.contains(&e.key) || sending(e));
        self.withdrawn += issued - self.outbox.len();
        let known: Vec<_> = self.outbox.iter().map(|e| e.key.clone()).collect();
        self.outbox.extend(decision.effects.into_iter().filter(|e| !known.contains(&e.key)));
        self.journal.extend(decision.facts);
        self.history.extend(decision.history);
        self.standing = decision.standing;
        if decision.refold {
            self.fold_anew();
        }
    }

    pub fn values(&self, fields: &str) -> FieldValues {
        let value = |pair: &str| {
            let (name, text) = pair.split_once('=').expect(pair);
            let field = FieldName::new(name);
            let declared = self.agreement.dictionary.type_of(self.standing.key.object, field);
            let value = match declared {
                _ if text == "null" => Value::Null,
                Some(leadpact::record::FieldType::Time) => Value::Time(at(text)),
                Some(declared) => declared.read(text).expect(pair),
                None => Value::text(text),
            };
            (field, value)
        };
        fields.split_whitespace().map(value).collect()
    }

    /// Facts that were journalled and not withdrawn, in the journal's order.
    pub fn live(&self) -> Vec<&Fact> {
        let mut live: Vec<&Fact> = Vec::new();
        for fact in &self.journal {
            if fact.kind == FactKind::Withdrawn {
                let meant = |f: &&&Fact| f.key() == *fact.item && f.at == fact.at;
                let same = |f: &&Fact| f.owner == fact.owner && f.party == fact.party && f.stage == fact.stage;
                let exact = live.iter().rposition(|f| meant(&f) && same(f));
                let told = exact.or_else(|| live.iter().rposition(|f| meant(&f)));
                live.remove(told.unwrap_or_else(|| panic!("withdrawn and not told: {}", fact.item)));
            } else {
                live.push(fact);
            }
        }
        live
    }

    /// The live facts of these kinds: `breached Mon 13:00; met_late#2 Tue 09:00`.
    pub fn told(&self, kinds: &str) -> String {
        let kinds: Vec<&str> = kinds.split_whitespace().collect();
        for kind in &kinds {
            assert!(FactKind::parse(kind).is_some(), "{kind}");
        }
        let wanted = self.live().into_iter().filter(|f| kinds.contains(&f.kind.as_str()));
        wanted.map(line).collect::<Vec<_>>().join("; ")
    }

    /// Whose the live facts of these kinds are: `met ann tele mql Mon 10:00`.
    pub fn whose(&self, kinds: &str) -> String {
        let wanted = self.live().into_iter().filter(|f| kinds.split_whitespace().any(|k| k == f.kind.as_str()));
        let whose = wanted.map(|f| {
            let owner = f.owner.as_ref().map_or("-", |o| o.as_str());
            let party = f.party.as_ref().map_or("-", |p| p.as_str());
            let stage = f.stage.as_ref().map_or("-", |s| s.as_str());
            format!("{} {owner} {party} {stage} {}", f.kind.as_str(), said(f.at))
        });
        whose.collect::<Vec<_>>().join("; ")
    }

    /// What waits to be done: `notify owner Mon 11:00; recycle Tue 09:00`, reads left out.
    pub fn todo(&self) -> String {
        let shown = self.outbox.iter().filter(|e| e.action.as_str() != "read").map(|e| {
            let who = match &e.action {
                leadpact::record::Action::Notify { to, .. } => format!(" {to}"),
                _ => String::new(),
            };
            format!("{}{who} {}", e.action.as_str(), said(e.not_before))
        });
        shown.collect::<Vec<_>>().join("; ")
    }
}

fn line(fact: &Fact) -> String {
    let run = if fact.run > 1 { format!("#{}", fact.run) } else { String::new() };
    let item = match fact.kind {
        FactKind::StageEntered | FactKind::PassBegan | FactKind::StepFired | FactKind::Skipped => {
            format!(" {}", fact.item)
        }
        FactKind::ViolationOpened | FactKind::ViolationClosed => format!(" {}", fact.item),
        FactKind::Assigned if fact.item.is_empty() => " nobody".to_owned(),
        FactKind::Assigned => format!(" {}", fact.item),
        _ => String::new(),
    };
    format!("{}{run}{item} {}", fact.kind.as_str(), said(fact.at))
}

pub fn hours(h: i64) -> Elapsed {
    Elapsed::from_secs(h * 3600)
}
