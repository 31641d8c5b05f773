//! A sentence for every kind of fact, in words that marketing and sales use. Details that were
//! erased are left out of the sentence.

use super::story::Reader;
use crate::record::{Actor, Fact, FactKind, OwnerId, Timestamp};
use serde_json::Value as Json;

/// What happened, without its moment.
pub fn sentence(reader: &Reader<'_>, fact: &Fact) -> String {
    let words = Words { reader, fact };
    match fact.kind {
        FactKind::ClockStarted
        | FactKind::Paused
        | FactKind::Resumed
        | FactKind::Met
        | FactKind::MetLate
        | FactKind::Breached
        | FactKind::Cancelled
        | FactKind::Transferred
        | FactKind::Answered
        | FactKind::Recomputed
        | FactKind::Spared => words.of_clock(),
        FactKind::StepFired
        | FactKind::Skipped
        | FactKind::Notified
        | FactKind::TaskCreated
        | FactKind::Reassigned
        | FactKind::Recycled
        | FactKind::Nurtured
        | FactKind::FieldsSet
        | FactKind::WouldHave
        | FactKind::Dropped
        | FactKind::Parked
        | FactKind::Held
        | FactKind::Contested
        | FactKind::Undone => words.of_deed(),
        FactKind::Offered
        | FactKind::Activated
        | FactKind::Signed
        | FactKind::Informed
        | FactKind::Confirmed
        | FactKind::Attested
        | FactKind::Reviewed
        | FactKind::Setting
        | FactKind::Released
        | FactKind::Discarded
        | FactKind::Replayed => words.of_agreement(),
        FactKind::Disputed
        | FactKind::Climbed
        | FactKind::Upheld
        | FactKind::Dismissed
        | FactKind::DisputeWithdrawn => words.of_dispute(),
        _ => words.of_record(),
    }
}

struct Words<'a> {
    reader: &'a Reader<'a>,
    fact: &'a Fact,
}

