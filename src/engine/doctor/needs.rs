//! What an agreement needs of a connection: the fields that its conditions read, what it writes and
//! with which values, and the parties that take records.

use super::own_names;
use crate::agreement::Agreement;
use crate::agreement::model::{Move, Until};
use crate::agreement::predicate::{Atom, Predicate};
use crate::crm::{Connection, Crm, Wanted};
use crate::record::change::FieldValues;
use crate::record::field::well_known;
use crate::record::{FieldName, Object, PartyName, Value};
use std::collections::{BTreeMap, BTreeSet};

#[derive(Clone, Debug, Default)]
pub struct Needs {
    /// What the agreement judges by.
    pub reads: BTreeSet<(Object, FieldName)>,
    /// What is written, with the values that are known beforehand.
    pub writes: BTreeMap<(Object, FieldName), Vec<Value>>,
    /// The texts that a field is compared with, such as the statuses of stages.
    pub compared: BTreeMap<(Object, FieldName), BTreeSet<String>>,
    /// Who takes records that move, and which.
    pub receivers: BTreeMap<PartyName, BTreeSet<Object>>,
    pub tasks: bool,
    /// Whether violations are to be shown on records of this object.
    pub flags: BTreeSet<Object>,
}

impl Needs {
    pub fn of(agreement: &Agreement, connection: &Connection, crm: &dyn Crm) -> Self {
        let mut needs = Self::default();
        needs.conditions(agreement);
        needs.steps(agreement);
        needs.moves(agreement);
        needs.own(connection, crm);
        needs
    }

    pub fn wanted(&self) -> Wanted {
        Wanted { writes: self.writes.clone(), tasks: self.tasks }
    }

    fn read(&mut self, object: Object, names: &[FieldName]) {
        self.reads.extend(names.iter().map(|name| (object, *name)));
    }

    fn judge(&mut self, object: Object, predicate: Option<&Predicate>) {
        self.read(object, predicate.map_or(&[], Predicate::fields));
        let ways = predicate.and_then(Predicate::ways).unwrap_or_default();
        for atom in ways.into_iter().flatten() {
            if let Atom::Is(name, Value::Text(text)) = atom {
                self.compare(object, name, &text);
            }
        }
    }

    fn compare(&mut self, object: Object, name: FieldName, text: &str) {
        self.compared.entry((object, name)).or_default().insert(text.to_owned());
    }

    fn write(&mut self, object: Object, name: FieldName, value: Option<&Value>) {
        self.writes.entry((object, name)).or_default().extend(value.cloned());
        if let Some(text) = value.and_then(Value::as_text) {
            self.compare(object, name, text);
        }
    }

    fn set(&mut self, object: Object, values: &FieldValues) {
        values.iter().for_each(|(name, value)| self.write(object, *name, Some(value)));
    }

    fn conditions(&mut self, agreement: &Agreement) {
        for stage in &agreement.stages {
            self.judge(stage.of, Some(&stage.when));
        }
        for handoff in &agreement.handoffs {
            let object = agreement.stages[handoff.at].of;
            self.judge(object, handoff.definition.as_ref());
            self.read(object, &handoff.requires);
            if let Some(reject) = &handoff.reject {
                self.read(object, &[reject.reason]);
                reject.allowed.iter().for_each(|reason| self.compare(object, reject.reason, reason));
            }
            if handoff.definition.is_some() || !handoff.requires.is_empty() {
                self.flags.insert(object);
            }
        }
        for clock in &agreement.clocks {
            self.judge(clock.object, clock.pauses.as_ref());
            self.judge(clock.object, clock.cancels.as_ref());
            match &clock.until {
                Until::Condition(condition) => self.judge(clock.object, Some(condition)),
                Until::Filled(fields) => self.read(clock.object, fields),
            }
        }
        self.judge(Object::Lead, agreement.recycling.as_ref().and_then(|recycling| recycling.exclude.as_ref()));
    }

    fn receive(&mut self, party: &PartyName, object: Object) {
        self.receivers.entry(party.clone()).or_default().insert(object);
    }

    fn steps(&mut self, agreement: &Agreement) {
        for clock in &agreement.clocks {
            for step in &clock.steps {
                self.tasks |= step.task.is_some();
                self.set(clock.object, &step.set);
                if step.flag {
                    self.flags.insert(clock.object);
                }
                if let Some(Move::Reassign(party)) = &step.moves {
                    self.receive(party, clock.object);
                    self.write(clock.object, well_known().owner, None);
                }
            }
        }
    }

    fn moves(&mut self, agreement: &Agreement) {
        let moves = || agreement.clocks.iter().flat_map(|clock| &clock.steps).filter_map(|step| step.moves.as_ref());
        let recycles = moves().any(|one| *one == Move::Recycle);
        if let Some(recycling) = agreement.recycling.as_ref().filter(|_| recycles) {
            self.receive(&recycling.to, Object::Lead);
            self.write(Object::Lead, well_known().owner, None);
            self.set(Object::Lead, &recycling.set);
        }
        let nurtures = moves().any(|one| *one == Move::Nurture)
            || recycles && agreement.recycling.as_ref().and_then(|r| r.at_most).is_some_and(|cap| cap.then_nurture);
        if let Some(nurture) = agreement.nurture.as_ref().filter(|_| nurtures) {
            self.set(Object::Lead, &nurture.set);
            if let Some(to) = &nurture.to {
                self.receive(to, Object::Lead);
                self.write(Object::Lead, well_known().owner, None);
            }
        }
    }

    fn own(&mut self, connection: &Connection, crm: &dyn Crm) {
        for object in [Object::Lead, Object::Opportunity] {
            for name in own_names() {
                if crm.maps(object, name) && connection.fields.contains_key(&(object, name)) {
                    self.write(object, name, None);
                }
            }
        }
    }
}
