//! Which logical fields an agreement makes leadpact look at, and for what; which it sets, and about
//! which objects it makes tasks. What a CRM calls them is in `wiring`.

use crate::agreement::Agreement;
use crate::agreement::model::{Clock, Measure, Step, Until};
use crate::agreement::predicate::Predicate;
use crate::record::change::FieldValues;
use crate::record::field::well_known;
use crate::record::{FieldName, Object};
use std::collections::{BTreeMap, BTreeSet};

/// What an agreement needs of records.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Uses {
    /// Objects that the agreement speaks of.
    pub objects: BTreeSet<Object>,
    /// Looked at, by object and name, with the reasons in the order of the agreement.
    looked_at: BTreeMap<(Object, &'static str), Vec<String>>,
    /// Set by steps, recycling or nurture.
    set: BTreeSet<(Object, &'static str)>,
    /// Objects about whose records tasks are made.
    pub tasks: BTreeSet<Object>,
    /// Objects whose records change their owner.
    pub moved: BTreeSet<Object>,
}

impl Uses {
    /// The fields of an object that are looked at, by name, with the reasons.
    pub fn looked_at(&self, object: Object) -> impl Iterator<Item = (FieldName, &[String])> {
        let of = self.looked_at.iter().filter(move |((o, _), _)| *o == object);
        of.map(|((_, name), why)| (FieldName::new(name), why.as_slice()))
    }

    /// The fields of an object that are set, by name.
    pub fn set(&self, object: Object) -> impl Iterator<Item = FieldName> {
        self.set.iter().filter(move |(o, _)| *o == object).map(|(_, name)| FieldName::new(name))
    }

    fn look(&mut self, object: Object, field: FieldName, why: &str) {
        self.objects.insert(object);
        let reasons = self.looked_at.entry((object, field.as_str())).or_default();
        if !reasons.iter().any(|known| known == why) {
            reasons.push(why.to_owned());
        }
    }

    fn condition(&mut self, object: Object, predicate: &Predicate, why: &str) {
        self.objects.insert(object);
        for field in predicate.fields() {
            self.look(object, *field, why);
        }
        if predicate.reads_touches() {
            self.touches(object, why);
        }
    }

    fn touches(&mut self, object: Object, why: &str) {
        self.look(object, well_known().touches, why);
        self.look(object, well_known().last_touch, why);
    }

    fn sets(&mut self, object: Object, values: &FieldValues) {
        self.set.extend(values.iter().map(|(name, _)| (object, name.as_str())));
    }
}

/// Everything that this agreement needs.
pub fn uses(agreement: &Agreement) -> Uses {
    let mut uses = Uses::default();
    for stage in &agreement.stages {
        uses.condition(stage.of, &stage.when, &format!("stage {}", stage.name));
    }
    handoffs(&mut uses, agreement);
    for clock in &agreement.clocks {
        clock_of(&mut uses, clock);
    }
    moves(&mut uses, agreement);
    commitments(&mut uses, agreement);
    always(&mut uses);
    uses
}

fn handoffs(uses: &mut Uses, agreement: &Agreement) {
    for handoff in &agreement.handoffs {
        let object = agreement.stages[handoff.at].of;
        if let Some(definition) = &handoff.definition {
            uses.condition(object, definition, &format!("definition of {}", handoff.name));
        }
        for field in &handoff.requires {
            uses.look(object, *field, &format!("required by {}", handoff.name));
        }
        if let Some(reject) = &handoff.reject {
            uses.look(object, reject.reason, &format!("rejection of {}", handoff.name));
        }
    }
}

fn clock_of(uses: &mut Uses, clock: &Clock) {
    let why = format!("clock {}", clock.name);
    match &clock.until {
        Until::Condition(condition) => uses.condition(clock.object, condition, &why),
        Until::Filled(fields) => fields.iter().for_each(|field| uses.look(clock.object, *field, &why)),
    }
    for condition in clock.pauses.iter().chain(&clock.cancels) {
        uses.condition(clock.object, condition, &why);
    }
    if clock.restarts_on_touch {
        uses.touches(clock.object, &why);
    }
    for step in &clock.steps {
        step_of(uses, clock.object, step);
    }
}

fn step_of(uses: &mut Uses, object: Object, step: &Step) {
    uses.sets(object, &step.set);
    if step.task.is_some() {
        uses.tasks.insert(object);
    }
    if step.moves.is_some() {
        uses.moved.insert(object);
    }
}

/// Only leads are recycled and nurtured.
fn moves(uses: &mut Uses, agreement: &Agreement) {
    if let Some(recycling) = &agreement.recycling {
        uses.sets(Object::Lead, &recycling.set);
        if let Some(exclude) = &recycling.exclude {
            uses.condition(Object::Lead, exclude, "exception from recycling");
        }
    }
    if let Some(nurture) = &agreement.nurture {
        uses.sets(Object::Lead, &nurture.set);
    }
}

fn commitments(uses: &mut Uses, agreement: &Agreement) {
    for commitment in &agreement.commitments {
        let why = format!("commitment {}", commitment.name);
        match &commitment.measure {
            Measure::CloseRatio(condition) | Measure::RevenueShare(condition) => {
                uses.condition(Object::Opportunity, condition, &why);
            }
            Measure::Complete { field, stage } => uses.look(agreement.stages[*stage].of, *field, &why),
            Measure::Count(_)
            | Measure::Defined(_)
            | Measure::Conversion(..)
            | Measure::OnTime(_)
            | Measure::Median(_)
            | Measure::P90(_)
            | Measure::Attested(_) => {}
        }
    }
}

/// What the core itself follows, whatever the agreement says: who owes the answer, what a person did
/// (which spares a lead), what became of a lead, and what reports count.
fn always(uses: &mut Uses) {
    let names = well_known();
    for object in uses.objects.clone() {
        uses.look(object, names.owner, "whose record it is");
        uses.look(object, names.status, "a person's change spares a record");
        uses.touches(object, "a person's touch spares a record");
    }
    if uses.objects.contains(&Object::Lead) {
        uses.look(Object::Lead, names.converted, "conversion ends a lead's clocks");
        uses.look(Object::Lead, names.source, "reports by source");
        uses.look(Object::Lead, names.campaign, "reports by campaign");
    }
    if uses.objects.contains(&Object::Opportunity) {
        uses.look(Object::Opportunity, names.amount, "reports of money");
        uses.look(Object::Opportunity, names.currency, "reports of money");
    }
    if uses.objects.len() == 2 {
        uses.look(Object::Lead, names.opportunity, "the link between a lead and its opportunity");
        uses.look(Object::Opportunity, names.lead, "the link between a lead and its opportunity");
    }
}