impl Words<'_> {
    /// Where a record came, and what it lacks.
    fn of_record(&self) -> String {
        let (source, by) = (&self.fact.source, self.by());
        match self.fact.kind {
            FactKind::Imported => format!("Imported{}; nothing fires for what began before", self.list("clocks", ": ")),
            FactKind::PassBegan => self.pass(),
            FactKind::StageEntered => format!("Became {}{by}", self.stage()),
            FactKind::HandedOver => format!("Handed over: {source}"),
            FactKind::DefinitionFailed => format!("Did not meet the definition of {source}"),
            FactKind::ViolationOpened => self.violation(),
            FactKind::ViolationClosed => format!("Put right: {}", or(source, "the conversion")),
            FactKind::Flagged => "The violation was written onto the record".to_owned(),
            FactKind::Unflagged => "The violation was cleared from the record".to_owned(),
            FactKind::Rejected => {
                let worked = self.fact.detail.get("worked").and_then(Json::as_bool) == Some(true);
                let when = if worked { " after it had been worked" } else { "" };
                format!("Rejected{when}{}{by}", self.text("reason", ": "))
            }
            FactKind::Converted => format!("An opportunity was made of it{by}"),
            FactKind::Merged => format!("Merged into another record{by}"),
            FactKind::Deleted => format!("Deleted{by}"),
            FactKind::Restored => format!("Restored{by}"),
            FactKind::Assigned if self.fact.item.is_empty() => format!("Belongs to nobody now{by}"),
            FactKind::Assigned => format!("Belongs to {} now{by}", self.owner(&self.fact.item)),
            FactKind::Disqualified => format!("Disqualified{}{by}", self.text("reason", ": ")),
            FactKind::Excluded => {
                format!(
                    "Left alone{}{}{}",
                    self.moment("until", " until "),
                    self.text("by", ", asked by "),
                    self.text("why", ": ")
                )
            }
            FactKind::Erased => "What was kept of the person was erased".to_owned(),
            FactKind::Included => {
                format!("Treated like any other again{}{}", self.text("by", ", asked by "), self.text("why", ": "))
            }
            FactKind::Withdrawn => self.withdrawn(),
            other => or(source, other.as_str()).to_owned(),
        }
    }

    /// The life of the agreement itself, and what people set.
    fn of_agreement(&self) -> String {
        let (source, item, who) = (&self.fact.source, &self.fact.item, self.text("by", ", by "));
        match self.fact.kind {
            FactKind::Offered => {
                format!("A version of the agreement was offered: {}", or(&self.text("version", ""), item))
            }
            FactKind::Activated => {
                format!("A version of the agreement is in force: {}", or(&self.text("version", ""), item))
            }
            FactKind::Signed => format!("Signed{who}{}", self.text("title", ", ")),
            FactKind::Informed => format!("{} was told of this version of the agreement", self.owner(item)),
            FactKind::Confirmed => format!("{} confirmed having read the agreement", self.owner(item)),
            FactKind::Attested => format!("{source}: attested{}{who}", self.text("answer", " ")),
            FactKind::Reviewed => format!("The review pack went out: {source}"),
            FactKind::Setting => format!("{item}{}{who}{}", self.text("to", ": "), self.text("why", ", since ")),
            FactKind::Released => format!("What was held may go{who}"),
            FactKind::Discarded if self.fact.detail.contains_key("parked") => {
                format!("Given up for good: {}{who}{}", self.replayed(), self.text("why", ", since "))
            }
            FactKind::Discarded => format!("What was held is given up{who}"),
            FactKind::Replayed => {
                format!("To be tried again: {}{who}{}", self.replayed(), self.text("why", ", since "))
            }
            other => other.as_str().to_owned(),
        }
    }

    fn of_dispute(&self) -> String {
        let who = self.text("by", ", by ");
        match self.fact.kind {
            FactKind::Disputed => format!("Disputed{who}{}", self.text("why", ": ")),
            FactKind::Climbed => format!("The dispute went on to its next step{}", self.text("who", ": ")),
            FactKind::Upheld => format!("The dispute was upheld: it does not count{who}{}", self.text("why", "; ")),
            FactKind::Dismissed => format!("The dispute was dismissed: it stands{who}{}", self.text("why", "; ")),
            FactKind::DisputeWithdrawn => format!("The dispute was withdrawn{who}"),
            other => other.as_str().to_owned(),
        }
    }

    /// How a clock ran.
    fn of_clock(&self) -> String {
        let (clock, by) = (&self.fact.source, self.by());
        match self.fact.kind {
            FactKind::ClockStarted => format!("{clock} started{}", self.moment("deadline", "; due ")),
            FactKind::Paused => format!("{clock} paused: time stands still"),
            FactKind::Resumed => format!("{clock} goes on{}", self.moment("deadline", "; due ")),
            FactKind::Met => format!("{clock}: done in time{by}"),
            FactKind::MetLate => format!("{clock}: done, but late{}{by}", self.moment("deadline", "; it was due ")),
            FactKind::Breached => format!("Breached: {clock} was not done by {}", self.shown(self.fact.at, None)),
            FactKind::Cancelled => format!("{clock} cancelled{}", self.text("why", ": ")),
            FactKind::Transferred => format!("{clock} ended, since the owner changed; a new one starts{by}"),
            FactKind::Answered => format!("{clock} answered; a new one starts{by}"),
            FactKind::Recomputed => {
                let before = self.moment("deadline_before", ", before ");
                format!(
                    "{clock} recomputed by a new version of the agreement{}{before}",
                    self.moment("deadline", "; due ")
                )
            }
            FactKind::Spared => {
                format!("Spared, since somebody worked on it after the breach{}{by}", self.moment("until", "; until "))
            }
            other => format!("{clock}: {}", other.as_str()),
        }
    }

    /// What leadpact did about it.
    fn of_deed(&self) -> String {
        let (source, item) = (&self.fact.source, &self.fact.item);
        let why = if source.is_empty() { String::new() } else { format!(" ({source})") };
        match self.fact.kind {
            FactKind::StepFired => format!("Step {item} of {source}"),
            FactKind::Skipped => format!("Step {item} of {source}: not told, since a later one says more"),
            FactKind::Notified => format!("Told {}{why}", self.recipient()),
            FactKind::TaskCreated => format!("Made a task{why}"),
            FactKind::Reassigned => format!("Reassigned{}{why}", self.moved()),
            FactKind::Recycled => format!("Recycled{}{why}", self.moved()),
            FactKind::Nurtured => format!("Moved to nurture{}{why}", self.moved()),
            FactKind::FieldsSet => format!("Set fields{why}"),
            FactKind::WouldHave => format!("Would have done: {}{why}; only observing", self.action()),
            FactKind::Dropped => format!("Not done: {}{}{why}", self.action(), self.text("why", ", since ")),
            FactKind::Parked => format!("Given up: {}{}{why}", self.action(), self.text("error", ": ")),
            FactKind::Held => format!("Held for a person to decide{}{why}", self.text("why", ": ")),
            FactKind::Contested => {
                format!("Contested: something else keeps changing it back, so it is let be{}{why}", self.by())
            }
            FactKind::Undone => {
                let (by, why_undone) = (self.text("by", ", asked by "), self.text("why", ": "));
                format!("Undone{}{by}{why_undone}{why}", self.moved())
            }
            other => format!("{}{why}", other.as_str()),
        }
    }

    fn pass(&self) -> String {
        match &*self.fact.item {
            "recycled" => "Begins anew, recycled".to_owned(),
            "revived" => "Begins anew, back from an ending".to_owned(),
            "returned" => "Begins anew, returned to an earlier stage".to_owned(),
            _ => "Entered the waterfall".to_owned(),
        }
    }

    fn stage(&self) -> String {
        let name = self.fact.stage.as_ref().map_or(&*self.fact.item, |s| s.as_str());
        let stage = self.reader.agreement.stages.iter().find(|s| s.name.as_str() == name);
        stage.map_or_else(|| name.to_owned(), |s| format!("{} ({name})", s.term))
    }

    fn violation(&self) -> String {
        let source = &self.fact.source;
        match &*self.fact.item {
            "definition" => format!("Violation: the definition of {source} is not met{}", self.list("what", ": ")),
            "missing" => format!("Violation: {source} lacks {}", or(&self.list("what", ""), "fields")),
            "rejection" => format!("Violation: rejected without an agreed reason ({source})"),
            "conversion" => "Violation: converted without an opportunity".to_owned(),
            other => format!("Violation: {other} ({source})"),
        }
    }

    fn withdrawn(&self) -> String {
        let what = match self.fact.takes_back() {
            Some(FactKind::Breached) => "the breach did not happen".to_owned(),
            Some(kind) => format!("`{}` did not happen then", kind.as_str().replace('_', " ")),
            None => "this did not happen".to_owned(),
        };
        let source = if self.fact.source.is_empty() { String::new() } else { format!(" ({})", self.fact.source) };
        format!("Taken back: as is known now, {what}{source}")
    }

    fn recipient(&self) -> String {
        let to = self.fact.detail.get("to").and_then(Json::as_str).unwrap_or("somebody");
        match to.split_once(':') {
            Some(("person", id)) => self.owner(id),
            Some((_, address)) => address.to_owned(),
            None if to == "owner" => "the owner".to_owned(),
            None if to == "manager" => "the owner's manager".to_owned(),
            None => to.to_owned(),
        }
    }

    fn action(&self) -> &'static str {
        match self.fact.detail.get("action").and_then(Json::as_str) {
            Some("notify") => "tell somebody",
            Some("task") => "make a task",
            Some("reassign") => "reassign",
            Some("recycle") => "recycle",
            Some("nurture") => "move to nurture",
            Some("set") => "set fields",
            Some("undo") => "undo the move",
            Some("annotate") => "write its state onto the record",
            Some("read") => "read the record",
            _ => "an action",
        }
    }

    /// What a person wants tried again, or not any more.
    fn replayed(&self) -> &'static str {
        match self.fact.detail.get("what").and_then(Json::as_str) {
            Some("delivery") => "a delivery of the CRM",
            Some("order") => "a person's order",
            Some("event") => "an event of a delivery",
            Some("letter") => "a letter",
            _ => self.action(),
        }
    }

    fn moved(&self) -> String {
        let of = |key: &str, nobody: &str| {
            let id = self.fact.detail.get(key)?;
            Some(id.as_str().map_or_else(|| nobody.to_owned(), |id| self.owner(id)))
        };
        match (of("from", "nobody"), of("to", "nobody")) {
            (Some(from), Some(to)) => format!(" from {from} to {to}"),
            _ => String::new(),
        }
    }

    fn owner(&self, id: &str) -> String {
        (self.reader.name_of)(&OwnerId::new(id)).unwrap_or_else(|| id.to_owned())
    }

    fn by(&self) -> String {
        match &self.fact.by {
            Actor::Unknown => String::new(),
            Actor::Person(id) => format!(", by {}", self.owner(id.as_str())),
            Actor::Automation => ", by an automation".to_owned(),
            Actor::Leadpact => ", by leadpact".to_owned(),
        }
    }

    /// A moment of the detail, after `before`; nothing when it is not there.
    fn moment(&self, key: &str, before: &str) -> String {
        let at = self.fact.detail.get(key).and_then(Json::as_i64).map(Timestamp::from_millis);
        at.map_or_else(String::new, |at| format!("{before}{}", self.shown(at, Some(self.fact.at))))
    }

    /// The time alone on the day of `near`, else date and time.
    fn shown(&self, at: Timestamp, near: Option<Timestamp>) -> String {
        let local = |t: Timestamp| t.to_jiff().to_zoned(self.reader.zone.clone());
        match near.map(local) {
            Some(near) if near.date() == local(at).date() => local(at).strftime("%H:%M").to_string(),
            _ => at.in_zone(self.reader.zone),
        }
    }

    fn text(&self, key: &str, before: &str) -> String {
        let text = self.fact.detail.get(key).and_then(Json::as_str).filter(|text| !text.is_empty());
        text.map_or_else(String::new, |text| format!("{before}{text}"))
    }

    fn list(&self, key: &str, before: &str) -> String {
        let items = self.fact.detail.get(key).and_then(Json::as_array);
        let texts: Vec<&str> = items.into_iter().flatten().filter_map(Json::as_str).collect();
        if texts.is_empty() { String::new() } else { format!("{before}{}", texts.join(", ")) }
    }
}

fn or<'t>(text: &'t str, instead: &'t str) -> &'t str {
    if text.is_empty() { instead } else { text }
}
