//! What is possible and yet risky, and what can only be judged once the agreement is known:
//! whether it has the fields and parties that connections speak of.

use super::values::is_loopback;
use super::{Named, Notify, Server, Settings, What};
use crate::agreement::document::{Datum, Reader, Sink};
use crate::agreement::problem::{Problem, Report, did_you_mean};
use crate::agreement::{Agreement, dictionary};
use crate::crm::Connection;
use crate::crm::connection::Mode;
use crate::record::Object;
use url::Url;

/// Warns of what works and may not be meant.
pub(super) fn risks(
    root: &mut Reader<'_>,
    sink: &Sink<'_>,
    signatures: Option<&Datum<bool>>,
    server: Option<&Server>,
    connections: &[Connection],
    notify: Option<&Notify>,
) {
    if let Some(flag) = signatures.filter(|flag| !flag.value) {
        sink.note(unsigned(flag, connections));
    }
    if !root.has("connection") {
        let warning = Problem::warning(root.span(), "no [[connection]]: there is nothing to listen to");
        sink.note(warning.with_help("config/leadpact.toml shows one for each CRM"));
    }
    let silent = notify.is_some_and(|notify| notify.slack.is_none() && notify.email.is_none());
    if silent && !connections.is_empty() {
        let warning =
            Problem::warning(root.span_of("notify"), "neither Slack nor e-mail: nobody will be told anything");
        sink.note(warning.with_help("add [notify.slack] or [notify.email]"));
    }
    if server.is_some_and(|server| server.public_url.scheme() != "https") && connections.iter().any(is_remote) {
        let message =
            "`public_url` is not https: CRMs refuse to send there, and what they send could be read on the way";
        let warning = Problem::warning(root.span_of("server"), message);
        sink.note(
            warning.with_help("set [server] public_url to the https address that the internet knows this daemon by"),
        );
    }
}

fn unsigned(flag: &Datum<bool>, connections: &[Connection]) -> Problem {
    let acting: Vec<&str> =
        connections.iter().filter(|c| c.mode == Some(Mode::Enforce)).map(|c| c.name.as_str()).collect();
    let message = match acting.as_slice() {
        [] => "an agreement that nobody signed may act once a connection is armed".to_owned(),
        names => format!("an agreement that nobody signed acts on {}: owners change and leads move", names.join(", ")),
    };
    Problem::warning(flag.span.clone(), message).with_help("leave require_signatures out, and have both sides sign")
}

fn is_remote(connection: &Connection) -> bool {
    Url::parse(&connection.base_url).is_ok_and(|url| !is_loopback(&url))
}

/// The names of the agreement that a connection uses, held against that agreement: the one the
/// settings name, or the connection's own. Only connections that `takes` says yes to are judged.
pub fn check_against(settings: &Settings, agreement: &Agreement, takes: impl Fn(&Connection) -> bool) -> Report {
    let judged: Vec<_> = settings.connections.iter().filter(|c| takes(c)).map(|c| &c.name).collect();
    let names = settings.source.names.iter().filter(|named| judged.contains(&&named.connection));
    settings.source.report(names.filter_map(|named| unknown(named, agreement)).collect())
}

fn unknown(named: &Named, agreement: &Agreement) -> Option<Problem> {
    let (message, possible) = match named.what {
        What::Party => {
            let parties: Vec<&str> = agreement.parties.iter().map(|p| p.name.as_str()).collect();
            (format!("the agreement has no party `{}`", named.name), parties)
        }
        What::Field(object) => {
            let mut fields = declared(agreement, object);
            fields.extend(dictionary::RESERVED);
            (format!("the agreement has no field `{}` of {}", named.name, plural(object)), fields)
        }
        What::Values(object) => {
            (format!("the agreement has no field `{}` of {}", named.name, plural(object)), declared(agreement, object))
        }
    };
    if possible.contains(&named.name.as_str()) {
        return None;
    }
    let mut problem = Problem::error(named.span.clone(), message);
    problem.help = did_you_mean(&named.name, &possible);
    Some(problem)
}

fn plural(object: Object) -> &'static str {
    match object {
        Object::Lead => "leads",
        Object::Opportunity => "opportunities",
    }
}

fn declared(agreement: &Agreement, object: Object) -> Vec<&'static str> {
    agreement.dictionary.of(object).keys().copied().collect()
}
