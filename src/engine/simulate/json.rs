//! The answer of a simulation as JSON, for the command and the API: every line with the leads that were
//! kept; moments as RFC 3339 in UTC.

use super::{Answer, Terms};
use crate::record::Timestamp;
use crate::report::difference::{How, Lead, Line, Subject};
use serde_json::{Value as Json, json};

/// The whole answer.
pub fn json(answer: &Answer) -> Json {
    let found = &answer.difference;
    let lines: Vec<Json> = found.lines.iter().map(|(subject, line)| of_line(subject, line)).collect();
    json!({
        "connection": answer.connection.as_str(),
        "from": answer.from.map(|day| day.to_string()),
        "to": answer.to.map(|day| day.to_string()),
        "time_zone": answer.zone.iana_name(),
        "old": of_terms(&answer.old),
        "new": of_terms(&answer.new),
        "records": found.records,
        "changes": found.changes,
        "diverged": { "old": found.diverged_old, "new": found.diverged_new },
        "lines": lines,
    })
}

fn of_terms(terms: &Terms) -> Json {
    json!({ "title": terms.title, "version": terms.version, "hash": terms.hash, "from": terms.origin })
}

fn of_line(subject: &Subject, line: &Line) -> Json {
    let leads: Vec<Json> = line.leads.iter().map(of_lead).collect();
    json!({
        "party": subject.party,
        "clock": subject.source,
        "kind": subject.kind.as_str(),
        "old": line.old,
        "new": line.new,
        "differences": line.differences,
        "leads": leads,
    })
}

fn of_lead(lead: &Lead) -> Json {
    let moment = |at: Timestamp| Json::from(at.to_string());
    let (how, old, new) = match lead.how {
        How::OnlyOld(at) => ("only_old", moment(at), Json::Null),
        How::OnlyNew(at) => ("only_new", Json::Null, moment(at)),
        How::Moved { old, new } => ("moved", moment(old), moment(new)),
    };
    json!({
        "object": lead.key.object.as_str(),
        "id": lead.key.id.as_str(),
        "name": lead.name,
        "change": how,
        "old_at": old,
        "new_at": new,
        "guess": lead.guess,
    })
}
